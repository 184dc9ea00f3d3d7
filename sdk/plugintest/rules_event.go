package plugintest

import (
	"slices"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// quiet returns the callbacks after the first n, once no more come.
func (s *sheet) quiet(n int) (calls []sdk.CallbackRequest) {
	s.Helper()
	const stillness = 10 // looks without a new one
	for deadline, still := time.Now().Add(s.settling()), 0; still < stillness && time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		if now := s.mail.since(n); len(now) == len(calls) && len(now) > 0 {
			still++
		} else {
			calls, still = now, 0
		}
	}
	return calls
}

// cases are those of the flow, in their order in FlowPaper.
func (s *sheet) cases() []*Case {
	p := s.paper
	all := []*Case{p.Decline, p.Action, p.Pending, p.PendingFails, p.Expired, p.Dispute, p.DisputeWon, p.DisputeLost, p.DisputePart, p.OtherAmount, p.OtherCurrency}
	if s.flow.Can(sdk.CanRefund) {
		all = append(all, p.RefundFails, p.RefundPending)
	}
	return slices.DeleteFunc(all, func(c *Case) bool { return c == nil })
}

// happen lets every case happen, to the end.
func (s *sheet) happen() (made []*attempt) {
	s.Helper()
	for _, c := range s.cases() {
		a := s.attempt(c).create()
		a.walk(false)
		a.glance()
		if c == s.paper.RefundFails || c == s.paper.RefundPending {
			a.pay()
			if a.request.CaptureMode == sdk.CaptureManual {
				a.take(a.request.Amount)
			}
			ctx, cancel := s.within(patience)
			_, _ = s.client.Refund(ctx, a.refund(s.part(a.request.Amount))) // refused is fine, too
			cancel()
		}
		a.later()
		made = append(made, a)
	}
	if s.flow.Can(sdk.CanCancel) && (!s.onlyHeld() || s.flow.Can(sdk.CanCapture)) {
		a := s.cancelable()
		ctx, cancel := s.within(patience)
		_, err := s.client.Cancel(ctx, sdk.CancelRequest{PaymentRequest: a.named(), Key: s.id("op")})
		cancel()
		s.must("Cancel", err)
		made = append(made, a)
	}
	return made
}

// callbackExpects: a read meets what each event says that one must show.
func callbackExpects(s *sheet) {
	g, n := s.gather(), s.mail.count()
	made := append(s.happen(), g.attempt)
	wait := s.settling()
	for _, c := range append(s.quiet(n), g.calls...) {
		res := s.judge(c)
		for _, f := range res.Facts {
			i := slices.IndexFunc(made, func(a *attempt) bool { return s.binds(f, a.payment) })
			for _, e := range f.Expect {
				if i >= 0 && !made[i].fellBack(e) && !made[i].meets(f, e, wait) {
					s.Errorf("event %s says that a read must show %+v, and GetPayment does not: %+v", res.Type, e, *made[i].payment)
					wait = 0 // the others have had as long
				}
			}
		}
	}
}

// glance learns the payment's names, if there is a payment yet.
func (a *attempt) glance() {
	a.Helper()
	ctx, cancel := a.within(patience)
	defer cancel()
	if p, err := a.client.GetPayment(ctx, a.named()); err == nil {
		a.learn(p)
	}
}

// fellBack reports whether the payment may have come that far and gone back: a decline
// leads from an approval to the payer.
func (a *attempt) fellBack(e sdk.Expectation) bool {
	ends := []sdk.Status{sdk.Succeeded, sdk.Failed, sdk.Canceled}
	return a.which == a.paper.Decline && e.Kind == sdk.ExpectPayment && !slices.Contains(ends, sdk.Status(e.AtLeast))
}

// meets reads until the payment shows what a fact expects. Of a payment that the
// browser created the fact may be the first to know a name.
func (a *attempt) meets(f sdk.Fact, e sdk.Expectation, wait time.Duration) bool {
	a.Helper()
	r := a.named()
	if len(r.Refs) == 0 {
		r.Refs = f.Payment.Refs
	}
	for deadline := time.Now().Add(wait); ; time.Sleep(50 * time.Millisecond) {
		ctx, cancel := a.within(patience)
		p, err := a.client.GetPayment(ctx, r)
		cancel()
		switch {
		case class(err) == "ErrNotFound" && e.Kind == sdk.ExpectPayment && (e.AtLeast == string(sdk.Canceled) || e.AtLeast == string(sdk.Failed)):
			return true // it is over, and the provider keeps nothing of it
		case err == nil && shows(p, e):
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}

// lag is how long the provider's reads are behind, for readIsFresh.
const lag = 300 * time.Millisecond

// readIsFresh has money go back while the provider's reads are behind its events. What
// the reads say is what is told, and nothing of an earlier call.
func readIsFresh(s *sheet) {
	if !s.flow.Can(sdk.CanRefund) {
		return
	}
	a := s.paid()
	if a.request.CaptureMode == sdk.CaptureManual {
		a.take(a.request.Amount)
	}
	s.wire.clean()
	s.wire.disturbReads(standin.Fault{Action: standin.Stale, DelayMS: int(lag.Milliseconds())})
	a.read()
	before := a.read() // the same again: now all that is read was read before
	n, asked := s.mail.count(), a.refund(s.part(a.request.Amount))
	ctx, cancel := s.within(patience)
	defer cancel()
	re, err := s.client.Refund(ctx, asked)
	s.must("Refund", err)
	for _, c := range s.mail.since(n) {
		_, _ = s.client.HandleCallback(ctx, c) // what it says is another rule's
	}
	late, err := s.client.GetPayment(ctx, a.named())
	switch {
	case class(err) != "an answer" && class(err) != unknown:
		s.Errorf("while the provider's reads are behind, GetPayment is %s: %v", class(err), err)
	case err == nil && (late.Status != before.Status || len(late.Captures.Items) != len(before.Captures.Items)):
		s.Errorf("while the provider's reads are behind, GetPayment says %q with the captures %+v; before it said %q with %+v", late.Status, late.Captures.Items, before.Status, before.Captures.Items)
	}
	for deadline := time.Now().Add(lag + s.settling()/2); ; time.Sleep(50 * time.Millisecond) {
		p := a.read()
		if slices.ContainsFunc(p.Refunds.Items, func(r sdk.Refund) bool { return r.ID == re.ID }) {
			return
		}
		if time.Now().After(deadline) {
			s.fatalf("the provider's reads show the refund %s since %s, and GetPayment lists %+v", re.ID, s.settling()/2, p.Refunds.Items)
		}
	}
}
