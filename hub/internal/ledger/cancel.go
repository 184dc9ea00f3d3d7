package ledger

import (
	"github.com/superpayhub/superpay/sdk"
)

// Cancel asks to release or close an attempt. The order is canceled when each
// of its attempts is dead by the provider's word. Where the flow cannot cancel
// (ability false) the attempt is abandoned: never captured by the hub, and
// watched until it ends. What an attempt holds of an order that is at rest, because
// another one paid it, say, is released, and the order stays as it is. The operation
// is nil when nothing has to be asked.
func (o *Order) Cancel(attemptID string, ability bool, ask Ask, env Env) (Change, *Operation, error) {
	switch o.Status {
	case OrderOpen, OrderPending, OrderAuthorized:
	default:
		if a := o.Attempt(attemptID); a != nil && ability && a.Status == sdk.RequiresCapture && a.Captured == 0 {
			return o.CloseAttempt(attemptID, ask, env)
		}
		return Change{}, nil, wrongState(o, "canceled")
	}
	a, err := o.target(attemptID, func(a *Attempt) bool { return a.Live() && a.Status != AttemptUnknown }, "canceled")
	if err != nil && attemptID != "" {
		return Change{}, nil, err
	}
	if busy := o.busy(); err != nil && busy != nil {
		return Change{}, nil, busy
	}
	if a == nil || a.Status != sdk.RequiresCapture { // else it releases what is held
		if held := o.moneyHeld(o.took); held != nil {
			return Change{}, nil, held
		}
	}
	d := start(o, env)
	if d.o.CancelAskedAt.IsZero() {
		d.o.CancelAskedAt = env.Now
	}
	if err != nil || !ability {
		at := &Attempt{}
		if a != nil {
			at = d.o.Attempt(a.ID)
			at.Abandoned = true
		}
		d.record(at, News{Source: ask.Source, RequestID: ask.RequestID}, "cancel.asked", ask.Operator.signed(nil))
		op := d.closed(sdk.OpCancel, a, ask)
		return d.finish(), op, nil
	}
	op := d.operation(sdk.OpCancel, d.o.Attempt(a.ID), nil, ask)
	return d.finish(), op, nil
}

// closed records an operation that needed no call, so that its key answers.
func (d *decision) closed(kind sdk.OperationKind, a *Attempt, ask Ask) *Operation {
	op := &Operation{
		ID: d.env.NewID(OperationID), AppID: d.o.AppID, OrderID: d.o.ID, Kind: kind, RequestHash: ask.RequestHash,
		Outcome: OutcomeSucceeded, PluginVersion: ask.PluginVersion, FirstSentAt: d.env.Now, Deadline: d.env.Now, CreatedAt: d.env.Now,
	}
	if a != nil {
		id := a.ID
		op.AttemptID = &id
	}
	if ask.IdempotencyKey != "" {
		op.IdempotencyKey = &ask.IdempotencyKey
	}
	d.o.Operations = append(d.o.Operations, op)
	return op
}

// CloseAttempt cancels one attempt so that another can start; the order stays open.
func (o *Order) CloseAttempt(attemptID string, ask Ask, env Env) (Change, *Operation, error) {
	a, err := o.target(attemptID, func(a *Attempt) bool { return a.Live() && a.Status != AttemptUnknown }, "canceled")
	if err != nil {
		return Change{}, nil, err
	}
	d := start(o, env)
	op := d.operation(sdk.OpCancel, d.o.Attempt(a.ID), nil, ask)
	return d.finish(), op, nil
}
