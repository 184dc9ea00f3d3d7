package plugintest

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// refunds gives a part back, or all where parts are not offered.
func refunds(s *sheet) {
	a := s.paid()
	if a.request.CaptureMode == sdk.CaptureManual {
		a.take(a.request.Amount)
	}
	amount := a.request.Amount
	if s.flow.Can(sdk.CanRefundPart) {
		amount = s.part(amount)
	}
	before, asked := s.books(), a.refund(amount)
	ctx, cancel := s.within(patience)
	defer cancel()
	re, err := s.client.Refund(ctx, asked)
	s.must("Refund", err)
	if re.ID == "" || re.RefundID != asked.RefundID || !re.Amount.Equal(amount) || re.Status == sdk.MovementFailed {
		s.Errorf("Refund %s of %s answers %+v", asked.RefundID, amount, *re)
	}
	s.wantOne("refund", before.Refunds, s.books().Refunds, amount)
	got, err := s.client.GetRefund(ctx, sdk.GetRefundRequest{PaymentRequest: a.named(), ProviderID: re.ID, RefundID: asked.RefundID, CaptureID: asked.CaptureID})
	if err != nil || got.ID != re.ID || !got.Amount.Equal(amount) {
		s.Errorf("GetRefund of %s: %+v, %v", re.ID, got, err)
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
