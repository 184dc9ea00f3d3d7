package main

import (
	"maps"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest"
	"github.com/superpayhub/superpay/sdk/plugintest/template/acmepay/sandbox"
)

// variant is a plugin that breaks a rule.
type variant struct {
	rule   string   // meant for it; of the rules that it breaks it is the first
	also   []string // rules that notice it, too
	why    string   // they do
	with   []string // rules that have to be asked before
	breaks func(*broken)
	stand  plugintest.Sandbox // nil: Acmepay's
	exam   string             // "": exam.json
}

// variants are all of them, by what is wrong with them.
var variants = merged(descriptions, courses, contests, restarts, repeated, misread, misheard, rest)

func merged(all ...map[string]variant) map[string]variant {
	out := map[string]variant{}
	for _, some := range all {
		for name, v := range some {
			if _, twice := out[name]; twice {
				panic("two variants are called " + name)
			}
			out[name] = v
		}
	}
	return out
}

// options start that variant. A rule that waits for what never comes waits a second.
func (v variant) options(name string, rules ...string) plugintest.Options {
	o := plugintest.Options{Sandbox: v.stand, Exam: v.exam, Env: []string{breakEnv + "=" + name}, Only: rules, Settle: time.Second}
	if o.Sandbox == nil {
		o.Sandbox = stand
	}
	return o
}

// everyVariant has those with a sandbox or settings of their own, too.
func everyVariant() map[string]variant {
	all := maps.Clone(variants)
	for name := range returners {
		if name != returns {
			all[name] = variant{rule: "payer_return", stand: standWithResults, exam: "testdata/exam_return.json"}
		}
	}
	for name := range connectors {
		if name != connects {
			all[name] = variant{rule: "connect"}
		}
	}
	all[promises] = variant{rule: "connect"}
	return all
}

// standThatReplays is an Acmepay that answers a key as the first time, whatever is asked.
func standThatReplays(publicURL string, s sdk.Settings) (http.Handler, func() error, error) {
	return sandbox.New(sandbox.Options{APIKey: s["api_key"], SigningSecret: s["signing_secret"], PublicURL: publicURL, Replays: true})
}

// broke gives a variant the exam, and returns the rules that it breaks, in order.
func broke(t *testing.T, o plugintest.Options) (failed []string, asked int) {
	t.Helper()
	report := plugintest.NewReport(t.Context(), nil)
	report.Run("exam", func(r *plugintest.Report) { plugintest.Run(r, o) })
	exam := report.Parts[0]
	if len(exam.Findings) > 0 {
		t.Fatalf("the exam did not take place: %q", exam.Findings)
	}
	for _, rule := range exam.Parts {
		if rule.Failed() {
			failed = append(failed, rule.Name[len("exam/"):])
		}
	}
	return failed, len(exam.Parts)
}

// TestExam_EveryRuleBites proves that a plugin that breaks a rule fails it, and that
// each rule has such a plugin.
func TestExam_EveryRuleBites(t *testing.T) {
	meant := map[string]bool{}
	for _, rule := range []string{"healthy", "private", "keeps_signals", "shuts_down", "ends_with_hub"} {
		meant["process_"+rule] = true // package plugin keeps them: see the broken plugins in Node
	}
	for name, v := range everyVariant() {
		meant[v.rule] = true
		if (len(v.also) > 0) != (v.why != "") {
			t.Errorf("%s: it has to say why several rules notice it", name)
		}
		if v.breaks == nil {
			continue // see TestExam_OfAPayersReturn, TestExam_OfConnect
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := append([]string{v.rule}, v.also...)
			failed, _ := broke(t, v.options(name, slices.Concat(v.with, want)...))
			for _, rule := range want {
				if !slices.Contains(failed, rule) {
					t.Errorf("%s does not notice", rule)
				}
			}
		})
	}
	for _, rule := range plugintest.RuleNames() {
		if !meant[rule] {
			t.Errorf("no variant is meant for %s", rule)
		}
	}
}

// TestExam_AllAgainstAll asks every rule of every variant: the first that it breaks is
// the one that is meant for it. It takes minutes: see make exam-broken.
func TestExam_AllAgainstAll(t *testing.T) {
	if os.Getenv("EXAM_BROKEN") == "" {
		t.Log("asked by: make exam-broken")
		return
	}
	all := everyVariant()
	t.Logf("%d broken plugins, %d rules", len(all), len(plugintest.RuleNames()))
	for name, v := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failed, asked := broke(t, v.options(name))
			if len(failed) == 0 || failed[0] != v.rule {
				t.Errorf("meant is %s, and of %d rules it breaks %q", v.rule, asked, failed)
			}
			for _, rule := range v.also {
				if !slices.Contains(failed, rule) {
					t.Errorf("%s does not notice", rule)
				}
			}
			if len(failed) > 1 {
				t.Logf("%s breaks %q", name, failed)
			}
		})
	}
}

// TestExam_OfAProviderThatReplays: a provider may answer a key that was used as it did
// the first time, instead of refusing it.
func TestExam_OfAProviderThatReplays(t *testing.T) {
	plugintest.Run(t, plugintest.Options{Sandbox: standThatReplays, Only: []string{"pays", "key_reused"}})
}
