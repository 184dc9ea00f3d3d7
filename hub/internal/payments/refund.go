package payments

import (
	"context"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// RefundInput says how much to give back; 0 is all that is left.
type RefundInput struct {
	AttemptID          string `json:"attempt_id"`
	Amount             int64  `json:"amount"`
	Reason             string `json:"reason"`
	ExpectedRefundable *int64 `json:"expected_refundable"`
}

// Refund gives money back. What it asks for is reserved before the provider is
// asked, so that refunds together never exceed what was captured.
func (s *Service) Refund(ctx context.Context, c Caller, orderID string, in RefundInput) (Answer, error) {
	h := newFingerprint(sdk.OpRefund, orderID, in).of(in.Amount, "", "")
	if in.Amount < 0 || in.Amount > maxAmount {
		return Answer{}, ledger.Invalidf("amount", "must be a positive number of minor units; leave it out to refund all")
	}
	if err := checkText("reason", in.Reason, 500, false); err != nil {
		return Answer{}, err
	}
	return s.decide(ctx, c, orderID, h, func(o *ledger.Order) (ledger.Change, *ledger.Operation, error) {
		change, op, err := o.AskRefund(ledger.NewRefund{
			AttemptID: in.AttemptID, Amount: in.Amount, Reason: in.Reason, ExpectedRefundable: in.ExpectedRefundable,
		}, s.ask(c, h, nil), s.env())
		if err != nil {
			return change, op, err
		}
		a, p, flow, err := s.flowOf(o, *op.AttemptID)
		if err != nil {
			return change, nil, err
		}
		r := change.Order.Refund(*op.RefundID)
		switch {
		case !flow.Can(sdk.CanRefund):
			return change, nil, notOffered(flow, "refund")
		case r.Amount < a.Captured && !flow.Can(sdk.CanRefundPart):
			return change, nil, notOffered(flow, "refund of a part")
		}
		op.PluginVersion = p.State().Version
		request := sdk.RefundRequest{
			PaymentRequest: s.paymentRequest(o, a), Key: op.ProviderKey(), RefundID: r.ID,
			CaptureID: r.CaptureID, Refund: o.Money(r.Amount), Reason: in.Reason,
		}
		s.signRefund(&request, op)
		prepare(op, request)
		return change, op, err
	})
}
