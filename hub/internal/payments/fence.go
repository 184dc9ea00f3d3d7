package payments

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

const (
	// fenceLimit is how long money-out of an account may stay closed. Then it
	// opens, whatever could not be checked, and a person is told.
	fenceLimit = 10 * time.Minute
	// fenceList is how long a list may take before orders may go out one by one,
	// each after a read of its own.
	fenceList = 2 * time.Minute
	// fenceAgain is when money-out is tried again that a fence held back.
	fenceAgain = 5 * time.Second
	// maxCleared bounds how many payments are remembered as read since a fence.
	maxCleared = 20_000
)

// fences is what this hub knows of the fences: as old as the last count, at most
// a second. What decides is the row, in the statement of each commit.
type fences struct {
	mu      sync.Mutex
	known   map[string]postgres.Fence // by provider
	cleared map[string]string         // the id of the fence since which an attempt was read
	counts  map[string]*fenceCount    // by provider, not written yet
}

type fenceCount struct {
	fence          string
	checked, found int64
}

// Fences are the fences as this hub knows them, by provider.
func (s *Service) Fences() map[string]postgres.Fence {
	s.fences.mu.Lock()
	defer s.fences.mu.Unlock()
	out := map[string]postgres.Fence{}
	for name, f := range s.fences.known {
		out[name] = f
	}
	return out
}

// Unread are the providers whose list is being read because history was lost: of
// their orders nothing is told to apps until then.
func (s *Service) Unread() []string {
	s.fences.mu.Lock()
	defer s.fences.mu.Unlock()
	names := []string{}
	for name, f := range s.fences.known {
		if f.State == postgres.FenceClosed {
			names = append(names, name)
		}
	}
	return names
}

// MoneyOutClosed tells of each configured provider whether some of its money-out
// is closed.
func (s *Service) MoneyOutClosed() map[string]bool {
	out := map[string]bool{}
	for _, p := range s.Providers.All() {
		_, out[p.Name()] = s.fence(p.Name())
	}
	return out
}

// fence is that of a provider, and whether it is closed.
func (s *Service) fence(provider string) (postgres.Fence, bool) {
	s.fences.mu.Lock()
	defer s.fences.mu.Unlock()
	f, ok := s.fences.known[provider]
	return f, ok && f.Closed()
}

// learn keeps a fence that was just met.
func (f *fences) learn(fence postgres.Fence) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil {
		f.known = map[string]postgres.Fence{}
	}
	f.known[fence.Provider] = fence
}

// read notes that an attempt's payment was read while that fence was known.
func (f *fences) read(attemptID string, fence postgres.Fence) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cleared == nil || len(f.cleared) >= maxCleared {
		f.cleared = map[string]string{} // the others are read again
	}
	f.cleared[attemptID] = fence.ID
	f.count(fence, 1, 0)
}

// find counts a payment that was on no record.
func (f *fences) find(provider string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fence, ok := f.known[provider]; ok {
		f.count(fence, 0, 1)
	}
}

// count is called with the lock held.
func (f *fences) count(fence postgres.Fence, checked, found int64) {
	if f.counts == nil {
		f.counts = map[string]*fenceCount{}
	}
	c := f.counts[fence.Provider]
	if c == nil || c.fence != fence.ID {
		c = &fenceCount{fence: fence.ID}
		f.counts[fence.Provider] = c
	}
	c.checked += checked
	c.found += found
}

// since is the id of the fence since which an attempt was read, or empty.
func (f *fences) since(attemptID string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cleared[attemptID]
}

// moneyOut names the accounts whose money-out must be open for a change: those
// of an operation that is about to be sent, and that may move money. A checkout
// that may take money at once waits for all accounts that the app may use, for
// its payer may have paid by another one what is on no record any more. Cancels
// move no money.
func (s *Service) moneyOut(c ledger.Change) (out []ledger.MoneyOut) {
	now := s.now()
	for _, op := range c.Operations {
		if !op.Leased(now) || op.AttemptID == nil || op.Kind == sdk.OpCancel {
			continue
		}
		a := c.Order.Attempt(*op.AttemptID)
		account := ledger.MoneyOut{Provider: a.Provider, Fence: s.fences.since(a.ID)}
		if op.Kind == sdk.OpCreate {
			if p, ok := s.Providers.Get(a.Provider); ok {
				flow, _ := p.Description().Flow(a.Flow)
				if flow.Can(sdk.PayerActs) || flow.Can(sdk.CreatedByBrowser) {
					continue
				}
			}
			account = ledger.MoneyOut{}
		}
		out = append(out, account)
	}
	return out
}

// fencedError says that nothing was recorded or sent, because money-out is
// closed. Outward it is a problem of its own.
type fencedError struct {
	fence   postgres.Fence
	problem *ledger.Error
}

func (e *fencedError) Error() string { return e.problem.Error() }
func (e *fencedError) Unwrap() error { return e.problem }

// waitForProbe holds money-out until the newest pages of the providers' lists
// were compared with what is on record, and refuses it while acknowledged writes
// are gone and the fences are not up yet.
func (s *Service) waitForProbe(ctx context.Context) error {
	if s.probing != nil {
		select {
		case <-s.probing:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if s.DB.Alarmed() {
		return s.held(&postgres.FencedError{})
	}
	return nil
}

// held turns the store's refusal into what the callers of commit understand.
func (s *Service) held(err error) error {
	var refused *postgres.FencedError
	if !errors.As(err, &refused) {
		return err
	}
	fence := refused.Fence
	problem := &ledger.Error{Kind: ledger.Unavailable, Code: "history_lost", RetryAfter: s.env().Scale(fenceAgain)}
	if fence.Provider == "" {
		s.hurry() // what is confirmed is gone, and the next count will say so
		problem.Message = "the database does not hold what it confirmed; until the hub knows what is missing it moves no money: nothing was done, repeat the request"
		problem.RetryAfter = 2 * time.Second
		return &fencedError{fence, problem}
	}
	s.fences.learn(fence)
	problem.Message = fmt.Sprintf("since %s no money is moved at provider %s until the hub has read there what its database lost (%s): nothing was done, repeat the request",
		fence.At.UTC().Format(time.RFC3339), fence.Provider, fence.Reason)
	return &fencedError{fence, problem}
}

// cleared reads an attempt's payment where a fence lets an order's money out
// after that. It reports whether the caller may go on.
func (s *Service) cleared(ctx context.Context, o *ledger.Order, attemptID *string, err error) bool {
	var held *fencedError
	if !errors.As(err, &held) || held.fence.State != postgres.FenceEach || attemptID == nil {
		return false
	}
	a := o.Attempt(*attemptID)
	if a == nil || a.Provider != held.fence.Provider || s.fences.since(a.ID) == held.fence.ID {
		return false
	}
	_, err = s.read(ctx, o, a, s.CallTimeout)
	if err != nil {
		s.Logger.InfoContext(ctx, "money-out waits for a read that failed", "order", o.ID, "provider", a.Provider, "error", err)
	}
	return err == nil
}

// doubtful reports whether an operation that is recorded as not sent may have
// been sent again afterwards, by what was lost.
func (s *Service) doubtful(provider string, op *ledger.Operation) bool {
	s.fences.mu.Lock()
	defer s.fences.mu.Unlock()
	f, ok := s.fences.known[provider]
	return ok && !op.UpdatedAt.After(f.Mark)
}
