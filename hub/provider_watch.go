package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// providers are all: of the file and the environment, and those that the
// console keeps in the database. A name in both is an error, because nobody
// could tell which of the two is in force.
func (h *hub) providers(ctx context.Context, db *postgres.DB) ([]providers.Config, error) {
	configs := h.configured()
	kept, err := db.KeptProviders(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the console's providers: %w", err)
	}
	for _, k := range kept {
		if _, both := h.config.Providers[k.Name]; both {
			return nil, fmt.Errorf("provider %s is set up twice, in %s and in the console: remove it there, or start without it, disable it in the console and remove it there",
				k.Name, h.config.ProviderOrigin(k.Name))
		}
		configs = append(configs, keptConfig(k))
	}
	return configs, nil
}

// configured are those of the file and the environment.
func (h *hub) configured() []providers.Config {
	var configs []providers.Config
	for name, p := range h.config.Providers {
		c := providers.Config{Name: name, Plugin: p.Plugin, Settings: sdk.Settings(p.Settings), Disabled: p.Disabled, Origins: map[string]string{"": h.config.ProviderOrigin(name)}}
		for setting := range p.Settings {
			c.Origins[setting] = h.config.Origin("providers." + name + ".settings." + setting)
		}
		for at, origin := range c.Origins {
			if strings.ContainsRune(origin, filepath.Separator) {
				c.Origins[at] = filepath.Base(origin) // who looks at the console need not know the machine's folders
			}
		}
		configs = append(configs, c)
	}
	return configs
}

func keptConfig(k postgres.KeptProvider) providers.Config {
	return providers.Config{Name: k.Name, Plugin: k.Plugin, Settings: sdk.Settings(k.Settings), Disabled: !k.Enabled, Kept: true, Version: k.Version}
}

const (
	watchEvery = 2 * time.Second
	// tryAgain is how long a hub waits before it takes settings again that its
	// plugin refused, though the hub where they were made had tried them.
	tryAgain = 30 * time.Second
)

// providerWatch brings what is changed in one hub's console in force on this
// one: it looks at the database every few seconds.
type providerWatch struct {
	db       *postgres.DB
	registry *providers.Registry
	log      *slog.Logger
	drain    time.Duration // for calls in flight to end
	takeNew  bool          // take a plugin's executable that was replaced

	mu       sync.Mutex
	restarts map[string]time.Time // when each was last asked for
	refused  map[string]time.Time // when each was last refused by its plugin
}

// run looks until the context ends.
func (w *providerWatch) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(watchEvery):
		}
		if err := w.look(ctx); err != nil && ctx.Err() == nil {
			w.log.WarnContext(ctx, "could not look for changes of providers; it is tried again", "error", err)
		}
	}
}

// asked are the times at which restarts were last asked for.
func (w *providerWatch) asked(ctx context.Context) (map[string]time.Time, error) {
	marks, err := w.db.ProviderMarks(ctx)
	all := map[string]time.Time{}
	for _, m := range marks {
		all[m.Name] = m.AskedAt
	}
	return all, err
}

// look takes what has changed, and returns when it is in force here.
func (w *providerWatch) look(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	marks, err := w.db.ProviderMarks(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(marks, func(m postgres.ProviderMark) bool { return m.Former }) {
		return w.db.DropFormer(ctx, time.Now().UTC()) // which the next look takes
	}
	var changed bool
	versions := map[string]int64{}
	for _, m := range marks {
		if versions[m.Name] = m.Version; m.Version > 0 {
			p, ok := w.registry.Get(m.Name)
			changed = changed || !ok || p.Config().Version < m.Version && time.Since(w.refused[m.Name]) > tryAgain
		}
	}
	for _, p := range w.registry.All() {
		if p.Config().Kept && versions[p.Name()] == 0 {
			w.remove(ctx, p.Name())
		}
	}
	if changed {
		if err := w.take(ctx); err != nil {
			return err
		}
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.drain+providerStart)
	defer cancel()
	w.registry.TakeNew(within, w.takeNew)
	for _, m := range marks {
		if m.AskedAt.Unix() > 0 && m.AskedAt.After(w.restarts[m.Name]) {
			w.restart(ctx, m)
		}
	}
	return nil
}

// take brings newer settings in force, one provider after the other.
func (w *providerWatch) take(ctx context.Context) error {
	kept, err := w.db.KeptProviders(ctx)
	if err != nil {
		return err
	}
	for _, k := range kept {
		p, ok := w.registry.Get(k.Name)
		if ok && (!p.Config().Kept || p.Config().Version >= k.Version) {
			continue // that of the file stays: the next start says that there are two
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.drain+providerStart)
		err := w.registry.Put(ctx, keptConfig(k))
		cancel()
		if w.refused == nil {
			w.refused = map[string]time.Time{}
		}
		if delete(w.refused, k.Name); err != nil {
			w.refused[k.Name] = time.Now()
			w.log.WarnContext(ctx, "a provider's new settings are not in force on this hub", "provider", k.Name, "version", k.Version, "error", err)
			continue
		}
		w.log.InfoContext(ctx, "a provider's settings were changed in the console", "provider", k.Name, "version", k.Version, "by", k.UpdatedBy, "settings", slices.Sorted(maps.Keys(k.Settings)))
	}
	return nil
}

// providerStart is for a new process to come up.
const providerStart = 15 * time.Second

func (w *providerWatch) remove(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.drain)
	defer cancel()
	w.registry.Remove(ctx, name)
	w.log.InfoContext(ctx, "a provider was removed in the console", "provider", name)
}

func (w *providerWatch) restart(ctx context.Context, m postgres.ProviderMark) {
	w.restarts[m.Name] = m.AskedAt
	p, ok := w.registry.Get(m.Name)
	if !ok || p.State().Status == providers.StatusDisabled {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.drain+providerStart)
	defer cancel()
	if err := p.Restart(ctx); err != nil {
		w.log.WarnContext(ctx, "a provider that was to restart did not come up", "provider", m.Name, "error", err)
	}
}
