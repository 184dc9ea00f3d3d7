package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

// kept returns the provider as the database has it; nil if it does not. One that
// somebody else set up is an error: it is left alone.
func (d *pluginDev) kept(ctx context.Context) (*postgres.KeptProvider, error) {
	all, err := d.db.KeptProviders(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range all {
		switch {
		case k.Name != d.name:
		case !d.mine(k):
			return nil, fmt.Errorf("provider %s was set up in the console, and not by `hub plugin dev`: disable and remove it there first. "+
				"Its orders stay on record, and belong to a provider of that name again; its settings are lost", d.name)
		default:
			return &k, nil
		}
	}
	return nil, nil
}

// keep sets the provider up as the console does, or brings k, as it is kept, up to
// date: enabled, with these settings. The hub sees it within seconds.
func (d *pluginDev) keep(ctx context.Context, k *postgres.KeptProvider, settings sdk.Settings) error {
	now := time.Now().UTC().Truncate(time.Microsecond) // as the database keeps it
	if k == nil {
		k = &postgres.KeptProvider{Name: d.name, Plugin: d.name, CreatedAt: now}
		return d.write(ctx, "provider.create", k, settings, true, now)
	}
	if k.Enabled && maps.Equal(k.Settings, settings) {
		return nil
	}
	return d.write(ctx, "provider.settings", k, settings, true, now)
}

// disable leaves the provider on record, and has the hub ask it for nothing.
func (d *pluginDev) disable(ctx context.Context) error {
	if !d.used {
		return nil
	}
	k, err := d.kept(ctx)
	if err == nil && k != nil && k.Enabled {
		err = d.write(ctx, "provider.disable", k, k.Settings, false, time.Now().UTC())
	}
	if err != nil {
		return fmt.Errorf("provider %s was not disabled, and is down until the next `hub plugin dev`: %w", d.name, err)
	}
	return nil
}

// write keeps the provider, and the audit that it was changed.
func (d *pluginDev) write(ctx context.Context, action string, k *postgres.KeptProvider, settings sdk.Settings, enabled bool, now time.Time) error {
	audit, act := byCommand(d.db, action, d.name)
	act.Why = "hub plugin dev"
	setAt := maps.Clone(k.SetAt)
	if setAt == nil {
		setAt = map[string]time.Time{}
	}
	for name, value := range settings {
		if k.Settings[name] != value {
			setAt[name] = now
		}
	}
	k.Settings, k.SetAt, k.Enabled, k.UpdatedAt, k.UpdatedBy = settings, setAt, enabled, now, act.Who
	err := audit.Do(ctx, act, func() error {
		if action != "provider.create" {
			return d.db.ChangeProvider(ctx, *k)
		}
		if err := os.WriteFile(d.mark(), []byte(markOf(*k)), 0o600); err != nil {
			return err
		}
		return d.db.AddProvider(ctx, *k, nil)
	})
	if errors.Is(err, postgres.ErrNotFound) || errors.Is(err, postgres.ErrDuplicate) {
		return fmt.Errorf("somebody changed provider %s at the same moment: save a file, and it is tried again", d.name)
	}
	return err
}

// mark is the file that says which provider in the database is of `hub plugin dev`.
func (d *pluginDev) mark() string { return filepath.Join(d.h.config.PluginDevDir, d.name+".provider") }

func markOf(k postgres.KeptProvider) string { return k.CreatedAt.UTC().Format(time.RFC3339Nano) }

// mine reports whether `hub plugin dev` set the provider up.
func (d *pluginDev) mine(k postgres.KeptProvider) bool {
	mark, err := os.ReadFile(d.mark())
	return err == nil && string(mark) == markOf(k)
}
