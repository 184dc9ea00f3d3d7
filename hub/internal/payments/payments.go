// Package payments runs the hub's verbs, one file each: checkout, confirm,
// capture, cancel, refund, callback, sync, return. Each records what it is
// about to ask, asks, and records the answer; all news, wherever it comes
// from, goes through the one apply loop.
package payments

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// Options are what the service needs to know.
type Options struct {
	DB          *postgres.DB
	Providers   *providers.Registry
	PublicURL   string                     // where the payer's browser and providers reach the hub, base path included
	CallTimeout time.Duration              // of one call of a provider
	OrderTTL    time.Duration              // how long an order stays open unless the app says
	TimeScale   float64                    // divides scheduled delays; 1 but in tests
	Schedules   map[string][]time.Duration // of providers that have one of their own
	Notice      time.Duration              // before an authorisation lapses; 0 is the ledger's default
	Now         func() time.Time
	// CheckClock returns an error while Now is not to be judged by: then nothing
	// is begun. What is under way is still recorded.
	CheckClock func() error
	Kick       func() // wakes the worker
	// Render writes an order as apps see it, for notifications.
	Render func(*ledger.Order) []byte
	Logger *slog.Logger
	// CrashAt is called at the points between two lines at which tests let the
	// hub die: "recorded" (before the call) and "answered" (before the outcome
	// is recorded).
	CrashAt func(point string)
	Broken  Broken // laws, for tests
}

// Service runs the verbs.
type Service struct {
	Options
	lease   time.Duration
	returns doorkeeper
	asking  atomic.Int64
	callers callers
	forged  forged

	fences   fences
	countNow chan struct{}
	probing  chan struct{} // closed when the newest pages were compared; nil: there is nothing to wait for
}

// New makes the service.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.CheckClock == nil {
		o.CheckClock = func() error { return nil }
	}
	if o.Kick == nil {
		o.Kick = func() {}
	}
	if o.CrashAt == nil {
		o.CrashAt = func(string) {}
	}
	// The lease outlives the call and, usually, the write of its outcome; if it
	// does not, the operation is looked at twice, under one key.
	return &Service{Options: o, lease: o.CallTimeout + max(time.Second, o.CallTimeout/4), countNow: make(chan struct{}, 1)}
}

// Asking is how many operations wait for a provider's answer at this moment.
func (s *Service) Asking() int64 { return s.asking.Load() }

// Answer is an order as it stands after a request, with the operation that the
// request was about.
type Answer struct {
	Order     *ledger.Order
	Operation *ledger.Operation
	Refund    *ledger.Refund
}

// Caller says on whose behalf a verb runs.
type Caller struct {
	App            postgres.App
	IdempotencyKey string
	RequestID      string
	Operator       *ledger.Operator // a person who acts beside the app; never set for a request of an app
}

// now is cut to what PostgreSQL keeps, so that what is read back is equal.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

func (s *Service) env() ledger.Env {
	now := s.now()
	return ledger.Env{
		Now: now, TimeScale: s.TimeScale, Schedules: s.Schedules, Notice: s.Notice,
		Settling: s.settling, Cancels: s.cancels, Secret: s.DB.Secret(),
		NewID: func(prefix string) string { return ledger.NewID(prefix, now) },
	}
}

// cancels reports whether a flow can be canceled at its provider.
func (s *Service) cancels(provider, flow string) bool {
	p, ok := s.Providers.Get(provider)
	if !ok {
		return false
	}
	f, _ := p.Description().Flow(flow)
	return f.Can(sdk.CanCancel)
}

// provider finds a provider that the app may use.
func (s *Service) provider(app postgres.App, name string) (*providers.Provider, error) {
	p, ok := s.Providers.Get(name)
	if !ok || !slices.Contains(app.Providers, "*") && !slices.Contains(app.Providers, name) {
		return nil, ledger.Invalidf("provider", "no provider %q is configured for this app; GET /v1/providers lists them", name)
	}
	return p, nil
}

// down says that a provider cannot be asked now; nothing was recorded.
func down(provider string) error {
	return &ledger.Error{
		Kind: ledger.Unavailable, Code: "provider_down", RetryAfter: 2 * time.Second,
		Message: fmt.Sprintf("provider %s is not available right now; nothing was done, repeat the request", provider),
	}
}

// ClockRight refuses to begin what depends on the time while the clock is not
// to be trusted: leases, expiry, the age of signatures and of keys.
func (s *Service) ClockRight() error {
	err := s.CheckClock()
	if err == nil {
		return nil
	}
	return &ledger.Error{
		Kind: ledger.Unavailable, Code: "clock_wrong", RetryAfter: 5 * time.Second,
		Message: "nothing was done, repeat the request with the same Idempotency-Key: " + err.Error(),
	}
}

// gone says that a provider is not there to be asked.
func gone(provider string) error {
	return ledger.Conflictf("provider_gone", "provider %s is no longer configured", provider)
}

// NotFound turns the store's answer into what an app may be told.
func NotFound(err error, noun string) error {
	if errors.Is(err, postgres.ErrNotFound) {
		return ledger.ErrNotFound(noun)
	}
	return err
}
