package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/superpayhub/superpay/sdk"
)

func TestRead_SessionAndIntentTogether(t *testing.T) {
	const (
		intent = `"payment_intent":{"id":"pi_1","object":"payment_intent","amount":2500,"currency":"usd"`
		charge = `"latest_charge":{"id":"ch_1","object":"charge","amount":2500,"amount_captured":2500,"captured":true,"currency":"usd","status":"succeeded"`
	)
	for _, c := range []struct {
		name, session string
		status        sdk.Status
		captured      string
		failure       bool
	}{
		{"nobody came", `"status":"open","payment_intent":null`, sdk.RequiresAction, "complete 0", false},
		{"declined once", `"status":"open",` + intent + `,"status":"requires_payment_method","last_payment_error":{"type":"card_error","code":"card_declined"}}`, sdk.RequiresAction, "complete 0", true},
		{"3-D Secure", `"status":"open",` + intent + `,"status":"requires_action"}`, sdk.RequiresAction, "complete 0", false},
		{"just paid", `"status":"open",` + intent + `,"status":"succeeded","amount_received":2500,` + charge + `}}`, sdk.Succeeded, "complete 1", false},
		{"paid", `"status":"complete","payment_status":"paid",` + intent + `,"status":"succeeded","amount_received":2500,` + charge + `}}`, sdk.Succeeded, "complete 1", false},
		{"paid, charge not yet there", `"status":"complete","payment_status":"paid",` + intent + `,"status":"succeeded","amount_received":2500,"latest_charge":null}`, sdk.Succeeded, "unread 0", false},
		{"delayed", `"status":"complete","payment_status":"unpaid",` + intent + `,"status":"processing"}`, sdk.Pending, "complete 0", false},
		{"voucher", `"status":"complete","payment_status":"unpaid",` + intent + `,"status":"requires_action"}`, sdk.Pending, "complete 0", false},
		{"delayed failed", `"status":"complete","payment_status":"unpaid",` + intent + `,"status":"requires_payment_method","last_payment_error":{"type":"card_error","code":"payment_intent_payment_attempt_failed"}}`, sdk.Failed, "complete 0", true},
		{"authorised", `"status":"complete","payment_status":"unpaid",` + intent + `,"status":"requires_capture","amount_capturable":2500,"latest_charge":{"id":"ch_1","payment_method_details":{"card":{"capture_before":1772452800}}}}`, sdk.RequiresCapture, "complete 0", false},
		{"released", `"status":"complete","payment_status":"unpaid",` + intent + `,"status":"canceled"}`, sdk.Canceled, "complete 0", false},
		{"expired", `"status":"expired","payment_status":"unpaid","payment_intent":null`, sdk.Canceled, "complete 0", false},
		{"expired after a decline", `"status":"expired",` + intent + `,"status":"requires_payment_method"}`, sdk.Canceled, "complete 0", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, routes(t, map[string]http.HandlerFunc{
				"GET /v1/checkout/sessions/cs_test_1": say(200, `{`+sessionHead+`,`+c.session+`}`),
				"GET /v1/refunds":                     say(200, `{"object":"list","data":[],"has_more":false}`),
				"GET /v1/disputes":                    say(200, `{"object":"list","data":[],"has_more":false}`),
			}))
			got, err := newTestProvider(t, f.URL).GetPayment(t.Context(), paymentRequest(sessionRef))
			if err != nil {
				t.Fatal(err)
			}
			captured := fmt.Sprintf("%s %d", map[bool]string{true: "complete", false: "unread"}[got.Captures.Complete], len(got.Captures.Items))
			if got.Status != c.status || captured != c.captured || (got.Failure != nil) != c.failure {
				t.Errorf("%s %s %+v", got.Status, captured, got.Failure)
			}
			if !got.Refunds.Complete || !got.Disputes.Complete || got.Refs[0] != sessionRef {
				t.Errorf("%+v", got)
			}
			if c.status == sdk.RequiresCapture && (got.Authorized != usd(2500) || got.Capturable != usd(2500) || got.CaptureBefore.IsZero()) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestRead_RefundsAreRefundsAndReleasesAreNot(t *testing.T) {
	page1 := `{"object":"list","has_more":true,"data":[
		{"id":"re_release","amount":500,"currency":"usd","status":"succeeded","balance_transaction":null,"charge":"ch_1"},
		{"id":"re_app","amount":500,"currency":"usd","status":"succeeded","balance_transaction":null,"charge":"ch_1","metadata":{"superpay_refund":"ref_1","superpay_hub":"hub_1"}}]}`
	page2 := `{"object":"list","has_more":false,"data":[
		{"id":"re_dashboard","amount":500,"currency":"usd","status":"pending","charge":"ch_1"}]}`
	f := newFake(t, routes(t, map[string]http.HandlerFunc{
		"GET /v1/checkout/sessions/cs_test_1": say(200, `{`+sessionHead+`,"status":"complete","payment_status":"paid","payment_intent":{"id":"pi_1","amount":2500,"amount_received":2000,"currency":"usd","status":"succeeded",
			"latest_charge":{"id":"ch_1","status":"succeeded","captured":true,"amount":2500,"amount_captured":2000,"amount_refunded":1000,"disputed":true,"currency":"usd"}}}`),
		"GET /v1/refunds": func(w http.ResponseWriter, r *http.Request) {
			if r.Form.Get("starting_after") == "re_app" {
				fmt.Fprint(w, page2)
				return
			}
			fmt.Fprint(w, page1)
		},
		"GET /v1/disputes": say(200, `{"object":"list","has_more":false,"data":[{"id":"dp_1","amount":2000,"currency":"usd","charge":"ch_1","status":"needs_response","balance_transactions":[{"id":"txn_1","amount":-2000}],"evidence_details":{"due_by":1772452800}}]}`),
	}))
	p := newTestProvider(t, f.URL)
	got, err := p.GetPayment(t.Context(), paymentRequest(sessionRef))
	if err != nil {
		t.Fatal(err)
	}
	if c := got.Captures.Items[0]; c.ID != "ch_1" || c.Amount != usd(2000) {
		t.Errorf("%+v", c)
	}
	if r := got.Refunds; !r.Complete || len(r.Items) != 2 || r.Items[0].ID != "re_app" || r.Items[1].ID != "re_dashboard" {
		t.Errorf("%+v", r)
	}
	if d := got.Disputes; !d.Complete || len(d.Items) != 1 || !d.Items[0].FundsWithdrawn || d.Items[0].DueBy.IsZero() || d.Items[0].CaptureID != "ch_1" {
		t.Errorf("%+v", d)
	}

	find := sdk.GetRefundRequest{PaymentRequest: paymentRequest(sessionRef, intentRef), RefundID: "ref_1", CaptureID: "ch_1"}
	if re, err := p.GetRefund(t.Context(), find); err != nil || re.ID != "re_app" {
		t.Errorf("%+v %v", re, err)
	}
	find.RefundID = "ref_2"
	if _, err := p.GetRefund(t.Context(), find); class(err) != "not found" {
		t.Errorf("%v", err)
	}
}

func TestFind_AbsenceIsProvenByTheWholeListOnly(t *testing.T) {
	stranger := fmt.Sprintf(`{"id":"cs_other","created":%d,"status":"open","metadata":{"superpay_attempt":"att_1","superpay_hub":"hub_2"}}`, testNow.Unix())
	mine := fmt.Sprintf(`{"created":%d,"status":"open",%s}`, testNow.Unix(), sessionHead)
	page := func(more bool, items ...string) string {
		return fmt.Sprintf(`{"object":"list","has_more":%v,"data":[%s]}`, more, strings.Join(items, ","))
	}
	for name, c := range map[string]struct {
		list http.HandlerFunc
		want string
	}{
		"there":     {say(200, page(false, stranger, mine)), "done"},
		"not there": {say(200, page(false, stranger)), "not found"},
		"endless":   {say(200, page(true, stranger)), "unknown"},
		"empty":     {say(200, page(true)), "unknown"},
		"{}":        {say(200, `{}`), "unknown"},
		"no data":   {say(200, `{"has_more":true}`), "unknown"},
		"null item": {say(200, page(false, "null")), "unknown"},
		"500":       {say(500, `{}`), "unknown"},
		"breaks on page two": {func(w http.ResponseWriter, r *http.Request) {
			if r.Form.Has("starting_after") {
				fmt.Fprint(w, "<html>")
				return
			}
			fmt.Fprint(w, page(true, stranger))
		}, "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, routes(t, map[string]http.HandlerFunc{
				"GET /v1/checkout/sessions": c.list, "GET /v1/checkout/sessions/cs_test_1": say(200, openSession),
			}))
			got, err := newTestProvider(t, f.URL).GetPayment(t.Context(), paymentRequest())
			if class(err) != c.want || err == nil && got.Refs[0] != sessionRef {
				t.Errorf("%v %v", got, err)
			}
		})
	}
}
