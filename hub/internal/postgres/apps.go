package postgres

import (
	"context"
	"time"

	"github.com/lib/pq"
)

// App is who calls the API: it sees its own orders, and uses the providers
// granted to it.
type App struct {
	ID        string         `db:"id"`
	Name      string         `db:"name"`
	Providers pq.StringArray `db:"providers"` // "*" grants all
}

const apiKeySQL = `SELECT a.id, a.name, ARRAY(SELECT provider FROM app_providers g WHERE g.app_id = a.id) AS providers
	FROM api_keys k JOIN apps a ON a.id = k.app_id WHERE k.hash = $1 AND k.revoked_at IS NULL`

// AppOfKey finds the app of a key that is not revoked, by the key's hash. ErrNotFound.
func (p *DB) AppOfKey(ctx context.Context, hash []byte) (App, error) {
	var a App
	err := p.apiKey.GetContext(ctx, &a, hash)
	return a, mapErr(err)
}

// EnsureApp makes the app of that name with its grants, or finds it.
func (p *DB) EnsureApp(ctx context.Context, id, name string, providers []string, now time.Time) (App, error) {
	const q = `WITH made AS (
			INSERT INTO apps (id, name, created_at) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id, name
		), granted AS (
			INSERT INTO app_providers (app_id, provider) SELECT made.id, g FROM made, unnest($4::text[]) g ON CONFLICT DO NOTHING
		) SELECT id, name FROM made`
	a := App{Providers: providers}
	err := p.db.QueryRowxContext(ctx, q, id, name, now, pq.StringArray(providers)).Scan(&a.ID, &a.Name)
	return a, mapErr(err)
}

// AppByName finds an app. ErrNotFound.
func (p *DB) AppByName(ctx context.Context, name string) (App, error) {
	var a App
	err := p.db.GetContext(ctx, &a, `SELECT a.id, a.name, ARRAY(SELECT provider FROM app_providers g WHERE g.app_id = a.id) AS providers
		FROM apps a WHERE a.name = $1`, name)
	return a, mapErr(err)
}

// AppRow is an app as an operator lists it.
type AppRow struct {
	App
	Keys      int       `db:"keys"` // that are not revoked
	CreatedAt time.Time `db:"created_at"`
}

// Apps lists all apps by name.
func (p *DB) Apps(ctx context.Context) ([]AppRow, error) {
	var out []AppRow
	err := p.db.SelectContext(ctx, &out, `SELECT id, name, created_at,
			ARRAY(SELECT provider FROM app_providers g WHERE g.app_id = a.id) AS providers,
			(SELECT count(*) FROM api_keys k WHERE k.app_id = a.id AND k.revoked_at IS NULL) AS keys
		FROM apps a ORDER BY name`)
	return out, mapErr(err)
}

// AddKey stores a key's hash. Adding the same key twice is harmless.
func (p *DB) AddKey(ctx context.Context, id, appID, hint string, hash []byte, now time.Time) error {
	_, err := p.db.ExecContext(ctx, `INSERT INTO api_keys (id, app_id, hash, hint, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (hash) DO NOTHING`, id, appID, hash, hint, now)
	return mapErr(err)
}

// Key is what may be shown of an API key.
type Key struct {
	ID        string     `db:"id"`
	App       string     `db:"app"`
	Hint      string     `db:"hint"`
	CreatedAt time.Time  `db:"created_at"`
	RevokedAt *time.Time `db:"revoked_at"`
}

// KeysOf lists an app's keys, the newest first.
func (p *DB) KeysOf(ctx context.Context, app string) ([]Key, error) {
	var out []Key
	err := p.db.SelectContext(ctx, &out, `SELECT k.id, a.name AS app, k.hint, k.created_at, k.revoked_at
		FROM api_keys k JOIN apps a ON a.id = k.app_id WHERE a.name = $1 ORDER BY k.id DESC LIMIT 100`, app)
	return out, mapErr(err)
}

// RevokeKey ends a key at once. ErrNotFound.
func (p *DB) RevokeKey(ctx context.Context, id string, now time.Time) error {
	return p.mustHit(ctx, `UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL`, id, now)
}
