package postgres

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAnalyze_KnowsATableThatFilledUp: PostgreSQL plans for what is there, and
// not for what was there when the hub started.
func TestAnalyze_KnowsATableThatFilledUp(t *testing.T) {
	t.Parallel()
	db, env := opened(t)
	rows := func() (n float64) {
		require.NoError(t, db.db.Get(&n, `SELECT reltuples FROM pg_class WHERE oid = 'refs'::regclass`))
		return n
	}
	asked, _, _ := checkoutChanges(env, "x")
	_, err := db.Commit(t.Context(), asked)
	require.NoError(t, err)
	_, err = db.db.Exec(`INSERT INTO refs (provider, kind, value, attempt_id, order_id) SELECT 'stripe', 'charge', n::text, $1, $2 FROM generate_series(1, 2000) n`,
		asked.Attempts[0].ID, asked.Order.ID)
	require.NoError(t, err)
	require.Less(t, rows(), 1.0, "nobody looked yet")
	require.Eventually(t, func() bool { // what changed is counted a moment later
		require.NoError(t, db.Analyze(t.Context()))
		return rows() == 2000
	}, 30*time.Second, 100*time.Millisecond)
}
