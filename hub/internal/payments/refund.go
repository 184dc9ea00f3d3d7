package payments

import (
	"context"
	"errors"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// RefundInput says how much to give back. The currency is the order's unless named.
type RefundInput struct {
	AttemptID          string        `json:"attempt_id"`
	Amount             ledger.Amount `json:"amount"`
	Reason             string        `json:"reason"`
	ExpectedRefundable *int64        `json:"expected_refundable"`
	Currency           string        `json:"currency,omitempty"` // omitted: a request from before there was one has the same hash
}

// Refund gives money back. What it asks for is reserved before the provider is
// asked, so that refunds together never exceed what was captured. Over several
// captures it is carried out in parts, one after the other, until one is
// refused.
func (s *Service) Refund(ctx context.Context, c Caller, orderID string, in RefundInput) (Answer, error) {
	h := newFingerprint(sdk.OpRefund, orderID, in).of(in.Amount.Of(0), in.Currency, "")
	if err := in.Amount.Check(); err != nil {
		return Answer{}, err
	}
	if err := checkText("reason", in.Reason, 500, false); err != nil {
		return Answer{}, err
	}
	if err := checkText("currency", in.Currency, 3, false); err != nil {
		return Answer{}, err
	}
	a, err := s.decide(ctx, c, orderID, h, func(o *ledger.Order) (ledger.Change, *ledger.Operation, error) {
		change, op, err := o.AskRefund(ledger.NewRefund{
			AttemptID: in.AttemptID, Amount: in.Amount, Currency: in.Currency, Reason: in.Reason, ExpectedRefundable: in.ExpectedRefundable,
		}, s.ask(c, h, nil), s.env())
		if err != nil {
			return change, op, err
		}
		a, p, flow, err := s.flowOf(o, *op.AttemptID)
		if err != nil {
			return change, nil, err
		}
		if !flow.Can(sdk.CanRefund) {
			return change, nil, notOffered(flow, "refund")
		}
		r := change.Order.Refund(*op.RefundID)
		for _, part := range change.Order.Parts(r) {
			if change.Order.OfWhole(part) || flow.Can(sdk.CanRefundPart) {
				continue
			}
			return change, nil, notOffered(flow, "refund of a part")
		}
		op.PluginVersion = p.State().Version
		if op.Open() {
			prepare(op, s.refundRequest(change.Order, a, op, r))
		}
		return change, op, err
	})
	if err != nil || a.Refund == nil || a.Refund.PartKey == "" {
		return a, err
	}
	return s.goOn(ctx, a)
}

// refundRequest asks the provider for one refund, or one part of one.
func (s *Service) refundRequest(o *ledger.Order, a *ledger.Attempt, op *ledger.Operation, r *ledger.Refund) sdk.RefundRequest {
	key := r.PartKey
	if key == "" {
		key = op.ProviderKey()
	}
	request := sdk.RefundRequest{
		PaymentRequest: s.paymentRequest(o, a), Key: key, RefundID: r.ID, CaptureID: r.CaptureID,
		Refund: sdk.Money{Amount: r.Amount, Currency: r.Currency, Exponent: r.Exponent}, Reason: r.Reason,
	}
	s.signRefund(&request, o, op)
	return request
}

// goOn carries out the parts of a refund that are left, as long as each is done
// well, for who asked for it. The worker goes on where that ends.
func (s *Service) goOn(ctx context.Context, a Answer) (Answer, error) {
	attemptID := a.Refund.AttemptID
	for {
		o, op, err := s.nextPart(ctx, a.Order, attemptID)
		if err != nil {
			s.Logger.WarnContext(ctx, "the next part of a refund waits", "order", a.Order.ID, "refund", a.Refund.ID, "error", err)
		}
		if err != nil || op == nil {
			break
		}
		a.Order = o
		if op.Outcome != ledger.OutcomeSucceeded {
			break
		}
	}
	a.Refund = a.Order.Refund(a.Refund.ID)
	return a, nil
}

// nextPart asks for the next part of a refund of the attempt, and returns the
// order after it and how it went; nil where none is left, or others are at it.
func (s *Service) nextPart(ctx context.Context, o *ledger.Order, attemptID string) (*ledger.Order, *ledger.Operation, error) {
	a := o.Attempt(attemptID)
	p, ok := s.Providers.Get(a.Provider)
	if !ok {
		return o, nil, gone(a.Provider)
	}
	change, op, r := o.NextPart(attemptID, ledger.Ask{Source: ledger.FromHub, Lease: s.lease, PluginVersion: p.State().Version}, s.env())
	if r == nil {
		return o, nil, nil
	}
	if !p.Up() {
		return o, nil, down(a.Provider)
	}
	prepare(op, s.refundRequest(o, a, op, r))
	held, op, err := s.begin(ctx, change, op)
	switch {
	case errors.Is(err, errStale), errors.Is(err, errTakenOver): // others are at it
		return o, nil, nil
	case err != nil:
		return o, nil, err
	}
	answer, err := s.run(ctx, held, op, "")
	if err != nil {
		return o, nil, err
	}
	return answer.Order, answer.Operation, nil
}

// finishRefunds carries out the parts of refunds whose caller is gone. An error
// means that one is left, and is tried again later.
func (s *Service) finishRefunds(ctx context.Context, o *ledger.Order, attemptID string) error {
	for {
		after, op, err := s.nextPart(providers.WithIDs(ctx, "", o.ID), o, attemptID)
		switch {
		case err != nil:
			return err
		case op == nil:
			return nil
		case op.Outcome == ledger.OutcomeNotSent:
			return errors.New("the next part of a refund could not be sent")
		}
		o = after
	}
}
