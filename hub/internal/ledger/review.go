package ledger

import (
	"slices"

	"github.com/superpayhub/superpay/sdk"
)

// review looks at the sums for what no single fact shows.
func (d *decision) review() {
	with := 0 // attempts that hold or took money
	for _, a := range d.o.Attempts {
		_, held := d.o.holds(a)
		if held || a.Captured > 0 && !d.o.flagged(a.ID) {
			if with++; with > 1 {
				d.raise(SecondPayment, a.ID)
			}
		}
		d.compare(a)
		captured := false
		for _, b := range d.o.Balances(a) {
			captured = captured || b.Captured > 0
			if b.Refunded > b.Captured && b.Captured > 0 {
				d.raise(OverRefunded, a.ID)
			}
		}
		was := d.before.Attempt(a.ID)
		switch {
		case captured && d.closedBefore(a):
			d.raise(PaidAfterClose, a.ID)
		case a.Status == sdk.RequiresCapture && was != nil && was.Status != sdk.RequiresCapture && d.closedBefore(a):
			d.raise(AuthorizedAfterClose, a.ID)
		}
	}
}

// closedBefore reports whether the order was canceled or expired, or the app had
// asked to cancel it and was not refused, before money of the attempt was held or
// captured.
func (d *decision) closedBefore(a *Attempt) bool {
	if d.before.Took(a) {
		return false
	}
	held := func(x Attention) bool { return x.Reason == AuthorizedAfterClose && x.AttemptID == a.ID }
	if d.before.Status == OrderCanceled || d.before.Status == OrderExpired || slices.ContainsFunc(d.before.Attention, held) {
		return true
	}
	return !d.before.CancelAskedAt.IsZero() && !d.o.CancelAskedAt.IsZero()
}

// release takes what was captured since off what is authorised, where the
// provider goes on holding the rest and did not say how much that is.
func (d *decision) release() {
	for _, a := range d.o.Attempts {
		was := d.before.Attempt(a.ID)
		if was == nil || a.Status != sdk.RequiresCapture || was.Status != sdk.RequiresCapture || a.Authorized != was.Authorized {
			continue
		}
		now := d.o.balance(a, d.o.Currency)
		then := d.before.balance(was, d.o.Currency)
		if more := now.Captured + now.coming - then.Captured - then.coming; more > 0 && !d.capturable[a.ID] {
			a.Authorized = max(0, a.Authorized-more)
		}
	}
}

func (d *decision) restate() {
	was := d.o.Status
	d.o.Status = statusOf(d.o, d.env.Now)
	if was != d.o.Status {
		d.events = append(d.events, Event{
			ID: d.env.NewID(EventID), OrderID: d.o.ID, At: d.env.Now, Kind: "order." + string(d.o.Status),
			Source: FromHub, Data: map[string]any{"was": was},
		})
	}
}
