package ledger

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// Env is what a decision may know of the world.
type Env struct {
	Now   time.Time
	NewID func(prefix string) string
	// TimeScale divides every scheduled delay; 0 and 1 are real time.
	TimeScale float64
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

	Payment   *sdk.Payment // what the provider says, proven
	Refund    *sdk.Refund  // likewise, of one refund
	Operation *Result      // how an operation ended
	Hint      bool         // something happened: go and read
	Maybe     []sdk.Ref    // what may be the payment of an attempt that has none yet
	Gone      bool         // a read found nothing
	Taken     bool         // what it named belongs to another payment
	Raise     string       // a reason for attention that the caller found
}

// Result is how an operation ended. An empty Outcome means that the provider
// answered, and its answer (Payment or Refund beside it) tells.
type Result struct {
	ID       string
	Outcome  Outcome
	Rejected bool
	Failure  *sdk.Failure
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
}

func (d *decision) apply(a *Attempt, n News) {
	fresh := n.Begun != 0 && n.Begun == d.before.Version
	if n.Begun != 0 {
		d.look[a.ID] = true
	}
	if n.Hint {
		d.hint(a, n)
	}
	if n.Gone && fresh {
		d.gone(a, n)
	}
	if n.Taken {
		d.taken(a)
	}
	if n.Raise != "" {
		d.raise(n.Raise, a.ID)
	}
	if n.Payment != nil {
		d.payment(a, n, fresh)
	}
	if n.Refund != nil {
		d.refund(a, n, *n.Refund, fresh)
	}
	if n.Operation != nil {
		d.close(a, n)
	}
}

// maxCandidates bounds what callbacks can make the hub try.
const maxCandidates = 10

// hint schedules a read. What it names counts only after that read. Where a
// decline left the approval open, it may mean that the payer approved anew.
func (d *decision) hint(a *Attempt, n News) {
	d.soon[a.ID] = true
	for _, r := range n.Maybe {
		if len(a.Refs) == 0 && !hasRef(a.Candidates, r) && len(a.Candidates) < maxCandidates {
			a.Candidates = append(a.Candidates, r)
		}
	}
	if a.Failure != nil && (a.Status == sdk.RequiresAction || a.Status == sdk.RequiresConfirmation) {
		a.Approved = true
	}
}

// gone handles a payment that the provider does not know (any more). Once the
// order's time is up, one that it knew before is dead, and one that only the
// payer's browser could have made is no longer waited for.
func (d *decision) gone(a *Attempt, n News) {
	if !a.Live() || a.Status == AttemptUnknown || d.env.Now.Before(d.o.ExpiresAt) || d.o.OpenOperation(a.ID) != nil {
		return
	}
	if len(a.Refs) == 0 {
		a.Abandoned = true
		return
	}
	d.record(a, n, "payment.gone", map[string]any{"was": a.Status})
	a.Status = sdk.Canceled
	a.NextAction = nil
}

// taken handles news that named what belongs to another payment. Where this
// attempt has no payment yet, somebody presented a foreign one: that is refused
// and seen, and an honest payment may still follow.
func (d *decision) taken(a *Attempt) {
	if len(a.Refs) > 0 {
		d.raise(ReferenceMismatch, a.ID)
		return
	}
	a.Candidates = []sdk.Ref{}
	d.raise(ForeignPayment, a.ID)
}

// payment merges a provider's account of the attempt.
func (d *decision) payment(a *Attempt, n News, fresh bool) {
	p := n.Payment
	d.identify(a, p)
	for _, c := range p.Captures.Items {
		d.capture(a, n, c, fresh)
	}
	for _, r := range p.Refunds.Items {
		d.refund(a, n, r, fresh)
	}
	for _, x := range p.Disputes.Items {
		d.dispute(a, n, x, fresh)
	}
	if !p.CaptureBefore.IsZero() {
		a.CaptureBefore = p.CaptureBefore.UTC()
	}
	if !p.ExpiresAt.IsZero() {
		a.ExpiresAt = p.ExpiresAt.UTC()
	}
	if p.Payer != nil && a.Payer == nil {
		a.Payer = p.Payer
	}
	if p.Opaque != nil {
		a.Opaque = p.Opaque
	}
	d.move(a, n, fresh)
}

// maxRefs bounds the names of one attempt.
const maxRefs = 50

// identify checks that the answer is about what was asked, and learns its refs.
func (d *decision) identify(a *Attempt, p *sdk.Payment) {
	asked := d.o.Money(d.o.Amount)
	switch {
	case p.Amount.IsZero():
	case p.Amount.Currency != asked.Currency:
		d.raise(CurrencyMismatch, a.ID)
	case !p.Amount.Equal(asked):
		d.raise(AmountMismatch, a.ID)
	}
	if p.AttemptID != "" && p.AttemptID != a.ID {
		d.raise(ReferenceMismatch, a.ID)
	}
	if p.Mode != "" && a.Mode != "" && p.Mode != a.Mode {
		d.raise(ModeMismatch, a.ID)
	}
	for i, r := range p.Refs {
		known, ok := a.Ref(r.Kind)
		if i == 0 && ok && known != r.Value {
			d.raise(ReferenceMismatch, a.ID)
		}
		if r.Value != "" && !hasRef(a.Refs, r) && len(a.Refs) < maxRefs {
			a.Refs = append(a.Refs, r)
		}
	}
	if len(a.Refs) > 0 {
		a.Candidates = []sdk.Ref{}
	}
}

func hasRef(refs []sdk.Ref, r sdk.Ref) bool {
	for _, x := range refs {
		if x == r {
			return true
		}
	}
	return false
}

// move walks the attempt's status, if the table lets this news do so.
func (d *decision) move(a *Attempt, n News, fresh bool) {
	p := n.Payment
	if p.Status == "" {
		return // a fact about a movement says nothing of the payment's status
	}
	mark := edge(attemptEdges, statuses, a.Status, p.Status)
	v := judge(mark, fresh)
	if v == walk && p.Status == sdk.Succeeded && !d.hasMoney(a) {
		v = d.moneyless(a, p, fresh)
	}
	switch v {
	case readFirst:
		d.soon[a.ID] = true
		return
	case attention:
		d.raise(Contradiction, a.ID)
		d.record(a, n, "payment.contradiction", map[string]any{"have": a.Status, "said": p.Status})
		return
	case walk:
		d.record(a, n, "payment."+string(p.Status), map[string]any{"was": a.Status})
		a.Status = p.Status
		a.Tries = 0
		a.Approved = a.Status == sdk.RequiresConfirmation && (a.Failure == nil || a.Approved)
		d.look[a.ID] = true
	case ignore:
		if mark != Same {
			return
		}
	}
	d.details(a, p, fresh || v == walk)
}

// moneyless decides about "succeeded" without a capture on record. Paid is
// only what names its money; the rest is read, and a complete read without
// money needs a person.
func (d *decision) moneyless(a *Attempt, p *sdk.Payment, fresh bool) verdict {
	switch {
	case fresh && p.Captures.Complete:
		d.raise(MoneyMissing, a.ID)
		return ignore
	case fresh:
		return ignore // the list was not there yet; the schedule reads again
	}
	return readFirst
}

func (d *decision) hasMoney(a *Attempt) bool {
	for _, c := range d.o.Captures {
		if c.AttemptID == a.ID && c.Status == sdk.MovementSucceeded {
			return true
		}
	}
	return false
}

// details takes what belongs to the status that the attempt now has. A plain
// fact adds; only an answer that moved it, or a fresh read, may also clear.
func (d *decision) details(a *Attempt, p *sdk.Payment, sure bool) {
	if p.Failure != nil && (a.Failure == nil || *a.Failure != *p.Failure) {
		d.events = append(d.events, d.event(a, News{Source: FromRead}, "payment.declined", map[string]any{"failure": p.Failure}))
		a.Failure = p.Failure
	} else if p.Failure == nil && sure {
		a.Failure = nil
	}
	if a.Status == sdk.RequiresCapture && p.Authorized.Currency == d.o.Currency {
		if m, err := p.Authorized.Rescale(d.o.Exponent); err == nil {
			a.Authorized = m.Amount
		}
	}
	if p.NextAction != nil {
		a.NextAction = p.NextAction
	}
	if a.Status != sdk.RequiresAction && a.Status != sdk.RequiresConfirmation && a.Status != sdk.Pending {
		a.NextAction = nil
	}
}

// raise adds a thing to look at, once per attempt, and never again after a
// person resolved it.
func (d *decision) raise(reason, attemptID string) {
	for _, x := range d.o.Attention {
		if x.Reason == reason && x.AttemptID == attemptID {
			return
		}
	}
	d.o.Attention = append(d.o.Attention, Attention{Reason: reason, AttemptID: attemptID, At: d.env.Now})
	d.events = append(d.events, Event{
		ID: d.env.NewID(EventID), OrderID: d.o.ID, AttemptID: attemptID, At: d.env.Now,
		Kind: "attention." + reason, Source: FromHub, Data: map[string]any{},
	})
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
	sum(d.o)
	d.review()
	d.o.NeedsAttention = false
	for _, x := range d.o.Attention {
		d.o.NeedsAttention = d.o.NeedsAttention || x.ResolvedAt.IsZero()
	}
	d.restate()
	for _, a := range d.o.Attempts {
		if d.o.flagged(a.ID) {
			a.NextAction = nil // nobody is sent to pay something else than was asked
		}
		switch {
		case d.soon[a.ID]:
			if a.DueAt.IsZero() || a.DueAt.After(d.env.Now) {
				a.DueAt = d.env.Now
			}
		case d.look[a.ID]:
			a.DueAt = nextDue(d.o, a, d.env)
		}
	}
	return diff(d.before, d.o, d.events, d.env)
}

// review looks at the sums for what no single fact shows.
func (d *decision) review() {
	paid := 0
	for _, a := range d.o.Attempts {
		if a.Captured == 0 {
			continue
		}
		paid++
		if paid > 1 {
			d.raise(SecondPayment, a.ID)
		}
		if a.Captured > d.o.Amount || a.Captured < d.o.Amount && a.CaptureMode != sdk.CaptureManual {
			d.raise(AmountMismatch, a.ID)
		}
		if d.before.Status == OrderCanceled || d.before.Status == OrderExpired {
			d.raise(PaidAfterClose, a.ID)
		}
		if a.Refunded > a.Captured {
			d.raise(OverRefunded, a.ID)
		}
	}
}

func (d *decision) restate() {
	was := d.o.Status
	d.o.Status = statusOf(d.o, d.env.Now)
	if was != d.o.Status {
		d.events = append(d.events, Event{
			ID: d.env.NewID(EventID), OrderID: d.o.ID, At: d.env.Now, Kind: "order." + string(d.o.Status),
			Source: FromHub, Data: map[string]any{"was": was},
		})
	}
}
