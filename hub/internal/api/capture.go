package api

import (
	"context"

	"github.com/superpayhub/superpay/hub/internal/payments"
)

// CaptureInput says how much to take.
type CaptureInput struct {
	Key
	OrderID
	Body *struct {
		AttemptID string `json:"attempt_id,omitempty" maxLength:"60"`
		Amount    int64  `json:"amount,omitempty" minimum:"1" maximum:"999999999999" doc:"All that is still held if absent; the rest is released"`
	}
}

func (s *server) capture(ctx context.Context, in *CaptureInput) (*OrderOutput, error) {
	p := payments.CaptureInput{}
	if b := in.Body; b != nil {
		p.AttemptID, p.Amount = b.AttemptID, b.Amount
	}
	a, err := s.Payments.Capture(ctx, caller(ctx, in.IdempotencyKey), in.ID, p)
	return answered(a, err, 200)
}
