package postgres

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// due puts an order on record whose attempt is due, and returns its id.
func due(t *testing.T, db *DB, env ledger.Env, name string) *ledger.Order {
	t.Helper()
	asked, answered, _ := checkoutChanges(env, name)
	answered.Order.Attempts[0].DueAt = env.Now
	for _, c := range []ledger.Change{asked, answered} {
		written, err := db.Commit(t.Context(), c)
		require.NoError(t, err)
		require.Equal(t, c.Order.ID, written.OrderID)
	}
	return answered.Order
}

// claim claims what is due, and requires that it is n attempts.
func claim(t *testing.T, db *DB, now time.Time, n int) []Claimed {
	t.Helper()
	all, err := db.ClaimAttempts(t.Context(), now, 30, 10, []string{})
	require.NoError(t, err)
	require.Len(t, all, n)
	return all
}

// TestCommit_NeverExtendsALease: a decision that was made while a worker had an
// attempt is written after it let go of it. The attempt must not be held again,
// by nobody, until a lease ends that nobody has.
func TestCommit_NeverExtendsALease(t *testing.T) {
	t.Parallel()
	db, env := opened(t)
	o := due(t, db, env, "1")
	held := claim(t, db, env.Now, 1)[0]
	claim(t, db, env.Now.Add(29*time.Second), 0)

	loaded, err := db.Order(t.Context(), "app_1", o.ID)
	require.NoError(t, err)
	require.Equal(t, held.Until, loaded.Attempts[0].LeasedUntil)
	// It says something new, and leaves the lease as it was read.
	failure := &sdk.Failure{Code: sdk.FailureDeclined}
	c := ledger.Apply(loaded, env, ledger.News{AttemptID: held.AttemptID, Source: ledger.FromCallback, Payment: &sdk.Payment{Status: sdk.RequiresAction, Failure: failure}})
	require.Equal(t, held.Until, c.Order.Attempts[0].LeasedUntil)

	require.NoError(t, db.Postpone(t.Context(), held, env.Now.Add(time.Second), false)) // it ends meanwhile
	written, err := db.Commit(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, o.ID, written.OrderID)
	after, err := db.Order(t.Context(), "app_1", o.ID)
	require.NoError(t, err)
	require.Zero(t, after.Attempts[0].LeasedUntil, "the commit gave a lease that nobody has")

	// One that is still held is neither ended nor made longer by it.
	_, err = db.db.Exec(`UPDATE attempts SET due_at = $1`, env.Now)
	require.NoError(t, err)
	held = claim(t, db, env.Now, 1)[0]
	loaded, err = db.Order(t.Context(), "app_1", o.ID)
	require.NoError(t, err)
	loaded.Attempts[0].LeasedUntil = held.Until.Add(time.Hour)
	c = ledger.Apply(loaded, env, ledger.News{AttemptID: held.AttemptID, Source: ledger.FromCallback, Payment: &sdk.Payment{
		Status: sdk.RequiresAction, Failure: &sdk.Failure{Code: sdk.FailureExpiredCard},
	}})
	_, err = db.Commit(t.Context(), c)
	require.NoError(t, err)
	after, err = db.Order(t.Context(), "app_1", o.ID)
	require.NoError(t, err)
	require.Equal(t, held.Until, after.Attempts[0].LeasedUntil)
}

// TestCommit_EndsALease: what a worker found out ends its lease with it.
func TestCommit_EndsALease(t *testing.T) {
	t.Parallel()
	db, env := opened(t)
	o := due(t, db, env, "1")
	held := claim(t, db, env.Now, 1)[0]
	loaded, err := db.Order(t.Context(), "app_1", o.ID)
	require.NoError(t, err)
	c := ledger.Apply(loaded, env, ledger.News{AttemptID: held.AttemptID, Source: ledger.FromRead, Begun: loaded.Version, Lease: held.Until, Payment: &sdk.Payment{Status: sdk.Pending}})
	_, err = db.Commit(t.Context(), c)
	require.NoError(t, err)
	after, err := db.Order(t.Context(), "app_1", o.ID)
	require.NoError(t, err)
	require.Equal(t, sdk.Pending, after.Attempts[0].Status)
	require.Zero(t, after.Attempts[0].LeasedUntil)
}

// TestPostpone_CountsNoTry: a look that was not made tells nothing of how often
// there was nothing new; one that failed counts among those that did.
func TestPostpone_CountsNoTry(t *testing.T) {
	t.Parallel()
	db, env := opened(t)
	o := due(t, db, env, "1")
	for i, failed := range []bool{false, true, true, false} {
		held := claim(t, db, env.Now.Add(time.Duration(i)*time.Minute), 1)[0]
		require.NoError(t, db.Postpone(t.Context(), held, env.Now.Add(time.Duration(i+1)*time.Minute), failed))
		after, err := db.Order(t.Context(), "app_1", o.ID)
		require.NoError(t, err)
		require.Zero(t, after.Attempts[0].Tries)
		require.Zero(t, after.Attempts[0].LeasedUntil)
		require.Equal(t, []int{0, 1, 2, 2}[i], after.Attempts[0].Failures)
		require.Equal(t, env.Now.Add(time.Duration(i+1)*time.Minute), after.Attempts[0].DueAt)
	}

	// What became due otherwise meanwhile stays due then, and its lease is the other's.
	held := claim(t, db, env.Now.Add(time.Hour), 1)[0]
	soon := env.Now.Add(2 * time.Hour)
	_, err := db.db.Exec(`UPDATE attempts SET due_at = $1, leased_until = $1`, soon)
	require.NoError(t, err)
	require.NoError(t, db.Postpone(t.Context(), held, env.Now.Add(3*time.Hour), false))
	after, err := db.Order(t.Context(), "app_1", o.ID)
	require.NoError(t, err)
	require.Equal(t, soon, after.Attempts[0].DueAt)
	require.Equal(t, soon, after.Attempts[0].LeasedUntil)
}

// TestClaimAttempts_LeasesWhatIsDueToOneAlone, and passes over the providers
// that are not to be asked.
func TestClaimAttempts_LeasesWhatIsDueToOneAlone(t *testing.T) {
	t.Parallel()
	db, env := opened(t)
	due(t, db, env, "1")
	due(t, db, env, "2")
	claim(t, db, env.Now.Add(-time.Second), 0)
	none, err := db.ClaimAttempts(t.Context(), env.Now, 30, 10, []string{"stripe"})
	require.NoError(t, err)
	require.Empty(t, none)
	one, err := db.ClaimAttempts(t.Context(), env.Now, 30, 1, []string{})
	require.NoError(t, err)
	require.Len(t, one, 1)
	other := claim(t, db, env.Now, 1)
	require.NotEqual(t, one[0].AttemptID, other[0].AttemptID)
	claim(t, db, env.Now, 0)
	require.Equal(t, env.Now.Add(30*time.Second), one[0].Until)
	claim(t, db, env.Now.Add(30*time.Second), 2)

	// A new due time under a lease waits for its end.
	_, err = db.db.Exec(`UPDATE attempts SET due_at = $1`, env.Now)
	require.NoError(t, err)
	claim(t, db, env.Now.Add(45*time.Second), 0)
	claim(t, db, env.Now.Add(61*time.Second), 2)
}

// TestCommit_OnlyAtTheVersionThatItWasDecidedOn, and then whole or not at all.
func TestCommit_OnlyAtTheVersionThatItWasDecidedOn(t *testing.T) {
	t.Parallel()
	db, env := opened(t)
	asked, answered, paid := checkoutChanges(env, "1")
	for _, c := range []ledger.Change{asked, answered} {
		_, err := db.Commit(t.Context(), c)
		require.NoError(t, err)
	}
	stale := ledger.Apply(answered.Order, env, ledger.News{AttemptID: answered.Order.Attempts[0].ID, Source: ledger.FromRead, Begun: answered.Order.Version, Payment: &sdk.Payment{Status: sdk.Canceled}})
	require.Equal(t, paid.Order.Version, stale.Order.Version)
	_, err := db.Commit(t.Context(), paid)
	require.NoError(t, err)
	stale.Callbacks = []*ledger.Callback{{ID: env.NewID(ledger.CallbackID), Provider: "stripe", EventID: "evt_1", Outcome: ledger.CallbackApplied, Verdict: sdk.Genuine, ReceivedAt: env.Now, UpdatedAt: env.Now}}
	for range 2 {
		written, err := db.Commit(t.Context(), stale)
		if err == nil {
			require.Empty(t, written.OrderID)
		} else {
			require.ErrorIs(t, err, ErrStale)
		}
	}
	after, err := db.Order(t.Context(), "app_1", paid.Order.ID)
	require.NoError(t, err)
	require.Equal(t, ledger.OrderPaid, after.Status)
	require.Equal(t, paid.Order.Version, after.Version)
	require.Equal(t, sdk.Succeeded, after.Attempts[0].Status)
	var events, callbacks int
	require.NoError(t, db.db.Get(&events, `SELECT count(*) FROM events WHERE kind = 'payment.canceled'`))
	require.NoError(t, db.db.Get(&callbacks, `SELECT count(*) FROM callbacks`))
	require.Zero(t, events)
	require.Zero(t, callbacks)
}
