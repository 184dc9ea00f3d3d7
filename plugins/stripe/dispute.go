package main

import (
	"cmp"
	"context"
	"math/big"
	"strings"
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
	status, reason := standing(d)
	out := sdk.Dispute{
		ID:             d.ID,
		Status:         status,
		Amount:         fromWire(d.Amount, d.Currency),
		FundsWithdrawn: withdrawn(d),
		Lines:          linesOf(sdk.LineDispute, d.BalanceTransactions...),
		Reason:         reason,
		At:             at(d.Created),
	}
	if out.FundsWithdrawn {
		out.Withdrawn = gone(d)
	}
	for _, l := range out.Lines { // for a hub that knows no lines
		out.Fee = sdk.Money{Amount: out.Fee.Amount + l.Fee.Amount, Currency: l.Fee.Currency, Exponent: l.Fee.Exponent}
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
	case stripe.DisputeStatusNeedsResponse, stripe.DisputeStatusUnderReview:
		return sdk.DisputeOpen
	}
	return ""
}

// standing is the status; one that this version does not know, such as prevented,
// is judged by the money, and keeps its name beside the reason.
func standing(d *stripe.Dispute) (status sdk.DisputeStatus, reason string) {
	status, reason = disputeStatus(d.Status), string(d.Reason)
	if status != "" {
		return status, reason
	}
	reason = strings.TrimSpace(reason + " (" + string(d.Status) + ")")
	if withdrawn(d) {
		return sdk.DisputeOpen, reason
	}
	return sdk.DisputeClosed, reason
}

// lines sums up the balance transactions of a dispute, "zero, one, or two", that
// show funds withdrawn and reinstated, in the currency of the account's balance.
func lines(d *stripe.Dispute) (out, back int64) {
	for _, t := range d.BalanceTransactions {
		switch {
		case t == nil:
		case t.Amount < 0:
			out -= t.Amount
		default:
			back += t.Amount
		}
	}
	return out, back
}

// withdrawn reports whether money is gone at the moment: what was lost is, where
// no line says otherwise.
func withdrawn(d *stripe.Dispute) bool {
	out, back := lines(d)
	return out > back || out == 0 && d.Status == stripe.DisputeStatusLost
}

// gone is how much of the dispute's amount: of a lost one Stripe gives back what
// the merchant had refunded before. Lines may be in another currency, then it is
// the same share; without a line it is all.
func gone(d *stripe.Dispute) sdk.Money {
	m := fromWire(d.Amount, d.Currency)
	if out, back := lines(d); out > 0 {
		m.Amount = max(1, share(m.Amount, out-back, out)) // something is gone
	}
	return m
}

// share is amount * part / whole, rounded to the nearest.
func share(amount, part, whole int64) int64 {
	product := new(big.Int).Mul(big.NewInt(amount), big.NewInt(part))
	product.Add(product, big.NewInt(whole/2))
	return product.Div(product, big.NewInt(whole)).Int64()
}
