package access

import (
	"context"
	"errors"
	"time"

	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// ErrUnknownKey says that a key is wrong, revoked, expired or missing.
var ErrUnknownKey = errors.New("unknown API key")

// Keys checks API keys.
type Keys struct{ DB *postgres.DB }

// App finds the app of a key. ErrUnknownKey if there is none. The look-up is by
// the key's SHA-256: what an attacker can time tells nothing about the key.
func (k *Keys) App(ctx context.Context, key string) (postgres.App, error) {
	if key == "" || len(key) > 200 {
		return postgres.App{}, ErrUnknownKey
	}
	app, err := k.DB.AppOfKey(ctx, HashKey(key), time.Now().UTC())
	if errors.Is(err, postgres.ErrNotFound) {
		return app, ErrUnknownKey
	}
	return app, err
}
