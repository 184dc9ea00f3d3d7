package plugintest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/superpayhub/superpay/sdk"
)

// block returns the README's only block in that language.
func block(t *testing.T, language string) string {
	t.Helper()
	data, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(data), "```"+language+"\n")
	text, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("the README has no %s", language)
	}
	return text
}

func TestReadme_ExampleBuilds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source, overlay := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	laid, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(here, "readme", "main.go"): source}})
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{source: block(t, "go"), overlay: string(laid)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", filepath.Join(dir, "tiny"), "./readme")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	said, err := exec.CommandContext(t.Context(), filepath.Join(dir, "tiny")).CombinedOutput()
	if err != nil || !strings.Contains(string(said), "tiny 0.1.0 (Tiny)") {
		t.Errorf("%v\n%s", err, said)
	}
}

func TestReadme_ExamIsOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "exam.json")
	if err := os.WriteFile(path, []byte(block(t, "json")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPaper(path); err != nil {
		t.Error(err)
	}
}

func TestReadPaper_RefusesWhatWouldNeverBeAsked(t *testing.T) {
	t.Parallel()
	const good = `"success": {}, "decline": {}`
	for text, want := range map[string]string{
		`{"flows": {"page": {` + good + `}}}`:                              "",
		`{"flows": {"page": {` + good + `, "declines": {}}}}`:              "unknown field",
		`{"flows": {"page": {"success": {}}}}`:                             "needs a success and a decline",
		`{"flows": {}}`:                                                    "no flow",
		`{"flows": {"page": {` + good + `}}, "callback_age": "some time"}`: "callback_age",
	} {
		path := filepath.Join(t.TempDir(), "exam.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadPaper(path); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestFill(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"a": "1", "ref.order": "x y"}
	if got, err := fill("{{a}}/{{ ref.order }}/{{a}}", vars); err != nil || got != "1/x y/1" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := fill("{{b}}", vars); err == nil || !strings.Contains(err.Error(), "{{b}}") {
		t.Errorf("a placeholder without a value is an error: %v", err)
	}
}

func TestEar_HearsSecretsAndTheirEnds(t *testing.T) {
	t.Parallel()
	d := sdk.Description{Settings: []sdk.Field{{Name: "key", Secret: true}, {Name: "open"}}}
	for text, leaks := range map[string]int{
		"nothing":                      0,
		"public_value_000000":          0,
		"the key key_test_abcdefgh99":  1,
		"the key ends in abcdefgh99":   1,
		"a2V5X3Rlc3RfYWJjZGVmZ2g5OQ==": 1, // in base64
		"begins with key_test_":        0,
	} {
		e := &ear{}
		e.learn(d, sdk.Settings{"key": "key_test_abcdefgh99", "open": "public_value_000000"}, &Paper{})
		e.say("a log", text)
		if got := e.leaks(); len(got) != leaks {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestReport_TellsOfItsParts(t *testing.T) {
	t.Parallel()
	var done []string
	r := NewReport(t.Context(), func(p *Report) { done = append(done, p.Name) })
	r.Run("good", func(p *Report) { p.Run("part", func(*Report) {}) })
	if r.Failed() {
		t.Error("nothing failed")
	}
	ok := r.Run("bad", func(p *Report) {
		p.Run("part", func(p *Report) {
			p.Errorf("wrong %d", 1)
			p.FailNow()
			p.Errorf("never said")
		})
	})
	r.Run("broken", func(*Report) { panic("oops") })
	bad := r.Parts[1].Parts[0]
	if ok || !r.Failed() || len(bad.Findings) != 1 || bad.Findings[0] != "wrong 1" || len(r.Parts[2].Findings) != 1 {
		t.Errorf("%+v", bad)
	}
	if got := strings.Join(done, " "); got != "good/part good bad/part bad broken" {
		t.Error(got)
	}
}
