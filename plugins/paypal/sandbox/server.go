// Package sandbox is PayPal's stand-in: a stateful fake of Orders v2, Payments
// v2 and Disputes v1 with hosted pages, signed callbacks and a merchant's
// dashboard. It keeps PayPal's rules about money strictly, so that a hub that
// loses or doubles some is caught, and is for loopback only: nothing here is
// secret.
package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// Options configures a stand-in. Of the first six all are required, but for
// WebhookURL.
type Options struct {
	ClientID     string // public; the client page needs no more
	ClientSecret string
	MerchantID   string // who is paid unless an order says otherwise, 13 letters and digits
	WebhookID    string // of the webhook that is there from the start; part of what a callback's signature covers
	WebhookURL   string // may come later, by the door
	PublicURL    string // where the stand-in is reachable, without a slash at the end

	StateFile string // "" forgets everything at Close
	Now       func() time.Time
	Logger    *slog.Logger
	Backoff   []time.Duration // between tries of a callback; nil is the shared one

	// Disable turns rules off, for tests that must notice: "signing" (callbacks
	// carry a wrong signature), "idempotency" (request ids are ignored),
	// "over_refund" (more may be refunded than was paid).
	Disable []string

	// NoDisputes takes the feature Disputes from the REST app: disputes cannot be
	// read. The door "permissions" changes it.
	NoDisputes bool

	// Refunds is what becomes of refunds. The door "refunds" changes it.
	Refunds RefundRules

	// Strict refuses requests with fields that PayPal does not know and ignores, for
	// tests of what a plugin sends.
	Strict bool

	// ReadLag is how long reads of orders and payments answer as before a change.
	// The door "faults" has the same rule ("stale") for single objects.
	ReadLag time.Duration

	// Platform makes the merchant a marketplace or platform: only those are told
	// CHECKOUT.ORDER.COMPLETED.
	Platform bool
}

// Server is the stand-in, an http.Handler that may be mounted under the path of
// its PublicURL, stripped or not.
type Server struct {
	opts      Options
	clock     *standin.Clock
	off       map[string]bool
	handler   http.Handler
	prefix    string
	pages     *standin.Pages
	faults    standin.Faults
	requests  standin.Requests
	sender    sender
	webhooks  webhooks
	callbacks *standin.Deliverer
	file      *standin.StateFile
	stop      chan struct{}
	stopped   sync.WaitGroup
	closing   sync.Once

	mu      sync.Mutex // guards what follows
	state   state
	locked  bool // disputes cannot be read
	refunds RefundRules
	events  []sent    // the oldest first
	wake    time.Time // before which nothing is due
}

var (
	accountID = regexp.MustCompile(`^[2-9A-HJ-NP-Z]{13}$`)
	webhookID = regexp.MustCompile(`^[A-Za-z0-9]{1,50}$`)
)

// New starts a stand-in, with the state of an earlier run if there is one.
func New(opts Options) (*Server, error) {
	opts.PublicURL = strings.TrimRight(opts.PublicURL, "/")
	public, err := url.Parse(opts.PublicURL)
	switch {
	case err != nil || public.Host == "":
		return nil, fmt.Errorf("the PayPal stand-in needs the absolute URL it is reachable at, not %q", opts.PublicURL)
	case opts.ClientID == "" || opts.ClientSecret == "":
		return nil, errors.New("the PayPal stand-in needs a client id and its secret")
	case !accountID.MatchString(opts.MerchantID):
		return nil, fmt.Errorf("the PayPal stand-in needs a merchant id like %s, not %q", accountID, opts.MerchantID)
	case !webhookID.MatchString(opts.WebhookID):
		return nil, errors.New("the PayPal stand-in needs a webhook id of letters and digits")
	}
	if err := opts.Refunds.Check(); err != nil {
		return nil, err
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	clock := &standin.Clock{Machine: opts.Now}
	opts.Now = clock.Now
	s := &Server{
		opts: opts, clock: clock, off: map[string]bool{}, prefix: public.Path, stop: make(chan struct{}),
		locked: opts.NoDisputes, refunds: opts.Refunds,
	}
	for _, rule := range opts.Disable {
		if rule != "signing" && rule != "idempotency" && rule != "over_refund" {
			return nil, fmt.Errorf("there is no rule %q to disable", rule)
		}
		s.off[rule] = true
	}
	if s.pages, err = standin.ParsePages(pageFiles()); err != nil {
		return nil, err
	}
	if opts.ReadLag > 0 {
		lag := standin.Fault{Path: "/v2/", Action: standin.Stale, DelayMS: int(opts.ReadLag.Milliseconds())}
		if _, err = s.faults.Add(lag); err != nil {
			return nil, fmt.Errorf("the PayPal stand-in's reads cannot lag by %s: %w", opts.ReadLag, err)
		}
	}
	if s.file, err = standin.OpenState(opts.StateFile, &s.state, s.snapshot, opts.Logger); err != nil {
		return nil, err
	}
	return s, s.start()
}

func (s *Server) start() error {
	s.state.link()
	signer, err := openIdentity(&s.state.Identity, s.opts.Now())
	if err != nil {
		return err
	}
	s.webhooks.open(s.state.Webhooks, s.opts.WebhookID, s.opts.WebhookURL)
	s.sender = sender{
		identity: signer, certURL: s.opts.PublicURL + certPath + signer.name(), webhooks: &s.webhooks,
		now: s.opts.Now, wrong: s.off["signing"],
	}
	earlier := s.state.Callbacks
	s.events = s.state.Events
	s.state.Callbacks, s.state.Webhooks, s.state.Events = nil, nil, nil
	s.callbacks = standin.NewDeliverer(standin.DelivererOptions{
		Sender: &s.sender, Faults: &s.faults, Backoff: s.opts.Backoff, Changed: s.file.Touch, Logger: s.opts.Logger,
	}, earlier)
	s.handler = s.routes()
	s.stopped.Go(s.tick)
	return nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = r.Clone(r.Context())
	if rest, ok := strings.CutPrefix(r.URL.Path, s.prefix+"/"); ok {
		r.URL.Path, r.URL.RawPath = "/"+rest, ""
	}
	s.handler.ServeHTTP(w, r)
}

// Close stops the callbacks and saves the state. No goroutine is left.
func (s *Server) Close() error {
	var err error
	s.closing.Do(func() {
		close(s.stop)
		s.stopped.Wait()
		s.callbacks.Close()
		s.file.Touch()
		err = s.file.Flush()
	})
	return err
}

// Books is the stand-in's account of the merchant's money.
func (s *Server) Books() standin.Books {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	return s.books()
}

// CA is the root certificate, in PEM, that the signing certificate chains to.
func (s *Server) CA() []byte { return []byte(s.sender.identity.RootPEM) }

func (s *Server) routes() http.Handler {
	api := http.NewServeMux()
	api.HandleFunc("POST /v1/oauth2/token", s.issueToken)
	api.HandleFunc("GET "+certPath+"{name}", s.serveCertificate)
	for pattern, e := range map[string]endpoint{
		"POST /v2/checkout/orders":                          {do: s.createOrder, keeps: ordersKeep},
		"GET /v2/checkout/orders/{id}":                      {do: s.getOrder},
		"PATCH /v2/checkout/orders/{id}":                    {do: s.patchOrder},
		"POST /v2/checkout/orders/{id}/capture":             {do: s.captureOrder, keeps: ordersKeep, alone: true},
		"POST /v2/checkout/orders/{id}/authorize":           {do: s.authorizeOrder, keeps: ordersKeep, alone: true},
		"GET /v2/payments/captures/{id}":                    {do: s.getCapture},
		"POST /v2/payments/captures/{id}/refund":            {do: s.refundCapture, keeps: paymentsKeep},
		"GET /v2/payments/refunds/{id}":                     {do: s.getRefund},
		"GET /v2/payments/authorizations/{id}":              {do: s.getAuthorization},
		"POST /v2/payments/authorizations/{id}/capture":     {do: s.captureAuthorization, keeps: paymentsKeep},
		"POST /v2/payments/authorizations/{id}/reauthorize": {do: s.reauthorize, keeps: paymentsKeep},
		"POST /v2/payments/authorizations/{id}/void":        {do: s.voidAuthorization, keeps: paymentsKeep, bare: true, quiet: true},
		"GET /v1/customer/disputes":                         {do: s.permitted(s.listDisputes)},
		"GET /v1/customer/disputes/{id}":                    {do: s.permitted(s.getDispute)},
		"GET " + eventsPath:                                 {do: s.listEvents},
		"GET " + eventsPath + "/{id}":                       {do: s.getEvent},
		"POST " + eventsPath + "/{id}/resend":               {do: s.resendEvent},
		"POST " + webhooksPath:                              {do: s.createWebhook},
		"GET " + webhooksPath:                               {do: s.listWebhooks},
		"GET " + webhooksPath + "/{id}":                     {do: s.getWebhook},
		"PATCH " + webhooksPath + "/{id}":                   {do: s.patchWebhook},
		"DELETE " + webhooksPath + "/{id}":                  {do: s.deleteWebhook},
		"GET /v1/notifications/webhooks-event-types":        {do: s.listEventTypes},
		"POST /v1/notifications/verify-webhook-signature":   {do: s.verifySignature},
	} {
		api.Handle(pattern, s.api(e))
	}
	api.Handle("/", s.api(endpoint{do: func(*call) (answer, *apiError) { return answer{}, missing("") }}))
	mux := http.NewServeMux()
	faulty := s.faults.Middleware(&s.requests, func(r *http.Request) string { return r.URL.Path }, api)
	mux.Handle("/v1/", faulty)
	mux.Handle("/v2/", faulty)
	// People press buttons on the rest; a page from elsewhere must not.
	mux.Handle("/", standin.Guard(s.opts.PublicURL, s.pageRoutes()))
	mux.Handle(standin.DoorPrefix, standin.Guard(s.opts.PublicURL, s.doors()))
	return mux
}

func (s *Server) snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Callbacks, s.state.Webhooks, s.state.Events = s.callbacks.Unsettled(), s.webhooks.all(), s.newestEvents()
	defer func() { s.state.Callbacks, s.state.Webhooks, s.state.Events = nil, nil, nil }()
	return json.Marshal(&s.state)
}

// saved has every change so far on disk. A failure is logged and the answer
// given all the same: the file is a convenience.
func (s *Server) saved() {
	s.file.Touch()
	_ = s.file.Flush()
}

func (s *Server) now() time.Time { return s.opts.Now().UTC().Truncate(time.Second) }
