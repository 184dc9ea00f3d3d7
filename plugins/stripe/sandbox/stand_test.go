package sandbox_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/superpayhub/superpay/plugins/stripe/sandbox"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

const (
	testKey    = "sk_test_0123456789abcdef"
	testSecret = "whsec_0123456789abcdef"
)

// stand is a stand-in with the real client in front and a webhook behind.
type stand struct {
	t      *testing.T
	base   string
	server *sandbox.Server
	api    *client.API
	doors  standin.Client
	hook   *hook
	clock  *clock
}

// clock can be moved on; the stand-in reads it from many goroutines.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

func newStand(t *testing.T, change ...func(*sandbox.Options)) *stand {
	t.Helper()
	s := &stand{t: t, clock: &clock{}, hook: newHook(t)}
	ts := httptest.NewUnstartedServer(nil)
	s.base = "http://" + ts.Listener.Addr().String() + "/stripe"
	opts := sandbox.Options{
		APIKey: testKey, WebhookSecret: testSecret, WebhookURL: s.hook.url, PublicURL: s.base, Now: s.clock.now,
		RefundDelay: time.Hour, Backoff: []time.Duration{10 * time.Millisecond, 20 * time.Millisecond, 40 * time.Millisecond},
	}
	for _, c := range change {
		c(&opts)
	}
	var err error
	s.server, err = sandbox.New(opts)
	require.NoError(t, err)
	ts.Config.Handler = s.server
	ts.Start()
	t.Cleanup(func() {
		ts.Close()
		require.NoError(t, s.server.Close())
	})
	s.api = newAPI(s.base, testKey)
	s.doors = standin.Client{BaseURL: s.base}
	return s
}

func newAPI(base, key string) *client.API {
	backend := func() stripe.Backend {
		return stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
			URL: stripe.String(base), MaxNetworkRetries: stripe.Int64(0), EnableTelemetry: stripe.Bool(false),
			LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
		})
	}
	return client.New(key, &stripe.Backends{API: backend(), Connect: backend(), Uploads: backend()})
}

// hook is a webhook that verifies with the real library and can be told how to
// answer.
type hook struct {
	url    string
	mu     sync.Mutex
	status int // answered for the next failures calls
	fails  int
	events []stripe.Event
	errs   []error
	stamps []string
}

func newHook(t *testing.T) *hook {
	h := &hook{}
	ts := httptest.NewServer(h)
	t.Cleanup(ts.Close)
	h.url = ts.URL
	return h
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	event, err := webhook.ConstructEvent(body, r.Header.Get("Stripe-Signature"), testSecret)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stamps = append(h.stamps, r.Header.Get("Stripe-Signature"))
	if err != nil {
		h.errs = append(h.errs, err)
		http.Error(w, "bad signature", http.StatusBadRequest)
		return
	}
	h.events = append(h.events, event)
	if h.fails > 0 {
		h.fails--
		w.WriteHeader(h.status)
	}
}

func (h *hook) failNext(n, status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fails, h.status = n, status
}

func (h *hook) types() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]string, len(h.events))
	for i, e := range h.events {
		out[i] = string(e.Type)
	}
	return out
}

// event waits for the first event of a type.
func (s *stand) event(kind string) stripe.Event {
	s.t.Helper()
	var found stripe.Event
	require.Eventually(s.t, func() bool {
		s.hook.mu.Lock()
		defer s.hook.mu.Unlock()
		i := slices.IndexFunc(s.hook.events, func(e stripe.Event) bool { return string(e.Type) == kind })
		if i >= 0 {
			found = s.hook.events[i]
		}
		return i >= 0
	}, 30*time.Second, 5*time.Millisecond, "no %s arrived", kind)
	return found
}

func (s *stand) eventually(kinds ...string) {
	s.t.Helper()
	slices.Sort(kinds)
	require.Eventually(s.t, func() bool {
		got := s.hook.types()
		slices.Sort(got)
		return slices.Equal(got, kinds)
	}, 30*time.Second, 5*time.Millisecond, "want exactly %v", kinds)
}

func hosted(amount int64, currency string) *stripe.CheckoutSessionParams {
	return &stripe.CheckoutSessionParams{
		Mode: stripe.String("payment"), SuccessURL: stripe.String("http://shop.test/done?s={CHECKOUT_SESSION_ID}"),
		CancelURL: stripe.String("http://shop.test/cart"), ClientReferenceID: stripe.String("order-1"),
		Metadata: map[string]string{"only": "session"},
		LineItems: []*stripe.CheckoutSessionLineItemParams{{
			Quantity: stripe.Int64(1),
			PriceData: &stripe.CheckoutSessionLineItemPriceDataParams{
				Currency: stripe.String(currency), UnitAmount: stripe.Int64(amount),
				ProductData: &stripe.CheckoutSessionLineItemPriceDataProductDataParams{Name: stripe.String("A lamp")},
			},
		}},
		PaymentIntentData: &stripe.CheckoutSessionPaymentIntentDataParams{Metadata: map[string]string{"attempt": "att_1"}},
	}
}

func manual(p *stripe.CheckoutSessionParams) *stripe.CheckoutSessionParams {
	p.PaymentIntentData.CaptureMethod = stripe.String("manual")
	return p
}

func (s *stand) create(p *stripe.CheckoutSessionParams) *stripe.CheckoutSession {
	s.t.Helper()
	cs, err := s.api.CheckoutSessions.New(p)
	require.NoError(s.t, err)
	return cs
}

// web keeps no connection open: httptest closes those of the default client,
// also under the test beside it.
var web = http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// post submits a form without following the redirect.
func (s *stand) post(path string, fields ...string) (int, string, string) {
	s.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	if !strings.HasPrefix(path, "http") {
		path = s.base + path
	}
	resp, err := web.PostForm(path, form)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	return resp.StatusCode, resp.Header.Get("Location"), string(body)
}

func (s *stand) press(path string, fields ...string) {
	s.t.Helper()
	status, _, body := s.post("/dashboard/"+path, fields...)
	require.Equal(s.t, http.StatusSeeOther, status, body)
}

// paid creates a session, pays it with a card and returns its intent.
func (s *stand) paid(p *stripe.CheckoutSessionParams, card string) *stripe.PaymentIntent {
	s.t.Helper()
	cs := s.create(p)
	status, _, body := s.post(cs.URL, "card_number", card)
	require.Equal(s.t, http.StatusSeeOther, status, body)
	return s.intent(cs.ID)
}

func (s *stand) intent(sessionID string) *stripe.PaymentIntent {
	s.t.Helper()
	p := &stripe.CheckoutSessionParams{}
	p.AddExpand("payment_intent.latest_charge")
	cs, err := s.api.CheckoutSessions.Get(sessionID, p)
	require.NoError(s.t, err)
	require.NotNil(s.t, cs.PaymentIntent)
	return cs.PaymentIntent
}

func stripeError(t *testing.T, err error) *stripe.Error {
	t.Helper()
	var se *stripe.Error
	require.ErrorAs(t, err, &se)
	return se
}
