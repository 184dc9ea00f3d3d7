package postgres

import (
	"context"
	"time"
)

// Scopes of API keys.
const (
	ScopeFull = "full"
	ScopeRead = "read" // GET alone
)

// MaxKeys of one app that are neither revoked nor expired: enough for every
// server to have its own.
const MaxKeys = 100

// NewKey is an API key as it is stored: its hash, never the key.
type NewKey struct {
	ID, AppID, Hint string
	Hash            []byte
	Scope           string     // ScopeFull if empty
	ExpiresAt       *time.Time // nil: never
	CreatedAt       time.Time
}

// AddKey stores a key, unless its app has MaxKeys: ErrDuplicate. Adding the
// same key twice is harmless; another one under the same id is ErrTaken.
func (p *DB) AddKey(ctx context.Context, k NewKey) error {
	if k.Scope == "" {
		k.Scope = ScopeFull
	}
	res, err := p.exec(ctx, `INSERT INTO api_keys (id, app_id, hash, hint, scope, expires_at, created_at) SELECT $1, $2, $3, $4, $5, $6, $7
		WHERE (SELECT count(*) FROM api_keys WHERE app_id = $2 AND hash <> $3 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $7)) < $8
		ON CONFLICT (hash) DO UPDATE SET hint = excluded.hint`, k.ID, k.AppID, k.Hash, k.Hint, k.Scope, k.ExpiresAt, k.CreatedAt, MaxKeys)
	if err != nil {
		return mapErr(err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return ErrDuplicate
	}
	return nil
}

// RotateKey stores a key that may do what an old one of the same app may, for
// as long as that might have lived, and has the old one end at a time.
// ErrNotFound if it has ended; ErrDuplicate if the app has MaxKeys; ErrTaken if
// another key has the id.
func (p *DB) RotateKey(ctx context.Context, oldID string, k NewKey, ends time.Time) error {
	var old, added int
	err := again(ctx, func() error { // a repetition finds the new key
		return p.db.QueryRowContext(ctx, `WITH done AS (
				SELECT FROM api_keys WHERE id = $3 AND app_id = $2 AND hash = $4
			), old AS (
				SELECT id, scope, expires_at FROM api_keys WHERE id = $1 AND app_id = $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $6)
			), added AS (
				INSERT INTO api_keys (id, app_id, hash, hint, scope, expires_at, created_at) SELECT $3, $2, $4, $5, scope, expires_at, $6 FROM old
				WHERE NOT EXISTS (SELECT FROM done)
				AND (SELECT count(*) FROM api_keys WHERE app_id = $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $6)) < $8 RETURNING 1
			), ended AS (
				UPDATE api_keys SET expires_at = least(expires_at, $7::timestamptz) WHERE id = $1 AND EXISTS (SELECT FROM added)
			) SELECT (SELECT count(*) FROM old) + (SELECT count(*) FROM done), (SELECT count(*) FROM added) + (SELECT count(*) FROM done)`,
			oldID, k.AppID, k.ID, k.Hash, k.Hint, k.CreatedAt, ends, MaxKeys).Scan(&old, &added)
	})
	switch {
	case err != nil:
		return mapErr(err)
	case old == 0:
		return ErrNotFound
	case added == 0:
		return ErrDuplicate
	}
	return nil
}

// Key is what may be shown of an API key.
type Key struct {
	ID         string     `db:"id"`
	App        string     `db:"app"`
	Hint       string     `db:"hint"`
	Scope      string     `db:"scope"`
	CreatedAt  time.Time  `db:"created_at"`
	ExpiresAt  *time.Time `db:"expires_at"`
	LastUsedAt *time.Time `db:"last_used_at"` // to about ten minutes
	RevokedAt  *time.Time `db:"revoked_at"`
}

// KeysOf lists an app's keys, the newest first.
func (p *DB) KeysOf(ctx context.Context, app string) ([]Key, error) {
	var out []Key
	err := p.db.SelectContext(ctx, &out, `SELECT k.id, a.name AS app, k.hint, k.scope, k.created_at, k.expires_at, k.last_used_at, k.revoked_at
		FROM api_keys k JOIN apps a ON a.id = k.app_id WHERE a.name = $1 ORDER BY k.revoked_at IS NOT NULL, k.id DESC LIMIT 200`, app)
	return out, mapErr(err)
}

// RevokeKey ends a key at once. ErrNotFound.
func (p *DB) RevokeKey(ctx context.Context, id string, now time.Time) error {
	return p.mustHit(ctx, `UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND (revoked_at IS NULL OR revoked_at = $2)`, id, now)
}
