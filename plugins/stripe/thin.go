package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk/once"
)

// thinObject is the object of what Stripe calls a thin event: it names what it is
// about, and shows nothing of it.
const thinObject = "v2.core.event"

// paths are where the objects are read that an event can be about.
var paths = map[string]string{
	"checkout.session": "/v1/checkout/sessions/%s",
	"payment_intent":   "/v1/payment_intents/%s",
	"charge":           "/v1/charges/%s",
	"refund":           "/v1/refunds/%s",
	"dispute":          "/v1/disputes/%s",
}

// shown returns a thin event as the one of the same type that shows its object, which is
// read for that. The object may be newer than the event: it has no version, so that
// factOf takes it for a reason to read the payment, and for nothing else. An event that
// means nothing to a hub, or whose object is gone, shows none.
func (p *Provider) shown(ctx context.Context, e event) (event, error) {
	kind, known := strings.CutPrefix(e.Type, "v1.")
	e.Type, e.APIVersion, e.Data.Object = kind, "", nil
	path := paths[e.Related.Type]
	if !known || readers[kind] == nil || path == "" || e.Related.ID == "" {
		return e, nil
	}
	object, err := p.object(ctx, stripe.FormatURLPath(path, e.Related.ID))
	if err != nil && !isMissing(err) {
		return e, outcome("read the event's object", err)
	}
	e.Data.Object = object
	return e, nil
}

// object reads an object as Stripe wrote it.
func (p *Provider) object(ctx context.Context, path string) (json.RawMessage, error) {
	var answer stripe.APIResource
	params := get(ctx)
	api := p.api.PaymentIntents // each of the clients reads any path
	if err := api.B.Call(http.MethodGet, path, api.Key, &params, &answer); err != nil {
		return nil, err
	}
	if answer.LastResponse == nil {
		return nil, once.ErrUnreadable
	}
	return answer.LastResponse.RawJSON, nil
}
