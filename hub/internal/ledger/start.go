package ledger

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// Ask is what every operation of an app carries.
type Ask struct {
	IdempotencyKey string // empty for the hub's own
	RequestHash    string
	RequestID      string
	Source         Source
	PluginVersion  string
	Lease          time.Duration
}

// NewAttempt is what a checkout asks for.
type NewAttempt struct {
	Provider, Plugin, Flow string
	Mode                   sdk.Mode
	CaptureMode            sdk.CaptureMode
}

// Create starts a new order with its first attempt and the operation that
// creates it at the provider. The order's own fields come filled in.
func Create(o *Order, spec NewAttempt, ask Ask, env Env) (Change, *Operation) {
	o.ID = env.NewID(OrderID)
	o.Status, o.CreatedAt = OrderOpen, env.Now
	o.Attention = []Attention{}
	d := &decision{before: &Order{}, o: o, env: env, look: map[string]bool{}, soon: map[string]bool{}}
	d.events = append(d.events, Event{
		ID: env.NewID(EventID), OrderID: o.ID, At: env.Now, Kind: "order.created", Source: ask.Source,
		RequestID: ask.RequestID, Data: map[string]any{"amount": o.Amount, "currency": o.Currency},
	})
	op := d.attempt(spec, ask)
	return d.finish(), op
}

// Checkout adds another attempt to an open order.
func (o *Order) Checkout(spec NewAttempt, ask Ask, env Env) (Change, *Operation, error) {
	if err := o.canStart(); err != nil {
		return Change{}, nil, err
	}
	d := start(o, env)
	for _, a := range d.o.Attempts {
		if a.Live() {
			a.Abandoned = true // it cannot be canceled; it is watched until it ends
		}
	}
	op := d.attempt(spec, ask)
	return d.finish(), op, nil
}

func start(o *Order, env Env) *decision {
	return &decision{before: o, o: o.clone(), env: env, look: map[string]bool{}, soon: map[string]bool{}}
}

// canStart refuses a new attempt while an earlier one may still take money.
func (o *Order) canStart() error {
	if o.Status != OrderOpen {
		return wrongState(o, "paid")
	}
	if len(o.Attempts) >= MaxAttempts {
		return Conflictf("too_many_attempts", "an order can have %d attempts; make a new order", MaxAttempts)
	}
	for _, a := range o.Attempts {
		if o.OpenOperation(a.ID) != nil {
			return Conflictf("attempt_open", "attempt %s is not settled yet; read the order and try again", a.ID)
		}
	}
	return nil
}

func (d *decision) attempt(spec NewAttempt, ask Ask) *Operation {
	a := &Attempt{
		ID: d.env.NewID(AttemptID), OrderID: d.o.ID, Provider: spec.Provider, Plugin: spec.Plugin, Flow: spec.Flow,
		Mode: spec.Mode, CaptureMode: spec.CaptureMode, Status: AttemptCreated, Refs: []sdk.Ref{}, Candidates: []sdk.Ref{}, CreatedAt: d.env.Now,
	}
	d.o.Attempts = append(d.o.Attempts, a)
	return d.operation(sdk.OpCreate, a, nil, ask)
}

// operation records that something is about to be asked.
func (d *decision) operation(kind sdk.OperationKind, a *Attempt, refund *Refund, ask Ask) *Operation {
	op := &Operation{
		ID: d.env.NewID(OperationID), AppID: d.o.AppID, OrderID: d.o.ID, AttemptID: &a.ID, Kind: kind,
		RequestHash: ask.RequestHash, Outcome: OutcomePending, PluginVersion: ask.PluginVersion, CreatedAt: d.env.Now,
	}
	if refund != nil {
		op.RefundID = &refund.ID
	}
	if ask.IdempotencyKey != "" {
		op.IdempotencyKey = &ask.IdempotencyKey
	}
	d.lease(op, ask.Lease)
	d.o.Operations = append(d.o.Operations, op)
	d.record(a, News{Source: ask.Source, RequestID: ask.RequestID}, string(kind)+".started", map[string]any{"operation": op.ID})
	return op
}

// Confirm continues an attempt with what the client obtained.
func (o *Order) Confirm(attemptID string, ask Ask, env Env) (Change, *Operation, error) {
	a, err := o.target(attemptID, func(a *Attempt) bool {
		return a.Status == sdk.RequiresAction || a.Status == sdk.RequiresConfirmation
	}, "confirmed")
	if err != nil {
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

// maxContinues bounds how often the hub confirms one attempt by itself: a payer
// whose card is declined time and again has to be asked.
const maxContinues = 5

// Continuable reports whether the hub may take an approval by itself: the payer
// gave it, nobody took it back, and no other attempt has money or is open.
func (o *Order) Continuable(a *Attempt) bool {
	if a.Status != sdk.RequiresConfirmation || !a.Approved || a.Abandoned || a.Continues >= maxContinues ||
		o.Status != OrderOpen || !o.CancelAskedAt.IsZero() || o.flagged(a.ID) || o.busy() != nil {
		return false
	}
	for _, other := range o.Attempts {
		if other.ID != a.ID && (other.Captured > 0 || other.Authorized > 0 || other.Live() && !other.Abandoned) {
			return false
		}
	}
	return true
}

// Capture takes amount of what is authorised (0: all of it). The rest is released.
func (o *Order) Capture(attemptID string, amount int64, ask Ask, env Env) (Change, *Operation, error) {
	a, err := o.target(attemptID, func(a *Attempt) bool { return a.Status == sdk.RequiresCapture }, "captured")
	if err != nil {
		return Change{}, nil, err
	}
	if o.flagged(a.ID) {
		return Change{}, nil, Conflictf("needs_attention", "the provider's answer does not fit what was asked; a person has to resolve it first")
	}
	if amount > a.Authorized {
		return Change{}, nil, &Error{
			Kind: Invalid, Code: "amount_too_large", Param: "amount",
			Message: "more than the authorised " + o.Money(a.Authorized).String(),
		}
	}
	d := start(o, env)
	op := d.operation(sdk.OpCapture, d.o.Attempt(a.ID), nil, ask)
	return d.finish(), op, nil
}

// Cancel asks to release or close an attempt. The order is canceled when each
// of its attempts is dead by the provider's word. Where the flow cannot cancel
// (ability false) the attempt is abandoned: never captured by the hub, and
// watched until it ends. The operation is nil when nothing has to be asked.
func (o *Order) Cancel(attemptID string, ability bool, ask Ask, env Env) (Change, *Operation, error) {
	switch o.Status {
	case OrderOpen, OrderPending, OrderAuthorized:
	default:
		return Change{}, nil, wrongState(o, "canceled")
	}
	a, err := o.target(attemptID, func(a *Attempt) bool { return a.Live() && a.Status != AttemptUnknown }, "canceled")
	if err != nil && attemptID != "" {
		return Change{}, nil, err
	}
	if busy := o.busy(); err != nil && busy != nil {
		return Change{}, nil, busy
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
		d.record(at, News{Source: ask.Source, RequestID: ask.RequestID}, "cancel.asked", nil)
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

// NewRefund is what a refund asks for. Amount 0 is all that is left.
type NewRefund struct {
	AttemptID          string
	Amount             int64
	Reason             string
	ExpectedRefundable *int64
}

// AskRefund reserves money and records the operation that gives it back.
func (o *Order) AskRefund(in NewRefund, ask Ask, env Env) (Change, *Operation, error) {
	if in.ExpectedRefundable != nil && *in.ExpectedRefundable != o.Refundable {
		return Change{}, nil, Conflictf("refundable_changed", "%s can be refunded now, not %s; read the order and decide again",
			o.Money(o.Refundable), o.Money(*in.ExpectedRefundable))
	}
	a, err := o.refundable(in.AttemptID)
	if err != nil {
		return Change{}, nil, err
	}
	if in.Amount == 0 {
		in.Amount = a.Refundable()
	}
	if in.Amount > a.Refundable() {
		return Change{}, nil, tooMuch(o, a.Refundable())
	}
	if len(o.Refunds) >= MaxRefunds {
		return Change{}, nil, Conflictf("too_many_refunds", "an order can have %d refunds", MaxRefunds)
	}
	capture, err := o.captureFor(a, in.Amount)
	if err != nil {
		return Change{}, nil, err
	}
	d := start(o, env)
	r := &Refund{
		ID: env.NewID(RefundID), OrderID: o.ID, AttemptID: a.ID, Provider: a.Provider, CaptureID: capture.ProviderID,
		Origin: ByHub, Status: sdk.MovementPending, Amount: in.Amount, Currency: o.Currency, Exponent: o.Exponent,
		Reason: in.Reason, CreatedAt: env.Now,
	}
	d.o.Refunds = append(d.o.Refunds, r)
	op := d.operation(sdk.OpRefund, d.o.Attempt(a.ID), r, ask)
	return d.finish(), op, nil
}

// refundable picks the attempt to refund: the one named, else the one with
// money left. It refuses while another operation of it is open.
func (o *Order) refundable(attemptID string) (*Attempt, error) {
	var found *Attempt
	for _, a := range o.Attempts {
		if a.ID == attemptID || attemptID == "" && a.Captured > 0 && (found == nil || found.Refundable() == 0) {
			found = a
		}
	}
	switch {
	case found == nil && attemptID != "":
		return nil, ErrNotFound("attempt of this order")
	case found == nil || found.Captured == 0:
		return nil, Conflictf("nothing_to_refund", "no money of this order was captured; its status is %s", o.Status)
	}
	if op := o.OpenOperation(found.ID); op != nil {
		return nil, Conflictf("operation_open", "a %s of this payment is not settled yet; read the order and try again", op.Kind)
	}
	if found.Refundable() == 0 {
		return nil, tooMuch(o, 0)
	}
	return found, nil
}

// captureFor picks the capture that the refund gives back: one with enough left.
func (o *Order) captureFor(a *Attempt, amount int64) (*Capture, error) {
	var most int64
	for _, c := range o.Captures {
		if c.AttemptID != a.ID || c.Status != sdk.MovementSucceeded || c.Currency != o.Currency {
			continue
		}
		left := c.Amount
		for _, r := range o.Refunds {
			if r.CaptureID == c.ProviderID && r.Status != sdk.MovementFailed {
				left -= r.Amount
			}
		}
		if left >= amount {
			return c, nil
		}
		most = max(most, left)
	}
	return nil, tooMuch(o, most)
}

// target picks the attempt an operation is for: the one named, else the only
// one that fits.
func (o *Order) target(attemptID string, fits func(*Attempt) bool, verb string) (*Attempt, error) {
	var found *Attempt
	for _, a := range o.Attempts {
		if (attemptID == "" || a.ID == attemptID) && fits(a) {
			found = a
		}
	}
	if found == nil && attemptID != "" && o.Attempt(attemptID) == nil {
		return nil, ErrNotFound("attempt of this order")
	}
	if busy := o.busy(); busy != nil {
		return nil, busy
	}
	if found == nil {
		return nil, wrongState(o, verb)
	}
	return found, nil
}

// busy reports an operation that is not settled: nothing else is asked until it is.
func (o *Order) busy() error {
	for _, a := range o.Attempts {
		if op := o.OpenOperation(a.ID); op != nil {
			e := Conflictf("operation_open", "a %s of this order is not settled yet; read the order and try again", op.Kind)
			e.RetryAfter = time.Second
			return e
		}
	}
	return nil
}

func wrongState(o *Order, verb string) *Error {
	e := Conflictf("wrong_state", "an order that is %s cannot be %s", o.Status, verb)
	e.OrderID = o.ID
	return e
}

func tooMuch(o *Order, left int64) *Error {
	return &Error{
		Kind: Invalid, Code: "refund_too_large", Param: "amount", OrderID: o.ID,
		Message: o.Money(left).String() + " can still be refunded",
	}
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
