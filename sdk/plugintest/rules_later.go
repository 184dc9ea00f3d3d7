package plugintest

import (
	"context"
	"slices"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// pendingIsNotPaid: the payer did their part, and the provider has no money yet.
func pendingIsNotPaid(s *sheet) {
	if c := s.paper.Pending; c != nil {
		s.pends(c).settle(has(sdk.Succeeded))
	}
	if c := s.paper.PendingFails; c != nil {
		a := s.pends(c)
		p := a.settle(func(p *sdk.Payment) bool { return p.Status != sdk.Pending })
		if p.Status == sdk.Succeeded || slices.ContainsFunc(p.Captures.Items, taken) {
			s.Errorf("the payment was pending and failed, and GetPayment says %q with the captures %+v", p.Status, p.Captures.Items)
		}
	}
}

func taken(c sdk.Capture) bool { return c.Status == sdk.MovementSucceeded }

// pends makes a payment that waits at the provider, and lets that end.
func (s *sheet) pends(c *Case) *attempt {
	s.Helper()
	a := s.attempt(c).create()
	a.walk(false)
	for deadline := time.Now().Add(s.settling()); ; time.Sleep(30 * time.Millisecond) {
		p := a.read()
		if p.Status == sdk.Succeeded || p.Status == sdk.RequiresCapture || slices.ContainsFunc(p.Captures.Items, taken) || p.Authorized.Amount > 0 {
			s.fatalf("the provider waits for the money, and GetPayment says %q with %s authorised and the captures %+v", p.Status, p.Authorized, p.Captures.Items)
		}
		if p.Status == sdk.Pending {
			break
		}
		if time.Now().After(deadline) {
			s.fatalf("the payer did all and the provider waits for the money: GetPayment says %q, want pending", p.Status)
		}
	}
	a.later()
	return a
}

// expiredIsNotPaid: nobody paid in time.
func expiredIsNotPaid(s *sheet) {
	a := s.attempt(s.paper.Expired).create()
	a.walk(false)
	a.later()
	for deadline := time.Now().Add(s.settling()); ; time.Sleep(30 * time.Millisecond) {
		ctx, cancel := s.within(patience)
		p, err := s.client.GetPayment(ctx, a.named())
		cancel()
		if class(err) == "ErrNotFound" {
			return // the provider keeps nothing of it
		}
		s.must("GetPayment of an expired payment", err)
		switch {
		case p.Status == sdk.Canceled, p.Status == sdk.Failed:
			return
		case p.Status == sdk.Succeeded, p.Status == sdk.RequiresCapture, p.Status == sdk.Pending, len(p.Captures.Items) > 0:
			s.fatalf("the time of a payment that nobody paid is over, and GetPayment says %q with the captures %+v", p.Status, p.Captures.Items)
		case time.Now().After(deadline):
			s.fatalf("the payment's time is over, and after %s GetPayment still says %q, want canceled", s.settling(), p.Status)
		}
	}
}

// refundPending: a refund that the provider has not made yet is none yet.
func refundPending(s *sheet) {
	a := s.attempt(s.paper.RefundPending).create()
	a.pay()
	if a.request.CaptureMode == sdk.CaptureManual {
		a.take(a.request.Amount)
	}
	asked := a.refund(s.part(a.request.Amount))
	ctx, cancel := s.within(patience)
	defer cancel()
	re, err := s.client.Refund(ctx, asked)
	s.must("Refund", err)
	if re.Status != sdk.MovementPending {
		s.Errorf("the provider has not made the refund yet, and Refund answers %q", re.Status)
	}
	if len(a.which.Then) > 0 { // else it ends by itself, at any moment
		for what, status := range a.refundReads(ctx, asked, re.ID) {
			if status != sdk.MovementPending {
				s.Errorf("the provider has not made the refund yet, and %s says %q", what, status)
			}
		}
	}
	if s.Failed() {
		return
	}
	a.later()
	for deadline := time.Now().Add(s.settling()); ; time.Sleep(50 * time.Millisecond) {
		reads := a.refundReads(ctx, asked, re.ID)
		if reads["GetRefund"] == sdk.MovementSucceeded && reads["GetPayment"] == sdk.MovementSucceeded {
			return
		}
		if time.Now().After(deadline) {
			s.fatalf("the provider has made the refund, and the reads say %v", reads)
		}
	}
}

// refundReads is what both reads say of a refund.
func (a *attempt) refundReads(ctx context.Context, asked sdk.RefundRequest, id string) map[string]sdk.MovementStatus {
	a.Helper()
	got, err := a.client.GetRefund(ctx, sdk.GetRefundRequest{PaymentRequest: a.named(), ProviderID: id, RefundID: asked.RefundID, CaptureID: asked.CaptureID})
	a.must("GetRefund", err)
	says := map[string]sdk.MovementStatus{"GetRefund": got.Status}
	for _, re := range a.read().Refunds.Items {
		if re.ID == id {
			says["GetPayment"] = re.Status
		}
	}
	return says
}
