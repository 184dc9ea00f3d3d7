package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugin"
	"github.com/superpayhub/superpay/sdk/plugintest"
)

// unsigned is no broken plugin: its provider signs nothing, and posts an id.
const unsigned = "unsigned"

func init() {
	if os.Getenv(breakEnv) == unsigned {
		plugintest.ServeIfStarted(func() {
			b := &broken{Provider: New()}
			b.describe = func(d *sdk.Description) { d.Proof = sdk.ProofNone }
			b.callback = func(_ context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
				var event struct{ Payment struct{ ID string } }
				if err := json.Unmarshal(r.Body, &event); err != nil || event.Payment.ID == "" {
					return &sdk.CallbackResult{Verdict: sdk.Forged, Reason: "it names no payment"}, nil
				}
				return &sdk.CallbackResult{Verdict: sdk.Genuine, Facts: []sdk.Fact{{
					Payment: sdk.Payment{Refs: []sdk.Ref{{Kind: kindPayment, Value: event.Payment.ID}}},
				}}}, nil
			}
			plugin.Serve(b)
		})
	}
}

// TestExam_OfUnsignedCallbacks: a plugin whose provider signs nothing passes as any
// other: it proves nothing, and says so.
func TestExam_OfUnsignedCallbacks(t *testing.T) {
	plugintest.Run(t, plugintest.Options{Sandbox: stand, Env: []string{breakEnv + "=" + unsigned}})
}

// errNothingWorks is an error of a method that was never written.
var errNothingWorks = errors.New("nothing works")

// lame plugins are broken in a way that many rules would notice: by what is wrong, the
// one rule that says so.
var lame = map[string]struct {
	rule   string
	breaks func(*broken)
}{
	hangs: {"pays", func(b *broken) {
		b.create = func(ctx context.Context, _ sdk.CheckoutRequest) (*sdk.Payment, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
	}},
	"cannot be paid": {"pays", func(b *broken) {
		b.create = func(context.Context, sdk.CheckoutRequest) (*sdk.Payment, error) { return nil, errNothingWorks }
	}},
	"cannot capture": {"capture_manual", func(b *broken) {
		b.capture = func(context.Context, sdk.CaptureRequest) (*sdk.Payment, error) { return nil, errNothingWorks }
	}},
	"cannot cancel": {"cancel_open", func(b *broken) {
		b.cancel = func(context.Context, sdk.CancelRequest) (*sdk.Payment, error) { return nil, errNothingWorks }
	}},
	"cannot refund": {"refunds", func(b *broken) {
		b.refund = func(context.Context, sdk.RefundRequest) (*sdk.Refund, error) { return nil, errNothingWorks }
	}},
	"hears nothing": {"callback_genuine", func(b *broken) {
		b.callback = func(context.Context, sdk.CallbackRequest) (*sdk.CallbackResult, error) { return nil, errNothingWorks }
	}},
}

const hangs = "hangs"

func init() {
	if v, ok := lame[os.Getenv(breakEnv)]; ok {
		plugintest.ServeIfStarted(func() {
			b := &broken{Provider: New()}
			v.breaks(b)
			plugin.Serve(b)
		})
	}
}

// TestExam_OneCauseOneFinding: what builds on a basic rule that is broken is not asked,
// a plugin that hangs is given up in time, and each rule is told of as it ends.
func TestExam_OneCauseOneFinding(t *testing.T) {
	for name, v := range lame {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var told []string
			began, report := time.Now(), plugintest.NewReport(t.Context(), func(r *plugintest.Report) { told = append(told, r.Name) })
			o := plugintest.Options{Sandbox: stand, Env: []string{breakEnv + "=" + name}, Settle: time.Second}
			if name == hangs {
				o.Budget = 10 * time.Second
			}
			report.Run("exam", func(r *plugintest.Report) { plugintest.Run(r, o) })
			exam := report.Parts[0]
			var failed []string
			for _, rule := range exam.Parts {
				if rule.Failed() {
					failed = append(failed, strings.TrimPrefix(rule.Name, "exam/"))
				}
			}
			if !slices.Equal(failed, []string{v.rule}) {
				t.Errorf("failed, after %s: %q", time.Since(began), failed)
			}
			if over := len(exam.Findings) > 0; over != (name == hangs) || over && time.Since(began) > 30*time.Second {
				t.Errorf("after %s, findings: %q", time.Since(began), exam.Findings)
			}
			if first := slices.Index(told, exam.Parts[0].Name); first != 0 || told[len(told)-1] != "exam" {
				t.Errorf("told of: %q", told)
			}
		})
	}
}
