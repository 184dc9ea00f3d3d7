package ledger

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// Lapsed reports whether an attempt that can still be paid is to be closed: the
// order's time is up, or the app canceled the order, because the provider had said
// that this is dead, and it is not.
func (o *Order) Lapsed(a *Attempt, now time.Time) bool {
	over := !now.Before(o.ExpiresAt) || !o.CancelAskedAt.IsZero()
	return o.Status == OrderOpen && over && !a.Abandoned &&
		(a.Status == sdk.RequiresAction || a.Status == sdk.RequiresConfirmation)
}

// toClose reports whether the hub is to close an attempt at the provider, or to give
// it up. Whoever found it so does that at once, unless it dies; then the next look
// does. What only the provider can close is read as ever.
func (o *Order) toClose(a *Attempt, env Env) bool {
	cancels := env.Cancels == nil || env.Cancels(a.Provider, a.Flow)
	if o.Lapsed(a, env.Now) {
		return cancels || !o.CancelAskedAt.IsZero()
	}
	return cancels && o.Superseded(a)
}
