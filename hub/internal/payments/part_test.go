package payments_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// TestMoney_ARefundOverSeveralCaptures: one request, reserved whole, one refund
// of the provider for each capture, under keys of their own.
func TestMoney_ARefundOverSeveralCaptures(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := paidAs(e, paytest.USD(4_000), paytest.USD(6_000))
	caller := e.Caller()
	a, err := e.Service.Refund(t.Context(), caller, o.ID, payments.RefundInput{Amount: ledger.All()})
	require.NoError(t, err)
	whole := a.Order.RequestOf(a.Refund)
	require.Equal(t, []any{int64(10_000), int64(10_000), sdk.MovementSucceeded}, []any{whole.Amount, whole.Refunded, whole.Status})
	require.Len(t, whole.Parts, 2)
	require.Equal(t, ledger.OrderRefunded, a.Order.Status)
	require.Len(t, a.Order.Requests(), 1, "the app sees one refund")
	again, err := e.Service.Refund(t.Context(), caller, o.ID, payments.RefundInput{Amount: ledger.All()})
	require.NoError(t, err)
	require.Equal(t, a.Refund.ID, again.Refund.ID)
	calls := e.Provider.Calls("Refund")
	require.Len(t, calls, 2)
	require.NotEqual(t, calls[0].Key, calls[1].Key)
	e.Verified()
}

// TestMoney_ARefusedPartStopsTheRest: what went back stands, and the
// reservation of the rest is released.
func TestMoney_ARefusedPartStopsTheRest(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := paidAs(e, paytest.USD(2_000), paytest.USD(3_000), paytest.USD(5_000))
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			if len(e.Provider.Calls("Refund")) == 2 {
				return nil, sdk.Rejected(sdk.Failure{Code: sdk.FailureRefundExceedsBalance})
			}
			return e.Provider.Honest.Refund(ctx, r)
		}
	})
	a, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.All()})
	require.NoError(t, err)
	whole := a.Order.RequestOf(a.Refund)
	require.Equal(t, sdk.MovementFailed, whole.Status)
	require.Equal(t, sdk.FailureRefundExceedsBalance, whole.Failure.Code)
	require.Len(t, whole.Parts, 3)
	require.Equal(t, whole.Refunded, a.Order.Refunded)
	require.Positive(t, whole.Refunded)
	require.Equal(t, 10_000-whole.Refunded, a.Order.Refundable)
	require.Len(t, e.Provider.Calls("Refund"), 2)
	e.After(time.Hour)
	require.Len(t, e.Provider.Calls("Refund"), 2)
	e.Verified()

	a, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.All()})
	require.NoError(t, err)
	require.Equal(t, ledger.OrderRefunded, a.Order.Status)
	e.Verified()
}

// TestMoney_ARefundGoesOnAfterACrash: at each point where the hub can die, what
// was asked for is carried out once, whole.
func TestMoney_ARefundGoesOnAfterACrash(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"recorded", "answered"} {
		for at := 1; at <= 3; at++ {
			seen := 0
			armed := false
			e := paytest.New(t, paytest.Options{Service: func(o *payments.Options) {
				o.CrashAt = func(p string) {
					if armed && p == point {
						if seen++; seen == at {
							panic("the hub dies")
						}
					}
				}
			}})
			o := paidAs(e, paytest.USD(2_000), paytest.USD(3_000), paytest.USD(5_000))
			armed = true
			func() {
				defer func() { require.NotNil(t, recover()) }()
				_, _ = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.All()})
			}()
			armed = false
			require.Zero(t, e.Order(o.ID).Refundable, "reserved whole")
			for range 5 {
				e.After(10 * time.Second)
			}
			after := e.Order(o.ID)
			require.Equal(t, ledger.OrderRefunded, after.Status, "%s %d", point, at)
			require.Equal(t, int64(10_000), after.Refunded)
			theirs := e.Provider.Honest.Payment(o.Attempts[0].ID).Refunds.Items
			require.Len(t, theirs, 3)
			e.Verified()
		}
	}
}

// TestMoney_ARefundBetweenItsParts: the hub dies after a part was recorded and
// before the next one is. A worker goes on, and one that cannot be sent is
// asked for again.
func TestMoney_ARefundBetweenItsParts(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := paidAs(e, paytest.USD(4_000), paytest.USD(6_000))
	p, _ := e.Registry.Get(paytest.Name)
	var up func()
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			up = p.TakeDown()
			return e.Provider.Honest.Refund(ctx, r)
		}
	})
	a, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.All()})
	require.NoError(t, err)
	require.Equal(t, sdk.MovementPending, a.Order.RequestOf(a.Refund).Status)
	require.Zero(t, a.Order.Refundable)
	require.LessOrEqual(t, a.Order.Attempts[0].DueAt.Sub(e.Clock.Now()), 5*time.Second, "a worker goes on soon")
	e.Verified()
	sent := 0
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			if sent++; sent == 1 {
				return nil, sdk.NotSent("connection refused")
			}
			return e.Provider.Honest.Refund(ctx, r)
		}
	})
	e.After(time.Minute)
	require.Zero(t, sent)
	up()
	for range 3 {
		e.After(time.Minute)
		e.Verified()
	}
	require.Equal(t, 2, sent)
	require.Equal(t, ledger.OrderRefunded, e.Order(o.ID).Status)
	keys := map[string]bool{}
	for _, c := range e.Provider.Calls("Refund") {
		keys[c.Key] = true
	}
	require.Len(t, keys, 2)
	e.Verified()
}

// TestMoney_APartedRefundThatDidNotReachTheProvider: nothing was sent, nothing
// stays reserved, and the same key sends all of it.
func TestMoney_APartedRefundThatDidNotReachTheProvider(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := paidAs(e, paytest.USD(4_000), paytest.USD(6_000))
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = func(context.Context, sdk.RefundRequest) (*sdk.Refund, error) { return nil, sdk.NotSent("no route") }
	})
	caller := e.Caller()
	a, err := e.Service.Refund(t.Context(), caller, o.ID, payments.RefundInput{Amount: ledger.All()})
	require.NoError(t, err)
	require.Equal(t, ledger.OutcomeNotSent, a.Operation.Outcome)
	require.Equal(t, int64(10_000), e.Order(o.ID).Refundable)
	e.Provider.Script(func(s *paytest.Script) { s.Refund = nil })
	a, err = e.Service.Refund(t.Context(), caller, o.ID, payments.RefundInput{Amount: ledger.All()})
	require.NoError(t, err)
	require.Equal(t, ledger.OrderRefunded, a.Order.Status)
	key := e.Provider.Calls("Refund")[0].Key
	require.Equal(t, a.Refund.PartKey, key)
	require.Equal(t, key, e.Provider.Calls("Refund")[1].Key, "the same part has the same key")
	e.Verified()
}
