package ledger

import (
	"cmp"
	"slices"

	"github.com/superpayhub/superpay/sdk"
)

// amountChanged is the event that an order is for another amount.
const amountChanged = "order.amount_changed"

// mayCost refuses another amount than the order's, once a provider has taken the
// order up: its payer may have seen the old one. Until then the app can mend what a
// provider refused, and keep its reference.
func (o *Order) mayCost(m sdk.Money) error {
	if m.IsZero() || m == o.Money(o.Amount) {
		return nil
	}
	for _, a := range o.Attempts {
		// One that never left can be sent again, for the old amount.
		if a.Status != sdk.Failed || len(a.Refs) > 0 || o.tookAny(a) || o.neverSent(a.ID) {
			e := Conflictf("amount_fixed", "the order is for %s, and attempt %s was taken up by a provider: only where providers refused every attempt can the amount change", o.Money(o.Amount), a.ID)
			e.AttemptID = a.ID
			return e
		}
	}
	return nil
}

// neverSent reports whether an attempt's creation never left: its key may try again.
func (o *Order) neverSent(attemptID string) bool {
	return slices.ContainsFunc(o.Operations, func(op *Operation) bool {
		return op.Kind == sdk.OpCreate && op.Outcome == OutcomeNotSent && op.AttemptID != nil && *op.AttemptID == attemptID
	})
}

// cost changes the order's amount.
func (d *decision) cost(m sdk.Money, ask Ask) {
	was := d.o.Money(d.o.Amount)
	if m.IsZero() || m == was {
		return
	}
	d.o.Amount, d.o.Currency, d.o.Exponent = m.Amount, m.Currency, m.Exponent
	d.record(&Attempt{}, News{Source: ask.Source, RequestID: ask.RequestID}, amountChanged, map[string]any{
		"amount": m.Amount, "currency": m.Currency, "was": was.Amount, "was_currency": was.Currency,
	})
}

// lastAmount is the line of the timeline that says for how much the order is.
func lastAmount(events []*Event) *Event {
	said := slices.DeleteFunc(slices.Clone(events), func(e *Event) bool { return e.Kind != "order.created" && e.Kind != amountChanged })
	slices.SortFunc(said, func(a, b *Event) int {
		if a.Kind != b.Kind && (a.Kind == "order.created" || b.Kind == "order.created") {
			return cmp.Compare(b.Kind, a.Kind) // the beginning first
		}
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
	})
	if len(said) == 0 {
		return nil
	}
	return said[len(said)-1]
}
