package ledger

import (
	"cmp"
	"reflect"
	"slices"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// Change is what a decision adds to what is recorded: whole rows, as they will
// stand. Order is the order after it, at the version it will have; nothing is
// written unless the version before it is still the recorded one.
type Change struct {
	Order      *Order
	Attempts   []*Attempt
	Refs       []Ref
	Captures   []*Capture
	Refunds    []*Refund
	Disputes   []*Dispute
	Operations []*Operation
	Postings   []Posting
	Events     []Event
	Notices    []Notice
	Callbacks  []*Callback // inbox lines that this change settles

	// MoneyOut is set where a provider is about to be asked to move money. The
	// change is not written while money-out of one of these accounts is closed.
	MoneyOut []MoneyOut

	// Looks are set instead of Attempts where nothing is new but when to look
	// again: that is written without a new version.
	Looks []Look

	Settled []SettledCallback // inbox lines of earlier events that this change ends
	Full    bool              // an attempt is owed too much already to keep what these news expect

	// PreviousAt is when the version was written that the change was decided on; zero
	// for a new order.
	PreviousAt time.Time

	changed bool
}

// MoneyOut names an account whose money-out must be open.
type MoneyOut struct {
	Provider string // empty: all that the app may use
	Fence    string // the id of a fence since which the payment was read; may be empty
}

// Look is when an attempt is looked at again, unless that changed meanwhile.
type Look struct {
	AttemptID  string
	Was, DueAt time.Time
	Lease      time.Time // that ends with it
	Failures   int
}

// Ref binds a provider's name to an attempt.
type Ref struct {
	Provider  string `json:"provider"`
	Kind      string `json:"kind"`
	Value     string `json:"value"`
	AttemptID string `json:"attempt_id"`
	OrderID   string `json:"order_id"`
}

// Empty reports whether there was no news.
func (c *Change) Empty() bool { return !c.changed }

// clone copies the order deeply enough that the copy can be changed freely.
func (o *Order) clone() *Order {
	c := *o
	c.Attention = append([]Attention{}, o.Attention...)
	c.Attempts = cloneAll(o.Attempts)
	for _, a := range c.Attempts {
		a.Refs = append([]sdk.Ref{}, a.Refs...)
		a.Candidates = append([]sdk.Ref{}, a.Candidates...)
		a.Owed = slices.Clone(a.Owed)
	}
	c.Captures = cloneAll(o.Captures)
	c.Refunds = cloneAll(o.Refunds)
	c.Disputes = cloneAll(o.Disputes)
	c.Operations = cloneAll(o.Operations)
	return &c
}

func unnamed(r *Refund) int {
	if r.ProviderID == nil {
		return 1
	}
	return 0
}

func cloneAll[T any](in []*T) []*T {
	out := make([]*T, len(in))
	for i, p := range in {
		c := *p
		out[i] = &c
	}
	return out
}

// arrange puts what hangs on the order in the sequence in which it is read, so
// that one version of an order reads in one way. What a database had lost is made
// before what is on record, and what one read shows at once has no sequence.
func (o *Order) arrange() {
	o.Attempts = inSequence(o.Attempts)
	slices.SortFunc(o.Captures, func(a, b *Capture) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(o.Refunds, func(a, b *Refund) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(o.Disputes, func(a, b *Dispute) int { return cmp.Compare(a.ID, b.ID) })
}

// inSequence returns attempts in the sequence in which they are read.
func inSequence(all []*Attempt) []*Attempt {
	byID := func(a, b *Attempt) int { return cmp.Compare(a.ID, b.ID) }
	if slices.IsSortedFunc(all, byID) {
		return all
	}
	return slices.SortedFunc(slices.Values(all), byID)
}

// changed returns the rows of after that are new or differ from before.
// Rows are only ever added at the end, never removed.
func changed[T any](before, after []*T) []*T {
	var out []*T
	for i, p := range after {
		if i >= len(before) || !reflect.DeepEqual(before[i], p) {
			out = append(out, p)
		}
	}
	return out
}

// movedOn does something with the movements that are new or changed in what apps see
// of them. How the provider books a movement is none of that: no app is told, so the
// time that it reads must not change.
func movedOn[T any](before, after []*T, seen func(T) T, do func(*T)) {
	for i, x := range after {
		if i >= len(before) || !reflect.DeepEqual(seen(*before[i]), seen(*x)) {
			do(x)
		}
	}
}

// looks returns the new schedule, and whether nothing else is new. A read that
// something asks for is more than schedule, and so is one that is wanted sooner
// than it stood: it moves the version, so that a read under way is not taken
// for one that began after.
func looks(before, changed []*Attempt) (out []Look, only bool) {
	for _, a := range changed {
		i := slices.IndexFunc(before, func(b *Attempt) bool { return b.ID == a.ID })
		if i < 0 {
			return nil, false
		}
		same := *a
		same.DueAt, same.LeasedUntil, same.Failures = before[i].DueAt, before[i].LeasedUntil, before[i].Failures
		if !reflect.DeepEqual(same, *before[i]) || a.ReadWanted && a.DueAt.Before(before[i].DueAt) {
			return nil, false
		}
		out = append(out, Look{a.ID, before[i].DueAt, a.DueAt, before[i].LeasedUntil, a.Failures})
	}
	return out, true
}

// diff finishes a decision: totals, status, and what differs from before.
// Before is nil for a new order. The attempts of touched are written even if
// they read the same: see decision.touched.
func diff(before, after *Order, events []Event, env Env, touched map[string]bool) Change {
	if before == nil {
		before = &Order{}
	}
	c := Change{Order: after, Events: events, Postings: post(before, after, env)}
	c.Captures = changed(before.Captures, after.Captures)
	c.Refunds = changed(before.Refunds, after.Refunds)
	// One that gives its provider's id to another is written before that.
	slices.SortStableFunc(c.Refunds, func(a, b *Refund) int { return cmp.Compare(unnamed(b), unnamed(a)) })
	c.Disputes = changed(before.Disputes, after.Disputes)
	c.Operations = changed(before.Operations, after.Operations)
	c.Attempts = changed(before.Attempts, after.Attempts)
	for _, a := range after.Attempts {
		if touched[a.ID] && !slices.Contains(c.Attempts, a) {
			c.Attempts = append(c.Attempts, a)
		}
	}
	for i, a := range after.Attempts {
		known := 0
		if i < len(before.Attempts) {
			known = len(before.Attempts[i].Refs)
		}
		for _, r := range a.Refs[known:] {
			c.Refs = append(c.Refs, Ref{a.Provider, r.Kind, r.Value, a.ID, a.OrderID})
		}
	}
	b, a := *before, *after
	b.Attempts, b.Captures, b.Refunds, b.Disputes, b.Operations = nil, nil, nil, nil, nil
	a.Attempts, a.Captures, a.Refunds, a.Disputes, a.Operations = nil, nil, nil, nil, nil
	if looks, only := looks(before.Attempts, c.Attempts); only && len(touched)+len(c.Captures)+len(c.Refunds)+len(c.Disputes)+len(c.Operations)+len(c.Events) == 0 {
		c.Attempts, c.Looks = nil, looks
	}
	c.changed = len(c.Attempts)+len(c.Captures)+len(c.Refunds)+len(c.Disputes)+len(c.Operations)+len(c.Events) > 0 ||
		!reflect.DeepEqual(b, a)
	if !c.changed {
		return c
	}
	for _, x := range c.Attempts {
		x.UpdatedAt = env.Now
	}
	for _, x := range c.Operations {
		x.UpdatedAt = env.Now
	}
	movedOn(before.Refunds, after.Refunds, func(x Refund) Refund { x.Booked, x.Posted = Booked{}, 0; return x }, func(x *Refund) { x.UpdatedAt = env.Now })
	movedOn(before.Captures, after.Captures, func(x Capture) Capture { x.Booked, x.Posted = Booked{}, 0; return x }, func(x *Capture) { x.UpdatedAt = env.Now })
	movedOn(before.Disputes, after.Disputes, func(x Dispute) Dispute { x.Booked, x.Posted, x.Lines = Booked{}, 0, 0; return x }, func(x *Dispute) { x.UpdatedAt = env.Now })
	after.UpdatedAt = env.Now
	after.Version = before.Version + 1
	c.PreviousAt = before.UpdatedAt
	after.arrange()
	return c
}
