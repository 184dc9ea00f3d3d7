package payments_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
)

// TestDeadline_InTheQueue: a request whose time is up before its change was
// taken is answered that nothing was done, and nothing is.
func TestDeadline_InTheQueue(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	v := refundVerb
	o, c := v.order(e), e.Caller()
	// Two commits wait for rows that somebody holds: there is no place for a third.
	release := holdRows(t, e, 2)

	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := v.ask(ctx, e, c, o)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	release()
	require.Zero(t, e.Count(`SELECT count(*) FROM operations WHERE order_id = $1 AND kind = 'refund'`, o.ID))
	a, err := v.ask(t.Context(), e, c, o)
	require.NoError(t, err, "the key was not used up")
	require.Equal(t, v.status, a.Order.Status)
}

// holdRows makes orders, locks their rows, and has as many commits wait for
// them. release lets them go on, and waits for them.
func holdRows(t *testing.T, e *paytest.Env, n int) (release func()) {
	t.Helper()
	var orders []string
	for range n {
		orders = append(orders, e.Checkout(paytest.FlowCharge).ID)
	}
	tx, err := e.SQL.Begin()
	require.NoError(t, err)
	var holder int
	require.NoError(t, tx.QueryRow(`SELECT pg_backend_pid() FROM orders WHERE id = ANY($1) FOR UPDATE`, pq.StringArray(orders)).Scan(&holder))
	var wait sync.WaitGroup
	for i, id := range orders {
		wait.Go(func() {
			_, err := e.Service.Refund(context.WithoutCancel(t.Context()), e.Caller(), id, payments.RefundInput{Amount: ledger.Minor(100)})
			if err != nil {
				t.Errorf("a refund that waited for its row: %v", err)
			}
		})
		require.Eventually(t, func() bool {
			return e.Count(`SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))`, holder) == i+1
		}, 30*time.Second, 10*time.Millisecond)
	}
	return func() {
		require.NoError(t, tx.Rollback())
		wait.Wait()
	}
}

// TestDeadline_UnderWay: a request whose time is up while its commit is under
// way waits for it, and is answered as ever.
func TestDeadline_UnderWay(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	v := refundVerb
	o, c, before := v.order(e), e.Caller(), len(e.Provider.Calls(v.method))
	tx, err := e.SQL.Begin()
	require.NoError(t, err)
	_, err = tx.Exec(`SELECT FROM orders WHERE id = $1 FOR UPDATE`, o.ID)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	time.AfterFunc(2*time.Second, func() { _ = tx.Rollback() })
	a, err := v.ask(ctx, e, c, o)
	require.NoError(t, err)
	require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
	once(t, e, v, before, a.Order.ID, "refund")
}
