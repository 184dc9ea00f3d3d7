package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk"
)

// TestExpected is what a read must show after each event.
func TestExpected(t *testing.T) {
	status := func(s sdk.Status) []sdk.Expectation {
		return []sdk.Expectation{{Kind: sdk.ExpectPayment, AtLeast: string(s)}}
	}
	for _, x := range []struct {
		kind, object string
		want         []sdk.Expectation
	}{
		{"charge.refunded", `{"id":"ch_1","captured":true,"amount":1000,"amount_captured":1000,"amount_refunded":400,"currency":"usd"}`, []sdk.Expectation{
			{Kind: sdk.ExpectRefunded, ID: "ch_1", Amount: sdk.Money{Amount: 400, Currency: "USD", Exponent: 2}},
		}},
		{"charge.refunded", `{"id":"ch_1","captured":true,"amount":1000,"amount_captured":600,"amount_refunded":500,"currency":"usd"}`, []sdk.Expectation{
			{Kind: sdk.ExpectRefunded, ID: "ch_1", Amount: sdk.Money{Amount: 100, Currency: "USD", Exponent: 2}},
		}},
		{"charge.refunded", `{"id":"ch_1","captured":true,"amount":1000,"amount_captured":600,"amount_refunded":400,"currency":"usd"}`, nil}, // what its capture left over
		{"charge.refunded", `{"id":"ch_1","captured":false,"amount":1000,"amount_captured":0,"amount_refunded":1000,"currency":"usd"}`, nil}, // a hold that was released
		{"refund.created", `{"id":"re_1","status":"succeeded"}`, []sdk.Expectation{{Kind: sdk.ExpectRefund, ID: "re_1", AtLeast: "succeeded"}}},
		{"charge.refund.updated", `{"id":"re_1","status":"canceled"}`, []sdk.Expectation{{Kind: sdk.ExpectRefund, ID: "re_1", AtLeast: "failed"}}},
		{"refund.updated", `{"id":"re_1","status":"requires_action"}`, []sdk.Expectation{{Kind: sdk.ExpectRefund, ID: "re_1", AtLeast: "pending"}}},
		{"charge.dispute.closed", `{"id":"dp_1","status":"warning_closed"}`, []sdk.Expectation{{Kind: sdk.ExpectDispute, ID: "dp_1", AtLeast: "closed"}}},
		{"charge.dispute.created", `{"id":"dp_1","status":"needs_response"}`, []sdk.Expectation{{Kind: sdk.ExpectDispute, ID: "dp_1", AtLeast: "open"}}},
		{"charge.captured", `{"id":"ch_1","captured":true}`, []sdk.Expectation{{Kind: sdk.ExpectCapture, ID: "ch_1", AtLeast: "succeeded"}}},
		{"charge.succeeded", `{"id":"ch_1","captured":false}`, nil}, // held
		{"charge.failed", `{"id":"ch_1","captured":false}`, nil},    // an earlier card's, perhaps
		{"payment_intent.succeeded", `{"id":"pi_1","latest_charge":"ch_1"}`, []sdk.Expectation{{Kind: sdk.ExpectCapture, ID: "ch_1", AtLeast: "succeeded"}}},
		{"payment_intent.succeeded", `{"id":"pi_1"}`, status(sdk.Succeeded)},
		{"payment_intent.payment_failed", `{"id":"pi_1","latest_charge":"ch_1"}`, nil}, // the payer may try another card
		{"payment_intent.canceled", `{"id":"pi_1"}`, status(sdk.Canceled)},
		{"checkout.session.completed", `{"id":"cs_1","payment_status":"paid"}`, status(sdk.Succeeded)},
		{"checkout.session.completed", `{"id":"cs_1","payment_status":"unpaid"}`, status(sdk.Pending)},
		{"checkout.session.expired", `{"id":"cs_1"}`, status(sdk.Canceled)},
		{"customer.created", `{"id":"cus_1"}`, nil},
		{"refund.created", `{"status":"succeeded"}`, nil},
		{"refund.created", `[]`, nil},
	} {
		e := event{Type: x.kind}
		e.Data.Object = []byte(x.object)
		require.Equal(t, x.want, expected(e), "%s %s", x.kind, x.object)
	}
}
