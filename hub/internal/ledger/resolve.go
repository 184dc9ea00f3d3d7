package ledger

import (
	"fmt"
	"slices"

	"github.com/superpayhub/superpay/sdk"
)

// What became of money that did not fit the order, when a person resolved that.
const (
	MoneyAccepted = "accepted" // it settles the order, as it is
	MoneyReturned = "returned" // it had been given back: it never counts
)

// Resolve records that a person looked at what needed attention, and why it is
// settled: all of it, or one reason. Money that did not count because of it is
// accepted as payment of the order, unless it was given back by then.
func (o *Order) Resolve(reason, who, why string, env Env) (Change, error) {
	d := start(o, env)
	found := false
	for i := range d.o.Attention {
		x := &d.o.Attention[i]
		if !x.ResolvedAt.IsZero() || reason != "" && x.Reason != reason {
			continue
		}
		found = true
		x.ResolvedAt = env.Now
		d.events = append(d.events, Event{
			ID: env.NewID(EventID), OrderID: o.ID, AttemptID: x.AttemptID, At: env.Now, Kind: "attention.resolved",
			Source: FromOperator, Data: map[string]any{"reason": x.Reason, "who": who, "why": why},
		})
		if a := d.o.Attempt(x.AttemptID); a != nil {
			d.accept(a, who, why)
		}
	}
	if !found {
		return Change{}, fmt.Errorf("nothing of order %s needs attention, or not for that reason", o.ID)
	}
	return d.finish(), nil
}

// accept marks what was resolved of an attempt's mismatches: with money that the
// provider has, or that may still come, the order is settled by it.
func (d *decision) accept(a *Attempt, who, why string) {
	m, held := d.o.holds(a)
	moved := d.o.Took(a)
	for i := range d.o.Attention {
		x := &d.o.Attention[i]
		if x.AttemptID != a.ID || x.ResolvedAt.IsZero() || !slices.Contains(mismatches, x.Reason) || x.Money == MoneyAccepted {
			continue
		}
		switch {
		case held || a.Live():
			x.Money = MoneyAccepted
		case moved:
			x.Money = MoneyReturned
			continue
		default:
			continue
		}
		d.events = append(d.events, d.event(a, News{Source: FromOperator}, "payment.accepted", map[string]any{
			"reason": x.Reason, "amount": m.Amount, "currency": m.Currency, "who": who, "why": why,
		}))
	}
}

// Took reports whether money was captured of the attempt, in any currency, given
// back or not.
func (o *Order) Took(a *Attempt) bool {
	return slices.ContainsFunc(o.Captures, func(c *Capture) bool { return c.AttemptID == a.ID && c.Status == sdk.MovementSucceeded })
}
