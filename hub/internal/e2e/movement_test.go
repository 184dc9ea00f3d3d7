package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// accounts are what the books hold of an order.
func (h *house) accounts(o answer) map[string]int64 {
	h.t.Helper()
	rows, err := h.db().Query(`SELECT account, sum(amount) FROM postings WHERE order_id = $1 AND currency = 'USD' AND account NOT LIKE 'fees:%'
		AND NOT (stage LIKE '%fee%') GROUP BY account HAVING sum(amount) <> 0`, o.ID)
	require.NoError(h.t, err)
	defer rows.Close()
	out := map[string]int64{}
	for rows.Next() {
		var account string
		var sum int64
		require.NoError(h.t, rows.Scan(&account, &sum))
		if len(account) > 4 && account[:4] == "app:" {
			account = "app"
		}
		out[account] = sum
	}
	require.NoError(h.t, rows.Err())
	return out
}

// told waits until the app was sent the order with that reason for attention.
func (h *house) told(o answer, reason string) {
	h.t.Helper()
	h.when(o.ID, "flagged "+reason, func(a answer) bool {
		for _, x := range a.Attention {
			if x.Reason == reason {
				return a.NeedsAttention
			}
		}
		return false
	})
	require.NotZero(h.t, h.count(`SELECT count(*) FROM notifications WHERE order_id = $1 AND payload LIKE '%"' || $2 || '"%'`, o.ID, reason), reason)
}

// TestMovements: whatever moves money besides the hub's asking is recorded,
// posted, flagged and told to the app.
func TestMovements(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	app := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer app.Close()
	require.Equal(t, 201, h.ask("POST", "/v1/webhook_endpoints", "", map[string]any{"url": app.URL}).status)

	kept := func(o answer) int {
		return h.count(`SELECT coalesce(sum(amount), 0) FROM postings WHERE order_id = $1 AND account = 'fees:stripe'`, o.ID)
	}
	dispute := func(way int, ends string) answer {
		o := ways[way].pay(h, nil)
		provider, capture, button := ways[way].provider, o.ref("charge"), h.stripe.BaseURL+"/dashboard/charges/"
		if provider == "paypal" {
			capture, button = o.ref("capture"), h.paypal.BaseURL+"/dashboard/captures/"
		}
		h.post(button+capture+"/dispute", nil)
		h.when(o.ID, "disputed", func(a answer) bool { return a.Disputed == 1050 })
		h.told(o, "in_dispute")
		require.Equal(t, map[string]int64{"disputed:" + provider: 1050, "app": -1050}, h.accounts(o))
		require.Equal(t, 422, h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{}).status)
		var id string
		require.NoError(t, h.query(`SELECT provider_id FROM disputes WHERE order_id = $1`, o.ID).Scan(&id))
		h.post(ways[way].stand(h).BaseURL+"/dashboard/disputes/"+id+"/"+ends, nil)
		return o
	}
	for name, way := range map[string]int{"stripe": 2, "paypal": 5} {
		t.Run(name+": a dispute that is won", func(t *testing.T) {
			o := dispute(way, "win")
			h.when(o.ID, "reinstated", func(a answer) bool { return a.Disputed == 0 && a.Refundable == 1050 })
			require.Equal(t, map[string]int64{"provider:" + name: 1050, "app": -1050}, h.accounts(o))
			if name == "paypal" { // Stripe refunds no charge that was ever disputed
				require.Equal(t, 201, h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{}).status)
				h.until(o.ID, "refunded")
			}
		})
		t.Run(name+": a dispute that is lost", func(t *testing.T) {
			o := dispute(way, "lose")
			require.Eventually(t, func() bool {
				return h.count(`SELECT count(*) FROM disputes WHERE order_id = $1 AND status = 'lost'`, o.ID) == 1
			}, patience, tick)
			require.Empty(t, h.accounts(o), "nothing is held, and nothing is owed")
			if name == "stripe" {
				require.Equal(t, 60+1500, kept(o), "of the charge, and for the dispute")
			}
			require.Zero(t, h.ask("GET", "/v1/orders/"+o.ID, "", nil).Refundable)
		})
	}

	t.Run("a dispute that is lost of a payment that was refunded in part", func(t *testing.T) {
		o := ways[2].pay(h, nil)
		require.Equal(t, 201, h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{"amount": 400}).status)
		h.until(o.ID, "partially_refunded")
		h.dashboard("charges/"+o.ref("charge")+"/dispute", nil)
		h.when(o.ID, "all of it is withdrawn", func(a answer) bool { return a.Disputed == 1050 })
		var id string
		require.NoError(t, h.query(`SELECT provider_id FROM disputes WHERE order_id = $1`, o.ID).Scan(&id))
		h.dashboard("disputes/"+id+"/lose", nil)
		lost := h.when(o.ID, "what was refunded comes back", func(a answer) bool { return a.Disputed == 650 })
		require.Contains(t, lost.raw, `"funds_withdrawn":true,"withdrawn":650`)
		require.Empty(t, h.accounts(o), "400 were given back, 650 are lost")
	})

	t.Run("what the provider keeps, told at once or later", func(t *testing.T) {
		require.Equal(t, 60, kept(ways[2].pay(h, nil)), "a charge's answer tells")
		o := h.checkout(nil)
		h.post(o.NextAction.URL, url.Values{"method": {"delayed"}})
		debited := h.until(o.ID, "pending")
		h.dashboard("payment_intents/"+debited.ref("payment_intent")+"/succeed", nil)
		h.until(o.ID, "paid")
		require.Zero(t, kept(o), "a debit is booked after the money came")
		h.waitFor("it is booked", func() bool { return h.count(`SELECT count(*) FROM callbacks WHERE type = 'charge.updated'`) == 1 })
		h.waitFor("its fee is posted", func() bool { return kept(o) == 60 })
		said, err := h.operator("order", "sync", o.ID)
		require.NoError(t, err, said)
		require.Equal(t, 60, kept(o))
		require.Equal(t, 2, h.count(`SELECT count(*) FROM postings WHERE order_id = $1 AND stage LIKE '%fee%'`, o.ID), "posted once")
	})

	t.Run("what the provider keeps of a card payment, booked a while after it", func(t *testing.T) {
		require.NoError(t, h.stripe.Set(t.Context(), "knobs", map[string]any{"fee_delay": "2s"}))
		defer func() { require.NoError(t, h.stripe.Set(t.Context(), "knobs", map[string]any{})) }()
		o := h.paid(nil)
		require.Zero(t, kept(o), "Stripe has not booked it")
		h.waitFor("its fee is posted, within the hour and not the day", func() bool { return kept(o) == 60 })
	})

	t.Run("a refund that fails later is mirrored", func(t *testing.T) {
		o := h.checkout(nil)
		h.pay(o.NextAction.URL, "4000000000005126")
		h.until(o.ID, "paid")
		require.Equal(t, 201, h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{"amount": 300}).status)
		h.told(o, "refund_failed_late")
		require.Equal(t, map[string]int64{"provider:stripe": 1050, "app": -1050}, h.accounts(o))
		require.Equal(t, 4, h.count(`SELECT count(*) FROM postings WHERE order_id = $1 AND stage IN ('1.refund', '2.refund_failed') AND abs(amount) = 300`, o.ID))
	})

	t.Run("a snapshot from before a refund lands after its callback", func(t *testing.T) {
		o := h.paid(nil)
		h.quiet()
		h.fault(standin.Fault{Method: "GET", Path: "/v1/refunds", Action: standin.Replace, Fields: map[string]any{"data": []any{}}, DelayMS: 1500, Times: 1})
		h.dueAgain(o)
		require.Eventually(t, func() bool {
			requests, err := h.stripe.Requests(t.Context())
			return err == nil && slices.ContainsFunc(requests, func(r standin.Request) bool { return r.Fault == standin.Replace })
		}, patience, tick, "the read is under way")
		h.dashboard("charges/"+o.ref("charge")+"/refund", url.Values{"amount": {"4.00"}})
		h.until(o.ID, "partially_refunded")
		require.Eventually(t, func() bool {
			return h.count(`SELECT count(*) FROM attempts WHERE order_id = $1 AND leased_until IS NULL`, o.ID) == 1
		}, patience, tick, "the read has landed")
		a := h.ask("GET", "/v1/orders/"+o.ID, "", nil)
		require.Equal(t, int64(400), a.Refunded)
		require.False(t, a.NeedsAttention)
	})

	client := ways[6]
	t.Run("a second payment", func(t *testing.T) {
		o := client.checkout(h, false, nil)
		require.Equal(t, 201, o.status, o.raw)
		second := h.ask("POST", "/v1/orders/"+o.ID+"/checkouts", unique("key"), map[string]any{
			"provider": "stripe", "flow": "charge", "input": map[string]any{"token": "tok_visa"},
		})
		require.Equal(t, 201, second.status, second.raw)
		h.until(o.ID, "paid")
		client.act(h, o, false)
		h.told(o, "second_payment")
		a := h.when(o.ID, "paid twice", func(a answer) bool { return a.Captured == 2100 })
		require.Equal(t, "paid", a.Status)
		require.Equal(t, map[string]int64{"provider:stripe": 1050, "provider:paypal": 1050, "app": -2100}, h.accounts(o))
		back := h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{"attempt_id": o.Attempts[0].ID})
		require.Equal(t, 201, back.status, back.raw)
		require.Equal(t, int64(1050), back.Amount)
		a = h.when(o.ID, "paid once", func(a answer) bool { return a.Refunded == 1050 })
		require.Equal(t, "paid", a.Status, a.raw)
	})

	t.Run("paid after it was canceled", func(t *testing.T) {
		o := client.checkout(h, false, nil)
		a := h.ask("POST", "/v1/orders/"+o.ID+"/cancel", unique("key"), nil)
		require.Equal(t, "canceled", a.Status, a.raw)
		client.act(h, o, false)
		h.told(o, "paid_after_close")
		require.Equal(t, int64(1050), h.until(o.ID, "paid").Captured)
		require.Equal(t, map[string]int64{"provider:paypal": 1050, "app": -1050}, h.accounts(o))
	})

	t.Run("taken back at the provider", func(t *testing.T) {
		o := ways[5].pay(h, nil)
		h.post(h.paypal.BaseURL+"/dashboard/captures/"+o.ref("capture")+"/reverse", nil)
		a := h.until(o.ID, "refunded")
		require.Equal(t, "provider", a.Refunds[0].Origin)
		require.Empty(t, h.accounts(o))
		h.told(o, "reversed")
		given := ways[5].pay(h, nil)
		h.post(h.paypal.BaseURL+"/dashboard/captures/"+given.ref("capture")+"/refund", nil)
		require.False(t, h.until(given.ID, "refunded").NeedsAttention, "what the merchant gave back needs nobody")
	})
}
