package plugintest

import (
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

func captureManual(s *sheet) {
	before := s.books()
	a := s.paid(manually)
	held := a.payment
	if moved := gained(before.Captures, s.books().Captures); len(moved) > 0 || len(held.Captures.Items) > 0 {
		s.Errorf("an authorisation was captured: books %+v, captures %+v", moved, held.Captures.Items)
	}
	if !held.Authorized.Equal(a.request.Amount) || !held.Capturable.Equal(a.request.Amount) {
		s.Errorf("of %s there is %s authorised and %s capturable", a.request.Amount, held.Authorized, held.Capturable)
	}
	amount := a.request.Amount
	if s.flow.Can(sdk.CanCapturePart) {
		amount = s.part(amount)
	}
	if p := a.take(amount); p.Status != sdk.Succeeded || len(p.Captures.Items) != 1 || !p.Captures.Items[0].Amount.Equal(amount) {
		s.Errorf("Capture of %s answers %q with the captures %+v", amount, p.Status, p.Captures.Items)
	}
	s.wantOne("capture", before.Captures, s.books().Captures, amount)
	p := a.read()
	if p.Status != sdk.Succeeded || len(p.Captures.Items) != 1 || !p.Captures.Items[0].Amount.Equal(amount) {
		s.Errorf("after a capture of %s GetPayment says %q with the captures %+v", amount, p.Status, p.Captures.Items)
	}
	if len(p.Refunds.Items) > 0 {
		s.Errorf("what was released shows as a refund: %+v", p.Refunds.Items)
	}
}

func cancelOpen(s *sheet) {
	if s.onlyHeld() && !s.flow.Can(sdk.CanCapture) {
		return // nothing stays open
	}
	before := s.books()
	a := s.cancelable()
	ctx, cancel := s.within(patience)
	defer cancel()
	p, err := s.client.Cancel(ctx, sdk.CancelRequest{PaymentRequest: a.named(), Key: s.id("op")})
	s.must("Cancel", err)
	if p.Status != sdk.Canceled {
		s.Errorf("Cancel answers %q, want canceled", p.Status)
	}
	a.settle(has(sdk.Canceled))
	if moved := gained(before.Captures, s.books().Captures); len(moved) > 0 {
		s.Errorf("a canceled payment was captured: %+v", moved)
	}
}

func cancelTooLate(s *sheet) {
	a := s.paid()
	if a.request.CaptureMode == sdk.CaptureManual {
		a.take(a.request.Amount)
	}
	before := s.books()
	ctx, cancel := s.within(patience)
	defer cancel()
	p, err := s.client.Cancel(ctx, sdk.CancelRequest{PaymentRequest: a.named(), Key: s.id("op")})
	s.must("Cancel of a payment that succeeded", err)
	if p.Status != sdk.Succeeded || len(p.Refs) == 0 || p.Refs[0] != a.payment.Refs[0] {
		s.Errorf("Cancel of a payment that succeeded answers %q, %+v", p.Status, p.Refs)
	}
	if moved := gained(before.Refunds, s.books().Refunds); len(moved) > 0 {
		s.Errorf("Cancel gave money back: %+v", moved)
	}
}

// payerReturn has two payers come back. What another payer brought, what was altered
// on the way, and nothing at all pay nothing; the payer's own return still pays then.
func payerReturn(s *sheet) {
	mine, other := s.attempt(s.paper.Success).create(), s.attempt(s.paper.Success).create()
	step, confirms := mine.walk(true)
	_, also := other.walk(true)
	if !confirms || !also {
		s.fatalf("flow %s takes the payer's return, and the payer's steps in exam.json have no \"confirm\"", s.flow.Name)
	}
	own := mine.confirmation(step).Return
	altered := *own
	altered.Query = alteredLast(own.Query)
	for _, wrong := range []struct {
		what string
		back *sdk.Return
	}{{"what another payer brought back", other.confirmation(step).Return}, {"an altered return", &altered}, {"no return", nil}} {
		ctx, cancel := s.within(patience)
		r := mine.confirmation(step)
		r.Return = wrong.back
		p, err := s.client.Confirm(ctx, r)
		cancel()
		if class(err) == unknown {
			s.Errorf("Confirm with %s is an error, %v: the hub would ask again and again", wrong.what, err)
		}
		for what, p := range map[string]*sdk.Payment{"answers": p, "is followed by": mine.read()} {
			if p != nil && p.Status != sdk.RequiresAction && p.Status != sdk.RequiresConfirmation {
				s.Errorf("Confirm with %s %s a payment that is %s", wrong.what, what, p.Status)
			}
		}
	}
	ctx, cancel := s.within(patience)
	defer cancel()
	p, err := s.client.Confirm(ctx, mine.confirmation(step))
	s.must("Confirm with the payer's own return, after wrong ones", err)
	mine.learn(p)
	mine.settle(has(sdk.Succeeded))
}

// alteredLast changes the last byte of a query's last value.
func alteredLast(query string) string {
	last := byte('0')
	if strings.HasSuffix(query, "0") {
		last = '1'
	}
	return query[:max(len(query)-1, 0)] + string(last)
}

func expiry(s *sheet) {
	a := s.attempt(s.paper.Success, func(r *sdk.CheckoutRequest) { r.ExpiresAt = r.CreatedAt.Add(2 * time.Hour).Truncate(time.Second) })
	s.wire.clean()
	ctx, cancel := s.within(patience)
	defer cancel()
	p, err := s.client.CreateCheckout(ctx, a.request)
	if class(err) == "Rejected" && s.wire.sent() == 0 {
		return
	}
	s.must("CreateCheckout that expires in two hours", err)
	a.learn(p)
	wanted := a.request.ExpiresAt
	if own := s.flow.ExpiresAfter; own > 0 {
		wanted = a.request.CreatedAt.Add(own)
	}
	for what, got := range map[string]time.Time{"CreateCheckout": p.ExpiresAt, "GetPayment": a.read().ExpiresAt} {
		switch {
		case got.IsZero():
			s.Logf("%s tells of no expiry", what)
		case got.Sub(wanted).Abs() > time.Minute:
			s.Errorf("asked for %s, and %s is to come of it; %s says that the payment expires at %s", a.request.ExpiresAt, wanted, what, got)
		}
	}
}
