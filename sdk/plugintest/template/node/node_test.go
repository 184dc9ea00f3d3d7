// Package node holds the Acmepay plugin in Node, and runs the exam of the one in Go with it.
package node

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest"
	"github.com/superpayhub/superpay/sdk/plugintest/template/acmepay/sandbox"
)

// exam is the one of the plugin in Go.
const exam = "../acmepay/exam.json"

// node finds Node and the packages. Without them there is no test, and in CI there must be one.
func node(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if _, missing := os.Stat("node_modules"); err == nil && missing == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no Node 18, or not the plugin's packages: `make node` installs them")
	}
	t.Skip("no Node 18, or not the plugin's packages: `make node` installs them")
	return ""
}

// executable is the plugin as its author builds it.
func executable(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "acmepay")
	if out, err := exec.CommandContext(t.Context(), node(t), "build.js", path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// script is an executable that runs a script of testdata.
func script(t *testing.T, name string) string {
	t.Helper()
	main, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "plugin")
	if err := os.WriteFile(path, fmt.Appendf(nil, "#!/bin/sh\nexec '%s' '%s'\n", node(t), main), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	return path
}

func stand(publicURL string, s sdk.Settings) (http.Handler, func() error, error) {
	return sandbox.New(sandbox.Options{APIKey: s["api_key"], SigningSecret: s["signing_secret"], PublicURL: publicURL})
}

func TestExam(t *testing.T) {
	t.Parallel()
	plugintest.Run(t, plugintest.Options{Plugin: executable(t), Exam: exam, Sandbox: stand})
}

// TestExam_NoticesWhatTheWireLacks: a plugin that does not use package sdk/plugin can miss
// what no plugin in Go can.
func TestExam_NoticesWhatTheWireLacks(t *testing.T) {
	t.Parallel()
	path := script(t, "broken.js")
	for broken, rule := range map[string]string{
		"Check": "process_healthy", "Shutdown": "process_shuts_down", "clients": "process_private",
		"signals": "process_keeps_signals", "stdin": "process_ends_with_hub",
	} {
		t.Run(broken, func(t *testing.T) {
			t.Parallel()
			report := plugintest.NewReport(t.Context(), nil)
			report.Run("exam", func(r *plugintest.Report) {
				plugintest.Run(r, plugintest.Options{
					Plugin: path, Env: []string{"BROKEN=" + broken}, Exam: exam, Sandbox: stand, Only: []string{rule}, Settle: 2 * time.Second,
				})
			})
			asked := report.Parts[0]
			if len(asked.Findings) > 0 || len(asked.Parts) != 1 || !asked.Parts[0].Failed() {
				t.Errorf("the exam does not notice: %q, %+v", asked.Findings, asked.Parts)
			}
		})
	}
}
