package main

import (
	"cmp"
	"encoding/json"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
)

// claimed is what expectations are made of. These fields are spelled alike in
// all API versions, and an expectation moves no money: it makes the hub read.
type claimed struct {
	ID             string `json:"id"`
	Status         string `json:"status"`
	PaymentStatus  string `json:"payment_status"` // of a Checkout Session
	LatestCharge   name   `json:"latest_charge"`  // of a PaymentIntent
	Captured       bool   `json:"captured"`       // of a charge, and what follows
	Amount         int64  `json:"amount"`
	AmountCaptured int64  `json:"amount_captured"`
	AmountRefunded int64  `json:"amount_refunded"`
	Currency       string `json:"currency"`
}

// expected says what a read must show once it has caught up with an event. What
// a read leaves out is not expected (the failure of an earlier card), nor what
// comes and goes (a decline that leaves the payment open).
func expected(e event) []sdk.Expectation {
	var c claimed
	if json.Unmarshal(e.Data.Object, &c) != nil || c.ID == "" {
		return nil
	}
	switch e.Type {
	case "checkout.session.completed":
		if c.PaymentStatus == string(stripe.CheckoutSessionPaymentStatusPaid) {
			return expectStatus(sdk.Succeeded)
		}
		return expectStatus(sdk.Pending)
	case "checkout.session.async_payment_succeeded":
		return expectStatus(sdk.Succeeded)
	case "checkout.session.async_payment_failed", "checkout.session.expired", "payment_intent.canceled":
		return expectStatus(sdk.Canceled)
	case "payment_intent.processing":
		return expectStatus(sdk.Pending)
	case "payment_intent.amount_capturable_updated":
		return expectStatus(sdk.RequiresCapture)
	case "payment_intent.succeeded":
		if c.LatestCharge == "" {
			return expectStatus(sdk.Succeeded)
		}
		return []sdk.Expectation{{Kind: sdk.ExpectCapture, ID: string(c.LatestCharge), AtLeast: string(sdk.MovementSucceeded)}}
	case "charge.succeeded", "charge.captured":
		if !c.Captured {
			return nil
		}
		return []sdk.Expectation{{Kind: sdk.ExpectCapture, ID: c.ID, AtLeast: string(sdk.MovementSucceeded)}}
	case "charge.refunded":
		return c.refunded()
	case "charge.refund.updated", "refund.created", "refund.updated", "refund.failed":
		status := fromRefund(&stripe.Refund{Status: stripe.RefundStatus(c.Status)}).Status
		return []sdk.Expectation{{Kind: sdk.ExpectRefund, ID: c.ID, AtLeast: string(status)}}
	case "charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed",
		"charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated":
		return []sdk.Expectation{{Kind: sdk.ExpectDispute, ID: c.ID, AtLeast: string(cmp.Or(disputeStatus(stripe.DisputeStatus(c.Status)), sdk.DisputeOpen))}}
	}
	return nil
}

func expectStatus(s sdk.Status) []sdk.Expectation {
	return []sdk.Expectation{{Kind: sdk.ExpectPayment, AtLeast: string(s)}}
}

// refunded is what a charge says was given back, less the release of what its
// capture left over, which Stripe counts as refunded.
func (c claimed) refunded() []sdk.Expectation {
	back := c.AmountRefunded - (c.Amount - c.AmountCaptured)
	if !c.Captured || back <= 0 {
		return nil
	}
	return []sdk.Expectation{{Kind: sdk.ExpectRefunded, ID: c.ID, Amount: fromWire(back, stripe.Currency(c.Currency))}}
}
