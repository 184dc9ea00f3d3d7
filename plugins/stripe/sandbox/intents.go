package sandbox

import (
	"fmt"
	"slices"
)

// intentEdges is the life of a PaymentIntent: from each status, where it may
// go. Everything that changes one goes through move.
var intentEdges = map[string][]string{
	"requires_payment_method": {"requires_confirmation", "requires_action", "processing", "requires_capture", "succeeded", "canceled"},
	"requires_confirmation":   {"requires_payment_method", "requires_action", "processing", "requires_capture", "succeeded", "canceled"},
	"requires_action":         {"requires_payment_method", "requires_confirmation", "processing", "requires_capture", "succeeded", "canceled"},
	"processing":              {"requires_payment_method", "succeeded"},
	"requires_capture":        {"succeeded", "canceled"},
	"succeeded":               nil,
	"canceled":                nil,
}

func (pi *paymentIntent) move(to string) {
	if pi.Status != to && !slices.Contains(intentEdges[pi.Status], to) {
		panic(fmt.Sprintf("a PaymentIntent cannot go from %s to %s", pi.Status, to))
	}
	pi.Status = to
}

// confirmable tells whether it still waits for a payment.
func (pi *paymentIntent) confirmable() bool {
	return slices.Contains([]string{"requires_payment_method", "requires_confirmation", "requires_action"}, pi.Status)
}

func (s *Server) addIntent(pi *paymentIntent) *paymentIntent {
	pi.ID, pi.Object, pi.Created, pi.Status = newID("pi_3"), "payment_intent", s.now(), "requires_payment_method"
	pi.ClientSecret = newID(pi.ID + "_secret_")
	if pi.PaymentMethod != "" {
		pi.Status = "requires_confirmation"
	}
	s.state.Intents.add(pi)
	s.emit("payment_intent.created", pi, nil)
	return pi
}

// terms are what a confirmation says besides how to pay.
type terms struct {
	returnURL    string
	sdk          bool // the app's own code shows 3-D Secure
	failOnAction bool
	offSession   bool
}

// attempt tries to pay a PaymentIntent. An error is a decline, and leaves it
// open for another card; without one its status tells what happened.
func (s *Server) attempt(pi *paymentIntent, pm *paymentMethod, t terms) *apiError {
	pi.LastPaymentError, pi.NextAction, pi.Authenticated = nil, nil, false
	pi.PaymentMethod, pm.UsedBy, pi.ReturnURL = text(pm.ID), pi.ID, or(t.returnURL, pi.ReturnURL)
	switch {
	case pm.Plastic.card().fate != authenticates:
		return s.settle(pi, pm)
	case t.failOnAction:
		return s.failAttempt(pi, "", authenticationUnhandled)
	case t.offSession:
		ch := s.newCharge(ofIntent(pi), pm.Plastic, false)
		pi.LatestCharge = text(ch.ID)
		s.refuse(ch, authenticationNeeded)
		return s.failAttempt(pi, ch.ID, authenticationNeeded)
	}
	pi.move("requires_action")
	pi.NextAction = s.actionFor(pi, t)
	s.emit("payment_intent.requires_action", pi, nil)
	return nil
}

// actionFor sends the payer to 3-D Secure. At Stripe an SDK needs no address;
// here there is no SDK, so the stand-in tells one under a name of its own.
func (s *Server) actionFor(pi *paymentIntent, t terms) *nextAction {
	page := s.opts.PublicURL + "/3ds/" + pi.ID
	switch {
	case pi.Session != "":
		return &nextAction{Type: "redirect_to_url", RedirectToURL: map[string]string{
			"url": s.opts.PublicURL + "/pay/" + pi.Session + "/3ds",
		}}
	case t.sdk || pi.ReturnURL == "":
		return &nextAction{Type: "use_stripe_sdk", UseStripeSDK: map[string]string{
			"type": "three_d_secure_redirect", "sandbox_url": page,
		}}
	}
	return &nextAction{Type: "redirect_to_url", RedirectToURL: map[string]string{"url": page, "return_url": pi.ReturnURL}}
}

// authenticate ends 3-D Secure. With manual confirmation no money moves yet:
// the server confirms once more.
func (s *Server) authenticate(pi *paymentIntent, passed bool) *apiError {
	if pi.Status != "requires_action" {
		return s.unexpectedState("authenticate", pi)
	}
	pi.NextAction = nil
	if !passed {
		return s.failAttempt(pi, "", refusedAuthentication)
	}
	pi.Authenticated = true
	if pi.ConfirmationMethod == "manual" {
		pi.move("requires_confirmation")
		return nil
	}
	pm, ok := s.state.Methods.get(string(pi.PaymentMethod))
	if !ok { // the state is from before methods were kept
		return s.failAttempt(pi, "", unknownCard)
	}
	return s.settle(pi, pm)
}

// settle asks the bank for the money.
func (s *Server) settle(pi *paymentIntent, pm *paymentMethod) *apiError {
	ch := s.newCharge(ofIntent(pi), pm.Plastic, pi.Authenticated)
	pi.LatestCharge = text(ch.ID)
	if card := pm.Plastic.card(); card.code != "" {
		s.refuse(ch, card)
		return s.failAttempt(pi, ch.ID, card)
	}
	hold := pi.CaptureMethod == "manual"
	s.accept(ch, hold)
	if !hold {
		s.succeed(pi, ch)
		return nil
	}
	pi.move("requires_capture")
	pi.AmountCapturable = pi.Amount
	s.emit("payment_intent.amount_capturable_updated", pi, nil)
	return nil
}

// succeed ends a PaymentIntent whose charge was taken.
func (s *Server) succeed(pi *paymentIntent, ch *charge) {
	pi.move("succeeded")
	pi.AmountCapturable, pi.AmountReceived = 0, ch.AmountCaptured
	if cs, ok := s.state.Sessions.get(pi.Session); ok {
		cs.PaymentStatus = "paid"
	}
	s.emit("payment_intent.succeeded", pi, nil)
	s.fight(ch)
}

// failAttempt records a decline. The answer carries the whole PaymentIntent,
// client_secret included, as Stripe's does.
func (s *Server) failAttempt(pi *paymentIntent, chargeID string, card testCard) *apiError {
	problem := declined(card, chargeID)
	if pm, ok := s.state.Methods.get(string(pi.PaymentMethod)); ok {
		problem.PaymentMethod = s.render(pm)
	}
	pi.move("requires_payment_method")
	pi.PaymentMethod, pi.NextAction, pi.Authenticated, pi.LastPaymentError = "", nil, false, problem
	s.emit("payment_intent.payment_failed", pi, nil)
	answer := *problem
	answer.PaymentIntent = s.render(pi)
	return &answer
}

// captureThrough takes what a PaymentIntent holds, or part of it.
func (s *Server) captureThrough(pi *paymentIntent, amount int64, param string) *apiError {
	if pi.Status != "requires_capture" {
		return s.unexpectedState("capture", pi)
	}
	ch, _ := s.state.Charges.get(string(pi.LatestCharge))
	if e := s.takeHeld(ch, amount, param); e != nil {
		return e
	}
	s.succeed(pi, ch)
	return nil
}

// cancelIntent ends a PaymentIntent. A held amount is released: the charge then
// reads as refunded, and charge.refunded is sent, with captured false.
func (s *Server) cancelIntent(pi *paymentIntent, reason string) *apiError {
	if !slices.Contains(intentEdges[pi.Status], "canceled") {
		return s.unexpectedState("cancel", pi)
	}
	if pi.Status == "requires_capture" {
		ch, _ := s.state.Charges.get(string(pi.LatestCharge))
		s.release(ch, ch.Amount, "", nil)
		s.emit("charge.refunded", ch, map[string]any{"refunded": false, "amount_refunded": 0})
	}
	s.endIntent(pi, reason)
	return nil
}

func (s *Server) endIntent(pi *paymentIntent, reason string) {
	now := s.now()
	pi.move("canceled")
	pi.CanceledAt, pi.CancellationReason, pi.AmountCapturable, pi.NextAction = &now, text(reason), 0, nil
	s.emit("payment_intent.canceled", pi, nil)
}

func (s *Server) unexpectedState(verb string, pi *paymentIntent) *apiError {
	e := conflict("payment_intent_unexpected_state",
		"You cannot %s this PaymentIntent because it has a status of %s.", verb, pi.Status)
	e.PaymentIntent = s.render(pi)
	return e
}
