package paytest

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// Name is what the scripted provider is configured as.
const Name = "scripted"

// Clock stands still unless a test moves it.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Options change an environment before it is made. Zero fields do not.
type Options struct {
	DatabaseURL string               // of a database to share or to reach another way; a schema of its own otherwise
	Provider    *Provider            // shared by several hubs
	Others      map[string]*Provider // further ones, by name
	Clock       *Clock               // likewise
	Service     func(*payments.Options)
	Store       func(*postgres.Options) // its LockWait is a minute; 0 is that of a hub in service
}

// Env is one hub's payments service on a real PostgreSQL, in front of a
// scripted provider. No worker runs: a test has due work done with Due.
type Env struct {
	T        testing.TB
	URL      string
	DB       *postgres.DB
	SQL      *sql.DB
	Service  *payments.Service
	Registry *providers.Registry
	Provider *Provider
	Clock    *Clock
	App      postgres.App

	keys atomic.Int64
}

// New makes an environment that ends with the test.
func New(t testing.TB, o Options) *Env {
	t.Helper()
	if o.DatabaseURL == "" {
		o.DatabaseURL = pgtest.Migrated(t)
	}
	if o.Provider == nil {
		o.Provider = NewProvider()
	}
	if o.Clock == nil {
		o.Clock = &Clock{now: time.Now().UTC().Truncate(time.Microsecond)}
	}
	e := &Env{T: t, URL: o.DatabaseURL, Provider: o.Provider, Clock: o.Clock}
	keys, err := postgres.ParseKeys(base64.StdEncoding.EncodeToString([]byte("an encryption key of thirty-two.")))
	require.NoError(t, err)
	// A slow machine holds an ordinary lock for longer than a hub in service waits.
	store := postgres.Options{URL: e.URL, Keys: keys, MaxConns: 8, LockWait: time.Minute}
	if o.Store != nil {
		o.Store(&store)
	}
	e.DB, err = postgres.Open(t.Context(), store)
	require.NoError(t, err)
	t.Cleanup(func() { _ = e.DB.Close() })
	e.SQL, err = sql.Open("postgres", e.URL)
	require.NoError(t, err)
	t.Cleanup(func() { _ = e.SQL.Close() })
	var end func()
	all := map[string]sdk.Provider{Name: o.Provider}
	for name, other := range o.Others {
		all[name] = other
	}
	e.Registry, end, err = providers.InProcess(t.Context(), providers.Options{}, all)
	require.NoError(t, err)
	t.Cleanup(end)
	options := payments.Options{
		DB: e.DB, Providers: e.Registry, PublicURL: "https://hub.example", CallTimeout: 5 * time.Second, OrderTTL: 24 * time.Hour,
		TimeScale: 1, Now: e.Clock.Now, Logger: slog.New(slog.DiscardHandler),
	}
	if o.Service != nil {
		o.Service(&options)
	}
	e.Service = payments.New(options)
	e.App, err = e.DB.EnsureApp(t.Context(), "app_1", "shop", []string{"*"}, e.Clock.Now())
	require.NoError(t, err)
	return e
}

// Second makes another hub on the same database, provider and clock.
func (e *Env) Second() *Env {
	return New(e.T, Options{DatabaseURL: e.URL, Provider: e.Provider, Clock: e.Clock})
}

// Caller is the app with a fresh idempotency key.
func (e *Env) Caller() payments.Caller { return e.Key(fmt.Sprintf("key-%d", e.keys.Add(1))) }

// Key is the app with that idempotency key.
func (e *Env) Key(key string) payments.Caller {
	return payments.Caller{App: e.App, IdempotencyKey: key, RequestID: "req-" + key}
}

// Input is a checkout of 100.00 USD, with a reference of its own.
func (e *Env) Input(flow string) payments.CheckoutInput {
	return payments.CheckoutInput{
		AttemptInput: payments.AttemptInput{Provider: Name, Flow: flow},
		Reference:    fmt.Sprintf("ref-%d", e.keys.Add(1)), Amount: 10_000, Currency: "USD",
	}
}

// Checkout makes an order by that flow.
func (e *Env) Checkout(flow string) *ledger.Order {
	e.T.Helper()
	a, err := e.Service.Checkout(e.T.Context(), e.Caller(), e.Input(flow))
	require.NoError(e.T, err)
	return a.Order
}

// Authorized makes an order whose money is held, for a manual capture.
func (e *Env) Authorized() *ledger.Order {
	e.T.Helper()
	in := e.Input(FlowCharge)
	in.Capture = sdk.CaptureManual
	a, err := e.Service.Checkout(e.T.Context(), e.Caller(), in)
	require.NoError(e.T, err)
	require.Equal(e.T, ledger.OrderAuthorized, a.Order.Status)
	return a.Order
}

// Told has the hub receive a genuine, proven callback of a payment as the
// provider knows it.
func (e *Env) Told(p *sdk.Payment) {
	e.T.Helper()
	_, err := e.Callback(e.Fact(fmt.Sprintf("evt-%d", e.keys.Add(1)), p.AttemptID, true, *p))
	require.NoError(e.T, err)
}

// Hinted has the hub receive a genuine callback whose content is not proven.
func (e *Env) Hinted(p *sdk.Payment) {
	e.T.Helper()
	_, err := e.Callback(e.Fact(fmt.Sprintf("evt-%d", e.keys.Add(1)), p.AttemptID, false, *p))
	require.NoError(e.T, err)
}

// Operator is a person who acts on an order of the app.
func (e *Env) Operator(orderID string, override bool) payments.Caller {
	e.T.Helper()
	by := ledger.Operator{Name: "alice", Why: "the payer asked for it", OverrideDispute: override}
	c, err := e.Service.Operate(e.T.Context(), orderID, fmt.Sprintf("button-%d", e.keys.Add(1)), "req-operator", by)
	require.NoError(e.T, err)
	return c
}

// Moves are the calls so far that could move money.
func (e *Env) Moves() []Call {
	return e.Provider.Calls("CreateCheckout", "Confirm", "Capture", "Cancel", "Refund")
}

// Listen gives the app a webhook endpoint; nothing is sent to it.
func (e *Env) Listen() {
	e.T.Helper()
	const address = "https://shop.example/hook"
	_, err := e.DB.AddEndpoint(e.T.Context(), postgres.Endpoint{ID: "we_1", AppID: e.App.ID, URL: address, URLKey: address},
		postgres.MadeSecret{ID: "whs_1", Secret: "whsec_dGVzdA==", At: e.Clock.Now()}, 1)
	require.NoError(e.T, err)
}

// Notified returns what the app is to be told of an order, the oldest first.
func (e *Env) Notified(orderID string) (payloads []string) {
	e.T.Helper()
	all, err := e.DB.Notifications(e.T.Context(), postgres.NotificationFilter{AppID: e.App.ID, OrderID: orderID, Limit: 100})
	require.NoError(e.T, err)
	slices.SortFunc(all, func(a, b postgres.Notification) int { return cmp.Compare(a.Version, b.Version) })
	for _, n := range all {
		whole, _, err := e.DB.Notification(e.T.Context(), e.App.ID, n.ID)
		require.NoError(e.T, err)
		payloads = append(payloads, whole.Payload)
	}
	return payloads
}

// Order reads the order as it stands.
func (e *Env) Order(id string) *ledger.Order {
	e.T.Helper()
	o, err := e.DB.Order(e.T.Context(), "", id)
	require.NoError(e.T, err)
	return o
}

// Callback has the hub receive a callback of which the plugin says this.
func (e *Env) Callback(result sdk.CallbackResult) (sdk.Ack, error) {
	e.T.Helper()
	return e.CallbackOf(Name, result)
}

// CallbackOf is Callback at the address of a provider of that name.
func (e *Env) CallbackOf(name string, result sdk.CallbackResult) (sdk.Ack, error) {
	e.T.Helper()
	body, err := json.Marshal(result)
	require.NoError(e.T, err)
	ack, _, err := e.Service.Callback(e.T.Context(), name, sdk.CallbackRequest{
		Method: "POST", Path: "/callback/" + name, Headers: []sdk.Header{{Name: signatureHeader, Value: signature(body)}}, Body: body,
	})
	return ack, err
}

// Fact is a genuine callback of one fact about an attempt of this hub.
func (e *Env) Fact(eventID, attemptID string, proven bool, p sdk.Payment) sdk.CallbackResult {
	p.AttemptID = attemptID
	p.InstanceID = e.DB.InstanceID()
	return sdk.CallbackResult{Verdict: sdk.Genuine, EventID: eventID, Type: "test", Facts: []sdk.Fact{{Proven: proven, Payment: p}}}
}

// lease is how long claimed work is this environment's; it is done at once.
const lease = 30.0 // seconds

// Due does what is due at the clock's time, attempts and callbacks, until
// nothing is, and returns how much that was. What fails is due again later.
func (e *Env) Due() (done int) {
	e.T.Helper()
	for {
		attempts, err := e.DB.ClaimAttempts(e.T.Context(), e.Clock.Now(), lease, 8, []string{})
		require.NoError(e.T, err)
		for _, a := range attempts {
			_ = e.Service.Due(e.T.Context(), a)
		}
		callbacks, err := e.DB.ClaimCallbacks(e.T.Context(), e.Clock.Now(), lease, 8)
		require.NoError(e.T, err)
		for _, cb := range callbacks {
			_ = e.Service.Retry(e.T.Context(), cb)
		}
		if len(attempts)+len(callbacks) == 0 {
			return done
		}
		done += len(attempts) + len(callbacks)
		require.Less(e.T, done, 10_000, "work that is due again at once, for ever")
	}
}

// After moves the clock and does what is due then.
func (e *Env) After(d time.Duration) int {
	e.T.Helper()
	e.Clock.Advance(d)
	return e.Due()
}

// Count runs a query that counts.
func (e *Env) Count(query string, args ...any) (n int) {
	e.T.Helper()
	require.NoError(e.T, e.SQL.QueryRowContext(context.WithoutCancel(e.T.Context()), query, args...).Scan(&n))
	return n
}

// Verified fails the test where the ledger's own check finds a doubt.
func (e *Env) Verified() {
	e.T.Helper()
	doubts, err := e.DB.Verify(e.T.Context(), 20, nil)
	require.NoError(e.T, err)
	require.Empty(e.T, doubts)
}
