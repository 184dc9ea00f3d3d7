package plugintest

import (
	"reflect"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// anotherProcess: between any two calls the plugin is started anew.
func anotherProcess(s *sheet) {
	first := s.client
	defer func() { s.exam.client = first }()
	a := s.attempt(s.paper.Success, func(r *sdk.CheckoutRequest) {
		if s.flow.Can(sdk.CanCapture) { // one call more
			manually(r)
		}
	}).create()
	s.restarted(a.glance)
	s.restarted(func() { a.pay() })
	if a.request.CaptureMode == sdk.CaptureManual {
		s.restarted(func() { a.take(a.request.Amount) })
	}
	if s.flow.Can(sdk.CanRefund) {
		s.refundsRestarted(a)
	}
	s.closesRestarted()
	s.exam.client = first
	s.readTheSame(a)
	if s.lack(s.name).callbacks {
		return
	}
	c := s.gather().calls[0]
	told := s.judge(c)
	s.restarted(func() {
		if again := s.judge(c); again.Verdict != told.Verdict || !reflect.DeepEqual(again.Facts, told.Facts) {
			s.Errorf("two processes read one callback as\n%+v\n%+v", *again, *told)
		}
	})
}

// readTheSame compares what two processes read of a payment. What is still under way there,
// as a refund, may end between the two: then both read again.
func (s *sheet) readTheSame(a *attempt) {
	s.Helper()
	for late := time.Now().Add(s.settling()); ; {
		here, there := a.read(), (*sdk.Payment)(nil)
		s.restarted(func() { there = a.read() })
		if reflect.DeepEqual(there, here) {
			return
		}
		if time.Now().After(late) {
			s.Errorf("two processes tell of one payment\n%+v\n%+v", *there, *here)
			return
		}
		time.Sleep(settleStep)
	}
}

const settleStep = 100 * time.Millisecond

// restarted makes calls in a process that has done nothing before.
func (s *sheet) restarted(calls func()) {
	s.Helper()
	before, p := s.exam.client, s.fresh(s.wire.url)
	defer func() {
		s.exam.client = before
		p.kill()
	}()
	s.exam.client = p.client
	calls()
}

func (s *sheet) refundsRestarted(a *attempt) {
	s.Helper()
	ctx, cancel := s.within(patience)
	defer cancel()
	asked, id := a.refund(s.part(a.request.Amount)), ""
	s.restarted(func() {
		made, err := s.client.Refund(ctx, asked)
		s.must("Refund in another process", err)
		id = made.ID
	})
	for what, r := range map[string]sdk.GetRefundRequest{
		"the provider's id": {PaymentRequest: a.named(), ProviderID: id, RefundID: asked.RefundID, CaptureID: asked.CaptureID},
		"our id":            {PaymentRequest: a.named(), RefundID: asked.RefundID, CaptureID: asked.CaptureID},
	} {
		s.restarted(func() {
			if got, err := s.client.GetRefund(ctx, r); err != nil || got.ID != id {
				s.Errorf("GetRefund by %s in another process: %+v, %v; want %s", what, got, err, id)
			}
		})
	}
}

// closesRestarted has one process cancel what another began.
func (s *sheet) closesRestarted() {
	s.Helper()
	if !s.flow.Can(sdk.CanCancel) || s.onlyHeld() && !s.flow.Can(sdk.CanCapture) {
		return
	}
	var a *attempt
	s.restarted(func() { a = s.cancelable() })
	s.restarted(func() {
		ctx, cancel := s.within(patience)
		defer cancel()
		p, err := s.client.Cancel(ctx, sdk.CancelRequest{PaymentRequest: a.named(), Key: s.id("op")})
		s.must("Cancel in another process", err)
		a.learn(p)
	})
	s.restarted(func() { a.settle(has(sdk.Canceled)) })
}
