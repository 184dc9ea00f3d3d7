package ledger

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// close records how an operation ended. A late answer of its first caller
// comes here too: the money in it was merged before, and the outcome that was
// found meanwhile stands.
func (d *decision) close(a *Attempt, n News) {
	op := d.o.Operation(n.Operation.ID)
	if op == nil || !op.Open() {
		return
	}
	op.Arrived = op.Arrived || n.Operation.Arrived
	outcome := n.Operation.Outcome
	failure := n.Operation.Failure
	if outcome == "" {
		outcome, failure = answered(op.Kind, n)
	}
	if op.Kind == sdk.OpCapture && outcome == OutcomeDeclined && !n.Operation.Rejected && d.capturedSince(a, op) {
		outcome, failure = OutcomeSucceeded, nil // and the rest is still held
	}
	if n.Taken && op.Kind == sdk.OpConfirm {
		// What the client presented has settled another order.
		outcome, n.Operation.Rejected = OutcomeDeclined, true
		failure = &sdk.Failure{Code: sdk.FailureMismatch, Message: "this payment belongs to another order"}
	}
	// Only the first sending can be known never to have left: an unknown one
	// may have arrived, however its repeats fare.
	if outcome == OutcomeNotSent && op.Sends > 1 {
		outcome = OutcomeUnknown
	}
	op.Rejected = n.Operation.Rejected && outcome == OutcomeDeclined
	d.settle(op, n, outcome, failure)
	d.look[a.ID], d.touched[a.ID] = true, true
	d.told[a.ID] = d.told[a.ID] || outcome == OutcomeSucceeded || outcome == OutcomeDeclined
	a.LeasedUntil = time.Time{}
	d.refused(a, op)

	if failure != nil && failure.Code == sdk.FailureMismatch {
		d.raise(ForeignPayment, a.ID)
	}
	switch op.Kind {
	case sdk.OpCreate:
		d.closeCreate(a, outcome, failure)
	case sdk.OpConfirm:
		switch {
		case outcome == OutcomeDeclined && failure != nil && a.Live():
			a.Failure = failure // also where the status may not move by this answer
		case outcome == OutcomeNotSent && a.Status == sdk.RequiresConfirmation:
			a.Approved = true // the payer's word still stands, and nobody was told of it
			if op.IdempotencyKey == nil {
				a.Continues--
			}
		}
	case sdk.OpCancel:
		// The provider has no way to close it: it is watched until it ends.
		switch p := n.Payment; {
		case outcome == OutcomeDeclined && p != nil && (p.Status == sdk.RequiresAction || p.Status == sdk.RequiresConfirmation):
			a.Abandoned = true
		case outcome == OutcomeDeclined && p != nil && p.Status == sdk.Pending:
			// It is on its way and cannot be stopped: should it fail, the order is
			// canceled; should it settle, that is told.
		case outcome == OutcomeNotSent || outcome == OutcomeDeclined:
			d.o.CancelAskedAt = time.Time{} // the app was told that it is not canceled
		}
	case sdk.OpRefund:
		if op.RefundID != nil {
			d.closeRefund(d.o.Refund(*op.RefundID), outcome, failure)
		}
	}
}

// settle sets an outcome. The request is erased with the last doubt; one that
// never left is kept, for the same key may send it again.
func (d *decision) settle(op *Operation, n News, outcome Outcome, failure *sdk.Failure) {
	if op.Outcome != outcome {
		e := Event{
			ID: d.env.NewID(EventID), OrderID: d.o.ID, At: d.env.Now, Kind: "operation." + string(outcome),
			Source: n.Source, RequestID: n.RequestID, Data: map[string]any{"operation": op.ID, "kind": op.Kind},
		}
		if op.AttemptID != nil {
			e.AttemptID = *op.AttemptID
		}
		if failure != nil {
			e.Data["failure"] = failure
		}
		d.events = append(d.events, e)
	}
	op.Outcome, op.Failure = outcome, failure
	op.Deadline = d.env.Now
	if outcome == OutcomeSucceeded || outcome == OutcomeDeclined {
		op.Request, op.Asked = nil, nil
	}
}

func (d *decision) closeCreate(a *Attempt, outcome Outcome, failure *sdk.Failure) {
	if a.Status != AttemptCreated && a.Status != AttemptUnknown {
		return // a fact was faster and knows more
	}
	switch outcome {
	case OutcomeUnknown:
		a.Status = AttemptUnknown
	case OutcomeDeclined, OutcomeNotSent:
		a.Status, a.Failure = sdk.Failed, failure
	}
}

func (d *decision) closeRefund(r *Refund, outcome Outcome, failure *sdk.Failure) {
	if r == nil || r.ProviderID != nil {
		return
	}
	switch outcome {
	case OutcomeUnknown:
		r.Status = RefundUnknown
	case OutcomeDeclined, OutcomeNotSent:
		if outcome == OutcomeNotSent && r.PartOf != "" {
			r.Status = sdk.MovementPending // the hub asks again by itself
			return
		}
		r.Status, r.Failure = sdk.MovementFailed, failure
	}
}

// answered reads the outcome of an operation from the provider's answer.
func answered(kind sdk.OperationKind, n News) (Outcome, *sdk.Failure) {
	if n.Refund != nil {
		if n.Refund.Status == sdk.MovementFailed {
			return OutcomeDeclined, n.Refund.Failure
		}
		return OutcomeSucceeded, nil
	}
	if n.Payment == nil {
		return OutcomeUnknown, nil
	}
	no := false
	switch s := n.Payment.Status; kind {
	case sdk.OpCreate:
		no = s == sdk.Failed
	case sdk.OpConfirm:
		no = s == sdk.Failed || n.Payment.Failure != nil && (s == sdk.RequiresAction || s == sdk.RequiresConfirmation)
	case sdk.OpCapture:
		no = s == sdk.RequiresCapture || s == sdk.Failed || s == sdk.Canceled
	case sdk.OpCancel:
		no = s != sdk.Canceled && s != sdk.Failed
	}
	if no {
		return OutcomeDeclined, n.Payment.Failure
	}
	return OutcomeSucceeded, nil
}

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

// Outcome is how an operation ended.
type Outcome string

const (
	OutcomePending   Outcome = "pending"
	OutcomeSucceeded Outcome = "succeeded"
	OutcomeDeclined  Outcome = "declined" // the provider said no; Failure says why
	OutcomeNotSent   Outcome = "not_sent" // it provably never left; the same key may try again
	OutcomeUnknown   Outcome = "unknown"  // it may have happened
)

// Operation is one thing asked of a provider. It is committed before its call
// and never deleted.
type Operation struct {
	ID             string            `json:"id"`
	AppID          string            `json:"app_id"`
	OrderID        string            `json:"order_id"`
	AttemptID      *string           `json:"attempt_id"`
	RefundID       *string           `json:"refund_id"`
	Kind           sdk.OperationKind `json:"kind"`
	IdempotencyKey *string           `json:"idempotency_key"` // the app's; nil for the hub's own
	RequestHash    string            `json:"request_hash"`
	Outcome        Outcome           `json:"outcome"`
	Rejected       bool              `json:"rejected"` // declined by a refusal without effect
	Failure        *sdk.Failure      `json:"failure"`
	FirstSentAt    time.Time         `json:"first_sent_at"`
	Deadline       time.Time         `json:"deadline"` // end of the lease: until then its caller may still be waiting
	Sends          int               `json:"sends"`
	PluginVersion  string            `json:"plugin_version"`
	DerivedKey     *string           `json:"provider_key"` // see ProviderKey; written once
	KeyHash        *string           `json:"key_hash"`     // in place of IdempotencyKey, where only a provider's metadata told of it
	Arrived        bool              `json:"arrived"`      // the provider said that it knows the key
	CreatedAt      time.Time         `json:"created_at"`
	UpdatedAt      time.Time         `json:"updated_at"`

	Request []byte `json:"-"` // what the plugin was asked; encrypted, erased on close
	Asked   any    `json:"-"` // the same, not encoded: only where it was just made
}

// Open reports whether its effect is not known yet.
func (op *Operation) Open() bool {
	return op.Outcome == OutcomePending || op.Outcome == OutcomeUnknown
}

// Leased reports whether a caller may still be waiting for its answer.
func (op *Operation) Leased(now time.Time) bool { return op.Open() && now.Before(op.Deadline) }

// Operation returns the order's operation of that id, or nil.
func (o *Order) Operation(id string) *Operation {
	for _, op := range o.Operations {
		if op.ID == id {
			return op
		}
	}
	return nil
}
