package postgres

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// TestArchive_MovesOldTimelinesAndPutsThemBack: what was kept is deleted and
// nothing else, the books stay, and back is back.
func TestArchive_MovesOldTimelinesAndPutsThemBack(t *testing.T) {
	t.Parallel()
	db, env := opened(t)
	pay := func(name string, at time.Time) string {
		env := env
		env.Now, env.NewID = at, func(prefix string) string { return ledger.NewID(prefix, at) }
		asked, answered, paid := checkoutChanges(env, name)
		for _, c := range []ledger.Change{asked, answered, paid} {
			written, err := db.Commit(t.Context(), c)
			require.NoError(t, err)
			require.NotEmpty(t, written.OrderID)
		}
		return asked.Order.ID
	}
	long := env.Now.AddDate(-1, 0, 0)
	var old []string
	for i := range 3 {
		old = append(old, pay(fmt.Sprint("old ", i), long))
	}
	waits, young := pay("waits", long), pay("young", env.Now)
	_, err := db.db.Exec(`UPDATE attempts SET due_at = NULL WHERE order_id <> $1`, waits)
	require.NoError(t, err)
	timeline := func() (lines []string) {
		require.NoError(t, db.db.Select(&lines, `SELECT row_to_json(e)::text FROM events e ORDER BY id`))
		return lines
	}
	before, day := timeline(), env.Now.AddDate(0, -1, 0)

	broken := errors.New("the disk is full")
	archive := func(keep func([]Timeline) error) (orders, lines int, err error) {
		err = db.ArchiveTimelines(t.Context(), day, "ada", "old.jsonl.gz", keep, func(o, l int) { orders, lines = orders+o, lines+l })
		return orders, lines, err
	}
	_, _, err = archive(func([]Timeline) error { return broken })
	require.ErrorIs(t, err, broken)
	require.Equal(t, before, timeline(), "what is not on disk is not deleted")

	var kept []Timeline
	orders, lines, err := archive(func(all []Timeline) error {
		kept = append(kept, all...)
		// A callback of it is replayed meanwhile.
		_, err := db.db.Exec(`INSERT INTO events SELECT $1, order_id, attempt_id, $3, 'callback.replayed', source, request_id, data FROM events WHERE order_id = $2 LIMIT 1`,
			ledger.NewID(ledger.EventID, env.Now), old[0], env.Now)
		return err
	})
	require.NoError(t, err)
	require.Equal(t, 3, orders)
	require.Equal(t, len(kept[0].Events)*3, lines)
	var left []string
	require.NoError(t, db.db.Select(&left, `SELECT kind FROM events WHERE order_id = ANY (ARRAY[$1, $2]) ORDER BY kind`, old[0], old[1]))
	require.Equal(t, []string{"callback.replayed", archived, archived}, left)
	for _, id := range []string{waits, young} {
		var n int
		require.NoError(t, db.db.Get(&n, `SELECT count(*) FROM events WHERE order_id = $1 AND kind <> $2`, id, archived))
		require.Equal(t, len(kept[0].Events), n, "it waits for something, or is young")
	}
	require.Empty(t, checkedIn(t, db, nil), "what an archive holds is not missed")
	_, err = db.dropTimelines(t.Context(), kept, "eve", "the same at the same moment")
	require.NoError(t, err)
	_, lines, err = archive(func([]Timeline) error { return nil })
	require.NoError(t, err)
	require.Zero(t, lines, "nothing is left to move")

	stranger := Timeline{OrderID: "ord_of_another_database", Events: kept[0].Events}
	for range 2 {
		strangers, err := db.RestoreTimelines(t.Context(), append(kept, stranger))
		require.NoError(t, err)
		require.Equal(t, 1, strangers)
	}
	_, err = db.db.Exec(`DELETE FROM events WHERE kind = 'callback.replayed'`)
	require.NoError(t, err)
	require.Equal(t, before, timeline())
}
