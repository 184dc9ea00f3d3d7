package sandbox

// newCharge records one attempt to pay with a card.
func (s *Server) newCharge(ch *charge, p plastic, authenticated bool) *charge {
	ch.BillingDetails, ch.PaymentMethodDetails = p.Payer, p.onCharge(authenticated)
	ch.Card, ch.Last4 = p.Card, p.Last4
	return s.addCharge(ch)
}

func (s *Server) addCharge(ch *charge) *charge {
	ch.ID, ch.Object, ch.Created, ch.Status = newID("ch_3"), "charge", s.now(), "pending"
	s.state.Charges.add(ch)
	return ch
}

// card is the test card that was charged.
func (ch *charge) card() testCard { return cardNamed(ch.Card, ch.Last4) }

// ofIntent is a charge with what it has of its PaymentIntent: the metadata is
// copied now, and does not follow later changes.
func ofIntent(pi *paymentIntent) *charge {
	return &charge{
		Amount: pi.Amount, Currency: pi.Currency, Description: pi.Description, Metadata: merged(pi.Metadata, nil),
		PaymentIntent: text(pi.ID), PaymentMethod: pi.PaymentMethod, ReceiptEmail: pi.ReceiptEmail,
	}
}

// newDebit records one attempt to pay by the bank debit of the currency.
func (s *Server) newDebit(pi *paymentIntent, payer customer) *charge {
	kind := delayedMethod(pi.Currency)
	ch := ofIntent(pi)
	ch.BillingDetails = payer
	ch.PaymentMethodDetails = map[string]any{"type": kind, kind: map[string]any{"last4": "3000"}}
	return s.addCharge(ch)
}

// refuse is the bank's no to a charge.
func (s *Server) refuse(ch *charge, card testCard) {
	ch.Status, ch.FailureCode, ch.FailureMessage = "failed", text(card.code), text(card.message)
	ch.Outcome = card.refusal()
	s.emit("charge.failed", ch, nil)
}

// accept is the bank's yes: the amount is taken, or held for a capture.
func (s *Server) accept(ch *charge, hold bool) {
	ch.Status, ch.Paid = "succeeded", true
	ch.Outcome = ch.card().approval()
	if hold {
		ch.PaymentMethodDetails["card"].(map[string]any)["capture_before"] = ch.lapsesAt()
		s.wakeAt(ch.lapsesAt() * 1000)
	} else {
		ch.Captured, ch.AmountCaptured = true, ch.Amount
		s.book(ch)
	}
	s.emit("charge.succeeded", ch, nil)
}

// createCharge is the old way to pay: a token, no PaymentIntent, and no way to
// ask the payer for 3-D Secure.
func (s *Server) createCharge(c *call) (any, *apiError) {
	ch := &charge{
		Amount: c.requiredInteger("amount"), Currency: lower(c.required("currency", 3)), Metadata: c.metadata("metadata"),
		Description: text(c.text("description", 1000)), ReceiptEmail: text(c.email("receipt_email")),
		StatementDescriptor: text(c.text("statement_descriptor", 22)), DescriptorSuffix: text(c.text("statement_descriptor_suffix", 22)),
	}
	hold, source := !c.boolean("capture", true), c.required("source", 255)
	c.ignore("shipping", "transfer_group", "radar_options", "fraud_details", "level3")
	c.fail(checkCurrency(ch.Currency, "currency"))
	c.fail(checkCharge(ch.Amount, ch.Currency, "amount"))
	if e := c.done(); e != nil {
		return nil, e
	}
	t, e := s.spend(source, "source")
	if e != nil {
		return nil, e
	}
	ch.Source = t.Card
	ch.PaymentMethod = text(t.Card["id"].(string))
	s.newCharge(ch, t.Plastic, false)
	card := t.Plastic.card()
	if card.fate == authenticates {
		card = authenticationNeeded
	}
	if card.code != "" {
		s.refuse(ch, card)
		return nil, declined(card, ch.ID)
	}
	s.accept(ch, hold)
	s.fight(ch)
	return ch, nil
}

func (s *Server) getCharge(c *call) (any, *apiError) {
	if e := c.done(); e != nil {
		return nil, e
	}
	return get(&s.state.Charges, "charge", "id", c.id)
}

func (s *Server) updateCharge(c *call) (any, *apiError) {
	metadata, description, email := c.metadata("metadata"), c.text("description", 1000), c.email("receipt_email")
	c.ignore("shipping", "transfer_group", "fraud_details")
	if e := c.done(); e != nil {
		return nil, e
	}
	ch, e := get(&s.state.Charges, "charge", "id", c.id)
	if e != nil {
		return nil, e
	}
	ch.Metadata = merged(ch.Metadata, metadata)
	ch.Description = text(or(description, string(ch.Description)))
	ch.ReceiptEmail = text(or(email, string(ch.ReceiptEmail)))
	s.emit("charge.updated", ch, nil)
	return ch, nil
}

func (s *Server) listCharges(c *call) (any, *apiError) {
	intent := c.text("payment_intent", 255)
	return page(c, c.listing(), &s.state.Charges, "charge", func(ch *charge) bool {
		return intent == "" || string(ch.PaymentIntent) == intent
	})
}
