package postgres

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// TestForeignKeys_CanComeBack: everything that a hub writes satisfies them, also
// what was written before; and a commit does not wait for who checks one against
// the order that it writes.
func TestForeignKeys_CanComeBack(t *testing.T) {
	t.Parallel()
	db, env := opened(t)
	lived(t, db, env, "before", sdk.DisputeWon)
	keys, err := os.ReadFile("testdata/foreign_keys.sql")
	require.NoError(t, err)
	require.NoError(t, db.within(t.Context(), func(tx *sqlx.Tx) error {
		_, err := tx.Exec(string(keys))
		return err
	}))
	o := lived(t, db, env, "after", sdk.DisputeLost)
	_, err = db.db.Exec(`DELETE FROM orders WHERE id = $1`, o.ID)
	require.ErrorContains(t, err, "foreign key")

	held, err := db.db.BeginTxx(t.Context(), nil)
	require.NoError(t, err)
	defer held.Rollback()
	_, err = held.Exec(`SELECT FROM orders WHERE id = $1 FOR KEY SHARE`, o.ID) // as a foreign key does
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	change := ledger.Apply(o, env, ledger.News{AttemptID: o.Attempts[0].ID, Source: ledger.FromHub, Raise: ledger.Exhausted})
	written, err := db.Commit(ctx, change)
	require.NoError(t, err, "it waited")
	require.Equal(t, o.ID, written.OrderID)
}
