package ledger

import "slices"

// AttentionResolved is the kind of the line that ends what needed attention.
const AttentionResolved = "attention.resolved"

// maxDoubtsTold bounds how many fields one line of the timeline lists.
const maxDoubtsTold = 10

// RaiseDoubt records that the order's record contradicts itself. What is on
// record stays exactly as it was found: nothing is computed anew, so that this
// does not cover up what somebody altered. Nothing new gives an empty Change,
// and so does what a person has seen already.
func (o *Order) RaiseDoubt(doubts []Doubt, env Env) Change {
	d := start(o, env)
	d.raise(LedgerDoubt, "")
	fields := []string{} // without the values: apps read the timeline, and one may be another app's
	for _, x := range doubts[:min(len(doubts), maxDoubtsTold)] {
		fields = append(fields, x.place())
	}
	for i := range d.events {
		d.events[i].Data["fields"] = fields
	}
	return d.attentionOnly()
}

// ClearDoubt records that a later check found the order's record consistent. The
// next doubt is told anew.
func (o *Order) ClearDoubt(env Env) Change {
	d := start(o, env)
	d.o.Attention = slices.DeleteFunc(d.o.Attention, func(x Attention) bool {
		if x.Reason != LedgerDoubt {
			return false
		}
		if x.ResolvedAt.IsZero() {
			d.record(&Attempt{}, News{Source: FromHub}, AttentionResolved, map[string]any{"reason": x.Reason, "why": "the record was checked again and is consistent"})
		}
		return true
	})
	return d.attentionOnly()
}

// Doubted reports whether the order carries a doubt, seen by a person or not.
func (o *Order) Doubted() bool {
	return slices.ContainsFunc(o.Attention, func(x Attention) bool { return x.Reason == LedgerDoubt })
}

// attentionOnly ends a decision that changes nothing but what needs attention.
func (d *decision) attentionOnly() Change {
	d.o.NeedsAttention = slices.ContainsFunc(d.o.Attention, func(x Attention) bool { return x.ResolvedAt.IsZero() })
	return diff(d.before, d.o, d.events, d.env, nil)
}
