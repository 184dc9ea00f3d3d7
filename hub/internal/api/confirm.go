package api

import (
	"context"

	"github.com/superpayhub/superpay/hub/internal/payments"
)

// ConfirmInput is what the client obtained.
type ConfirmInput struct {
	Key
	OrderID
	Body struct {
		AttemptID string            `json:"attempt_id,omitempty" maxLength:"60"`
		Input     map[string]string `json:"input,omitempty" doc:"The flow's inputs of confirm"`
	}
}

func (s *server) confirm(ctx context.Context, in *ConfirmInput) (*OrderOutput, error) {
	a, err := s.Payments.Confirm(ctx, caller(ctx, in.IdempotencyKey), in.ID,
		payments.ConfirmInput{AttemptID: in.Body.AttemptID, Input: in.Body.Input})
	return answered(a, err, 200)
}
