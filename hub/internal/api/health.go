package api

import (
	"context"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// healthz: the process runs.
func (s *server) healthz(c *fiber.Ctx) error { return c.JSON(fiber.Map{"status": "ok"}) }

// readyz: it can take requests. A provider that is down, or whose money-out is
// closed, is not a reason to be unready: it is answered 503 for itself alone.
func (s *server) readyz(c *fiber.Ctx) error {
	if s.Draining() {
		return newProblem(fiber.StatusServiceUnavailable, "draining", "the hub is shutting down")
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), 2*time.Second)
	defer cancel()
	if err := s.DB.Ping(ctx); err != nil {
		return newProblem(fiber.StatusServiceUnavailable, "database_down", "the database does not answer, or its connections are all in use")
	}
	if err := s.Payments.CheckClock(); err != nil {
		return newProblem(fiber.StatusServiceUnavailable, "clock_wrong", err.Error())
	}
	up := fiber.Map{}
	for _, p := range s.Providers.All() {
		up[p.Name()] = p.State().Status
	}
	answer := fiber.Map{"status": "ready", "providers": up}
	closed := fiber.Map{}
	for name, f := range s.Payments.Fences() {
		if f.Closed() {
			closed[name] = fiber.Map{"since": f.At, "reason": f.Reason, "checked": f.Checked}
		}
	}
	if len(closed) > 0 {
		answer["money_out_closed"] = closed
	}
	return c.JSON(answer)
}

// metrics are the API's own; plugin calls are counted by providers.
type metrics struct {
	requests  *prometheus.HistogramVec
	callbacks *prometheus.CounterVec
}

func newMetrics(r *prometheus.Registry) *metrics {
	m := &metrics{
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "superpay_http_request_seconds", Help: "Time to answer a request.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method", "route", "status"}),
		callbacks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "superpay_callbacks_total", Help: "Inbound calls of providers, by the plugin's verdict.",
		}, []string{"provider", "verdict"}),
	}
	if r != nil {
		r.MustRegister(m.requests, m.callbacks)
	}
	return m
}

func (m *metrics) request(method, route string, status int, took time.Duration) {
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

func (s *server) serveMetrics() fiber.Handler {
	return adaptor.HTTPHandler(promhttp.HandlerFor(s.Metrics, promhttp.HandlerOpts{}))
}
