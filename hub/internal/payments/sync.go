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
	if err == nil {
		return nil
	}
	var busy *leasedError
	if errors.As(err, &busy) {
		return s.DB.Postpone(ctx, c, busy.until, false)
	}
	var held *fencedError
	if errors.As(err, &held) {
		return s.DB.Postpone(ctx, c, s.now().Add(s.env().Scale(fenceAgain)), false)
	}
	failures := c.Failures + 1
	if failures >= ledger.Patience {
		// The provider's truth cannot be had: a person is told, once, and the hub
		// goes on trying, seldom, until it can.
		o, loadErr := s.DB.OrderOfAttempt(ctx, c.AttemptID)
		if loadErr == nil {
			_, loadErr = s.apply(ctx, o, nil, ledger.News{AttemptID: c.AttemptID, Source: ledger.FromHub, Raise: ledger.Exhausted})
		}
		err = errors.Join(err, loadErr)
	}
	due := s.now().Add(ledger.Backoff(failures, s.env()))
	err = errors.Join(err, s.DB.Postpone(ctx, c, due, true))
	s.kickAt(due)
	return err
}

// leasedError says that an operation's caller is still at it.
type leasedError struct{ until time.Time }

func (e *leasedError) Error() string { return "an operation is under way until " + e.until.String() }

// Sync reads the provider's truth about an attempt and applies it. An open
// operation whose caller is gone is recovered; one under way is left alone.
func (s *Service) Sync(ctx context.Context, attemptID string) error {
	if err := s.ClockRight(); err != nil {
		return err
	}
	o, err := s.DB.OrderOfAttempt(ctx, attemptID)
	if err != nil {
		return NotFound(err, "attempt")
	}
	if o.OpenOperation(attemptID) != nil {
		after, err := s.syncOpen(ctx, o, o.Attempt(attemptID))
		if err != nil || after == nil {
			return err
		}
		return s.proceed(ctx, after, attemptID)
	}
	if o.PartWaits(attemptID) {
		return s.finishRefunds(ctx, o, attemptID)
	}
	if a := o.Attempt(attemptID); !o.Took(a) && !o.Unsettled(a) {
		// Nothing can be read that is not known; only the order's time is up.
		_, err := s.apply(ctx, o, nil, ledger.News{AttemptID: attemptID, Source: ledger.FromHub, Look: true})
		return err
	}
	before := o
	if o, err = s.read(ctx, o, o.Attempt(attemptID), s.CallTimeout); err != nil {
		// Time goes on all the same: an authorisation may be about to lapse.
		_, warnErr := s.apply(ctx, before, nil, ledger.News{AttemptID: attemptID, Source: ledger.FromHub})
		return errors.Join(err, warnErr)
	}
	if a := o.Attempt(attemptID); o.Lapsed(a, s.now()) || o.Superseded(a) {
		return s.lapse(ctx, o, o.Attempt(attemptID))
	}
	return s.proceed(ctx, o, attemptID)
}

// lapse closes at the provider what the order's time is up for, what was canceled, or
// what another attempt stands for. The order is expired or canceled when the provider
// says that it is closed; paid meanwhile, it is paid. What cannot be closed, and was
// canceled, is given up.
// Its caller has just read the payment, so it does so also while money-out is
// closed.
func (s *Service) lapse(ctx context.Context, o *ledger.Order, a *ledger.Attempt) error {
	p, ok := s.Providers.Get(a.Provider)
	if !ok {
		return nil
	}
	if o.OpenOperation(a.ID) != nil {
		return nil
	}
	ask := ledger.Ask{Source: ledger.FromHub, Lease: s.lease, PluginVersion: p.State().Version}
	flow, _ := p.Description().Flow(a.Flow)
	switch {
	case flow.Can(sdk.CanCancel):
		_, err := s.cancelAttempt(ctx, Caller{}, o, a, ask)
		return err
	case o.CancelAskedAt.IsZero():
		return nil
	}
	change, _, err := o.Cancel(a.ID, false, ask, s.env())
	if err != nil {
		return err
	}
	_, err = s.commit(ctx, change) // if the order moved meanwhile, the next read comes here again
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
	news := ledger.News{AttemptID: a.ID, Source: ledger.FromRead, Begun: o.Version, At: s.now(), Lease: a.LeasedUntil}
	fence, closed := s.fence(a.Provider)
	payment, err := s.find(call, p, o, a)
	switch {
	case err == nil:
		news.Payment = payment
	case errors.Is(err, sdk.ErrNotFound):
		news.Gone = true // or not there yet
	default:
		return o, err
	}
	after, err := s.apply(ctx, o, nil, news)
	if err == nil && closed {
		s.fences.read(a.ID, fence)
	}
	return after, err
}

// find reads the attempt's payment. Where only the payer's browser creates it,
// the plugin checks each of what may be it.
func (s *Service) find(ctx context.Context, p *providers.Provider, o *ledger.Order, a *ledger.Attempt) (*sdk.Payment, error) {
	r := s.readRequest(o, a)
	var failed error
	for _, maybe := range a.Candidates {
		r.Refs = []sdk.Ref{maybe}
		switch payment, err := p.GetPayment(ctx, r); {
		case err == nil:
			return payment, nil
		case !errors.Is(err, sdk.ErrNotFound):
			failed = err // one that cannot be read does not hide the others
		}
	}
	r.Refs = a.Refs
	payment, err := p.GetPayment(ctx, r)
	if errors.Is(err, sdk.ErrNotFound) && failed != nil {
		return nil, failed
	}
	return payment, err
}
