package sandbox

// What a payer does on the hosted page. Each of these runs under the lock.

// payByCard tries a card on an open session. An error is a decline.
func (s *Server) payByCard(cs *session, number string, payer customer) *apiError {
	card, _ := findCard(number)
	pi := s.intentOf(cs)
	cs.CustomerDetails = &payer
	if e := s.attempt(pi, card, payer); e != nil {
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
	pi.LastPaymentError, pi.NextAction, pi.PaymentMethod, pi.Last4 = nil, nil, text(newID("pm_1")), ""
	ch := s.newCharge(pi, payer)
	pi.move("processing")
	s.emit("charge.pending", ch, nil)
	s.emit("payment_intent.processing", pi, nil)
	s.complete(cs)
}

// authenticate ends 3-D Secure.
func (s *Server) authenticate(cs *session, passed bool) *apiError {
	pi := s.intentOf(cs)
	if pi.Status != "requires_action" {
		return unexpectedState("authenticate", pi)
	}
	if !passed {
		return s.failAttempt(pi, "", refusedAuthentication)
	}
	s.approve(pi, *cs.CustomerDetails)
	s.completeIfDone(cs, pi)
	return nil
}

// settleDelayed ends a bank debit.
func (s *Server) settleDelayed(pi *paymentIntent, paid bool) *apiError {
	if pi.Status != "processing" {
		return unexpectedState("settle", pi)
	}
	ch, _ := s.state.Charges.get(string(pi.LatestCharge))
	cs, _ := s.state.Sessions.get(pi.Session)
	if paid {
		ch.Status, ch.Paid, cs.PaymentStatus = "succeeded", true, "paid"
		s.take(pi, ch)
		s.emit("checkout.session.async_payment_succeeded", cs, nil)
		return nil
	}
	bounced := testCard{code: "payment_method_provider_decline", message: "The bank returned the debit."}
	ch.Status, ch.FailureCode, ch.FailureMessage = "failed", text(bounced.code), text(bounced.message)
	s.emit("charge.failed", ch, nil)
	s.failAttempt(pi, ch.ID, bounced)
	s.emit("checkout.session.async_payment_failed", cs, nil)
	return nil
}

func (s *Server) intentOf(cs *session) *paymentIntent {
	if pi, ok := s.state.Intents.get(string(cs.PaymentIntent)); ok {
		return pi
	}
	return s.newIntent(cs)
}

func (s *Server) completeIfDone(cs *session, pi *paymentIntent) {
	switch pi.Status {
	case "succeeded":
		cs.PaymentStatus = "paid"
		s.complete(cs)
	case "requires_capture": // complete and, until it is captured, unpaid
		s.complete(cs)
	}
}

func (s *Server) complete(cs *session) {
	cs.Status, cs.URL, cs.ClientSecret = "complete", "", ""
	s.emit("checkout.session.completed", cs, nil)
}
