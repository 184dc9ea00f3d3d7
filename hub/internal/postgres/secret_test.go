package postgres

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
)

// TestSecret_IsMadeOnceAndRolled: hubs that start at once on an empty database
// agree on one secret; it stays the same under another encryption key, and once
// it is rolled the old key opens nothing of it.
func TestSecret_IsMadeOnceAndRolled(t *testing.T) {
	const old, newer = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU="
	url := pgtest.New(t)
	open := func(with string) (*DB, error) {
		keys, err := ParseKeys(with)
		require.NoError(t, err)
		return Open(t.Context(), Options{URL: url, Keys: keys, MaxConns: 2})
	}
	secrets := make([]string, 3)
	var hubs sync.WaitGroup
	for i := range secrets {
		hubs.Go(func() {
			db, err := open(old)
			if err == nil {
				secrets[i] = db.Secret().KeyHash("app", "key")
				_ = db.Close()
			}
		})
	}
	hubs.Wait()
	require.Len(t, secrets[0], 32)
	require.Equal(t, []string{secrets[0], secrets[0], secrets[0]}, secrets)

	both, err := open(newer + "," + old)
	require.NoError(t, err)
	require.Equal(t, secrets[0], both.Secret().KeyHash("app", "key"))
	var rewritten int
	require.NoError(t, both.RollKeys(t.Context(), 100, func(r Rolled) {
		if r.Column == "hub.secret" {
			rewritten = r.Rewritten
		}
	}))
	require.NoError(t, both.Close())
	require.Equal(t, 1, rewritten)
	rolled, err := open(newer)
	require.NoError(t, err)
	require.Equal(t, secrets[0], rolled.Secret().KeyHash("app", "key"))
	require.NoError(t, rolled.Close())
}
