package ledger

import (
	"slices"

	"github.com/superpayhub/superpay/sdk"
)

// share is what one capture gives back of a refund.
type share struct {
	capture *Capture
	amount  int64
}

// shares divide a refund among the attempt's captures: the first that covers it
// alone, else as many as it takes, in the order in which they were made, but not
// those of some provider's ids.
func (o *Order) shares(a *Attempt, b Balance, amount int64, by *Operator, but ...string) ([]share, error) {
	var several []share
	rest := amount
	for _, c := range o.Captures {
		if c.AttemptID != a.ID || c.Status != sdk.MovementSucceeded || c.Currency != b.Currency || slices.Contains(but, c.ProviderID) {
			continue
		}
		left := o.leftOf(c, by)
		if left >= amount {
			return []share{{c, amount}}, nil
		}
		if part := min(left, rest); part > 0 {
			several = append(several, share{c, part})
			rest -= part
		}
	}
	if rest > 0 {
		return nil, tooMuch(o, b, amount-rest)
	}
	return several, nil
}

// refundOf adds the row of a refund, or a part of one.
func (d *decision) refundOf(a *Attempt, b Balance, s share, reason string) *Refund {
	r := &Refund{
		ID: d.env.NewID(RefundID), OrderID: d.o.ID, AttemptID: a.ID, Provider: a.Provider, CaptureID: s.capture.ProviderID,
		Origin: ByHub, Status: sdk.MovementPending, Amount: s.amount, Currency: b.Currency, Exponent: b.Exponent,
		Reason: reason, CreatedAt: d.env.Now,
	}
	d.o.Refunds = append(d.o.Refunds, r)
	return r
}

// leftOf is what a capture can still give back.
func (o *Order) leftOf(c *Capture, by *Operator) int64 {
	left := c.Amount
	for _, r := range o.Refunds {
		if r.AttemptID == c.AttemptID && r.CaptureID == c.ProviderID && r.Currency == c.Currency && r.Status != sdk.MovementFailed {
			left -= r.Amount
		}
	}
	if by != nil && by.OverrideDispute {
		return max(0, left)
	}
	for _, d := range o.Disputes {
		if d.AttemptID == c.AttemptID && d.CaptureID == c.ProviderID && d.Currency == c.Currency {
			left -= d.Gone()
		}
	}
	return max(0, left)
}

// Lead returns the refund that was asked for, of which this one may be a part.
func (o *Order) Lead(r *Refund) *Refund {
	if lead := o.Refund(r.PartOf); lead != nil {
		return lead
	}
	return r
}

// Parts are the refunds by which one that was asked for is carried out, itself
// the first. Most have no other.
func (o *Order) Parts(lead *Refund) []*Refund {
	parts := []*Refund{lead}
	if lead.PartKey == "" {
		return parts
	}
	for _, r := range o.Refunds {
		if r.PartOf == lead.ID {
			parts = append(parts, r)
		}
	}
	return parts
}

// Request is a refund as it was asked for: the sum of its parts.
type Request struct {
	*Refund
	Amount   int64
	Refunded int64
	Status   sdk.MovementStatus
	Failure  *sdk.Failure
	Parts    []*Refund
}

// Requests are the order's refunds as they were asked for, or made at the
// provider, the oldest first.
func (o *Order) Requests() []Request {
	out := make([]Request, 0, len(o.Refunds))
	for _, r := range o.Refunds {
		if r.PartOf == "" {
			out = append(out, o.RequestOf(r))
		}
	}
	return out
}

// RequestOf returns the refund that was asked for, of which r may be a part. It
// has failed when one part has: the others stay as they are. It succeeds with
// its last part.
func (o *Order) RequestOf(r *Refund) Request {
	lead := o.Lead(r)
	q := Request{Refund: lead, Status: sdk.MovementSucceeded, Parts: o.Parts(lead)}
	for _, p := range q.Parts {
		q.Amount += p.Amount
		switch p.Status {
		case sdk.MovementSucceeded:
			q.Refunded += p.Amount
		case sdk.MovementFailed:
			q.Status = sdk.MovementFailed
			if q.Failure == nil {
				q.Failure = p.Failure
			}
		case RefundUnknown:
			if q.Status != sdk.MovementFailed {
				q.Status = RefundUnknown
			}
		default:
			if q.Status == sdk.MovementSucceeded {
				q.Status = sdk.MovementPending
			}
		}
	}
	return q
}

// waits reports whether it is a part of a refund that was not asked of the
// provider yet, or did not reach it.
func (r *Refund) waits() bool {
	return r.PartOf != "" && r.ProviderID == nil && r.Status == sdk.MovementPending
}

// nextPart returns the part of a refund that has to be asked for next of the
// attempt, or nil. While an operation is open there is none.
func (o *Order) nextPart(attemptID string) *Refund {
	for _, r := range o.Refunds {
		if r.AttemptID == attemptID && r.waits() && o.OpenOperation(attemptID) == nil {
			return r
		}
	}
	return nil
}

// PartWaits reports whether a part of a refund has to be asked for of the attempt.
func (o *Order) PartWaits(attemptID string) bool { return o.nextPart(attemptID) != nil }

// OfWhole reports whether a refund gives back all of its capture.
func (o *Order) OfWhole(r *Refund) bool {
	for _, c := range o.Captures {
		if c.AttemptID == r.AttemptID && c.ProviderID == r.CaptureID {
			return r.Amount >= c.Amount
		}
	}
	return false
}

// NextPart records the operation of the next part of a refund, under the part's
// own key. The refund is nil where there is no such part.
func (o *Order) NextPart(attemptID string, ask Ask, env Env) (Change, *Operation, *Refund) {
	r := o.nextPart(attemptID)
	if r == nil {
		return Change{}, nil, nil
	}
	d := start(o, env)
	part := d.o.Refund(r.ID)
	for _, op := range d.o.Operations {
		if op.RefundID == nil || *op.RefundID != r.ID || op.Outcome != OutcomeNotSent {
			continue
		}
		op.Outcome, op.Failure, op.Sends = OutcomePending, nil, 0
		d.lease(op, ask.Lease)
		return d.finish(), op, part
	}
	op := d.operation(sdk.OpRefund, d.o.Attempt(attemptID), part, ask)
	return d.finish(), op, part
}

// stopParts ends what was not asked for yet of refunds of which a part failed.
func (d *decision) stopParts() {
	for _, r := range d.o.Refunds {
		if r.PartKey == "" || r.Status != sdk.MovementFailed {
			continue
		}
		for _, p := range d.o.Parts(d.o.Lead(r)) {
			if !p.waits() || d.o.asked(p) {
				continue
			}
			p.Status = sdk.MovementFailed
			p.Failure = &sdk.Failure{Code: sdk.FailureState, Message: "an earlier part of this refund was refused, so that this part was not asked for"}
			d.look[p.AttemptID] = true
		}
	}
}

// asked reports whether an operation of the refund is open.
func (o *Order) asked(r *Refund) bool {
	op := o.OpenOperation(r.AttemptID)
	return op != nil && op.RefundID != nil && *op.RefundID == r.ID
}

// reserveAgain reserves what was released when a refund did not reach the
// provider: all parts of one that goes over several captures.
func (d *decision) reserveAgain(r *Refund, by *Operator) error {
	var amount int64
	var again []*Refund
	for _, p := range d.o.Parts(r) {
		if p.Status == sdk.MovementFailed && p.ProviderID == nil {
			amount += p.Amount
			again = append(again, p)
		}
	}
	b := d.o.balance(d.o.Attempt(r.AttemptID), r.Currency)
	if left := b.refundableBy(by); amount > left {
		return tooMuch(d.o, b, left)
	}
	for _, p := range again {
		p.Status, p.Failure = sdk.MovementPending, nil
	}
	return nil
}
