package payments

import (
	"context"
	"errors"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// Due does what is due for a claimed attempt. What fails is due again soon.
func (s *Service) Due(ctx context.Context, c postgres.Claimed) error {
	err := s.Sync(ctx, c.AttemptID)
	if err != nil {
		err = errors.Join(err, s.DB.Postpone(ctx, c, s.now().Add(ledger.Backoff(c.Tries, s.env()))))
	}
	return err
}

// Sync reads the provider's truth about an attempt and applies it. An open
// operation whose caller is gone is healed first; one under way is left alone.
func (s *Service) Sync(ctx context.Context, attemptID string) error {
	o, err := s.DB.OrderOfAttempt(ctx, attemptID)
	if err != nil {
		return NotFound(err, "attempt")
	}
	if op := o.OpenOperation(attemptID); op != nil {
		if op.Leased(s.now()) {
			return nil
		}
		_, err := s.heal(ctx, o, op, "")
		return err
	}
	_, err = s.read(ctx, o, o.Attempt(attemptID), s.CallTimeout)
	return err
}

// read asks for the payment's truth and applies it as a read that began at the
// order's version.
func (s *Service) read(ctx context.Context, o *ledger.Order, a *ledger.Attempt, limit time.Duration) (*ledger.Order, error) {
	p, ok := s.Providers.Get(a.Provider)
	if !ok || !p.Up() {
		return o, errors.New("provider " + a.Provider + " is not up")
	}
	call, cancel := context.WithTimeout(providers.WithIDs(ctx, "", o.ID), limit)
	defer cancel()
	news := ledger.News{AttemptID: a.ID, Source: ledger.FromRead, Begun: o.Version}
	payment, err := p.GetPayment(call, s.paymentRequest(o, a))
	switch {
	case err == nil:
		news.Payment = payment
	case errors.Is(err, sdk.ErrNotFound):
		// Nothing there (yet): an attempt that only the browser creates, or one
		// that never arrived. The schedule looks again; expiry ends it.
	default:
		return o, err
	}
	return s.apply(ctx, o, nil, news)
}

// returnLimit is how long a payer may be kept waiting for the truth.
const returnLimit = 2 * time.Second

// Return answers a payer's browser that comes back: where to send it, and the
// order as it stands after at most one short read. It proves nothing.
func (s *Service) Return(ctx context.Context, attemptID string) (*ledger.Order, error) {
	o, err := s.DB.OrderOfAttempt(ctx, attemptID)
	if err != nil {
		return nil, NotFound(err, "payment")
	}
	a := o.Attempt(attemptID)
	if !a.Live() || o.OpenOperation(a.ID) != nil || s.now().Sub(o.UpdatedAt) < time.Second && a.Status != sdk.RequiresAction {
		return o, nil
	}
	after, err := s.read(ctx, o, a, returnLimit)
	if err != nil {
		s.Logger.InfoContext(ctx, "could not read the payment on the payer's return", "order", o.ID, "error", err)
		return o, nil
	}
	return after, nil
}
