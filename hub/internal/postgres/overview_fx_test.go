package postgres

import (
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk"
)

// TestOverview_OfMoneyThatWasChanged: an order that was settled in another currency is no
// difference between totals and journal.
func TestOverview_OfMoneyThatWasChanged(t *testing.T) {
	db, env := opened(t)
	lived(t, db, env, "a", sdk.DisputeWon)
	require.NoError(t, db.within(t.Context(), func(tx *sqlx.Tx) error { return countHours(t.Context(), tx, []time.Time{env.Now.Truncate(time.Hour)}) }))
	var rows []OverviewMoney
	require.NoError(t, db.db.Select(&rows, `SELECT currency, exponent, captured, refunded, disputed, journal FROM order_hours`))
	require.NotEmpty(t, rows)
	for _, m := range rows {
		require.Equal(t, m.Captured-m.Refunded-m.Disputed, m.Journal, "%+v", m)
	}
}
