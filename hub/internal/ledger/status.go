package ledger

import (
	"slices"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// flagged reports whether the attempt's money must not settle the order.
func (o *Order) flagged(attemptID string) bool {
	return slices.ContainsFunc(o.Attention, func(x Attention) bool {
		return x.AttemptID == attemptID && (x.ResolvedAt.IsZero() || x.Money == MoneyReturned) && slices.Contains(mismatches, x.Reason)
	})
}

// Accepted are the mismatches whose money a person accepted as payment.
func (o *Order) Accepted() []Attention {
	var out []Attention
	for _, x := range o.Attention {
		if x.Money == MoneyAccepted {
			out = append(out, x)
		}
	}
	return out
}

// tally is what the status of an order is computed from. Money of attempts that
// are flagged does not count; while a provider has it, the order is pending.
type tally struct {
	amount, captured, refunded int64
	inPart                     int64 // captured by attempts that hold more
	other                      bool  // money of another currency was accepted,
	otherBack, otherLeft       bool  // some of it went back, some did not
	authorized, pending, alive bool
	cancelAsked, overdue       bool
}

// orderRules is the order's status as data: the first rule that holds.
var orderRules = []struct {
	is    OrderStatus
	when  string // for the drawing
	holds func(tally) bool
}{
	{OrderAuthorized, "a part was captured, and the rest is still held", func(t tally) bool {
		return t.inPart > 0 && t.inPart == t.captured && !t.other
	}},
	{OrderRefunded, "all that was captured went back", func(t tally) bool {
		return (t.captured > 0 || t.other) && t.refunded >= t.captured && !t.otherLeft
	}},
	// A second payment given back does not count.
	{OrderPartiallyRefunded, "a part went back, and less than the order's amount stays", func(t tally) bool {
		return t.captured > 0 && t.captured-t.refunded < min(t.captured, t.amount) || t.captured == 0 && t.otherBack
	}},
	{OrderPaid, "money was captured, or a person accepted what was", func(t tally) bool { return t.captured > 0 || t.other }},
	{OrderAuthorized, "an attempt requires capture", func(t tally) bool { return t.authorized }},
	{OrderPending, "an attempt is pending or unknown, or its money is flagged or not named yet", func(t tally) bool { return t.pending }},
	{OrderCanceled, "no attempt is alive, and a cancel was asked for", func(t tally) bool { return !t.alive && t.cancelAsked }},
	{OrderExpired, "no attempt is alive, and the time is up", func(t tally) bool { return !t.alive && t.overdue }},
	{OrderOpen, "otherwise", func(tally) bool { return true }},
}

// statusOf computes an order's status from its attempts and money.
func statusOf(o *Order, now time.Time) OrderStatus {
	t := tally{amount: o.Amount, cancelAsked: !o.CancelAskedAt.IsZero(), overdue: !now.Before(o.ExpiresAt)}
	for _, a := range o.Attempts {
		t.alive = t.alive || a.Live() && !a.Abandoned
		if o.flagged(a.ID) {
			_, held := o.holds(a)
			t.pending = t.pending || held || a.Live()
			continue
		}
		other := o.countOther(a, &t)
		t.captured += a.Captured
		t.refunded += a.Refunded
		t.authorized = t.authorized || a.Status == sdk.RequiresCapture
		if a.holdsMore() {
			t.inPart += a.Captured
		}
		t.pending = t.pending || a.Status == sdk.Pending || a.Status == AttemptUnknown ||
			a.Status == sdk.Succeeded && a.Captured == 0 && !other
	}
	for _, r := range orderRules {
		if r.holds(t) {
			return r.is
		}
	}
	return OrderOpen
}

// countOther adds the attempt's money of other currencies than the order's to a
// tally, and reports whether there is any.
func (o *Order) countOther(a *Attempt, t *tally) bool {
	found := false
	for _, c := range o.Captures {
		if c.AttemptID != a.ID || c.Currency == o.Currency || c.Status != sdk.MovementSucceeded {
			continue
		}
		b := o.balance(a, c.Currency)
		found = true
		t.other = true
		t.otherBack = t.otherBack || b.Refunded > 0
		t.otherLeft = t.otherLeft || b.Captured > b.Refunded
	}
	return found
}

// holdsMore reports whether a part was captured and the rest is still held, to
// be captured or released.
func (a *Attempt) holdsMore() bool {
	return a.Status == sdk.RequiresCapture && a.Captured > 0 && a.Authorized > 0
}

// sum recomputes every total of the order from its movements.
func sum(o *Order) {
	o.Authorized, o.Captured, o.Refunded, o.Disputed, o.Refundable = 0, 0, 0, 0, 0
	for _, a := range o.Attempts {
		own := o.balance(a, o.Currency)
		a.Captured = own.Captured
		a.Refunded = own.Refunded
		a.Reserved = own.Reserved
		a.Disputed = own.Disputed
		if a.Status == sdk.Failed || a.Status == sdk.Canceled {
			a.Authorized = 0 // released
		}
		o.Authorized += a.Authorized
		o.Captured += a.Captured
		o.Refunded += a.Refunded
		o.Disputed += a.Disputed
		o.Refundable += a.Refundable()
	}
}
