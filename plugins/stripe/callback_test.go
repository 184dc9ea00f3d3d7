package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/superpayhub/superpay/sdk"
)

func eventBody(eventType, object string) string {
	return fmt.Sprintf(`{"id":"evt_1","object":"event","api_version":"2023-10-16","livemode":false,"type":%q,"data":{"object":%s}}`, eventType, object)
}

const ours = `"metadata":{"superpay_attempt":"att_1","superpay_hub":"hub_1"}`

func sign(body, secret string, at time.Time) string {
	return webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: []byte(body), Secret: secret, Timestamp: at}).Header
}

func deliver(t *testing.T, body, header string) *sdk.CallbackResult {
	t.Helper()
	r := sdk.CallbackRequest{ReceivedAt: testNow, Method: "POST", Body: []byte(body)}
	if header != "" {
		r.Headers = []sdk.Header{{Name: "stripe-signature", Value: header}}
	}
	out, err := newTestProvider(t, "http://127.0.0.1:1").HandleCallback(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCallback_OnlyWhatStripeSignedNowIsBelieved(t *testing.T) {
	body := eventBody("payment_intent.succeeded", `{"id":"pi_1","object":"payment_intent","amount":1,"amount_received":1,"currency":"usd","status":"succeeded","latest_charge":"ch_1"}`)
	good := sign(body, testSecret, testNow)
	stale := testNow.Add(-301 * time.Second)
	for name, c := range map[string]struct {
		body, header string
		want         sdk.Verdict
	}{
		"good":               {body, good, sdk.Genuine},
		"second secret":      {body, sign(body, nextSecret, testNow), sdk.Genuine},
		"old but in time":    {body, sign(body, testSecret, testNow.Add(-299*time.Second)), sdk.Genuine},
		"one of several v1":  {body, "t=" + fmt.Sprint(testNow.Unix()) + ",v1=00ff," + strings.SplitN(good, ",", 2)[1], sdk.Genuine},
		"missing":            {body, "", sdk.Forged},
		"garbage":            {body, "garbage", sdk.Forged},
		"no time":            {body, strings.SplitN(good, ",", 2)[1], sdk.Forged},
		"wrong secret":       {body, sign(body, "whsec_somebodyelses01", testNow), sdk.Forged},
		"empty secret":       {body, sign(body, "", testNow), sdk.Forged},
		"one byte changed":   {strings.Replace(body, "pi_1", "pi_2", 1), good, sdk.Forged},
		"stale":              {body, sign(body, testSecret, stale), sdk.Forged},
		"future":             {body, sign(body, testSecret, testNow.Add(301*time.Second)), sdk.Forged},
		"stale, fresh first": {body, fmt.Sprintf("t=%d,", testNow.Unix()) + sign(body, testSecret, stale), sdk.Forged},
		"stale, fresh last":  {body, sign(body, testSecret, stale) + fmt.Sprintf(",t=%d", testNow.Unix()), sdk.Forged},
		"only v0":            {body, strings.Replace(good, "v1=", "v0=", 1), sdk.Forged},
		"empty body":         {"", good, sdk.Forged},
	} {
		t.Run(name, func(t *testing.T) {
			out := deliver(t, c.body, c.header)
			if out.Verdict != c.want {
				t.Fatalf("%s (%s), want %s", out.Verdict, out.Reason, c.want)
			}
			if c.want == sdk.Forged && (len(out.Facts) != 0 || out.Ack.Status != 400 || out.EventID != "") {
				t.Errorf("%+v", out)
			}
			if c.want == sdk.Genuine && (len(out.Facts) != 1 || !out.Facts[0].Proven || out.EventID != "evt_1") {
				t.Errorf("%+v", out)
			}
			if strings.Contains(out.Reason, "whsec") {
				t.Error("the reason holds a secret")
			}
		})
	}
}

func TestCallback_OtherAccountsModesAndVersions(t *testing.T) {
	pi := `{"id":"pi_1","object":"payment_intent","status":"succeeded","latest_charge":{"id":"ch_1"},"newer":{"shape":[1]},` + ours + `}`
	body := eventBody("payment_intent.succeeded", pi)
	send := func(b string) *sdk.CallbackResult { return deliver(t, b, sign(b, testSecret, testNow)) }

	if out := send(strings.Replace(body, `"livemode":false`, `"livemode":true`, 1)); out.Verdict != sdk.NotOurs || len(out.Facts) != 0 {
		t.Errorf("live event: %+v", out)
	}
	if out := send(strings.Replace(body, `"livemode":false`, `"livemode":false,"account":"acct_1"`, 1)); out.Verdict != sdk.NotOurs || len(out.Facts) != 0 {
		t.Errorf("connected account: %+v", out)
	}
	out := send(strings.Replace(body, "2023-10-16", "2025-03-31.basil", 1))
	if out.Verdict != sdk.Genuine || len(out.Facts) != 1 || out.Facts[0].Proven {
		t.Fatalf("other version: %+v", out)
	}
	if p := out.Facts[0].Payment; p.AttemptID != "att_1" || ref(p.Refs, kindIntent) != "pi_1" || ref(p.Refs, kindCharge) != "ch_1" || len(p.Captures.Items) != 0 {
		t.Errorf("the hint must name the payment and nothing else: %+v", p)
	}
	for _, b := range []string{
		`{"id":"evt_1","type":"payment_intent.succeeded","api_version":"2023-10-16"}`,
		eventBody("payment_intent.succeeded", "null"), eventBody("customer.created", `{"id":"cus_1"}`),
		eventBody("payment_intent.succeeded", `"pi_1"`), eventBody("charge.refunded", `{}`), `[]`,
	} {
		if out := send(b); out.Verdict != sdk.Genuine || len(out.Facts) != 0 {
			t.Errorf("%s: %+v", b, out)
		}
	}
}

const (
	sessionObject = `"id":"cs_1","object":"checkout.session","mode":"payment","amount_total":2500,"currency":"usd","payment_intent":"pi_1",` + ours
	intentObject  = `"id":"pi_1","object":"payment_intent","amount":2500,"currency":"usd","latest_charge":"ch_1",` + ours
	chargeObject  = `"id":"ch_1","object":"charge","amount":2500,"currency":"usd","payment_intent":"pi_1",` + ours
	tokenObject   = `"id":"ch_1","object":"charge","amount":2500,"currency":"usd","payment_intent":null,` + ours
	refundObject  = `"id":"re_1","object":"refund","amount":400,"currency":"usd","payment_intent":"pi_1","charge":"ch_1","balance_transaction":"txn_1","metadata":{"superpay_attempt":"att_1","superpay_hub":"hub_1","superpay_refund":"ref_1"}`
	disputeObject = `"id":"dp_1","object":"dispute","amount":2500,"currency":"usd","payment_intent":"pi_1","charge":"ch_1","metadata":{}`
)

// eventFacts is what each event says.
var eventFacts = []struct {
	event, object string
	proven        bool
	status        sdk.Status
	movement      string
}{
	{"checkout.session.completed", sessionObject + `,"status":"complete","payment_status":"paid"`, true, sdk.Succeeded, ""},
	{"checkout.session.completed", sessionObject + `,"status":"complete","payment_status":"unpaid"`, false, sdk.Pending, ""},
	{"checkout.session.async_payment_succeeded", sessionObject + `,"status":"complete","payment_status":"paid"`, true, sdk.Succeeded, ""},
	{"checkout.session.async_payment_failed", sessionObject + `,"status":"complete","payment_status":"unpaid"`, true, sdk.Failed, ""},
	{"checkout.session.expired", sessionObject + `,"status":"expired","payment_status":"unpaid"`, true, sdk.Canceled, ""},
	{"payment_intent.requires_action", intentObject + `,"status":"requires_action"`, true, sdk.RequiresAction, ""},
	{"payment_intent.processing", intentObject + `,"status":"processing"`, true, sdk.Pending, ""},
	{"payment_intent.amount_capturable_updated", intentObject + `,"status":"requires_capture","amount_capturable":2500`, true, sdk.RequiresCapture, ""},
	{"payment_intent.payment_failed", intentObject + `,"status":"requires_payment_method","last_payment_error":{"type":"card_error","code":"card_declined","decline_code":"stolen_card"}`, true, sdk.RequiresAction, ""},
	{"payment_intent.succeeded", intentObject + `,"status":"succeeded","amount_received":2500`, true, sdk.Succeeded, "capture ch_1 25.00 USD"},
	{"payment_intent.canceled", intentObject + `,"status":"canceled"`, true, sdk.Canceled, ""},
	{"payment_intent.created", intentObject + `,"status":"requires_payment_method"`, false, "ignored", ""},
	{"charge.succeeded", chargeObject + `,"status":"succeeded","captured":true,"amount_captured":2500`, true, sdk.Succeeded, "capture ch_1 25.00 USD"},
	{"charge.captured", chargeObject + `,"status":"succeeded","captured":true,"amount_captured":2500`, true, sdk.Succeeded, "capture ch_1 25.00 USD"},
	{"charge.updated", chargeObject + `,"status":"succeeded","captured":true,"amount_captured":2500,"balance_transaction":"txn_1"`, false, "", ""},
	{"charge.succeeded", chargeObject + `,"status":"succeeded","captured":false`, true, sdk.RequiresCapture, ""},
	{"charge.pending", chargeObject + `,"status":"pending"`, true, sdk.Pending, ""},
	{"charge.failed", chargeObject + `,"status":"failed"`, false, "", ""},
	{"charge.expired", chargeObject + `,"status":"succeeded"`, false, "", ""},
	{"charge.refunded", chargeObject + `,"status":"succeeded","amount_refunded":400`, false, "", ""},
	{"charge.succeeded", tokenObject + `,"status":"succeeded","captured":true,"amount_captured":2500`, true, sdk.Succeeded, "capture ch_1 25.00 USD"},
	{"charge.failed", tokenObject + `,"status":"failed","failure_code":"card_declined"`, true, sdk.Failed, ""},
	{"charge.expired", tokenObject + `,"status":"succeeded"`, true, sdk.Canceled, ""},
	{"charge.refund.updated", refundObject + `,"status":"succeeded"`, true, "", "refund re_1 ref_1 succeeded"},
	{"charge.refund.updated", refundObject + `,"status":"failed","failure_reason":"lost_or_stolen_card"`, true, "", "refund re_1 ref_1 failed"},
	{"refund.created", refundObject + `,"status":"pending"`, true, "", "refund re_1 ref_1 pending"},
	{"refund.updated", `"id":"re_2","object":"refund","amount":4,"currency":"usd","payment_intent":"pi_1","status":"succeeded","metadata":{"superpay_attempt":"att_1"}`, false, "", ""},
	{"refund.updated", `"id":"re_3","object":"refund","amount":4,"currency":"usd","payment_intent":"pi_1","balance_transaction":"txn_1","status":"succeeded","metadata":{"superpay_attempt":"att_1"}`, false, "", ""},
	{"charge.dispute.created", disputeObject + `,"status":"warning_needs_response"`, true, "", "dispute dp_1 inquiry false"},
	{"charge.dispute.funds_withdrawn", disputeObject + `,"status":"needs_response"`, true, "", "dispute dp_1 open true"},
	{"charge.dispute.funds_reinstated", disputeObject + `,"status":"won"`, true, "", "dispute dp_1 won false"},
	{"charge.dispute.closed", disputeObject + `,"status":"lost"`, true, "", "dispute dp_1 lost true"},
	{"charge.dispute.funds_reinstated", disputeObject + `,"status":"lost","balance_transactions":[{"id":"txn_2","amount":-2500,"fee":1500},{"id":"txn_3","amount":1000}]`, true, "", "dispute dp_1 lost true 15.00 USD"},
	{"charge.dispute.funds_reinstated", disputeObject + `,"status":"lost","balance_transactions":[{"id":"txn_2","amount":-2500},{"id":"txn_3","amount":2500}]`, true, "", "dispute dp_1 lost false"},
	{"charge.dispute.closed", disputeObject + `,"status":"lost","balance_transactions":[{"id":"txn_2","amount":-2300,"currency":"eur"},{"id":"txn_3","amount":920,"currency":"eur"}]`, true, "", "dispute dp_1 lost true 15.00 USD"},
	{"charge.dispute.updated", disputeObject + `,"status":"prevented"`, true, "", "dispute dp_1 closed false"},
	{"charge.dispute.updated", disputeObject + `,"status":"escalated","balance_transactions":[{"id":"txn_2","amount":-2500}]`, true, "", "dispute dp_1 open true"},
	{"charge.dispute.updated", disputeObject + `,"status":"under_review","balance_transactions":[{"id":"txn_2","amount":-2500}]`, true, "", "dispute dp_1 open true"},
}

func TestCallback_FactsOfEveryEvent(t *testing.T) {
	for _, c := range eventFacts {
		body := eventBody(c.event, "{"+c.object+"}")
		out := deliver(t, body, sign(body, testSecret, testNow))
		if c.status == "ignored" {
			if len(out.Facts) != 0 {
				t.Errorf("%s: %+v", c.event, out.Facts)
			}
			continue
		}
		if len(out.Facts) != 1 {
			t.Errorf("%s: %d facts, %s", c.event, len(out.Facts), out.Reason)
			continue
		}
		f, p := out.Facts[0], out.Facts[0].Payment
		if f.Proven != c.proven || p.Status != c.status || movement(p) != c.movement {
			t.Errorf("%s: proven %v status %q movement %q", c.event, f.Proven, p.Status, movement(p))
		}
		if p.Captures.Complete || p.Refunds.Complete || p.Disputes.Complete {
			t.Errorf("%s: an event shows no whole list", c.event)
		}
		if len(p.Refs) == 0 || p.Mode != sdk.Test || !strings.HasPrefix(c.event, "charge.dispute") && p.AttemptID != "att_1" {
			t.Errorf("%s: %+v", c.event, p)
		}
		if text := fmt.Sprintf("%+v", p.Failure); strings.Contains(text, "stolen") {
			t.Errorf("%s: %s", c.event, text)
		}
	}
}

func movement(p sdk.Payment) string {
	switch {
	case len(p.Captures.Items) == 1:
		return "capture " + p.Captures.Items[0].ID + " " + p.Captures.Items[0].Amount.String()
	case len(p.Refunds.Items) == 1:
		r := p.Refunds.Items[0]
		return fmt.Sprintf("refund %s %s %s", r.ID, r.RefundID, r.Status)
	case len(p.Disputes.Items) == 1:
		d := p.Disputes.Items[0]
		if d.Withdrawn.Currency == "" || d.Withdrawn == d.Amount {
			return fmt.Sprintf("dispute %s %s %v", d.ID, d.Status, d.FundsWithdrawn)
		}
		return fmt.Sprintf("dispute %s %s %v %s", d.ID, d.Status, d.FundsWithdrawn, d.Withdrawn)
	}
	return ""
}
