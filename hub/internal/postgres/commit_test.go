package postgres

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// checkoutChanges are the two steps of a checkout, and the callback that it is paid.
func checkoutChanges(env ledger.Env, name string) (asked, answered, paid ledger.Change) {
	asked, op := ledger.Create(&ledger.Order{
		AppID: "app_1", Reference: name, Amount: 1000, Currency: "USD", Exponent: 2, ExpiresAt: env.Now.Add(time.Hour),
	}, ledger.NewAttempt{Provider: "stripe", Plugin: "stripe", Flow: "checkout_session", Mode: sdk.Test, CaptureMode: sdk.CaptureAutomatic},
		ledger.Ask{Lease: time.Second, IdempotencyKey: "key-" + name, Source: ledger.FromApp}, env)
	usd := sdk.Money{Amount: 1000, Currency: "USD", Exponent: 2}
	answered = ledger.Apply(asked.Order, env, ledger.News{
		AttemptID: *op.AttemptID, Source: ledger.FromOperation, Operation: &ledger.Result{ID: op.ID},
		Payment: &sdk.Payment{Status: sdk.RequiresAction, Amount: usd, Refs: []sdk.Ref{{Kind: "checkout_session", Value: "cs_" + name}}},
	})
	paid = ledger.Apply(answered.Order, env, ledger.News{
		AttemptID: *op.AttemptID, Source: ledger.FromCallback,
		Payment: &sdk.Payment{
			Status: sdk.Succeeded, Amount: usd, Refs: []sdk.Ref{{Kind: "payment_intent", Value: "pi_" + name}, {Kind: "charge", Value: "ch_" + name}},
			Captures: sdk.Captures{Complete: true, Items: []sdk.Capture{{ID: "ch_" + name, Status: sdk.MovementSucceeded, Amount: usd}}},
		},
	})
	return asked, answered, paid
}

// BenchmarkCommit is what recording costs when nobody waits for the disk: one
// order's checkout and callback, alone and with 32 others.
func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{1, 32} {
		b.Run(fmt.Sprint(n, " together"), func(b *testing.B) {
			db, env := opened(b)
			_, err := db.db.Exec(`SET synchronous_commit = off`)
			require.NoError(b, err)
			db.db.SetMaxOpenConns(1)
			for i := 0; b.Loop(); i++ {
				var steps [3][]namedChange
				for k := range n {
					asked, answered, paid := checkoutChanges(env, fmt.Sprintf("%d-%d", i, k))
					steps[0], steps[1], steps[2] = append(steps[0], named(asked)), append(steps[1], named(answered)), append(steps[2], named(paid))
				}
				for _, changes := range steps {
					written, err := db.commitAll(b.Context(), changes)
					require.NoError(b, err)
					require.Equal(b, changes[n-1].Order.ID, written[n-1].OrderID)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "us/order")
		})
	}
}

// TestCommit_MakesNoForgottenOrderAnew: a change that was decided before the
// database went back to before its order writes nothing.
func TestCommit_MakesNoForgottenOrderAnew(t *testing.T) {
	t.Parallel()
	db, env := opened(t)
	asked, answered, paid := checkoutChanges(env, "gone")
	for _, c := range []ledger.Change{answered, paid} {
		written, err := db.Commit(t.Context(), c)
		require.NoError(t, err)
		require.Empty(t, written.OrderID)
		_, err = db.Order(t.Context(), "app_1", c.Order.ID)
		require.ErrorIs(t, err, ErrNotFound)
	}
	written, err := db.Commit(t.Context(), asked)
	require.NoError(t, err)
	require.Equal(t, asked.Order.ID, written.OrderID)
}

// TestCommit_FollowsTheSchema: another hub may bring the schema up to date
// while this one runs.
func TestCommit_FollowsTheSchema(t *testing.T) {
	t.Parallel()
	db, env := opened(t)
	write := func(name string) {
		t.Helper()
		asked, answered, paid := checkoutChanges(env, name)
		for _, c := range []ledger.Change{asked, answered, paid} {
			written, err := db.Commit(t.Context(), c)
			require.NoError(t, err)
			require.Equal(t, c.Order.ID, written.OrderID)
			o, err := db.Order(t.Context(), "app_1", c.Order.ID)
			require.NoError(t, err)
			require.Equal(t, c.Order.Version, o.Version)
			_, o, err = db.OrderOfKey(t.Context(), "app_1", "key-"+name)
			require.NoError(t, err)
			require.Equal(t, len(c.Order.Captures), len(o.Captures))
		}
		cb := &ledger.Callback{ID: env.NewID(ledger.CallbackID), Provider: "stripe", EventID: name, Outcome: ledger.CallbackIgnored, Verdict: sdk.Genuine, ReceivedAt: env.Now, UpdatedAt: env.Now}
		require.NoError(t, db.IgnoreCallback(t.Context(), cb))
	}
	write("before")
	_, err := db.db.Exec(`ALTER TABLE orders ADD COLUMN later text NOT NULL DEFAULT 'x'; ALTER TABLE callbacks ADD COLUMN later jsonb;
		ALTER TABLE events ADD COLUMN later int; ALTER TABLE events DROP COLUMN later; ALTER TABLE refs ADD COLUMN later bytea;
		ALTER TABLE operations ADD COLUMN later int`)
	require.NoError(t, err)
	write("after")
}

// TestCommit_KeepsWhatItWasGiven: every column comes back as it was, but for
// what no text of PostgreSQL can hold.
func TestCommit_KeepsWhatItWasGiven(t *testing.T) {
	t.Parallel()
	db, env := opened(t)
	asked, answered, _ := checkoutChanges(env, "a")
	for _, c := range []ledger.Change{asked, answered} {
		c.Order.Description, c.Order.Metadata = "a\x00b\xffc", map[string]string{"k": "\x00é\\u0000"}
		_, err := db.Commit(t.Context(), c)
		require.NoError(t, err)
	}
	got, err := db.Order(t.Context(), "app_1", asked.Order.ID)
	require.NoError(t, err)
	want := *answered.Order
	want.Description, want.Metadata = "ab\uFFFDc", map[string]string{"k": "é\\u0000"}
	want.Operations = nil // the one there was has ended
	wanted, err := json.Marshal(want)
	require.NoError(t, err)
	kept, err := json.Marshal(got)
	require.NoError(t, err)
	require.JSONEq(t, string(wanted), string(kept))
	require.Len(t, got.Attempts, 1)
	require.Equal(t, want.Attempts[0].Refs, got.Attempts[0].Refs)
	require.True(t, want.Attempts[0].DueAt.Equal(got.Attempts[0].DueAt))
}

// BenchmarkLoad is what reading a paid order costs, and a list of twenty.
func BenchmarkLoad(b *testing.B) {
	db, env := opened(b)
	var last *ledger.Order
	for i := range 20 {
		asked, answered, paid := checkoutChanges(env, fmt.Sprint(i))
		for _, c := range []ledger.Change{asked, answered, paid} {
			_, err := db.Commit(b.Context(), c)
			require.NoError(b, err)
		}
		last = paid.Order
	}
	_, err := db.db.Exec(`ANALYZE`)
	require.NoError(b, err)
	b.Run("order", func(b *testing.B) {
		for b.Loop() {
			o, err := db.Order(b.Context(), "app_1", last.ID)
			require.NoError(b, err)
			require.Equal(b, last.Version, o.Version)
		}
	})
	b.Run("list of 20", func(b *testing.B) {
		for b.Loop() {
			all, err := db.Orders(b.Context(), OrderFilter{AppID: "app_1", Limit: 20})
			require.NoError(b, err)
			require.Len(b, all, 20)
		}
	})
}
