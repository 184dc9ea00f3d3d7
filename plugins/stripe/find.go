package main

import (
	"context"
	"fmt"
	"time"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
)

// maxSearched bounds the search for a payment whose id never arrived.
const maxSearched = 20 * pageSize

// listed is what a search looks at.
type listed struct {
	id       string
	created  int64
	metadata map[string]string
}

// lister walks a list of Stripe's, newest first, inside a window of time.
type lister func(ctx context.Context, created *stripe.RangeQueryParams, visit func(listed) bool) (whole bool, err error)

// find looks for the attempt id in metadata. A payment can have been created
// only while its key lived. Most were created at once, so the first window is
// small; only all windows together prove that there is none. What carries the
// hash of the app's key may be older than the attempt that the hub knows of.
func find(ctx context.Context, r sdk.PaymentRequest, what string, list lister) (string, error) {
	const slack = 10 * time.Minute // between the hub's clock and Stripe's
	if r.AttemptID == "" || r.CreatedAt.IsZero() {
		return "", sdk.NotSent("nothing to look for the payment by")
	}
	windows := [][2]time.Time{
		{r.CreatedAt.Add(-slack), r.CreatedAt.Add(slack)},
		{r.CreatedAt.Add(slack), r.CreatedAt.Add(keyLifetime + slack)},
	}
	if r.FindKeyHash != "" {
		windows = append(windows, [2]time.Time{r.CreatedAt.Add(-keyLifetime - slack), r.CreatedAt.Add(-slack)})
	}
	for _, w := range windows {
		id, past := "", false
		created := &stripe.RangeQueryParams{GreaterThanOrEqual: w[0].Unix(), LesserThanOrEqual: w[1].Unix()}
		whole, err := list(ctx, created, func(l listed) bool {
			if r.Finds(l.metadata) {
				id = l.id
			}
			past = at(l.created).Before(w[0]) // newest first: the window is read
			return id == "" && !past
		})
		switch {
		case err != nil:
			return "", outcome("list "+what, err)
		case id != "":
			return id, nil
		case !whole && !past:
			return "", fmt.Errorf("stripe: more %s than are searched", what)
		}
	}
	return "", sdk.ErrNotFound
}
