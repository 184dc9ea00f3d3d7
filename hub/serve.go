package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/lib/pq"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/api"
	"github.com/superpayhub/superpay/hub/internal/assets"
	"github.com/superpayhub/superpay/hub/internal/clock"
	"github.com/superpayhub/superpay/hub/internal/config"
	"github.com/superpayhub/superpay/hub/internal/jobs"
	"github.com/superpayhub/superpay/hub/internal/notifications"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/process"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/hub/internal/telemetry"
)

const (
	// databasePatience is how long a hub that starts waits for PostgreSQL,
	// which may be starting beside it.
	databasePatience = 30 * time.Second
	// lastWrites is how long outcomes may be written after the plugins ended.
	lastWrites = 2 * time.Second
)

func serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run the hub",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if beside {
				return errors.New("--dev is for commands beside a running `hub dev`, which serves already")
			}
			h, err := loadFrom(os.Environ(), os.Stderr)
			if err != nil {
				return err
			}
			if err := h.serve(c.Context()); c.Context().Err() == nil {
				return err
			}
			return nil // told to end, perhaps while it started: that is no failure
		},
	}
}

// serve runs the hub until the context ends, and then ends in order.
func (h *hub) serve(ctx context.Context) error {
	if err := process.Batch(); err != nil {
		h.log.Info("the kernel's scheduler stays as it is", "error", err)
	}
	db, err := h.waitForDatabase(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	hubClock, err := h.clock(ctx, db)
	if err != nil {
		return err
	}
	// Taken before the plugins start: who calls meanwhile waits, and a port in
	// use is told at once.
	listener, err := net.Listen("tcp", h.config.Server.Listen)
	if err != nil {
		return fmt.Errorf("server.listen cannot be used: stop what listens there, or set HUB_SERVER__LISTEN or PORT to another: %w", err)
	}
	defer listener.Close()

	metrics := telemetry.NewMetrics()
	metrics.MustRegister(telemetry.DBPool(db.Stats), telemetry.ClockSkew(hubClock.Skew))
	worker := h.worker(db, hubClock)
	metrics.MustRegister(worker.Metrics()...)
	watcher := &providerWatch{db: db, log: h.log, drain: h.config.CallTimeout + time.Second, takeNew: h.config.PluginsReplaced == config.TakeReplaced}
	if watcher.restarts, err = watcher.asked(ctx); err != nil { // what is asked for from now on is done
		return err
	}
	registry, err := h.startProviders(ctx, metrics, db, worker, hubClock)
	if err != nil {
		return err
	}
	watcher.registry = registry

	service := payments.New(payments.Options{
		DB: db, Providers: registry, PublicURL: h.config.Server.PublicURL, CallTimeout: h.config.CallTimeout,
		OrderTTL: h.config.OrderTTL, TimeScale: h.config.TimeScale, Schedules: h.schedules(), Notice: h.config.Notice, Kick: worker.Kick, Logger: h.log, CrashAt: h.crash, Render: api.Render,
		Now: hubClock.Now, CheckClock: hubClock.Trusted,
		Broken: payments.Broken{KeyReuse: h.breaks(config.BreakKeyReuse), Unknown: h.breaks(config.BreakUnknown)},
	})
	if err := h.beginPayments(ctx, service, registry, metrics); err != nil {
		return err
	}
	worker.Payments = service
	var draining atomic.Bool
	files := assets.Load(h.config.Server.BasePath + "/static")
	pages := h.console(db, service, registry, worker.Sender, files, watcher)
	app := api.New(api.Options{
		Payments: service, DB: db, Providers: registry, Worker: worker, BasePath: h.config.Server.BasePath,
		PublicURL: h.config.Server.PublicURL, Logger: h.log, Metrics: metrics, RequestTimeout: h.config.Server.RequestTimeout,
		TrustedProxies: h.config.Server.TrustedProxies, MetricsFor: h.config.Server.Metrics, RateLimit: h.config.Server.RateLimit, MaxActive: h.config.Server.MaxActive, Draining: draining.Load,
		Profile: h.config.Dev,
		Assets:  files,
		Console: pages.Mount, PayerPage: pages.Payer,
	})

	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	worked, served := make(chan struct{}), make(chan error, 1)
	go func() { worker.Run(work); close(worked) }()
	go watcher.run(work)
	go hubClock.Run(work)
	go func() { served <- app.Listener(listener) }()
	h.log.Info("the hub is up", "version", version(), "listen", h.config.Server.Listen, "public_url", h.config.Server.PublicURL)

	select {
	case err = <-served:
		err = fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
		h.log.Info("shutting down: what is in flight may finish; another signal ends it at once", "at_most", h.config.Server.ShutdownTimeout)
	}
	draining.Store(true)
	time.Sleep(h.config.Server.DrainDelay)
	h.shutdown(app, registry, stopWork, worked)
	return err
}

// beginPayments has the service watch the database for history that is lost, if
// the settings say so; `hub recover start` works either way.
// After an error no plugin is left.
func (h *hub) beginPayments(ctx context.Context, service *payments.Service, registry *providers.Registry, metrics *prometheus.Registry) error {
	metrics.MustRegister(telemetry.Fences(service.MoneyOutClosed))
	if !h.config.Database.WatchHistory {
		return nil
	}
	err := service.Begin(ctx)
	if err != nil {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.config.Server.ShutdownTimeout)
		defer cancel()
		registry.Stop(stop)
	}
	return err
}

// worker makes the one that does what is due; it still lacks the payments.
func (h *hub) worker(db *postgres.DB, hubClock *clock.Clock) *jobs.Worker {
	w := jobs.New()
	w.DB = db
	w.Logger = h.log
	w.Keep = jobs.Retention(h.config.Retention)
	w.Now = hubClock.Now
	w.Reads = map[string]float64{"": config.ReadsPerSecond}
	for name, p := range h.config.Providers {
		w.Reads[name] = p.Reads
	}
	w.Sender = notifications.New(db, h.log, h.config.TimeScale, h.config.Dev)
	w.Sender.Now = hubClock.Now
	return w
}

// breaks lets tests see that a law is missed.
func (h *hub) breaks(law string) bool { return h.config.Dev && h.config.BreakLaw == law }

// crash lets tests see what is left if the hub dies between two lines.
func (h *hub) crash(point string) {
	if h.config.Dev && h.config.CrashAt == point {
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Kill()
			select {}
		}
	}
}

// shutdown ends what takes requests first, and then what works behind it.
func (h *hub) shutdown(app *fiber.App, registry *providers.Registry, stopWork func(), worked <-chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), h.config.Server.ShutdownTimeout)
	defer cancel()
	if err := app.ShutdownWithContext(ctx); err != nil {
		h.log.Warn("requests in flight were cut off; what they asked of a provider is found out at the next start", "error", err)
	}
	stopWork()
	select {
	case <-worked:
	case <-ctx.Done():
	}
	registry.Stop(ctx)
	select { // calls that were cut off have ended now; their outcome is being written
	case <-worked:
	case <-time.After(lastWrites):
		h.log.Warn("work in flight was cut off; it is due again at the next start")
	}
	h.log.Info("the hub has stopped")
}

// waitForDatabase opens the database, and waits while it is not there yet.
func (h *hub) waitForDatabase(ctx context.Context) (*postgres.DB, error) {
	deadline := time.Now().Add(databasePatience)
	for {
		db, err := h.database(ctx, false)
		if err == nil || !notThereYet(err) || time.Now().After(deadline) {
			return db, err
		}
		h.log.Warn("the database is not there yet; trying again", "error", err, "until", deadline)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// notThereYet tells a server that may be starting from one that says no.
func notThereYet(err error) bool {
	var refused *pq.Error
	if errors.As(err, &refused) {
		switch refused.Code.Class() {
		case "08", "53", "57": // connection failure, too many connections, starting up or shutting down
			return true
		}
		return false
	}
	var network *net.OpError
	return errors.As(err, &network)
}
