package main

import (
	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
)

// fromSession tells what a session proves. Its PaymentIntent may be absent (it
// is made when the payer confirms), a mere id, or expanded.
func fromSession(s *stripe.CheckoutSession) *sdk.Payment {
	pi := s.PaymentIntent
	out := &sdk.Payment{}
	if pi != nil {
		out = fromIntent(pi)
	}
	if pi == nil || pi.Status == "" { // not expanded
		out.Captures = sdk.Captures{}
		out.Status, out.Captures.Complete = bareSession(s)
	} else {
		out.Status = sessionStatus(s, out)
	}
	out.ReadMetadata(s.Metadata)
	out.Refs = append([]sdk.Ref{{Kind: kindSession, Value: s.ID}}, out.Refs...)
	out.Mode = mode(s.Livemode)
	out.Amount = fromWire(s.AmountTotal, s.Currency)
	out.ExpiresAt = at(s.ExpiresAt)
	out.Payer = payerOf(s)
	return out
}

// bareSession is what a session says without its PaymentIntent, and whether
// that means that no money was taken.
func bareSession(s *stripe.CheckoutSession) (status sdk.Status, untaken bool) {
	switch {
	case s.Status == stripe.CheckoutSessionStatusExpired:
		return sdk.Canceled, true
	case s.Status == stripe.CheckoutSessionStatusOpen:
		return sdk.RequiresAction, true
	case s.PaymentStatus == stripe.CheckoutSessionPaymentStatusPaid,
		s.PaymentStatus == stripe.CheckoutSessionPaymentStatusNoPaymentRequired:
		return sdk.Succeeded, false
	}
	// complete and unpaid: a delayed method, or an authorisation; the session does not say.
	return sdk.Pending, false
}

// sessionStatus joins what session and PaymentIntent say. Where money is held,
// taken or on its way, the PaymentIntent has the last word.
func sessionStatus(s *stripe.CheckoutSession, intent *sdk.Payment) sdk.Status {
	switch intent.Status {
	case sdk.Succeeded, sdk.RequiresCapture, sdk.Pending:
		return intent.Status
	}
	switch {
	case s.Status == stripe.CheckoutSessionStatusExpired:
		return sdk.Canceled
	case s.Status == stripe.CheckoutSessionStatusOpen:
		return sdk.RequiresAction
	case intent.Status == sdk.Canceled:
		return sdk.Canceled
	case intent.Failure != nil:
		return sdk.Failed // a delayed method failed; a complete session cannot be paid again
	}
	return sdk.Pending // a voucher that the payer still has to pay
}

func payerOf(s *stripe.CheckoutSession) *sdk.Payer {
	d := s.CustomerDetails
	if d == nil || d.Email == "" && d.Name == "" {
		return nil
	}
	payer := &sdk.Payer{Email: d.Email, Name: d.Name}
	if d.Address != nil {
		payer.Country = d.Address.Country
	}
	return payer
}
