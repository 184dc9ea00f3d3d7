package e2e

import (
	"bytes"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

const tooMany = `{"error":{"type":"invalid_request_error","code":"rate_limit","message":"slow down"}}`

// again is another attempt by the way that stories use.
var again = map[string]any{"provider": "stripe", "flow": "checkout_session"}

// TestRegression_OneSessionCanBePaid: neither a cancel that was not sent nor the
// repeat of a checkout that was not sent leaves two pages open for one order.
func TestRegression_OneSessionCanBePaid(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.checkout(nil)
	h.fault(standin.Fault{Method: "POST", Path: "/v1/checkout/sessions/" + o.ref("checkout_session") + "/expire", Action: standin.Status, StatusCode: 429, Body: tooMany, Times: 1})
	require.Equal(t, 503, h.ask("POST", "/v1/orders/"+o.ID+"/checkouts", unique("key"), again).status)

	h.fault(standin.Fault{Method: "POST", Path: "/v1/checkout/sessions", Action: standin.Status, StatusCode: 429, Body: tooMany, Times: 1})
	b := body(nil)
	a := h.ask("POST", "/v1/checkouts", "A", b)
	require.Equal(t, 503, a.status, a.raw)
	var problem struct {
		OrderID string `json:"order_id"`
	}
	decode(t, a.raw, &problem)
	require.Equal(t, 201, h.ask("POST", "/v1/orders/"+problem.OrderID+"/checkouts", "B", again).status)
	require.Equal(t, 409, h.ask("POST", "/v1/checkouts", "A", b).status)
}

// TestRegression_NothingHeardIsLost: an event that came too early, in a shape
// we do not know, or with a text that the database cannot hold.
func TestRegression_NothingHeardIsLost(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *dev.Options) { o.TimeScale = 60 })
	send := func(event []byte) {
		t.Helper()
		require.Equal(t, 200, h.callback(sign(h.WebhookSecret, time.Now(), event), event))
	}
	unreadable := h.checkout(nil)
	send(bytes.Replace(h.withheld(unreadable, "payment_intent.succeeded"), []byte(`"amount": 1050`), []byte(`"amount": "1050"`), 1))
	h.until(unreadable.ID, "paid")

	nul := h.checkout(nil)
	h.withhold()
	h.pay(nul.NextAction.URL, visa)
	h.fault(standin.Fault{Method: "GET", Path: "/v1/checkout/sessions", Action: standin.Replace, Fields: map[string]any{"customer_details.name": "a\x00b"}})
	h.dueAgain(nul)
	h.until(nul.ID, "paid")

	// A dispute names only the charge: it is of nobody until the payment is known.
	early := h.checkout(nil)
	h.pay(early.NextAction.URL, visa)
	var charge string
	for _, c := range h.books().Captures {
		if c.Metadata["superpay_attempt"] == early.Attempts[0].ID {
			charge = c.ID
		}
	}
	h.dashboard("charges/"+charge+"/dispute", nil)
	for _, e := range h.stripeList("/v1/events?limit=100") {
		if bytes.Contains(e, []byte("charge.dispute.funds_withdrawn")) && bytes.Contains(e, []byte(charge)) {
			send(e)
			send(e)
		}
	}
	require.Equal(t, 1, h.count(`SELECT count(*) FROM callbacks WHERE outcome = 'unmatched'`))
	h.dueAgain(early)
	h.until(early.ID, "paid")
	h.when(early.ID, "disputed", func(a answer) bool { return a.Disputed == 1050 })
}

// TestRegression_NullIsNotEverything.
func TestRegression_NullIsNotEverything(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.paid(nil)
	for _, b := range []string{`{"amount":null}`, `{"amount":5,"Amount":0}`, `{"AMOUNT":5}`} {
		require.Equal(t, 422, h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), b).status, b)
	}
	require.Equal(t, 422, h.ask("POST", "/v1/checkouts", "Bestellung-\xfc", body(nil)).status)
	require.Equal(t, int64(1050), h.ask("GET", "/v1/orders/"+o.ID, "", nil).Refundable)
}

// TestRegression_RefundIsOursWhateverItsMetadataSay: the answer to our asking
// belongs to our refund.
func TestRegression_RefundIsOursWhateverItsMetadataSay(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.paid(nil)
	h.fault(standin.Fault{Method: "POST", Path: "/v1/refunds", Action: standin.Replace, Fields: map[string]any{"metadata": map[string]any{}}, Times: 1})
	r := h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{"amount": 400})
	require.Equal(t, 201, r.status, r.raw)
	require.Equal(t, "succeeded", r.Status, r.raw)
	a := h.until(o.ID, "partially_refunded")
	require.Len(t, a.Refunds, 1)
	require.Equal(t, int64(650), a.Refundable)
}

// TestTampering: what a dishonest browser made of a PayPal order is never
// accepted, and somebody is told.
func TestTampering(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.skipBalance = true // some of this money is not ours, or not this order's
	client := ways[6]
	settled := client.pay(h, nil)
	used, _ := paidInBrowser.Load(settled.Attempts[0].ID)
	for name, form := range map[string]url.Values{
		"amount":    {"tamper_amount": {"0.01"}},
		"currency":  {"tamper_currency": {"EUR"}},
		"custom id": {"tamper_custom_id": {settled.Attempts[0].ID}},
		"payee":     {"tamper_payee": {"ABCDEFGHJKLMN"}},
		"two units": {"units": {"2"}},
		"used":      {"reuse": {used.(string)}},
	} {
		o := client.checkout(h, false, nil)
		require.Equal(t, 201, o.status, o.raw)
		id := used.(string)
		if name != "used" {
			form.Set("choice", "approve")
			form.Set("return", "http://localhost:9/thanks")
			for k, v := range o.NextAction.Client {
				form.Set(k, v)
			}
			res, err := browser.PostForm(h.paypal.BaseURL+"/client", form)
			require.NoError(t, err)
			res.Body.Close()
			to, err := res.Location()
			require.NoError(t, err, name)
			id = to.Query().Get("order_id")
		}
		a := h.ask("POST", "/v1/orders/"+o.ID+"/confirm", unique("key"), map[string]any{"input": map[string]any{"order_id": id}})
		require.Contains(t, []int{200, 409, 422}, a.status, "%s: %s", name, a.raw)
		got := h.when(o.ID, name+": seen", func(a answer) bool { return a.NeedsAttention })
		require.NotContains(t, []any{"paid", "partially_refunded", "refunded"}, got.Status, "%s: %s", name, got.raw)
	}
	for _, id := range []string{"../../v1/payments/x", "5O190127TN364715T/capture", "5O190127TN364715T?x=1", "", "lower"} {
		o := client.checkout(h, false, nil)
		a := h.ask("POST", "/v1/orders/"+o.ID+"/confirm", unique("key"), map[string]any{"input": map[string]any{"order_id": id}})
		require.Equal(t, 422, a.status, "%q: %s", id, a.raw)
	}
	require.Equal(t, int64(1050), h.ask("GET", "/v1/orders/"+settled.ID, "", nil).Captured)
}
