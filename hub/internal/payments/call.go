package payments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// call asks the provider and turns what comes back into news. What is not
// marked otherwise is unknown.
func (s *Service) call(ctx context.Context, o *ledger.Order, op *ledger.Operation) ledger.News {
	s.asking.Add(1)
	defer s.asking.Add(-1)
	a := o.Attempt(*op.AttemptID)
	n := ledger.News{AttemptID: a.ID, Source: ledger.FromOperation, Operation: &ledger.Result{ID: op.ID}}
	p, ok := s.Providers.Get(a.Provider)
	if !ok {
		n.Operation.Outcome = ledger.OutcomeNotSent
		n.Operation.Failure = &sdk.Failure{Code: sdk.FailureProviderUnavailable, Message: "the provider is no longer configured"}
		return n
	}
	ctx, cancel := context.WithTimeout(providers.WithIDs(ctx, "", o.ID), s.CallTimeout)
	defer cancel()
	var err error
	n.Payment, n.Refund, err = dispatch(ctx, p, op)
	if err == nil {
		if n.Payment == nil && n.Refund == nil || n.Refund != nil && n.Refund.ID == "" && n.Refund.Status != sdk.MovementFailed {
			n.Payment, n.Refund, n.Operation.Outcome = nil, nil, ledger.OutcomeUnknown // no answer to build on
			return n
		}
		if n = s.replayed(ctx, o, op, n); undecided(n) || failedRefund(n) {
			n.Operation.Arrived = n.Operation.Arrived || failedRefund(n)
			n.Refund = nil
			return s.truth(ctx, p, o, op, n, true)
		}
		return n
	}
	n.Payment, n.Refund = nil, nil
	var rejected *sdk.RejectedError
	var notSent *sdk.NotSentError
	var mismatch *sdk.MismatchError
	switch {
	case errors.As(err, &rejected):
		n.Operation.Outcome, n.Operation.Rejected, n.Operation.Failure = ledger.OutcomeDeclined, true, &rejected.Failure
	case errors.As(err, &notSent):
		n.Operation.Outcome = ledger.OutcomeNotSent
		n.Operation.Failure = &sdk.Failure{Code: sdk.FailureProviderUnavailable, Message: notSent.Reason}
	case errors.As(err, &mismatch):
		// The first sending arrived: only the provider's truth can tell how it went.
		n.Operation.Arrived = true
		return s.truth(ctx, p, o, op, n, true)
	default:
		s.Logger.WarnContext(ctx, "the outcome of an operation is unknown", "order", o.ID, "operation", op.ID, "kind", op.Kind, "error", err)
		n.Operation.Outcome = s.lost()
	}
	return n
}

// failedRefund reports whether an answer names a refund and says that it failed.
// A read has to say so, too, before anybody is told: who is told asks for the
// money again, under another key.
func failedRefund(n ledger.News) bool {
	return n.Refund != nil && n.Refund.ID != "" && n.Refund.Status == sdk.MovementFailed
}

// dispatch sends the recorded request, unchanged, to the plugin.
func dispatch(ctx context.Context, p *providers.Provider, op *ledger.Operation) (*sdk.Payment, *sdk.Refund, error) {
	switch op.Kind {
	case sdk.OpCreate:
		return payment(ctx, op, p.CreateCheckout)
	case sdk.OpConfirm:
		return payment(ctx, op, p.Confirm)
	case sdk.OpCapture:
		return payment(ctx, op, p.Capture)
	case sdk.OpCancel:
		return payment(ctx, op, p.Cancel)
	case sdk.OpRefund:
		r, err := asked[sdk.RefundRequest](op)
		if err != nil {
			return nil, nil, err
		}
		refund, err := p.Refund(ctx, r)
		return nil, refund, err
	}
	return nil, nil, fmt.Errorf("operation %s is of the unknown kind %q", op.ID, op.Kind)
}

func payment[R any](ctx context.Context, op *ledger.Operation, f func(context.Context, R) (*sdk.Payment, error)) (*sdk.Payment, *sdk.Refund, error) {
	r, err := asked[R](op)
	if err != nil {
		return nil, nil, err
	}
	p, err := f(ctx, r)
	return p, nil, err
}

// asked is the request of an operation; who did not make it himself reads it
// from the record.
func asked[R any](op *ledger.Operation) (r R, err error) {
	if r, ok := op.Asked.(R); ok {
		return r, nil
	}
	if err := json.Unmarshal(op.Request, &r); err != nil {
		return r, fmt.Errorf("recorded request of %s: %w", op.ID, err)
	}
	return r, nil
}

// prepare puts what the plugin is asked into the operation: encoded, for the
// record and the identical repeat, and as it is, for the call that follows.
func prepare(op *ledger.Operation, request any) {
	op.Request, op.Asked = encode(request), request
}

func encode(plain any) []byte {
	b, _ := json.Marshal(plain) // cannot fail
	return b
}

// paymentRequest names an attempt's payment to its plugin.
func (s *Service) paymentRequest(o *ledger.Order, a *ledger.Attempt) sdk.PaymentRequest {
	return sdk.PaymentRequest{
		AttemptID: a.ID, InstanceID: s.DB.InstanceID(), Flow: a.Flow, Refs: a.Refs,
		Amount: o.Money(o.Amount), CreatedAt: a.CreatedAt, Opaque: a.Opaque,
	}
}

// readRequest is paymentRequest for a read, which is not told what was asked for: a
// plugin that answered with that, and not with what the provider says, would have a
// payment of another amount pass for the right one.
func (s *Service) readRequest(o *ledger.Order, a *ledger.Attempt) sdk.PaymentRequest {
	r := s.paymentRequest(o, a)
	r.Amount = sdk.Money{}
	return r
}
