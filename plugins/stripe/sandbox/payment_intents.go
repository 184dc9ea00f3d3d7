package sandbox

import (
	"fmt"
	"slices"
	"time"
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

// newIntent makes the PaymentIntent of a session, at its first attempt to pay.
func (s *Server) newIntent(cs *session) *paymentIntent {
	id := newID("pi_3")
	pi := &paymentIntent{
		ID: id, Object: "payment_intent", Amount: cs.AmountTotal, CaptureMethod: cs.Intent.CaptureMethod,
		ClientSecret: newID(id + "_secret_"), ConfirmationMethod: "automatic", Created: s.now(), Currency: cs.Currency,
		Description: cs.Intent.Description, Metadata: cs.Intent.Metadata, PaymentMethodTypes: cs.PaymentMethodTypes,
		ReceiptEmail: cs.Intent.ReceiptEmail, Status: "requires_payment_method", Session: cs.ID,
	}
	s.state.Intents.add(pi)
	cs.PaymentIntent = text(pi.ID)
	s.emit("payment_intent.created", pi, nil)
	return pi
}

// attempt confirms a PaymentIntent with a card. An error is a decline, and
// leaves the intent open for another card; without one the intent's status
// tells what happened.
func (s *Server) attempt(pi *paymentIntent, card testCard, payer customer) *apiError {
	pi.LastPaymentError, pi.NextAction = nil, nil
	if _, known := findCard(card.Number); !known {
		return s.failAttempt(pi, "", card)
	}
	pi.PaymentMethod, pi.Last4 = text(newID("pm_1")), card.last4()
	switch card.fate {
	case declines:
		ch := s.newCharge(pi, payer)
		ch.Status, ch.FailureCode, ch.FailureMessage = "failed", text(card.code), text(card.message)
		ch.Outcome = map[string]any{"network_status": "declined_by_network", "reason": card.declineCode, "type": "issuer_declined"}
		s.emit("charge.failed", ch, nil)
		return s.failAttempt(pi, ch.ID, card)
	case authenticates:
		pi.move("requires_action")
		pi.NextAction = &nextAction{Type: "redirect_to_url", RedirectToURL: map[string]string{
			"url": s.opts.PublicURL + "/pay/" + pi.Session + "/3ds",
		}}
		s.emit("payment_intent.requires_action", pi, nil)
		return nil
	}
	s.approve(pi, payer)
	return nil
}

// approve takes the money, or holds it for a capture.
func (s *Server) approve(pi *paymentIntent, payer customer) {
	pi.NextAction = nil
	ch := s.newCharge(pi, payer)
	ch.Status, ch.Paid = "succeeded", true
	ch.Outcome = map[string]any{"network_status": "approved_by_network", "reason": nil, "type": "authorized", "seller_message": "Payment complete."}
	if pi.CaptureMethod == "manual" {
		pi.move("requires_capture")
		pi.AmountCapturable = pi.Amount
		s.wakeAt(pi.Created*1000 + authorised.Milliseconds())
		ch.PaymentMethodDetails["card"].(map[string]any)["capture_before"] = pi.Created + int64(authorised/time.Second)
		s.emit("charge.succeeded", ch, nil)
		s.emit("payment_intent.amount_capturable_updated", pi, nil)
		return
	}
	s.take(pi, ch)
}

// take books a paid charge, at once or after the bank's delay.
func (s *Server) take(pi *paymentIntent, ch *charge) {
	ch.Captured, ch.AmountCaptured, ch.BalanceTransaction = true, ch.Amount, text(newID("txn_3"))
	pi.move("succeeded")
	pi.AmountReceived = pi.Amount
	s.emit("charge.succeeded", ch, nil)
	s.emit("payment_intent.succeeded", pi, nil)
	s.disputeIfFated(ch)
}

func (s *Server) failAttempt(pi *paymentIntent, chargeID string, card testCard) *apiError {
	problem := declined(card, chargeID)
	pi.move("requires_payment_method")
	pi.PaymentMethod, pi.NextAction, pi.LastPaymentError = "", nil, problem
	s.emit("payment_intent.payment_failed", pi, nil)
	return problem
}

// capture takes what was held, or part of it; the rest is released, which
// Stripe shows as refunded on the charge though nothing was paid back.
func (s *Server) capture(pi *paymentIntent, amount int64) *apiError {
	if pi.Status != "requires_capture" {
		return unexpectedState("capture", pi)
	}
	if amount < 1 || amount > pi.AmountCapturable {
		e := conflict("amount_too_large", "The provided amount_to_capture is not between 1 and the capturable amount (%s).",
			money(pi.AmountCapturable, pi.Currency))
		e.Param = "amount_to_capture"
		return e
	}
	ch, _ := s.state.Charges.get(string(pi.LatestCharge))
	ch.Captured, ch.AmountCaptured, ch.BalanceTransaction = true, amount, text(newID("txn_3"))
	ch.Released = ch.Amount - amount
	ch.AmountRefunded = ch.Released
	pi.move("succeeded")
	pi.AmountCapturable, pi.AmountReceived = 0, amount
	if cs, ok := s.state.Sessions.get(pi.Session); ok {
		cs.PaymentStatus = "paid"
	}
	s.emit("charge.captured", ch, map[string]any{"captured": false, "amount_captured": 0})
	s.emit("payment_intent.succeeded", pi, nil)
	s.disputeIfFated(ch)
	return nil
}

// cancelIntent ends a PaymentIntent. A held amount is released: the charge then
// reads as refunded, and charge.refunded is sent, with captured false.
func (s *Server) cancelIntent(pi *paymentIntent, reason string) *apiError {
	if !slices.Contains(intentEdges[pi.Status], "canceled") {
		return unexpectedState("cancel", pi)
	}
	if pi.Status == "requires_capture" {
		s.release(pi, "charge.refunded")
	}
	s.endIntent(pi, reason)
	return nil
}

// lapse is what the bank does to an approval that nobody captured in time.
func (s *Server) lapse(pi *paymentIntent) {
	s.release(pi, "charge.expired")
	s.endIntent(pi, "automatic")
}

func (s *Server) release(pi *paymentIntent, kind string) {
	ch, _ := s.state.Charges.get(string(pi.LatestCharge))
	ch.Refunded, ch.AmountRefunded, ch.Released = true, ch.Amount, ch.Amount
	s.emit(kind, ch, map[string]any{"refunded": false, "amount_refunded": 0})
}

func (s *Server) endIntent(pi *paymentIntent, reason string) {
	now := s.now()
	pi.move("canceled")
	pi.CanceledAt, pi.CancellationReason, pi.AmountCapturable, pi.NextAction = &now, text(reason), 0, nil
	s.emit("payment_intent.canceled", pi, nil)
}

func unexpectedState(verb string, pi *paymentIntent) *apiError {
	e := conflict("payment_intent_unexpected_state",
		"You cannot %s this PaymentIntent because it has a status of %s.", verb, pi.Status)
	e.PaymentIntent = map[string]any{"id": pi.ID, "object": "payment_intent", "status": pi.Status}
	return e
}

func (s *Server) getIntent(c *call) (any, *apiError) {
	c.ignore("client_secret")
	if e := c.done(); e != nil {
		return nil, e
	}
	return get(&s.state.Intents, "payment_intent", "intent", c.id)
}

func (s *Server) updateIntent(c *call) (any, *apiError) {
	metadata, description := c.metadata("metadata"), c.text("description", 1000)
	if e := c.done(); e != nil {
		return nil, e
	}
	pi, e := get(&s.state.Intents, "payment_intent", "intent", c.id)
	if e != nil {
		return nil, e
	}
	pi.Metadata = merged(pi.Metadata, metadata)
	if description != "" {
		pi.Description = text(description)
	}
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
	if e := s.capture(pi, amount); e != nil {
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

// confirmIntent is refused for what Checkout made; intents of one's own come
// with their create endpoint.
func (s *Server) confirmIntent(c *call) (any, *apiError) {
	c.ignore("return_url", "use_stripe_sdk", "payment_method", "off_session", "error_on_requires_action")
	if e := c.done(); e != nil {
		return nil, e
	}
	pi, e := get(&s.state.Intents, "payment_intent", "intent", c.id)
	if e != nil {
		return nil, e
	}
	return nil, unexpectedState("confirm", pi)
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
