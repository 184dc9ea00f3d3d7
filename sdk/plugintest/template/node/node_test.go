// Package node holds the Acmepay plugin in Node, and runs the exam of the one in Go with it.
package node

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest"
	"github.com/superpayhub/superpay/sdk/plugintest/template/acmepay/sandbox"
)

// executable builds the plugin. Without Node there is none, and in CI there must be.
func executable(t *testing.T) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if _, installed := os.Stat("node_modules"); err != nil || installed != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no Node, or no packages: `make node` installs them")
		}
		t.Skip("no Node, or no packages: `make node` installs them")
	}
	path := filepath.Join(t.TempDir(), "acmepay")
	if out, err := exec.CommandContext(t.Context(), node, "build.js", path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

func TestExam(t *testing.T) {
	t.Parallel()
	plugintest.Run(t, plugintest.Options{Plugin: executable(t), Exam: "../acmepay/exam.json", Sandbox: stand})
}

func stand(publicURL string, s sdk.Settings) (http.Handler, func() error, error) {
	return sandbox.New(sandbox.Options{APIKey: s["api_key"], SigningSecret: s["signing_secret"], PublicURL: publicURL})
}
