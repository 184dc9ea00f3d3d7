package jobs

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// verifyPoll is how often a hub asks whether a slice of the ledger is due to
	// be checked.
	verifyPoll = 2 * time.Second
	// verifyLease is how long a slice is one hub's: several times what it takes.
	verifyLease = 30 * time.Second
	// verifyShown is how often the metrics take over what all hubs found.
	verifyShown = 15 * time.Second
)

// verifyMetrics tell of the checks of the ledger.
type verifyMetrics struct {
	doubts prometheus.Gauge
	last   *prometheus.GaugeVec
	orders *prometheus.CounterVec
}

func newVerifyMetrics() *verifyMetrics {
	return &verifyMetrics{
		doubts: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "superpay_verify_doubts", Help: "Values on record that contradict the rest of the record, as the hubs last saw them.",
		}),
		last: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "superpay_verify_last_success_timestamp_seconds",
			Help: "What was recorded before this was checked: of orders that changed (changed), and of all orders (all). 0: never.",
		}, []string{"kind"}),
		orders: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "superpay_verify_orders_total", Help: "Orders that this hub checked.",
		}, []string{"kind"}),
	}
}

// Metrics are those of the worker's own.
func (w *Worker) Metrics() []prometheus.Collector {
	return []prometheus.Collector{w.verified.doubts, w.verified.last, w.verified.orders}
}

// verify checks slices of the ledger that are due until the context ends. Hubs
// take turns.
func (w *Worker) verify(ctx context.Context) {
	var shown time.Time
	for wait := rand.N(verifyPoll); ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		kind, orders, err := w.Payments.VerifyNext(ctx, verifyLease)
		if kind != "" {
			w.verified.orders.WithLabelValues(kind).Add(float64(orders))
		}
		if err == nil && time.Since(shown) > verifyShown {
			shown = time.Now()
			err = w.showVerified(ctx)
		}
		if err != nil && ctx.Err() == nil {
			w.Logger.WarnContext(ctx, "the ledger was not checked; it is tried again", "error", err)
		}
		if wait = verifyPoll; orders > 0 {
			wait = tidyPause
		}
	}
}

// showVerified takes over what all hubs found.
func (w *Worker) showVerified(ctx context.Context) error {
	checks, doubts, err := w.DB.Checks(ctx)
	if err != nil {
		return err
	}
	w.verified.doubts.Set(float64(doubts))
	for _, c := range checks {
		w.verified.last.WithLabelValues(c.Kind).Set(float64(c.CheckedTo.UnixMilli()) / 1000)
	}
	return nil
}
