package main

import (
	"cmp"
	"context"
	"time"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// walkSessions is the lister of sessions.
func (p *Provider) walkSessions(ctx context.Context, created *stripe.RangeQueryParams, visit func(listed) bool) (bool, error) {
	params := &stripe.CheckoutSessionListParams{CreatedRange: created}
	params.Context, params.Limit = ctx, stripe.Int64(pageSize)
	data := func(l stripe.ListContainer) []*stripe.CheckoutSession { return l.(*stripe.CheckoutSessionList).Data }
	return walk(p.api.CheckoutSessions.List(params).Iter, data, maxSearched, func(s *stripe.CheckoutSession) bool {
		return visit(listed{s.ID, s.Created, s.Metadata})
	})
}

// listSessions returns one page of the sessions since then, newest first.
func (p *Provider) listSessions(ctx context.Context, since time.Time, after string, limit int) (*sdk.ListPage, error) {
	params := &stripe.CheckoutSessionListParams{}
	params.Context, params.Limit, params.Single = ctx, stripe.Int64(int64(limit)), true
	params.StartingAfter = optional(after)
	params.CreatedRange = createdSince(since)
	params.AddExpand("data.payment_intent")
	params.AddExpand("data.payment_intent.latest_charge")
	it := p.api.CheckoutSessions.List(params)
	list := it.CheckoutSessionList()
	if it.Err() != nil || list.Data == nil {
		return nil, outcome("list checkout sessions", cmp.Or(it.Err(), once.ErrUnreadable))
	}
	page := &sdk.ListPage{}
	for _, s := range list.Data {
		if s == nil || s.ID == "" {
			return nil, outcome("list checkout sessions", once.ErrUnreadable)
		}
		if s.Mode == stripe.CheckoutSessionModePayment {
			page.Payments = append(page.Payments, *fromSession(s))
		}
		if list.HasMore {
			page.Next = s.ID
		}
	}
	return page, nil
}
