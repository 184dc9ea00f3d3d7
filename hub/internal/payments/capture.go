package payments

import (
	"context"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// CaptureInput says how much of what is authorised to take.
type CaptureInput struct {
	AttemptID string        `json:"attempt_id"`
	Amount    ledger.Amount `json:"amount"`
}

// Capture takes approved money, once; the rest is released.
func (s *Service) Capture(ctx context.Context, c Caller, orderID string, in CaptureInput) (Answer, error) {
	h := newFingerprint(sdk.OpCapture, orderID, in)
	if err := in.Amount.Check(); err != nil {
		return Answer{}, err
	}
	return s.decide(ctx, c, orderID, h, func(o *ledger.Order) (ledger.Change, *ledger.Operation, error) {
		a, p, flow, err := s.flowOf(o, in.AttemptID)
		if err != nil {
			return ledger.Change{}, nil, err
		}
		amount := in.Amount.Of(a.Authorized) // what is still held
		switch {
		case !flow.Can(sdk.CanCapture):
			return ledger.Change{}, nil, notOffered(flow, "capture")
		case amount < a.Authorized && !flow.Can(sdk.CanCapturePart):
			return ledger.Change{}, nil, notOffered(flow, "capture of a part")
		}
		change, op, err := o.Capture(a.ID, amount, s.ask(c, h, p), s.env())
		if err == nil {
			prepare(op, sdk.CaptureRequest{PaymentRequest: s.paymentRequest(o, a), Key: op.ProviderKey(), Capture: o.Money(amount)})
		}
		return change, op, err
	})
}
