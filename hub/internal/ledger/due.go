package ledger

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// Schedule is when an unsettled attempt is read again, by how often it was
// read since its last news, unless Env.Schedules has another for its provider.
var Schedule = []time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour,
}

// checks is when an attempt with money is read although it is settled, counted
// from its last capture: a refund or dispute may have been made at the provider
// and its callback lost. After the last of them it is not looked at any more.
var checks = []time.Duration{24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour, 90 * 24 * time.Hour}

// healing is when an unknown operation is looked at again.
var healing = []time.Duration{
	300 * time.Millisecond, time.Second, 3 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour,
}

// goesOn is when the worker does what somebody else was to do at once, and did not if
// it died: ask for the next part of a refund, close an attempt.
var goesOn = []time.Duration{3 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}

// Patience is how many failed looks in a row make the hub tell a person: some
// seven hours.
const Patience = 36

// Backoff is how long to wait after that many failed looks in a row at what is
// due: a minute at most in the first half hour, for what is in the way may be
// gone any moment.
func Backoff(failures int, env Env) time.Duration {
	switch {
	case failures < 30:
		return env.Scale(min(step(healing, failures-1), time.Minute))
	case failures < Patience:
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
			return op.Deadline // whoever looks before is sent away
		}
		return a.orStep(env.Now.Add(env.Scale(step(healing, a.Tries))), true, env)
	}
	if o.nextPart(a.ID) != nil {
		return env.Now.Add(env.Scale(step(goesOn, max(a.Tries, a.Failures))))
	}
	due := o.nextCheck(a, env)
	if o.Unsettled(a) {
		due = env.Now.Add(env.Scale(step(env.schedule(a.Provider), a.Tries)))
	}
	if o.toClose(a, env) {
		due = earliest(due, env.Now.Add(env.Scale(step(goesOn, a.Tries))))
	}
	due = a.orStep(due, false, env)
	// An order whose attempts are all dead still has to expire; one that is
	// alive is read when its time is up.
	if o.Status == OrderOpen || o.Status == OrderPending {
		due = sooner(due, o.ExpiresAt, env)
	}
	if a.Live() {
		due = sooner(due, a.ExpiresAt, env)
	}
	due = sooner(due, a.warnAt(env), env)
	return sooner(due, a.lapsed(), env)
}

// sooner is the earlier of two times of which the second counts only if it is
// still to come.
func sooner(due, t time.Time, env Env) time.Time {
	if t.After(env.Now) && (due.IsZero() || t.Before(due)) {
		return t
	}
	return due
}

// nextCheck is the next of the checks after the attempt's last capture; zero
// when there is none, or no money.
func (o *Order) nextCheck(a *Attempt, env Env) time.Time {
	var last time.Time
	for _, c := range o.Captures {
		if c.AttemptID == a.ID && c.CreatedAt.After(last) {
			last = c.CreatedAt
		}
	}
	for _, after := range checks {
		if at := last.Add(env.Scale(after)); !last.IsZero() && at.After(env.Now) {
			return at
		}
	}
	return time.Time{}
}

// Unsettled reports whether the provider can still say something new of an
// attempt by itself.
func (o *Order) Unsettled(a *Attempt) bool {
	open := a.ReadWanted || o.Owes(a) || a.Live() && !(a.Abandoned && len(a.Refs) == 0 && len(a.Candidates) == 0)
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
