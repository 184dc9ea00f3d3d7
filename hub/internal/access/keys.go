package access

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// ErrUnknownKey says that a key is wrong, revoked, expired or missing.
var ErrUnknownKey = errors.New("unknown API key")

const (
	// keyAge is how long an answer about a good key holds: a key that is revoked
	// or expires is refused by every hub within that time.
	keyAge = time.Second

	keysMost    = 1000 // remembered
	keysTimeout = 5 * time.Second
)

// Keys checks API keys. A good one is looked up once in keyAge, however many
// requests come with it; a bad one each time.
type Keys struct {
	DB  *postgres.DB
	Now func() time.Time

	mu     sync.RWMutex
	known  map[string]knownKey // by hash
	lookUp singleflight.Group
}

type knownKey struct {
	app postgres.App
	at  time.Time
}

// App finds the app of a key. ErrUnknownKey if there is none. The look-up is by
// the key's SHA-256: what an attacker can time tells nothing about the key.
func (k *Keys) App(ctx context.Context, key string) (postgres.App, error) {
	if key == "" || len(key) > 200 {
		return postgres.App{}, ErrUnknownKey
	}
	hash := HashKey(key)
	k.mu.RLock()
	known, ok := k.known[string(hash)]
	k.mu.RUnlock()
	if ok && time.Since(known.at) < keyAge {
		return known.app, nil
	}
	app, err, _ := k.lookUp.Do(string(hash), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keysTimeout) // others wait for it, too
		defer cancel()
		at := time.Now()
		app, err := k.DB.AppOfKey(ctx, hash, k.Now().UTC())
		k.remember(string(hash), knownKey{app, at}, err)
		return app, err
	})
	if errors.Is(err, postgres.ErrNotFound) {
		return postgres.App{}, ErrUnknownKey
	}
	return app.(postgres.App), err
}

func (k *Keys) remember(hash string, known knownKey, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		delete(k.known, hash)
		return
	}
	if k.known == nil || len(k.known) >= keysMost {
		k.known = map[string]knownKey{}
	}
	k.known[hash] = known
}
