package main

import (
	"cmp"
	"context"
	"time"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// walkCharges is the lister of charges. A PaymentIntent's charges carry its
// metadata and are not looked for.
func (p *Provider) walkCharges(ctx context.Context, created *stripe.RangeQueryParams, visit func(listed) bool) (bool, error) {
	params := &stripe.ChargeListParams{CreatedRange: created}
	params.Context, params.Limit = ctx, stripe.Int64(pageSize)
	data := func(l stripe.ListContainer) []*stripe.Charge { return l.(*stripe.ChargeList).Data }
	return walk(p.api.Charges.List(params).Iter, data, maxSearched, func(ch *stripe.Charge) bool {
		if !alone(ch) {
			return visit(listed{id: ch.ID, created: ch.Created})
		}
		return visit(listed{ch.ID, ch.Created, ch.Metadata})
	})
}

// listCharges returns one page of the charges since then, newest first: those
// that are payments themselves, so a page may hold fewer than were read.
func (p *Provider) listCharges(ctx context.Context, since time.Time, after string, limit int) (*sdk.ListPage, error) {
	params := &stripe.ChargeListParams{}
	params.Context, params.Limit, params.Single = ctx, stripe.Int64(int64(limit)), true
	params.StartingAfter = optional(after)
	params.CreatedRange = createdSince(since)
	it := p.api.Charges.List(params)
	list := it.ChargeList()
	if it.Err() != nil || list.Data == nil {
		return nil, outcome("list charges", cmp.Or(it.Err(), once.ErrUnreadable))
	}
	page := &sdk.ListPage{}
	for _, ch := range list.Data {
		if ch == nil || ch.ID == "" {
			return nil, outcome("list charges", once.ErrUnreadable)
		}
		if alone(ch) {
			page.Payments = append(page.Payments, *fromCharge(ch))
		}
		if list.HasMore {
			page.Next = ch.ID
		}
	}
	return page, nil
}
