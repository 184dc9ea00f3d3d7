package payments

import (
	"context"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// Resolve records that a person settled what needed attention of an order.
func (s *Service) Resolve(ctx context.Context, orderID, reason, who, why string) (*ledger.Order, error) {
	if err := checkText("why", why, 500, true); err != nil {
		return nil, err
	}
	for range maxTries {
		o, err := s.DB.Order(ctx, "", orderID)
		if err != nil {
			return nil, NotFound(err, "order")
		}
		change, err := o.Resolve(reason, who, why, s.env())
		if err != nil {
			return nil, err
		}
		if written, err := s.commit(ctx, change); err != nil || written {
			return change.Order, err
		}
	}
	return nil, errStale
}
