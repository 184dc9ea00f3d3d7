package postgres

import (
	"context"
	"fmt"
	"time"
)

// Endpoint is an address that an app wants notifications at.
type Endpoint struct {
	ID             string     `db:"id"`
	AppID          string     `db:"app_id"`
	URL            string     `db:"url"`
	URLKey         string     `db:"-"` // the address as it is compared, when it is added
	Secret         string     `db:"-"` // only when it was just made
	FailingSince   *time.Time `db:"failing_since"`
	DisabledAt     *time.Time `db:"disabled_at"`
	DisabledReason string     `db:"disabled_reason"`
	CreatedAt      time.Time  `db:"created_at"`
}

const endpointColumns = `id, app_id, url, failing_since, disabled_at, disabled_reason, created_at`

func (p *DB) sealSecret(endpointID, secret string) []byte {
	return p.keys.seal("webhook_endpoints.secret "+endpointID, []byte(secret))
}

func (p *DB) openSecret(endpointID string, sealed []byte) ([]byte, error) {
	return p.keys.open("webhook_endpoints.secret "+endpointID, sealed)
}

// Endpoints lists an app's endpoints, the oldest first.
func (p *DB) Endpoints(ctx context.Context, appID string) ([]Endpoint, error) {
	var out []Endpoint
	err := p.db.SelectContext(ctx, &out, `SELECT `+endpointColumns+` FROM webhook_endpoints WHERE app_id = $1 ORDER BY id`, appID)
	return out, mapErr(err)
}

// Endpoint reads one of an app's endpoints. ErrNotFound.
func (p *DB) Endpoint(ctx context.Context, appID, id string) (Endpoint, error) {
	var e Endpoint
	err := p.db.GetContext(ctx, &e, `SELECT `+endpointColumns+` FROM webhook_endpoints WHERE app_id = $1 AND id = $2`, appID, id)
	return e, mapErr(err)
}

// DeleteEndpoint ends an endpoint and what was still to be sent to it. ErrNotFound.
func (p *DB) DeleteEndpoint(ctx context.Context, appID, id string) error {
	return p.remove(ctx, "webhook_endpoints", "app_id = $1 AND id = $2", "true", appID, id)
}

// EnableEndpoint lets a disabled endpoint be tried again: what waited is due, and
// what changed meanwhile is still to be told (see TellMissed). ErrNotFound.
func (p *DB) EnableEndpoint(ctx context.Context, appID, id string, now time.Time, margin time.Duration) error {
	return p.mustHit(ctx, `UPDATE webhook_endpoints SET disabled_at = NULL, disabled_reason = '', failing_since = NULL, gone_since = NULL,
		missed_from = CASE WHEN disabled_at IS NULL THEN missed_from ELSE least(missed_from, disabled_at - make_interval(secs => $4)) END,
		missed_until = CASE WHEN disabled_at IS NULL THEN missed_until ELSE $3 END
		WHERE app_id = $1 AND id = $2`, appID, id, now, margin.Seconds())
}

// DisableEndpoint has nothing sent to an endpoint until it is enabled; what is
// due waits. ErrNotFound, also when it is disabled already.
func (p *DB) DisableEndpoint(ctx context.Context, appID, id, reason string, now time.Time) error {
	return p.mustHit(ctx, `UPDATE webhook_endpoints SET disabled_at = $3, disabled_reason = $4 WHERE app_id = $1 AND id = $2 AND (disabled_at IS NULL OR disabled_at = $3)`,
		appID, id, now, reason)
}

// mustHit runs a statement that must hit a row, also when it is repeated: see
// exec. ErrNotFound.
func (p *DB) mustHit(ctx context.Context, q string, args ...any) error {
	res, err := p.exec(ctx, q, args...)
	if err != nil {
		return mapErr(err)
	}
	if n, err := res.RowsAffected(); err != nil {
		return mapErr(err)
	} else if n == 0 {
		return ErrNotFound
	}
	return nil
}

// remove deletes the row with a key, if it meets a condition. ErrNotFound if
// there was none. If the answer was lost, a row that is gone was deleted.
func (p *DB) remove(ctx context.Context, table, key, condition string, args ...any) error {
	var deleted, lost bool
	q := fmt.Sprintf(`WITH deleted AS (DELETE FROM %s WHERE %s AND %s RETURNING 1) SELECT EXISTS (SELECT FROM deleted)`, table, key, condition)
	err := again(ctx, func() error {
		err := p.db.GetContext(ctx, &deleted, q, args...)
		lost = lost || err != nil
		return err
	})
	if err == nil && !deleted && lost {
		err = p.db.GetContext(ctx, &deleted, fmt.Sprintf(`SELECT NOT EXISTS (SELECT FROM %s WHERE %s)`, table, key), args...)
	}
	if err == nil && !deleted {
		return ErrNotFound
	}
	return mapErr(err)
}

// AllEndpoints lists the endpoints of all apps, with the app's name: those that
// are disabled first, then those that fail.
func (p *DB) AllEndpoints(ctx context.Context, limit int) ([]EndpointRow, error) {
	var out []EndpointRow
	err := p.db.SelectContext(ctx, &out, `SELECT e.id, e.app_id, a.name AS app, e.url, e.failing_since, e.disabled_at, e.disabled_reason, e.created_at
		FROM webhook_endpoints e JOIN apps a ON a.id = e.app_id
		ORDER BY e.disabled_at IS NULL, e.failing_since IS NULL, a.name, e.id LIMIT $1`, limit)
	return out, mapErr(err)
}

// EndpointRow is an endpoint as an operator lists it.
type EndpointRow struct {
	Endpoint
	App string `db:"app"`
}
