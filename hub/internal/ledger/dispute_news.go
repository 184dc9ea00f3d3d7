package ledger

import "github.com/superpayhub/superpay/sdk"

// dispute merges a challenge. A fact only ever moves it up, in status or in lines of
// the balance; whatever else it says is read.
func (d *decision) dispute(a *Attempt, n News, x sdk.Dispute, fresh bool) {
	if x.ID == "" {
		d.soon[a.ID] = d.soon[a.ID] || !fresh
		return
	}
	m, fits := d.own(x.Amount)
	if !fits {
		d.raise(DisputeMismatch, a.ID)
	}
	row := d.disputeOf(a, x.ID)
	switch {
	case row == nil:
		row = &Dispute{
			ID: d.env.NewID(DisputeID), OrderID: d.o.ID, AttemptID: a.ID, Provider: a.Provider, ProviderID: x.ID,
			CaptureID: x.CaptureID, CreatedAt: d.env.Now,
		}
		d.o.Disputes = append(d.o.Disputes, row)
	case fresh && d.behind(a, n, row, x):
		return
	case row.knows(x, m):
		more := len(x.Lines) > row.Lines
		row.Lines = max(row.Lines, len(x.Lines))
		d.booked(a, n, "dispute", x.ID, &row.Booked, bookedOf(x.Fee, x.Lines), fresh || more)
		return
	case !fresh && len(x.Lines) > 0 && len(x.Lines) < row.Lines:
		return // from before what is known
	case !fresh && !row.advances(x):
		d.soon[a.ID] = true
		return
	}
	row.Status, row.FundsWithdrawn, row.Reason = x.Status, x.FundsWithdrawn, x.Reason
	row.Amount, row.Currency, row.Exponent = m.Amount, m.Currency, m.Exponent
	row.Lines = max(row.Lines, len(x.Lines))
	row.Withdrawn = nil
	if w, err := x.Withdrawn.Rescale(m.Exponent); err == nil && w.Currency == m.Currency {
		row.Withdrawn = &w.Amount
	}
	learn(&row.DueBy, x.DueBy)
	d.look[a.ID] = true
	d.raiseAbout(Attention{Reason: InDispute, AttemptID: a.ID, MovementID: row.ID})
	data := map[string]any{"id": x.ID, "amount": m.Amount, "currency": m.Currency, "funds_withdrawn": x.FundsWithdrawn}
	if row.Withdrawn != nil {
		data["withdrawn"] = *row.Withdrawn
	}
	d.record(a, n, "dispute."+string(x.Status), data)
	d.booked(a, n, "dispute", x.ID, &row.Booked, bookedOf(x.Fee, x.Lines), true)
}

// disputeOf is the dispute of that id at the attempt's provider; nil if none is on record.
func (d *decision) disputeOf(a *Attempt, id string) *Dispute {
	for _, row := range d.o.Disputes {
		if row.Provider == a.Provider && row.ProviderID == id {
			return row
		}
	}
	return nil
}

// advances reports whether a fact says something newer than is on record.
func (d *Dispute) advances(x sdk.Dispute) bool {
	switch disputeEdge(d.Status, x.Status) {
	case Fact:
		return true
	case Same:
		return len(x.Lines) > d.Lines
	}
	return false
}

// behind reports whether a read shows a dispute as it was before what is on record: by
// fewer lines of the balance, or, where those do not tell, by an earlier status, until
// what is on record is settled. It takes nothing back, and the attempt is read again.
func (d *decision) behind(a *Attempt, n News, row *Dispute, x sdk.Dispute) bool {
	settled := row.UpdatedAt.Add(d.env.settling(a.Provider, sdk.OpRefund))
	fewer := len(x.Lines) > 0 && len(x.Lines) < row.Lines
	earlier := disputeEdge(row.Status, x.Status) == Read && (len(x.Lines) == row.Lines || len(x.Lines) == 0)
	if fewer || earlier && !n.At.IsZero() && n.At.Before(settled) {
		d.shown(a, row.ID, false, true, n.At, settled)
		return true
	}
	if earlier {
		a.Tries = 0 // opened again, or the read lags for longer than it should: the ordinary schedule tells
	}
	d.shown(a, row.ID, true, true, n.At, settled)
	return false
}
