package main

import (
	"cmp"
	"context"
	"errors"
	"time"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
)

// maxSearched bounds the search for a session whose id never arrived.
const maxSearched = 20 * pageSize

// findSession looks for the attempt id in metadata. A session can have been
// created only while its key lived. Most were created at once, so the first
// window is small; only both windows together prove that there is none.
func (p *Provider) findSession(ctx context.Context, r sdk.PaymentRequest) (string, error) {
	const slack = 10 * time.Minute // between the hub's clock and Stripe's
	if r.AttemptID == "" || r.CreatedAt.IsZero() {
		return "", sdk.NotSent("nothing to look for the session by")
	}
	windows := [][2]time.Time{
		{r.CreatedAt.Add(-slack), r.CreatedAt.Add(slack)},
		{r.CreatedAt.Add(slack), r.CreatedAt.Add(keyLifetime + slack)},
	}
	for _, w := range windows {
		params := &stripe.CheckoutSessionListParams{CreatedRange: &stripe.RangeQueryParams{
			GreaterThanOrEqual: w[0].Unix(), LesserThanOrEqual: w[1].Unix(),
		}}
		id, past := "", false
		whole, err := p.walkSessions(ctx, params, maxSearched, func(s *stripe.CheckoutSession) bool {
			if s.Metadata[sdk.MetadataAttempt] == r.AttemptID && s.Metadata[sdk.MetadataInstance] == r.InstanceID {
				id = s.ID
			}
			past = at(s.Created).Before(w[0]) // newest first: the window is read
			return id == "" && !past
		})
		switch {
		case err != nil:
			return "", outcome("list checkout sessions", err)
		case id != "":
			return id, nil
		case !whole && !past:
			return "", errors.New("stripe: more checkout sessions than are searched")
		}
	}
	return "", sdk.ErrNotFound
}

func (p *Provider) walkSessions(ctx context.Context, params *stripe.CheckoutSessionListParams, limit int, visit func(*stripe.CheckoutSession) bool) (bool, error) {
	params.Context, params.Limit = ctx, stripe.Int64(pageSize)
	data := func(l stripe.ListContainer) []*stripe.CheckoutSession { return l.(*stripe.CheckoutSessionList).Data }
	return walk(p.api.CheckoutSessions.List(params).Iter, data, limit, visit)
}

// listSessions returns one page of the sessions since then, newest first.
func (p *Provider) listSessions(ctx context.Context, since time.Time, after string, limit int) (*sdk.ListPage, error) {
	params := &stripe.CheckoutSessionListParams{}
	params.Context, params.Limit, params.Single = ctx, stripe.Int64(int64(limit)), true
	params.StartingAfter = optional(after)
	if !since.IsZero() {
		params.CreatedRange = &stripe.RangeQueryParams{GreaterThanOrEqual: since.Unix()}
	}
	params.AddExpand("data.payment_intent")
	params.AddExpand("data.payment_intent.latest_charge")
	it := p.api.CheckoutSessions.List(params)
	list := it.CheckoutSessionList()
	if it.Err() != nil || list.Data == nil {
		return nil, outcome("list checkout sessions", cmp.Or(it.Err(), errUnreadable))
	}
	page := &sdk.ListPage{}
	for _, s := range list.Data {
		if s == nil || s.ID == "" {
			return nil, outcome("list checkout sessions", errUnreadable)
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
