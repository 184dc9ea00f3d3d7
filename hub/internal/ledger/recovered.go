package ledger

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// Lines of the timeline about what the database had forgotten.
const (
	paymentRecovered = "payment.recovered" // the provider's payment is in the place of the attempt that was asked for
	refundRecovered  = "refund.recovered"  // a refund has its row and operation again
	refundClaimed    = "refund.claimed"    // a refund that was taken for the provider's own was asked for
)

// lost puts the payment that the provider made before under an operation's key in
// the place of the attempt that was recorded now: the database had forgotten the
// earlier one. It gets the id that its metadata name, so callbacks find it. The
// caller has proven that it is this request's and on no record. lost returns the
// attempt that the news are about, and the news without the payment if the request
// has been answered meanwhile: then it is another payment than that.
func (d *decision) lost(a *Attempt, n News) (*Attempt, News) {
	if n.Payment == nil {
		return a, n
	}
	if known := d.o.Attempt(n.Payment.AttemptID); known != nil {
		return known, n
	}
	op := d.o.Operation(n.Operation.ID)
	if op == nil || !op.Open() || op.Kind != sdk.OpCreate {
		n.Payment = nil
		return a, n
	}
	before := &Attempt{
		ID: n.Payment.AttemptID, OrderID: d.o.ID, Provider: a.Provider, Plugin: a.Plugin, Flow: n.Lost.Flow, Mode: a.Mode,
		CaptureMode: n.Lost.CaptureMode, Status: AttemptCreated, Refs: []sdk.Ref{}, Candidates: []sdk.Ref{}, CreatedAt: d.env.Now,
	}
	d.o.Attempts = append(d.o.Attempts, before)
	op.AttemptID = &before.ID
	a.Status = sdk.Failed
	a.LeasedUntil = time.Time{}
	a.Failure = &sdk.Failure{Code: sdk.FailureDuplicate, Message: "the request had made payment " + before.ID + " before"}
	d.look[a.ID] = true
	d.record(before, n, paymentRecovered, map[string]any{"instead_of": a.ID, "operation": op.ID})
	return before, n
}

// refundAnswer merges what a provider says of one refund. The answer to our
// asking is about our refund, also where the provider keeps no metadata; but not
// where it names another one on record: then the outcome of ours stays unknown.
func (d *decision) refundAnswer(a *Attempt, n News, fresh bool) News {
	r := *n.Refund
	if n.Operation == nil {
		d.refund(a, n, r, fresh)
		return n
	}
	op := d.o.Operation(n.Operation.ID)
	if op == nil || op.RefundID == nil { // it has ended
		d.refund(a, n, r, fresh)
		return n
	}
	asked := d.o.Refund(*op.RefundID)
	if asked == nil || !d.o.RefundAnswered(asked.ID, &r) {
		d.refund(a, n, r, fresh)
		d.raise(RefundMismatch, a.ID)
		n.Operation = &Result{ID: n.Operation.ID, Outcome: OutcomeUnknown, Arrived: n.Operation.Arrived}
		return n
	}
	if claim, proven := d.env.Secret.RefundClaim(a.ID, r); r.RefundID != "" && r.RefundID != asked.ID && !(proven && claim.KeyHash == d.env.Secret.HashOf(d.o, op)) {
		d.raise(RefundMismatch, a.ID) // of a name that nobody knows
	}
	d.claimed(a, n, asked, r)
	r.RefundID = asked.ID
	d.refund(a, n, r, fresh)
	return n
}

// RefundAnswered reports whether a provider's answer to asking for a refund can
// be about it: it names that one, or none, or none that is on record as another
// refund of the hub's. A key that was used before is answered with what it made
// then, which after a restored backup may be known under no name, or as a refund
// that somebody made at the provider.
func (o *Order) RefundAnswered(asked string, r *sdk.Refund) bool {
	want := o.Refund(asked)
	for _, row := range o.Refunds {
		if row.ID == asked || row.Origin != ByHub {
			continue
		}
		named := row.ID == r.RefundID
		if want != nil && row.Provider == want.Provider && row.ProviderID != nil {
			named = named || *row.ProviderID == r.ID
		}
		if named {
			return false
		}
	}
	return true
}

// claimed takes a provider's refund that was recorded as made by somebody else
// for the one that the hub asked for: the answer to its asking names it. It moves
// to the row of the asking, and the row that it had counts no longer.
func (d *decision) claimed(a *Attempt, n News, asked *Refund, r sdk.Refund) {
	for _, row := range d.o.Refunds {
		if row == asked || row.Provider != a.Provider || row.ProviderID == nil || *row.ProviderID != r.ID {
			continue
		}
		row.ProviderID = nil
		asked.Booked, row.Booked = row.Booked, Booked{}
		row.Status = sdk.MovementFailed
		row.Failure = &sdk.Failure{Code: sdk.FailureDuplicate, Message: "it is refund " + asked.ID}
		d.look[a.ID] = true
		d.record(a, n, refundClaimed, map[string]any{"refund_id": row.ID, "provider_id": r.ID, "is": asked.ID})
	}
}

// refundByKey returns the refund that an app asked for under the key that the
// provider's metadata name, while its operation has not ended and the provider
// has given it no name; nil if there is none. The digest must have been proven.
func (d *decision) refundByKey(a *Attempt, keyHash string) *Refund {
	if keyHash == "" {
		return nil
	}
	for _, row := range d.o.Refunds { // also a part that was not asked for yet
		if row.AttemptID == a.ID && row.ProviderID == nil && row.PartKey != "" && d.env.Secret.KeyHash(d.o.AppID, row.PartKey) == keyHash {
			return row
		}
	}
	for _, op := range d.o.Operations {
		if op.Kind != sdk.OpRefund || op.RefundID == nil || op.AttemptID == nil || *op.AttemptID != a.ID || d.env.Secret.HashOf(d.o, op) != keyHash {
			continue
		}
		if row := d.o.Refund(*op.RefundID); row != nil && row.ProviderID == nil {
			return row
		}
	}
	return nil
}

// recovered makes the row of a refund that this hub asked for and has forgotten,
// under the id that its metadata name, with the operation that asked for it: the
// app's repeat is answered from it.
func (d *decision) recovered(a *Attempt, n News, claim RefundClaim, row *Refund) {
	row.ID = claim.RefundID
	row.Origin = ByHub
	row.PartKey = claim.KeyHash // until the app asks again: see foundParts
	op := &Operation{
		ID: d.env.NewID(OperationID), AppID: d.o.AppID, OrderID: d.o.ID, AttemptID: &a.ID, RefundID: &row.ID, Kind: sdk.OpRefund,
		Outcome: OutcomeUnknown, Sends: 1, FirstSentAt: d.env.Now, Deadline: d.env.Now, CreatedAt: d.env.Now,
	}
	d.record(a, n, refundRecovered, map[string]any{"refund_id": row.ID, "provider_id": *row.ProviderID, "operation": op.ID})
	outcome := OutcomeSucceeded
	if row.Status == sdk.MovementFailed {
		outcome = OutcomeDeclined
	}
	d.settle(op, n, outcome, row.Failure)
	switch {
	case claim.KeyHash == "":
	case n.HashTaken: // another operation of the app has it: the provider did it twice
		d.raise(RefundMismatch, a.ID)
	default:
		op.KeyHash = &claim.KeyHash
	}
	d.o.Operations = append(d.o.Operations, op)
}
