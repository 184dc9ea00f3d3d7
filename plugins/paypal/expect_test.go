package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk"
)

// TestExpected is what a read must show after each event.
func TestExpected(t *testing.T) {
	one := func(kind sdk.ExpectationKind, id, atLeast string) []sdk.Expectation {
		return []sdk.Expectation{{Kind: kind, ID: id, AtLeast: atLeast}}
	}
	for _, x := range []struct {
		kind, resource string
		want           []sdk.Expectation
	}{
		{"PAYMENT.CAPTURE.COMPLETED", `{"id":"C1","status":"COMPLETED"}`, one(sdk.ExpectCapture, "C1", "succeeded")},
		{"PAYMENT.CAPTURE.PENDING", `{"id":"C1"}`, one(sdk.ExpectCapture, "C1", "pending")},
		{"PAYMENT.CAPTURE.DENIED", `{"id":"C1"}`, one(sdk.ExpectCapture, "C1", "failed")},
		{"PAYMENT.CAPTURE.REFUNDED", `{"id":"R1","status":"COMPLETED"}`, one(sdk.ExpectRefund, "R1", "succeeded")},
		{"PAYMENT.CAPTURE.REFUNDED", `{"id":"R1","status":"PENDING"}`, one(sdk.ExpectRefund, "R1", "pending")},
		{"PAYMENT.CAPTURE.REVERSED", `{"id":"R1"}`, []sdk.Expectation{{Kind: sdk.ExpectRefund, ID: "R1", AtLeast: "pending", Reversed: true}}},
		{"PAYMENT.REFUND.FAILED", `{"id":"R1","status":"FAILED"}`, one(sdk.ExpectRefund, "R1", "failed")},
		{"PAYMENT.CAPTURE.COMPLETED", `{"id":"../v1"}`, nil},
		{"CHECKOUT.ORDER.APPROVED", `{"id":"O1"}`, one(sdk.ExpectPayment, "", "requires_confirmation")},
		{"CHECKOUT.PAYMENT-APPROVAL.REVERSED", `{"order_id":"O1"}`, nil}, // approvals come and go
		{"PAYMENT.AUTHORIZATION.CREATED", `{"id":"A1"}`, one(sdk.ExpectPayment, "", "requires_capture")},
		{"PAYMENT.AUTHORIZATION.VOIDED", `{"id":"A1"}`, one(sdk.ExpectPayment, "", "canceled")},
		{"CUSTOMER.DISPUTE.CREATED", `{"dispute_id":"PP-D-1","status":"OPEN","dispute_life_cycle_stage":"CHARGEBACK"}`, one(sdk.ExpectDispute, "PP-D-1", "open")},
		{"CUSTOMER.DISPUTE.UPDATED", `{"dispute_id":"PP-D-1","status":"WAITING_FOR_SELLER_RESPONSE","dispute_life_cycle_stage":"INQUIRY"}`, one(sdk.ExpectDispute, "PP-D-1", "inquiry")},
		{"CUSTOMER.DISPUTE.RESOLVED", `{"dispute_id":"PP-D-1","status":"RESOLVED","dispute_outcome":{"outcome_code":"RESOLVED_BUYER_FAVOUR"}}`, one(sdk.ExpectDispute, "PP-D-1", "lost")},
		{"CUSTOMER.DISPUTE.RESOLVED", `{"dispute_id":"../x","status":"RESOLVED"}`, nil},
		{"BILLING.PLAN.CREATED", `{"id":"P1"}`, nil},
	} {
		e, ok := parseEvent(fmt.Appendf(nil, `{"id":"WH-1","event_type":%q,"resource":%s}`, x.kind, x.resource))
		require.True(t, ok)
		require.Equal(t, x.want, e.expected(), "%s %s", x.kind, x.resource)
	}
}
