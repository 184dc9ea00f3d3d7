package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/superpayhub/superpay/sdk"
)

const (
	takenCharge = `{` + tokenObject + `,"status":"succeeded","captured":true,"amount_captured":2500}`
	heldCharge  = `{` + tokenObject + `,"status":"succeeded","captured":false,"payment_method_details":{"card":{"capture_before":1772452800}}}`
	freedCharge = `{` + tokenObject + `,"status":"succeeded","captured":false,"refunded":true,"amount_refunded":2500}`
)

func TestCharge_SameArgumentsSameBytes(t *testing.T) {
	f := newFake(t, say(200, takenCharge))
	p := newTestProvider(t, f.URL)
	r := checkoutOf("charge", "token", "tok_visa")
	for range 20 {
		got, err := p.CreateCheckout(t.Context(), r)
		if err != nil || got.Status != sdk.Succeeded || got.Refs[0] != chargeRef || got.Captures.Items[0].ID != "ch_1" || got.AttemptID != "att_1" {
			t.Fatalf("%+v %v", got, err)
		}
	}
	r.CaptureMode = sdk.CaptureManual
	p.CreateCheckout(t.Context(), r)
	calls := f.seen()
	for _, c := range calls[:20] {
		if c.Path != "/v1/charges" || c.Body != calls[0].Body || c.Key != "op_create_1" {
			t.Fatalf("%+v", c)
		}
	}
	for k, want := range map[string]string{
		"amount": "2500", "currency": "usd", "capture": "true", "source": "tok_visa", "description": "Two books",
		"receipt_email": "ada@example.com", "metadata[superpay_attempt]": "att_1", "metadata[superpay_hub]": "hub_1",
		"metadata[superpay_flow]": "charge", "metadata[basket]": "7",
	} {
		if got := calls[0].Form.Get(k); got != want {
			t.Errorf("%s = %q, want %q", k, got, want)
		}
	}
	if got := calls[20].Form.Get("capture"); got != "false" {
		t.Errorf("capture = %q", got)
	}
}

func TestCharge_OnlyTokensAreSentAndNeverShown(t *testing.T) {
	f := newFake(t, say(400, `{"error":{"type":"invalid_request_error","code":"resource_missing","param":"source","message":"No such token: 'tok_`+leak+`'"}}`))
	p := newTestProvider(t, f.URL)
	for _, token := range []string{"", leak, "4242424242424242", "tok_", "tok_" + leak + "!", "tok_" + strings.Repeat("x", 201), "pm_" + leak, "tok_" + leak + "\n"} {
		_, err := p.CreateCheckout(t.Context(), checkoutOf("charge", "token", token))
		if code(err) != sdk.FailureInvalidRequest || !strings.Contains(err.Error(), "input.token") || strings.Contains(err.Error(), leak) {
			t.Errorf("%q: %v", token, err)
		}
	}
	if n := len(f.seen()); n != 0 {
		t.Errorf("%d were sent", n)
	}
	_, err := p.CreateCheckout(t.Context(), checkoutOf("charge", "token", "tok_"+leak))
	if class(err) != "rejected" || strings.Contains(err.Error(), leak) {
		t.Errorf("%v", err)
	}
}

func TestCharge_DeclineIsData(t *testing.T) {
	for name, c := range map[string]struct {
		fields, code, provider string
		refs                   int
	}{
		"declined":  {`"code":"card_declined","decline_code":"insufficient_funds","charge":"ch_1"`, sdk.FailureInsufficientFunds, "insufficient_funds", 1},
		"3-D":       {`"code":"card_declined","decline_code":"authentication_required","charge":"ch_1"`, sdk.FailureAuthentication, "authentication_required", 1},
		"stolen":    {`"code":"card_declined","decline_code":"stolen_card","charge":"ch_1"`, sdk.FailureDeclined, "generic_decline", 1},
		"no charge": {`"code":"incorrect_number"`, sdk.FailureIncorrectCard, "incorrect_number", 0},
	} {
		f := newFake(t, say(402, `{"error":{"type":"card_error","message":"`+leak+`",`+c.fields+`}}`))
		got, err := newTestProvider(t, f.URL).CreateCheckout(t.Context(), checkoutOf("charge", "token", "tok_visa"))
		if err != nil || got.Status != sdk.Failed || got.Failure.Code != c.code || got.Failure.ProviderCode != c.provider || len(got.Refs) != c.refs || got.Mode != sdk.Test {
			t.Errorf("%s: %+v %v", name, got, err)
		}
		if strings.Contains(fmt.Sprintf("%+v %+v", got, got.Failure), leak) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	again := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Stripe-Should-Retry", "true")
		say(402, `{"error":{"type":"card_error","code":"card_declined"}}`)(w, nil)
	})
	if _, err := newTestProvider(t, again.URL).CreateCheckout(t.Context(), checkoutOf("charge", "token", "tok_visa")); class(err) != "unknown" {
		t.Errorf("Stripe says it is not final: %v", err)
	}
}

func TestCharge_Canceled(t *testing.T) {
	released := func(charge string) http.HandlerFunc {
		return say(200, `{"id":"re_1","object":"refund","amount":2500,"currency":"usd","status":"succeeded","charge":`+charge+`}`)
	}
	refused := say(400, `{"error":{"type":"invalid_request_error","code":"charge_already_refunded"}}`)
	for name, c := range map[string]struct {
		read    []string
		release http.HandlerFunc
		class   string
		status  sdk.Status
		refunds int
	}{
		"held":          {[]string{heldCharge}, released(freedCharge), "done", sdk.Canceled, 0},
		"released":      {[]string{freedCharge}, nil, "done", sdk.Canceled, 0},
		"captured":      {[]string{takenCharge}, nil, "done", sdk.Succeeded, 0},
		"just captured": {[]string{heldCharge}, released(takenCharge), "done", sdk.Succeeded, 1},
		"just released": {[]string{heldCharge, freedCharge}, refused, "done", sdk.Canceled, 0},
		"refused":       {[]string{heldCharge, heldCharge}, refused, "rejected", "", 0},
		"id only":       {[]string{heldCharge}, released(`"ch_1"`), "unknown", "", 0},
		"lost":          {[]string{heldCharge}, say(500, `{}`), "unknown", "", 0},
		"unread":        {[]string{`{}`}, nil, "not sent", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			reads := 0
			f := newFake(t, routes(t, map[string]http.HandlerFunc{
				"GET /v1/charges/ch_1": func(w http.ResponseWriter, r *http.Request) {
					say(200, c.read[reads])(w, r)
					reads++
				},
				"POST /v1/refunds": c.release, "GET /v1/refunds": say(200, none),
			}))
			got, err := newTestProvider(t, f.URL).Cancel(t.Context(), sdk.CancelRequest{PaymentRequest: requestOf("charge", chargeRef), Key: "op_x"})
			if class(err) != c.class || err == nil && (got.Status != c.status || got.Refs[0] != chargeRef || len(got.Refunds.Items) != c.refunds) {
				t.Fatalf("%+v %v", got, err)
			}
			for _, call := range f.seen() {
				if call.Method == "POST" && (call.Key != "op_x" || call.Form.Has("amount") || call.Form.Has("metadata[superpay_refund]")) {
					t.Errorf("%+v", call)
				}
			}
		})
	}
}

func TestCharge_CapturedInPart(t *testing.T) {
	part := `{` + tokenObject + `,"status":"succeeded","captured":true,"amount_captured":2000,"amount_refunded":500}`
	refunds := `{"id":"re_1","amount":500,"currency":"usd","status":"succeeded","balance_transaction":null,"charge":"ch_1"}`
	f := newFake(t, routes(t, map[string]http.HandlerFunc{
		"POST /v1/charges/ch_1/capture": say(200, part), "GET /v1/charges/ch_1": say(200, part), "GET /v1/refunds": page(false, refunds),
	}))
	p := newTestProvider(t, f.URL)
	known := requestOf("charge", chargeRef)
	got, err := p.Capture(t.Context(), sdk.CaptureRequest{PaymentRequest: known, Key: "op_c", Capture: usd(2000)})
	if err != nil || got.Status != sdk.Succeeded || got.Captures.Items[0].Amount != usd(2000) {
		t.Fatalf("%+v %v", got, err)
	}
	got, err = p.GetPayment(t.Context(), known)
	if err != nil || !got.Refunds.Complete || len(got.Refunds.Items) != 0 || !got.Disputes.Complete {
		t.Errorf("the released rest is no refund: %+v %v", got, err)
	}
	if c := f.seen(); c[0].Form.Get("amount") != "2000" || c[0].Key != "op_c" || c[2].Form.Get("charge") != "ch_1" {
		t.Errorf("%+v", c)
	}
}
