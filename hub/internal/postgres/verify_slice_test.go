package postgres

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// TestCheck_DoubtsOnlyWhatIsSeenTwice: what the first look saw between two
// commits is no doubt.
func TestCheck_DoubtsOnlyWhatIsSeenTwice(t *testing.T) {
	t.Parallel()
	passing, lasting := ledger.Doubt{OrderID: "ord_1", Field: "a"}, ledger.Doubt{OrderID: "ord_1", Field: "b", Found: "1"}
	looks := []Checked{
		{Orders: 2, Doubts: []ledger.Doubt{passing, lasting}},
		{Orders: 2, Doubts: []ledger.Doubt{{OrderID: "ord_1", Field: "b", Found: "2"}, {OrderID: "ord_2", Field: "c"}}, Cleared: []string{"ord_3", "ord_1"}},
	}
	n := 0
	c, err := twice(t.Context(), func() (Checked, error) { n++; return looks[n-1], nil })
	require.NoError(t, err)
	require.Equal(t, []ledger.Doubt{{OrderID: "ord_1", Field: "b", Found: "2"}}, c.Doubts)
	require.Equal(t, []string{"ord_3"}, c.Cleared)
	require.Equal(t, 2, n)
}

// TestCheck_SlowSlicesAreHalved: a slice that takes longer than it may is tried
// again with fewer orders, down to one.
func TestCheck_SlowSlicesAreHalved(t *testing.T) {
	t.Parallel()
	var tried []int
	_, err := halved(8, func(n int) (Checked, error) {
		if tried = append(tried, n); n > 2 {
			return Checked{}, errSlow
		}
		return Checked{}, nil
	})
	require.NoError(t, err)
	require.Equal(t, []int{8, 4, 2}, tried)
	_, err = halved(2, func(int) (Checked, error) { return Checked{}, errSlow })
	require.ErrorIs(t, err, errSlow)
}

// TestCheck_WaitsForNobody: a table that somebody holds ends a slice, not the
// other way round, and nothing is written by a check.
func TestCheck_WaitsForNobody(t *testing.T) {
	t.Parallel()
	db, env := opened(t)
	lived(t, db, env, "o", sdk.DisputeWon)
	tx, err := db.db.BeginTxx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.Exec(`LOCK TABLE postings IN ACCESS EXCLUSIVE MODE`)
	require.NoError(t, err)
	_, err = db.CheckAll(t.Context(), "", 1)
	require.ErrorIs(t, err, errSlow)
	require.NoError(t, tx.Rollback())
	c, err := db.CheckAll(t.Context(), "", 1)
	require.NoError(t, err)
	require.Equal(t, []any{1, false}, []any{c.Orders, c.Done})
}

// TestCheck_SlicesJoin: whatever the size of a slice, each order and each name is
// checked once, and so is what hangs on ids before, between and after those of
// the orders.
func TestCheck_SlicesJoin(t *testing.T) {
	t.Parallel()
	db, env := opened(t)
	for i := range 5 {
		lived(t, db, env, fmt.Sprint("o", i), sdk.DisputeWon)
	}
	missing := []string{"a", "ord_0", "ord_z", "zzz"}
	var middle string
	require.NoError(t, db.db.Get(&middle, `SELECT id || '0' FROM orders ORDER BY id OFFSET 2 LIMIT 1`))
	missing = append(missing, middle)
	for i, id := range missing {
		_, err := db.db.Exec(`INSERT INTO events (id, order_id, at, kind, source, request_id, data) VALUES ($1, $2, $3, 'x', 'hub', '', '{}')`, fmt.Sprint("evt_x", i), id, env.Now)
		require.NoError(t, err)
	}
	for _, limit := range []int{1, 2, 3, 5, 6, 100} {
		var found []string
		orders := 0
		c := Checked{Next: cursor{Part: ordersPart}.text()}
		for !c.Done {
			var err error
			c, err = db.CheckAll(context.WithoutCancel(t.Context()), c.Next, limit)
			require.NoError(t, err)
			orders += c.Orders
			for _, d := range c.Doubts {
				found = append(found, d.OrderID)
			}
		}
		require.Equal(t, 5, orders)
		require.ElementsMatch(t, missing, found, "slices of %d", limit)
	}
}
