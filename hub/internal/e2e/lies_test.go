package e2e

import (
	"bytes"
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// TestLies: a provider that answers about another amount, currency or
// reference, whichever way it is heard, needs a person; the order is not paid,
// and the money is on record.
func TestLies(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.skipBalance = true // the hub keeps what it was told on purpose
	t.Run("success without id", func(t *testing.T) { h.nameless(t) })
	t.Run("another currency is given back", func(t *testing.T) { h.givenBack(t) })
	t.Run("a person in the console", func(t *testing.T) { h.consoleMoney(t) })
	flagged := func(t *testing.T, o answer, reason string, captures int) {
		t.Helper()
		a := h.when(o.ID, "flagged", func(a answer) bool { return a.NeedsAttention })
		require.NotContains(t, []any{"paid", "refunded", "partially_refunded"}, a.Status, a.raw)
		require.Equal(t, reason, a.Attention[0].Reason, a.raw)
		require.Nil(t, a.NextAction)
		require.Equal(t, captures, h.count(`SELECT count(*) FROM captures WHERE order_id = $1`, o.ID), "the money is on record")
		h.verify()
	}
	lies := map[string]struct{ stripe, paypal map[string]any }{
		"amount_mismatch":    {map[string]any{"amount": 1, "amount_captured": 1, "amount_received": 1, "amount_total": 1}, map[string]any{"*.value": "0.01"}},
		"currency_mismatch":  {map[string]any{"*.currency": "eur"}, map[string]any{"*.currency_code": "EUR"}},
		"reference_mismatch": {map[string]any{"*.superpay_attempt": "att_00000000000000000000000000"}, map[string]any{"*.custom_id": "att_00000000000000000000000000"}},
	}
	for reason, lie := range lies {
		t.Run("stripe/answer/"+reason, func(t *testing.T) {
			h.withhold()
			h.fault(standin.Fault{Method: "POST", Path: "/v1/charges", Action: standin.Replace, Fields: lie.stripe, Times: 1})
			o := h.ask("POST", "/v1/checkouts", unique("key"), body(map[string]any{"flow": "charge", "input": map[string]any{"token": "tok_visa"}}))
			require.NoError(t, h.stripe.ClearFaults(t.Context()))
			flagged(t, o, reason, 1)
		})
		t.Run("stripe/callback/"+reason, func(t *testing.T) {
			if reason == "reference_mismatch" {
				h.swapped(t)
				return
			}
			o := h.checkout(nil)
			var event map[string]any
			require.NoError(t, json.Unmarshal(h.withheld(o, "payment_intent.succeeded"), &event))
			require.NoError(t, h.stripe.ClearFaults(t.Context()))
			raw, err := json.Marshal(replaced(event, lie.stripe))
			require.NoError(t, err)
			require.Equal(t, 200, h.callback(sign(h.WebhookSecret, time.Now(), raw), raw))
			flagged(t, o, reason, 1)
		})
		t.Run("stripe/read/"+reason, func(t *testing.T) {
			o := h.checkout(nil)
			h.withhold()
			h.pay(o.NextAction.URL, visa)
			h.fault(standin.Fault{Method: "GET", Path: "/v1/checkout/sessions", Action: standin.Replace, Fields: lie.stripe, Times: 1})
			h.visit(o)
			require.NoError(t, h.stripe.ClearFaults(t.Context()))
			flagged(t, o, reason, 1)
		})
		// What PayPal says of the approval, before anything is taken; and of the capture.
		for kind, f := range map[string]standin.Fault{
			"read":   {Method: "GET", Path: "/v2/checkout/orders/"},
			"answer": {Method: "POST", Path: "/v2/checkout/orders/"},
		} {
			t.Run("paypal/"+kind+"/"+reason, func(t *testing.T) {
				o := ways[5].checkout(h, false, nil)
				require.NoError(t, h.paypal.AddFault(t.Context(), standin.Fault{Callback: "*", Action: standin.Withhold}))
				h.post(h.paypal.BaseURL+"/checkoutnow", url.Values{"token": {o.ref("order")}, "choice": {"approve"}})
				f.Action, f.Fields, f.Times = standin.Replace, lie.paypal, 1
				require.NoError(t, h.paypal.AddFault(t.Context(), f))
				h.visit(o)
				require.NoError(t, h.paypal.ClearFaults(t.Context()))
				flagged(t, o, reason, map[string]int{"answer": 1}[kind])
			})
		}
	}
}

// givenBack: what was taken in another currency keeps the order pending until it
// was given back, by its name, or accepted; nobody is charged again meanwhile.
func (h *house) givenBack(t *testing.T) {
	t.Helper()
	h.withhold()
	h.fault(standin.Fault{Path: "/v1/", Action: standin.Replace, Fields: map[string]any{"*.currency": "eur"}})
	o := h.ask("POST", "/v1/checkouts", unique("key"), body(map[string]any{"flow": "charge", "input": map[string]any{"token": "tok_visa"}}))
	require.Equal(t, "pending", o.Status, o.raw)
	require.Contains(t, o.raw, `"money":[{"currency":"EUR","exponent":2,"captured":1050,"refunded":0,"reserved":0,"disputed":0,"refundable":1050}]`)
	path := "/v1/orders/" + o.ID
	again := h.ask("POST", path+"/checkouts", unique("key"), map[string]any{"provider": "stripe", "flow": "checkout_session"})
	require.Equal(t, []any{409, "money_held"}, []any{again.status, again.Code}, again.raw)
	require.Contains(t, again.raw, `"held":{"amount":1050,"currency":"EUR","exponent":2}`)
	cancel := h.ask("POST", path+"/cancel", unique("key"), nil)
	require.Equal(t, []any{409, "money_held"}, []any{cancel.status, cancel.Code}, cancel.raw)
	unnamed := h.ask("POST", path+"/refunds", unique("key"), map[string]any{})
	require.Equal(t, []any{422, "currency_required", "currency"}, []any{unnamed.status, unnamed.Code, unnamed.Param}, unnamed.raw)
	part := h.ask("POST", path+"/refunds", unique("key"), map[string]any{"currency": "EUR", "amount": 50})
	require.Equal(t, []any{201, "succeeded", "EUR"}, []any{part.status, part.Status, part.Currency}, part.raw)
	said, err := h.operator("order", "refund", o.ID, "--all", "--currency", "EUR", "--reason", "not what was asked")
	require.NoError(t, err, said)
	a := h.ask("GET", path, "", nil)
	require.Equal(t, "open", a.Status, a.raw)
	require.NoError(t, h.stripe.ClearFaults(t.Context()))
	h.verify()
}

// consoleMoney: a person gives back what was taken in another currency, corrects
// an amount, and accepts the rest.
func (h *house) consoleMoney(t *testing.T) {
	t.Helper()
	db := h.database()
	o := h.admin()
	h.withhold()
	h.fault(standin.Fault{Path: "/v1/", Action: standin.Replace, Fields: map[string]any{"*.currency": "eur"}})
	a := h.ask("POST", "/v1/checkouts", unique("key"), body(map[string]any{"flow": "charge", "input": map[string]any{"token": "tok_visa"}}))
	require.Equal(t, "pending", a.Status, a.raw)
	page := o.get("/orders/" + a.ID)
	require.Contains(t, page.body, "In EUR")
	require.Contains(t, page.body, "holds 10.50 EUR: refund it")
	path := "/orders/" + a.ID + "/refund"
	require.Contains(t, page.body, path+"?attempt="+a.Attempts[0].ID+"&amp;currency=EUR")
	form := o.get(path).fields(t, path)
	form.Set("part", "some")
	form.Set("amount", "1.5")
	form.Set("preset", "asked")
	review := o.post(path, form)
	require.Contains(t, review.body, "Give back 1.50 EUR of 10.50 EUR")
	done := o.post(path, review.fields(t, path))
	require.Equal(t, 303, done.status, done.body)
	require.Equal(t, 1, h.count(`SELECT count(*) FROM refunds WHERE order_id = $1 AND currency = 'EUR' AND amount = 150 AND status = 'succeeded'`, a.ID))
	require.NoError(t, h.stripe.ClearFaults(t.Context()))

	capture := one(t, db, `SELECT id FROM captures WHERE order_id = $1`, a.ID)
	path = "/orders/" + a.ID + "/correct"
	require.Contains(t, o.get("/orders/"+a.ID).body, path+"?movement="+capture)
	require.Equal(t, 403, h.person(access.Operator).get(path+"?movement="+capture).status, "it changes what is on record")
	form = o.get(path+"?movement="+capture).fields(t, path)
	form.Set("amount", "0")
	form.Set("preset", "checked")
	require.Contains(t, o.post(path, form).body, "Give an amount with a decimal point")
	form.Set("amount", "10.00")
	review = o.post(path, form)
	require.Contains(t, review.body, "Record 10.50 EUR as 10.00 EUR")
	require.Equal(t, 1, h.count(`SELECT count(*) FROM captures WHERE order_id = $1 AND amount = 1050`, a.ID), "nothing is done before it was confirmed")
	confirm := review.fields(t, path)
	done = o.post(path, confirm)
	require.Equal(t, 303, done.status, done.body)
	require.Contains(t, o.post(path, confirm).body, "it is of 10.00 EUR now")
	require.Equal(t, 1, h.count(`SELECT count(*) FROM captures WHERE order_id = $1 AND amount = 1000`, a.ID))
	h.verify()

	require.Equal(t, 303, o.act(a.ID, "resolve", url.Values{"preset": {"checked"}}).status)
	require.Equal(t, "partially_refunded", h.ask("GET", "/v1/orders/"+a.ID, "", nil).Status)
	page = o.get("/orders/" + a.ID)
	require.Contains(t, page.body, "Accepted")
	require.Contains(t, page.body, "accepted as payment what did not fit")
}

// swapped: an event says that the payment of one order is another's.
func (h *house) swapped(t *testing.T) {
	t.Helper()
	o, other := h.paid(map[string]any{"capture": "manual"}), h.checkout(nil)
	h.withhold()
	h.dashboard("payment_intents/"+o.ref("payment_intent")+"/capture", nil)
	event := bytes.ReplaceAll(h.settling()[o.Attempts[0].ID], []byte(o.Attempts[0].ID), []byte(other.Attempts[0].ID))
	require.NotEmpty(t, event)
	require.Equal(t, 200, h.callback(sign(h.WebhookSecret, time.Now(), event), event))
	a := h.when(other.ID, "flagged", func(a answer) bool { return a.NeedsAttention })
	require.Equal(t, "reference_mismatch", a.Attention[0].Reason)
	require.NotEqual(t, "paid", a.Status)
	require.Zero(t, a.Captured)
	h.dueAgain(o)
	require.Equal(t, int64(1050), h.until(o.ID, "paid").Captured)
	require.NoError(t, h.stripe.ClearFaults(t.Context()))
}

// replaced is the document with these fields changed at any depth.
func replaced(in any, fields map[string]any) any {
	switch v := in.(type) {
	case map[string]any:
		for k, inner := range v {
			v[k] = replaced(inner, fields)
			for _, name := range []string{k, "*." + k} {
				if lie, ok := fields[name]; ok && inner != nil {
					v[k] = lie
				}
			}
		}
	case []any:
		for i := range v {
			v[i] = replaced(v[i], fields)
		}
	}
	return in
}

// nameless: money that has no name is not believed, and asked about until it has one.
func (h *house) nameless(t *testing.T) {
	t.Helper()
	h.withhold()
	h.fault(standin.Fault{Method: "POST", Path: "/v1/charges", Action: standin.Replace, Fields: map[string]any{"id": ""}})
	h.fault(standin.Fault{Method: "GET", Path: "/v1/charges", Action: standin.Status, StatusCode: 500}) // nor is it found by reading
	a := h.ask("POST", "/v1/checkouts", unique("key"), body(map[string]any{"flow": "charge", "input": map[string]any{"token": "tok_visa"}}))
	require.Equal(t, 202, a.status, a.raw)
	o := h.checkout(nil)
	h.pay(o.NextAction.URL, visa)
	h.fault(standin.Fault{Method: "GET", Path: "/v1/checkout/sessions", Action: standin.Replace, Fields: map[string]any{"payment_intent.latest_charge": nil}})
	h.visit(o)
	b := ways[5].checkout(h, false, nil)
	require.NoError(t, h.paypal.AddFault(t.Context(), standin.Fault{Callback: "*", Action: standin.Withhold}))
	require.NoError(t, h.paypal.AddFault(t.Context(), standin.Fault{
		Path: "/v2/checkout/orders/", Action: standin.Replace, Fields: map[string]any{"purchase_units.0.payments.captures.0.id": ""},
	}))
	h.post(h.paypal.BaseURL+"/checkoutnow", url.Values{"token": {b.ref("order")}, "choice": {"approve"}})
	h.visit(b)
	for _, x := range []answer{a, o, b} {
		got := h.ask("GET", "/v1/orders/"+x.ID, "", nil)
		require.NotEqual(t, "paid", got.Status, got.raw)
		require.Zero(t, h.count(`SELECT count(*) FROM captures WHERE order_id = $1`, x.ID))
	}
	require.NoError(t, h.stripe.ClearFaults(t.Context()))
	require.NoError(t, h.paypal.ClearFaults(t.Context()))
	for _, x := range []answer{a, o, b} {
		h.dueAgain(x)
		require.Equal(t, int64(1050), h.until(x.ID, "paid").Captured)
	}
}
