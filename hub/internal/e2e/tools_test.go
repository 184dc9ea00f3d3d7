package e2e

import (
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	_ "github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// query runs a statement on the hub's own database.
func (h *house) query(q string, args ...any) *sql.Row { return h.db().QueryRow(q, args...) }

// exec is query, for what answers nothing.
func (h *house) exec(q string, args ...any) {
	h.t.Helper()
	_, err := h.db().Exec(q, args...)
	require.NoError(h.t, err)
}

// db is the hub's own database, one pool for the whole story: the cluster is
// shared with all the others.
func (h *house) db() *sql.DB {
	if h.pool == nil {
		var err error
		h.pool, err = sql.Open("postgres", h.DatabaseURL)
		require.NoError(h.t, err)
		h.pool.SetMaxIdleConns(1)
		h.t.Cleanup(func() { h.pool.Close() })
	}
	return h.pool
}

func (h *house) count(q string, args ...any) (n int) {
	h.t.Helper()
	require.NoError(h.t, h.query(q, args...).Scan(&n))
	return n
}

// listed waits until the hub has read the providers' lists, as it does when it
// starts: later it hears nothing by itself that callbacks do not say.
func (h *house) listed() {
	h.t.Helper()
	for _, provider := range []string{"stripe", "paypal"} {
		require.Eventually(h.t, func() bool {
			return strings.Contains(h.logs.String(), `msg="listed what a provider knows" provider=`+provider)
		}, 30*time.Second, 20*time.Millisecond, "the list of %s", provider)
	}
}

// dueAgain makes the order's attempt due now, as if its time had come.
func (h *house) dueAgain(o answer) {
	h.t.Helper()
	h.count(`WITH u AS (UPDATE attempts SET due_at = now() WHERE order_id = $1 RETURNING 1) SELECT count(*) FROM u`, o.ID)
}

// metric reads one line of /metrics.
func (h *house) metric(line string) float64 {
	h.t.Helper()
	res, err := http.Get(h.BaseURL + "/metrics")
	require.NoError(h.t, err)
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	for l := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(l, line+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			require.NoError(h.t, err)
			return v
		}
	}
	return 0
}

func (h *house) statusOf(method, path string) int {
	h.t.Helper()
	req, _ := http.NewRequest(method, h.BaseURL+path, nil)
	res, err := browser.Do(req)
	require.NoError(h.t, err)
	res.Body.Close()
	return res.StatusCode
}

// secrets are what must stand in no log.
func (h *house) secrets() map[string]string {
	return map[string]string{
		"API key": h.APIKey, "encryption key": h.EncryptionKey, "stripe webhook secret": h.WebhookSecret, "stripe secret key": h.StripeSecretKey,
	}
}

// hubPID is the process of the first hub.
func (h *house) hubPID() int { return h.Pids()["hub"] }

// pluginPID is the process of a plugin: a child of the hub, found as `ps` does.
func (h *house) pluginPID(name string) int {
	for pid := range h.pluginPIDs(name) {
		return pid
	}
	return 0
}

// pluginPIDs are the processes of a plugin of all hubs.
func (h *house) pluginPIDs(name string) map[int]bool {
	hubs, found := map[string]bool{}, map[int]bool{}
	for child, pid := range h.Pids() {
		hubs[strconv.Itoa(pid)] = strings.HasPrefix(child, "hub")
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		pid, rest, _ := strings.Cut(string(stat), " (")
		program, rest, _ := strings.Cut(rest, ") ")
		if f := strings.Fields(rest); program == name && len(f) > 1 && f[0] != "Z" && hubs[f[1]] {
			n, _ := strconv.Atoi(pid)
			found[n] = true
		}
	}
	return found
}

// verify runs `hub ledger verify` on the story's books.
func (h *house) verify() {
	h.t.Helper()
	cmd := h.hubCommand("ledger", "verify")
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Errorf("hub ledger verify: %v\n%s", err, out)
	}
}

// hubCommand is one of the hub's commands, with the house's settings.
func (h *house) hubCommand(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(bins, "hub"), args...)
	cmd.Env = append(os.Environ(), "HUB_DATABASE_URL="+h.DatabaseURL, "HUB_ENCRYPTION_KEY="+h.EncryptionKey,
		"HUB_PROVIDERS__STRIPE__SETTINGS__SECRET_KEY="+h.StripeSecretKey, "HUB_PROVIDERS__STRIPE__SETTINGS__WEBHOOK_SECRET="+h.WebhookSecret)
	return cmd
}

// operator runs a command that asks providers, as a person does beside a running
// hub, and returns what it printed and whether it went well.
func (h *house) operator(args ...string) (string, error) {
	h.t.Helper()
	require.NoError(h.t, h.Announce())
	cmd := exec.Command(filepath.Join(bins, "hub"), args...)
	cmd.Env = append(os.Environ(), "HUB_DEV_DIR="+h.dir, "SUDO_USER=ada")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// newApp makes an app, as an operator does, and returns its key.
func (h *house) newApp(name string, providers ...string) string {
	h.t.Helper()
	args := []string{"app", "create", name}
	for _, p := range providers {
		args = append(args, "--provider", p)
	}
	out, err := h.hubCommand(args...).Output()
	require.NoError(h.t, err)
	key := regexp.MustCompile(`spk_\S+`).FindString(string(out))
	require.NotEmpty(h.t, key, "%s", out)
	return key
}

// stripeList asks the provider's own API for a list.
func (h *house) stripeList(path string) []json.RawMessage {
	h.t.Helper()
	req, _ := http.NewRequest("GET", h.stripe.BaseURL+path, nil)
	req.Header.Set("Authorization", "Bearer "+h.StripeSecretKey)
	res, err := browser.Do(req)
	require.NoError(h.t, err)
	defer res.Body.Close()
	var page struct{ Data []json.RawMessage }
	require.NoError(h.t, json.NewDecoder(res.Body).Decode(&page))
	return page.Data
}

// sessions counts the provider's checkout sessions, paid or not.
func (h *house) sessions() int { return len(h.stripeList("/v1/checkout/sessions?limit=100")) }

// withhold keeps the provider's callbacks from now on.
func (h *house) withhold() { h.fault(standin.Fault{Callback: "*", Action: standin.Withhold}) }

// statusAt calls up a page as a payer does.
func (h *house) statusAt(address string) int {
	h.t.Helper()
	res, err := browser.Get(address)
	require.NoError(h.t, err)
	res.Body.Close()
	return res.StatusCode
}

// quiet waits until everything that the provider sent was heard, and every read
// that it gave reason for was made.
func (h *house) quiet() {
	h.t.Helper()
	require.Eventually(h.t, func() bool {
		list, err := h.stripe.Callbacks(h.t.Context())
		if err != nil {
			return false
		}
		for _, cb := range list {
			if cb.State != standin.Delivered && cb.State != standin.Withheld {
				return false
			}
		}
		return h.count(`SELECT count(*) FROM attempts WHERE read_wanted`) == 0
	}, 30*time.Second, 50*time.Millisecond)
}
