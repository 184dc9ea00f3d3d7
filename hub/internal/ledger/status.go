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

// statusOf computes an order's status from its attempts and money.
func statusOf(o *Order, now time.Time) OrderStatus {
	var captured, refunded int64
	var authorized, pending bool
	alive := false
	for _, a := range o.Attempts {
		if o.flagged(a.ID) {
			pending = pending || a.Captured > 0 || a.Live()
			alive = alive || a.Live() && !a.Abandoned
			continue
		}
		captured += a.Captured
		refunded += a.Refunded
		authorized = authorized || a.Status == sdk.RequiresCapture
		pending = pending || a.Status == sdk.Pending || a.Status == AttemptUnknown ||
			a.Status == sdk.Succeeded && a.Captured == 0
		alive = alive || a.Live() && !a.Abandoned
	}
	switch {
	case captured > 0 && refunded >= captured:
		return OrderRefunded
	case captured > 0 && captured-refunded < min(captured, o.Amount):
		return OrderPartiallyRefunded // a second payment given back does not count
	case captured > 0:
		return OrderPaid
	case authorized:
		return OrderAuthorized
	case pending:
		return OrderPending
	case !alive && !o.CancelAskedAt.IsZero():
		return OrderCanceled
	case !alive && !now.Before(o.ExpiresAt):
		return OrderExpired
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
