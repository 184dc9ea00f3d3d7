package main

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/superpayhub/superpay/sdk"
)

func page(more bool, items string) http.HandlerFunc {
	return say(200, fmt.Sprintf(`{"object":"list","has_more":%v,"data":[%s]}`, more, items))
}

// The lists come one after the other. A charge comes with its PaymentIntent, and
// a PaymentIntent also beside its session, which may be older than what is asked
// for; a refund or dispute with the names of its payment, but not what is only
// the release of an authorisation.
func TestList_OneFlowAfterTheOther(t *testing.T) {
	const intent = `"object":"payment_intent","amount":2500,"amount_received":2500,"currency":"usd","status":"succeeded"`
	const gone = `"object":"refund","amount":100,"currency":"usd","status":"succeeded","charge":"ch_8","payment_intent":"pi_8"`
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path + " " + r.Form.Get("starting_after") {
		case "/v1/checkout/sessions ":
			page(true, `{`+sessionHead+`,`+paidState)(w, r)
		case "/v1/charges ":
			page(true, `{`+chargeObject+`,"status":"succeeded","captured":true},{"id":"ch_9","object":"charge","amount":100,"amount_captured":100,"currency":"usd","status":"succeeded","captured":true}`)(w, r)
		case "/v1/payment_intents ":
			page(true, `{"id":"pi_1",`+intent+`,"metadata":{"superpay_flow":"checkout_session"}},
				{"id":"pi_2",`+intent+`,"latest_charge":{"id":"ch_2"},"metadata":{"superpay_flow":"apple_pay"}},
				{"id":"pi_3",`+intent+`,"latest_charge":{"id":"ch_3"}}`)(w, r)
		case "/v1/refunds ":
			page(false, `{"id":"re_1",`+gone+`,"balance_transaction":{"id":"txn_1","reporting_category":"refund"}},
				{"id":"re_2",`+gone+`,"balance_transaction":{"id":"txn_2","reporting_category":"partial_capture_reversal"}},
				{"id":"re_3",`+gone+`,"balance_transaction":null}`)(w, r)
		case "/v1/disputes ":
			page(false, `{"id":"dp_1","object":"dispute","amount":100,"currency":"usd","charge":"ch_7","status":"needs_response"}`)(w, r)
		default:
			page(false, "")(w, r)
		}
	})
	p := newTestProvider(t, f.URL)
	var captures, cursors, told []string
	r := sdk.ListRequest{Since: testNow}
	for range 10 {
		page, err := p.List(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, payment := range page.Payments {
			told = append(told, fmt.Sprint(payment.Refs))
			for _, c := range payment.Captures.Items {
				captures = append(captures, c.ID)
			}
			for _, r := range payment.Refunds.Items {
				captures = append(captures, r.ID+" of "+r.CaptureID)
			}
			for _, d := range payment.Disputes.Items {
				captures = append(captures, d.ID+" of "+d.CaptureID)
			}
		}
		cursors = append(cursors, page.Next)
		if r.Cursor = page.Next; r.Cursor == "" {
			break
		}
	}
	if got := fmt.Sprint(captures); got != "[ch_1 ch_9 ch_2 ch_3 re_1 of ch_8 dp_1 of ch_7]" {
		t.Errorf("captures %s", got)
	}
	if got := fmt.Sprint(told[5:]); got != "[[{payment_intent pi_8} {charge ch_8}] [{charge ch_7}]]" {
		t.Errorf("told %s", told)
	}
	if got := fmt.Sprint(cursors); got != "[checkout_session:cs_test_1 charge: charge:ch_9 payment_intent: payment_intent:pi_3 refund: dispute: ]" {
		t.Errorf("cursors %s", got)
	}
	for _, c := range f.seen() {
		if c.Form.Get("created[gte]") != fmt.Sprint(testNow.Unix()) || c.Form.Get("limit") != "100" {
			t.Errorf("%s %v", c.Path, c.Form)
		}
	}
}

func TestList_NonsenseIsNoEmptyList(t *testing.T) {
	p := newTestProvider(t, newFake(t, say(200, `{}`)).URL)
	for _, l := range lists {
		if page, err := p.List(t.Context(), sdk.ListRequest{Cursor: l.name + ":"}); class(err) != "unknown" {
			t.Errorf("%s: %+v %v", l.name, page, err)
		}
	}
	if _, err := p.List(t.Context(), sdk.ListRequest{Cursor: "of another version"}); class(err) != "not sent" {
		t.Errorf("%v", err)
	}
}

func TestFind_ChargesAndIntentsByTheirMetadata(t *testing.T) {
	created := fmt.Sprintf(`"created":%d,`, testNow.Unix())
	charge := `{` + created + tokenObject + `,"status":"succeeded","captured":true,"amount_captured":2500}`
	intent := `{` + created + intentObject + `,"status":"processing"}`
	ofIntent := `{` + created + chargeObject + `,"status":"succeeded"}`
	f := newFake(t, routes(t, map[string]http.HandlerFunc{
		"GET /v1/charges": page(false, ofIntent+","+charge), "GET /v1/charges/ch_1": say(200, charge),
		"GET /v1/payment_intents": page(false, intent), "GET /v1/payment_intents/pi_1": say(200, intent), "GET /v1/refunds": say(200, none),
	}))
	p := newTestProvider(t, f.URL)
	if got, err := p.GetPayment(t.Context(), requestOf("charge")); err != nil || got.Refs[0] != chargeRef || got.Status != sdk.Succeeded || !got.Refunds.Complete {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := p.GetPayment(t.Context(), requestOf("apple_pay")); err != nil || got.Refs[0] != intentRef || got.Status != sdk.Pending {
		t.Errorf("%+v %v", got, err)
	}
	missing := newTestProvider(t, newFake(t, page(false, ofIntent)).URL)
	if _, err := missing.GetPayment(t.Context(), requestOf("charge")); class(err) != "not found" {
		t.Errorf("a PaymentIntent's charge was taken for the payment: %v", err)
	}
	endless := newTestProvider(t, newFake(t, page(true, ofIntent)).URL)
	if _, err := endless.GetPayment(t.Context(), requestOf("charge")); class(err) != "unknown" {
		t.Errorf("%v", err)
	}
}
