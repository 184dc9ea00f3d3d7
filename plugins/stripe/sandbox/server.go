// Package sandbox is Stripe's stand-in: a stateful fake of its API at version
// 2023-10-16 with hosted pages, signed callbacks and a merchant's dashboard.
// It keeps Stripe's rules about money strictly, so that a hub that loses or
// doubles some is caught, and is for loopback only: nothing here is secret.
package sandbox

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// Options configures a stand-in. APIKey, WebhookSecret and PublicURL are
// required.
type Options struct {
	APIKey        string // the only key that is let in, sk_test_…
	WebhookSecret string // whsec_…
	WebhookURL    string // may come later, by the door
	PublicURL     string // where the stand-in is reachable, without a slash at the end
	ThinURL       string // where thin events go, signed with WebhookSecret; "" is nowhere
	StateFile     string // "" forgets everything at Close
	Now           func() time.Time
	Logger        *slog.Logger
	RefundDelay   time.Duration   // until a refund to a slow or bouncing test card changes, and a debit is booked; 0 is 2 s
	Backoff       []time.Duration // between tries of a callback; nil is the shared one

	// BookReleases has the refund object that a partial capture makes carry a
	// balance transaction, of reporting category partial_capture_reversal. That
	// is what Stripe's documents describe; without it the release can be told
	// from a refund by nothing but its amount.
	BookReleases bool

	// BalanceCurrency, in lower case, is that of the account's only balance: money of
	// another is changed at 0.92 for 1. Empty: there is a balance in every currency.
	BalanceCurrency string

	// Lacks are the permissions that the key was not given, as those of a restricted
	// key: "rak_charge_read".
	Lacks []string

	Knobs Knobs // as they are at the start

	// Disable turns rules off, for tests that must notice: "signing" (callbacks
	// carry a wrong signature), "idempotency" (keys are ignored), "over_refund"
	// (more may be refunded than was paid).
	Disable []string
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
	receivers receivers
	callbacks *standin.Deliverer
	file      *standin.StateFile
	stop      chan struct{}
	stopped   sync.WaitGroup
	closing   sync.Once

	mu           sync.Mutex // guards what follows
	state        state
	from         eventFrom // the request in progress, for its events
	eventVersion string
	lacks        []string
	knobs        Knobs
	wake         int64 // unix milliseconds before which nothing is due
}

// New starts a stand-in, with the state of an earlier run if there is one.
func New(opts Options) (*Server, error) {
	if opts.APIKey == "" || opts.WebhookSecret == "" {
		return nil, errors.New("the Stripe stand-in needs an API key and a webhook secret")
	}
	opts.PublicURL = strings.TrimRight(opts.PublicURL, "/")
	public, err := url.Parse(opts.PublicURL)
	if err != nil || public.Host == "" {
		return nil, fmt.Errorf("the Stripe stand-in needs the absolute URL it is reachable at, not %q", opts.PublicURL)
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.RefundDelay == 0 {
		opts.RefundDelay = 2 * time.Second
	}
	clock := &standin.Clock{Machine: opts.Now}
	opts.Now = clock.Now
	s := &Server{opts: opts, clock: clock, off: map[string]bool{}, prefix: public.Path, eventVersion: apiVersion, lacks: opts.Lacks, knobs: opts.Knobs, stop: make(chan struct{})}
	for _, rule := range opts.Disable {
		if rule != "signing" && rule != "idempotency" && rule != "over_refund" {
			return nil, fmt.Errorf("there is no rule %q to disable", rule)
		}
		s.off[rule] = true
	}
	if err := errors.Join(checkPermissions(opts.Lacks), opts.Knobs.check()); err != nil {
		return nil, err
	}
	if s.pages, err = standin.ParsePages(pageFiles()); err != nil {
		return nil, err
	}
	if s.file, err = standin.OpenState(opts.StateFile, &s.state, s.snapshot, opts.Logger); err != nil {
		return nil, err
	}
	s.start()
	return s, nil
}

func (s *Server) start() {
	s.receivers.unsigned = s.off["signing"]
	s.state.Endpoints.remove(defaultEndpoint) // of a run with other options
	s.presetThin(s.opts.ThinURL)
	for _, e := range s.state.Endpoints.rows {
		s.receivers.put(*e)
	}
	s.preset(s.opts.WebhookURL)
	earlier := s.state.Callbacks
	s.state.Callbacks = nil
	s.callbacks = standin.NewDeliverer(standin.DelivererOptions{
		Sender: &s.receivers, Faults: &s.faults, Backoff: s.opts.Backoff, Changed: s.file.Touch, Logger: s.opts.Logger,
	}, earlier)
	s.handler = s.routes()
	s.stopped.Go(s.tick)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = r.Clone(r.Context())
	if rest, ok := strings.CutPrefix(r.URL.Path, s.prefix+"/"); ok {
		r.URL.Path, r.URL.RawPath = "/"+rest, ""
	}
	if strings.HasPrefix(r.URL.Path, "/v1/") { // with an empty id, Stripe answers with the list
		r.URL.Path = strings.TrimRight(r.URL.Path, "/")
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

// Books is the stand-in's account of the money.
func (s *Server) Books() standin.Books {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	return s.books()
}

func (s *Server) routes() http.Handler {
	api := http.NewServeMux()
	for pattern, endpoint := range map[string]http.Handler{
		"POST /v1/checkout/sessions":                s.api("checkout.session", s.createSession),
		"GET /v1/checkout/sessions":                 s.api("checkout.session", s.listSessions),
		"GET /v1/checkout/sessions/{id}":            s.api("checkout.session", s.getSession),
		"GET /v1/checkout/sessions/{id}/line_items": s.api("item", s.listLineItems),
		"POST /v1/checkout/sessions/{id}/expire":    s.api("checkout.session", s.expireSessionByAPI),
		"POST /v1/tokens":                           s.api("token", s.createToken),
		"GET /v1/tokens/{id}":                       s.api("token", s.getToken),
		"POST /v1/payment_methods":                  s.api("payment_method", s.createMethod),
		"GET /v1/payment_methods/{id}":              s.api("payment_method", s.getMethod),
		"POST /v1/test_helpers/confirmation_tokens": s.api("confirmation_token", s.createConfirmationToken),
		"GET /v1/confirmation_tokens/{id}":          s.api("confirmation_token", s.getConfirmationToken),
		"POST /v1/payment_intents":                  s.api("payment_intent", s.createIntent),
		"GET /v1/payment_intents":                   s.api("payment_intent", s.listIntents),
		"GET /v1/payment_intents/{id}":              s.api("payment_intent", s.getIntent),
		"POST /v1/payment_intents/{id}":             s.api("payment_intent", s.updateIntent),
		"POST /v1/payment_intents/{id}/confirm":     s.api("payment_intent", s.confirmIntent),
		"POST /v1/payment_intents/{id}/capture":     s.api("payment_intent", s.captureIntent),
		"POST /v1/payment_intents/{id}/cancel":      s.api("payment_intent", s.cancelIntentByAPI),
		"POST /v1/charges":                          s.api("charge", s.createCharge),
		"GET /v1/charges":                           s.api("charge", s.listCharges),
		"GET /v1/charges/{id}":                      s.api("charge", s.getCharge),
		"POST /v1/charges/{id}":                     s.api("charge", s.updateCharge),
		"POST /v1/charges/{id}/capture":             s.api("charge", s.captureCharge),
		"POST /v1/refunds":                          s.api("refund", s.createRefund),
		"GET /v1/refunds":                           s.api("refund", s.listRefunds),
		"GET /v1/refunds/{id}":                      s.api("refund", s.getRefund),
		"POST /v1/refunds/{id}":                     s.api("refund", s.updateRefund),
		"GET /v1/disputes":                          s.api("dispute", s.listDisputes),
		"GET /v1/disputes/{id}":                     s.api("dispute", s.getDispute),
		"GET /v1/events":                            s.api("event", s.listEvents),
		"GET /v1/events/{id}":                       s.api("event", s.getEvent),
		"GET /v1/balance_transactions":              s.api("balance_transaction", s.listTransactions),
		"GET /v1/balance_transactions/{id}":         s.api("balance_transaction", s.getTransaction),
		"POST /v1/webhook_endpoints":                s.api("webhook_endpoint", s.createEndpoint),
		"GET /v1/webhook_endpoints":                 s.api("webhook_endpoint", s.listEndpoints),
		"GET /v1/webhook_endpoints/{id}":            s.api("webhook_endpoint", s.getEndpoint),
		"POST /v1/webhook_endpoints/{id}":           s.api("webhook_endpoint", s.updateEndpoint),
		"DELETE /v1/webhook_endpoints/{id}":         s.api("webhook_endpoint", s.deleteEndpoint),
	} {
		api.Handle(pattern, endpoint)
	}
	s.thinRoutes(api)
	api.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		e := invalid("", "", "Unrecognized request URL (%s: %s).", r.Method, r.URL.Path)
		e.status = http.StatusNotFound
		writeError(w, e)
	})
	mux := http.NewServeMux()
	faulty := s.faults.Middleware(&s.requests, func(r *http.Request) string { return r.URL.Path }, api)
	mux.Handle("/v1/", faulty)
	mux.Handle("/v2/", faulty)
	// People press buttons on the rest; a page from elsewhere must not.
	mux.Handle("/", standin.Guard(s.opts.PublicURL, s.pageRoutes()))
	mux.Handle(standin.DoorPrefix, standin.Guard(s.opts.PublicURL, s.doors()))
	return mux
}

func (s *Server) doors() http.Handler {
	doors := standin.Doors{
		Faults: &s.faults, Callbacks: s.callbacks, Requests: &s.requests, Books: s.Books, SetWebhook: s.setWebhook, Clock: s.clock,
	}.Handler()
	doors.HandleFunc("PUT "+standin.DoorPrefix+"event_version", func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Version string `json:"version"`
		}
		if !standin.ReadJSON(w, r, &body) {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.eventVersion = or(body.Version, apiVersion)
		w.WriteHeader(http.StatusNoContent)
	})
	doors.HandleFunc("PUT "+standin.DoorPrefix+"permissions", s.permissionsDoor)
	doors.HandleFunc("PUT "+standin.DoorPrefix+"knobs", s.knobsDoor)
	return doors
}

func (s *Server) setWebhook(address string) error {
	if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "") {
		return errors.New("not an absolute URL")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.preset(address)
	return nil
}

// preset has the endpoint of the options call an address. It is one of those that
// the API lists, as soon as it calls any.
func (s *Server) preset(address string) {
	e := &webhookEndpoint{
		ID: defaultEndpoint, Object: "webhook_endpoint", Created: s.now(), Status: endpointEnabled,
		URL: address, Secret: s.opts.WebhookSecret, EnabledEvents: []string{"*"}, APIVersion: apiVersion,
	}
	s.receivers.put(*e)
	s.state.Endpoints.remove(defaultEndpoint)
	if address != "" {
		s.state.Endpoints.add(e)
	}
}

func (s *Server) snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Callbacks = s.callbacks.Unsettled()
	defer func() { s.state.Callbacks = nil }()
	return json.Marshal(&s.state)
}

// saved has every change so far on disk. A failure is logged and the answer
// given all the same: the file is a convenience.
func (s *Server) saved() {
	s.file.Touch()
	_ = s.file.Flush()
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func lower(text string) string { return strings.ToLower(text) }
