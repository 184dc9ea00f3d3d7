package ledger

import "fmt"

// Resolve records that a person looked at what needed attention, and why it is
// settled: all of it, or one reason. Money that did not count because of it
// counts from then on.
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
	}
	if !found {
		return Change{}, fmt.Errorf("nothing of order %s needs attention, or not for that reason", o.ID)
	}
	return d.finish(), nil
}
