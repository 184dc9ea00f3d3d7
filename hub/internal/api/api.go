// Package api is the hub's JSON API: one file per noun, handlers that only
// translate. OpenAPI is generated from the registration in openapi.go.
package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/pprof"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/assets"
	"github.com/superpayhub/superpay/hub/internal/jobs"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
)

// Options are what the API needs to know.
type Options struct {
	Payments       *payments.Service
	DB             *postgres.DB
	Providers      *providers.Registry
	Worker         *jobs.Worker
	BasePath       string // "" or "/superpay"
	PublicURL      string
	Logger         *slog.Logger
	Metrics        *prometheus.Registry
	RequestTimeout time.Duration
	TrustedProxies []string
	RateLimit      int         // requests a second of one app; 0: no limit
	MaxActive      int         // requests that the hub itself works on at once; 0: by the number of cores
	MetricsFor     string      // "public", "off", or else this machine alone
	Draining       func() bool // true from the moment that the hub shuts down
	Assets         *assets.Files
	Console        func(root fiber.Router) // adds the operators' pages; nil: none
	// PayerPage shows a payer how an order stands whose app has no page of its
	// own. nil stands for an order that there is not.
	PayerPage func(c *fiber.Ctx, o *ledger.Order, attemptID string) error
	Profile   bool // offers /debug/pprof; for developers' machines
}

// maxBody bounds a request. Providers' callbacks are a few KB.
const maxBody = 1 << 20

type server struct {
	Options
	app     *fiber.App
	api     huma.API
	calls   []string // their ids, in the order that they are told in
	money   []string // those that ask for money
	metrics *metrics
	keys    *access.Keys
	limit   *access.Limit

	inFlight atomic.Int64 // requests below /v1
}

// New builds the HTTP side of the hub.
func New(o Options) *fiber.App {
	if o.RequestTimeout == 0 {
		o.RequestTimeout = 35 * time.Second
	}
	if o.Draining == nil {
		o.Draining = func() bool { return false }
	}
	if o.MaxActive == 0 {
		o.MaxActive = max(64, 32*runtime.GOMAXPROCS(0))
	}
	s := &server{Options: o, metrics: newMetrics(o.Metrics), keys: &access.Keys{DB: o.DB, Now: o.Payments.Now}, limit: access.NewLimit(o.RateLimit)}
	s.app = fiber.New(fiber.Config{
		Immutable:               true, // strings of a request outlive it (keys, references, logs)
		BodyLimit:               maxBody,
		ReadBufferSize:          16 << 10, // bounds the headers
		ReadTimeout:             30 * time.Second,
		WriteTimeout:            60 * time.Second,
		IdleTimeout:             2 * time.Minute,
		DisableStartupMessage:   true,
		ErrorHandler:            func(c *fiber.Ctx, err error) error { return s.problem(c, err).write(c) },
		EnableTrustedProxyCheck: true,
		TrustedProxies:          o.TrustedProxies,
		ProxyHeader:             fiber.HeaderXForwardedFor,
		EnableIPValidation:      true,
	})
	root := s.app.Group(o.BasePath, s.begin, recover.New(recover.Config{
		EnableStackTrace: true,
		StackTraceHandler: func(c *fiber.Ctx, e any) {
			s.Logger.ErrorContext(c.UserContext(), "panic in a handler", "panic", e, "path", c.Path())
		},
	}))
	if o.Profile {
		root.Use(pprof.New(pprof.Config{Prefix: o.BasePath}))
	}
	root.Get("/healthz", s.healthz)
	root.Get("/readyz", s.readyz)
	root.Get("/metrics", s.guardMetrics, s.serveMetrics())
	root.Get("/openapi.json", s.openAPI)
	root.Get("/", s.root)
	root.Get("/docs", s.docs)
	root.Use("/static", s.Assets.Serve)
	root.All("/callback/:provider", s.callback)
	root.Get("/return/:attempt_id", s.back)
	root.Post("/return/:attempt_id", s.back)
	s.app.Get("/.well-known/apple-developer-merchantid-domain-association", s.appleDomain)
	root.Use("/v1", s.admit, s.plain, s.authenticate)
	register(root, s)
	if s.Console != nil {
		s.Console(root)
	}
	return s.app
}

// begin gives a request its id, its deadline and its line in log and metrics.
func (s *server) begin(c *fiber.Ctx) error {
	start := time.Now()
	id := c.Get("X-Request-Id")
	if !validRequestID(id) {
		id = ledger.NewID("req", start)
	}
	c.Locals(requestIDKey{}, id)
	c.Set("X-Request-Id", id)
	c.Set("X-Content-Type-Options", "nosniff")
	c.Set("Cache-Control", "no-store")
	ctx, cancel := context.WithTimeout(providers.WithIDs(c.UserContext(), id, ""), s.RequestTimeout)
	defer cancel()
	c.SetUserContext(ctx)
	err := c.Next()
	if err != nil {
		err = s.problem(c, err).write(c)
	}
	status, took := c.Response().StatusCode(), time.Since(start)
	route := c.Route().Path
	s.metrics.request(c.Method(), route, status, took)
	level := slog.LevelDebug
	if status >= 500 {
		level = slog.LevelWarn
	}
	s.Logger.LogAttrs(ctx, level, "request", slog.String("method", c.Method()), slog.String("route", route),
		slog.Int("status", status), slog.Duration("took", took))
	return err
}

type requestIDKey struct{}

func requestID(ctx context.Context) string {
	id, _ := providers.IDs(ctx)
	return id
}

func validRequestID(id string) bool {
	if len(id) < 8 || len(id) > 64 {
		return false
	}
	return strings.IndexFunc(id, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_')
	}) < 0
}

func (s *server) problem(c *fiber.Ctx, err error) *Problem {
	id, _ := c.Locals(requestIDKey{}).(string)
	return problemOf(err, id, s.Logger)
}

const idempotencyKey = "Idempotency-Key"

// plain refuses what JSON must not be: compressed (it would be unpacked before
// any limit), not UTF-8, or with a NUL in it; and two idempotency keys.
func (s *server) plain(c *fiber.Ctx) error {
	if c.Get(fiber.HeaderContentEncoding) != "" {
		return newProblem(fiber.StatusUnsupportedMediaType, "unsupported_media_type", "send the body uncompressed, without Content-Encoding")
	}
	if len(c.Request().Header.PeekAll(idempotencyKey)) > 1 {
		p := newProblem(fiber.StatusUnprocessableEntity, "invalid_request", "is there more than once: nobody can tell which of them counts")
		p.Param = idempotencyKey
		return p
	}
	body := c.Request().Body()
	if len(body) == 0 {
		return c.Next()
	}
	if t, _, _ := strings.Cut(c.Get(fiber.HeaderContentType), ";"); !strings.EqualFold(strings.TrimSpace(t), fiber.MIMEApplicationJSON) {
		return newProblem(fiber.StatusUnsupportedMediaType, "unsupported_media_type", "send JSON, with Content-Type: application/json")
	}
	if !utf8.Valid(body) {
		return newProblem(fiber.StatusBadRequest, "invalid_request", "the body is not valid UTF-8")
	}
	if !json.Valid(body) {
		return newProblem(fiber.StatusBadRequest, "invalid_request", "the body is not valid JSON")
	}
	// A null would be read as "left out", which for an amount means "all of it".
	var fields map[string]json.RawMessage
	if bytes.Contains(body, []byte("null")) && json.Unmarshal(body, &fields) == nil {
		for name, value := range fields {
			if string(value) == "null" {
				p := newProblem(fiber.StatusUnprocessableEntity, "invalid_request", "must not be null; leave the field out")
				p.Param = field(name)
				return p
			}
		}
	}
	return c.Next()
}

// guardMetrics lets /metrics answer this machine alone, unless it is public.
// What a proxy passed on does not come from this machine.
func (s *server) guardMetrics(c *fiber.Ctx) error {
	switch s.MetricsFor {
	case "public":
		return c.Next()
	case "off":
		return newProblem(fiber.StatusNotFound, "not_found", "metrics are off (server.metrics, HUB_SERVER__METRICS)")
	}
	passedOn := c.Get(fiber.HeaderXForwardedFor) + c.Get(fiber.HeaderForwarded) + c.Get("X-Real-Ip") + c.Get(fiber.HeaderVia)
	if !c.Context().RemoteIP().IsLoopback() || passedOn != "" {
		return newProblem(fiber.StatusForbidden, "forbidden", "metrics are for the hub's own machine: set server.metrics (HUB_SERVER__METRICS) to public to show them to all who reach it")
	}
	return c.Next()
}

type appKey struct{}

// authenticate finds the app of the key. Everything below it is that app's.
func (s *server) authenticate(c *fiber.Ctx) error {
	scheme, key, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	ok := strings.EqualFold(scheme, "Bearer") // RFC 9110, 11.1: in any case
	app, err := s.keys.App(c.UserContext(), key)
	if !ok || err == access.ErrUnknownKey {
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
		why := "the key is unknown: it is wrong, of another hub, expired, or was revoked"
		if !ok || key == "" {
			why = "send your app's key, as in the header Authorization: Bearer spk_..."
		}
		return newProblem(fiber.StatusUnauthorized, "unauthorized", why)
	}
	if err != nil {
		return err
	}
	if app.ReadOnly && c.Method() != fiber.MethodGet && c.Method() != fiber.MethodHead {
		return newProblem(fiber.StatusForbidden, "read_only_key", "this key may only look (GET): send one with the scope full")
	}
	if wait := s.limit.Wait(app.ID, time.Now()); wait > 0 {
		p := newProblem(fiber.StatusTooManyRequests, "too_many_requests", fmt.Sprintf("more than %d requests a second: wait, and repeat this one with the same Idempotency-Key", s.RateLimit))
		p.retryAfter = wait
		return p
	}
	c.SetUserContext(context.WithValue(c.UserContext(), appKey{}, app))
	return c.Next()
}

// caller is on whose behalf a request is made.
func caller(ctx context.Context, idempotencyKey string) payments.Caller {
	app, _ := ctx.Value(appKey{}).(postgres.App)
	return payments.Caller{App: app, IdempotencyKey: idempotencyKey, RequestID: requestID(ctx)}
}

func init() {
	huma.ValidateStrictCasing = true // "Amount" beside "amount" is an unknown field
	// huma asks these package variables for every error of its own.
	huma.NewErrorWithContext = validation
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return validation(nil, status, msg, errs...)
	}
}
