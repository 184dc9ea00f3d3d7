package main

import (
	"strings"

	"github.com/superpayhub/superpay/sdk"
)

// expected says what a read must show once it has caught up with an event: the
// id of the event's resource, where PayPal's order or list of disputes shows
// it. An approval that is taken back comes and goes; so does a payment's status
// while its capture is pending, but not the capture.
func (e event) expected() []sdk.Expectation {
	id := e.Resource.ID
	switch e.Type {
	case "CHECKOUT.ORDER.APPROVED":
		return expectStatus(sdk.RequiresConfirmation)
	case "CHECKOUT.ORDER.COMPLETED", "CHECKOUT.ORDER.PROCESSED":
		return expectStatus(sdk.Pending)
	case "CHECKOUT.ORDER.VOIDED", "PAYMENT.AUTHORIZATION.VOIDED":
		return expectStatus(sdk.Canceled)
	case "PAYMENT.AUTHORIZATION.CREATED":
		return expectStatus(sdk.RequiresCapture)
	case "PAYMENT.CAPTURE.PENDING":
		return expectMovement(sdk.ExpectCapture, id, string(sdk.MovementPending))
	case "PAYMENT.CAPTURE.COMPLETED":
		return expectMovement(sdk.ExpectCapture, id, string(sdk.MovementSucceeded))
	case "PAYMENT.CAPTURE.DENIED", "PAYMENT.CAPTURE.DECLINED":
		return expectMovement(sdk.ExpectCapture, id, string(sdk.MovementFailed))
	case "PAYMENT.REFUND.PENDING":
		return expectMovement(sdk.ExpectRefund, id, string(sdk.MovementPending))
	case "PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED": // which come for a pending refund, too
		r := refund{Status: e.Resource.Status}
		out := expectMovement(sdk.ExpectRefund, id, string(r.standing()))
		for i := range out {
			out[i].Reversed = e.Type == "PAYMENT.CAPTURE.REVERSED" // the refund itself does not say so
		}
		return out
	case "PAYMENT.REFUND.FAILED":
		return expectMovement(sdk.ExpectRefund, id, string(sdk.MovementFailed))
	}
	if strings.HasPrefix(e.Type, "CUSTOMER.DISPUTE.") && disputeForm.MatchString(e.Resource.DisputeID) {
		d := dispute{Status: e.Resource.Status, Stage: e.Resource.Stage}
		d.Outcome.Code = e.Resource.Outcome.Code
		return []sdk.Expectation{{Kind: sdk.ExpectDispute, ID: e.Resource.DisputeID, AtLeast: string(d.standing())}}
	}
	return nil
}

func expectStatus(s sdk.Status) []sdk.Expectation {
	return []sdk.Expectation{{Kind: sdk.ExpectPayment, AtLeast: string(s)}}
}

func expectMovement(kind sdk.ExpectationKind, id, atLeast string) []sdk.Expectation {
	if !idForm.MatchString(id) {
		return nil
	}
	return []sdk.Expectation{{Kind: kind, ID: id, AtLeast: atLeast}}
}
