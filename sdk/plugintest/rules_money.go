package plugintest

import (
	"slices"

	"github.com/superpayhub/superpay/sdk"
)

func moneyExact(s *sheet) {
	for _, m := range s.exam.paper.Amounts {
		if len(s.flow.Currencies) > 0 && !slices.Contains(s.flow.Currencies, m.Currency) {
			continue // the hub does not ask
		}
		s.exactly(m)
	}
}

// exactly pays that amount to the last digit, or is told that it cannot be.
func (s *sheet) exactly(m sdk.Money) {
	s.Helper()
	before := s.books()
	a := s.attempt(s.paper.Success, func(r *sdk.CheckoutRequest) { r.Amount = m })
	s.wire.clean()
	ctx, cancel := s.within(patience)
	defer cancel()
	p, err := s.client.CreateCheckout(ctx, a.request)
	if class(err) == "Rejected" {
		if n := s.wire.sent(); n > 0 {
			s.Errorf("%s was Rejected after %d requests; what cannot be taken is known before", m, n)
		}
		return
	}
	if err != nil {
		s.Errorf("CreateCheckout of %s: %s: %v", m, class(err), err)
		return
	}
	a.learn(p)
	if !p.Amount.Equal(m) {
		s.Errorf("asked for %s, the payment is of %s", m, p.Amount)
	}
	p = a.pay()
	if a.request.CaptureMode == sdk.CaptureManual {
		return
	}
	s.wantOne("capture", before.Captures, s.books().Captures, m)
	if !p.Amount.Equal(m) || p.Amount.Exponent != m.Exponent || !p.Captures.Items[0].Amount.Equal(m) {
		s.Errorf("asked for %s, GetPayment says %s with the capture %s", m, p.Amount, p.Captures.Items[0].Amount)
	}
}

func moneyPositive(s *sheet) {
	for _, amount := range []int64{0, -100} {
		a := s.attempt(s.paper.Success, func(r *sdk.CheckoutRequest) { r.Amount.Amount = amount })
		s.wire.clean()
		ctx, cancel := s.within(patience)
		_, err := s.client.CreateCheckout(ctx, a.request)
		cancel()
		if got, n := class(err), s.wire.sent(); got != "Rejected" || n > 0 {
			s.Errorf("a checkout of %s is %s after %d requests, want Rejected after none: %v", a.request.Amount, got, n, err)
		}
	}
}

// part is about two fifths of an amount, in whole units of money where it has
// some: every provider can take that much of it.
func (s *sheet) part(m sdk.Money) sdk.Money {
	unit := int64(1)
	for range m.Exponent {
		unit *= 10
	}
	m.Amount = max(m.Amount*2/5/unit*unit, 1)
	return m
}
