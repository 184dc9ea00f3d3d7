package sandbox

// openDispute challenges a charge. An inquiry asks without taking the money.
func (s *Server) openDispute(ch *charge, inquiry bool) (*dispute, *apiError) {
	if ch.Disputed || !ch.Captured || ch.Dispute != "" {
		return nil, conflict("", "Charge %s cannot be disputed.", ch.ID)
	}
	d := &dispute{
		ID: newID("dp_1"), Object: "dispute", Amount: ch.AmountCaptured, BalanceTransactions: []balanceTransaction{}, Charge: ch.ID,
		Created: s.now(), Currency: ch.Currency, Metadata: map[string]string{}, PaymentIntent: ch.PaymentIntent,
		Reason: ch.card().disputeReason(), Status: "needs_response", IsChargeRefundable: inquiry,
		EvidenceDetails: map[string]any{
			"due_by": s.now() + 9*24*3600, "has_evidence": false, "past_due": false, "submission_count": 0,
		},
	}
	if inquiry {
		d.Status, d.Reason = "warning_needs_response", "general"
	}
	s.state.Disputes.add(d)
	ch.Dispute, ch.Disputed = text(d.ID), !inquiry
	s.emit("charge.dispute.created", d, nil)
	if !inquiry {
		d.BalanceTransactions = append(d.BalanceTransactions, s.withdrawal(d, -d.Amount))
		s.emit("charge.dispute.funds_withdrawn", d, nil)
	}
	return d, nil
}

// fight disputes what was taken with a card that always is.
func (s *Server) fight(ch *charge) {
	fate := ch.card().fate
	if ch.Captured && (fate == disputed || fate == inquired) {
		_, e := s.openDispute(ch, fate == inquired)
		must(e)
	}
}

// respond hands in the merchant's evidence.
func (s *Server) respond(d *dispute) *apiError {
	before := d.Status
	switch before {
	case "needs_response":
		d.Status = "under_review"
	case "warning_needs_response":
		d.Status = "warning_under_review"
	default:
		return conflict("", "Dispute %s is %s.", d.ID, d.Status)
	}
	d.EvidenceDetails = map[string]any{
		"due_by": d.EvidenceDetails["due_by"], "has_evidence": true, "past_due": false, "submission_count": 1,
	}
	s.emit("charge.dispute.updated", d, map[string]any{"status": before})
	return nil
}

// closeDispute ends one. Won money comes back; an inquiry just closes.
func (s *Server) closeDispute(d *dispute, won bool) *apiError {
	if d.closed() {
		return conflict("", "Dispute %s is closed.", d.ID)
	}
	inquiry := len(d.BalanceTransactions) == 0
	switch {
	case inquiry:
		d.Status = "warning_closed"
	case won:
		d.Status, d.IsChargeRefundable = "won", true
		d.BalanceTransactions = append(d.BalanceTransactions, s.withdrawal(d, d.Amount))
	default:
		d.Status = "lost"
	}
	s.emit("charge.dispute.closed", d, nil)
	if ch, ok := s.state.Charges.get(d.Charge); ok && d.Status == "lost" && ch.paidBack() > 0 {
		// What the merchant had given back before is not taken twice.
		d.BalanceTransactions = append(d.BalanceTransactions, s.withdrawal(d, min(d.Amount, ch.paidBack())))
		s.emit("charge.dispute.funds_reinstated", d, nil)
	}
	if won && !inquiry {
		s.emit("charge.dispute.funds_reinstated", d, nil)
	}
	return nil
}

func (s *Server) getDispute(c *call) (any, *apiError) {
	if e := c.done(); e != nil {
		return nil, e
	}
	return get(&s.state.Disputes, "dispute", "dispute", c.id)
}

func (s *Server) listDisputes(c *call) (any, *apiError) {
	ofCharge, ofIntent := c.text("charge", 255), c.text("payment_intent", 255)
	return page(c, c.listing(), &s.state.Disputes, "dispute", func(d *dispute) bool {
		return (ofCharge == "" || d.Charge == ofCharge) && (ofIntent == "" || string(d.PaymentIntent) == ofIntent)
	})
}
