package sandbox

// newCharge makes the charge of one attempt at a PaymentIntent. Its metadata is
// the intent's, as Stripe copies it.
func (s *Server) newCharge(pi *paymentIntent, payer customer) *charge {
	ch := &charge{
		ID: newID("ch_3"), Object: "charge", Amount: pi.Amount, BillingDetails: payer, Created: s.now(), Currency: pi.Currency,
		Description: pi.Description, Metadata: merged(pi.Metadata, nil), PaymentIntent: text(pi.ID),
		PaymentMethod: pi.PaymentMethod, Status: "pending", Last4: pi.Last4,
		PaymentMethodDetails: map[string]any{"type": "card", "card": map[string]any{
			"brand": "visa", "country": "US", "exp_month": 12, "exp_year": 2034, "funding": "credit", "last4": pi.Last4,
			"network": "visa", "checks": map[string]any{"cvc_check": "pass"}, "three_d_secure": nil, "wallet": nil,
		}},
	}
	if ch.Last4 == "" {
		kind := delayedMethod(pi.Currency)
		ch.PaymentMethodDetails = map[string]any{"type": kind, kind: map[string]any{"last4": "3000"}}
	}
	s.state.Charges.add(ch)
	pi.LatestCharge = text(ch.ID)
	return ch
}

// refundable is what can still be paid back of a charge.
func (s *Server) refundable(ch *charge) int64 {
	if !ch.Captured {
		return 0
	}
	return ch.Amount - ch.AmountRefunded
}

func (s *Server) getCharge(c *call) (any, *apiError) {
	if e := c.done(); e != nil {
		return nil, e
	}
	return get(&s.state.Charges, "charge", "id", c.id)
}

func (s *Server) updateCharge(c *call) (any, *apiError) {
	metadata, description := c.metadata("metadata"), c.text("description", 1000)
	if e := c.done(); e != nil {
		return nil, e
	}
	ch, e := get(&s.state.Charges, "charge", "id", c.id)
	if e != nil {
		return nil, e
	}
	ch.Metadata = merged(ch.Metadata, metadata)
	if description != "" {
		ch.Description = text(description)
	}
	s.emit("charge.updated", ch, nil)
	return ch, nil
}

func (s *Server) listCharges(c *call) (any, *apiError) {
	intent := c.text("payment_intent", 255)
	return page(c, c.listing(), &s.state.Charges, "charge", func(ch *charge) bool {
		return intent == "" || string(ch.PaymentIntent) == intent
	})
}

func (s *Server) captureCharge(c *call) (any, *apiError) {
	amount, sent := c.integer("amount")
	c.ignore("statement_descriptor", "statement_descriptor_suffix", "receipt_email")
	if e := c.done(); e != nil {
		return nil, e
	}
	ch, e := get(&s.state.Charges, "charge", "id", c.id)
	if e != nil {
		return nil, e
	}
	if ch.Captured {
		return nil, conflict("charge_already_captured", "Charge %s has already been captured.", ch.ID)
	}
	pi, ok := s.state.Intents.get(string(ch.PaymentIntent))
	if !ok || string(pi.LatestCharge) != ch.ID {
		return nil, conflict("", "Charge %s cannot be captured.", ch.ID)
	}
	if !sent {
		amount = ch.Amount
	}
	if e := checkGrain(amount, ch.Currency, "amount"); e != nil {
		return nil, e
	}
	if e := s.capture(pi, amount); e != nil {
		return nil, e
	}
	return ch, nil
}
