package e2e

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
)

// TestKey_MayDoWhatItsScopeSays: a key that may only look moves no money, an
// expired one does nothing, and an app that runs wild is slowed down alone.
func TestKey_MayDoWhatItsScopeSays(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *dev.Options) { o.Env = append(o.Env, "HUB_SERVER__RATE_LIMIT=40") })
	o := h.checkout(nil)
	out, err := h.hubCommand("key", "create", "shop", "--scope", "read", "--expires", "30d").Output()
	require.NoError(t, err)
	full := h.key
	h.key = strings.TrimSpace(string(out))
	require.Equal(t, 200, h.ask("GET", "/v1/orders/"+o.ID, "", nil).status)
	for _, path := range []string{"/v1/checkouts", "/v1/orders/" + o.ID + "/cancel", "/v1/webhook_endpoints"} {
		a := h.ask("POST", path, unique("key"), body(nil))
		require.Equal(t, 403, a.status, path)
		require.Equal(t, "read_only_key", a.Code)
	}
	list, err := h.hubCommand("key", "list", "shop").Output()
	require.NoError(t, err)
	require.Regexp(t, `spk_\S+\.\.\. +read +20\S+ +20\S+ +20\S+ +-\n`, string(list), "made, last used, expires")
	h.count(`WITH u AS (UPDATE api_keys SET expires_at = created_at WHERE scope = 'read' RETURNING 1) SELECT count(*) FROM u`)
	h.waitFor("the key is refused", func() bool { return h.ask("GET", "/v1/orders/"+o.ID, "", nil).status == 401 })

	h.key = h.newApp("eager")
	var a answer
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 16 { // even a busy machine answers more than 40 a second
		all.Go(func() {
			for range 200 {
				got, err := h.try("GET", "/v1/refunds/none", "", nil)
				mu.Lock()
				if err == nil && got.status != 404 {
					a = got
				}
				done := a.status != 0
				mu.Unlock()
				if done {
					return
				}
			}
		})
	}
	all.Wait()
	require.Equal(t, 429, a.status, a.raw)
	require.Equal(t, "too_many_requests", a.Code)
	require.Equal(t, "1", a.header.Get("Retry-After"))
	h.key = full
	require.Equal(t, 200, h.ask("GET", "/v1/orders/"+o.ID, "", nil).status, "another app is not slowed down")
}
