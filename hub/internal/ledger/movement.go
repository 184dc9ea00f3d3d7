package ledger

import (
	"slices"
	"strings"

	"github.com/superpayhub/superpay/sdk"
)

// own returns a provider's amount in minor units of ISO 4217, or unchanged where it
// has more digits than those. It reports true if the amount is in the order's
// currency and was converted exactly.
func (d *decision) own(m sdk.Money) (sdk.Money, bool) {
	exponent, known := d.o.Exponent, true
	if m.Currency != d.o.Currency {
		exponent, known = sdk.Exponent(m.Currency)
	}
	scaled, err := m.Rescale(exponent)
	if !known || err != nil {
		return m, false
	}
	return scaled, m.Currency == d.o.Currency
}

// listed takes a status that the hub does not know for pending: not settled.
func listed(s sdk.MovementStatus) sdk.MovementStatus {
	if slices.Contains(movementStatuses, s) {
		return s
	}
	return sdk.MovementPending
}

// capture merges money taken, by the provider's id.
func (d *decision) capture(a *Attempt, n News, c sdk.Capture, fresh bool) {
	if c.ID == "" {
		d.soon[a.ID] = d.soon[a.ID] || !fresh // money without a name cannot be recorded once
		return
	}
	c.Status = listed(c.Status)
	m, fits := d.own(c.Amount)
	if !fits && m.Currency == d.o.Currency { // see compare for other currencies
		d.mismatch(a, AmountMismatch, m.String())
	}
	for _, row := range d.o.Captures {
		if row.ProviderID != c.ID || row.Provider != a.Provider {
			continue
		}
		mark := edge(captureEdges, movementStatuses, row.Status, c.Status)
		switch judge(mark, fresh) {
		case walk:
			row.Status, row.Amount, row.Currency, row.Exponent = c.Status, m.Amount, m.Currency, m.Exponent
			d.look[a.ID] = true
			row.PendingReason = pendingReason(c)
			d.record(a, n, "capture."+string(c.Status), captureData(row))
		case readFirst:
			d.soon[a.ID] = true
		case attention:
			if mark != Stale || !d.mayLag(a, n, row.UpdatedAt, sdk.OpCapture) {
				d.raise(Contradiction, a.ID)
			}
		}
		if was := row.money(); row.Status == c.Status && was != m {
			if fresh {
				row.Amount, row.Currency, row.Exponent = m.Amount, m.Currency, m.Exponent
				d.record(a, n, "capture.corrected", corrected(map[string]any{"id": c.ID}, was, m))
			} else {
				d.soon[a.ID] = true
			}
		}
		if reason := pendingReason(c); fresh && row.Status == c.Status && reason != "" && reason != row.PendingReason {
			row.PendingReason = reason
			d.record(a, n, "capture.pending", captureData(row))
		}
		d.booked(a, n, "capture", c.ID, &row.Booked, bookedOf(c.Fee, c.Lines), fresh)
		return
	}
	row := &Capture{
		ID: d.env.NewID(CaptureID), OrderID: d.o.ID, AttemptID: a.ID, Provider: a.Provider, ProviderID: c.ID,
		Status: c.Status, Amount: m.Amount, Currency: m.Currency, Exponent: m.Exponent, PendingReason: pendingReason(c), CreatedAt: d.env.Now,
	}
	d.o.Captures = append(d.o.Captures, row)
	d.look[a.ID] = true
	d.record(a, n, "capture."+string(c.Status), captureData(row))
	d.booked(a, n, "capture", c.ID, &row.Booked, bookedOf(c.Fee, c.Lines), fresh)
}

// maxPendingReason bounds a provider's word, in bytes.
const maxPendingReason = 100

// pendingReason is why a capture waits; empty if it does not.
func pendingReason(c sdk.Capture) string {
	if c.Status != sdk.MovementPending {
		return ""
	}
	return strings.ToValidUTF8(c.PendingReason[:min(len(c.PendingReason), maxPendingReason)], "")
}

// captureData is what the timeline says of a capture.
func captureData(c *Capture) map[string]any {
	data := map[string]any{"id": c.ProviderID, "amount": c.Amount, "currency": c.Currency}
	if c.PendingReason != "" {
		data["pending_reason"] = c.PendingReason
	}
	return data
}

// corrected is what the timeline says of an amount that turned out to be wrong.
// The journal undoes it and posts the right one.
func corrected(names map[string]any, was, is sdk.Money) map[string]any {
	names["was"], names["amount"], names["currency"] = was.String(), is.Amount, is.Currency
	return names
}

// findRefund matches a provider's refund with a row: by the provider's id, else
// by ours, which our server put into its metadata, else by the hash of the key
// under which an app asks for it again.
func (d *decision) findRefund(a *Attempt, r sdk.Refund) *Refund {
	for _, row := range d.o.Refunds {
		if row.Provider == a.Provider && row.ProviderID != nil && *row.ProviderID == r.ID {
			return row
		}
	}
	for _, row := range d.o.Refunds {
		if row.AttemptID == a.ID && row.ProviderID == nil && r.RefundID != "" && row.ID == r.RefundID {
			return row
		}
	}
	if claim, proven := d.env.Secret.RefundClaim(a.ID, r); proven {
		return d.refundByKey(a, claim.KeyHash)
	}
	return nil
}

// refund merges money given back.
func (d *decision) refund(a *Attempt, n News, r sdk.Refund, fresh bool) {
	if r.ID == "" {
		d.soon[a.ID] = d.soon[a.ID] || !fresh
		return
	}
	r.Status = listed(r.Status)
	m, fits := d.own(r.Amount)
	if !fits {
		d.raise(RefundMismatch, a.ID)
	}
	data := map[string]any{"provider_id": r.ID, "amount": m.Amount, "currency": m.Currency}
	row := d.findRefund(a, r)
	if row == nil {
		id := r.ID
		row = &Refund{
			ID: d.env.NewID(RefundID), OrderID: d.o.ID, AttemptID: a.ID, Provider: a.Provider, ProviderID: &id,
			CaptureID: r.CaptureID, Origin: ByProvider, Status: r.Status, Amount: m.Amount, Currency: m.Currency,
			Exponent: m.Exponent, Failure: r.Failure, CreatedAt: d.env.Now,
		}
		kind := "refund.made_at_provider"
		if claim, proven := d.env.Secret.RefundClaim(a.ID, r); proven && d.o.Refund(claim.RefundID) == nil {
			d.recovered(a, n, claim, row)
			kind = "refund." + string(row.Status)
		}
		d.o.Refunds = append(d.o.Refunds, row)
		d.look[a.ID] = true
		data["refund_id"] = row.ID
		d.record(a, n, kind, data)
		d.booked(a, n, "refund", r.ID, &row.Booked, bookedOf(sdk.Money{}, r.Lines), fresh)
		d.reversed(a, r, row)
		return
	}
	d.reversed(a, r, row)
	data["refund_id"] = row.ID
	if m.IsZero() { // what failed need not say how much
		m = row.money()
		data["amount"], data["currency"] = m.Amount, m.Currency
	}
	// The first time that a provider names a refund of ours is no repetition,
	// whatever we had concluded without it.
	first := row.ProviderID == nil
	mark := edge(refundEdges, movementStatuses, row.Status, r.Status)
	v := judge(mark, fresh)
	if first {
		id := r.ID
		row.ProviderID = &id
		if v == ignore || v == readFirst {
			v = walk
		}
	}
	switch v {
	case walk:
		if row.Status == sdk.MovementSucceeded && r.Status == sdk.MovementFailed {
			d.raiseAbout(Attention{Reason: RefundFailedLate, AttemptID: a.ID, MovementID: row.ID})
		}
		if row.money() != m {
			d.raise(RefundMismatch, a.ID)
			d.amend(row, m)
		}
		row.Status, row.Failure = r.Status, r.Failure
		d.look[a.ID] = true
		d.record(a, n, "refund."+string(r.Status), data)
	case readFirst:
		d.soon[a.ID] = true
	case attention:
		if mark != Stale || !d.mayLag(a, n, row.UpdatedAt, sdk.OpRefund) {
			d.raise(Contradiction, a.ID)
		}
	case ignore:
		if was := row.money(); row.Status == r.Status && was != m {
			if fresh {
				d.amend(row, m)
				d.refundFits(a, row)
				d.record(a, n, "refund.corrected", corrected(data, was, m))
			} else {
				d.soon[a.ID] = true
			}
		}
	}
	d.booked(a, n, "refund", r.ID, &row.Booked, bookedOf(sdk.Money{}, r.Lines), fresh)
	d.settleRefund(row, n)
}

// amend takes over another amount than a refund had, and remembers what was
// asked for while that is not what was done.
func (d *decision) amend(row *Refund, m sdk.Money) {
	if row.Origin == ByHub && row.Asked == 0 && row.Currency == m.Currency {
		row.Asked = row.Amount
	}
	if row.Asked == m.Amount {
		row.Asked = 0
	}
	row.Amount, row.Currency, row.Exponent = m.Amount, m.Currency, m.Exponent
}

// refundFits flags a refund of ours that is still not of the amount that was
// asked for, and ends what is said of the attempt's refunds when all are.
func (d *decision) refundFits(a *Attempt, row *Refund) {
	if row.Origin != ByHub {
		return
	}
	for _, r := range d.o.Refunds {
		if r.AttemptID == a.ID && r.Origin == ByHub && r.Asked != 0 {
			d.raise(RefundMismatch, a.ID)
			return
		}
	}
	for i := range d.o.Attention {
		x := &d.o.Attention[i]
		if x.Reason == RefundMismatch && x.AttemptID == a.ID && x.ResolvedAt.IsZero() {
			x.ResolvedAt = d.env.Now
			d.record(a, News{Source: FromHub}, "attention.resolved", map[string]any{"reason": x.Reason, "why": "the provider says now what was asked"})
		}
	}
}

// reversed tells a person of money that nobody here gave back.
func (d *decision) reversed(a *Attempt, r sdk.Refund, row *Refund) {
	if r.Reversed {
		d.raiseAbout(Attention{Reason: Reversed, AttemptID: a.ID, MovementID: row.ID})
	}
}

// settleRefund closes the operation of a refund that the provider named. One that
// never left, as far as is on record, left after a backup that was restored.
func (d *decision) settleRefund(row *Refund, n News) {
	for _, op := range d.o.Operations {
		if (op.Open() || op.Outcome == OutcomeNotSent) && op.RefundID != nil && *op.RefundID == row.ID {
			outcome := OutcomeSucceeded
			if row.Status == sdk.MovementFailed {
				outcome = OutcomeDeclined
			}
			d.settle(op, n, outcome, row.Failure)
		}
	}
}
