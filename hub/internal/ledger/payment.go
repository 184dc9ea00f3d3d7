package ledger

import (
	"slices"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// maxCandidates bounds what callbacks can make the hub try.
const maxCandidates = 10

// hint schedules a read. What it names counts only after that read. Where a
// decline left the approval open, it may mean that the payer approved anew.
func (d *decision) hint(a *Attempt, n News) {
	if len(n.Expect) == 0 {
		d.soon[a.ID] = true // else by what it expects: see expect
	}
	for _, r := range n.Maybe {
		if len(a.Refs) > 0 || hasRef(a.Candidates, r) {
			continue
		}
		if len(a.Candidates) >= maxCandidates { // the oldest was asked for already
			a.Candidates = a.Candidates[1:]
		}
		a.Candidates = append(a.Candidates, r)
	}
	if a.Failure != nil && (a.Status == sdk.RequiresAction || a.Status == sdk.RequiresConfirmation) {
		a.Approved = true
	}
}

// gone handles a payment that the provider does not know (any more). Once its own
// time is up or the order's, one that it knew before is dead. One that only the
// payer's browser could have made is waited for until the order's time is up.
func (d *decision) gone(a *Attempt, n News) {
	if len(a.Owed) == 0 {
		a.Candidates = []sdk.Ref{} // each of them was asked for
	}
	if a.Status == sdk.Pending || a.Status == sdk.RequiresCapture || d.tookLongAgo(a) {
		d.raise(MoneyMissing, a.ID) // money does not vanish: the account may be the wrong one
		return
	}
	lapsed := !a.ExpiresAt.IsZero() && !d.env.Now.Before(a.ExpiresAt)
	if !a.Live() || a.Status == AttemptUnknown || d.env.Now.Before(d.o.ExpiresAt) && !lapsed || d.o.OpenOperation(a.ID) != nil {
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

// tookLongAgo reports whether a read must show what the attempt took.
func (d *decision) tookLongAgo(a *Attempt) bool {
	return slices.ContainsFunc(d.o.Captures, func(c *Capture) bool {
		return c.AttemptID == a.ID && c.Status == sdk.MovementSucceeded && d.env.Now.After(c.UpdatedAt.Add(d.env.settling(a.Provider, sdk.OpCapture)))
	})
}

// taken handles news that named what belongs to another payment. Where this
// attempt has no payment yet, somebody presented a foreign one: that is refused
// and seen, and an honest payment may still follow.
func (d *decision) taken(a *Attempt) {
	if len(a.Refs) > 0 {
		d.mismatch(a, ReferenceMismatch, "the payment of another order")
		return
	}
	a.Candidates = []sdk.Ref{}
	d.raise(ForeignPayment, a.ID)
}

// learn takes over a time that the provider named, as the database keeps it. A
// repetition is no news.
func learn(to *time.Time, t time.Time) {
	if t = t.UTC().Truncate(time.Microsecond); !t.IsZero() && !to.Equal(t) {
		*to = t
	}
}

// payment merges a provider's account of the attempt.
func (d *decision) payment(a *Attempt, n News, fresh bool) {
	p := n.Payment
	d.identify(a, p)
	if fresh && n.Source == FromRead && p.Captures.Complete {
		d.whole[a.ID] = true
	}
	for _, c := range p.Captures.Items {
		d.capture(a, n, c, fresh)
	}
	for _, r := range p.Refunds.Items {
		d.refund(a, n, r, fresh)
	}
	for _, x := range p.Disputes.Items {
		d.dispute(a, n, x, fresh)
	}
	d.unlisted(a, n, fresh)
	d.promised(a, n)
	learn(&a.CaptureBefore, p.CaptureBefore)
	learn(&a.HonoredUntil, p.HonoredUntil)
	learn(&a.ExpiresAt, p.ExpiresAt)
	if p.Payer != nil && a.Payer == nil && !d.o.Erased() {
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
		d.mismatch(a, CurrencyMismatch, p.Amount.String())
	case !p.Amount.Equal(asked):
		d.mismatch(a, AmountMismatch, p.Amount.String())
	}
	if p.AttemptID != "" && p.AttemptID != a.ID {
		d.mismatch(a, ReferenceMismatch, p.AttemptID)
	}
	if p.Mode != "" && a.Mode != "" && p.Mode != a.Mode {
		d.mismatch(a, ModeMismatch, string(p.Mode))
	}
	for i, r := range p.Refs {
		known, ok := a.Ref(r.Kind)
		if i == 0 && ok && known != r.Value {
			d.mismatch(a, ReferenceMismatch, r.Value)
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
		if mark == Stale && d.mayLag(a, n, a.MovedAt, sdk.OpConfirm) {
			return
		}
		d.raise(Contradiction, a.ID)
		d.record(a, n, "payment.contradiction", map[string]any{"have": a.Status, "said": p.Status})
		return
	case walk:
		if a.Status == sdk.Failed {
			d.settleCreate(a, n)
		}
		d.record(a, n, "payment."+string(p.Status), map[string]any{"was": a.Status})
		a.Status, a.MovedAt = p.Status, d.env.Now
		a.Tries = 0
		a.Approved = a.Status == sdk.RequiresConfirmation && (a.Failure == nil || a.Approved)
		d.look[a.ID] = true
	case ignore:
		if mark != Same {
			return
		}
	}
	d.details(a, p, v == walk)
}

// mayLag reports whether a read that shows less than is on record since then may just
// be behind: within the settling time of such an operation. It is read again after it.
func (d *decision) mayLag(a *Attempt, n News, since time.Time, kind sdk.OperationKind) bool {
	settled := since.Add(d.env.settling(a.Provider, kind))
	if n.At.IsZero() || since.IsZero() || !n.At.Before(settled) {
		return false
	}
	d.settlesAt(a, settled)
	return true
}

// settlesAt has the attempt read again at that time.
func (d *decision) settlesAt(a *Attempt, at time.Time) {
	if d.settles == nil {
		d.settles = map[string]time.Time{}
	}
	if !at.After(d.env.Now) { // the read took long
		at = d.env.Now.Add(d.env.Scale(stepSoon))
	}
	d.settles[a.ID] = earliest(d.settles[a.ID], at)
}

// settleCreate closes the operation of an attempt that the provider shows, and that
// never left as far as is on record: it left after a backup that was restored.
func (d *decision) settleCreate(a *Attempt, n News) {
	for _, op := range d.o.Operations {
		if op.Kind == sdk.OpCreate && op.Outcome == OutcomeNotSent && op.AttemptID != nil && *op.AttemptID == a.ID {
			d.settle(op, n, OutcomeSucceeded, nil)
		}
	}
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

// authorized learns how much the provider still holds, to be captured: what it
// says is capturable, else what it authorised less what was captured of that.
func (d *decision) authorized(a *Attempt, p *sdk.Payment) {
	if p.Authorized.Currency != d.o.Currency {
		return
	}
	held, err := p.Authorized.Rescale(d.o.Exponent)
	if err != nil {
		return
	}
	own := d.o.balance(a, d.o.Currency)
	left := max(0, held.Amount-own.Captured-own.coming)
	if p.Capturable.Currency == d.o.Currency {
		if m, err := p.Capturable.Rescale(d.o.Exponent); err == nil {
			left = min(m.Amount, held.Amount)
		}
	}
	d.capturable[a.ID] = true
	a.Authorized = left
}

// details takes what belongs to the status that the attempt now has. A failure
// stays until the attempt moves on: not every provider tells it at each read.
func (d *decision) details(a *Attempt, p *sdk.Payment, moved bool) {
	if p.Failure != nil && (a.Failure == nil || *a.Failure != *p.Failure) {
		d.events = append(d.events, d.event(a, News{Source: FromRead}, "payment.declined", map[string]any{"failure": p.Failure}))
		a.Failure = p.Failure
	} else if p.Failure == nil && moved && a.Status != sdk.RequiresAction && a.Status != sdk.RequiresConfirmation && a.Status != sdk.Failed {
		a.Failure = nil
	}
	if a.Status == sdk.RequiresCapture {
		d.authorized(a, p)
	}
	if p.NextAction != nil {
		a.NextAction = p.NextAction
	}
	if a.Status != sdk.RequiresAction && a.Status != sdk.RequiresConfirmation && a.Status != sdk.Pending {
		a.NextAction = nil
	}
}
