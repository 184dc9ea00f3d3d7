package ledger

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// Env is what a decision may know of the world.
type Env struct {
	Now   time.Time
	NewID func(prefix string) string
	// Secret derives providers' keys. Without one they are the operations' ids.
	Secret Secret
	// TimeScale divides every scheduled delay; 0 and 1 are real time.
	TimeScale float64
	// Schedules are those of providers that have one of their own, by name.
	Schedules map[string][]time.Duration
	// Notice is how long before an authorisation lapses its app is told, at
	// most; DefaultNotice where it is 0.
	Notice time.Duration
	// Settling is how long the effect of such an operation may be missing from a
	// provider's reads; 0, or no function at all, stands for a sane default.
	Settling func(provider string, kind sdk.OperationKind) time.Duration
	// Cancels reports whether a flow can be canceled at its provider; all can where it
	// is nil.
	Cancels func(provider, flow string) bool
}

// schedule is the provider's own, or the one of all.
func (e Env) schedule(provider string) []time.Duration {
	if own := e.Schedules[provider]; len(own) > 0 {
		return own
	}
	return Schedule
}

// Scale shortens a scheduled delay as the clock of tests demands.
func (e Env) Scale(d time.Duration) time.Duration {
	if e.TimeScale <= 1 {
		return d
	}
	return time.Duration(float64(d) / e.TimeScale)
}

// News is one fact about one attempt, whoever brings it: a callback, a read,
// the answer to an operation, an operator.
type News struct {
	AttemptID string
	Source    Source
	RequestID string
	// Begun is the order's version at which a read of the provider began; 0
	// where the news is not a read. It is fresh if that is still the version.
	Begun int64
	// At is when that read began, by the hub's clock, and Lease until when the
	// attempt was leased then: it ends that lease, and no other's.
	At    time.Time
	Lease time.Time

	Payment   *sdk.Payment  // what the provider says, proven
	Refund    *sdk.Refund   // likewise, of one refund
	Operation *Result       // how an operation ended
	Look      bool          // nothing: only see what time does to the order
	Hint      bool          // something happened: go and read
	Maybe     []sdk.Ref     // what may be the payment of an attempt that has none yet
	Gone      bool          // a read found nothing
	Taken     bool          // what it named belongs to another payment
	Lost      *PaymentClaim // of a payment that this request made, and that is on no record
	HashTaken bool          // a key hash that it proves is on record already
	Raise     string        // a reason for attention that the caller found
	Callback  string        // settled with these news, or what Raise is about

	// Expect is what reads must show before the event counts as confirmed, and
	// Event its callback.
	Expect []sdk.Expectation
	Event  string
}

// Result is how an operation ended. An empty Outcome means that the provider
// answered, and its answer (Payment or Refund beside it) tells.
type Result struct {
	ID       string
	Outcome  Outcome
	Rejected bool
	Failure  *sdk.Failure
	Arrived  bool // the provider knows the key: the first sending arrived
}

// Apply decides what the news change: the one way by which an order moves. It
// is pure and may be repeated; nothing new gives an empty Change.
func Apply(o *Order, env Env, news ...News) Change {
	d := start(o, env)
	for _, n := range news {
		if a := d.o.Attempt(n.AttemptID); a != nil {
			d.apply(a, n)
		}
	}
	return d.finish()
}

// decision is an Apply under way.
type decision struct {
	before *Order
	o      *Order
	env    Env
	events []Event
	look   map[string]bool // attempts whose next read has to be set anew
	soon   map[string]bool // attempts to be read at once
	read   map[string]bool // attempts that a fresh read was made of
	told   map[string]bool // attempts of which the provider told its truth, late or not
	// settles is when a movement that no read lists must be listed, by attempt.
	settles map[string]time.Time
	later   map[string]bool // attempts to be read within a step: what was said is known, or asked for already

	answers  map[string]*answer     // what a read of an attempt told
	outcomes map[string]CallbackOut // of events that this decision confirms or gives up
	full     bool                   // an attempt is owed too much already to keep one more

	whole map[string]bool    // attempts of which a fresh read told all captures
	found map[Attention]bool // what was raised by this decision, known before or not
	// capturable are attempts of which the provider said how much is still held.
	capturable map[string]bool

	// touched are attempts whose news move the version though nothing of them
	// may read otherwise. Of one, an operation ended: a worker may hold it under
	// a lease that began since, for want of anything to do, and this ends it. Of
	// another, a read is wanted: one that is under way began before this was
	// said, must not be taken for fresh when it lands, and leaves it wanted.
	touched map[string]bool
}

func (d *decision) apply(a *Attempt, n News) {
	fresh := n.Begun != 0 && n.Begun == d.before.Version
	if n.Lost != nil {
		a, n = d.lost(a, n)
	}
	switch {
	case n.Source == FromRead && d.env.Now.Before(a.LeasedUntil) && !a.LeasedUntil.Equal(n.Lease):
		// A worker is at it that began later, and says when it is looked at next. If
		// this did, the two would make each other stale for ever.
	case n.Source == FromRead && n.Begun != 0 || n.Look:
		d.look[a.ID] = true
		a.LeasedUntil = time.Time{} // whoever had it is done with it
	case n.Begun != 0:
		d.look[a.ID] = true
	}
	if was := d.before.Attempt(a.ID); fresh && n.Source == FromRead && (was == nil || !was.waiting(d.env.Now)) {
		d.read[a.ID] = true
	}
	if n.Source == FromRead && n.Begun != 0 && (n.Payment != nil || n.Refund != nil || n.Gone) {
		d.told[a.ID] = true
	}
	d.answered(a, n)
	if n.Hint {
		d.hint(a, n)
	}
	if n.Gone && fresh {
		d.gone(a, n)
	}
	if n.Taken {
		d.taken(a)
	}
	switch {
	case n.Raise != "":
		d.raiseAbout(Attention{Reason: n.Raise, AttemptID: a.ID, CallbackID: n.Callback})
	case n.Callback != "":
		d.settled(a, n.Callback)
	}
	if n.Payment != nil {
		d.payment(a, n, fresh)
	}
	if n.Refund != nil {
		n = d.refundAnswer(a, n, fresh)
	}
	if n.Operation != nil {
		d.close(a, n)
	}
	d.expect(a, n)
}

func (d *decision) record(a *Attempt, n News, kind string, data map[string]any) {
	d.events = append(d.events, d.event(a, n, kind, data))
}

func (d *decision) event(a *Attempt, n News, kind string, data map[string]any) Event {
	if data == nil {
		data = map[string]any{}
	}
	return Event{
		ID: d.env.NewID(EventID), OrderID: d.o.ID, AttemptID: a.ID, At: d.env.Now,
		Kind: kind, Source: n.Source, RequestID: n.RequestID, Data: data,
	}
}

// finish sums up: totals, what needs a person, the status, the next reads.
func (d *decision) finish() Change {
	d.stopParts()
	d.release()
	sum(d.o)
	d.review()
	for _, a := range d.o.Attempts {
		d.collect(a)
		d.fits(a)
		d.reached(a)
		d.released(a)
		d.warn(a)
	}
	d.o.NeedsAttention = false
	for _, x := range d.o.Attention {
		d.o.NeedsAttention = d.o.NeedsAttention || x.ResolvedAt.IsZero()
	}
	d.restate()
	if a := d.o.Current(); a != nil {
		d.o.Provider, d.o.Flow, d.o.Mode = a.Provider, a.Flow, a.Mode
	}
	for _, a := range d.o.Attempts {
		if d.o.flagged(a.ID) {
			a.NextAction = nil // nobody is sent to pay something else than was asked
		}
		d.schedule(a)
	}
	d.conversions()
	d.learned()
	c := diff(d.before, d.o, d.events, d.env, d.touched)
	c.Settled, c.Full = d.settledCallbacks(), d.full
	return c
}

// schedule sets when the attempt is looked at again. A read that is wanted
// stays wanted until a fresh one was made: news that come in between, and reads
// that began before, do not take it back.
func (d *decision) schedule(a *Attempt) {
	switch {
	case d.soon[a.ID]:
		if was := d.before.Attempt(a.ID); was == nil || !was.waiting(d.env.Now) {
			d.touched[a.ID] = true // else the read that is due covers it: see waiting
		}
		a.ReadWanted = true
		if a.DueAt.IsZero() || a.DueAt.After(d.env.Now) {
			a.DueAt = d.env.Now
		}
	case d.later[a.ID]:
		if was := d.before.Attempt(a.ID); was == nil || !was.waiting(d.env.Now) {
			d.touched[a.ID] = true
		}
		a.ReadWanted = true
		a.DueAt = earliest(a.DueAt, d.env.Now.Add(d.env.Scale(stepSoon)))
	case d.read[a.ID]:
		a.ReadWanted = false
		a.DueAt = nextDue(d.o, a, d.env)
	case d.look[a.ID] && a.ReadWanted:
		// Never later than it stands; and the read that waited for an operation
		// to end has waited long enough.
		next := d.env.Now
		if d.o.OpenOperation(a.ID) != nil {
			next = nextDue(d.o, a, d.env)
		}
		if a.DueAt.IsZero() || next.Before(a.DueAt) {
			a.DueAt = next
		}
	case d.look[a.ID]:
		a.DueAt = nextDue(d.o, a, d.env)
	}
	a.DueAt = sooner(a.DueAt, d.settles[a.ID], d.env)
}
