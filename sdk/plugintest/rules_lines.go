package plugintest

import "github.com/superpayhub/superpay/sdk"

// balanceLines reads a payment and its refund, where there is one, and looks at what
// they say of the merchant's balance. To say nothing is allowed.
func balanceLines(s *sheet) {
	a := s.paid()
	if a.request.CaptureMode == sdk.CaptureManual {
		a.take(a.request.Amount)
	}
	ctx, cancel := s.within(patience)
	defer cancel()
	if s.flow.Can(sdk.CanRefund) {
		amount := a.request.Amount
		if s.flow.Can(sdk.CanRefundPart) {
			amount = s.part(amount)
		}
		re, err := s.client.Refund(ctx, a.refund(amount))
		s.must("Refund", err)
		s.lines("refund "+re.ID, re.Lines, -1)
	}
	p := a.read()
	for _, c := range p.Captures.Items {
		s.lines("capture "+c.ID, c.Lines, 1)
	}
	for _, r := range p.Refunds.Items {
		s.lines("refund "+r.ID, r.Lines, -1)
	}
}

// lines checks those of one movement that raised the balance, or, with sign -1, lowered it.
func (s *sheet) lines(what string, lines []sdk.Line, sign int64) {
	s.Helper()
	seen, sum := map[string]bool{}, int64(0)
	for _, l := range lines {
		switch {
		case l.ID == "" || seen[l.ID]:
			s.Errorf("%s: a balance line needs an id of its own: %+v", what, l)
		case !currency.MatchString(l.Gross.Currency) || l.Gross.Currency != lines[0].Gross.Currency || l.Gross.Exponent != lines[0].Gross.Exponent:
			s.Errorf("%s: its balance lines are in one currency: %+v", what, l)
		case !l.Fee.IsZero() && l.Fee.Currency != l.Gross.Currency:
			s.Errorf("%s: a line's fee is in the currency of its gross: %+v", what, l)
		case !l.AvailableAt.IsZero() && l.AvailableAt.Before(l.At):
			s.Errorf("%s: a line is available before it was booked: %+v", what, l)
		}
		seen[l.ID] = true
		sum += l.Gross.Amount
	}
	if len(lines) > 0 && sum*sign <= 0 {
		s.Errorf("%s: its balance lines sum up to %d; money that comes in is positive, and what goes out negative: %+v", what, sum, lines)
	}
}
