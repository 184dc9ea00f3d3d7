package sandbox

// What a payer does on the hosted page. Each of these runs under the lock.

// payByCard tries a card on an open session. An error is a decline.
func (s *Server) payByCard(cs *session, number string, payer customer) *apiError {
	card, known := findCard(number)
	pi := s.intentOf(cs)
	cs.CustomerDetails = &payer
	if !known {
		return s.failAttempt(pi, "", card)
	}
	if e := s.attempt(pi, s.newMethod(plasticOf(card, payer)), terms{}); e != nil {
		return e
	}
	s.completeIfDone(cs, pi)
	return nil
}

// payDelayed starts a bank debit: the session is complete and the money is not
// there yet.
func (s *Server) payDelayed(cs *session, payer customer) {
	pi := s.intentOf(cs)
	cs.CustomerDetails = &payer
	pi.LastPaymentError, pi.NextAction, pi.PaymentMethod = nil, nil, text(newID("pm_1"))
	ch := s.newDebit(pi, payer)
	pi.LatestCharge = text(ch.ID)
	pi.move("processing")
	s.emit("charge.pending", ch, nil)
	s.emit("payment_intent.processing", pi, nil)
	s.complete(cs)
}

// authenticateSession ends 3-D Secure.
func (s *Server) authenticateSession(cs *session, passed bool) *apiError {
	pi := s.intentOf(cs)
	if e := s.authenticate(pi, passed); e != nil {
		return e
	}
	s.completeIfDone(cs, pi)
	return nil
}

// settleDelayed ends a bank debit, or a voucher.
func (s *Server) settleDelayed(pi *paymentIntent, paid bool) *apiError {
	if pi.voucher() {
		return s.settleVoucher(pi, paid)
	}
	if pi.Status != "processing" {
		return s.unexpectedState("settle", pi)
	}
	ch, _ := s.state.Charges.get(string(pi.LatestCharge))
	cs, _ := s.state.Sessions.get(pi.Session)
	if paid {
		s.accept(ch, false)
		s.succeed(pi, ch)
		s.emit("checkout.session.async_payment_succeeded", cs, nil)
		return nil
	}
	bounced := testCard{code: "payment_method_provider_decline", message: "The bank returned the debit."}
	s.refuse(ch, bounced)
	s.failAttempt(pi, ch.ID, bounced)
	s.emit("checkout.session.async_payment_failed", cs, nil)
	return nil
}

func (s *Server) intentOf(cs *session) *paymentIntent {
	if pi, ok := s.state.Intents.get(string(cs.PaymentIntent)); ok {
		return pi
	}
	pi := s.addIntent(&paymentIntent{
		Amount: cs.AmountTotal, CaptureMethod: cs.Intent.CaptureMethod, ConfirmationMethod: "automatic", Currency: cs.Currency,
		Description: cs.Intent.Description, Metadata: cs.Intent.Metadata, PaymentMethodTypes: cs.PaymentMethodTypes,
		ReceiptEmail: cs.Intent.ReceiptEmail, Session: cs.ID,
	})
	cs.PaymentIntent = text(pi.ID)
	return pi
}

func (s *Server) completeIfDone(cs *session, pi *paymentIntent) {
	if pi.Status == "succeeded" || pi.Status == "requires_capture" { // the latter is complete and, until it is captured, unpaid
		s.complete(cs)
	}
}

func (s *Server) complete(cs *session) {
	cs.Status, cs.URL, cs.ClientSecret = "complete", "", ""
	s.emit("checkout.session.completed", cs, nil)
}
