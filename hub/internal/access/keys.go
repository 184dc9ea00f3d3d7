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
	// keyAge is how long an answer about a key holds: a key that is revoked or
	// expires is refused by every hub within that time.
	keyAge = time.Second

	keysMost    = 1000 // remembered, of good ones and of bad ones
	keysTimeout = 5 * time.Second
)

// Keys checks API keys. Each is looked up once in keyAge, however many requests come
// with it. Bad ones are remembered beside the good ones, and push out none of them.
type Keys struct {
	DB  *postgres.DB
	Now func() time.Time

	mu     sync.RWMutex
	known  map[string]knownKey  // by hash
	bad    map[string]time.Time // by hash, when they were looked up
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
	bad, refused := k.bad[string(hash)]
	k.mu.RUnlock()
	if refused && time.Since(bad) < keyAge {
		return postgres.App{}, ErrUnknownKey
	}
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
	switch {
	case errors.Is(err, postgres.ErrNotFound):
		delete(k.known, hash)
		keep(&k.bad, hash, known.at)
	case err != nil:
		delete(k.known, hash)
	default:
		keep(&k.known, hash, known)
	}
}

// keep adds to a map, which is emptied when it is full.
func keep[V any](m *map[string]V, key string, v V) {
	if *m == nil || len(*m) >= keysMost {
		*m = map[string]V{}
	}
	(*m)[key] = v
}
