package payments

import (
	"context"
	"errors"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// Correct has a person take over what they found at the provider about one
// movement that the hub has wrong. The order's timeline keeps who and why.
func (s *Service) Correct(ctx context.Context, orderID string, in ledger.Correction, by ledger.Operator) (*ledger.Order, error) {
	if err := checkText("why", by.Why, 500, true); err != nil {
		return nil, err
	}
	if err := checkText("provider_id", in.ProviderID, 200, false); err != nil {
		return nil, err
	}
	for range maxTries {
		o, err := s.DB.Order(ctx, "", orderID)
		if err != nil {
			return nil, NotFound(err, "order")
		}
		change, err := o.Correct(in, by, s.env())
		if err != nil {
			return nil, err
		}
		written, err := s.commit(ctx, change)
		if err != nil && !errors.Is(err, postgres.ErrStale) {
			return nil, err
		}
		if written {
			return change.Order, nil
		}
	}
	return nil, errStale
}
