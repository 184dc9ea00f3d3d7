package ledger

import (
	"github.com/superpayhub/superpay/sdk"
)

// Confirm continues an attempt with what the client obtained. One that is
// confirmed already, because the return page or a callback came first, is left as
// it is: its operation has succeeded, and nothing has to be asked.
func (o *Order) Confirm(attemptID string, ask Ask, env Env) (Change, *Operation, error) {
	if a := o.Attempt(attemptID); a != nil && a.confirmed() && o.busy() == nil && len(o.Operations) < maxNotNeeded {
		d := start(o, env)
		op := d.closed(sdk.OpConfirm, a, ask)
		d.record(a, News{Source: ask.Source, RequestID: ask.RequestID}, confirmNotNeeded, map[string]any{"operation": op.ID})
		return d.finish(), op, nil
	}
	a, err := o.target(attemptID, func(a *Attempt) bool {
		return a.Status == sdk.RequiresAction || a.Status == sdk.RequiresConfirmation
	}, "confirmed")
	if err != nil {
		return Change{}, nil, err
	}
	if err := o.mayTake(a); err != nil {
		return Change{}, nil, err
	}
	d := start(o, env)
	after := d.o.Attempt(a.ID)
	after.Approved = false
	if ask.Source == FromHub {
		after.Continues++
	}
	op := d.operation(sdk.OpConfirm, after, nil, ask)
	return d.finish(), op, nil
}

const (
	confirmNotNeeded = "confirm.not_needed"
	// maxNotNeeded is how many operations an order has before a confirm that
	// nobody needs is refused: an app that asks again and again makes no order grow.
	maxNotNeeded = 2 * MaxAttempts
)

// confirmed reports whether the payer's part is done and nobody gave it up. Nothing
// that happens later, such as a refund, makes it untrue.
func (a *Attempt) confirmed() bool {
	return !a.Abandoned && (a.Status == sdk.Pending || a.Status == sdk.RequiresCapture || a.Status == sdk.Succeeded)
}

// maxContinues bounds how often the hub confirms one attempt by itself: a payer
// whose card is declined time and again has to be asked.
const maxContinues = 5

// Continuable reports whether the hub may take an approval by itself: the payer
// gave it, nobody took it back, and no other attempt has money or is open.
func (o *Order) Continuable(a *Attempt) bool {
	return a.Status == sdk.RequiresConfirmation && a.Approved && o.mayContinue(a)
}

// Returnable reports whether the hub may confirm with what the payer brought back.
func (o *Order) Returnable(a *Attempt) bool {
	return (a.Status == sdk.RequiresAction || a.Status == sdk.RequiresConfirmation) && o.mayContinue(a)
}

func (o *Order) mayContinue(a *Attempt) bool {
	if a.Abandoned || a.Continues >= maxContinues ||
		o.Status != OrderOpen || !o.CancelAskedAt.IsZero() || o.flagged(a.ID) || o.busy() != nil {
		return false
	}
	for _, other := range o.Attempts {
		if other.ID == a.ID {
			continue
		}
		_, held := o.holds(other)
		if held || other.Live() && !other.Abandoned {
			return false
		}
	}
	return true
}
