package ledger

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// Repeat takes the lease of an open operation whose caller is gone, before
// the identical request is sent again under its own key.
func (o *Order) Repeat(env Env, opID string, lease time.Duration) (Change, error) {
	d := start(o, env)
	op := d.o.Operation(opID)
	if op == nil || !op.Open() {
		return Change{}, Conflictf("operation_closed", "the operation has ended")
	}
	if op.Leased(env.Now) {
		return Change{}, InFlight(op, env.Now)
	}
	op.Outcome = OutcomeUnknown
	d.lease(op, lease)
	return d.finish(), nil
}

// Renew gives an operation that its caller recorded, and has not sent yet, a new
// lease. mine is the operation as the caller recorded it. Renew refuses one that
// somebody else went on with since: each of those counts a sending, or ends it.
func (o *Order) Renew(env Env, mine *Operation, lease time.Duration) (Change, error) {
	d := start(o, env)
	op := d.o.Operation(mine.ID)
	if op == nil || op.Outcome != mine.Outcome || op.Sends != mine.Sends {
		return Change{}, Conflictf("operation_closed", "another caller went on with the operation")
	}
	op.Sends-- // the sending that the lease is for is counted already
	d.lease(op, lease)
	if op.AttemptID != nil {
		d.touched[*op.AttemptID] = true // the version moves also where the lease would end at the same moment
	}
	return d.finish(), nil
}

// Resume sends an operation that never left again, after the guards of its
// kind were asked anew, for who asks now.
func (o *Order) Resume(env Env, opID string, lease time.Duration, by *Operator) (Change, error) {
	return o.resume(env, opID, lease, by, false)
}

// ResumeUnknown is Resume of an operation that may have been sent since, which is
// on no record any more: it becomes an unknown one that is repeated.
func (o *Order) ResumeUnknown(env Env, opID string, lease time.Duration, by *Operator) (Change, error) {
	return o.resume(env, opID, lease, by, true)
}

func (o *Order) resume(env Env, opID string, lease time.Duration, by *Operator, doubtful bool) (Change, error) {
	d := start(o, env)
	op := d.o.Operation(opID)
	if op == nil || op.Outcome != OutcomeNotSent || op.AttemptID == nil {
		return Change{}, Conflictf("operation_closed", "the operation has ended")
	}
	a := d.o.Attempt(*op.AttemptID)
	if o.OpenOperation(a.ID) != nil {
		return Change{}, Conflictf("operation_open", "another operation of this payment is under way")
	}
	switch op.Kind {
	case sdk.OpCreate:
		if err := o.canStart(); err != nil {
			return Change{}, err
		}
		for _, other := range o.Attempts {
			if other.ID != a.ID && other.Live() && !other.Abandoned {
				return Change{}, Conflictf("attempt_open", "attempt %s was started meanwhile and can still be paid", other.ID)
			}
		}
		a.Status, a.Failure = AttemptCreated, nil
	case sdk.OpRefund:
		if err := d.reserveAgain(d.o.Refund(*op.RefundID), by); err != nil {
			return Change{}, err
		}
	case sdk.OpCapture:
		if a.Status != sdk.RequiresCapture || o.flagged(a.ID) {
			return Change{}, wrongState(o, "captured")
		}
		if err := o.mayTake(a); err != nil {
			return Change{}, err
		}
	case sdk.OpConfirm:
		if a.Status != sdk.RequiresAction && a.Status != sdk.RequiresConfirmation {
			return Change{}, wrongState(o, "confirmed")
		}
		if err := o.mayTake(a); err != nil {
			return Change{}, err
		}
	case sdk.OpCancel:
		if !a.Live() {
			return Change{}, wrongState(o, "canceled")
		}
	}
	op.Outcome, op.Failure, op.Rejected, op.Sends = OutcomePending, nil, false, 0
	if doubtful {
		d.doubt(op, a)
	}
	d.lease(op, lease)
	return d.finish(), nil
}

// doubt has an operation that never left count as sent once, with an unknown end.
func (d *decision) doubt(op *Operation, a *Attempt) {
	op.Outcome, op.Sends = OutcomeUnknown, 1
	switch op.Kind {
	case sdk.OpCreate:
		a.Status = AttemptUnknown
	case sdk.OpRefund:
		d.o.Refund(*op.RefundID).Status = RefundUnknown
	}
}

func (d *decision) lease(op *Operation, lease time.Duration) {
	op.Sends++
	if op.Sends == 1 {
		op.FirstSentAt = d.env.Now
		if op.AttemptID != nil {
			d.o.Attempt(*op.AttemptID).Tries = 0 // should it go wrong, it is looked at soon
		}
	}
	op.Deadline = d.env.Now.Add(lease)
	if op.AttemptID != nil {
		d.look[*op.AttemptID] = true
		if a := d.o.Attempt(*op.AttemptID); a != nil && op.Outcome == OutcomeUnknown {
			a.DueAt = op.Deadline
			delete(d.look, a.ID)
		}
	}
}

// CodeInFlight is the code of InFlight.
const CodeInFlight = "in_flight"

// InFlight tells a second caller to come back.
func InFlight(op *Operation, now time.Time) *Error {
	return &Error{
		Kind: Conflict, Code: CodeInFlight, OrderID: op.OrderID, RetryAfter: max(time.Second, min(op.Deadline.Sub(now), 5*time.Second)),
		Message: "the first request with this Idempotency-Key is still being worked on; repeat it after Retry-After",
	}
}
