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
	ReadOnly  bool           `db:"read_only"` // the key that it came with may only look
}

// apiKeySQL also notes that the key is used, to about ten minutes: usually that
// is a look, now and then a write, and never a round trip of its own.
const apiKeySQL = `WITH used AS (
		UPDATE api_keys SET last_used_at = $2 WHERE hash = $1 AND revoked_at IS NULL AND (last_used_at IS NULL OR last_used_at < $2::timestamptz - interval '10 minutes')
	) SELECT a.id, a.name, ARRAY(SELECT provider FROM app_providers g WHERE g.app_id = a.id) AS providers, k.scope = 'read' AS read_only
	FROM api_keys k JOIN apps a ON a.id = k.app_id WHERE k.hash = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2)`

// AppOfKey finds the app of a key that is neither revoked nor expired, by the
// key's hash. ErrNotFound.
func (p *DB) AppOfKey(ctx context.Context, hash []byte, now time.Time) (App, error) {
	var a App
	err := again(ctx, func() error { return p.apiKey.GetContext(ctx, &a, hash, now) })
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
	err := again(ctx, func() error {
		return p.db.QueryRowxContext(ctx, q, id, name, now, pq.StringArray(providers)).Scan(&a.ID, &a.Name)
	})
	return a, mapErr(err)
}

// AppByName finds an app. ErrNotFound.
func (p *DB) AppByName(ctx context.Context, name string) (App, error) {
	var a App
	err := p.db.GetContext(ctx, &a, `SELECT a.id, a.name, ARRAY(SELECT provider FROM app_providers g WHERE g.app_id = a.id) AS providers
		FROM apps a WHERE a.name = $1`, name)
	return a, mapErr(err)
}

// AppName is what an app is called. ErrNotFound.
func (p *DB) AppName(ctx context.Context, id string) (string, error) {
	var name string
	err := p.db.GetContext(ctx, &name, `SELECT name FROM apps WHERE id = $1`, id)
	return name, mapErr(err)
}

// AppByID finds an app. ErrNotFound.
func (p *DB) AppByID(ctx context.Context, id string) (AppRow, error) {
	var a AppRow
	err := p.db.GetContext(ctx, &a, appRowSQL+` WHERE a.id = $1`, id)
	return a, mapErr(err)
}

// GrantProviders says which providers an app may use from now on; "*" is all of
// them. ErrNotFound.
func (p *DB) GrantProviders(ctx context.Context, id string, providers []string) error {
	return p.mustHit(ctx, `WITH app AS (SELECT id FROM apps WHERE id = $1 FOR NO KEY UPDATE), gone AS (
			DELETE FROM app_providers WHERE app_id = $1 AND provider <> ALL($2::text[])
		), granted AS (
			INSERT INTO app_providers (app_id, provider) SELECT app.id, g FROM app, unnest($2::text[]) g ON CONFLICT DO NOTHING
		) SELECT id FROM app`, id, pq.StringArray(providers))
}

// AppRow is an app as an operator lists it.
type AppRow struct {
	App
	Keys      int       `db:"keys"` // that are not revoked
	CreatedAt time.Time `db:"created_at"`
}

const appRowSQL = `SELECT id, name, created_at, ARRAY(SELECT provider FROM app_providers g WHERE g.app_id = a.id ORDER BY provider) AS providers,
	(SELECT count(*) FROM api_keys k WHERE k.app_id = a.id AND k.revoked_at IS NULL) AS keys FROM apps a`

// Apps lists all apps by name.
func (p *DB) Apps(ctx context.Context) ([]AppRow, error) {
	var out []AppRow
	err := p.db.SelectContext(ctx, &out, appRowSQL+` ORDER BY name`)
	return out, mapErr(err)
}
