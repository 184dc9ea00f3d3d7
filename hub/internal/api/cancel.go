package api

import (
	"context"

	"github.com/superpayhub/superpay/hub/internal/payments"
)

// CancelInput names what to cancel.
type CancelInput struct {
	Key
	OrderID
	Body *struct {
		AttemptID string `json:"attempt_id,omitempty" maxLength:"60" doc:"The live attempt if absent"`
	}
}

func (s *server) cancel(ctx context.Context, in *CancelInput) (*OrderOutput, error) {
	p := payments.CancelInput{}
	if in.Body != nil {
		p.AttemptID = in.Body.AttemptID
	}
	a, err := s.Payments.Cancel(ctx, caller(ctx, in.IdempotencyKey), in.ID, p)
	return answered(a, err, 200)
}
