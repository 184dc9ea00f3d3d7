package main

import (
	"net/http"
	"reflect"
	"testing"

	"github.com/superpayhub/superpay/sdk"
)

func TestOfferOrder_AsksPayPalNothing(t *testing.T) {
	f := newFake(t, say(500, ""))
	p := newTestProvider(t, f)
	first, err := p.CreateCheckout(t.Context(), checkoutRequest("client"))
	if err != nil {
		t.Fatal(err)
	}
	second, _ := p.CreateCheckout(t.Context(), checkoutRequest("client"))
	want := map[string]string{
		"client_id": "client-superpay", "merchant_id": testMerchant, "intent": "CAPTURE", "currency": "EUR", "amount": "99.99",
		"custom_id": testAttempt + ":hub1", "description": "Three books & more",
	}
	if first.Status != sdk.RequiresAction || len(first.Refs) != 0 || !reflect.DeepEqual(first.NextAction.Client, want) || !reflect.DeepEqual(first, second) {
		t.Errorf("%+v %+v", first, first.NextAction)
	}
	if len(f.seen()) != 0 || f.tokens != 0 {
		t.Error("PayPal was asked")
	}
	in := testSettings(f.URL)
	in["merchant_id"] = ""
	p = New()
	if _, err := p.Configure(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if _, err := p.CreateCheckout(t.Context(), checkoutRequest("client")); class(err) != "rejected" {
		t.Errorf("without merchant_id: %v", err)
	}
}

// Everything in the order is the payer's choice: each lie has a row.
func TestCandidate_IsVerified(t *testing.T) {
	value := func(v, c string) map[string]any { return map[string]any{"value": v, "currency_code": c} }
	for _, c := range []struct {
		name, status string
		change       func(o, u map[string]any)
		confirm      string     // class of Confirm, "mismatch" for a Rejected of that code
		state        sdk.Status // of Confirm
		found        bool       // by GetPayment
	}{
		{"paid", "COMPLETED", func(_, u map[string]any) { u["payments"] = paid("COMPLETED") }, "done", sdk.Succeeded, true},
		{"paid, other spelling", "COMPLETED", func(_, u map[string]any) { u["payments"] = paid("COMPLETED"); u["amount"] = value("99.990", "EUR") }, "done", sdk.Succeeded, true},
		{"pending", "COMPLETED", func(_, u map[string]any) { u["payments"] = paid("PENDING") }, "done", sdk.Pending, true},
		{"declined", "COMPLETED", func(_, u map[string]any) { u["payments"] = paid("DECLINED") }, "done", sdk.RequiresAction, false},
		{"not approved", "CREATED", nil, "done", sdk.RequiresAction, false},
		{"voided", "VOIDED", nil, "done", sdk.RequiresAction, false},
		{"other payee", "COMPLETED", func(_, u map[string]any) {
			u["payments"] = paid("COMPLETED")
			u["payee"] = map[string]any{"merchant_id": "RD465XN5VS364"}
		}, "mismatch", "", false},
		{"payee by e-mail only", "COMPLETED", func(_, u map[string]any) {
			u["payments"] = paid("COMPLETED")
			u["payee"] = map[string]any{"email_address": "shop@example.com"}
		}, "mismatch", "", false},
		{"other attempt", "COMPLETED", func(_, u map[string]any) { u["payments"] = paid("COMPLETED"); u["custom_id"] = "att_other" }, "mismatch", "", false},
		{"another hub's", "COMPLETED", func(_, u map[string]any) { u["payments"] = paid("COMPLETED"); u["custom_id"] = testAttempt + ":hub2" }, "mismatch", "", false},
		{"no custom_id", "COMPLETED", func(_, u map[string]any) { u["payments"] = paid("COMPLETED"); delete(u, "custom_id") }, "mismatch", "", false},
		{"two units", "COMPLETED", func(o, u map[string]any) {
			u["payments"] = paid("COMPLETED")
			o["purchase_units"] = []any{u, map[string]any{"custom_id": testAttempt}}
		}, "mismatch", "", false},
		{"no unit", "COMPLETED", func(o, _ map[string]any) { o["purchase_units"] = []any{} }, "mismatch", "", false},
		{"fees to others", "COMPLETED", func(_, u map[string]any) {
			u["payments"] = paid("COMPLETED")
			u["payment_instruction"] = map[string]any{"platform_fees": []any{map[string]any{"amount": value("90.00", "EUR")}}}
		}, "mismatch", "", false},
		{"other intent", "COMPLETED", func(o, u map[string]any) { u["payments"] = paid("COMPLETED"); o["intent"] = "AUTHORIZE" }, "mismatch", "", false},
		{"less, paid", "COMPLETED", func(_, u map[string]any) { u["payments"] = paid("COMPLETED"); u["amount"] = value("9.99", "EUR") }, "done", sdk.Succeeded, true},
		{"other currency, paid", "COMPLETED", func(_, u map[string]any) { u["payments"] = paid("COMPLETED"); u["amount"] = value("99.99", "HUF") }, "done", sdk.Succeeded, true},
		{"less, approved", "APPROVED", func(_, u map[string]any) { u["amount"] = value("9.99", "EUR") }, "mismatch", "", false},
		{"other currency, approved", "APPROVED", func(_, u map[string]any) { u["amount"] = value("99.99", "HUF") }, "mismatch", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := doc(c.status, c.change)
			f := newFake(t, routes(t, map[string]http.HandlerFunc{"GET /v2/checkout/orders/" + testOrder: say(200, body)}))
			p := newTestProvider(t, f)
			out, err := p.Confirm(t.Context(), sdk.ConfirmRequest{
				PaymentRequest: paymentRequest("client"), Key: "op_2", Input: map[string]string{"order_id": testOrder},
			})
			got := class(err)
			if r, ok := err.(*sdk.RejectedError); ok && r.Failure.Code == sdk.FailureMismatch {
				got = "mismatch"
			}
			if got != c.confirm || err == nil && out.Status != c.state {
				t.Fatalf("confirm: %+v %v", out, err)
			}
			if err == nil && (c.state == sdk.RequiresAction) != (len(out.Refs) == 0) {
				t.Errorf("refs %v", out.Refs)
			}
			read, err := p.GetPayment(t.Context(), paymentRequest("client", orderRef()))
			if c.found != (err == nil) || !c.found && err != sdk.ErrNotFound {
				t.Fatalf("read: %+v %v", read, err)
			}
			if c.name == "less, paid" && (!read.Amount.Equal(eur(999)) || !out.Amount.Equal(eur(999)) || len(out.Captures.Items) != 1) {
				t.Errorf("the truth was not told: %+v", out)
			}
		})
	}
}

// The browser died between approval and capture: the server captures what it
// verified, under the operation's key.
func TestCandidate_ApprovedIsCaptured(t *testing.T) {
	done := doc("COMPLETED", func(_, u map[string]any) { u["payments"] = paid("COMPLETED") })
	f := newFake(t, routes(t, map[string]http.HandlerFunc{
		"GET /v2/checkout/orders/" + testOrder:               say(200, doc("APPROVED", nil)),
		"POST /v2/checkout/orders/" + testOrder + "/capture": say(201, done),
	}))
	out, err := newTestProvider(t, f).Confirm(t.Context(), sdk.ConfirmRequest{
		PaymentRequest: paymentRequest("client"), Key: "op_2", Input: map[string]string{"order_id": testOrder},
	})
	if err != nil || out.Status != sdk.Succeeded || f.seen()[1].Key != "op_2" {
		t.Errorf("%+v %v", out, err)
	}
	// An approval alone is not the payment: it would hide the order that is paid.
	if _, err := newTestProvider(t, f).GetPayment(t.Context(), paymentRequest("client", orderRef())); err != sdk.ErrNotFound {
		t.Error(err)
	}
	f = newFake(t, routes(t, map[string]http.HandlerFunc{
		"GET /v2/checkout/orders/" + testOrder:               say(200, doc("APPROVED", nil)),
		"POST /v2/checkout/orders/" + testOrder + "/capture": say(422, problemBody("UNPROCESSABLE_ENTITY", "INSTRUMENT_DECLINED")),
	}))
	out, err = newTestProvider(t, f).Confirm(t.Context(), sdk.ConfirmRequest{
		PaymentRequest: paymentRequest("client"), Key: "op_2", Input: map[string]string{"order_id": testOrder},
	})
	if err != nil || out.Status != sdk.RequiresAction || out.Failure == nil || len(out.Refs) != 0 {
		t.Errorf("declined: %+v %v", out, err)
	}
}

func TestCandidate_ByCaptureAndMissing(t *testing.T) {
	done := doc("COMPLETED", func(_, u map[string]any) { u["payments"] = paid("COMPLETED") })
	f := newFake(t, routes(t, map[string]http.HandlerFunc{
		"GET /v2/payments/captures/" + testCapture: say(200, `{"id":"`+testCapture+`","status":"COMPLETED","supplementary_data":{"related_ids":{"order_id":"`+testOrder+`"}}}`),
		"GET /v2/checkout/orders/" + testOrder:     say(200, done),
		"GET /v1/customer/disputes":                say(200, `{"items":[]}`),
	}))
	out, err := newTestProvider(t, f).GetPayment(t.Context(), paymentRequest("client", captureRef()))
	if err != nil || out.Status != sdk.Succeeded || out.Refs[0] != orderRef() {
		t.Errorf("%+v %v", out, err)
	}
	for name, answer := range map[string]http.HandlerFunc{
		"missing":   say(404, problemBody("RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")),
		"another's": say(403, problemBody("NOT_AUTHORIZED", "PERMISSION_DENIED")),
	} {
		p := newTestProvider(t, newFake(t, answer))
		if _, err := p.GetPayment(t.Context(), paymentRequest("client", orderRef())); err != sdk.ErrNotFound {
			t.Errorf("%s: %v", name, err)
		}
		_, err := p.Confirm(t.Context(), sdk.ConfirmRequest{PaymentRequest: paymentRequest("client"), Key: "op_2", Input: map[string]string{"order_id": testOrder}})
		if class(err) != "rejected" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := newTestProvider(t, newFake(t, say(500, ""))).GetPayment(t.Context(), paymentRequest("client")); err != sdk.ErrNotFound {
		t.Errorf("no refs: %v", err)
	}
}
