package plugintest

import (
	"errors"
	"slices"
	"time"

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

func listKnows(s *sheet) {
	began := time.Now().UTC().Add(-2 * time.Second)
	a := s.paid()
	cursor := ""
	for range 200 {
		ctx, cancel := s.within(patience)
		page, err := s.client.List(ctx, sdk.ListRequest{Since: began, Cursor: cursor, Limit: 3})
		cancel()
		if notOffered(err) {
			s.Logf("the plugin lists nothing")
			return
		}
		s.must("List", err)
		for _, p := range page.Payments {
			if slices.ContainsFunc(p.Refs, func(r sdk.Ref) bool { return slices.Contains(a.payment.Refs, r) }) {
				if a.request.CaptureMode == sdk.CaptureAutomatic && (len(p.Captures.Items) != 1 || p.Captures.Items[0].ID != a.capture().ID) {
					s.Errorf("List shows the captures %+v, GetPayment %+v", p.Captures.Items, a.payment.Captures.Items)
				}
				return
			}
		}
		if page.Next == "" {
			s.Errorf("List ends without the payment %+v, made after the time it was asked for", a.payment.Refs)
			return
		}
		if page.Next == cursor {
			s.fatalf("List gives the same cursor again: %q", cursor)
		}
		cursor = page.Next
	}
	s.Errorf("List does not end")
}
