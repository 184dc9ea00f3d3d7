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
	Operator       *Operator // who asks, where it is a person
}

// Operator is a person who acts on an order beside its app, and why.
type Operator struct {
	Name, Why string
	// OverrideDispute lets a refund take what disputes hold back: it may have
	// to be paid twice.
	OverrideDispute bool
}

// signed adds who and why to what the timeline says of an operator's act.
func (p *Operator) signed(data map[string]any) map[string]any {
	if p == nil {
		return data
	}
	if data == nil {
		data = map[string]any{}
	}
	data["who"], data["why"] = p.Name, p.Why
	if p.OverrideDispute {
		data["override"] = "dispute"
	}
	return data
}

// NewAttempt is what a checkout asks for.
type NewAttempt struct {
	Provider, Plugin, Flow string
	Mode                   sdk.Mode
	CaptureMode            sdk.CaptureMode
	Amount                 sdk.Money     // of the order from now on; zero: as it is
	Customer               *sdk.Customer // likewise; nil: as it is
}

// Create starts a new order with its first attempt and the operation that
// creates it at the provider. The order's own fields come filled in.
func Create(o *Order, spec NewAttempt, ask Ask, env Env) (Change, *Operation) {
	o.ID = env.NewID(OrderID)
	o.Status, o.CreatedAt = OrderOpen, env.Now
	o.Attention = []Attention{}
	d := start(&Order{}, env)
	d.o = o
	d.events = append(d.events, Event{
		ID: env.NewID(EventID), OrderID: o.ID, At: env.Now, Kind: "order.created", Source: ask.Source,
		RequestID: ask.RequestID, Data: map[string]any{"amount": o.Amount, "currency": o.Currency, "app": o.AppID},
	})
	op := d.attempt(spec, ask)
	return d.finish(), op
}

// Checkout adds another attempt to an open order.
func (o *Order) Checkout(spec NewAttempt, ask Ask, env Env) (Change, *Operation, error) {
	if err := o.canStart(); err != nil {
		return Change{}, nil, err
	}
	if err := o.mayCost(spec.Amount); err != nil {
		return Change{}, nil, err
	}
	d := start(o, env)
	d.cost(spec.Amount, ask)
	if spec.Customer != nil && *spec.Customer != d.o.Customer && !d.o.Erased() {
		d.o.Customer = *spec.Customer
		// Not who it was or is: the timeline outlives the payer's data.
		d.record(&Attempt{}, News{Source: ask.Source, RequestID: ask.RequestID}, "order.customer_changed", nil)
	}
	d.o.CancelAskedAt = time.Time{} // the app wants it paid after all
	for _, a := range d.o.Attempts {
		if a.Live() {
			a.Abandoned = true // it cannot be canceled; it is watched until it ends
		}
	}
	op := d.attempt(spec, ask)
	return d.finish(), op, nil
}

func start(o *Order, env Env) *decision {
	return &decision{
		before: o, o: o.clone(), env: env, look: map[string]bool{}, soon: map[string]bool{}, read: map[string]bool{}, told: map[string]bool{}, touched: map[string]bool{},
		whole: map[string]bool{}, found: map[Attention]bool{}, capturable: map[string]bool{},
	}
}

// canStart refuses a new attempt while an earlier one may still take money.
func (o *Order) canStart() error {
	if o.Status == OrderOpen || o.Status == OrderPending {
		if err := o.moneyHeld(o.holds); err != nil {
			return err
		}
	}
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
		if d.env.Secret.Known() {
			key := d.env.Secret.ProviderKey(op.AppID, kind, ask.IdempotencyKey)
			op.DerivedKey = &key
		}
	}
	d.lease(op, ask.Lease)
	d.o.Operations = append(d.o.Operations, op)
	d.record(a, News{Source: ask.Source, RequestID: ask.RequestID}, string(kind)+operationStarted, ask.Operator.signed(map[string]any{"operation": op.ID}))
	return op
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
	if err := o.mayTake(a); err != nil {
		return Change{}, nil, err
	}
	if err := o.Covers(a, amount); err != nil {
		return Change{}, nil, err
	}
	d := start(o, env)
	d.o.CancelAskedAt = time.Time{} // it is wanted after all
	d.over(d.o.Attempt(a.ID), AuthorizedAfterClose, "it is to be captured")
	op := d.operation(sdk.OpCapture, d.o.Attempt(a.ID), nil, ask)
	return d.finish(), op, nil
}

// Covers refuses to capture more of an attempt than is authorized.
func (o *Order) Covers(a *Attempt, amount int64) error {
	if amount <= a.Authorized {
		return nil
	}
	return &Error{
		Kind: Invalid, Code: "amount_too_large", Param: "amount",
		Message: "more than the authorised " + o.Money(a.Authorized).String(),
	}
}

// mayTake refuses to have an attempt take money that was given up, or whose order
// another attempt paid.
func (o *Order) mayTake(a *Attempt) error {
	if a.Abandoned {
		e := Conflictf("attempt_abandoned", "attempt %s was given up when the order was canceled or expired, or another attempt replaced it, "+
			"and takes no money any more; cancel it to release what it holds", a.ID)
		e.OrderID, e.AttemptID = o.ID, a.ID
		return e
	}
	if other := o.paidBy(a.ID); other != nil {
		return Conflictf("already_paid", "attempt %s has paid this order; cancel this one instead", other.ID)
	}
	return nil
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
