package main

import (
	"cmp"
	"context"
	"time"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
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

// listDisputes returns one page of the disputes since then, newest first, each
// with the payment that it is of.
func (p *Provider) listDisputes(ctx context.Context, since time.Time, after string, limit int) (*sdk.ListPage, error) {
	params := &stripe.DisputeListParams{}
	params.Context, params.Limit, params.Single = ctx, stripe.Int64(int64(limit)), true
	params.StartingAfter = optional(after)
	params.CreatedRange = createdSince(since)
	it := p.api.Disputes.List(params)
	list := it.DisputeList()
	if it.Err() != nil || list.Data == nil {
		return nil, outcome("list disputes", cmp.Or(it.Err(), once.ErrUnreadable))
	}
	page := &sdk.ListPage{}
	for _, d := range list.Data {
		if d == nil || d.ID == "" {
			return nil, outcome("list disputes", once.ErrUnreadable)
		}
		if list.HasMore {
			page.Next = d.ID
		}
		payment := movementOf(nil, d.PaymentIntent, d.Charge)
		payment.Disputes.Items = []sdk.Dispute{fromDispute(d)}
		page.Payments = append(page.Payments, payment)
	}
	return page, nil
}

func fromDispute(d *stripe.Dispute) sdk.Dispute {
	out := sdk.Dispute{
		ID:             d.ID,
		Status:         disputeStatus(d.Status),
		Amount:         fromWire(d.Amount, d.Currency),
		FundsWithdrawn: withdrawn(d),
		Fee:            disputeFee(d),
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

// disputeFee is what Stripe keeps for the dispute, as far as it was booked: it
// may be given back with the money.
func disputeFee(d *stripe.Dispute) (fee sdk.Money) {
	var sum int64
	for _, t := range d.BalanceTransactions {
		if t != nil {
			sum += t.Fee
			fee = fromWire(sum, t.Currency)
		}
	}
	return fee
}
