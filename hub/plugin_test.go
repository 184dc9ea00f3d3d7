package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// buildGo builds programs of this module.
func buildGo(t *testing.T, to string, what ...string) {
	t.Helper()
	build := exec.CommandContext(t.Context(), "go", append([]string{"build", "-o", to}, what...)...)
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
}

// TestPluginCheck examines a built plugin at its stand-in's own program, as
// somebody outside this repository does.
func TestPluginCheck(t *testing.T) {
	const template = "./sdk/plugintest/template/acmepay"
	dir := t.TempDir()
	plugin, sandbox := filepath.Join(dir, "acmepay"), filepath.Join(dir, "stand")
	buildGo(t, plugin, template)
	buildGo(t, sandbox, template+"/sandbox/serve.go")
	exam, err := os.ReadFile("../" + template + "/exam.json")
	if err != nil {
		t.Fatal(err)
	}
	good, bad := filepath.Join(dir, "exam.json"), filepath.Join(dir, "bad.json")
	for path, text := range map[string]string{
		good: string(exam), bad: strings.Replace(string(exam), `"key_test_"`, `"key_test_takenfortrue"`, 1),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, _, err := run(t, "plugin", "check", plugin, "--exam", good, "--sandbox", sandbox)
	if err != nil || !strings.Contains(out, "ok      refund_parts/hosted_page\n") || !strings.Contains(out, "0 broken") {
		t.Errorf("%v\n%s", err, out)
	}
	out, _, err = run(t, "plugin", "check", plugin, "--exam", bad, "--sandbox", sandbox, "--rule", "settings_wrong")
	if err == nil || !strings.Contains(out, "FAILED  settings_wrong\n") || !strings.Contains(out, "what to do: Configure checks") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, _, err := run(t, "plugin", "check", sandbox, "--exam", good, "--sandbox", sandbox); err == nil {
		t.Errorf("what is no plugin passed:\n%s", out)
	}
}

func TestPluginNew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "moneta")
	out, _, err := run(t, "plugin", "new", "moneta", "--dir", dir, "--module", "example.com/moneta")
	if err != nil || !strings.Contains(out, filepath.Join(dir, "go.mod")) || !strings.Contains(out, "go mod tidy") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestPluginList(t *testing.T) {
	dir := t.TempDir()
	buildGo(t, filepath.Join(dir, "acmepay"), "./sdk/plugintest/template/acmepay")
	later := t.TempDir()
	for _, path := range []string{filepath.Join(later, "acmepay"), filepath.Join(later, "nobody_uses")} {
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700); err != nil { //nolint:gosec // to be run
			t.Fatal(err)
		}
	}
	for name, value := range map[string]string{
		"HUB_DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "HUB_ENCRYPTION_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
		"HUB_PLUGINS__DIR":                                t.TempDir() + "," + dir + "," + later,
		"HUB_PROVIDERS__ACME__PLUGIN":                     "acmepay",
		"HUB_PROVIDERS__ACME__SETTINGS__API_KEY":          "key_test_examapikey0001",
		"HUB_PROVIDERS__ACME__SETTINGS__SIGNING_SECRET":   "sign_examsigning0002",
		"HUB_PROVIDERS__BROKEN__PLUGIN":                   "acmepay",
		"HUB_PROVIDERS__BROKEN__SETTINGS__API_KEY":        "examwrong0003",
		"HUB_PROVIDERS__ABSENT__SETTINGS__SIGNING_SECRET": "sign_examsigning0002",
	} {
		t.Setenv(name, value)
	}
	out, notes, err := run(t, "plugin", "list")
	if err != nil || !strings.Contains(notes, "What was set up in the console is not shown") {
		t.Fatal(err, notes)
	}
	lines := strings.Split(out, "\n")
	for i, want := range [][]string{
		{"NAME", "HEALTH"},
		{"absent", "down"},
		{"acme", "acmepay", "0.1.0", "test", "up", "hosted_page (payer_acts capture capture_part cancel refund refund_part)", filepath.Join(dir, "acmepay")},
		{"broken", "acmepay", "down", `setting "api_key"`},
		{"not used: " + filepath.Join(later, "acmepay") + " (" + dir + " comes first)"},
		{"no provider is made of nobody_uses (" + filepath.Join(later, "nobody_uses") + ")"},
	} {
		for _, w := range want {
			if !strings.Contains(lines[i], w) {
				t.Errorf("%q has no %q", lines[i], w)
			}
		}
	}
	if strings.Contains(out, "examwrong0003") || strings.Contains(out, "examsigning0002") {
		t.Errorf("a setting is shown:\n%s", out)
	}
}

// TestPluginInstall puts a plugin into the first folder that takes it, under its own
// name, in place of an earlier one, and nothing that is no plugin. It needs no other
// setting.
func TestPluginInstall(t *testing.T) {
	dir, folder := t.TempDir(), filepath.Join(t.TempDir(), "plugins")
	built := filepath.Join(dir, "somewhere-else")
	buildGo(t, built, "./sdk/plugintest/template/acmepay")
	closed := filepath.Join(dir, "a-file")
	if err := os.WriteFile(closed, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HUB_DATABASE_URL", "")
	t.Setenv("HUB_ENCRYPTION_KEY", "")
	t.Setenv("HUB_PLUGINS__DIR", closed)
	if _, _, err := run(t, "plugin", "install", built); err == nil || !strings.Contains(err.Error(), "no plugin folder can be written to") {
		t.Error(err)
	}
	later := t.TempDir()
	if err := os.WriteFile(filepath.Join(later, "acmepay"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HUB_PLUGINS__DIR", closed+","+folder+","+later)
	installed := filepath.Join(folder, "acmepay")
	for _, done := range []string{"installed", "replaced"} {
		out, _, err := run(t, "plugin", "install", built)
		if err != nil || !strings.Contains(out, done+" acmepay 0.1.0 as "+installed) || !strings.Contains(out, "HUB_PROVIDERS__ACMEPAY__SETTINGS__API_KEY=") ||
			!strings.Contains(out, "It is used instead of "+filepath.Join(later, "acmepay")) {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	want, _ := os.ReadFile(built)
	got, err := os.ReadFile(installed)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatal("what was installed is not what was built", err)
	}
	if _, _, err := run(t, "plugin", "install", installed); err == nil || !strings.Contains(err.Error(), "already") {
		t.Error(err)
	}
	script := filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho hello\n"), 0o700); err != nil { //nolint:gosec // to be run
		t.Fatal(err)
	}
	for _, wrong := range []string{script, dir, filepath.Join(dir, "none")} {
		if out, _, err := run(t, "plugin", "install", wrong); err == nil || !strings.Contains(err.Error(), "was not installed") {
			t.Errorf("%s: %v\n%s", wrong, err, out)
		}
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
		t.Errorf("%v %v", files, err)
	}
	t.Setenv("HUB_DEV", "1")
	t.Setenv("HUB_PLUGINS__DEV_DIR", later)
	out, _, err := run(t, "plugin", "install", built)
	if err != nil || !strings.Contains(out, "not used yet: "+filepath.Join(later, "acmepay")+" is in a folder that comes first") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestPluginDev_SaysWhatIsMissing before it builds anything.
func TestPluginDev_SaysWhatIsMissing(t *testing.T) {
	t.Setenv("DATA_DIR", t.TempDir())
	dir := t.TempDir()
	for _, step := range []struct{ add, want string }{
		{"", "has no Go files, and `hub plugin dev` builds Go alone"},
		{"main.go", "has no exam.json"},
		{"exam.json", "nothing runs on the data folder"},
	} {
		if step.add != "" {
			if err := os.WriteFile(filepath.Join(dir, step.add), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := run(t, "plugin", "dev", dir); err == nil || !strings.Contains(err.Error(), step.want) {
			t.Errorf("%v, want: %s", err, step.want)
		}
	}
	if _, _, err := run(t, "plugin", "dev", filepath.Join(dir, "main.go")); err == nil || !strings.Contains(err.Error(), "is no folder") {
		t.Error(err)
	}
}
