package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// TestSync is what the hub finds by itself when nobody tells it anything: a day
// takes half a second, and every callback is lost.
func TestSync(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *dev.Options) {
		o.TimeScale = 172_800
		o.Env = append(o.Env, "HUB_AUTHORIZATION_NOTICE=720h")
	})
	h.withhold()

	t.Run("a payment", func(t *testing.T) {
		o := h.checkout(nil)
		h.pay(o.NextAction.URL, visa)
		h.until(o.ID, "paid")
	})
	t.Run("a refund made at the provider, days later", func(t *testing.T) {
		o := h.paid(nil)
		due := func() int {
			return h.count(`SELECT extract(epoch FROM due_at)::int FROM attempts WHERE order_id = $1`, o.ID)
		}
		looked := func(why string) {
			t.Helper()
			first := due()
			require.Eventually(t, func() bool { return due() > first+2 }, 30*time.Second, 50*time.Millisecond, why)
		}
		looked("after a day, and next after seven")
		// A list that was read before the payer paid may have asked for that look.
		before := h.ask("GET", "/v1/orders/"+o.ID, "", nil).Version
		looked("after seven")
		require.Equal(t, before, h.ask("GET", "/v1/orders/"+o.ID, "", nil).Version, "a look without news writes no version")
		h.dashboard("charges/"+o.ref("charge")+"/refund", url.Values{"amount": {"4.00"}})
		require.Equal(t, int64(400), h.until(o.ID, "partially_refunded").Refunded)
	})
	t.Run("a provider that cannot be read", func(t *testing.T) {
		o := h.checkout(nil)
		h.fault(standin.Fault{Method: "GET", Path: "/v1/checkout/sessions", Action: standin.Status, StatusCode: 500})
		exhausted := func(a answer) bool { return a.NeedsAttention && a.Attention[0].Reason == ledger.Exhausted }
		a := h.when(o.ID, "exhausted", exhausted)
		failures := func() int { return h.count(`SELECT failures FROM attempts WHERE order_id = $1`, o.ID) }
		require.Eventually(t, func() bool { return failures() > ledger.Patience+1 }, 30*time.Second, 20*time.Millisecond, "it goes on trying")
		require.Equal(t, a.Version, h.ask("GET", "/v1/orders/"+o.ID, "", nil).Version, "and tells it once")
		require.NoError(t, h.stripe.ClearFaults(t.Context()))
		h.withhold()
		h.when(o.ID, "read again", func(a answer) bool { return !a.NeedsAttention })
		require.Zero(t, failures())
		require.Equal(t, 2, h.count(`SELECT count(*) FROM events WHERE order_id = $1 AND kind IN ('attention.exhausted', 'attention.resolved')`, o.ID))
		h.pay(o.NextAction.URL, visa)
		h.until(o.ID, "paid")
	})
	t.Run("an authorisation that lapses", func(t *testing.T) { h.lapses() })
}

// lapses is the story of an approval that nobody captures: the app is told once
// that it is about to end, and the provider is asked when it has.
func (h *house) lapses() {
	var told atomic.Int32
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var n struct{ Type string }
		raw, _ := io.ReadAll(r.Body)
		decode(h.t, string(raw), &n)
		if n.Type == ledger.AuthorizationExpiring {
			told.Add(1)
		}
	}))
	defer app.Close()
	require.Equal(h.t, 201, h.ask("POST", "/v1/webhook_endpoints", "", map[string]any{"url": app.URL}).status)
	o := h.checkout(map[string]any{"capture": "manual"})
	// A tenth of the time that it holds is longer than the seven days from now.
	h.count(`WITH u AS (UPDATE attempts SET created_at = now() - interval '70 days' WHERE order_id = $1 RETURNING 1) SELECT count(*) FROM u`, o.ID)
	h.pay(o.NextAction.URL, visa)
	o = h.until(o.ID, "authorized")
	require.Eventually(h.t, func() bool { return told.Load() == 1 }, 30*time.Second, 20*time.Millisecond)
	require.Equal(h.t, 1, h.count(`SELECT count(*) FROM events WHERE order_id = $1 AND kind = $2`, o.ID, ledger.AuthorizationExpiring))
	h.dashboard("payment_intents/"+o.ref("payment_intent")+"/cancel", nil)
	a := h.when(o.ID, "lapsed", func(a answer) bool { return a.Attempts[0].Status == "canceled" })
	require.Zero(h.t, a.Authorized)
	require.Equal(h.t, int32(1), told.Load(), "once")
}
