package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

const (
	eventsPath = "/v1/notifications/webhooks-events"
	// maxListed bounds the events of one page: the payment of each is read.
	maxListed = 20
	maxCursor = 1000
)

// List implements sdk.Lister. PayPal lists neither orders nor refunds. Its
// transaction search lags by up to three hours and is a permission of its own;
// so this reads the events that PayPal made for the app's webhook since then,
// whether or not they could be delivered. It keeps them for 30 days. What an
// event says is as old as the event: it only names the payment, which is read.
// The cursor is the query of PayPal's own link to the next page.
func (p *Provider) List(ctx context.Context, r sdk.ListRequest) (*sdk.ListPage, error) {
	if p.api == nil {
		return nil, sdk.NotSent("the provider is not configured")
	}
	ctx, done := once.Within(ctx)
	defer done()
	query := r.Cursor
	if query == "" {
		limit := r.Limit
		if limit <= 0 || limit > maxListed {
			limit = maxListed
		}
		first := url.Values{"page_size": {strconv.Itoa(limit)}}
		if !r.Since.IsZero() {
			first.Set("start_time", r.Since.UTC().Format(time.RFC3339))
		}
		query = first.Encode()
	}
	var list struct {
		Events []json.RawMessage `json:"events"`
		Links  []link            `json:"links"`
	}
	err := p.api.send(ctx, get(eventsPath+"?"+query), &list)
	if err == nil && list.Events == nil {
		err = once.ErrUnreadable
	}
	if err != nil {
		return nil, outcome("list events", err)
	}
	page := &sdk.ListPage{}
	if len(list.Events) > 0 {
		page.Next = nextPage(list.Links)
	}
	seen := map[string]bool{}
	for _, raw := range list.Events {
		e, ok := parseEvent(raw)
		if !ok {
			continue // not in the shape that we know: its callback would mean nothing either
		}
		for _, f := range e.facts() {
			payment, err := p.listed(ctx, f.Payment.Refs, strings.HasPrefix(e.Type, "CUSTOMER.DISPUTE."), seen)
			if err != nil {
				return nil, err
			}
			if payment != nil {
				page.Payments = append(page.Payments, *payment)
			}
		}
	}
	return page, nil
}

// listed reads the payment that an event names, once; nil if there is none, or
// it is of another account.
func (p *Provider) listed(ctx context.Context, refs []sdk.Ref, disputed bool, seen map[string]bool) (*sdk.Payment, error) {
	id, err := p.orderID(ctx, refs)
	switch {
	case errors.Is(err, sdk.ErrNotFound), err == nil && seen[id] && !disputed:
		return nil, nil
	case err != nil:
		return nil, err
	}
	seen[id] = true
	o, err := p.fetchOrder(ctx, id)
	if isMissing(err) || statusOf(err) == http.StatusForbidden {
		return nil, nil
	}
	out, err := p.answer("read order", o, err)
	if err != nil {
		return nil, err
	}
	known := out.Refs // of its captures
	if !disputed {
		known = nil
	}
	return out, p.complete(ctx, out, known)
}

// nextPage is the query of the link to the next page. Only the query is taken
// of it: no answer says where this plugin sends its token.
func nextPage(links []link) string {
	for _, l := range links {
		if u, err := url.Parse(l.Href); l.Rel == "next" && err == nil && len(u.RawQuery) <= maxCursor {
			return u.RawQuery
		}
	}
	return ""
}
