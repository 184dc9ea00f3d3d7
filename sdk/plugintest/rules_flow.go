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

func refundParts(s *sheet) {
	a := s.paid()
	if a.request.CaptureMode == sdk.CaptureManual {
		a.take(a.request.Amount)
	}
	ctx, cancel := s.within(patience)
	defer cancel()
	before, amount := s.books(), s.part(a.request.Amount)
	asked := []sdk.RefundRequest{a.refund(amount), a.refund(amount)}
	for _, r := range asked {
		re, err := s.client.Refund(ctx, r)
		s.must("Refund of a part", err)
		if re.ID == "" || re.RefundID != r.RefundID || re.InstanceID != "" && re.InstanceID != instance || !re.Amount.Equal(amount) || re.Status == sdk.MovementFailed {
			s.Errorf("Refund %s of %s answers %+v", r.RefundID, amount, re)
		}
		for name, ask := range map[string]sdk.GetRefundRequest{
			"the provider's id": {PaymentRequest: a.named(), ProviderID: re.ID, RefundID: r.RefundID, CaptureID: r.CaptureID},
			"our id":            {PaymentRequest: a.named(), RefundID: r.RefundID, CaptureID: r.CaptureID},
		} {
			if got, err := s.client.GetRefund(ctx, ask); err != nil || got.ID != re.ID || !got.Amount.Equal(amount) {
				s.Errorf("GetRefund by %s: %+v, %v; want %s", name, got, err, re.ID)
			}
		}
	}
	if fresh := gained(before.Refunds, s.books().Refunds); len(fresh) != 2 || !entryIs(fresh[0], amount) || !entryIs(fresh[1], amount) {
		s.Errorf("the stand-in's books show %+v, want two refunds of %s", fresh, amount)
	}
	p := a.read()
	found := map[string]bool{}
	for _, re := range p.Refunds.Items {
		found[re.RefundID] = re.Amount.Equal(amount)
	}
	if !p.Refunds.Complete || len(p.Refunds.Items) != 2 || !found[asked[0].RefundID] || !found[asked[1].RefundID] {
		s.Errorf("GetPayment lists the refunds %+v, complete: %v", p.Refunds.Items, p.Refunds.Complete)
	}
}

func refundTooMuch(s *sheet) {
	a := s.paid()
	if a.request.CaptureMode == sdk.CaptureManual {
		a.take(a.request.Amount)
	}
	before := s.books()
	more := a.request.Amount
	more.Amount *= 2
	ctx, cancel := s.within(patience)
	defer cancel()
	re, err := s.client.Refund(ctx, a.refund(more))
	if got := class(err); got != "Rejected" && (err != nil || re.Status != sdk.MovementFailed) {
		s.Errorf("a refund of twice the payment is %s: %+v, %v", got, re, err)
	}
	for _, e := range gained(before.Refunds, s.books().Refunds) {
		if entryIs(e, more) {
			s.Errorf("the stand-in gave twice the payment back: %+v", e)
		}
	}
}

func refundFails(s *sheet) {
	a := s.attempt(s.paper.RefundFails).create()
	a.pay()
	if a.request.CaptureMode == sdk.CaptureManual {
		a.take(a.request.Amount)
	}
	r := a.refund(s.part(a.request.Amount))
	ctx, cancel := s.within(patience)
	defer cancel()
	re, err := s.client.Refund(ctx, r)
	if class(err) == "Rejected" {
		return
	}
	s.must("Refund", err)
	for deadline := time.Now().Add(s.settling()); re.Status != sdk.MovementFailed; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.fatalf("the refund does not fail: %+v", re)
		}
		re, err = s.client.GetRefund(ctx, sdk.GetRefundRequest{PaymentRequest: a.named(), ProviderID: re.ID, RefundID: r.RefundID, CaptureID: r.CaptureID})
		s.must("GetRefund", err)
	}
	if re.Failure == nil || re.Failure.Code == "" {
		s.Errorf("a failed refund needs a failure that says why: %+v", re)
	}
}
