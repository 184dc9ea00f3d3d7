package ledger

import (
	"cmp"
	"slices"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// SettledCallback is a callback whose outcome a change decides.
type SettledCallback struct {
	ID      string
	Outcome CallbackOut
}

// collect ends what is no longer owed of an attempt, after all news are in: what
// the record shows now, and what reads have denied for long enough.
func (d *decision) collect(a *Attempt) {
	if len(a.Owed) == 0 {
		return
	}
	read := d.answers[a.ID]
	var kept []Owed
	for i := range a.Owed {
		w := a.Owed[i]
		switch {
		case w.Kind == owedChange && w.AtLeast == "":
			w.AtLeast = a.holds() // what the refusal was about
		case d.met(a, &w):
			d.takenBack(a, &w)
			d.confirm(a, &w, CallbackApplied)
			continue
		case read.leftOut(&w):
			d.confirm(a, &w, CallbackNoNews)
			continue
		case w.Flagged && d.waved(a, &w):
			continue
		case read != nil && !read.began.Before(w.From):
			if d.denied(a, &w, read) {
				continue
			}
		}
		kept = append(kept, w)
	}
	a.Owed = kept
	if len(kept) == 0 && len(a.Refs) == 0 && read != nil {
		a.Candidates = []sdk.Ref{} // each was asked for, often enough
	}
}

// denied counts a read that did not show it. It reports whether that is the end.
// Only a read begun after the settling time can disagree: of a proven event a
// person is told, and reading goes on, seldom; what nobody proved just ends.
func (d *decision) denied(a *Attempt, w *Owed, read *answer) (ended bool) {
	if w.Read.IsZero() || !read.began.Before(w.Read.Add(w.interval(d.env)/2)) {
		w.Read = read.began
		w.Steps++
		switch {
		case w.Steps == 1 && w.Resent == 0:
			d.tellOwed(a, w, "event.expected")
		case w.Steps == maxSteps:
			a.Tries = 0 // the ordinary schedule begins
		}
	}
	spent := w.Steps >= maxSteps
	if w.Flagged || read.began.Before(w.settledAt(a.Provider, d.env)) {
		return false
	}
	if w.Proven && (spent || read.complete[w.Kind]) {
		w.Flagged = true
		d.raiseAbout(w.unconfirmed(a))
		d.outcome(w.CallbackID, CallbackUnconfirmed)
		return false
	}
	if w.Proven || !spent {
		return false
	}
	d.tellOwed(a, w, "event.unconfirmed")
	d.outcome(w.CallbackID, CallbackUnconfirmed)
	return true
}

// waved reports whether a person resolved what was said of the event.
func (d *decision) waved(a *Attempt, w *Owed) bool {
	return slices.ContainsFunc(d.o.Attention, func(x Attention) bool { return w.about(a, x) && !x.ResolvedAt.IsZero() })
}

// confirm ends what is owed: a source agrees, or says that it is nothing.
func (d *decision) confirm(a *Attempt, w *Owed, outcome CallbackOut) {
	if w.Steps > 0 || w.Resent > 0 {
		d.tellOwed(a, w, "event.confirmed")
	}
	d.outcome(w.CallbackID, outcome)
	if w.Flagged {
		d.agree(a, func(x Attention) bool { return w.about(a, x) }, cmp.Or(w.CallbackID, w.ID))
	}
}

// agree takes back what was said of something that a source shows now.
func (d *decision) agree(a *Attempt, about func(Attention) bool, id string) {
	d.o.Attention = slices.DeleteFunc(d.o.Attention, func(x Attention) bool {
		if x.Reason != EventNotConfirmed || !about(x) {
			return false
		}
		if x.ResolvedAt.IsZero() {
			d.record(a, News{Source: FromHub}, "attention.resolved", map[string]any{
				"reason": x.Reason, "id": id, "why": "the provider shows it now",
			})
		}
		return true // also what a person resolved, so that the next time is told anew
	})
}

func (d *decision) tellOwed(a *Attempt, w *Owed, kind string) {
	if w.CallbackID == "" {
		return // the operation's own line tells of the refusal
	}
	data := map[string]any{"callback": w.CallbackID, "expected": w.Kind}
	if w.ID != "" {
		data["id"] = w.ID
	}
	if w.AtLeast != "" {
		data["at_least"] = w.AtLeast
	}
	d.record(a, News{Source: FromHub}, kind, data)
}

// outcome notes what became of an event in this decision. The worst stands.
func (d *decision) outcome(callbackID string, outcome CallbackOut) {
	if callbackID == "" || d.outcomes[callbackID] == CallbackUnconfirmed {
		return
	}
	if d.outcomes == nil {
		d.outcomes = map[string]CallbackOut{}
	}
	d.outcomes[callbackID] = outcome
}

// settledCallbacks are the callbacks that the decision ends, or gives up for now.
func (d *decision) settledCallbacks() (out []SettledCallback) {
	for id, outcome := range d.outcomes {
		if now := d.o.EventOutcome(id); now == "" || now == outcome {
			out = append(out, SettledCallback{id, outcome})
		}
	}
	return out
}

// EventOutcome is the outcome of a callback as far as the order is owed what it
// said; empty if it is owed nothing.
func (o *Order) EventOutcome(callbackID string) (out CallbackOut) {
	for _, a := range o.Attempts {
		for i := range a.Owed {
			switch w := &a.Owed[i]; {
			case w.CallbackID != callbackID:
			case w.Flagged:
				return CallbackUnconfirmed
			default:
				out = CallbackOwed
			}
		}
	}
	return out
}

// unlisted compares what is on record with what a read lists completely. A
// movement that is missing after its settling time needs a person: our own
// operations' answers are owed, too. Absence removes nothing.
func (d *decision) unlisted(a *Attempt, n News, fresh bool) {
	if n.Source != FromRead || n.Begun == 0 || n.At.IsZero() {
		return
	}
	p := n.Payment
	if p.Captures.Complete {
		for _, row := range d.o.Captures {
			if row.AttemptID == a.ID && row.Status != sdk.MovementFailed {
				shown := slices.ContainsFunc(p.Captures.Items, func(c sdk.Capture) bool { return c.ID == row.ProviderID })
				settled := row.UpdatedAt.Add(d.env.settling(a.Provider, sdk.OpCapture))
				d.shown(a, row.ID, shown, fresh, n.At, settled)
			}
		}
	}
	if p.Refunds.Complete {
		for _, row := range d.o.Refunds {
			if row.AttemptID == a.ID && row.ProviderID != nil && row.Status != sdk.MovementFailed {
				shown := slices.ContainsFunc(p.Refunds.Items, func(r sdk.Refund) bool { return r.ID == *row.ProviderID })
				settled := row.UpdatedAt.Add(d.env.settling(a.Provider, sdk.OpRefund))
				d.shown(a, row.ID, shown, fresh, n.At, settled)
			}
		}
	}
}

// shown notes whether a read that began at that time lists a movement, which it must
// do once that is settled. One that need not be listed yet is looked for again then:
// an answer may have named it wrongly.
func (d *decision) shown(a *Attempt, movementID string, shown, fresh bool, began, settled time.Time) {
	switch {
	case shown:
		d.agree(a, func(x Attention) bool { return x.MovementID == movementID }, movementID)
	case fresh && began.Before(settled):
		d.settlesAt(a, settled)
	case fresh:
		before := len(d.o.Attention)
		d.raiseAbout(Attention{Reason: EventNotConfirmed, AttemptID: a.ID, MovementID: movementID})
		if len(d.o.Attention) > before {
			a.Tries = 0 // it is read again, by the ordinary schedule
		}
	}
}
