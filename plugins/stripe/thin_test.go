package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk"
)

// TestThinEvent_IsAReasonToRead: the event names its object, which is read for the
// payment that it belongs to. What it says besides may be newer than the event and
// proves nothing.
func TestThinEvent_IsAReasonToRead(t *testing.T) {
	const pi = `"payment_intent":"pi_1"`
	objects := map[string]string{
		"/v1/checkout/sessions/cs_1":  `{"id":"cs_1","object":"checkout.session","status":"complete","payment_status":"paid","amount_total":2500,"currency":"usd",` + pi + `,` + ours + `}`,
		"/v1/payment_intents/pi_1":    `{"id":"pi_1","object":"payment_intent","status":"succeeded","amount":2500,"amount_received":2500,"currency":"usd","latest_charge":"ch_1",` + ours + `}`,
		"/v1/charges/ch_1":            `{"id":"ch_1","object":"charge","status":"succeeded","amount":2500,"currency":"usd",` + pi + `,` + ours + `}`,
		"/v1/refunds/re_1":            `{"id":"re_1","object":"refund","status":"succeeded","amount":400,"currency":"usd","charge":"ch_1",` + pi + `}`,
		"/v1/disputes/dp_1":           `{"id":"dp_1","object":"dispute","status":"lost","amount":2500,"currency":"usd","charge":"ch_1",` + pi + `}`,
		"/v1/payment_intents/pi_down": "",
	}
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		object, there := objects[r.URL.Path]
		switch {
		case !there:
			w.WriteHeader(404)
			io.WriteString(w, `{"error":{"type":"invalid_request_error","code":"resource_missing","message":"No such object"}}`)
		case object == "":
			w.WriteHeader(503)
		default:
			io.WriteString(w, object)
		}
	})
	p := newTestProvider(t, f.URL)
	for _, c := range []struct {
		event, kind, id, more string
		verdict               sdk.Verdict
		refs                  string // of the fact; empty: none
		reads                 int
	}{
		{"v1.checkout.session.completed", "checkout.session", "cs_1", "", sdk.Genuine, "checkout_session=cs_1 payment_intent=pi_1", 1},
		{"v1.payment_intent.succeeded", "payment_intent", "pi_1", "", sdk.Genuine, "payment_intent=pi_1 charge=ch_1", 1},
		{"v1.charge.refunded", "charge", "ch_1", "", sdk.Genuine, "payment_intent=pi_1 charge=ch_1", 1},
		{"v1.refund.created", "refund", "re_1", "", sdk.Genuine, "payment_intent=pi_1 charge=ch_1", 1},
		{"v1.charge.dispute.created", "dispute", "dp_1", "", sdk.Genuine, "payment_intent=pi_1 charge=ch_1", 1},
		{"v1.payment_intent.succeeded", "payment_intent", "pi_gone", "", sdk.Genuine, "", 1},
		{"v1.payment_intent.succeeded", "payment_intent", "pi_down", "", sdk.CannotCheck, "", 1},
		{"v1.payment_intent.succeeded", "payment_intent", "pi_1", `,"context":"acct_1"`, sdk.NotOurs, "", 0},
		{"v1.payment_intent.succeeded", "payment_intent", "pi_1", `,"livemode":true`, sdk.NotOurs, "", 0},
		{"v1.payment_intent.succeeded", "payment_intent", "", "", sdk.Genuine, "", 0},
		{"v1.payment_intent.succeeded", "invoice", "in_1", "", sdk.Genuine, "", 0},
		{"v1.invoice.paid", "invoice", "in_1", "", sdk.Genuine, "", 0},
		{"v1.billing.meter.no_meter_found", "billing.meter", "mtr_1", "", sdk.Genuine, "", 0},
		{"payment_intent.succeeded", "payment_intent", "pi_1", "", sdk.Genuine, "", 0},
	} {
		before := len(f.seen())
		body := fmt.Sprintf(`{"id":"evt_2","object":"v2.core.event","type":%q,"livemode":false,"created":"2026-11-29T05:00:00Z","related_object":{"id":%q,"type":%q,"url":"/v1/x"}%s}`,
			c.event, c.id, c.kind, c.more)
		out, err := p.HandleCallback(t.Context(), sdk.CallbackRequest{
			ReceivedAt: testNow, Method: "POST", Body: []byte(body), Headers: []sdk.Header{{Name: "Stripe-Signature", Value: sign(body, testSecret, testNow)}},
		})
		require.NoError(t, err)
		require.Equal(t, c.verdict, out.Verdict, body)
		require.Len(t, f.seen(), before+c.reads, body)
		require.Equal(t, "evt_2", out.EventID)
		require.Equal(t, c.event, out.Type)
		if c.refs == "" {
			require.Empty(t, out.Facts, body)
			continue
		}
		require.Len(t, out.Facts, 1, body)
		fact := out.Facts[0]
		require.False(t, fact.Proven, body)
		require.Empty(t, fact.Payment.Status, body)
		require.Equal(t, sdk.Test, fact.Payment.Mode)
		var refs []string
		for _, r := range fact.Payment.Refs {
			refs = append(refs, r.Kind+"="+r.Value)
		}
		require.Equal(t, c.refs, strings.Join(refs, " "), body)
	}

	body := `{"id":"evt_2","object":"v2.core.event","type":"v1.payment_intent.succeeded","livemode":false,"related_object":{"id":"pi_1","type":"payment_intent"}}`
	before := len(f.seen())
	out, err := p.HandleCallback(t.Context(), sdk.CallbackRequest{ReceivedAt: testNow, Method: "POST", Body: []byte(body), Headers: []sdk.Header{{Name: "Stripe-Signature", Value: sign(body, "whsec_of_a_stranger_0123456789", testNow)}}})
	require.NoError(t, err)
	require.Equal(t, sdk.Forged, out.Verdict)
	require.Len(t, f.seen(), before, "what is not signed has nothing read")
}
