package main

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/superpayhub/superpay/sdk"
)

// A callback and a read that show the same object must say the same of it: the
// hub takes a difference for a contradiction. What only a read can decide is a
// callback that says nothing.
func TestCallbackAndRead_AgreeOnEveryState(t *testing.T) {
	const (
		byHand = `,"confirmation_method":"manual"`
		wrong  = `,"status":"requires_payment_method","last_payment_error":{` + cardError + `}`
		taken  = `,"amount_received":2500,"latest_charge":{"id":"ch_1","status":"succeeded","captured":true,"amount":2500}`
		refuse = `,"status":"failed","failure_code":"card_declined","outcome":{"type":"issuer_declined","reason":"insufficient_funds"}`
	)
	for _, c := range []struct {
		flow, event, object string
		opaque              string
		proven              bool
		status              sdk.Status
	}{
		{"apple_pay", "payment_intent.requires_action", applePayIntent + `,"status":"requires_action"`, "", true, sdk.RequiresAction},
		{"apple_pay", "payment_intent.processing", applePayIntent + `,"status":"processing"`, "", true, sdk.Pending},
		{"apple_pay", "payment_intent.amount_capturable_updated", applePayIntent + `,"status":"requires_capture","amount_capturable":2500`, "", true, sdk.RequiresCapture},
		{"apple_pay", "payment_intent.succeeded", applePayIntent + `,"status":"succeeded"` + taken, "", true, sdk.Succeeded},
		{"apple_pay", "payment_intent.canceled", applePayIntent + `,"status":"canceled"`, "", true, sdk.Canceled},
		{"apple_pay", "payment_intent.payment_failed", applePayIntent + wrong + byHand, clientHolds, true, sdk.Failed},
		{"apple_pay", "payment_intent.payment_failed", applePayIntent + wrong + byHand, "", true, sdk.Failed},
		{"apple_pay", "payment_intent.payment_failed", applePayIntent + wrong, "", false, sdk.Failed},
		{"apple_pay", "payment_intent.payment_failed", applePayIntent + wrong, clientHolds, false, sdk.RequiresAction},
		{"apple_pay", "payment_intent.payment_failed", applePayIntent + `,"status":"requires_payment_method"`, "", false, sdk.Failed},
		{"charge", "charge.succeeded", tokenObject + `,"status":"succeeded","captured":true,"amount_captured":2500`, "", true, sdk.Succeeded},
		{"charge", "charge.succeeded", tokenObject + `,"status":"succeeded","captured":false`, "", true, sdk.RequiresCapture},
		{"charge", "charge.captured", tokenObject + `,"status":"succeeded","captured":true,"amount_captured":2000`, "", true, sdk.Succeeded},
		{"charge", "charge.pending", tokenObject + `,"status":"pending"`, "", true, sdk.Pending},
		{"charge", "charge.failed", tokenObject + refuse, "", true, sdk.Failed},
		{"charge", "charge.expired", tokenObject + `,"status":"succeeded","refunded":true`, "", true, sdk.Canceled},
		{"charge", "charge.refunded", tokenObject + `,"status":"succeeded","refunded":true`, "", false, sdk.Canceled},
	} {
		t.Run(c.event+" "+string(c.status), func(t *testing.T) {
			body := eventBody(c.event, "{"+c.object+"}")
			fact := deliver(t, body, sign(body, testSecret, testNow)).Facts[0]
			f := newFake(t, routes(t, map[string]http.HandlerFunc{
				"GET /v1/payment_intents/pi_1": say(200, "{"+c.object+"}"), "GET /v1/charges/ch_1": say(200, "{"+c.object+"}"),
				"GET /v1/refunds": say(200, none), "GET /v1/disputes": say(200, none),
			}))
			r := requestOf(c.flow, intentRef, chargeRef)
			r.Opaque = []byte(c.opaque)
			read, err := newTestProvider(t, f.URL).GetPayment(t.Context(), r)
			if err != nil || read.Status != c.status || fact.Proven != c.proven {
				t.Fatalf("%v %+v %v", fact.Proven, read, err)
			}
			if !read.Captures.Complete || !read.Refunds.Complete || !read.Disputes.Complete || (read.Status == sdk.Failed) != (read.Failure != nil) && c.opaque == "" {
				t.Errorf("%+v", read)
			}
			said := fact.Payment
			if said.AttemptID != "att_1" || said.InstanceID != "hub_1" || said.Refs[0] != read.Refs[0] || said.Mode != read.Mode {
				t.Errorf("%+v names another payment than %+v", said, read)
			}
			if !c.proven {
				if said.Status != "" || said.Failure != nil || movement(said) != "" {
					t.Errorf("a hint says %+v", said)
				}
				return
			}
			tell := func(p sdk.Payment) string {
				return fmt.Sprintln(p.Status, p.Amount, p.Authorized, p.Capturable, movement(p), p.Failure == nil || *p.Failure == *read.Failure)
			}
			if tell(said) != tell(*read) {
				t.Errorf("the callback says %sthe read says %s", tell(said), tell(*read))
			}
		})
	}
}

// A decline and the events of it are told in the same words.
func TestDecline_AnswerEventAndReadAreTheSame(t *testing.T) {
	for _, c := range []struct{ code, declineCode, outcome string }{
		{"card_declined", "insufficient_funds", `{"type":"issuer_declined","reason":"insufficient_funds"}`},
		{"card_declined", "lost_card", `{"type":"issuer_declined","reason":"lost_card"}`},
		{"expired_card", "", `{"type":"issuer_declined","reason":"expired_card"}`},
		{"card_declined", "fraudulent", `{"type":"blocked","reason":"highest_risk_level"}`},
	} {
		answer := newFake(t, say(402, fmt.Sprintf(`{"error":{"type":"card_error","code":%q,"decline_code":%q,"charge":"ch_1"}}`, c.code, c.declineCode)))
		got, err := newTestProvider(t, answer.URL).CreateCheckout(t.Context(), checkoutOf("charge", "token", "tok_visa"))
		if err != nil {
			t.Fatal(err)
		}
		body := eventBody("charge.failed", `{`+tokenObject+`,"status":"failed","failure_code":"`+c.code+`","outcome":`+c.outcome+`}`)
		if f := deliver(t, body, sign(body, testSecret, testNow)).Facts[0]; *f.Payment.Failure != *got.Failure {
			t.Errorf("%+v, but the event says %+v", got.Failure, f.Payment.Failure)
		}
	}
}
