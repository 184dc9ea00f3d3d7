// Package payments runs the hub's verbs, one file each: checkout, confirm,
// capture, cancel, refund, callback, sync, return. Each records what it is
// about to ask, asks, and records the answer; all news, wherever it comes
// from, goes through the one apply loop.
package payments

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
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
		Settling: s.settling, Secret: s.DB.Secret(),
		NewID: func(prefix string) string { return ledger.NewID(prefix, now) },
	}
}

// maxTries bounds the loops over a version that others keep moving.
const maxTries = 60

// apply is the one loop: decide on the order as known, write at its version,
// and if that moved, load and decide anew.
func (s *Service) apply(ctx context.Context, o *ledger.Order, cb *ledger.Callback, news ...ledger.News) (*ledger.Order, error) {
	for try := range maxTries {
		if cb != nil && o.Erased() {
			cb.Raw = nil // it names the payer
		}
		c := ledger.Apply(o, s.env(), news...)
		if c.Empty() {
			if cb != nil {
				cb.Outcome = eventOutcome(c, cb.ID, ledger.CallbackNoNews)
			}
			overtaken, err := s.DB.Look(ctx, c.Looks)
			if err != nil {
				return nil, err
			}
			if s.wake(c); overtaken {
				s.Kick() // it waits for nothing but the end of this
			}
			return o, nil
		}
		if cb != nil {
			cb.OrderID, cb.Outcome, cb.DueAt = o.ID, eventOutcome(c, cb.ID, applied(news)), time.Time{}
			c.Callbacks = []*ledger.Callback{cb}
		}
		written, err := s.commit(ctx, c)
		switch {
		case err == nil && written:
			if cb != nil {
				cb.Recorded = true
			}
			return c.Order, nil
		case err == nil && cb != nil:
			cb.Outcome = ledger.CallbackNoNews // until a later round changes something
		case errors.Is(err, postgres.ErrTaken):
			news = withoutClaims(news)
		case errors.Is(err, postgres.ErrHashUsed):
			news = slices.Clone(news)
			for i := range news {
				news[i].HashTaken = true
			}
		case errors.Is(err, postgres.ErrDuplicate) && cb != nil:
			return nil, err // the same event was kept by another request
		case err != nil && !errors.Is(err, postgres.ErrStale):
			return nil, err
		}
		if try > 2 {
			time.Sleep(time.Duration(rand.IntN(1+2*try)) * time.Millisecond)
		}
		if o, err = s.DB.Order(ctx, "", o.ID); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("order %s: changed by others %d times while it was written", o.ID, maxTries)
}

// withoutClaims drops what belongs to another payment: it is not recorded
// twice, but a person has to look.
func withoutClaims(news []ledger.News) []ledger.News {
	out := slices.Clone(news)
	for i := range out {
		out[i].Payment, out[i].Refund, out[i].Expect = nil, nil, nil
		out[i].Taken = true
		if op := out[i].Operation; op != nil && op.Outcome == "" {
			out[i].Operation = &ledger.Result{ID: op.ID, Outcome: ledger.OutcomeUnknown, Arrived: op.Arrived}
		}
	}
	return out
}

// commit records one change, and reports whether the order still was as decided
// on. The error outcome_not_recorded leaves that open; every other error says
// that nothing was recorded. fencedError: it is about to move
// money, and none may move now.
func (s *Service) commit(ctx context.Context, c ledger.Change) (bool, error) {
	written, err := s.write(ctx, c)
	return written.OrderID != "", err
}

// write records one change with the notice of it, and wakes the worker for what
// it leaves to do. Written is empty if the order was not as decided on.
func (s *Service) write(ctx context.Context, c ledger.Change) (postgres.Written, error) {
	c.Order.VersionFloor = s.DB.VersionFloor()
	if kind := c.NoticeType(); kind != "" && s.Render != nil {
		at := c.Order.UpdatedAt.Format(time.RFC3339Nano)
		data := s.Render(c.Order)
		c.Notices = []ledger.Notice{{
			ID: ledger.NewID("ntf", c.Order.UpdatedAt), AppID: c.Order.AppID, OrderID: c.Order.ID, Type: kind, Version: c.Order.AppVersion(), At: c.Order.UpdatedAt,
			Payload: fmt.Sprintf(`{"type":%q,"timestamp":%q,"data":%s}`, kind, at, data),
		}}
	}
	if len(c.Settled) > 0 {
		if err := s.settle(ctx, &c); err != nil {
			return postgres.Written{}, err
		}
	}
	if c.MoneyOut = s.moneyOut(c); len(c.MoneyOut) > 0 {
		if err := s.waitForProbe(ctx); err != nil {
			return postgres.Written{}, err
		}
	}
	written, err := s.DB.Commit(ctx, c)
	if errors.Is(err, postgres.ErrUncertain) {
		s.Logger.ErrorContext(ctx, "it could not be found out whether a change is on record", "order", c.Order.ID, "error", err)
		return postgres.Written{}, unrecorded(c.Order)
	}
	if err != nil || written.OrderID == "" {
		return postgres.Written{}, s.held(err)
	}
	if written.Notices > 0 {
		s.Kick()
	}
	s.wake(c)
	return written, nil
}

// wake kicks the worker if a change left something to do soon.
func (s *Service) wake(c ledger.Change) {
	for _, a := range c.Attempts {
		s.kickAt(a.DueAt)
	}
	for _, l := range c.Looks {
		s.kickAt(l.DueAt)
	}
}

// kickAt wakes the worker at that moment, if it is soon: later than that, the
// worker looks by itself.
func (s *Service) kickAt(due time.Time) {
	switch wait := due.Sub(s.now()); {
	case due.IsZero() || wait > time.Second:
	case wait <= 0:
		s.Kick()
	default:
		time.AfterFunc(wait, s.Kick)
	}
}

// fingerprint identifies a request: the same key with another body is refused.
type fingerprint struct {
	hash string
	// What can be compared where the database has lost the request, and only the
	// provider told of it. An amount of 0 is all that there was.
	kind                         sdk.OperationKind
	orderID, reference, currency string
	amount                       int64
}

func newFingerprint(kind sdk.OperationKind, orderID string, body any) fingerprint {
	b, _ := json.Marshal(body) // plain data: cannot fail
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s", kind, orderID, b))
	return fingerprint{hash: hex.EncodeToString(sum[:]), kind: kind, orderID: orderID}
}

// of sets what is asked for beside the order.
func (f fingerprint) of(amount int64, currency, reference string) fingerprint {
	f.amount = amount
	f.currency = currency
	f.reference = reference
	return f
}

// asked reports whether an operation on record is what the request asks for.
func (f fingerprint) asked(o *ledger.Order, op *ledger.Operation) bool {
	if op.RequestHash != "" || op.KeyHash == nil {
		return op.RequestHash == f.hash
	}
	amount, currency := o.Amount, o.Currency
	if op.RefundID != nil {
		r := o.Refund(*op.RefundID)
		amount, currency = r.Amount, r.Currency
	}
	return op.Kind == f.kind && (f.orderID == "" || f.orderID == o.ID) && (f.reference == "" || f.reference == o.Reference) &&
		(f.currency == "" || f.currency == currency) && (f.amount == 0 || f.amount == amount)
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
