package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lib/pq"
)

// KeptProvider is a provider that was set up in the console.
type KeptProvider struct {
	Name      string               `db:"id"`
	Plugin    string               `db:"plugin"`
	Settings  map[string]string    `db:"-"` // secrets among them
	SetAt     map[string]time.Time `db:"-"` // of each setting
	Former    map[string]time.Time `db:"-"` // of a setting with several values: until when those after the first count
	Enabled   bool                 `db:"enabled"`
	Version   int64                `db:"version"`
	CreatedAt time.Time            `db:"created_at"`
	UpdatedAt time.Time            `db:"updated_at"`
	UpdatedBy string               `db:"updated_by"`
}

// KeptProviders reads all of them, by name.
func (p *DB) KeptProviders(ctx context.Context) ([]KeptProvider, error) {
	var rows []struct {
		KeptProvider
		Sealed []byte          `db:"settings"`
		Set    json.RawMessage `db:"set_at"`
		Until  json.RawMessage `db:"former_until"`
	}
	err := p.db.SelectContext(ctx, &rows, `SELECT id, plugin, settings, set_at, former_until, enabled, version, created_at, updated_at, updated_by FROM providers ORDER BY id`)
	if err != nil {
		return nil, mapErr(err)
	}
	var out []KeptProvider
	for _, row := range rows {
		plain, err := p.keys.open("providers.settings "+row.Name, row.Sealed)
		if err == nil {
			err = json.Unmarshal(plain, &row.Settings)
		}
		if err == nil {
			err = errors.Join(json.Unmarshal(row.Set, &row.SetAt), json.Unmarshal(row.Until, &row.Former))
		}
		if err != nil {
			return nil, err
		}
		out = append(out, row.KeptProvider)
	}
	return out, nil
}

// AddProvider keeps a new one at version 1, and lets apps use it. ErrDuplicate
// if there is one of that name. Settings are sealed anew each time that they are
// written, so that equal ones are of this very call: its first run, whose answer
// was lost.
func (p *DB) AddProvider(ctx context.Context, k KeptProvider, apps []string) error {
	sealed, set, former, err := p.sealProvider(k)
	if err != nil {
		return err
	}
	// One statement: an app that has gone meanwhile leaves nothing behind.
	err = p.mustHit(ctx, `WITH added AS (
			INSERT INTO providers (id, plugin, settings, set_at, enabled, version, created_at, updated_at, updated_by, former_until)
			VALUES ($1, $2, $3, $4, $5, 1, $6, $6, $7, $9)
			ON CONFLICT (id) DO UPDATE SET plugin = excluded.plugin WHERE providers.settings = excluded.settings RETURNING id
		), granted AS (
			INSERT INTO app_providers (app_id, provider) SELECT a, added.id FROM added, unnest($8::text[]) a ON CONFLICT DO NOTHING
		) SELECT FROM added`,
		k.Name, k.Plugin, sealed, set, k.Enabled, k.UpdatedAt, k.UpdatedBy, pq.StringArray(apps), former)
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: provider %s", ErrDuplicate, k.Name)
	}
	return err
}

// ChangeProvider writes settings and whether it is enabled, at the version that
// was read: ErrNotFound if that has changed.
func (p *DB) ChangeProvider(ctx context.Context, k KeptProvider) error {
	sealed, set, former, err := p.sealProvider(k)
	if err != nil {
		return err
	}
	return p.mustHit(ctx, `UPDATE providers SET settings = $3, set_at = $4, enabled = $5, version = $2::bigint + 1, updated_at = $6, updated_by = $7, former_until = $8
		WHERE id = $1 AND (version = $2 OR version = $2::bigint + 1 AND settings = $3)`, k.Name, k.Version, sealed, set, k.Enabled, k.UpdatedAt, k.UpdatedBy, former)
}

// RemoveProvider forgets one that is disabled. ErrNotFound if it is not.
func (p *DB) RemoveProvider(ctx context.Context, name string) error {
	return p.remove(ctx, "providers", "id = $1", "NOT enabled", name)
}

func (p *DB) sealProvider(k KeptProvider) (sealed []byte, set, former string, err error) {
	plain, err := json.Marshal(k.Settings)
	if err != nil {
		return nil, "", "", err
	}
	docs := make([]string, 2)
	for i, times := range []map[string]time.Time{k.SetAt, k.Former} {
		if times == nil {
			times = map[string]time.Time{}
		}
		doc, err := json.Marshal(times)
		if err != nil {
			return nil, "", "", err
		}
		docs[i] = string(doc)
	}
	return p.keys.seal("providers.settings "+k.Name, plain), docs[0], docs[1], nil
}

// DropFormer ends former values of settings whose time is over. Of several hubs one
// does so, and all take it as any change.
func (p *DB) DropFormer(ctx context.Context, now time.Time) error {
	kept, err := p.KeptProviders(ctx)
	if err != nil {
		return err
	}
	for _, k := range kept {
		if !k.dropFormer(now) {
			continue
		}
		k.UpdatedAt, k.UpdatedBy = now, "the hub"
		if err := p.ChangeProvider(ctx, k); err != nil && !errors.Is(err, ErrNotFound) { // else somebody changed it meanwhile
			return err
		}
	}
	return nil
}

func (k *KeptProvider) dropFormer(now time.Time) (dropped bool) {
	for name, until := range k.Former {
		if until.After(now) {
			continue
		}
		k.Settings[name], _, _ = strings.Cut(k.Settings[name], ",")
		delete(k.Former, name)
		dropped = true
	}
	return dropped
}

// AskRestart has all hubs restart a provider.
func (p *DB) AskRestart(ctx context.Context, name, who string, now time.Time) error {
	_, err := p.exec(ctx, `INSERT INTO provider_restarts (provider, asked_at, asked_by) VALUES ($1, $2, $3)
		ON CONFLICT (provider) DO UPDATE SET asked_at = excluded.asked_at, asked_by = excluded.asked_by`, name, now, who)
	return mapErr(err)
}

// ProviderMark tells whether something is to be done about a provider.
type ProviderMark struct {
	Name    string    `db:"name"`
	Version int64     `db:"version"`  // 0: it is not kept here
	AskedAt time.Time `db:"asked_at"` // 1970: nobody asked for a restart
	Former  bool      `db:"former"`   // a former value of a setting has ended: see DropFormer
}

// ProviderMarks are what hubs look at every few seconds: two small tables.
func (p *DB) ProviderMarks(ctx context.Context) ([]ProviderMark, error) {
	var out []ProviderMark
	err := p.db.SelectContext(ctx, &out, `SELECT coalesce(p.id, r.provider) AS name, coalesce(p.version, 0) AS version, coalesce(r.asked_at, 'epoch') AS asked_at,
		EXISTS (SELECT FROM jsonb_each_text(p.former_until) f WHERE f.value::timestamptz <= now()) AS former
		FROM providers p FULL JOIN provider_restarts r ON r.provider = p.id`)
	return out, mapErr(err)
}

// LastCallbacks are when each of those providers last called.
func (p *DB) LastCallbacks(ctx context.Context, names []string) (map[string]time.Time, error) {
	var rows []struct {
		Name string
		At   time.Time
	}
	err := p.db.SelectContext(ctx, &rows, `SELECT n.name, c.received_at AS at FROM unnest($1::text[]) n (name),
		LATERAL (SELECT received_at FROM callbacks WHERE provider = n.name ORDER BY id DESC LIMIT 1) c`, pq.StringArray(names))
	out := map[string]time.Time{}
	for _, r := range rows {
		out[r.Name] = r.At
	}
	return out, mapErr(err)
}
