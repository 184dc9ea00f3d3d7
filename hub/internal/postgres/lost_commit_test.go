package postgres

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/devpg/pgproxy"
	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// created puts an order of that name on record and returns it with the change
// that answers its checkout.
func created(t *testing.T, db *DB, env ledger.Env, name string) (answered, paid ledger.Change) {
	t.Helper()
	asked, answered, paid := checkoutChanges(env, name)
	written, err := db.Commit(t.Context(), asked)
	require.NoError(t, err)
	require.Equal(t, asked.Order.ID, written.OrderID)
	return answered, paid
}

// TestCommit_KnowsItsOwn: a commit whose answer is lost is told apart from
// another hub's, whatever version the order is at by then.
func TestCommit_KnowsItsOwn(t *testing.T) {
	t.Parallel()
	db, other, proxy, env := openedTwice(t)
	lose := func(moment pgproxy.Moment, then func()) {
		proxy.Cut(pgproxy.Rule{Moment: moment, Match: pgproxy.Writes("orders"), Then: then})
	}
	commit := func(c ledger.Change) Written {
		t.Helper()
		written, err := db.Commit(t.Context(), c)
		require.NoError(t, err)
		return written
	}

	own, next := created(t, other, env, "ours, and nobody came")
	lose(pgproxy.Unanswered, nil)
	require.Equal(t, Written{OrderID: own.Order.ID}, commit(own))
	lose(pgproxy.Before, nil)
	require.Equal(t, Written{OrderID: own.Order.ID}, commit(next), "written by the repetition, and answered")

	own, next = created(t, other, env, "ours, and somebody went on from it")
	lose(pgproxy.Unanswered, func() {
		_, err := other.Commit(t.Context(), next)
		require.NoError(t, err)
	})
	require.Equal(t, Written{OrderID: own.Order.ID}, commit(own))

	own, _ = created(t, other, env, "somebody else's at the same version")
	foreign := ledger.Apply(own.Order, env, ledger.News{AttemptID: own.Order.Attempts[0].ID, Source: ledger.FromHub, Raise: ledger.Exhausted})
	foreign.Order.Version = own.Order.Version
	lose(pgproxy.Before, func() {
		written, err := other.Commit(t.Context(), foreign)
		require.NoError(t, err)
		require.Equal(t, own.Order.ID, written.OrderID)
	})
	require.Equal(t, Written{}, commit(own))

	// A change without an event.
	asked, _, _ := checkoutChanges(env, "quiet")
	_, err := other.Commit(t.Context(), asked)
	require.NoError(t, err)
	renewed, err := asked.Order.Renew(env, asked.Operations[0], time.Hour)
	require.NoError(t, err)
	require.Empty(t, renewed.Events)
	lose(pgproxy.Unanswered, nil)
	require.Equal(t, Written{OrderID: asked.Order.ID}, commit(renewed))
	again, err := asked.Order.Renew(env, asked.Operations[0], 2*time.Hour)
	require.NoError(t, err)
	lose(pgproxy.Before, nil)
	require.Equal(t, Written{}, commit(again), "of the same version, and not on record")
}

// TestCommit_ABatchIsLost: each of its members finds out for itself.
func TestCommit_ABatchIsLost(t *testing.T) {
	t.Parallel()
	for _, moment := range pgproxy.Moments {
		db, other, proxy, env := openedTwice(t)
		const members = 20
		var changes []ledger.Change
		for i := range members + 1 {
			answered, _ := created(t, other, env, fmt.Sprint(i))
			changes = append(changes, answered)
		}
		// The first waits for its row, so that the others share the next statement.
		tx, err := other.db.Beginx()
		require.NoError(t, err)
		_, err = tx.Exec(`SELECT FROM orders WHERE id = $1 FOR UPDATE`, changes[0].Order.ID)
		require.NoError(t, err)
		db.commits.atOnce = 1
		cut := proxy.Cut(pgproxy.Rule{Moment: moment, Match: pgproxy.Writes("orders"), Skip: 1})
		var all sync.WaitGroup
		for i, c := range changes {
			all.Go(func() {
				written, err := db.Commit(t.Context(), c)
				if err != nil || written.OrderID != c.Order.ID {
					t.Errorf("%v: %+v, %v", moment, written, err)
				}
			})
			require.Eventually(t, func() bool {
				db.commits.mu.Lock()
				defer db.commits.mu.Unlock()
				return db.commits.busy == 1 && len(db.commits.waiting) == i
			}, 30*time.Second, time.Millisecond)
		}
		require.NoError(t, tx.Rollback())
		all.Wait()
		require.Equal(t, 1, cut.Hits(), moment)
		for _, c := range changes {
			o, err := other.Order(t.Context(), "", c.Order.ID)
			require.NoError(t, err)
			require.Equal(t, c.Order.Version, o.Version, moment)
		}
		var events int
		require.NoError(t, other.db.Get(&events, `SELECT count(*) FROM events WHERE id = ANY($1)`, firstEvents(changes)))
		require.Equal(t, len(changes), events, moment)
	}
}

func firstEvents(changes []ledger.Change) (ids pq.StringArray) {
	for _, c := range changes {
		ids = append(ids, c.Events[0].ID)
	}
	return ids
}

// TestPool_StaleConnections: a connection that PostgreSQL closed while it was
// idle is not used: also what cannot be repeated goes through.
func TestPool_StaleConnections(t *testing.T) {
	t.Parallel()
	db, _, proxy, env := openedTwice(t)
	for i := range 20 {
		proxy.CutAll()
		require.Eventually(t, func() bool { return proxy.Sessions() == 0 }, 30*time.Second, time.Millisecond)
		until, err := db.TrySignIn(t.Context(), Tries{Subject: "x", Free: 100, First: time.Second, Most: time.Second}, env.Now.Add(time.Duration(i)*time.Minute))
		require.NoError(t, err)
		require.Zero(t, until)
	}
	var failures int
	require.NoError(t, db.db.Get(&failures, `SELECT failures FROM sign_in_tries`))
	require.Equal(t, 20, failures, "each was counted once")
}

// TestPool_RepeatsReadsAlone: the pool repeats a read whose answer is lost, and
// nothing that writes.
func TestPool_RepeatsReadsAlone(t *testing.T) {
	t.Parallel()
	db, _, proxy, env := openedTwice(t)
	answered, _ := created(t, db, env, "a")
	for _, moment := range pgproxy.Moments {
		for _, reset := range []bool{false, true} {
			cut := proxy.Cut(pgproxy.Rule{Moment: moment, Match: pgproxy.Contains(`FROM orders o WHERE o\.id = \$2`), Reset: reset})
			o, err := db.Order(t.Context(), "app_1", answered.Order.ID)
			require.NoError(t, err)
			require.Equal(t, answered.Order.ID, o.ID)
			require.Equal(t, 1, cut.Hits())
			cut = proxy.Cut(pgproxy.Rule{Moment: moment, Match: pgproxy.Writes("sign_in_tries"), Reset: reset, Times: 3})
			_, err = db.TrySignIn(t.Context(), Tries{Subject: "x", Free: 100, First: time.Second, Most: time.Second}, env.Now)
			if moment != pgproxy.After {
				require.Error(t, err)
				require.False(t, certain(err))
			}
			require.Equal(t, 1, cut.Hits())
			proxy.Lift()
		}
	}
	for query, read := range map[string]bool{
		loadOrderSQL: true, loadCallbacksSQL: true, findByProviderSQL: true, eventsSQL: true, " select 1": true,
		claimAttemptsSQL: false, claimSchedulesSQL: false, apiKeySQL: false, storeCallbackSQL: false, wholeShape.sql(versionGuard): false,
		"SELECT pg_advisory_xact_lock(1)": false, "SELECT 1 FOR UPDATE": false, "SELECT nextval('x')": false, "SET jit = off": false,
	} {
		require.Equal(t, read, readOnly(query), query)
	}
}
