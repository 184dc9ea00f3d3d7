package main

import (
	"context"
	"strings"
	"time"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// list is one of Stripe's lists. They are read by when their objects were made:
// unlike events, which Stripe keeps for 30 days, they have no end. A payment
// that is known and not settled is read by the hub on its own schedule; what
// comes to one that is settled is an object of its own, a refund or a dispute.
type list struct {
	name string
	page func(p *Provider, ctx context.Context, since time.Time, after string, limit int) (*sdk.ListPage, error)
}

var lists = []list{
	{"checkout_session", (*Provider).listSessions},
	{"charge", (*Provider).listCharges},
	{"payment_intent", (*Provider).listIntents},
	{"refund", (*Provider).listRefunds},
	{"dispute", (*Provider).listDisputes},
}

// List implements sdk.Lister: the lists one after the other. The cursor is the
// list's name and the last id of the page before.
func (p *Provider) List(ctx context.Context, r sdk.ListRequest) (*sdk.ListPage, error) {
	if p.api == nil {
		return nil, sdk.NotSent("the provider is not configured")
	}
	name, after, _ := strings.Cut(r.Cursor, ":")
	at := 0
	for r.Cursor != "" && lists[at].name != name {
		if at++; at == len(lists) {
			return nil, sdk.NotSent("the cursor is not one of this plugin's")
		}
	}
	limit := r.Limit
	if limit <= 0 || limit > pageSize {
		limit = pageSize
	}
	ctx, done := once.Within(ctx)
	defer done()
	page, err := lists[at].page(p, ctx, r.Since, after, limit)
	switch {
	case err != nil:
		return nil, err
	case page.Next != "":
		page.Next = lists[at].name + ":" + page.Next
	case at+1 < len(lists):
		page.Next = lists[at+1].name + ":"
	}
	return page, nil
}

// createdSince is the range of a list; all that there is if no time is given.
func createdSince(since time.Time) *stripe.RangeQueryParams {
	if since.IsZero() {
		return nil
	}
	return &stripe.RangeQueryParams{GreaterThanOrEqual: since.Unix()}
}

// movementOf names the payment of a refund or dispute, and says no more of it.
func movementOf(metadata map[string]string, intent *stripe.PaymentIntent, ch *stripe.Charge) sdk.Payment {
	p := sdk.Payment{}
	p.ReadMetadata(metadata)
	if intent != nil {
		p.Refs = addRef(p.Refs, kindIntent, intent.ID)
	}
	if ch != nil {
		p.Refs = addRef(p.Refs, kindCharge, ch.ID)
	}
	return p
}
