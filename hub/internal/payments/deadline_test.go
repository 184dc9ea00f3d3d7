package payments_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

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

// holdRows makes orders, and has as many commits of them take their time.
func holdRows(t *testing.T, e *paytest.Env, n int) (release func()) {
	t.Helper()
	var orders []string
	for range n {
		orders = append(orders, e.Checkout(paytest.FlowCharge).ID)
	}
	slow(t, e, 3*time.Second, orders...)
	var wait sync.WaitGroup
	for i, id := range orders {
		wait.Go(func() {
			_, err := e.Service.Refund(context.WithoutCancel(t.Context()), e.Caller(), id, payments.RefundInput{Amount: ledger.Minor(100)})
			if err != nil {
				t.Errorf("a slow refund: %v", err)
			}
		})
		require.Eventually(t, func() bool {
			return e.Count(`SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()`) == i+1
		}, 30*time.Second, 10*time.Millisecond)
	}
	return wait.Wait
}

// slow has the next change of each order take that long in the database.
func slow(t *testing.T, e *paytest.Env, d time.Duration, orders ...string) {
	t.Helper()
	_, err := e.SQL.Exec(fmt.Sprintf(`
		CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF NEW.version = 3 THEN PERFORM pg_sleep(%f); END IF;
			RETURN NEW;
		END $$;
		CREATE TRIGGER slow BEFORE UPDATE ON orders FOR EACH ROW WHEN (OLD.id = ANY ('{%s}'::text[])) EXECUTE FUNCTION slow()`, d.Seconds(), strings.Join(orders, ",")))
	require.NoError(t, err)
}

// TestDeadline_UnderWay: a request whose time is up while its commit is under
// way waits for it, and is answered as ever.
func TestDeadline_UnderWay(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	v := refundVerb
	o, c, before := v.order(e), e.Caller(), len(e.Provider.Calls(v.method))
	slow(t, e, 2*time.Second, o.ID)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	a, err := v.ask(ctx, e, c, o)
	require.NoError(t, err)
	require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
	once(t, e, v, before, a.Order.ID, "refund")
}
