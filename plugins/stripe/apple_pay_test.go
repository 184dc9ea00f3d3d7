package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/superpayhub/superpay/sdk"
)

const (
	applePayIntent = `"id":"pi_1","object":"payment_intent","amount":2500,"currency":"usd","client_secret":"pi_1_secret_x","metadata":{"superpay_attempt":"att_1","superpay_hub":"hub_1","superpay_flow":"apple_pay"}`
	paidIntent     = `{` + applePayIntent + `,"status":"succeeded","amount_received":2500,"latest_charge":{"id":"ch_1","status":"succeeded","captured":true,"amount":2500,"amount_captured":2500}}`
	cardError      = `"type":"card_error","code":"card_declined","decline_code":"insufficient_funds"`
)

func TestApplePay_SameArgumentsSameBytes(t *testing.T) {
	for name, c := range map[string]struct {
		request sdk.CheckoutRequest
		form    map[string]string
	}{
		"server": {checkoutOf("apple_pay", "finalize", "server", "confirmation_token", "ctoken_1"), map[string]string{
			"confirmation_token": "ctoken_1", "payment_method": "", "automatic_payment_methods[enabled]": "true", "confirmation_method": "",
			"payment_method_types[0]": "", "return_url": "https://hub.example/return/att_1",
		}},
		"server, method": {checkoutOf("apple_pay", "payment_method", "pm_1"), map[string]string{
			"confirmation_token": "", "payment_method": "pm_1", "automatic_payment_methods[enabled]": "true",
		}},
		"legacy": {checkoutOf("apple_pay", "finalize", "legacy", "payment_method", "pm_1"), map[string]string{
			"payment_method": "pm_1", "automatic_payment_methods[enabled]": "", "confirmation_method": "manual",
			"payment_method_types[0]": "card", "return_url": "",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, say(200, paidIntent))
			p := newTestProvider(t, f.URL)
			for range 20 {
				got, err := p.CreateCheckout(t.Context(), c.request)
				if err != nil || got.Status != sdk.Succeeded || got.Refs[0] != intentRef || got.Captures.Items[0].ID != "ch_1" || got.NextAction != nil || got.Opaque != nil {
					t.Fatalf("%+v %v", got, err)
				}
			}
			c.request.CaptureMode = sdk.CaptureManual
			p.CreateCheckout(t.Context(), c.request)
			calls := f.seen()
			for _, call := range calls[:20] {
				if call.Path != "/v1/payment_intents" || call.Body != calls[0].Body || call.Key != "op_create_1" {
					t.Fatalf("%+v", call)
				}
			}
			c.form["amount"], c.form["currency"], c.form["confirm"], c.form["use_stripe_sdk"] = "2500", "usd", "true", "true"
			c.form["metadata[superpay_attempt]"], c.form["metadata[superpay_flow]"], c.form["capture_method"] = "att_1", "apple_pay", ""
			for k, want := range c.form {
				if got := calls[0].Form.Get(k); got != want {
					t.Errorf("%s = %q, want %q", k, got, want)
				}
			}
			if got := calls[20].Form.Get("capture_method"); got != "manual" {
				t.Errorf("capture_method %q", got)
			}
		})
	}
}

func TestApplePay_ExactlyOneInputAndNeverShown(t *testing.T) {
	f := newFake(t, say(400, `{"error":{"type":"invalid_request_error","code":"resource_missing","message":"No such PaymentMethod: 'pm_`+leak+`', nor ctoken_`+leak+`"}}`))
	p := newTestProvider(t, f.URL)
	for _, c := range []struct {
		names string
		input []string
	}{
		{"input.payment_method", nil},
		{"input.payment_method", []string{"finalize", "legacy"}},
		{"input.payment_method", []string{"payment_method", leak}},
		{"input.payment_method", []string{"payment_method", "tok_" + leak}},
		{"input.confirmation_token", []string{"confirmation_token", "pm_" + leak}},
		{"input.confirmation_token", []string{"confirmation_token", "ctoken_" + leak, "payment_method", "pm_" + leak}},
		{"input.confirmation_token", []string{"finalize", "legacy", "confirmation_token", "ctoken_" + leak}},
		{"input.confirmation_token", []string{"finalize", "legacy", "confirmation_token", "ctoken_" + leak, "payment_method", "pm_" + leak}},
	} {
		_, err := p.CreateCheckout(t.Context(), checkoutOf("apple_pay", c.input...))
		if code(err) != sdk.FailureInvalidRequest || !strings.Contains(err.Error(), c.names) || strings.Contains(err.Error(), leak) {
			t.Errorf("%v: %v", c.input, err)
		}
	}
	if n := len(f.seen()); n != 0 {
		t.Errorf("%d were sent", n)
	}
	_, err := p.CreateCheckout(t.Context(), checkoutOf("apple_pay", "payment_method", "pm_"+leak))
	if class(err) != "rejected" || strings.Contains(err.Error(), leak) {
		t.Errorf("%v", err)
	}
}

func TestApplePay_WhatThePayerHasToDo(t *testing.T) {
	const (
		sdkAction = `,"status":"requires_action","next_action":{"type":"use_stripe_sdk","use_stripe_sdk":{}}`
		redirect  = `,"status":"requires_action","next_action":{"type":"redirect_to_url","redirect_to_url":{"url":"https://hooks.stripe.com/3ds"}}`
		byHand    = `,"confirmation_method":"manual"`
	)
	for name, c := range map[string]struct {
		intent string
		action sdk.NextActionType
		url    string
		opaque string
	}{
		"server, SDK":      {sdkAction, sdk.ActionClient, "", clientHolds},
		"server, redirect": {redirect, sdk.ActionRedirect, "https://hooks.stripe.com/3ds", ""},
		"legacy, SDK":      {sdkAction + byHand, sdk.ActionClient, "", clientHolds},
		"legacy, redirect": {redirect + byHand, sdk.ActionClient, "https://hooks.stripe.com/3ds", clientHolds},
	} {
		f := newFake(t, say(200, `{`+applePayIntent+c.intent+`}`))
		p := newTestProvider(t, f.URL)
		created, err1 := p.CreateCheckout(t.Context(), checkoutOf("apple_pay", "payment_method", "pm_1"))
		read, err2 := p.GetPayment(t.Context(), requestOf("apple_pay", intentRef))
		if err1 != nil || err2 != nil {
			t.Fatalf("%s: %v %v", name, err1, err2)
		}
		for _, got := range []*sdk.Payment{created, read} {
			a := got.NextAction
			if got.Status != sdk.RequiresAction || a == nil || a.Type != c.action || a.URL+a.Client["redirect_url"] != c.url || string(got.Opaque) != c.opaque {
				t.Errorf("%s: %+v %+v", name, got, a)
				continue
			}
			if client := a.Client; a.Type == sdk.ActionClient && (client["client_secret"] != "pi_1_secret_x" || client["publishable_key"] != "pk_test_superpay0001" || client["payment_intent"] != "pi_1") {
				t.Errorf("%s: %v", name, client)
			}
		}
	}
}

func TestApplePay_DeclineIsData(t *testing.T) {
	f := newFake(t, say(402, `{"error":{`+cardError+`,"charge":"ch_1","message":"`+leak+`","payment_method":{"id":"pm_`+leak+`"},
		"payment_intent":{`+strings.Replace(applePayIntent, "_secret_x", "_secret_"+leak, 1)+`,"status":"requires_payment_method","latest_charge":"ch_1","last_payment_error":{`+cardError+`}}}}`))
	p := newTestProvider(t, f.URL)
	got, err := p.CreateCheckout(t.Context(), checkoutOf("apple_pay", "payment_method", "pm_1"))
	if err != nil || got.Status != sdk.Failed || got.Refs[0] != intentRef || got.Failure.Code != sdk.FailureInsufficientFunds || got.NextAction != nil || got.AttemptID != "att_1" {
		t.Fatalf("%+v %v", got, err)
	}
	if strings.Contains(fmt.Sprintf("%+v %+v", got, got.Failure), leak) {
		t.Errorf("%+v", got)
	}
	bare := newFake(t, say(402, `{"error":{`+cardError+`}}`))
	if got, err := newTestProvider(t, bare.URL).CreateCheckout(t.Context(), checkoutOf("apple_pay", "payment_method", "pm_1")); err != nil || got.Status != sdk.Failed || got.Failure == nil {
		t.Errorf("%+v %v", got, err)
	}
}

func TestApplePay_SecondConfirmation(t *testing.T) {
	state := func(status string) http.HandlerFunc {
		return say(200, `{`+applePayIntent+`,"confirmation_method":"manual","status":"`+status+`"}`)
	}
	declinedNow := say(402, `{"error":{`+cardError+`,"payment_intent":{`+applePayIntent+`,"confirmation_method":"manual","status":"requires_payment_method"}}}`)
	for name, c := range map[string]struct {
		reads   []http.HandlerFunc
		confirm http.HandlerFunc
		class   string
		status  sdk.Status
	}{
		"paid":              {[]http.HandlerFunc{state("requires_confirmation")}, say(200, paidIntent), "done", sdk.Succeeded},
		"held":              {[]http.HandlerFunc{state("requires_confirmation")}, state("requires_capture"), "done", sdk.RequiresCapture},
		"again":             {[]http.HandlerFunc{state("requires_confirmation")}, state("requires_action"), "done", sdk.RequiresAction},
		"declined":          {[]http.HandlerFunc{state("requires_confirmation")}, declinedNow, "done", sdk.Failed},
		"done before":       {[]http.HandlerFunc{say(200, paidIntent)}, nil, "done", sdk.Succeeded},
		"payer is not done": {[]http.HandlerFunc{state("requires_action")}, nil, "done", sdk.RequiresAction},
		"just canceled":     {[]http.HandlerFunc{state("requires_confirmation"), state("canceled")}, say(400, badState), "done", sdk.Canceled},
		"refused":           {[]http.HandlerFunc{state("requires_confirmation"), state("requires_confirmation")}, say(400, badState), "rejected", ""},
		"lost":              {[]http.HandlerFunc{state("requires_confirmation")}, say(200, `{"id":`), "unknown", ""},
		"unread":            {[]http.HandlerFunc{say(500, `{}`)}, nil, "not sent", ""},
	} {
		t.Run(name, func(t *testing.T) {
			reads := 0
			f := newFake(t, routes(t, map[string]http.HandlerFunc{
				"GET /v1/payment_intents/pi_1": func(w http.ResponseWriter, r *http.Request) {
					c.reads[reads](w, r)
					reads++
				},
				"POST /v1/payment_intents/pi_1/confirm": c.confirm, "GET /v1/refunds": say(200, none),
			}))
			got, err := newTestProvider(t, f.URL).Confirm(t.Context(), sdk.ConfirmRequest{PaymentRequest: requestOf("apple_pay", intentRef), Key: "op_2"})
			if class(err) != c.class || err == nil && (got.Status != c.status || got.Refs[0] != intentRef) {
				t.Fatalf("%+v %v", got, err)
			}
			for _, call := range f.seen() {
				if call.Method == "POST" && call.Key != "op_2" {
					t.Errorf("%+v", call)
				}
			}
		})
	}
	p := newTestProvider(t, newFake(t, say(500, `{}`)).URL)
	if _, err := p.Confirm(t.Context(), sdk.ConfirmRequest{PaymentRequest: paymentRequest(sessionRef), Key: "k"}); class(err) != "not sent" {
		t.Errorf("%v", err)
	}
}

func TestApplePay_CanceledInEveryState(t *testing.T) {
	state := func(status string) http.HandlerFunc { return say(200, `{`+applePayIntent+`,"status":"`+status+`"}`) }
	for name, c := range map[string]struct {
		cancel, read http.HandlerFunc
		class        string
		status       sdk.Status
	}{
		"cancelable": {state("canceled"), nil, "done", sdk.Canceled},
		"processing": {say(400, badState), state("processing"), "done", sdk.Pending},
		"paid":       {say(400, badState), say(200, paidIntent), "done", sdk.Succeeded},
		"before":     {say(400, badState), state("canceled"), "done", sdk.Canceled},
		"refused":    {say(400, badState), state("requires_action"), "rejected", ""},
		"lost":       {say(502, `<html>`), nil, "unknown", ""},
	} {
		f := newFake(t, routes(t, map[string]http.HandlerFunc{
			"POST /v1/payment_intents/pi_1/cancel": c.cancel, "GET /v1/payment_intents/pi_1": c.read, "GET /v1/refunds": say(200, none),
		}))
		got, err := newTestProvider(t, f.URL).Cancel(t.Context(), sdk.CancelRequest{PaymentRequest: requestOf("apple_pay", intentRef), Key: "op_x"})
		if class(err) != c.class || err == nil && got.Status != c.status {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
}
