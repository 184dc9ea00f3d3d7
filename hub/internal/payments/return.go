package payments

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

// returnLimit is how long a payer may be kept waiting for the truth.
const returnLimit = 2 * time.Second

// Return answers a payer's browser that comes back: where to send it, and the
// order as it stands after at most one short read. It proves nothing. What the
// browser brought is kept where the attempt's flow takes that, before anybody is
// asked, and confirmed with; if that cannot be done now, a worker does it.
func (s *Service) Return(ctx context.Context, attemptID string, brought sdk.Return) (*ledger.Order, error) {
	o, err := s.DB.OrderOfAttempt(ctx, attemptID)
	if err != nil {
		return nil, NotFound(err, "payment")
	}
	a := o.Attempt(attemptID)
	kept := (brought.Query != "" || len(brought.Body) > 0) && a.Live() && !a.Abandoned && s.flowCan(a, sdk.TakesReturn)
	if kept {
		if o, err = s.keepReturn(ctx, o, a, brought); err != nil {
			return nil, err
		}
		a = o.Attempt(attemptID)
	}
	if s.ClockRight() != nil || !a.Live() || o.OpenOperation(a.ID) != nil || !s.returns.first(attemptID, s.now()) {
		return o, nil
	}
	after, err := s.read(ctx, o, a, returnLimit)
	if err != nil {
		s.Logger.InfoContext(ctx, "could not read the payment on the payer's return", "order", o.ID, "error", err)
		return o, nil
	}
	return s.proceedOnReturn(ctx, after, after.Attempt(attemptID), kept), nil
}

// keepReturn records what a payer brought back, and that the attempt is to be
// looked at. The last one counts: an attempt keeps one.
func (s *Service) keepReturn(ctx context.Context, o *ledger.Order, a *ledger.Attempt, brought sdk.Return) (*ledger.Order, error) {
	if err := s.DB.KeepReturn(ctx, a.ID, encode(brought), s.now()); err != nil {
		return nil, err
	}
	return s.apply(ctx, o, nil, ledger.News{AttemptID: a.ID, Source: ledger.FromHub, Hint: true})
}

// flowCan reports whether the attempt's flow has a capability, as far as is known:
// a plugin that never came up has told nothing.
func (s *Service) flowCan(a *ledger.Attempt, c sdk.Capability) bool {
	p, ok := s.Providers.Get(a.Provider)
	if !ok {
		return false
	}
	flow, _ := p.Description().Flow(a.Flow)
	return flow.Can(c)
}

// proceedOnReturn takes the approval that the payer comes back from giving, and
// lets the browser go on if that takes long.
func (s *Service) proceedOnReturn(ctx context.Context, o *ledger.Order, a *ledger.Attempt, kept bool) *ledger.Order {
	if !kept && !o.Continuable(a) {
		return o
	}
	done := make(chan error, 1)
	go func() { done <- s.proceed(context.WithoutCancel(ctx), o, a.ID) }()
	select {
	case err := <-done:
		if after, loadErr := s.DB.Order(ctx, "", o.ID); err == nil && loadErr == nil {
			return after
		}
	case <-time.After(2 * returnLimit):
	}
	return o
}

// proceed confirms by itself, where the flow allows that: with an approval, for the
// payer's tab may be closed, or with what the payer brought back.
func (s *Service) proceed(ctx context.Context, o *ledger.Order, attemptID string) error {
	a := o.Attempt(attemptID)
	var (
		brought *sdk.Return
		at      time.Time
		err     error
	)
	if o.Returnable(a) && s.flowCan(a, sdk.TakesReturn) {
		if brought, at, err = s.returned(ctx, a); err != nil {
			return err
		}
	}
	if brought == nil && (!o.Continuable(a) || !s.flowCan(a, sdk.ContinuesItself)) {
		return nil
	}
	p, _ := s.Providers.Get(a.Provider)
	ask := s.ask(Caller{}, fingerprint{}, p)
	ask.Source = ledger.FromHub
	change, op, err := o.Confirm(a.ID, ask, s.env())
	if err != nil {
		return err
	}
	request := s.confirmRequest(o, a, op, nil)
	request.Return = brought
	prepare(op, request)
	held, op, err := s.begin(ctx, change, op)
	switch {
	case errors.Is(err, errStale), errors.Is(err, errTakenOver):
		return nil // somebody else is at it
	case err != nil:
		return err
	}
	answer, err := s.run(ctx, held, op, "")
	if notSent := answer.Operation != nil && answer.Operation.Outcome == ledger.OutcomeNotSent; err != nil || brought == nil || notSent {
		return err // what is kept is confirmed with again, by the schedule
	}
	return s.DB.DropReturn(ctx, a.ID, at)
}

// returned is what the attempt's payer brought back and nothing was done with yet;
// nil if there is none.
func (s *Service) returned(ctx context.Context, a *ledger.Attempt) (*sdk.Return, time.Time, error) {
	plain, at, err := s.DB.KeptReturn(ctx, a.ID)
	if errors.Is(err, postgres.ErrNotFound) {
		return nil, at, nil
	}
	if err != nil {
		return nil, at, err
	}
	brought := &sdk.Return{}
	return brought, at, json.Unmarshal(plain, brought)
}

// doorkeeper lets one caller in for each name and a while: whoever calls up a
// page time and again makes the hub ask the provider no more often.
type doorkeeper struct {
	mu   sync.Mutex
	seen map[string]time.Time
}

const (
	returnEvery = 2 * time.Second
	maxSeen     = 10_000
)

func (d *doorkeeper) first(name string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if last, ok := d.seen[name]; ok && now.Sub(last) < returnEvery {
		return false
	}
	if d.seen == nil || len(d.seen) >= maxSeen {
		fresh := map[string]time.Time{}
		for n, t := range d.seen {
			if now.Sub(t) < returnEvery && len(fresh) < maxSeen/2 {
				fresh[n] = t
			}
		}
		d.seen = fresh
	}
	d.seen[name] = now
	return true
}
