package main

import (
	"context"

	stripe "github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"

	"github.com/superpayhub/superpay/sdk/once"
)

const maxAnswer = 8 << 20 // bytes; a page of 100 expanded sessions is under 2 MiB

// newClient makes a client of this provider's own. The library's globals
// (stripe.Key, SetBackend) are shared and unlocked, so they are never used.
// Each backend needs a config of its own: GetBackendWithConfig writes the
// default address into the config that it is given.
func newClient(s settings) *client.API {
	hc := once.Client(once.Transport{Provider: "Stripe", MaxAnswer: maxAnswer, Base: once.Pool()})
	backend := func(kind stripe.SupportedBackend) stripe.Backend {
		return stripe.GetBackendWithConfig(kind, &stripe.BackendConfig{
			URL:               stripe.String(s.apiURL),
			HTTPClient:        hc,
			MaxNetworkRetries: stripe.Int64(0), // the hub repeats, with the same key
			EnableTelemetry:   stripe.Bool(false),
			LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull}, // it would log whole answers
		})
	}
	return client.New(s.secretKey, &stripe.Backends{
		API:     backend(stripe.APIBackend),
		Connect: backend(stripe.ConnectBackend),
		Uploads: backend(stripe.UploadsBackend),
	})
}

// post are the parameters that every POST has; the dispatch has checked that
// the key is there. Without params the library would send no key at all.
func post(ctx context.Context, key string) stripe.Params {
	return stripe.Params{Context: ctx, IdempotencyKey: stripe.String(key)}
}

// get are the parameters that every GET has. Without them it has no deadline.
func get(ctx context.Context) stripe.Params { return stripe.Params{Context: ctx} }

const pageSize = 100 // Stripe's largest

// walk visits a list newest first until visit says stop, reading at most limit
// objects. whole says that the end was seen: only then is absence proven. A page
// without data, or an empty one before the end, is an error: {} would read as an
// empty list, and the library panics on the other.
func walk[T any](it *stripe.Iter, data func(stripe.ListContainer) []*T, limit int, visit func(*T) bool) (whole bool, err error) {
	sound := func() error {
		page := data(it.List())
		switch {
		case it.Err() != nil:
			return it.Err()
		case page == nil, len(page) == 0 && it.Meta().HasMore:
			return once.ErrUnreadable
		}
		return nil
	}
	for range limit {
		if err := sound(); err != nil {
			return false, err
		}
		if !it.Next() { // it may have asked for a further page
			err := sound()
			return err == nil, err
		}
		item, _ := it.Current().(*T)
		if item == nil {
			return false, once.ErrUnreadable
		}
		if !visit(item) {
			return false, nil
		}
	}
	return false, sound()
}
