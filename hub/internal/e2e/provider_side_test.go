package e2e

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// TestDashboard: what a merchant does at the provider appears on the order, is
// counted once, and blocks over-refund.
func TestDashboard(t *testing.T) {
	t.Parallel()
	h := open(t, nil)

	o := h.paid(nil)
	h.dashboard("charges/"+o.ref("charge")+"/refund", url.Values{"amount": {"4.00"}})
	a := h.until(o.ID, "partially_refunded")
	require.Equal(t, int64(400), a.Refunded)
	require.Equal(t, "provider", a.Refunds[0].Origin)
	require.Equal(t, 422, h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{"amount": 651}).status)
	require.Equal(t, 201, h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{"amount": 650}).status)
	require.Len(t, h.until(o.ID, "refunded").Refunds, 2)

	held := h.paid(map[string]any{"capture": "manual"})
	h.dashboard("payment_intents/"+held.ref("payment_intent")+"/capture", nil)
	require.Equal(t, int64(1050), h.until(held.ID, "paid").Captured)

	held = h.paid(map[string]any{"capture": "manual"})
	h.dashboard("payment_intents/"+held.ref("payment_intent")+"/cancel", nil)
	a = h.when(held.ID, "released", func(a answer) bool { return a.Attempts[0].Status == "canceled" })
	require.Equal(t, int64(0), a.Captured)
	require.Equal(t, int64(0), a.Refunded, "a release is no refund")
	require.Equal(t, "open", a.Status, "the app did not cancel its order")

	left := h.checkout(nil)
	h.dashboard("checkout/sessions/"+left.ref("checkout_session")+"/expire", nil)
	h.when(left.ID, "closed", func(a answer) bool { return a.Attempts[0].Status == "canceled" })
}

// TestDashboard_OverRefundIsRefusedByTheProvider even when the hub has not
// heard yet of what was refunded there. The refusal makes it read, and says so.
func TestDashboard_OverRefundIsRefusedByTheProvider(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.paid(nil)
	h.quiet()
	h.fault(standin.Fault{Callback: "*", Action: standin.Withhold})
	h.dashboard("charges/"+o.ref("charge")+"/refund", url.Values{"amount": {"10.00"}})
	a := h.ask("POST", "/v1/orders/"+o.ID+"/refunds", "key", map[string]any{"amount": 600})
	require.Equal(t, 422, a.status, a.raw)
	require.Equal(t, "provider_rejected", a.Code)
	require.Contains(t, a.raw, "read the order in a few seconds and decide again")
	require.Equal(t, 422, h.ask("POST", "/v1/orders/"+o.ID+"/refunds", "key", map[string]any{"amount": 600}).status)
	require.Equal(t, int64(1000), h.until(o.ID, "partially_refunded").Refunded, "by itself")
	total := 0
	for _, r := range h.books().Refunds {
		if r.Status == "succeeded" {
			total++
		}
	}
	require.Equal(t, 1, total)
}

// TestDispute moves money out and is seen.
func TestDispute(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.paid(nil)
	h.dashboard("charges/"+o.ref("charge")+"/dispute", nil)
	a := h.when(o.ID, "disputed", func(a answer) bool { return a.NeedsAttention && a.Disputed > 0 })
	require.Equal(t, int64(0), a.Refundable, "disputed money cannot be refunded")
	require.Equal(t, 422, h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{}).status)
}

// TestRefund_ThatComesBack: a refund counted as done fails later; the money is
// refundable again and a person is told.
func TestRefund_ThatComesBack(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.checkout(nil)
	h.pay(o.NextAction.URL, "4000000000007726")
	h.until(o.ID, "paid")
	pending := h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{"amount": 300})
	require.Equal(t, 201, pending.status, pending.raw)
	require.Equal(t, "pending", pending.Status)
	require.Equal(t, int64(750), h.ask("GET", "/v1/orders/"+o.ID, "", nil).Refundable)
	h.until(o.ID, "partially_refunded")

	o = h.checkout(nil)
	h.pay(o.NextAction.URL, "4000000000005126")
	h.until(o.ID, "paid")
	r := h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{"amount": 300})
	require.Equal(t, 201, r.status, r.raw)
	a := h.when(o.ID, "refund failed", func(a answer) bool { return a.NeedsAttention })
	require.Equal(t, int64(0), a.Refunded)
	require.Equal(t, "paid", a.Status)
	require.Equal(t, int64(1050), a.Refundable)
}
