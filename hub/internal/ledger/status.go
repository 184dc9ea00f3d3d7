package ledger

import (
	"slices"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// mismatches are the reasons that keep an attempt's money from counting as
// payment of the order until a person says so.
var mismatches = []string{AmountMismatch, CurrencyMismatch, ReferenceMismatch, ModeMismatch}

// flagged reports whether the attempt's money must not settle the order.
func (o *Order) flagged(attemptID string) bool {
	return slices.ContainsFunc(o.Attention, func(x Attention) bool {
		return x.AttemptID == attemptID && x.ResolvedAt.IsZero() && slices.Contains(mismatches, x.Reason)
	})
}

// tally is what the status of an order is computed from. Money of attempts that
// are flagged does not count; they only may still be on their way.
type tally struct {
	amount, captured, refunded int64
	authorized, pending, alive bool
	cancelAsked, overdue       bool
}

// orderRules is the order's status as data: the first rule that holds.
var orderRules = []struct {
	is    OrderStatus
	when  string // for the drawing
	holds func(tally) bool
}{
	{OrderRefunded, "all that was captured went back", func(t tally) bool { return t.captured > 0 && t.refunded >= t.captured }},
	// A second payment given back does not count.
	{OrderPartiallyRefunded, "a part went back, and less than the order's amount stays", func(t tally) bool {
		return t.captured > 0 && t.captured-t.refunded < min(t.captured, t.amount)
	}},
	{OrderPaid, "money was captured", func(t tally) bool { return t.captured > 0 }},
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
			t.pending = t.pending || a.Captured > 0 || a.Live()
			continue
		}
		t.captured += a.Captured
		t.refunded += a.Refunded
		t.authorized = t.authorized || a.Status == sdk.RequiresCapture
		t.pending = t.pending || a.Status == sdk.Pending || a.Status == AttemptUnknown ||
			a.Status == sdk.Succeeded && a.Captured == 0
	}
	for _, r := range orderRules {
		if r.holds(t) {
			return r.is
		}
	}
	return OrderOpen
}

// sum recomputes every total of the order from its movements.
func sum(o *Order) {
	o.Authorized, o.Captured, o.Refunded, o.Disputed, o.Refundable = 0, 0, 0, 0, 0
	for _, a := range o.Attempts {
		a.Captured, a.Refunded, a.Reserved, a.Disputed = 0, 0, 0, 0
		for _, c := range o.Captures {
			if c.AttemptID == a.ID && c.Status == sdk.MovementSucceeded && c.Currency == o.Currency {
				a.Captured += c.Amount
			}
		}
		for _, r := range o.Refunds {
			if r.AttemptID != a.ID || r.Currency != o.Currency {
				continue
			}
			switch r.Status {
			case sdk.MovementSucceeded:
				a.Refunded += r.Amount
			case sdk.MovementPending, RefundUnknown:
				a.Reserved += r.Amount
			}
		}
		for _, d := range o.Disputes {
			if d.AttemptID == a.ID && d.FundsWithdrawn && d.Currency == o.Currency {
				a.Disputed += d.Amount
			}
		}
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
