package sandbox

import "slices"

// closed reports whether nothing more comes of a dispute.
func (d *dispute) closed() bool {
	return slices.Contains([]string{"won", "lost", "warning_closed", "prevented"}, d.Status)
}

// chargedBack reports whether a dispute keeps a charge's money: then there is nothing
// to refund. After a dispute that was won there is again.
func (s *Server) chargedBack(ch *charge) bool {
	d, _ := s.state.Disputes.get(string(ch.Dispute))
	return ch.Disputed && (d == nil || d.Status != "won")
}

// paidBack is what the payer was given back. A hold that was released is none of it.
func (ch *charge) paidBack() int64 { return ch.AmountRefunded - ch.Released }

// preventDispute ends a complaint before the bank makes a dispute of it: the payer is
// given all that was not refunded yet, and the merchant is spared the fee
// (docs.stripe.com/changelog/basil/2025-08-27/add-preventions-to-dispute). The status
// is younger than the API version, and is shown all the same.
func (s *Server) preventDispute(ch *charge) (*dispute, *apiError) {
	if ch.Disputed || !ch.Captured || ch.Dispute != "" || ch.paidBack() >= ch.AmountCaptured {
		return nil, conflict("", "Charge %s has nothing that could be disputed.", ch.ID)
	}
	d := &dispute{
		ID: newID("dp_1"), Object: "dispute", Amount: ch.AmountCaptured - ch.paidBack(), Charge: ch.ID,
		Created: s.now(), Currency: ch.Currency, Metadata: map[string]string{}, PaymentIntent: ch.PaymentIntent,
		Reason: ch.card().disputeReason(), Status: "prevented",
		EvidenceDetails: map[string]any{"due_by": nil, "has_evidence": false, "past_due": false, "submission_count": 0},
	}
	line := s.withdrawal(d, -d.Amount)
	line.Fee, line.Net, line.FeeDetails = 0, line.Amount, []map[string]any{}
	d.BalanceTransactions = []balanceTransaction{line}
	s.state.Disputes.add(d)
	ch.Dispute, ch.Disputed = text(d.ID), true
	s.emit("charge.dispute.created", d, nil)
	s.emit("charge.dispute.funds_withdrawn", d, nil)
	s.emit("charge.dispute.closed", d, nil)
	return d, nil
}
