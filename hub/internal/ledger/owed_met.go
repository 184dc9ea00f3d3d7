package ledger

import (
	"fmt"
	"slices"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// met reports whether the record shows it, with at least that rank. Whoever
// brought it there does: a read, a proven fact, an operation's answer.
func (d *decision) met(a *Attempt, w *Owed) bool {
	switch w.Kind {
	case sdk.ExpectCapture:
		return slices.ContainsFunc(d.o.Captures, func(c *Capture) bool {
			return c.Provider == a.Provider && c.ProviderID == w.ID && movementRank(c.Status) >= movementRank(sdk.MovementStatus(w.AtLeast))
		})
	case sdk.ExpectRefund:
		return slices.ContainsFunc(d.o.Refunds, func(r *Refund) bool {
			return r.Provider == a.Provider && r.ProviderID != nil && *r.ProviderID == w.ID && movementRank(r.Status) >= movementRank(sdk.MovementStatus(w.AtLeast))
		})
	case sdk.ExpectDispute:
		return slices.ContainsFunc(d.o.Disputes, func(x *Dispute) bool {
			return x.Provider == a.Provider && x.ProviderID == w.ID && disputeRank[x.Status] >= disputeRank[sdk.DisputeStatus(w.AtLeast)]
		})
	case sdk.ExpectPayment:
		return reachedStatus(a.Status, sdk.Status(w.AtLeast))
	case sdk.ExpectRefunded:
		var sum int64
		for _, r := range d.o.Refunds {
			if r.AttemptID == a.ID && r.CaptureID == w.ID && r.ProviderID != nil && r.Currency == d.o.Currency &&
				(movementRank(r.Status) < 2 || r.UpdatedAt.After(w.Since)) { // what failed since was counted by the event
				sum += r.Amount
			}
		}
		return sum >= w.Amount
	case owedChange:
		return w.AtLeast != "" && w.AtLeast != a.holds()
	}
	return true
}

// movementRank orders the ends of a movement: what succeeded may fail later.
func movementRank(s sdk.MovementStatus) int {
	switch s {
	case sdk.MovementSucceeded:
		return 1
	case sdk.MovementFailed:
		return 2
	}
	return 0
}

// reachedStatus reports whether a payment of this status has come as far as the
// other. An end without money answers for all but success.
func reachedStatus(is, atLeast sdk.Status) bool {
	at := slices.Index(statuses, is)
	want := slices.Index(statuses, atLeast)
	switch atLeast {
	case sdk.Failed, sdk.Canceled:
		return at >= slices.Index(statuses, sdk.Succeeded)
	case sdk.Succeeded:
		return is == sdk.Succeeded
	}
	return at >= want
}

// holds is what a refusal found to be out of date.
func (a *Attempt) holds() string {
	return fmt.Sprintf("%s %d %d %d %d %d", a.Status, a.Authorized, a.Captured, a.Refunded, a.Reserved, a.Disputed)
}

// answer is what a read of an attempt told, as far as it answers for events.
type answer struct {
	began    time.Time
	payment  *sdk.Payment // nil: there is none
	complete map[sdk.ExpectationKind]bool
}

// answered notes a read that the provider answered.
func (d *decision) answered(a *Attempt, n News) {
	if n.Source != FromRead || n.Begun == 0 || n.Payment == nil && !n.Gone {
		return
	}
	x := &answer{began: n.At, payment: n.Payment, complete: map[sdk.ExpectationKind]bool{sdk.ExpectPayment: true}}
	if x.began.IsZero() {
		x.began = d.env.Now
	}
	p := n.Payment
	x.complete[sdk.ExpectCapture] = p == nil || p.Captures.Complete
	x.complete[sdk.ExpectRefund] = p == nil || p.Refunds.Complete
	x.complete[sdk.ExpectRefunded] = x.complete[sdk.ExpectRefund]
	x.complete[sdk.ExpectDispute] = p == nil || p.Disputes.Complete
	if d.answers == nil {
		d.answers = map[string]*answer{}
	}
	d.answers[a.ID] = x
}

// leftOut reports whether the read knows of it and says that it is none: a
// refund that only released an authorisation.
func (x *answer) leftOut(w *Owed) bool {
	if x == nil || x.payment == nil || w.Kind != sdk.ExpectRefund {
		return false
	}
	p := x.payment
	over := p.Status == sdk.Canceled || p.Status == sdk.Failed
	nothingTaken := over && p.Captures.Complete && len(p.Captures.Items) == 0 && p.Refunds.Complete
	return nothingTaken || slices.Contains(p.Refunds.LeftOut, w.ID)
}
