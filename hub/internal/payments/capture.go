package payments

import (
	"context"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// CaptureInput says how much of what is authorised to take; 0 is all of it.
type CaptureInput struct {
	AttemptID string `json:"attempt_id"`
	Amount    int64  `json:"amount"`
}

// Capture takes approved money, once; the rest is released.
func (s *Service) Capture(ctx context.Context, c Caller, orderID string, in CaptureInput) (Answer, error) {
	h := newFingerprint(sdk.OpCapture, orderID, in)
	if in.Amount < 0 || in.Amount > maxAmount {
		return Answer{}, ledger.Invalidf("amount", "must be a positive number of minor units; leave it out to capture all")
	}
	return s.decide(ctx, c, orderID, h, func(o *ledger.Order) (ledger.Change, *ledger.Operation, error) {
		a, p, flow, err := s.flowOf(o, in.AttemptID)
		if err != nil {
			return ledger.Change{}, nil, err
		}
		amount := in.Amount
		if amount == 0 {
			amount = a.Authorized // what is still held
		}
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
