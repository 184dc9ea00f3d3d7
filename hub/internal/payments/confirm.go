package payments

import (
	"context"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// ConfirmInput is what the client obtained.
type ConfirmInput struct {
	AttemptID string            `json:"attempt_id"`
	Input     map[string]string `json:"input"`
}

// Confirm continues an attempt with what the client obtained.
func (s *Service) Confirm(ctx context.Context, c Caller, orderID string, in ConfirmInput) (Answer, error) {
	if len(in.Input) == 0 {
		in.Input = nil
	}
	h := newFingerprint(sdk.OpConfirm, orderID, in)
	return s.decide(ctx, c, orderID, h, func(o *ledger.Order) (ledger.Change, *ledger.Operation, error) {
		a, p, flow, err := s.flowOf(o, in.AttemptID)
		if err != nil {
			return ledger.Change{}, nil, err
		}
		if !flow.Can(sdk.CanConfirm) {
			return ledger.Change{}, nil, notOffered(flow, "confirm")
		}
		input, err := checkInput(flow.Confirm, in.Input)
		if err != nil {
			return ledger.Change{}, nil, err
		}
		change, op, err := o.Confirm(a.ID, s.ask(c, h, p), s.env())
		if err == nil && op.Open() {
			prepare(op, s.confirmRequest(o, a, op, input))
		}
		return change, op, err
	})
}

func (s *Service) confirmRequest(o *ledger.Order, a *ledger.Attempt, op *ledger.Operation, input map[string]string) sdk.ConfirmRequest {
	return sdk.ConfirmRequest{
		PaymentRequest: s.paymentRequest(o, a), Key: op.ProviderKey(), CaptureMode: a.CaptureMode, Input: input, URLs: s.back(a),
	}
}

// flowOf finds the attempt that a request is about (the one named, else the
// current one), its provider, which must be up, and its flow.
func (s *Service) flowOf(o *ledger.Order, attemptID string) (*ledger.Attempt, *providers.Provider, sdk.Flow, error) {
	a := o.Current()
	if attemptID != "" {
		a = o.Attempt(attemptID)
	}
	if a == nil {
		return nil, nil, sdk.Flow{}, ledger.ErrNotFound("attempt of this order")
	}
	p, ok := s.Providers.Get(a.Provider)
	if !ok {
		return nil, nil, sdk.Flow{}, gone(a.Provider)
	}
	if !p.Up() {
		return nil, nil, sdk.Flow{}, down(p.Name())
	}
	flow, _ := p.Description().Flow(a.Flow)
	return a, p, flow, nil
}

func notOffered(f sdk.Flow, verb string) error {
	return &ledger.Error{Kind: ledger.Invalid, Code: "not_offered", Message: "flow " + f.Name + " does not offer " + verb}
}
