package payments

import (
	"context"
	"errors"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// keepUnreadable puts a genuine callback aside whose content cannot be true. No
// amount in it is applied; that something happened is reason enough to read the
// payments that it names. An error means that it is not on record.
func (s *Service) keepUnreadable(ctx context.Context, cb *ledger.Callback, facts []sdk.Fact, cannotBe *providers.UnreadableError) error {
	for i, f := range facts {
		if i == maxFacts {
			break
		}
		f.Proven = false
		heard, err := s.DB.OrderOfCallback(ctx, cb, s.ours(f), f.Payment.Refs)
		if err != nil {
			return err
		}
		if heard.ID != "" && heard.ID != cb.ID {
			return nil // a repetition
		}
		if heard.Order == nil {
			continue
		}
		cb.OrderID = heard.Order.ID
		if _, err := s.apply(ctx, heard.Order, nil, s.news(f, heard.AttemptID)); err != nil {
			return err
		}
	}
	s.fail(ctx, cb, "", cannotBe.Error())
	err := s.DB.StoreCallback(ctx, cb)
	if errors.Is(err, postgres.ErrDuplicate) {
		return nil
	}
	return err
}

// readable is an answer's error without the one that says that some of a list
// cannot be read: those payments are read one by one instead, and where that
// fails as well, a person is told in the end.
func (s *Service) readable(ctx context.Context, p *providers.Provider, err error) error {
	var cannotBe *providers.UnreadableError
	if !errors.As(err, &cannotBe) {
		return err
	}
	for _, payment := range cannotBe.Payments {
		name := ""
		if payment.InstanceID == s.DB.InstanceID() {
			name = payment.AttemptID
		}
		s.Logger.ErrorContext(ctx, "a payment of a list cannot be read", "provider", p.Name(), "attempt", name, "refs", payment.Refs, "reason", cannotBe.Reason)
		heard, err := s.DB.OrderOfCallback(ctx, &ledger.Callback{Provider: p.Name()}, name, payment.Refs)
		if err != nil {
			return err
		}
		if heard.Order == nil {
			continue
		}
		hint := ledger.News{AttemptID: heard.AttemptID, Source: ledger.FromHub, Hint: true, Maybe: payment.Refs}
		if _, err := s.apply(ctx, heard.Order, nil, hint); err != nil {
			return err
		}
	}
	return nil
}
