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

// The lists come one after the other, each payment once: a charge with its
// PaymentIntent, a PaymentIntent of ours with its session.
func TestList_OneFlowAfterTheOther(t *testing.T) {
	const intent = `"object":"payment_intent","amount":2500,"amount_received":2500,"currency":"usd","status":"succeeded"`
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
		default:
			page(false, "")(w, r)
		}
	})
	p := newTestProvider(t, f.URL)
	var captures, cursors []string
	r := sdk.ListRequest{Since: testNow}
	for range 10 {
		page, err := p.List(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, payment := range page.Payments {
			captures = append(captures, payment.Captures.Items[0].ID)
		}
		cursors = append(cursors, page.Next)
		if r.Cursor = page.Next; r.Cursor == "" {
			break
		}
	}
	if got := fmt.Sprint(captures); got != "[ch_1 ch_9 ch_2 ch_3]" {
		t.Errorf("captures %s", got)
	}
	if got := fmt.Sprint(cursors); got != "[checkout_session:cs_test_1 charge: charge:ch_9 apple_pay: apple_pay:pi_3 ]" {
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
	for _, f := range flows {
		if page, err := p.List(t.Context(), sdk.ListRequest{Cursor: f.Name + ":"}); class(err) != "unknown" {
			t.Errorf("%s: %+v %v", f.Name, page, err)
		}
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
