package postgres

import (
	"bytes"
	"context"
	"errors"
	"time"
)

// SecretID is the prefix of ids of endpoints' secrets.
const SecretID = "whs"

// MaxSecrets is how many secrets may sign for one endpoint at once.
const MaxSecrets = 8

// MadeSecret is a signing secret that a request makes for an endpoint.
type MadeSecret struct {
	ID      string
	Secret  string
	Key     string // the request's idempotency key; empty: it has none
	Request []byte // what was asked for, to tell it from another request under the same key
	At      time.Time
}

// ErrTooManySecrets says that MaxSecrets sign already.
var ErrTooManySecrets = errors.New("too many secrets")

// AddEndpoint stores an endpoint with its first secret, and returns it as it is on
// record. Repeated under the same idempotency key it returns what the first request
// made, with its secret. ErrKeyUsed: the key was another request's. ErrTaken: the app
// has an endpoint at that address, which is returned. ErrDuplicate: it has limit of
// them.
func (p *DB) AddEndpoint(ctx context.Context, e Endpoint, m MadeSecret, limit int) (Endpoint, error) {
	_, err := p.exec(ctx, `WITH added AS (
			INSERT INTO webhook_endpoints (id, app_id, url, url_key, secret, created_at) SELECT $1, $2, $3, $4, $5, $6
			WHERE NOT EXISTS (SELECT FROM webhook_secrets WHERE app_id = $2 AND idempotency_key = $9)
				AND NOT EXISTS (SELECT FROM webhook_endpoints WHERE app_id = $2 AND (url_key = $4 OR url = $3))
				AND (SELECT count(*) FROM webhook_endpoints WHERE app_id = $2) < $7
			ON CONFLICT DO NOTHING RETURNING id
		) INSERT INTO webhook_secrets (id, endpoint_id, app_id, secret, idempotency_key, request_hash, created_at) SELECT $8, id, $2, $5, nullif($9, ''), $10, $6 FROM added`,
		e.ID, e.AppID, e.URL, e.URLKey, p.sealSecret(e.ID, m.Secret), m.At, limit, m.ID, m.Key, m.Request)
	if err != nil && !errors.Is(mapErr(err), ErrDuplicate) { // else another request under the same key was faster
		return Endpoint{}, mapErr(err)
	}
	made, err := p.secretMade(ctx, e.AppID, m)
	switch {
	case err == nil:
		added, err := p.Endpoint(ctx, e.AppID, made.EndpointID)
		added.Secret = made.Secret
		return added, err
	case !errors.Is(err, ErrNotFound):
		return Endpoint{}, err
	}
	var there Endpoint
	err = p.db.GetContext(ctx, &there, `SELECT `+endpointColumns+` FROM webhook_endpoints WHERE app_id = $1 AND (url_key = $2 OR url = $3) ORDER BY id LIMIT 1`, e.AppID, e.URLKey, e.URL)
	switch err := mapErr(err); {
	case err == nil:
		return there, ErrTaken
	case errors.Is(err, ErrNotFound):
		return Endpoint{}, ErrDuplicate
	default:
		return Endpoint{}, err
	}
}

// RotateEndpoint gives an endpoint a new secret, and returns it; all before it sign
// beside it until then, or until their own end if that is sooner. Repeated under the
// same idempotency key it returns the secret that the first request made. ErrNotFound.
// ErrKeyUsed: the key was another request's. ErrTooManySecrets.
func (p *DB) RotateEndpoint(ctx context.Context, appID, id string, m MadeSecret, until time.Time) (secret string, err error) {
	_, err = p.exec(ctx, `WITH fresh AS (
			INSERT INTO webhook_secrets (id, endpoint_id, app_id, secret, idempotency_key, request_hash, created_at)
			SELECT $3, e.id, e.app_id, $4, nullif($5, ''), $6, $7 FROM webhook_endpoints e WHERE e.app_id = $1 AND e.id = $2
				AND (SELECT count(*) FROM webhook_secrets WHERE endpoint_id = e.id AND (expires_at IS NULL OR expires_at > $7)) < $9
			ON CONFLICT DO NOTHING RETURNING endpoint_id
		), ending AS (
			UPDATE webhook_secrets s SET expires_at = least(s.expires_at, $8::timestamptz) FROM fresh WHERE s.endpoint_id = fresh.endpoint_id
		) UPDATE webhook_endpoints e SET secret = $4 FROM fresh WHERE e.id = fresh.endpoint_id`,
		appID, id, m.ID, p.sealSecret(id, m.Secret), m.Key, m.Request, m.At, until, MaxSecrets)
	if err != nil {
		return "", mapErr(err)
	}
	made, err := p.secretMade(ctx, appID, m)
	if !errors.Is(err, ErrNotFound) {
		return made.Secret, err
	}
	if _, err := p.Endpoint(ctx, appID, id); err != nil {
		return "", err
	}
	return "", ErrTooManySecrets
}

type secretMade struct {
	EndpointID string `db:"endpoint_id"`
	Request    []byte `db:"request_hash"`
	Sealed     []byte `db:"secret"`
	Secret     string `db:"-"`
}

// secretMade reads what a request made, or an earlier one under the same key.
// ErrNotFound. ErrKeyUsed if that one asked for something else.
func (p *DB) secretMade(ctx context.Context, appID string, m MadeSecret) (made secretMade, err error) {
	err = p.db.GetContext(ctx, &made, `SELECT endpoint_id, request_hash, secret FROM webhook_secrets WHERE app_id = $1 AND (id = $2 OR idempotency_key = nullif($3, ''))`,
		appID, m.ID, m.Key)
	if err != nil {
		return made, mapErr(err)
	}
	if !bytes.Equal(made.Request, m.Request) {
		return made, ErrKeyUsed
	}
	plain, err := p.openSecret(made.EndpointID, made.Sealed)
	made.Secret = string(plain)
	return made, err
}

// DropSecrets deletes secrets that ended before then.
func (p *DB) DropSecrets(ctx context.Context, before time.Time) error {
	_, err := p.exec(ctx, `DELETE FROM webhook_secrets WHERE expires_at < $1`, before)
	return mapErr(err)
}
