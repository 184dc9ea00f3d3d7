package main

import (
	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
)

// linesOf are balance transactions as lines. One that is not expanded is a mere id,
// and one that is not there yet comes after the money, for some methods: neither
// tells anything.
func linesOf(kind sdk.LineKind, all ...*stripe.BalanceTransaction) (lines []sdk.Line) {
	for _, t := range all {
		if t == nil || t.ID == "" || t.Currency == "" {
			continue
		}
		lines = append(lines, sdk.Line{
			ID: t.ID, Kind: kind, Type: string(t.ReportingCategory),
			Gross: fromWire(t.Amount, t.Currency), Fee: fromWire(t.Fee, t.Currency),
			At: at(t.Created), AvailableAt: at(t.AvailableOn),
		})
	}
	return lines
}

// book tells how a charge's capture stands in the balance. Of a capture in part Stripe
// books the whole charge and gives back what is left over, which only the whole list of
// refunds shows (released): until then only the fee is told.
func book(c *sdk.Capture, ch *stripe.Charge, whole bool, released ...sdk.Line) {
	lines := linesOf(sdk.LineCapture, ch.BalanceTransaction)
	if len(lines) == 0 {
		return
	}
	c.Fee = lines[0].Fee
	if whole || ch.AmountCaptured == ch.Amount {
		c.Lines = append(lines, released...)
	}
}
