package api

import (
	"context"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
)

// CaptureInput says how much to take.
type CaptureInput struct {
	Key
	OrderID
	Body struct {
		AttemptID string `json:"attempt_id,omitempty" maxLength:"60"`
		Amount    *int64 `json:"amount,omitempty" minimum:"1" maximum:"999999999999" doc:"All that is still held if absent; the rest is released"`
	}
}

func (s *server) capture(ctx context.Context, in *CaptureInput) (*OrderOutput, error) {
	b := in.Body
	a, err := s.Payments.Capture(ctx, caller(ctx, in.IdempotencyKey), in.ID, payments.CaptureInput{AttemptID: b.AttemptID, Amount: amountOf(b.Amount)})
	return answered(a, err, 200)
}

// amountOf is the amount of a JSON body, in which none means all that is left.
func amountOf(minor *int64) ledger.Amount {
	if minor == nil {
		return ledger.All()
	}
	return ledger.Minor(*minor)
}
