package e2e

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// TestOperator: a person acts on orders beside their app, under the same laws,
// and the timeline tells who and why.
func TestOperator(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	charge := func(changes map[string]any) map[string]any {
		b := map[string]any{"flow": "charge", "input": map[string]any{"token": "tok_visa"}}
		for k, v := range changes {
			b[k] = v
		}
		return b
	}

	t.Run("a disputed order", func(t *testing.T) {
		o := ways[5].pay(h, nil)
		h.post(h.paypal.BaseURL+"/dashboard/captures/"+o.ref("capture")+"/dispute", nil)
		h.when(o.ID, "disputed", func(a answer) bool { return a.Disputed == 1050 })
		refused := h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{})
		require.Equal(t, 422, refused.status, refused.raw)
		require.Contains(t, refused.Detail, "only an operator")
		require.Equal(t, 422, h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{"override_dispute": true}).status)
		out, err := h.operator("order", "refund", o.ID, "--all", "--reason", "the payer is right")
		require.Error(t, err, out)
		require.Contains(t, out, "10.50 USD is disputed")
		require.Zero(t, h.ask("GET", "/v1/orders/"+o.ID, "", nil).Refunded)

		out, err = h.operator("order", "refund", o.ID, "--all", "--reason", "the payer is right", "--override-dispute")
		require.NoError(t, err, out)
		require.Equal(t, int64(1050), h.until(o.ID, "refunded").Refunded)
		require.Equal(t, 1, h.count(`SELECT count(*) FROM events WHERE order_id = $1 AND kind = 'refund.started' AND source = 'operator'
			AND data->>'who' = 'ada' AND data->>'why' = 'the payer is right' AND data->>'override' = 'dispute'`, o.ID))
		out, err = h.operator("order", "refund", o.ID, "--all", "--reason", "once more", "--override-dispute")
		require.Error(t, err, out)
		require.Contains(t, out, "refund_too_large")
	})

	t.Run("money that is held", func(t *testing.T) {
		o := h.ask("POST", "/v1/checkouts", unique("key"), body(charge(map[string]any{"capture": "manual"})))
		out, err := h.operator("order", "capture", o.ID, "--amount", "700", "--reason", "shipped")
		require.NoError(t, err, out)
		require.Equal(t, int64(700), h.until(o.ID, "paid").Captured)

		o = h.ask("POST", "/v1/checkouts", unique("key"), body(charge(map[string]any{"capture": "manual"})))
		out, err = h.operator("order", "cancel", o.ID, "--reason", "out of stock")
		require.NoError(t, err, out)
		h.until(o.ID, "canceled")
		out, err = h.operator("order", "cancel", o.ID, "--reason", "again")
		require.Error(t, err, out)
		require.Contains(t, out, "wrong_state")
	})

	t.Run("what nobody heard of", func(t *testing.T) {
		o := h.checkout(nil)
		h.withhold()
		h.pay(o.NextAction.URL, visa)
		out, err := h.operator("order", "sync", o.ID)
		require.NoError(t, err, out)
		require.Contains(t, out, `"status":"paid"`)
		require.NoError(t, h.stripe.ClearFaults(t.Context()))
	})

	t.Run("what the provider refuses", func(t *testing.T) {
		o := h.ask("POST", "/v1/checkouts", unique("key"), body(charge(nil)))
		h.fault(standin.Fault{Callback: "*", Action: standin.Withhold})
		h.dashboard("charges/"+o.ref("charge")+"/refund", url.Values{"amount": {"10.00"}})
		out, err := h.operator("order", "refund", o.ID, "--all", "--reason", "broken")
		require.Error(t, err, out)
		require.Contains(t, out, "refused the refund")
		require.NoError(t, h.stripe.ClearFaults(t.Context()))
		out, err = h.operator("order", "sync", o.ID)
		require.NoError(t, err, out)
		require.Equal(t, int64(1000), h.until(o.ID, "partially_refunded").Refunded)
	})
}
