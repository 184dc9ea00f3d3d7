package ledger

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// Schedule is when an unsettled attempt is read again, by how often it was
// read since its last news.
var Schedule = []time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour,
}

// healing is when an unknown operation is looked at again.
var healing = []time.Duration{
	300 * time.Millisecond, time.Second, 3 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour,
}

// Patience is how many failed looks in a row make the hub tell a person: some
// seven hours.
const Patience = 36

// Backoff is how long to wait after a failed look at what is due: a minute at
// most in the first half hour, for what is in the way may be gone any moment.
func Backoff(tries int, env Env) time.Duration {
	switch {
	case tries < 30:
		return env.Scale(min(step(healing, tries-1), time.Minute))
	case tries <= Patience:
		return env.Scale(time.Hour)
	}
	return env.Scale(6 * time.Hour)
}

func step(steps []time.Duration, tries int) time.Duration {
	return steps[min(max(tries, 0), len(steps)-1)]
}

// nextDue says when the hub has to look at the attempt again; zero is never.
func nextDue(o *Order, a *Attempt, env Env) time.Time {
	if op := o.OpenOperation(a.ID); op != nil {
		if op.Outcome == OutcomePending {
			return op.Deadline
		}
		return env.Now.Add(env.Scale(step(healing, a.Tries)))
	}
	open := o.Unsettled(a)
	var due time.Time
	if open {
		due = env.Now.Add(env.Scale(step(Schedule, a.Tries)))
	}
	// An order whose attempts are all dead still has to expire; one that is
	// alive is read when its time is up.
	if end := o.ExpiresAt; (o.Status == OrderOpen || o.Status == OrderPending) && end.After(env.Now) && (due.IsZero() || end.Before(due)) {
		due = end
	}
	return due
}

// Unsettled reports whether the provider can still say something new of an
// attempt by itself.
func (o *Order) Unsettled(a *Attempt) bool {
	open := a.ReadWanted || a.Live() && !(a.Abandoned && len(a.Refs) == 0 && len(a.Candidates) == 0)
	for _, c := range o.Captures {
		open = open || c.AttemptID == a.ID && c.Status == sdk.MovementPending
	}
	for _, r := range o.Refunds {
		open = open || r.AttemptID == a.ID && (r.Status == sdk.MovementPending || r.Status == RefundUnknown)
	}
	for _, d := range o.Disputes {
		open = open || d.AttemptID == a.ID && disputeRank[d.Status] < 2
	}
	return open
}
