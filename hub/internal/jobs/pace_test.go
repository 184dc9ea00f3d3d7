package jobs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPace_BoundsAProviderAndNobodyElse: one that had its share of this second
// is passed over until it is its turn again.
func TestPace_BoundsAProviderAndNobodyElse(t *testing.T) {
	now := time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)
	p := newPace(map[string]float64{"slow": 2, "fast": 1000})
	limit, paused, again := p.room(now)
	require.Equal(t, 2, limit, "a batch may be all of one provider's")
	require.Empty(t, paused)
	require.Equal(t, poll, again)
	p.take("slow", now)
	p.take("slow", now)
	p.take("gone", now) // no longer configured: nothing is asked of it
	limit, paused, again = p.room(now)
	require.Equal(t, share, limit)
	require.Equal(t, []string{"slow"}, paused)
	require.Equal(t, 500*time.Millisecond, again)
	_, paused, _ = p.room(now.Add(again))
	require.Empty(t, paused, "its turn again")
}
