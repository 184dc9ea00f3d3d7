package payments

import (
	"context"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// operatorKey sets the keys of operators' acts apart from those of the order's
// app, whose keys are printable ASCII.
const operatorKey = "\x7foperator "

// Operate makes the caller of a person's act on an order: Refund, Capture and
// Cancel run for it as they do for the order's app, under the same laws, and
// the order's timeline keeps who and why. The key makes a repetition of one act
// (a button pressed twice) harmless.
func (s *Service) Operate(ctx context.Context, orderID, key, requestID string, by ledger.Operator) (Caller, error) {
	if err := checkText("who", by.Name, 200, true); err != nil {
		return Caller{}, err
	}
	if err := checkText("why", by.Why, 500, true); err != nil {
		return Caller{}, err
	}
	o, err := s.DB.Order(ctx, "", orderID)
	if err != nil {
		return Caller{}, NotFound(err, "order")
	}
	return Caller{App: postgres.App{ID: o.AppID}, IdempotencyKey: operatorKey + key, RequestID: requestID, Operator: &by}, nil
}

// SyncOrder reads the provider's truth about each attempt of an order now, and
// returns the order as it then stands.
func (s *Service) SyncOrder(ctx context.Context, orderID string) (*ledger.Order, error) {
	o, err := s.DB.Order(ctx, "", orderID)
	if err != nil {
		return nil, NotFound(err, "order")
	}
	for _, a := range o.Attempts {
		if err := s.Sync(ctx, a.ID); err != nil {
			return nil, err
		}
	}
	return s.DB.Order(ctx, "", orderID)
}
