package main

import (
	"strings"
	"testing"
)

func TestEvent_NamesWhatToRead(t *testing.T) {
	links := func(href string) string {
		return `"links":[{"rel":"self","href":"x"},{"rel":"up","href":"` + href + `"}]`
	}
	for _, c := range []struct{ kind, resource, want string }{
		{"CHECKOUT.ORDER.APPROVED", `{"id":"ORDER1","purchase_units":[{"custom_id":"att_1"}]}`, "att_1 order=ORDER1"},
		{"CHECKOUT.ORDER.COMPLETED", `{"id":"ORDER1","status":"COMPLETED","create_time":"odd","purchase_units":[{"custom_id":"att_1","payments":{"captures":[{"create_time":7}]}}]}`, "att_1 order=ORDER1"},
		{"CHECKOUT.PAYMENT-APPROVAL.REVERSED", `{"order_id":"ORDER1"}`, " order=ORDER1"},
		{"PAYMENT.CAPTURE.DENIED", `{"id":"CAP1","custom_id":"att_1",` + links("https://api.paypal.com/v2/payments/authorizations/AUTH1") + `}`, "att_1 authorization=AUTH1 capture=CAP1"},
		{"PAYMENT.CAPTURE.COMPLETED", `{"id":"CAP1","custom_id":"att_1:0a1b"}`, "att_1 of 0a1b capture=CAP1"},
		{"PAYMENT.CAPTURE.PENDING", `{"id":"CAP1",` + links("https://api.paypal.com/v2/checkout/orders/ORDER1") + `}`, " order=ORDER1 capture=CAP1"},
		{"PAYMENT.CAPTURE.REFUNDED", `{"id":"REF1","custom_id":"ref_1",` + links("https://api.paypal.com/v2/payments/captures/CAP1") + `}`, " capture=CAP1"},
		{"PAYMENT.CAPTURE.REVERSED", `{"id":"REF1",` + links("https://api.paypal.com/v2/payments/captures/CAP1") + `}`, " capture=CAP1"},
		{"PAYMENT.REFUND.FAILED", `{"id":"REF1",` + links("https://api.paypal.com/v2/payments/captures/CAP1") + `}`, " capture=CAP1"},
		{"PAYMENT.AUTHORIZATION.VOIDED", `{"id":"AUTH1","custom_id":"att_1","supplementary_data":{"related_ids":{"order_id":"ORDER1"}}}`, "att_1 order=ORDER1 authorization=AUTH1"},
		{"CUSTOMER.DISPUTE.CREATED", `{"dispute_id":"PP-1","disputed_transactions":[{"seller_transaction_id":"CAP1"},{"seller_transaction_id":"CAP2","custom":"att_2"}]}`, " capture=CAP1; att_2 capture=CAP2"},
		{"PAYMENT.CAPTURE.COMPLETED", `{"id":"../x","custom_id":"a b"}`, ""},
		{"PAYMENT.CAPTURE.COMPLETED", `{"id":7}`, ""},
		{"PAYMENT.CAPTURE.COMPLETED", `[]`, ""},
		{"BILLING.SUBSCRIPTION.CREATED", `{"id":"I1"}`, ""},
	} {
		e, ok := parseEvent([]byte(`{"id":"WH-1","event_type":"` + c.kind + `","resource":` + c.resource + `}`))
		if !ok {
			t.Errorf("%s is no event", c.kind)
		}
		var got []string
		for _, f := range e.facts() {
			s := f.Payment.AttemptID
			if hub := f.Payment.InstanceID; hub != "" {
				s += " of " + hub
			}
			for _, r := range f.Payment.Refs {
				s += " " + r.Kind + "=" + r.Value
			}
			got = append(got, s)
			if f.Proven {
				t.Errorf("%s: %+v", c.kind, f)
			}
		}
		if s := strings.Join(got, "; "); s != c.want {
			t.Errorf("%s %s: %q, want %q", c.kind, c.resource, s, c.want)
		}
	}
}
