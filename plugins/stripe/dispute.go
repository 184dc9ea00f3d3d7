package main

import (
	"context"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
)

const maxDisputes = 100 // of one payment

// disputesOf lists the disputes of a PaymentIntent, or of a charge without one.
func (p *Provider) disputesOf(ctx context.Context, intent string, ch *stripe.Charge) (sdk.Disputes, error) {
	params := &stripe.DisputeListParams{PaymentIntent: optional(intent)}
	if intent == "" {
		params.Charge = &ch.ID
	}
	params.Context, params.Limit = ctx, stripe.Int64(pageSize)
	data := func(l stripe.ListContainer) []*stripe.Dispute { return l.(*stripe.DisputeList).Data }
	var out sdk.Disputes
	whole, err := walk(p.api.Disputes.List(params).Iter, data, maxDisputes, func(d *stripe.Dispute) bool {
		out.Items = append(out.Items, fromDispute(d))
		return true
	})
	if err != nil {
		return sdk.Disputes{}, outcome("list disputes", err)
	}
	out.Complete = whole
	return out, nil
}

func fromDispute(d *stripe.Dispute) sdk.Dispute {
	out := sdk.Dispute{
		ID:             d.ID,
		Status:         disputeStatus(d.Status),
		Amount:         fromWire(d.Amount, d.Currency),
		FundsWithdrawn: withdrawn(d),
		Reason:         string(d.Reason),
		At:             at(d.Created),
	}
	if d.Charge != nil {
		out.CaptureID = d.Charge.ID
	}
	if d.EvidenceDetails != nil {
		out.DueBy = at(d.EvidenceDetails.DueBy)
	}
	return out
}

func disputeStatus(s stripe.DisputeStatus) sdk.DisputeStatus {
	switch s {
	case stripe.DisputeStatusWarningNeedsResponse, stripe.DisputeStatusWarningUnderReview:
		return sdk.DisputeInquiry // no funds moved
	case stripe.DisputeStatusWarningClosed:
		return sdk.DisputeClosed
	case stripe.DisputeStatusWon:
		return sdk.DisputeWon
	case stripe.DisputeStatusLost:
		return sdk.DisputeLost
	}
	return sdk.DisputeOpen
}

// withdrawn reports whether the money is gone at the moment. Stripe lists "zero,
// one, or two balance transactions that show funds withdrawn and reinstated".
func withdrawn(d *stripe.Dispute) bool {
	if d.Status == stripe.DisputeStatusLost {
		return true
	}
	var net int64
	for _, t := range d.BalanceTransactions {
		if t != nil {
			net += t.Amount
		}
	}
	return net < 0
}
