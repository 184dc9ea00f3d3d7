package e2e

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// TestRecover_RestoreUnderARunningHub: a backup is restored while the hub runs. No money
// goes out until the provider's list was read, all the rest goes on, and what
// the provider knows is on record again.
func TestRecover_RestoreUnderARunningHub(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	h := open(t, func(o *dev.Options) {
		o.DatabaseURL = server.URL()
	})
	charge := body(map[string]any{"flow": "charge", "input": map[string]string{"token": "tok_visa"}})
	kept := h.paid(nil)
	h.quiet()
	counts := func() int { return h.count(`SELECT coalesce(max(n), 0) FROM witness`) }
	counted := counts()
	require.Eventually(t, func() bool { return counts() > counted }, 30*time.Second, 50*time.Millisecond)

	file := filepath.Join(t.TempDir(), "dump.sql")
	out, err := exec.Command(server.Program("pg_dump"), "--clean", "--if-exists", "-f", file, server.URL()).CombinedOutput()
	require.NoError(t, err, string(out))
	refund := map[string]any{"amount": 400}
	require.Equal(t, 201, h.ask("POST", "/v1/orders/"+kept.ID+"/refunds", "refund", refund).status)
	lost := h.ask("POST", "/v1/checkouts", "charge", charge)
	require.Equal(t, 201, lost.status, lost.raw)
	counted = counts()
	require.Eventually(t, func() bool { return counts() > counted }, 30*time.Second, 50*time.Millisecond)
	h.fault(standin.Fault{Method: "GET", Path: "/v1/checkout/sessions", Action: standin.Delay, DelayMS: 6000, Times: 1}) // so long is its list read
	require.Eventually(t, func() bool {                                                                                  // the hub's own statements may stand in the way for once
		out, err = exec.Command(server.Program("psql"), "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-f", file, server.URL()).CombinedOutput()
		return err == nil
	}, 30*time.Second, 100*time.Millisecond, string(out))

	before := len(h.books().Refunds)
	a := h.persistPast(t, "unavailable", "POST", "/v1/orders/"+kept.ID+"/refunds", "refund", refund)
	require.Equal(t, 503, a.status, a.raw)
	require.Equal(t, "history_lost", a.Code, a.raw)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	require.Equal(t, "history_lost", h.ask("POST", "/v1/checkouts", "charge", charge).Code)
	require.Equal(t, before, len(h.books().Refunds))
	h.paid(nil) // on the provider's page, by its callback
	require.Equal(t, 200, h.ask("GET", "/v1/orders/"+kept.ID, "", nil).status)

	require.Eventually(t, func() bool {
		return h.count(`SELECT count(*) FROM fences WHERE provider = 'stripe' AND state = 'open' AND found > 0`) == 1
	}, 60*time.Second, 100*time.Millisecond, "money-out does not open")
	require.Equal(t, int64(400), h.until(kept.ID, "partially_refunded").Refunded, "what was lost is on record again")
	again := h.until(lost.ID, "paid")
	require.Equal(t, lost.Attempts[0].ID, again.Attempts[0].ID)
	require.Greater(t, again.Version, lost.Version)
	require.Equal(t, lost.ID, h.persistPast(t, "history_lost", "POST", "/v1/checkouts", "charge", charge).ID, "the app's repeat is answered")
	require.Equal(t, 0, h.count(`SELECT count(*) FROM unmatched`))
	a = h.persist("POST", "/v1/orders/"+kept.ID+"/refunds", unique("key"), map[string]any{"amount": 100})
	require.Equal(t, 201, a.status, a.raw)
	text, err := h.hubCommand("recover", "status").CombinedOutput()
	require.NoError(t, err, string(text))
	require.Contains(t, string(text), "stripe")
	require.Contains(t, string(text), "confirmed")
	require.Contains(t, h.logs.String(), "history was lost")

	// And by hand, for a backup that was restored while no hub ran. The list
	// cannot be read for a while, and everybody is told.
	h.fault(standin.Fault{Method: "GET", Path: "/v1/checkout/sessions", Action: standin.Status, StatusCode: 500, Times: 1000})
	text, err = h.hubCommand("recover", "start", "--provider", "stripe", "--since", time.Now().Add(-time.Hour).Format(time.RFC3339), "--why", "a drill").CombinedOutput()
	require.NoError(t, err, string(text))
	require.Eventually(t, func() bool {
		ready := h.ask("GET", "/readyz", "", nil)
		return ready.status == 200 && strings.Contains(ready.raw, "money_out_closed")
	}, 30*time.Second, 50*time.Millisecond, "/readyz does not tell")
	require.Contains(t, h.ask("GET", "/metrics", "", nil).raw, `superpay_fence_closed{provider="stripe"} 1`)
	listed, err := h.hubCommand("provider", "list").CombinedOutput()
	require.NoError(t, err, string(listed))
	require.Contains(t, string(listed), "closed since")
	require.NoError(t, h.stripe.ClearFaults(t.Context()))
	require.Eventually(t, func() bool {
		return h.count(`SELECT count(*) FROM fences WHERE provider = 'stripe' AND reason = 'a drill' AND state = 'open'`) == 1
	}, 60*time.Second, 100*time.Millisecond, "money-out does not open")
	require.Error(t, h.hubCommand("recover", "open", "stripe", "--why", "it is open").Run())
	require.Equal(t, 2, h.count(`SELECT count(*) FROM audit WHERE action LIKE 'recover.%' AND object = 'stripe' AND outcome <> 'begun'`))
}

// persistPast asks until the answer is not that code any more: connections that
// broke, and statements of tables that were made anew.
func (h *house) persistPast(t *testing.T, code, method, path, key string, body any) (a answer) {
	t.Helper()
	require.Eventually(t, func() bool {
		a = h.ask(method, path, key, body)
		return a.status != http.StatusServiceUnavailable || a.Code != code
	}, 30*time.Second, 20*time.Millisecond, "%s %s", method, path)
	return a
}
