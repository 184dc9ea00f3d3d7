package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/superpayhub/superpay/hub/internal/clock"
	"github.com/superpayhub/superpay/hub/internal/connect"
	"github.com/superpayhub/superpay/hub/internal/jobs"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// pluginWait is how long the hub's start waits for plugins. Those that need
// longer come up later, and are answered for with provider_down until then. In
// development it waits for all: the first payment is to go through.
const pluginWait = 2 * time.Second

// startProviders returns when each plugin is up or has failed once, or after
// pluginWait. After an error none is left.
func (h *hub) startProviders(ctx context.Context, metrics *prometheus.Registry, db *postgres.DB, worker *jobs.Worker, hubClock *clock.Clock) (*providers.Registry, error) {
	configs, err := h.providers(ctx, db)
	if err != nil {
		return nil, err
	}
	if len(configs) == 0 {
		h.log.Warn("no provider is configured, so nothing can be paid: set one up in the console, or as HUB_PROVIDERS__STRIPE__SETTINGS__SECRET_KEY and ..._WEBHOOK_SECRET; `hub config` prints all settings")
	}
	wait := pluginWait
	if h.config.Dev {
		wait = 0
	}
	if err := h.warnOfGone(ctx, db, configs); err != nil {
		return nil, err
	}
	registry, err := providers.New(providers.Options{
		Dirs: h.config.PluginFolders(), CallTimeout: h.config.CallTimeout, StartWait: wait, Logger: h.log, Registerer: metrics,
		Env: pluginEnvironment(), Hide: h.secrets.Add, TestOnly: h.config.TimeScale != 1 && !h.config.Dev,
	}, configs)
	if err != nil {
		return nil, err
	}
	registry.OnUp(func(name string) { h.providerUp(db, worker, hubClock, h.connector(db, registry), name) })
	if err = registry.Start(ctx); err == nil {
		err = h.checkTimeScale(registry)
	}
	if err != nil {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.config.Server.ShutdownTimeout)
		defer cancel()
		registry.Stop(stop)
		return nil, err
	}
	return registry, nil
}

// registry is one for a command, beside that of a hub that may be running. It starts
// nothing.
func (h *hub) registry(folders []string, log *slog.Logger, configs []providers.Config) (*providers.Registry, error) {
	return providers.New(providers.Options{
		Dirs: folders, CallTimeout: h.config.CallTimeout, Logger: log, Env: pluginEnvironment(), Hide: h.secrets.Add,
	}, configs)
}

// schedules are those of the providers that have one of their own.
func (h *hub) schedules() map[string][]time.Duration {
	own := map[string][]time.Duration{}
	for name, p := range h.config.Providers {
		if len(p.Schedule) > 0 {
			own[name] = p.Schedule
		}
	}
	return own
}

// connector looks after the providers' side of the settings.
func (h *hub) connector(db *postgres.DB, registry *providers.Registry) *connect.Service {
	return &connect.Service{
		DB: db, Providers: registry, PublicURL: h.config.Server.PublicURL, Logger: h.log, Scrub: h.secrets.Scrub,
		Now: func() time.Time { return time.Now().UTC() },
	}
}

// providerUp has what was left open with it looked after, what happened there
// meanwhile listed, and its settings compared with what stands there. It must return
// at once.
func (h *hub) providerUp(db *postgres.DB, worker *jobs.Worker, hubClock *clock.Clock, connector *connect.Service, name string) {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := connector.CameUp(ctx, name); err != nil {
			h.log.Warn("how a provider is set up there was not looked at", "provider", name, "error", err)
		}
	}()
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		now := hubClock.Now().UTC()
		if err := errors.Join(db.DueNow(ctx, name, now), db.CameUp(ctx, name, now, payments.ListOverlap)); err != nil {
			h.log.Warn("what is open with a provider is looked at when it is due, not now", "provider", name, "error", err)
			return
		}
		worker.Kick()
	}()
}

// checkTimeScale keeps a test's haste from orders of real money. Of a provider that
// is still starting nothing is known yet: it is not let up with an account of real
// money (TestOnly).
func (h *hub) checkTimeScale(registry *providers.Registry) error {
	if h.config.TimeScale == 1 || h.config.Dev {
		return nil
	}
	for _, p := range registry.All() {
		s := p.State()
		if s.Status != providers.StatusDisabled && s.Status != providers.StatusStarting && s.Mode != sdk.Test {
			return fmt.Errorf("time_scale (HUB_TIME_SCALE) is only for tests, and provider %s is not known to be in test mode: remove it, or set HUB_DEV=1", p.Name())
		}
	}
	return nil
}

// pluginEnvironment is all that plugins see of ours: the way to their provider.
func pluginEnvironment() []string {
	var env []string
	for _, name := range []string{
		"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "TZ",
	} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
