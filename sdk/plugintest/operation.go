package plugintest

import (
	"context"
	"fmt"
	"slices"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugin"
)

// operation is one thing asked of the provider: prepared as far as it can be
// sent, and sent as often as a rule wishes.
type operation struct {
	kind sdk.OperationKind
	send func(context.Context, *plugin.Client) (string, error) // the answer in brief, the same for the same effect
	one  func()                                                // demands that it had exactly one effect
}

// kinds lists what can be asked in the flow.
func (s *sheet) kinds() (all []sdk.OperationKind) {
	if !s.flow.Can(sdk.CreatedByBrowser) {
		all = append(all, sdk.OpCreate)
	}
	confirms := slices.ContainsFunc(s.paper.Success.Payer, Step.confirms)
	closes := s.flow.Can(sdk.CanCancel) && (!s.onlyHeld() || s.flow.Can(sdk.CanCapture))
	for _, k := range []struct {
		kind    sdk.OperationKind
		offered bool
	}{
		{sdk.OpConfirm, confirms},
		{sdk.OpCapture, s.flow.Can(sdk.CanCapture)},
		{sdk.OpCancel, closes},
		{sdk.OpRefund, s.flow.Can(sdk.CanRefund)},
	} {
		if k.offered {
			all = append(all, k.kind)
		}
	}
	return all
}

// onlyHeld: there is no open payment to close, for the checkout itself takes or
// holds the money, or the provider closes none.
func (s *sheet) onlyHeld() bool { return len(s.paper.Success.Payer) == 0 || s.paper.NoClose != "" }

// each gives a rule every operation of the flow, prepared, on a quiet wire.
func (s *sheet) each(rule func(operation)) {
	s.Helper()
	for _, kind := range s.kinds() {
		op := s.prepare(kind)
		s.wire.clean()
		rule(op)
		s.wire.clean()
	}
}

// onlyReads: a Confirm where the browser did all itself asks for nothing.
func (s *sheet) onlyReads(op operation) bool {
	return op.kind == sdk.OpConfirm && s.flow.Can(sdk.CreatedByBrowser)
}

func (s *sheet) deduplicated(op operation) bool { return s.repeats(op.kind) }

// repeats reports whether a repeat of that operation has one effect, as far as is known.
func (s *sheet) repeats(kind sdk.OperationKind) bool {
	return s.description.Repeats[kind].Deduplicated && !s.lack(s.name).repeats
}

func (s *sheet) prepare(kind sdk.OperationKind) operation {
	s.Helper()
	switch kind {
	case sdk.OpCreate:
		return s.creation()
	case sdk.OpConfirm:
		return s.confirming()
	case sdk.OpCapture:
		return s.capturing()
	case sdk.OpCancel:
		return s.canceling()
	}
	return s.refunding()
}

// brief is what two answers to the same key must agree on.
func brief(p *sdk.Payment) string {
	first := sdk.Ref{}
	if len(p.Refs) > 0 {
		first = p.Refs[0]
	}
	text := fmt.Sprintf("%v %s", first, p.Status)
	for _, c := range p.Captures.Items {
		text += fmt.Sprintf(" %s %s", c.ID, c.Amount)
	}
	return text
}

func (a *attempt) answered(p *sdk.Payment, err error) (string, error) {
	if err != nil {
		return "", err
	}
	a.mu.Lock() // a rule may ask many times at once
	defer a.mu.Unlock()
	a.learn(p)
	return brief(p), nil
}

func (s *sheet) creation() operation {
	s.Helper()
	a, before := s.attempt(s.paper.Success), s.books()
	return operation{
		kind: sdk.OpCreate,
		send: func(ctx context.Context, c *plugin.Client) (string, error) {
			return a.answered(c.CreateCheckout(ctx, a.request))
		},
		one: func() {
			s.Helper()
			a.pay()
			if a.request.CaptureMode == sdk.CaptureAutomatic {
				s.wantOne("capture", before.Captures, s.books().Captures, a.request.Amount)
			}
			if found := a.found(); found != "" && found != a.payment.Refs[0].Value {
				s.Errorf("by its metadata the attempt is %s, the answer to the operation's key was %s: there are two payments", found, a.payment.Refs[0].Value)
			}
		},
	}
}

// found is the payment that carries the attempt's id at the provider, if that
// can be known.
func (a *attempt) found() string {
	if a.paper.NoSearch != "" {
		return ""
	}
	ctx, cancel := a.within(patience)
	defer cancel()
	r := a.named()
	r.Refs = nil
	p, err := a.client.GetPayment(ctx, r)
	if err != nil || len(p.Refs) == 0 {
		return ""
	}
	return p.Refs[0].Value
}

func (s *sheet) confirming() operation {
	s.Helper()
	a, before := s.attempt(s.paper.Success).create(), s.books()
	step, ok := a.walk(true)
	if !ok {
		s.fatalf("the payer's steps have no confirm")
	}
	r := a.confirmation(step)
	return operation{
		kind: sdk.OpConfirm,
		send: func(ctx context.Context, c *plugin.Client) (string, error) { return a.answered(c.Confirm(ctx, r)) },
		one: func() {
			s.Helper()
			a.pay()
			if a.request.CaptureMode == sdk.CaptureAutomatic {
				s.wantOne("capture", before.Captures, s.books().Captures, a.request.Amount)
			}
		},
	}
}

func (s *sheet) capturing() operation {
	s.Helper()
	a := s.paid(manually)
	r, before := sdk.CaptureRequest{PaymentRequest: a.named(), Key: s.id("op"), Capture: a.request.Amount}, s.books()
	return operation{
		kind: sdk.OpCapture,
		send: func(ctx context.Context, c *plugin.Client) (string, error) { return a.answered(c.Capture(ctx, r)) },
		one: func() {
			s.Helper()
			a.settle(has(sdk.Succeeded))
			s.wantOne("capture", before.Captures, s.books().Captures, r.Capture)
		},
	}
}

func (s *sheet) canceling() operation {
	s.Helper()
	a := s.cancelable()
	r, before := sdk.CancelRequest{PaymentRequest: a.named(), Key: s.id("op")}, s.books()
	return operation{
		kind: sdk.OpCancel,
		send: func(ctx context.Context, c *plugin.Client) (string, error) { return a.answered(c.Cancel(ctx, r)) },
		one: func() {
			s.Helper()
			a.settle(has(sdk.Canceled))
			if moved := gained(before.Captures, s.books().Captures); len(moved) > 0 {
				s.Errorf("a canceled payment was captured: %+v", moved)
			}
		},
	}
}

// cancelable is an open payment, or one that is held where the flow has no
// open ones.
func (s *sheet) cancelable() *attempt {
	s.Helper()
	if s.onlyHeld() {
		return s.paid(manually)
	}
	return s.attempt(s.paper.Success).create()
}

func (s *sheet) refunding() operation {
	s.Helper()
	a := s.paid()
	if a.request.CaptureMode == sdk.CaptureManual {
		a.take(a.request.Amount)
	}
	r, before := a.refund(a.request.Amount), s.books()
	return operation{
		kind: sdk.OpRefund,
		send: func(ctx context.Context, c *plugin.Client) (string, error) {
			re, err := c.Refund(ctx, r)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%s %s %s", re.ID, re.Status, re.Amount), nil
		},
		one: func() {
			s.Helper()
			s.wantOne("refund", before.Refunds, s.books().Refunds, r.Refund)
		},
	}
}

// take captures a held payment.
func (a *attempt) take(amount sdk.Money) *sdk.Payment {
	a.Helper()
	ctx, cancel := a.within(patience)
	defer cancel()
	p, err := a.client.Capture(ctx, sdk.CaptureRequest{PaymentRequest: a.named(), Key: a.id("op"), Capture: amount})
	a.must("Capture", err)
	a.learn(p)
	return p
}
