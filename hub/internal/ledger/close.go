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
		case outcome == OutcomeNotSent && (a.Status == sdk.RequiresConfirmation || a.Status == sdk.RequiresAction):
			a.Approved = a.Status == sdk.RequiresConfirmation // the payer's word still stands, and nobody was told of it
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
		case (outcome == OutcomeNotSent || outcome == OutcomeDeclined) && !op.CreatedAt.After(d.o.CancelAskedAt):
			d.o.CancelAskedAt = time.Time{} // the app was told that it is not canceled; what the hub tries afterwards takes nothing back
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
