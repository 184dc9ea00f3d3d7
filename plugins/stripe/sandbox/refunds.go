package sandbox

func (s *Server) createRefund(c *call) (any, *apiError) {
	intent, id := c.text("payment_intent", 255), c.text("charge", 255)
	amount, sent := c.integer("amount")
	reason := c.oneOf("reason", "", "duplicate", "fraudulent", "requested_by_customer")
	metadata := c.metadata("metadata")
	c.ignore("refund_application_fee", "reverse_transfer", "instructions_email")
	switch {
	case intent == "" && id == "":
		c.fail(invalid("parameter_missing", "", "One of the following params should be provided for this request: payment_intent or charge."))
	case intent != "" && id != "":
		c.fail(invalid("", "charge", "You may only specify one of these parameters: charge, payment_intent."))
	case sent && amount < 1:
		c.fail(invalid("parameter_invalid_integer", "amount", "Invalid positive integer"))
	}
	if e := c.done(); e != nil {
		return nil, e
	}
	ch, e := s.toRefund(intent, id)
	if e != nil {
		return nil, e
	}
	if !sent {
		amount = s.refundable(ch)
	}
	return s.refund(ch, amount, reason, metadata)
}

// toRefund finds the charge a refund is for.
func (s *Server) toRefund(intent, id string) (*charge, *apiError) {
	if intent == "" {
		return get(&s.state.Charges, "charge", "charge", id)
	}
	pi, e := get(&s.state.Intents, "payment_intent", "payment_intent", intent)
	if e != nil {
		return nil, e
	}
	ch, ok := s.state.Charges.get(string(pi.LatestCharge))
	if !ok || ch.Status != "succeeded" {
		return nil, conflict("", "This PaymentIntent (%s) does not have a successful charge to refund.", pi.ID)
	}
	return ch, nil
}

// refundable is what can still be paid back of a charge, or let go.
func (s *Server) refundable(ch *charge) int64 {
	if ch.Status != "succeeded" || !ch.Captured && ch.PaymentIntent != "" {
		return 0
	}
	return ch.Amount - ch.AmountRefunded
}

// refund pays an amount of a charge back, as far as the charge allows.
func (s *Server) refund(ch *charge, amount int64, reason string, metadata map[string]string) (*refund, *apiError) {
	if e := s.checkRefund(ch, amount); e != nil {
		return nil, e
	}
	before := map[string]any{"amount_refunded": ch.AmountRefunded, "refunded": ch.Refunded}
	if ch.held() {
		r := s.release(ch, amount, reason, metadata)
		s.emit("charge.refunded", ch, before)
		return r, nil
	}
	r := &refund{
		ID: newID("re_3"), Object: "refund", Amount: amount, BalanceTransaction: text(newID("txn_3")), Charge: ch.ID,
		Created: s.now(), Currency: ch.Currency, Metadata: metadata, PaymentIntent: ch.PaymentIntent, Reason: text(reason),
		Status: "succeeded",
	}
	switch ch.card().fate {
	case refundsSlowly:
		r.Status, r.Due = "pending", s.due()
	case refundsBounces:
		r.Due = s.due()
	}
	s.state.Refunds.add(r)
	s.recount(ch)
	s.emit("refund.created", r, nil)
	s.emit("charge.refunded", ch, before)
	return r, nil
}

func (s *Server) checkRefund(ch *charge, amount int64) *apiError {
	left := s.refundable(ch)
	switch {
	case ch.held() && ch.PaymentIntent != "":
		return conflict("", "This uncaptured Charge was created by a PaymentIntent (%s). You must cancel the PaymentIntent "+
			"to reverse the authorization instead of refunding the Charge directly.", ch.PaymentIntent)
	case ch.Status != "succeeded":
		return conflict("", "Charge %s has not succeeded and cannot be refunded.", ch.ID)
	case s.chargedBack(ch):
		return conflict("charge_disputed", "Charge %s has been charged back; cannot issue a refund.", ch.ID)
	case ch.held() && amount != ch.Amount:
		return conflict("", "You cannot partially refund an uncaptured charge. Instead, capture the charge for an amount less than the original amount")
	case s.off["over_refund"]:
		return nil
	case left == 0:
		return conflict("charge_already_refunded", "Charge %s has already been refunded.", ch.ID)
	case amount > left:
		e := conflict("", "Refund amount (%s) is greater than unrefunded amount on charge (%s)",
			money(amount, ch.Currency), money(left, ch.Currency))
		e.Param = "amount"
		return e
	}
	return checkGrain(amount, ch.Currency, "amount")
}

// recount brings the charge's totals in line with its refunds.
func (s *Server) recount(ch *charge) {
	ch.AmountRefunded = 0
	for _, r := range s.state.Refunds.rows {
		if r.Charge == ch.ID && r.Status != "failed" && r.Status != "canceled" {
			ch.AmountRefunded += r.Amount
		}
	}
	ch.Refunded = ch.AmountRefunded >= ch.Amount
}

// settleRefund lets a refund end, or a succeeded one come back: then the money
// returns to the merchant and the payer is still owed it.
func (s *Server) settleRefund(r *refund, to string) *apiError {
	if r.Release || r.Status == to || r.Status == "failed" || r.Status == "canceled" {
		return conflict("", "Refund %s is %s already.", r.ID, r.Status)
	}
	before := map[string]any{"status": r.Status}
	r.Status, r.Due = to, 0
	if to == "failed" {
		r.FailureReason, r.FailureTransaction = "expired_or_canceled_card", newID("txn_3")
	}
	ch, _ := s.state.Charges.get(r.Charge)
	s.recount(ch)
	s.emitRefund(r, before)
	return nil
}

// emitRefund tells that a refund changed, by its old name and by its new ones.
func (s *Server) emitRefund(r *refund, before map[string]any) {
	s.emit("charge.refund.updated", r, before)
	s.emit("refund.updated", r, before)
	if r.Status == "failed" && before != nil {
		s.emit("refund.failed", r, before)
	}
}

func (s *Server) getRefund(c *call) (any, *apiError) {
	if e := c.done(); e != nil {
		return nil, e
	}
	return get(&s.state.Refunds, "refund", "id", c.id)
}

func (s *Server) updateRefund(c *call) (any, *apiError) {
	metadata := c.metadata("metadata")
	if e := c.done(); e != nil {
		return nil, e
	}
	r, e := get(&s.state.Refunds, "refund", "id", c.id)
	if e != nil {
		return nil, e
	}
	r.Metadata = merged(r.Metadata, metadata)
	s.emitRefund(r, nil)
	return r, nil
}

func (s *Server) listRefunds(c *call) (any, *apiError) {
	ofCharge, ofIntent := c.text("charge", 255), c.text("payment_intent", 255)
	return page(c, c.listing(), &s.state.Refunds, "refund", func(r *refund) bool {
		return (ofCharge == "" || r.Charge == ofCharge) && (ofIntent == "" || string(r.PaymentIntent) == ofIntent)
	})
}
