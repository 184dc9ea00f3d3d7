package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestExpiry asks the provider first: what nobody paid is closed there, and
// what was paid unheard of is paid.
func TestExpiry(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	late := func(o answer) {
		h.count(`WITH u AS (UPDATE orders SET expires_at = now() - interval '1 second', version = version + 1 WHERE id = $1 RETURNING 1) SELECT count(*) FROM u`, o.ID)
		h.dueAgain(o)
	}
	for _, open := range []time.Duration{time.Hour, 90 * time.Second} { // Stripe's own page stays open for half an hour at least
		o := h.checkout(map[string]any{"expires_at": time.Now().Add(open).UTC().Format(time.RFC3339)})
		require.Equal(t, 200, h.statusAt(o.NextAction.URL))
		late(o)
		a := h.until(o.ID, "expired")
		require.Equal(t, "canceled", a.Attempts[0].Status)
		require.Equal(t, 410, h.statusAt(o.NextAction.URL))
	}

	paid := h.checkout(nil)
	h.withhold()
	h.pay(paid.NextAction.URL, visa)
	late(paid)
	require.Equal(t, int64(1050), h.until(paid.ID, "paid").Captured)
}
