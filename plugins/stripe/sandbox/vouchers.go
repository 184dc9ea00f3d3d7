package sandbox

import (
	"slices"
	"time"
)

// A voucher is paid in a shop, days later or never. The session is complete and unpaid
// as soon as the payer has it, and the PaymentIntent waits in requires_action
// (docs.stripe.com/payments/vouchers). That ends with a button, or when it runs out.

const voucherLife = 3 * 24 * time.Hour

// voucherMethod is the voucher of a currency. Most have none.
func voucherMethod(currency string) string {
	return map[string]string{"mxn": "oxxo", "brl": "boleto", "jpy": "konbini"}[currency]
}

// voucher reports whether the payer holds a voucher that is not paid yet.
func (pi *paymentIntent) voucher() bool {
	return pi.Status == "requires_action" && pi.VoucherEnds != 0
}

// allowsVoucher tells whether the page offers one.
func (cs *session) allowsVoucher() bool {
	return slices.Contains(cs.PaymentMethodTypes, voucherMethod(cs.Currency))
}

// payVoucher hands the payer a voucher.
func (s *Server) payVoucher(cs *session, payer customer) {
	pi := s.intentOf(cs)
	cs.CustomerDetails = &payer
	pi.LastPaymentError, pi.PaymentMethod = nil, text(newID("pm_1"))
	pi.VoucherEnds = s.dueIn(voucherLife)
	pi.NextAction = s.voucherAction(pi)
	pi.move("requires_action")
	s.emit("payment_intent.requires_action", pi, nil)
	s.complete(cs)
}

func (s *Server) voucherAction(pi *paymentIntent) *nextAction {
	ends := pi.VoucherEnds / 1000
	page := s.opts.PublicURL + "/dashboard/payments/" + pi.ID // whoever plays the shop pays there
	shown := map[string]any{"expires_after": ends, "expires_at": ends, "hosted_voucher_url": page, "number": "01234567890123456789"}
	switch kind := voucherMethod(pi.Currency); kind {
	case "oxxo":
		delete(shown, "expires_at")
		return &nextAction{Type: "oxxo_display_details", OXXO: shown}
	case "boleto":
		delete(shown, "expires_after")
		return &nextAction{Type: "boleto_display_details", Boleto: shown}
	default:
		delete(shown, "expires_after")
		delete(shown, "number")
		return &nextAction{Type: "konbini_display_details", Konbini: shown}
	}
}

// settleVoucher ends one: the shop took the money, or the time ran out.
func (s *Server) settleVoucher(pi *paymentIntent, paid bool) *apiError {
	cs, _ := s.state.Sessions.get(pi.Session)
	pi.VoucherEnds, pi.NextAction = 0, nil
	if !paid {
		s.failAttempt(pi, "", testCard{
			code:    "payment_intent_payment_attempt_expired",
			message: "The latest payment attempt for this PaymentIntent has expired. Provide a new payment method and confirm again.",
		})
		s.emit("checkout.session.async_payment_failed", cs, nil)
		return nil
	}
	kind := voucherMethod(pi.Currency)
	ch := ofIntent(pi)
	ch.BillingDetails = *cs.CustomerDetails
	ch.PaymentMethodDetails = map[string]any{"type": kind, kind: map[string]any{}}
	s.addCharge(ch)
	pi.LatestCharge = text(ch.ID)
	s.accept(ch, false)
	s.succeed(pi, ch)
	s.emit("checkout.session.async_payment_succeeded", cs, nil)
	return nil
}
