package payments_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

// locks are what a person's open transaction may hold of an order.
var locks = map[string]string{
	"its row":        `SELECT FROM orders WHERE id = $1 FOR UPDATE`,
	"its attempts":   `SELECT FROM attempts WHERE order_id = $1 FOR UPDATE`,
	"its unique key": `INSERT INTO operations SELECT (x).* FROM (SELECT jsonb_populate_record(o, '{"id": "op_of_a_stranger", "idempotency_key": "repeated", "outcome": "succeeded"}') AS x FROM operations o WHERE order_id = $1 LIMIT 1) y`,
}

// servesWith waits for locks as a hub in service does.
func servesWith(o *postgres.Options) { o.LockWait = 0 }

// TestLockedOrder_HoldsUpNobody: somebody holds a lock on an order, and its app
// asks for a capture again and again. Each of these is told in time, and that
// nothing was done; other orders do not wait for it. In the end the capture is
// made, once.
func TestLockedOrder_HoldsUpNobody(t *testing.T) {
	t.Parallel()
	for name, lock := range locks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := paytest.New(t, paytest.Options{Store: servesWith})
			o := e.Authorized()
			stranger, err := e.SQL.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			defer func() { _ = stranger.Rollback() }()
			_, err = stranger.ExecContext(t.Context(), lock, o.ID)
			require.NoError(t, err)

			capture := func(ctx context.Context) error {
				_, err := e.Service.Capture(ctx, e.Key("repeated"), o.ID, payments.CaptureInput{Amount: ledger.All()})
				return err
			}
			var told atomic.Int64
			repeating, stop := context.WithCancel(t.Context())
			var repeats sync.WaitGroup
			for range 8 {
				repeats.Go(func() {
					for repeating.Err() == nil {
						err := capture(t.Context())
						var e *ledger.Error
						if !errors.As(err, &e) || e.Code != "order_locked" && e.Code != ledger.CodeInFlight {
							t.Errorf("told %v", err)
							return
						}
						told.Add(1)
					}
				})
			}
			defer func() { stop(); repeats.Wait() }()
			require.Eventually(t, func() bool { return told.Load() > 0 }, 30*time.Second, 10*time.Millisecond)
			hangs, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			var others sync.WaitGroup
			for range 4 {
				others.Go(func() {
					for range 50 {
						_, err := e.Service.Checkout(hangs, e.Caller(), e.Input(paytest.FlowCharge))
						if err != nil {
							t.Errorf("another order: %v", err)
						}
					}
				})
			}
			others.Wait()
			stop()
			repeats.Wait()
			require.NoError(t, stranger.Rollback())
			require.NoError(t, capture(t.Context()))
			require.Len(t, e.Provider.Calls("Capture"), 1)
			require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
		})
	}
}

// TestLockedOrder_DoesNotSayThatNothingWasDone: the outcome of a refund is unknown,
// and its repeat cannot be recorded. It may have been done, so the app is not told
// that it was not.
func TestLockedOrder_DoesNotSayThatNothingWasDone(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{Store: servesWith})
	o, c := e.Checkout(paytest.FlowCharge), e.Caller()
	e.Provider.Script(func(s *paytest.Script) { s.Refund = paytest.Fails[sdk.RefundRequest, sdk.Refund](paytest.ErrBroken) })
	ask := func() (payments.Answer, error) {
		return e.Service.Refund(t.Context(), c, o.ID, payments.RefundInput{Amount: ledger.Minor(4_000)})
	}
	a, err := ask()
	require.NoError(t, err)
	require.Equal(t, ledger.OutcomeUnknown, a.Operation.Outcome)
	e.Clock.Advance(time.Minute) // nobody is at it any more

	stranger, err := e.SQL.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = stranger.Rollback() }()
	_, err = stranger.ExecContext(t.Context(), locks["its row"], o.ID)
	require.NoError(t, err)
	_, err = ask()
	require.ErrorIs(t, err, postgres.ErrLocked)
	var told *ledger.Error
	require.False(t, errors.As(err, &told), "told %v", told)
}
