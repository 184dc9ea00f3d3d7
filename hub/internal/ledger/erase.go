package ledger

import (
	"github.com/superpayhub/superpay/sdk"
)

// Erase forgets what an order knows of its payer, and every text of the app
// that may name them: customer, description, line items, metadata, the reasons
// of refunds, the payer as the provider told. Amounts, statuses, movements,
// postings and the timeline stay. Requests that are kept for a repetition are
// passed through forget. An order that is erased already gives an empty Change.
func (o *Order) Erase(who, why string, forget func(sdk.OperationKind, []byte) []byte, env Env) (Change, error) {
	switch o.Status {
	case OrderOpen, OrderPending, OrderAuthorized:
		return Change{}, wrongState(o, "erased")
	}
	if busy := o.busy(); busy != nil {
		return Change{}, busy
	}
	d := start(o, env)
	if o.Erased() {
		return Change{Order: d.o}, nil
	}
	d.o.ErasedAt = env.Now
	d.o.Customer, d.o.Description, d.o.LineItems, d.o.Metadata = sdk.Customer{}, "", nil, nil
	for _, a := range d.o.Attempts {
		a.Payer = nil
	}
	for _, r := range d.o.Refunds {
		r.Reason = ""
	}
	for _, op := range d.o.Operations {
		if op.Request != nil {
			op.Request, op.Asked = forget(op.Kind, op.Request), nil
		}
	}
	d.events = append(d.events, Event{
		ID: env.NewID(EventID), OrderID: o.ID, At: env.Now, Kind: "order.erased", Source: FromOperator, Data: map[string]any{"who": who, "why": why},
	})
	return d.finish(), nil
}

// Erased reports whether the payer of the order was forgotten: nothing about
// them is taken in again.
func (o *Order) Erased() bool { return !o.ErasedAt.IsZero() }
