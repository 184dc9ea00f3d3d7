package ledger

import (
	"slices"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// Owed is something that an event said and that no source has shown yet. The
// attempt is read until one does: a read may lag behind the event that it
// follows. It is kept with its attempt.
type Owed struct {
	CallbackID string              `json:"callback_id,omitempty"` // empty: a provider's refusal or a read said it
	Kind       sdk.ExpectationKind `json:"kind"`
	ID         string              `json:"id,omitempty"`       // the provider's own
	AtLeast    string              `json:"at_least,omitempty"` // the least status that will do
	Amount     int64               `json:"amount,omitempty"`   // of ExpectRefunded, in the order's unit
	Reversed   bool                `json:"reversed,omitempty"` // of a refund: the money was taken back
	Proven     bool                `json:"proven,omitempty"`   // a person is told if it never shows
	Since      time.Time           `json:"since"`              // when it was first said
	From       time.Time           `json:"from"`               // when its steps began: Since, or when it was last sent again
	Read       time.Time           `json:"read,omitzero"`      // when the last counted read began
	Steps      int                 `json:"steps,omitempty"`    // reads since From that did not show it
	Resent     int                 `json:"resent,omitempty"`   // how often its event was sent again
	Flagged    bool                `json:"flagged,omitempty"`  // a person was told
}

const (
	maxOwed       = 20  // of one attempt: an order stays one small read
	maxAlike      = 3   // events that say the same, each with an outcome of its own
	maxSteps      = 20  // reads for one event
	maxResent     = 10  // new starts by the same event
	maxExpect     = 10  // of one fact
	maxExpectedID = 255 // bytes

	stepSoon = 5 * time.Second // between reads in the first minute
	stepLate = time.Minute     // and after it

	defaultSettling = 2 * time.Minute // where a plugin declares none
)

// owedChange is what a provider's refusal says: the record is behind. It is met
// by any change of what the attempt holds.
const owedChange sdk.ExpectationKind = "change"

// same reports whether two say the same thing for the same event.
func (w *Owed) same(x *Owed) bool {
	return w.CallbackID == x.CallbackID && w.Kind == x.Kind && w.ID == x.ID
}

// unconfirmed is what a person is told if it never shows.
func (w *Owed) unconfirmed(a *Attempt) Attention {
	x := Attention{Reason: EventNotConfirmed, AttemptID: a.ID, CallbackID: w.CallbackID}
	if w.CallbackID == "" {
		x.MovementID = w.ID
	}
	return x
}

// about reports whether a person was told of it.
func (w *Owed) about(a *Attempt, x Attention) bool {
	told := w.unconfirmed(a)
	return x.Reason == told.Reason && x.AttemptID == told.AttemptID && x.CallbackID == told.CallbackID && x.MovementID == told.MovementID
}

// interval is the time from the last counted read to the next.
func (w *Owed) interval(env Env) time.Duration {
	if w.Read.Sub(w.From) < env.Scale(time.Minute) {
		return env.Scale(stepSoon)
	}
	return env.Scale(stepLate)
}

// settledAt is when a read that does not show it begins to say something.
func (w *Owed) settledAt(provider string, env Env) time.Time {
	kind := map[sdk.ExpectationKind]sdk.OperationKind{sdk.ExpectCapture: sdk.OpCapture, sdk.ExpectPayment: sdk.OpConfirm}[w.Kind]
	if kind == "" {
		kind = sdk.OpRefund
	}
	return w.Since.Add(env.settling(provider, kind))
}

// settling is how long the effect of an operation may be missing from reads.
func (e Env) settling(provider string, kind sdk.OperationKind) time.Duration {
	if e.Settling != nil {
		if d := e.Settling(provider, kind); d > 0 {
			return e.Scale(d)
		}
	}
	return e.Scale(defaultSettling)
}

// nextStep is when the attempt is to be read next for what it is owed, perhaps
// in the past; zero: the ordinary schedule does.
func (a *Attempt) nextStep(env Env) (next time.Time) {
	for i := range a.Owed {
		w := &a.Owed[i]
		at := w.From.Add(env.Scale(stepSoon)) // the first is asked for by the event
		switch {
		case w.Steps >= maxSteps:
			at = w.settledAt(a.Provider, env)
			if !at.After(env.Now) {
				continue
			}
		case !w.Read.IsZero():
			at = w.Read.Add(w.interval(env))
		}
		next = earliest(next, at)
	}
	return next
}

// orStep is the earlier of due and the next step. One that is overdue comes at
// once; or, while an operation is open whose recovery is paced by itself and
// reads perhaps fail, within a step.
func (a *Attempt) orStep(due time.Time, open bool, env Env) time.Time {
	at := a.nextStep(env)
	switch {
	case at.IsZero() || at.After(env.Now):
	case open:
		at = env.Now.Add(env.Scale(stepLate))
	default:
		at = env.Now
	}
	return earliest(due, at)
}

// Owes reports whether a read of the attempt is still to show something: an
// event, or a movement on record that a read did not list.
func (o *Order) Owes(a *Attempt) bool {
	return len(a.Owed) > 0 || slices.ContainsFunc(o.Attention, func(x Attention) bool {
		return x.Reason == EventNotConfirmed && x.AttemptID == a.ID && x.MovementID != "" && x.ResolvedAt.IsZero()
	})
}

// earliest is the earlier of two times, of which each may be none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
