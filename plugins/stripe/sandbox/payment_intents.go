package sandbox

func (s *Server) getIntent(c *call) (any, *apiError) {
	c.ignore("client_secret")
	if e := c.done(); e != nil {
		return nil, e
	}
	return get(&s.state.Intents, "payment_intent", "intent", c.id)
}

func (s *Server) updateIntent(c *call) (any, *apiError) {
	metadata, description := c.metadata("metadata"), c.text("description", 1000)
	email, currency := c.email("receipt_email"), lower(c.text("currency", 3))
	amount, resized := c.integer("amount")
	c.ignore("shipping", "statement_descriptor", "statement_descriptor_suffix", "transfer_group")
	method := c.text("payment_method", 255)
	if e := c.done(); e != nil {
		return nil, e
	}
	pi, e := get(&s.state.Intents, "payment_intent", "intent", c.id)
	if e != nil {
		return nil, e
	}
	if resized || currency != "" || method != "" {
		if !pi.confirmable() {
			return nil, s.unexpectedState("update", pi)
		}
		if !resized {
			amount = pi.Amount
		}
		currency = or(currency, pi.Currency)
		if e := checkMoney(amount, currency); e != nil {
			return nil, e
		}
	}
	if method != "" {
		pm, e := s.methodToPay(method, pi)
		if e != nil {
			return nil, e
		}
		pi.PaymentMethod, pi.NextAction, pi.Authenticated = text(pm.ID), nil, false
		pi.move("requires_confirmation")
	}
	if currency != "" {
		pi.Amount, pi.Currency = amount, currency
	}
	pi.Metadata = merged(pi.Metadata, metadata)
	pi.Description = text(or(description, string(pi.Description)))
	pi.ReceiptEmail = text(or(email, string(pi.ReceiptEmail)))
	return pi, nil
}

func (s *Server) listIntents(c *call) (any, *apiError) {
	return page(c, c.listing(), &s.state.Intents, "payment_intent", all[*paymentIntent])
}

func (s *Server) captureIntent(c *call) (any, *apiError) {
	amount, sent := c.integer("amount_to_capture")
	c.ignore("statement_descriptor", "statement_descriptor_suffix")
	if !c.boolean("final_capture", true) {
		c.fail(invalid("", "final_capture", "This account is not eligible for multicapture."))
	}
	metadata := c.metadata("metadata")
	if e := c.done(); e != nil {
		return nil, e
	}
	pi, e := get(&s.state.Intents, "payment_intent", "intent", c.id)
	if e != nil {
		return nil, e
	}
	if !sent {
		amount = pi.AmountCapturable
	}
	if e := checkGrain(amount, pi.Currency, "amount_to_capture"); e != nil {
		return nil, e
	}
	if e := s.captureThrough(pi, amount, "amount_to_capture"); e != nil {
		return nil, e
	}
	pi.Metadata = merged(pi.Metadata, metadata)
	return pi, nil
}

func (s *Server) cancelIntentByAPI(c *call) (any, *apiError) {
	reason := c.oneOf("cancellation_reason", "", "duplicate", "fraudulent", "requested_by_customer", "abandoned")
	if e := c.done(); e != nil {
		return nil, e
	}
	pi, e := get(&s.state.Intents, "payment_intent", "intent", c.id)
	if e != nil {
		return nil, e
	}
	if cs, ok := s.state.Sessions.get(pi.Session); ok && cs.Status == "open" {
		return nil, conflict("payment_intent_unexpected_state",
			"You cannot cancel this PaymentIntent because it was created by a Checkout Session. Expire the Session instead.")
	}
	if e := s.cancelIntent(pi, reason); e != nil {
		return nil, e
	}
	return pi, nil
}

// merged is a copy: events and charges keep the map they were made with.
func merged(old, changes map[string]string) map[string]string {
	out := map[string]string{}
	for _, source := range []map[string]string{old, changes} {
		for key, value := range source {
			out[key] = value
		}
	}
	return out
}
