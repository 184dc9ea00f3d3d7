package ledger

import (
	"fmt"
	"slices"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// Owed is something that an event said and that no source has shown yet. The
// attempt is read until one does: a read may lag behind the event that it
// follows. It is kept with its attempt.
type Owed struct {
	CallbackID string              `json:"callback_id,omitempty"` // empty: a provider's refusal said it
	Kind       sdk.ExpectationKind `json:"kind"`
	ID         string              `json:"id,omitempty"`       // the provider's own
	AtLeast    string              `json:"at_least,omitempty"` // the least status that will do
	Amount     int64               `json:"amount,omitempty"`   // of ExpectRefunded, in the order's unit
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

// answer is what a read of an attempt told, as far as it answers for events.
type answer struct {
	began    time.Time
	payment  *sdk.Payment // nil: there is none
	complete map[sdk.ExpectationKind]bool
}

// answered notes a read that the provider answered.
func (d *decision) answered(a *Attempt, n News) {
	if n.Source != FromRead || n.Begun == 0 || n.Payment == nil && !n.Gone {
		return
	}
	x := &answer{began: n.At, payment: n.Payment, complete: map[sdk.ExpectationKind]bool{sdk.ExpectPayment: true}}
	if x.began.IsZero() {
		x.began = d.env.Now
	}
	p := n.Payment
	x.complete[sdk.ExpectCapture] = p == nil || p.Captures.Complete
	x.complete[sdk.ExpectRefund] = p == nil || p.Refunds.Complete
	x.complete[sdk.ExpectRefunded] = x.complete[sdk.ExpectRefund]
	x.complete[sdk.ExpectDispute] = p == nil || p.Disputes.Complete
	d.answers[a.ID] = x
}

// leftOut reports whether the read knows of it and says that it is none: a
// refund that only released an authorisation.
func (x *answer) leftOut(w *Owed) bool {
	if x == nil || x.payment == nil || w.Kind != sdk.ExpectRefund {
		return false
	}
	p := x.payment
	over := p.Status == sdk.Canceled || p.Status == sdk.Failed
	nothingTaken := over && p.Captures.Complete && len(p.Captures.Items) == 0 && p.Refunds.Complete
	return nothingTaken || slices.Contains(p.Refunds.LeftOut, w.ID)
}

// expect notes what the event of this news says and nobody has shown yet. What
// is on record already is not owed: that is why repetitions cost nothing.
func (d *decision) expect(a *Attempt, n News) {
	for i, e := range n.Expect {
		w, ok := d.claim(n, e)
		switch {
		case !ok, i >= maxExpect:
			d.soon[a.ID] = d.soon[a.ID] || n.Hint
		case !d.met(a, &w):
			d.owe(a, w)
		case n.Hint && (e.Kind == sdk.ExpectPayment || e.Kind == sdk.ExpectDispute):
			d.soon[a.ID] = true // it may say more than its status
		case n.Hint:
			d.later[a.ID] = true
		}
	}
}

// claim is an expectation of a plugin's as an attempt keeps it.
func (d *decision) claim(n News, e sdk.Expectation) (Owed, bool) {
	w := Owed{
		CallbackID: n.Event, Kind: e.Kind, ID: e.ID, AtLeast: e.AtLeast, Proven: n.Payment != nil,
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
	known := false
	for i := range a.Owed {
		have := &a.Owed[i]
		if have.same(&w) {
			d.again(a, have, &w)
			return
		}
		known = known || have.Kind == w.Kind && have.ID == w.ID && have.AtLeast == w.AtLeast && have.Amount == w.Amount
	}
	if full := len(a.Owed) >= maxOwed; full {
		d.later[a.ID], d.full = true, true
		return
	}
	if known {
		d.later[a.ID] = true // the reads for the other event will show it
	} else {
		d.soon[a.ID] = true
	}
	a.Owed = append(a.Owed, w)
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
		d.later[a.ID] = true
	}
}

// met reports whether the record shows it, with at least that rank. Whoever
// brought it there does: a read, a proven fact, an operation's answer.
func (d *decision) met(a *Attempt, w *Owed) bool {
	switch w.Kind {
	case sdk.ExpectCapture:
		return slices.ContainsFunc(d.o.Captures, func(c *Capture) bool {
			return c.Provider == a.Provider && c.ProviderID == w.ID && movementRank(c.Status) >= movementRank(sdk.MovementStatus(w.AtLeast))
		})
	case sdk.ExpectRefund:
		return slices.ContainsFunc(d.o.Refunds, func(r *Refund) bool {
			return r.Provider == a.Provider && r.ProviderID != nil && *r.ProviderID == w.ID && movementRank(r.Status) >= movementRank(sdk.MovementStatus(w.AtLeast))
		})
	case sdk.ExpectDispute:
		return slices.ContainsFunc(d.o.Disputes, func(x *Dispute) bool {
			return x.Provider == a.Provider && x.ProviderID == w.ID && disputeRank[x.Status] >= disputeRank[sdk.DisputeStatus(w.AtLeast)]
		})
	case sdk.ExpectPayment:
		return reachedStatus(a.Status, sdk.Status(w.AtLeast))
	case sdk.ExpectRefunded:
		var sum int64
		for _, r := range d.o.Refunds {
			if r.AttemptID == a.ID && r.CaptureID == w.ID && r.ProviderID != nil && r.Currency == d.o.Currency && movementRank(r.Status) < 2 {
				sum += r.Amount
			}
		}
		return sum >= w.Amount
	case owedChange:
		return w.AtLeast != "" && w.AtLeast != a.holds()
	}
	return true
}

// movementRank orders the ends of a movement: what succeeded may fail later.
func movementRank(s sdk.MovementStatus) int {
	switch s {
	case sdk.MovementSucceeded:
		return 1
	case sdk.MovementFailed:
		return 2
	}
	return 0
}

// reachedStatus reports whether a payment of this status has come as far as the
// other. An end without money answers for all but success.
func reachedStatus(is, atLeast sdk.Status) bool {
	at := slices.Index(statuses, is)
	want := slices.Index(statuses, atLeast)
	switch atLeast {
	case sdk.Failed, sdk.Canceled:
		return at >= slices.Index(statuses, sdk.Succeeded)
	case sdk.Succeeded:
		return is == sdk.Succeeded
	}
	return at >= want
}

// holds is what a refusal found to be out of date.
func (a *Attempt) holds() string {
	return fmt.Sprintf("%s %d %d %d %d %d", a.Status, a.Authorized, a.Captured, a.Refunded, a.Reserved, a.Disputed)
}
