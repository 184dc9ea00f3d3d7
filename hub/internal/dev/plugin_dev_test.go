package dev

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pluginDev starts `hub plugin dev` beside a running `hub dev`, and returns when it
// says where to pay.
func (c *command) pluginDev(t *testing.T, source string) *command {
	t.Helper()
	p := c.startPluginDev(t, source)
	p.says(t, "Pay at")
	return p
}

func (c *command) startPluginDev(t *testing.T, source string) *command {
	t.Helper()
	p := &command{Cmd: exec.Command(filepath.Join(binDir, "hub"), "plugin", "dev", source), dir: c.dir, out: &output{}, done: make(chan error, 1)}
	p.Env = append(os.Environ(), "DATA_DIR="+c.dir)
	p.Stdout, p.Stderr = p.out, p.out
	require.NoError(t, p.Start())
	go func() { p.done <- p.Wait() }()
	t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

// says waits until a program has printed a text.
func (c *command) says(t *testing.T, text string) {
	t.Helper()
	await(t, text, c.out, func() bool { return strings.Contains(c.out.String(), text) })
}

// await waits until something is so. What a program said explains why it is not.
func await(t *testing.T, what string, said fmt.Stringer, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if so() {
			return
		}
	}
	t.Fatalf("waited in vain: %s\n%s", what, said)
}

// newPlugin writes a plugin in a module of its own, as its author has it.
func newPlugin(t *testing.T) string {
	t.Helper()
	source := filepath.Join(t.TempDir(), "moneta")
	out, err := exec.CommandContext(t.Context(), filepath.Join(binDir, "hub"), "plugin", "new", "moneta", "--dir", source, "--module", "example.com/moneta").CombinedOutput()
	require.NoError(t, err, "%s", out)
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	const hub = "github.com/superpayhub/superpay"
	// What `go mod tidy` would find, without asking for it.
	text := strings.Replace(string(mod), "module "+hub, "module example.com/moneta", 1) +
		fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %s => %s\n", hub, hub, root)
	require.NoError(t, os.WriteFile(filepath.Join(source, "go.mod"), []byte(text), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(source, "go.sum"), sum, 0o600))
	return source
}

// edit replaces a text in a file of the plugin's source.
func edit(t *testing.T, path, was, is string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(text), was)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), was, is, 1)), 0o600))
}

// ask calls the hub's API as the shop does.
func (i Info) ask(t *testing.T, method, path string, body any) (int, map[string]any) {
	t.Helper()
	var text bytes.Buffer
	require.NoError(t, json.NewEncoder(&text).Encode(body))
	r, err := http.NewRequestWithContext(t.Context(), method, i.BaseURL+path, &text)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+i.APIKey)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", rand.Text())
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	var answer map[string]any
	require.NoError(t, json.NewDecoder(res.Body).Decode(&answer))
	return res.StatusCode, answer
}

// provider is how the API shows the plugin's provider, as text; "" if it does not.
func (i Info) provider(t *testing.T) string {
	t.Helper()
	_, page := i.ask(t, http.MethodGet, "/v1/providers", nil)
	for _, p := range page["data"].([]any) {
		if p.(map[string]any)["name"] == "moneta" {
			return fmt.Sprint(p)
		}
	}
	return ""
}

// pay makes an order, pays it on the sandbox's page, and returns its id when the
// sandbox's callback has told the hub.
func (i Info) pay(t *testing.T, said fmt.Stringer, reference string) string {
	t.Helper()
	status, order := i.ask(t, http.MethodPost, "/v1/checkouts", map[string]any{
		"reference": reference, "amount": 2500, "currency": "USD", "provider": "moneta", "flow": "hosted_page", "return_url": "http://localhost:3000/thanks",
	})
	require.Equal(t, http.StatusCreated, status, order)
	page := order["next_action"].(map[string]any)["url"].(string)
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := browser.PostForm(page, url.Values{"card": {"good"}})
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	id := order["id"].(string)
	await(t, "the order is paid", said, func() bool { return i.status(t, id) == "paid" })
	return id
}

func (i Info) status(t *testing.T, order string) any {
	t.Helper()
	_, o := i.ask(t, http.MethodGet, "/v1/orders/"+order, nil)
	return o["status"]
}

// TestPluginDev_TheAuthorsLoop: a plugin that was just made is paid with beside `hub
// dev`, built again when it changes, and leaves no process, but its orders.
func TestPluginDev_TheAuthorsLoop(t *testing.T) {
	t.Parallel()
	source := newPlugin(t)
	c := hubDev(t, folder(t))
	info := c.up(t)
	p := c.pluginDev(t, source)
	require.Contains(t, p.out.String(), info.ShopURL)
	order := info.pay(t, p.out, "order-1")
	second := c.startPluginDev(t, source)
	second.says(t, "runs `hub plugin dev` for moneta already")
	require.Error(t, second.ended(t, nil))

	file := filepath.Join(source, "provider.go")
	edit(t, file, `"Moneta page"`, `"Moneta's new page"`)
	await(t, "the hub goes over to the new plugin", p.out, func() bool { return strings.Contains(info.provider(t), "Moneta's new page") })
	edit(t, file, "package main", "package main!")
	p.says(t, "The plugin before goes on.")
	info.pay(t, p.out, "order-2")

	family := descendants(t, p.Process.Pid)
	require.NotEmpty(t, family, "its sandbox")
	require.NoError(t, p.Process.Signal(syscall.SIGINT))
	require.NoError(t, p.ended(t, family), p.out.String())
	await(t, "the provider is disabled, and still listed", p.out, func() bool { return strings.Contains(info.provider(t), "status:disabled") })
	require.NoFileExists(t, filepath.Join(PluginDevDir(c.dir), "moneta"))
	require.Equal(t, "paid", info.status(t, order))
	edit(t, file, "package main!", "package main")

	mark := filepath.Join(PluginDevDir(c.dir), "moneta.provider")
	require.NoError(t, os.Rename(mark, mark+".away"))
	p = c.startPluginDev(t, source)
	p.says(t, "was set up in the console, and not by `hub plugin dev`")
	require.Error(t, p.ended(t, nil))
	require.NotContains(t, p.out.String(), "is disabled, and kept")
	require.Contains(t, info.provider(t), "status:disabled")
	require.NoError(t, os.Rename(mark+".away", mark))

	p = c.pluginDev(t, source)
	info.pay(t, p.out, "order-3")
	theirs := c.pluginDev(t, "../../../plugins/stripe")
	require.FileExists(t, filepath.Join(PluginDevDir(c.dir), "stripe"))
	require.Empty(t, descendants(t, theirs.Process.Pid), "hub dev has its sandbox")
	require.NoError(t, theirs.Process.Signal(syscall.SIGINT))
	require.NoError(t, theirs.ended(t, nil), theirs.out.String())
	require.NoFileExists(t, filepath.Join(PluginDevDir(c.dir), "stripe"))
	require.Contains(t, theirs.out.String(), "Provider stripe goes back to the plugin that was there before")

	family = append(descendants(t, p.Process.Pid), descendants(t, c.Process.Pid)...)
	require.NoError(t, c.Process.Signal(syscall.SIGINT))
	require.NoError(t, c.ended(t, nil), c.out.String())
	require.Error(t, p.ended(t, family), p.out.String())
	require.Contains(t, p.out.String(), "the environment that ran has ended")
}
