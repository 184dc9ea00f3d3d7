package plugintest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

func pays(s *sheet) {
	before := s.books()
	a := s.paid()
	if a.request.CaptureMode == sdk.CaptureManual {
		a.take(a.request.Amount)
	}
	p := a.settle(has(sdk.Succeeded))
	s.wantOne("capture", before.Captures, s.books().Captures, a.request.Amount)
	switch {
	case p.Mode != s.account.Mode:
		s.Errorf("the payment's mode is %q, the account's %q", p.Mode, s.account.Mode)
	case !p.Amount.Equal(a.request.Amount):
		s.Errorf("the payment is of %s, asked was %s", p.Amount, a.request.Amount)
	case !p.Captures.Complete || !p.Refunds.Complete || !p.Disputes.Complete:
		s.Errorf("GetPayment does not say that it read the whole lists: captures %v, refunds %v, disputes %v", p.Captures.Complete, p.Refunds.Complete, p.Disputes.Complete)
	case len(p.Captures.Items) != 1 || len(p.Refunds.Items) != 0:
		s.Errorf("one capture and no refund: %+v %+v", p.Captures.Items, p.Refunds.Items)
	case p.Captures.Items[0].ID == "" || !p.Captures.Items[0].Amount.Equal(a.request.Amount) || p.Captures.Items[0].Status != sdk.MovementSucceeded:
		s.Errorf("the capture needs an id, the amount %s and the status succeeded: %+v", a.request.Amount, p.Captures.Items[0])
	case p.Failure != nil:
		s.Errorf("a payment that succeeded has a failure: %+v", p.Failure)
	}
}

// failureCodes are those that apps are told of.
var failureCodes = []string{
	sdk.FailureDeclined, sdk.FailureInsufficientFunds, sdk.FailureExpiredCard, sdk.FailureIncorrectCard,
	sdk.FailureAuthentication, sdk.FailureProcessing, sdk.FailureInvalidRequest, sdk.FailureAmount,
	sdk.FailureCurrency, sdk.FailureDuplicate, sdk.FailureExpired, sdk.FailureState,
	sdk.FailureProviderUnavailable, sdk.FailureProviderRateLimited, sdk.FailureProviderCredentials,
	sdk.FailureRefundExceedsBalance, sdk.FailureMismatch,
}

func declines(s *sheet) {
	before := s.books()
	a := s.attempt(s.paper.Decline).create()
	a.walk(false)
	if a.failure == nil {
		a.settle(func(p *sdk.Payment) bool { return p.Failure != nil })
	}
	if !slices.Contains(failureCodes, a.failure.Code) || a.failure.Message == "" {
		s.Errorf("the failure needs one of sdk's codes and a message: %+v", a.failure)
	}
	if p := a.payment; p.Status != sdk.RequiresAction && p.Status != sdk.RequiresConfirmation && p.Status != sdk.Failed && p.Status != sdk.Canceled {
		s.Errorf("a declined payment is failed, or requires_action where the payer may try again; it is %q", p.Status)
	}
	if moved := gained(before.Captures, s.books().Captures); len(moved) > 0 {
		s.Errorf("a declined payment was captured: %+v", moved)
	}
}

func acts(s *sheet) {
	a := s.attempt(s.paper.Action).create()
	if a.payment.Status != sdk.RequiresAction || a.payment.NextAction == nil || a.payment.NextAction.Type == "" {
		s.Errorf("before the payer's steps the payment is %q with the next action %+v", a.payment.Status, a.payment.NextAction)
	}
	a.pay()
}

func refsStay(s *sheet) {
	a := s.attempt(s.paper.Success).create()
	created := slices.Clone(a.payment.Refs)
	a.walk(false)
	var first sdk.Ref
	if len(created) > 0 {
		first = created[0]
	} else if !s.flow.Can(sdk.CreatedByBrowser) {
		s.fatalf("CreateCheckout gives the payment no name: no Refs")
	}
	p := a.settle(func(p *sdk.Payment) bool { return has(sdk.Succeeded)(p) || p.Status == sdk.RequiresCapture })
	if len(p.Refs) == 0 || first != (sdk.Ref{}) && p.Refs[0] != first {
		s.Errorf("CreateCheckout names the payment %+v, GetPayment %+v", created, p.Refs)
	}
	seen := map[string]string{}
	for _, r := range p.Refs {
		if r.Kind == "" || r.Value == "" || seen[r.Kind] != "" && seen[r.Kind] != r.Value {
			s.Errorf("every ref has a kind and a value: %+v", p.Refs)
		}
		seen[r.Kind] = r.Value
	}
}

// unnamed is the payment as the hub names it while it knows nothing of it.
func (a *attempt) unnamed() sdk.PaymentRequest {
	r := a.named()
	r.Refs, r.Opaque = nil, nil
	return r
}

func readFinds(s *sheet) {
	a := s.attempt(s.paper.Success).create()
	ctx, cancel := s.within(patience)
	defer cancel()
	for range 2 { // open, and then paid
		p, err := s.client.GetPayment(ctx, a.unnamed())
		if s.paper.NoSearch != "" {
			if err == nil {
				s.Errorf("exam.json says that the provider has no search (%s), and GetPayment without refs finds %+v", s.paper.NoSearch, p.Refs)
			}
			return
		}
		s.must("GetPayment without refs", err)
		if len(p.Refs) == 0 || p.Refs[0] != a.payment.Refs[0] {
			s.Errorf("found %+v, created was %+v", p.Refs, a.payment.Refs)
		}
		if p.AttemptID != a.request.AttemptID || p.InstanceID != instance {
			s.Errorf("the provider's metadata say attempt %q of hub %q, want %q of %q", p.AttemptID, p.InstanceID, a.request.AttemptID, instance)
		}
		theirs := a.unnamed()
		theirs.InstanceID = otherInstance
		if p, err := s.client.GetPayment(ctx, theirs); err == nil && p.InstanceID != instance {
			s.Errorf("asked by another hub, GetPayment finds the payment of hub %q and says that it is of %q", instance, p.InstanceID)
		}
		a.pay()
	}
}

func readNotFound(s *sheet) {
	ctx, cancel := s.within(patience)
	defer cancel()
	stranger := s.attempt(s.paper.Success)
	_, err := s.client.GetPayment(ctx, stranger.unnamed())
	if err == nil || s.paper.NoSearch == "" && !errors.Is(err, sdk.ErrNotFound) {
		s.Errorf("GetPayment of an attempt that nobody made is %s (%v)", class(err), err)
	}
	if !s.flow.Can(sdk.CanRefund) {
		return
	}
	a := s.paid()
	if a.request.CaptureMode == sdk.CaptureManual {
		a.take(a.request.Amount)
	}
	_, err = s.client.GetRefund(ctx, sdk.GetRefundRequest{PaymentRequest: a.named(), RefundID: s.id("ref"), CaptureID: a.capture().ID})
	if !errors.Is(err, sdk.ErrNotFound) {
		s.Errorf("GetRefund of a refund that nobody made is %s (%v)", class(err), err)
	}
}

// readTellsTheirs: what a read is told of the amount decides nothing of its answer.
func readTellsTheirs(s *sheet) {
	a := s.paid()
	truth := a.read()
	for what, amount := range map[string]sdk.Money{
		"no amount": {}, "another amount": {Amount: a.request.Amount.Amount + 1, Currency: a.request.Amount.Currency, Exponent: a.request.Amount.Exponent},
		"another currency": {Amount: a.request.Amount.Amount, Currency: "XTS", Exponent: a.request.Amount.Exponent},
	} {
		r := a.named()
		r.Amount = amount
		ctx, cancel := s.within(patience)
		p, err := s.client.GetPayment(ctx, r)
		cancel()
		switch {
		case err != nil:
			s.Errorf("GetPayment, told %s, fails: %v", what, err)
		case !reflect.DeepEqual(p, truth):
			s.Errorf("GetPayment, told %s, answers\n%+v\ntold what was asked for it answers\n%+v", what, *p, *truth)
		}
	}
	if s.flow.Can(sdk.CreatedByBrowser) {
		s.paysLess()
	}
}

// paysLess has the browser make a payment of less than was asked for. What is told of
// it must be that, if it is told at all.
func (s *sheet) paysLess() {
	s.Helper()
	a := s.attempt(s.paper.Success).create()
	asked, less := a.request.Amount, a.request.Amount
	less.Amount--
	for name, value := range a.vars {
		switch value {
		case asked.Decimal():
			a.vars[name] = less.Decimal()
		case fmt.Sprint(asked.Amount):
			a.vars[name] = fmt.Sprint(less.Amount)
		}
	}
	ctx, cancel := s.within(patience)
	defer cancel()
	var told []*sdk.Payment
	if step, ok := a.walk(true); ok {
		if p, err := s.client.Confirm(ctx, a.confirmation(step)); err == nil {
			told = append(told, p)
			a.learn(p)
		}
	}
	if p, err := s.client.GetPayment(ctx, a.named()); err == nil {
		told = append(told, p)
	}
	for _, p := range told {
		if (p.Status == sdk.Succeeded || p.Status == sdk.RequiresCapture) && !p.Amount.Equal(less) {
			s.Errorf("asked was %s, the payer paid %s, and the plugin says %s: %+v", asked, less, p.Amount, *p)
		}
		for _, c := range p.Captures.Items {
			if !c.Amount.Equal(less) {
				s.Errorf("asked was %s, the payer paid %s, and the plugin tells of the capture %+v", asked, less, c)
			}
		}
	}
}

func readNoGuess(s *sheet) {
	a := s.paid()
	for _, f := range []standin.Fault{
		{Action: standin.Status, StatusCode: 500},
		{Action: standin.Status, StatusCode: 404, Body: "<h1>no such host</h1>"},
		{Action: standin.Empty},
		{Action: standin.HTML},
		{Action: standin.Cut},
		{Action: standin.DropAfter},
		{Action: standin.Status, StatusCode: 200, Body: "{}"},
	} {
		s.wire.clean()
		s.wire.disturbReads(f)
		for name, r := range map[string]sdk.PaymentRequest{"with refs": a.named(), "without refs": a.unnamed()} {
			if name == "without refs" && (s.paper.NoSearch != "" || !createsItself(s.paper, s.flow)) {
				continue // nothing is read
			}
			ctx, cancel := s.within(patience)
			p, err := s.client.GetPayment(ctx, r)
			cancel()
			if got := class(err); got != unknown && got != "NotSent" {
				s.Errorf("GetPayment %s, answered by %s %d %s, is %s: %+v", name, f.Action, f.StatusCode, f.Body, got, p)
			}
		}
	}
}

// otherMoney: a payer paid something else than was asked for, and that is told.
func otherMoney(s *sheet) {
	for _, c := range []*Case{s.paper.OtherAmount, s.paper.OtherCurrency} {
		if c == nil {
			continue
		}
		before := s.books()
		a := s.attempt(c).create()
		a.walk(false)
		a.later()
		p := a.settle(func(p *sdk.Payment) bool { return len(p.Captures.Items) > 0 })
		paid := gained(before.Captures, s.books().Captures)
		switch {
		case len(paid) != 1 || entryIs(paid[0], a.request.Amount):
			s.Errorf("exam.json: the payer is to pay something else than %s; the stand-in's books show %+v", a.request.Amount, paid)
		case len(p.Captures.Items) != 1 || !entryIs(paid[0], p.Captures.Items[0].Amount):
			s.Errorf("asked was %s, the payer paid %s %s, and GetPayment tells of the captures %+v", a.request.Amount, paid[0].Amount, paid[0].Currency, p.Captures.Items)
		}
	}
}

// openIsNotPaid: before the payer did anything, nobody has paid.
func openIsNotPaid(s *sheet) {
	a := s.attempt(s.paper.Success).create()
	told := map[string]*sdk.Payment{"CreateCheckout": a.payment}
	ctx, cancel := s.within(patience)
	defer cancel()
	if p, err := s.client.GetPayment(ctx, a.named()); err == nil {
		told["GetPayment"] = p
	}
	for what, p := range told {
		if p.Status == sdk.Succeeded || p.Status == sdk.RequiresCapture || len(p.Captures.Items) > 0 || !p.Authorized.IsZero() {
			s.Errorf("nobody has paid, and %s says %q with the captures %+v", what, p.Status, p.Captures.Items)
		}
	}
}
