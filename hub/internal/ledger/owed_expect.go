package ledger

import (
	"slices"

	"github.com/superpayhub/superpay/sdk"
)

// expect notes what the event of this news says and nobody has shown yet. What
// is on record already is not owed: that is why repetitions cost nothing.
func (d *decision) expect(a *Attempt, n News) {
	for i, e := range n.Expect {
		w, ok := d.claim(n, e)
		if ok && d.met(a, &w) {
			d.takenBack(a, &w)
		}
		switch {
		case !ok, i >= maxExpect:
			d.soon[a.ID] = d.soon[a.ID] || n.Hint
		case !d.met(a, &w):
			d.owe(a, w)
		case n.Hint && (e.Kind == sdk.ExpectPayment || e.Kind == sdk.ExpectDispute):
			d.soon[a.ID] = true // it may say more than its status
		case n.Hint:
			d.within(a)
		}
	}
}

// promised notes what a read says has happened and does not list itself. What a
// person has looked at is not asked for again.
func (d *decision) promised(a *Attempt, n News) {
	if n.Source != FromRead || n.Begun == 0 {
		return
	}
	for i, e := range n.Payment.Expect {
		w, ok := d.claim(News{Payment: n.Payment}, e)
		if !ok || i >= maxExpect || d.met(a, &w) || d.waved(a, &w) || slices.ContainsFunc(a.Owed, func(x Owed) bool { return x.same(&w) }) {
			continue
		}
		d.owe(a, w)
	}
}

// takenBack tells a person of a refund that an event calls a reversal, where
// nobody here asked for it.
func (d *decision) takenBack(a *Attempt, w *Owed) {
	if !w.Reversed || w.Kind != sdk.ExpectRefund {
		return
	}
	for _, r := range d.o.Refunds {
		if r.AttemptID == a.ID && r.ProviderID != nil && *r.ProviderID == w.ID && r.Origin != ByHub {
			d.raiseAbout(Attention{Reason: Reversed, AttemptID: a.ID, MovementID: r.ID})
		}
	}
}

// claim is an expectation of a plugin's as an attempt keeps it.
func (d *decision) claim(n News, e sdk.Expectation) (Owed, bool) {
	w := Owed{
		CallbackID: n.Event, Kind: e.Kind, ID: e.ID, AtLeast: e.AtLeast, Reversed: e.Reversed, Proven: n.Payment != nil,
		Since: d.env.Now, From: d.env.Now,
	}
	switch e.Kind {
	case sdk.ExpectCapture, sdk.ExpectRefund, sdk.ExpectDispute:
		return w, e.ID != "" && len(e.ID) <= maxExpectedID && len(e.AtLeast) <= maxExpectedID
	case sdk.ExpectPayment:
		w.ID = ""
		return w, slices.Contains(statuses, sdk.Status(e.AtLeast))
	case sdk.ExpectRefunded:
		m, err := e.Amount.Rescale(d.o.Exponent)
		w.AtLeast, w.Amount = "", m.Amount
		return w, err == nil && m.Currency == d.o.Currency && m.Amount > 0 && len(e.ID) <= maxExpectedID
	}
	return w, false
}

// owe adds what is owed, and asks for a read: at once if it is new.
func (d *decision) owe(a *Attempt, w Owed) {
	known := 0 // other events that say the same
	for i := range a.Owed {
		have := &a.Owed[i]
		if have.same(&w) {
			d.again(a, have, &w)
			return
		}
		if have.Kind == w.Kind && have.ID == w.ID && have.AtLeast == w.AtLeast && have.Amount == w.Amount {
			known++
		}
	}
	if known == 0 && len(a.Owed) < maxOwed {
		d.soon[a.ID] = true
	} else {
		d.within(a) // the reads for other events may show it
	}
	switch {
	case known >= maxAlike: // it adds nothing
	case len(a.Owed) >= maxOwed:
		d.full = true
	default:
		a.Owed = append(a.Owed, w)
	}
}

// again is an event that was sent once more, and is not confirmed yet: its steps
// begin anew, a few times.
func (d *decision) again(a *Attempt, have, w *Owed) {
	have.Proven = have.Proven || w.Proven
	if have.Kind == sdk.ExpectRefunded {
		have.Amount = max(have.Amount, w.Amount)
	}
	if have.Read.IsZero() {
		d.soon[a.ID] = true // none was made yet
		return
	}
	if have.Resent >= maxResent {
		return
	}
	have.Resent++
	have.From, have.Steps = d.env.Now, 0
	if d.env.Now.Sub(have.Read) >= d.env.Scale(stepSoon) {
		d.soon[a.ID] = true
	} else {
		d.within(a)
	}
}

// within asks for a read within a step, where none has to be made at once.
func (d *decision) within(a *Attempt) {
	if d.later == nil {
		d.later = map[string]bool{}
	}
	d.later[a.ID] = true
}

// ProvesStale reports whether a provider's refusal shows that the record is
// behind: the payment is in another state than we think, or less is left.
func ProvesStale(kind sdk.OperationKind, f *sdk.Failure) bool {
	if f == nil || kind == sdk.OpCreate {
		return false
	}
	switch f.Code {
	case sdk.FailureState, sdk.FailureAmount, sdk.FailureDuplicate, sdk.FailureExpired, sdk.FailureRefundExceedsBalance:
		return true
	}
	return false
}

// refused asks for a read after a refusal that the record did not foresee, and
// for more until the record has changed: the first may lag behind.
func (d *decision) refused(a *Attempt, op *Operation) {
	if op.Outcome == OutcomeDeclined && ProvesStale(op.Kind, op.Failure) {
		now := d.env.Now
		d.owe(a, Owed{Kind: owedChange, Since: now, From: now})
	}
}
