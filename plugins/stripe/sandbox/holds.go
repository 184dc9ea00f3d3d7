package sandbox

import (
	"slices"
	"time"
)

// authorised is how long a card's approval waits for its capture.
const authorised = 7 * 24 * time.Hour

func (ch *charge) held() bool { return ch.Status == "succeeded" && !ch.Captured && !ch.Refunded }

func (ch *charge) lapsesAt() int64 { return ch.Created + int64(authorised/time.Second) }

// takeHeld captures what a charge holds, or part of it; the rest is let go.
func (s *Server) takeHeld(ch *charge, amount int64, param string) *apiError {
	if amount < 1 || amount > ch.Amount {
		e := conflict("amount_too_large", "The provided %s is not between 1 and the capturable amount (%s).",
			param, money(ch.Amount, ch.Currency))
		e.Param = param
		return e
	}
	ch.Captured, ch.AmountCaptured = true, amount
	s.book(ch)
	rest := ch.Amount - amount
	if rest > 0 {
		s.release(ch, rest, "", nil)
	}
	s.emit("charge.captured", ch, map[string]any{"captured": false, "amount_captured": 0})
	if rest > 0 {
		s.emit("charge.refunded", ch, map[string]any{"amount_refunded": 0})
	}
	return nil
}

// release lets held money go. Up to API version 2025-03-31 that makes a refund
// object, and the charge reads as refunded, though nobody was paid back.
func (s *Server) release(ch *charge, amount int64, reason string, metadata map[string]string) *refund {
	r := &refund{
		ID: newID("re_3"), Object: "refund", Amount: amount, Charge: ch.ID, Created: s.now(), Currency: ch.Currency,
		Metadata: merged(metadata, nil), PaymentIntent: ch.PaymentIntent, Reason: text(reason), Status: "succeeded", Release: true,
	}
	if ch.Captured && s.opts.BookReleases {
		r.BalanceTransaction = text(newID("txn_3"))
	}
	s.state.Refunds.add(r)
	ch.Released += amount
	s.recount(ch)
	return r
}

// lapse is what the bank does to an approval that nobody captured in time.
func (s *Server) lapse(ch *charge) {
	s.release(ch, ch.Amount, "expired_uncaptured_charge", nil)
	s.emit("charge.expired", ch, map[string]any{"refunded": false, "amount_refunded": 0})
	if pi, ok := s.state.Intents.get(string(ch.PaymentIntent)); ok {
		s.endIntent(pi, "automatic")
	}
}

func (s *Server) lapsed(ch *charge) bool {
	return slices.ContainsFunc(s.state.Refunds.rows, func(r *refund) bool {
		return r.Charge == ch.ID && r.Reason == "expired_uncaptured_charge"
	})
}

func (s *Server) captureCharge(c *call) (any, *apiError) {
	amount, sent := c.integer("amount")
	c.ignore("statement_descriptor", "statement_descriptor_suffix", "receipt_email", "transfer_group")
	if e := c.done(); e != nil {
		return nil, e
	}
	ch, e := get(&s.state.Charges, "charge", "id", c.id)
	if e != nil {
		return nil, e
	}
	if !sent {
		amount = ch.Amount
	}
	if e := checkGrain(amount, ch.Currency, "amount"); e != nil {
		return nil, e
	}
	return ch, s.captureHold(ch, amount)
}

// captureHold captures a charge, through its PaymentIntent where it has one.
func (s *Server) captureHold(ch *charge, amount int64) *apiError {
	switch {
	case ch.Captured:
		return conflict("charge_already_captured", "Charge %s has already been captured.", ch.ID)
	case s.lapsed(ch):
		return conflict("charge_expired_for_capture", "The charge cannot be captured as the authorization has expired.")
	case ch.Refunded:
		return conflict("charge_already_refunded", "Charge %s has already been refunded.", ch.ID)
	case !ch.held():
		return conflict("", "Charge %s cannot be captured.", ch.ID)
	}
	if pi, ok := s.state.Intents.get(string(ch.PaymentIntent)); ok {
		return s.captureThrough(pi, amount, "amount")
	}
	if e := s.takeHeld(ch, amount, "amount"); e != nil {
		return e
	}
	s.fight(ch)
	return nil
}
