// Package sandbox is Acmepay's stand-in: a stateful fake of its API with a
// payment page and signed callbacks. It is never imported by the plugin, and is
// for loopback only.
package sandbox

import (
	"crypto/rand"
	"embed"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// Options configures a stand-in.
type Options struct {
	APIKey        string // the only key that is let in
	SigningSecret string // signs callbacks
	PublicURL     string // where the stand-in is reachable, without a slash at the end
	WebhookURL    string // may come later, by the door
	Results       bool   // a payer's page takes no money: it leads back with a result, which completes the payment
	Replays       bool   // a key that was used is answered as the first time, whatever is asked now; else it is refused
	Logger        *slog.Logger
}

// Server is the stand-in, an http.Handler.
type Server struct {
	opts      Options
	pages     *standin.Pages
	faults    standin.Faults
	requests  standin.Requests
	callbacks *standin.Deliverer
	mux       *http.ServeMux

	hook struct { // has a lock of its own: the Deliverer asks while the server's is held
		sync.Mutex
		url string
	}

	mu       sync.Mutex // guards what follows
	payments []*payment // oldest first
	refunds  []*refund
	keys     map[string]*first // by idempotency key
}

//go:embed pages
var files embed.FS

// New starts a stand-in. It is ended by the function beside it.
func New(o Options) (http.Handler, func() error, error) {
	if o.APIKey == "" || o.SigningSecret == "" || !strings.HasPrefix(o.PublicURL, "http") {
		return nil, nil, errors.New("the stand-in needs an API key, a signing secret and its own address")
	}
	s := &Server{opts: o, mux: http.NewServeMux(), keys: map[string]*first{}}
	s.hook.url = o.WebhookURL
	sub, err := fs.Sub(files, "pages")
	if err != nil {
		return nil, nil, err
	}
	if s.pages, err = standin.ParsePages(sub); err != nil {
		return nil, nil, err
	}
	s.callbacks = standin.NewDeliverer(standin.DelivererOptions{Sender: s, Faults: &s.faults, Logger: o.Logger}, nil)
	s.routes()
	return s.mux, func() error { s.callbacks.Close(); return nil }, nil
}

func (s *Server) routes() {
	api := http.NewServeMux()
	api.HandleFunc("POST /v1/payments", s.once(s.createPayment))
	api.HandleFunc("POST /v1/payments/{id}/complete", s.once(s.completePayment))
	api.HandleFunc("POST /v1/payments/{id}/capture", s.once(s.capturePayment))
	api.HandleFunc("POST /v1/payments/{id}/cancel", s.once(s.cancelPayment))
	api.HandleFunc("POST /v1/refunds", s.once(s.createRefund))
	api.HandleFunc("GET /v1/payments", s.read(s.listPayments))
	api.HandleFunc("GET /v1/payments/{id}", s.read(s.getPayment))
	api.HandleFunc("GET /v1/refunds/{id}", s.read(s.getRefund))
	s.mux.Handle("/v1/", s.faults.Middleware(&s.requests, func(r *http.Request) string { return r.URL.Path }, s.admit(api)))

	// People press buttons on the rest; a page from elsewhere must not.
	people := http.NewServeMux()
	people.HandleFunc("GET /pay/{id}", s.showPage)
	people.HandleFunc("POST /pay/{id}", s.pay)
	people.HandleFunc("POST /dashboard/{kind}/{id}/{button}", s.press)
	people.Handle(standin.DoorPrefix, standin.Doors{
		Faults: &s.faults, Callbacks: s.callbacks, Requests: &s.requests, Books: s.books, SetWebhook: s.setWebhook,
	}.Handler())
	s.mux.Handle("/", standin.Guard(s.opts.PublicURL, people))
}

func (s *Server) admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+s.opts.APIKey {
			answer(w, refuse(http.StatusUnauthorized, "unauthorized"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// reply is an answer, kept for repeats of its key.
type reply struct {
	status int
	body   any
}

func refuse(status int, code string) reply {
	return reply{status, map[string]any{"error": map[string]string{"code": code}}}
}

func ok(v any) reply { return reply{http.StatusOK, v} }

func answer(w http.ResponseWriter, r reply) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.status)
	_ = json.NewEncoder(w).Encode(r.body) // the client is gone if this fails
}

// first is the first request of a key, and its answer once there is one.
type first struct {
	request string
	answer  *reply
}

// once carries a request out under its key, or gives the first answer again.
func (s *Server) once(do func(*http.Request, []byte) reply) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		key := r.Header.Get("Idempotency-Key")
		if err != nil || key == "" {
			answer(w, refuse(http.StatusUnprocessableEntity, "key_missing"))
			return
		}
		request := r.URL.Path + "\n" + string(body)
		s.mu.Lock()
		before := s.keys[key]
		if before == nil {
			s.keys[key] = &first{request: request}
		}
		s.mu.Unlock()
		switch {
		case before == nil:
		case before.request != request && !s.opts.Replays:
			answer(w, refuse(http.StatusConflict, "key_reused"))
			return
		case before.answer == nil:
			answer(w, refuse(http.StatusConflict, "key_in_use"))
			return
		default:
			answer(w, *before.answer)
			return
		}
		standin.Pause(r.Context())
		s.mu.Lock()
		out := do(r, body)
		out.body = frozen(out.body) // as it is now: later changes do not reach it
		s.keys[key] = &first{request, &out}
		s.mu.Unlock()
		answer(w, out)
	}
}

func (s *Server) read(do func(*http.Request) reply) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		standin.Pause(r.Context())
		s.mu.Lock()
		out := do(r)
		out.body = frozen(out.body)
		s.mu.Unlock()
		answer(w, out)
	}
}

func frozen(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}

func newID(prefix string) string { return prefix + strings.ToLower(rand.Text()[:16]) }

func now() int64 { return time.Now().Unix() }
