package api

import (
	"context"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
)

// RefundInput says how much to give back.
type RefundInput struct {
	Key
	OrderID
	Body *struct {
		AttemptID          string `json:"attempt_id,omitempty" maxLength:"60" doc:"The attempt with money left if absent"`
		Amount             int64  `json:"amount,omitempty" minimum:"1" maximum:"999999999999" doc:"All that is left if absent"`
		Reason             string `json:"reason,omitempty" maxLength:"500"`
		ExpectedRefundable *int64 `json:"expected_refundable,omitempty" minimum:"0" doc:"Refuse if the order's refundable is another by now"`
	}
}

// RefundOutput answers with a refund.
type RefundOutput struct {
	Status int
	Body   Refund
}

func (s *server) refund(ctx context.Context, in *RefundInput) (*RefundOutput, error) {
	p := payments.RefundInput{}
	if b := in.Body; b != nil {
		p = payments.RefundInput{AttemptID: b.AttemptID, Amount: b.Amount, Reason: b.Reason, ExpectedRefundable: b.ExpectedRefundable}
	}
	a, err := s.Payments.Refund(ctx, caller(ctx, in.IdempotencyKey), in.ID, p)
	if err != nil {
		return nil, err
	}
	status, err := outcome(a, 201)
	if err != nil {
		return nil, err
	}
	return &RefundOutput{status, refundOf(a.Refund)}, nil
}

// RefundID is the path of a refund.
type RefundID struct {
	ID string `path:"id" maxLength:"60"`
}

func (s *server) getRefund(ctx context.Context, in *RefundID) (*RefundOutput, error) {
	o, err := s.DB.OrderOfRefund(ctx, caller(ctx, "").App.ID, in.ID)
	if err != nil {
		return nil, payments.NotFound(err, "refund")
	}
	r := o.Refund(in.ID)
	if r == nil {
		return nil, ledger.ErrNotFound("refund")
	}
	return &RefundOutput{200, refundOf(r)}, nil
}
