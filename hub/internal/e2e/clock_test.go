package e2e

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
)

// TestClock_TwoHoursAhead: a hub whose machine's clock steps while it runs
// judges nothing by it, and goes on by itself when it is right again. It does
// not start by a clock that is wrong.
func TestClock_TwoHoursAhead(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *dev.Options) { o.Clocks = true })
	soon := h.checkout(map[string]any{"expires_at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
	paid := h.paid(nil)

	require.NoError(t, h.SetClock(0, 2*time.Hour))
	h.readiness(503, "this machine's clock says")
	require.Eventually(t, func() bool { return h.metric("superpay_clock_skew_seconds") > 7000 }, 30*time.Second, 50*time.Millisecond)
	a := h.ask("POST", "/v1/checkouts", unique("key"), body(nil))
	require.Equal(t, 503, a.status, a.raw)
	require.Equal(t, "clock_wrong", a.Code)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	key := unique("refund")
	require.Equal(t, 503, h.ask("POST", "/v1/orders/"+paid.ID+"/refunds", key, map[string]any{"amount": 100}).status)
	h.dueAgain(soon) // two hours ahead, its time is up
	h.pay(soon.NextAction.URL, visa)
	require.Eventually(t, func() bool {
		return h.metric(`superpay_callbacks_total{provider="stripe",verdict="cannot_check"}`) > 12
	}, 30*time.Second, 50*time.Millisecond, "the provider is asked to send its events again, for seconds in which the worker looks for due work")
	require.Zero(t, h.count(`SELECT failures FROM attempts WHERE order_id = $1`, soon.ID), "what is due is not tried in vain meanwhile")
	require.Equal(t, "open", h.ask("GET", "/v1/orders/"+soon.ID, "", nil).Status, "nothing was decided")

	require.NoError(t, h.SetClock(0, 0))
	h.readiness(200, "ready")
	require.Equal(t, int64(1050), h.until(soon.ID, "paid").Captured)
	require.Equal(t, 201, h.persist("POST", "/v1/orders/"+paid.ID+"/refunds", key, map[string]any{"amount": 100}).status)
	require.Zero(t, h.metric(`superpay_callbacks_total{provider="stripe",verdict="forged"}`), "none was judged by the wrong time")

	h.KillHub(0)
	require.NoError(t, h.SetClock(0, -2*time.Hour))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.ErrorContains(t, h.StartHub(ctx, 0), "ended while it started")
	require.Contains(t, h.logs.String(), "behind the database's, which says")
	require.NoError(t, h.SetClock(0, 20*time.Second))
	require.NoError(t, h.StartHub(ctx, 0))
	require.Contains(t, h.logs.String(), "this machine's clock differs from the database's")
	require.InDelta(t, 20, h.metric("superpay_clock_skew_seconds"), 5)
	h.paid(nil)
}

// readiness waits until /readyz answers with that status, and requires a reason.
func (h *house) readiness(status int, reason string) {
	h.t.Helper()
	var text []byte
	require.Eventually(h.t, func() bool {
		res, err := http.Get(h.BaseURL + "/readyz")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		text, _ = io.ReadAll(res.Body)
		return res.StatusCode == status
	}, 30*time.Second, 50*time.Millisecond, "/readyz: %s", text)
	require.Contains(h.t, string(text), reason)
}
