package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// TestAmounts_AreExactInEveryCurrency: minor units are ISO's at our door and
// the provider's at its own.
func TestAmounts_AreExactInEveryCurrency(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	for _, c := range []struct {
		currency string
		amount   int64
		refund   int64
		decimal  string
	}{
		{"USD", 1099, 99, "10.99"},
		{"JPY", 1099, 99, "1099"},
		{"KWD", 10990, 990, "10.990"},
		{"ISK", 1000, 300, "1000"},
		{"UGX", 50000, 700, "50000"},
		{"HUF", 100050, 50, "1000.50"},
	} {
		o := h.paid(map[string]any{"amount": c.amount, "currency": c.currency})
		require.Equal(t, c.amount, o.Captured, c.currency)
		r := h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{"amount": c.refund})
		require.Equal(t, 201, r.status, r.raw)
		require.Equal(t, c.refund, h.until(o.ID, "partially_refunded").Refunded)
		found := false
		for _, p := range h.books().Captures {
			found = found || p.Currency == c.currency && p.Amount == c.decimal
		}
		require.True(t, found, "%s %s is not in the provider's books: %+v", c.decimal, c.currency, h.books().Captures)
	}
}

// TestAmounts_ThatTheProviderCannotCarry are refused before anything is sent.
func TestAmounts_ThatTheProviderCannotCarry(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	for _, c := range []struct {
		currency string
		amount   int64
	}{{"KWD", 10991}, {"MGA", 1050}, {"USD", 100000000}, {"XAU", 100}, {"CLF", 10000}} {
		a := h.ask("POST", "/v1/checkouts", unique("key"), body(map[string]any{"amount": c.amount, "currency": c.currency}))
		require.Equal(t, 422, a.status, "%s %d: %s", c.currency, c.amount, a.raw)
	}
	requests, err := h.stripe.Requests(t.Context())
	require.NoError(t, err)
	for _, r := range requests { // the hub's list at its start only reads
		require.Equal(t, "GET", r.Method)
	}
}

// TestAmounts_LyingAnswers: an answer with another amount or currency, or one
// that is no answer at all, never becomes paid; money that was captured is on
// record all the same.
func TestAmounts_LyingAnswers(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	lie := func(fields map[string]any) answer {
		o := h.checkout(nil)
		h.fault(standin.Fault{Callback: "*", Action: standin.Withhold})
		h.pay(o.NextAction.URL, visa)
		h.fault(standin.Fault{Method: "GET", Path: "/v1/checkout/sessions", Action: standin.Replace, Fields: fields, Times: 1})
		h.dueAgain(o)
		a := h.when(o.ID, "flagged", func(a answer) bool { return a.NeedsAttention })
		require.NotEqual(t, "paid", a.Status, a.raw)
		require.NoError(t, h.stripe.ClearFaults(t.Context()))
		return a
	}
	a := lie(map[string]any{"amount_total": 1})
	require.Equal(t, "amount_mismatch", a.Attention[0].Reason)
	require.Equal(t, int64(1050), a.Captured)
	// A person looked at it, and the money counts.
	out, err := h.hubCommand("order", "resolve", a.ID, "--why", "the answer was wrong, the money is right").CombinedOutput()
	require.NoError(t, err, "%s", out)
	resolved := h.until(a.ID, "paid")
	require.False(t, resolved.NeedsAttention)
	require.Contains(t, h.ask("GET", "/v1/orders/"+a.ID+"/events", "", nil).raw, "attention.resolved")

	a = lie(map[string]any{"*.currency": "eur"})
	require.Equal(t, "currency_mismatch", a.Attention[0].Reason)
	require.Equal(t, 1, h.count(`SELECT count(*) FROM captures WHERE order_id = $1 AND currency = 'EUR'`, a.ID))
	require.Equal(t, 1, h.count(`SELECT count(*) FROM captures WHERE order_id = $1`, a.ID))

	// At creation: nobody is sent to pay something else than was asked.
	h.fault(standin.Fault{Method: "POST", Path: "/v1/checkout/sessions", Action: standin.Replace, Fields: map[string]any{"amount_total": 1}, Times: 1})
	b := h.ask("POST", "/v1/checkouts", unique("key"), body(nil))
	require.Equal(t, 201, b.status, b.raw)
	require.True(t, b.NeedsAttention)
	require.Nil(t, b.NextAction, b.raw)

	for _, action := range []standin.Action{standin.Cut, standin.Empty, standin.HTML} {
		o := h.checkout(nil)
		h.fault(standin.Fault{Callback: "*", Action: standin.Withhold})
		h.pay(o.NextAction.URL, visa)
		h.fault(standin.Fault{Method: "GET", Path: "/v1/checkout/sessions", Action: action, Times: 1})
		res, err := browser.Get(h.BaseURL + "/return/" + o.Attempts[0].ID)
		require.NoError(t, err)
		res.Body.Close()
		require.Contains(t, res.Header.Get("Location"), "status=open", action)
		h.dueAgain(o)
		h.until(o.ID, "paid")
		require.NoError(t, h.stripe.ClearFaults(t.Context()))
	}
	// The one with a wrong currency on record stands beside the provider's
	// truth on purpose: a person has to look.
	h.skipBalance = true
}
