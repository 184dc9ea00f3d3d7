package providers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugin"
)

type idsKey struct{}

type ids struct{ request, order string }

// WithIDs names the request and the order that calls made with the context
// belong to, in the logs of the hub and of the plugin. An empty one leaves what
// the context knows.
func WithIDs(ctx context.Context, requestID, orderID string) context.Context {
	known := of(ctx)
	if requestID != "" {
		known.request = requestID
	}
	if orderID != "" {
		known.order = orderID
	}
	return context.WithValue(ctx, idsKey{}, known)
}

// IDs reads what WithIDs put into the context.
func IDs(ctx context.Context) (requestID, orderID string) {
	known := of(ctx)
	return known.request, known.order
}

func of(ctx context.Context) ids {
	known, _ := ctx.Value(idsKey{}).(ids)
	return known
}

// CreateCheckout is sdk.Provider's.
func (p *Provider) CreateCheckout(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
	return call(ctx, p, "CreateCheckout", (*plugin.Client).CreateCheckout, r)
}

// GetPayment is sdk.Provider's.
func (p *Provider) GetPayment(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
	return call(ctx, p, "GetPayment", (*plugin.Client).GetPayment, r)
}

// Confirm is sdk.Confirmer's.
func (p *Provider) Confirm(ctx context.Context, r sdk.ConfirmRequest) (*sdk.Payment, error) {
	return call(ctx, p, "Confirm", (*plugin.Client).Confirm, r)
}

// Capture is sdk.Capturer's.
func (p *Provider) Capture(ctx context.Context, r sdk.CaptureRequest) (*sdk.Payment, error) {
	return call(ctx, p, "Capture", (*plugin.Client).Capture, r)
}

// Cancel is sdk.Canceler's.
func (p *Provider) Cancel(ctx context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
	return call(ctx, p, "Cancel", (*plugin.Client).Cancel, r)
}

// Refund is sdk.Refunder's.
func (p *Provider) Refund(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
	return call(ctx, p, "Refund", (*plugin.Client).Refund, r)
}

// GetRefund is sdk.Refunder's.
func (p *Provider) GetRefund(ctx context.Context, r sdk.GetRefundRequest) (*sdk.Refund, error) {
	return call(ctx, p, "GetRefund", (*plugin.Client).GetRefund, r)
}

// List is sdk.Lister's.
func (p *Provider) List(ctx context.Context, r sdk.ListRequest) (*sdk.ListPage, error) {
	return call(ctx, p, "List", (*plugin.Client).List, r)
}

type method[R, A any] func(*plugin.Client, context.Context, R) (*A, error)

// call is the one way to a plugin: it sets the deadline and the ids, measures
// and logs, and refuses answers that cannot be true. It never logs what is asked
// or answered.
func call[R, A any](ctx context.Context, p *Provider, name string, ask method[R, A], request R) (*A, error) {
	began := time.Now()
	answer, err := send(ctx, p, ask, request)
	if err == nil {
		if cannotBe := check(answer); cannotBe != nil {
			p.log.ErrorContext(ctx, "a plugin's answer cannot be read", "method", name, "reason", cannotBe.Reason)
			answer, err = partOf(answer), cannotBe
		}
	}
	took, outcome := time.Since(began), outcomeOf(err)
	p.registry.metrics.observe(p.config.Name, name, outcome, took)
	if name != "HandleCallback" { // which asks nobody
		p.record.Load().add(began, took, outcome)
	}
	if p.log.Enabled(ctx, slog.LevelDebug) {
		attrs := []slog.Attr{slog.String("method", name), slog.String("outcome", outcome), slog.Duration("took", took)}
		if err != nil {
			attrs = append(attrs, slog.String("error", err.Error()))
		}
		p.log.LogAttrs(ctx, slog.LevelDebug, "provider call", attrs...)
	}
	return answer, err
}

// partOf returns what may still be used of an answer that cannot be read: who
// sent a callback and what it is about, and the rest of a list.
func partOf[A any](answer *A) *A {
	switch any(answer).(type) {
	case *sdk.CallbackResult, *sdk.ListPage:
		return answer
	}
	return nil
}

// send asks the process that is up, or proves that nothing was sent.
func send[R, A any](ctx context.Context, p *Provider, ask method[R, A], request R) (*A, error) {
	run := p.process.Load()
	if run == nil || !run.calls.enter() {
		if next := p.next.Load(); next != nil { // it was found before it was replaced
			return send(ctx, next, ask, request)
		}
		s := p.State()
		return nil, sdk.NotSent(fmt.Sprintf("provider %s is %s: %s", p.config.Name, s.Status, s.Reason))
	}
	defer run.calls.leave()
	if err := ctx.Err(); err != nil {
		return nil, sdk.NotSent(fmt.Sprintf("provider %s was not asked: %s", p.config.Name, err))
	}
	ctx, cancel := context.WithTimeout(ctx, p.registry.options.CallTimeout)
	defer cancel()
	return ask(run.client, plugin.Outgoing(ctx, of(ctx).request, of(ctx).order), request)
}

// outcomeOf classifies a call's error for metrics and logs.
func outcomeOf(err error) string {
	var (
		rejected *sdk.RejectedError
		notSent  *sdk.NotSentError
		mismatch *sdk.MismatchError
		cannotBe *UnreadableError
	)
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &cannotBe):
		return "unreadable"
	case errors.As(err, &rejected):
		return "rejected"
	case errors.As(err, &notSent):
		return "not_sent"
	case errors.As(err, &mismatch):
		return "mismatch"
	case errors.Is(err, sdk.ErrNotFound):
		return "not_found"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "unknown"
}

// metrics are the registry's; nil measures nothing.
type metrics struct {
	calls *prometheus.HistogramVec
	alive *prometheus.GaugeVec
}

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	if registerer == nil {
		return nil, nil
	}
	m := &metrics{
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "superpay_provider_call_seconds",
			Help:    "Duration of calls to providers' plugins, by outcome.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20},
		}, []string{"provider", "method", "outcome"}),
		alive: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "superpay_provider_up",
			Help: "Whether a provider's plugin is up (1) or not (0).",
		}, []string{"provider"}),
	}
	return m, errors.Join(registerer.Register(m.calls), registerer.Register(m.alive))
}

func (m *metrics) observe(provider, method, outcome string, took time.Duration) {
	if m != nil {
		m.calls.WithLabelValues(provider, method, outcome).Observe(took.Seconds())
	}
}

func (m *metrics) up(provider string, up bool) {
	if m == nil {
		return
	}
	value := 0.0
	if up {
		value = 1
	}
	m.alive.WithLabelValues(provider).Set(value)
}
