package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// TestJobs_OfAKilledHub: what it had claimed is another's within a minute, and
// until then nobody else touches it.
func TestJobs_OfAKilledHub(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *dev.Options) { o.Hubs = 2 })
	const many = 6
	var orders []answer
	for range many {
		orders = append(orders, h.checkout(nil))
	}
	h.withhold()
	for _, o := range orders {
		h.pay(o.NextAction.URL, visa)
	}
	require.NoError(t, h.StopHub(t.Context(), 1))
	h.fault(standin.Fault{Method: "GET", Path: "/v1/checkout/sessions", Action: standin.Delay, DelayMS: 6000, Times: many})
	for _, o := range orders {
		h.dueAgain(o)
	}
	claimed := func() int { return h.count(`SELECT count(*) FROM attempts WHERE leased_until > now()`) }
	require.Eventually(t, func() bool { return claimed() == many }, 30*time.Second, 10*time.Millisecond)
	h.KillHub(0)
	h.BaseURL = h.BaseURLs[1]
	require.NoError(t, h.StartHub(t.Context(), 1))
	require.Equal(t, many, claimed(), "the one that is dead may still be at it, for all that anybody knows")
	require.Zero(t, h.count(`SELECT count(*) FROM attempts WHERE due_at > now() + interval '35 seconds' OR leased_until > now() + interval '35 seconds'`),
		"taken over in well under a minute")
	// The rest of the half minute is not waited for.
	h.count(`WITH u AS (UPDATE attempts SET due_at = now(), leased_until = now() RETURNING 1) SELECT count(*) FROM u`)
	for _, o := range orders {
		h.until(o.ID, "paid")
	}
	require.Eventually(t, func() bool { return claimed() == 0 }, 30*time.Second, 10*time.Millisecond)
}
