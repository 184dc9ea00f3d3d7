package payments_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

// TestUnreadable_ARefundOfLessThanNothing: the answer counts as lost. Nothing
// becomes refundable by it, and a right answer closes the refund later.
func TestUnreadable_ARefundOfLessThanNothing(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			refund, err := e.Provider.Honest.Refund(ctx, r)
			refund.Amount = paytest.USD(-4_000)
			return refund, err
		}
	})
	a, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(4_000)})
	require.NoError(t, err)
	require.Equal(t, ledger.OutcomeUnknown, a.Operation.Outcome)
	require.Equal(t, ledger.RefundUnknown, a.Refund.Status)
	require.Equal(t, int64(6_000), e.Order(o.ID).Refundable, "reserved, not added")
	_, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(14_000)})
	require.Error(t, err)

	e.Provider.Script(func(s *paytest.Script) { s.Refund = nil })
	e.After(time.Minute)
	after := e.Order(o.ID)
	require.Equal(t, int64(4_000), after.Refunded)
	require.Equal(t, int64(6_000), after.Refundable)
	require.Len(t, after.Refunds, 1)
	e.Verified()
}

// TestUnreadable_ACallbackIsPutAside: nothing in it is applied; it stands in the
// inbox as failed, and the payment that it names is read.
func TestUnreadable_ACallbackIsPutAside(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowPage)
	attempt := o.Attempts[0].ID
	p := e.Provider.Honest.Pay(attempt)
	p.Captures.Items[0].Amount = paytest.USD(-500)
	for range 2 { // sent again: absorbed
		_, err := e.Callback(e.Fact("evt-1", attempt, true, *p))
		require.NoError(t, err)
	}
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM callbacks WHERE outcome = 'failed' AND order_id = $1 AND note LIKE '%capture cap-%is of -5.00 USD%'`, o.ID))
	require.Empty(t, e.Order(o.ID).Captures)
	e.Due()
	require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status, "the read was right")
	e.Verified()
}

// TestUnreadable_AListSkipsIt: the other payments of the page are looked at.
func TestUnreadable_AListSkipsIt(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	bad, good := e.Checkout(paytest.FlowPage), e.Checkout(paytest.FlowPage)
	e.Provider.Honest.Pay(bad.Attempts[0].ID)
	e.Provider.Honest.Pay(good.Attempts[0].ID)
	e.Provider.Script(func(s *paytest.Script) {
		s.List = func(ctx context.Context, r sdk.ListRequest) (*sdk.ListPage, error) {
			page, err := e.Provider.Honest.List(ctx, r)
			for i := range page.Payments {
				if page.Payments[i].AttemptID == bad.Attempts[0].ID {
					page.Payments[i].Captures.Items[0].Amount = paytest.USD(0)
				}
			}
			return page, err
		}
	})
	require.NoError(t, e.Service.List(t.Context(), postgres.Schedule{Provider: paytest.Name, Kind: postgres.ListOutage, KnownTo: e.Clock.Now()}))
	e.Due()
	require.Equal(t, ledger.OrderPaid, e.Order(good.ID).Status)
	require.Equal(t, ledger.OrderPaid, e.Order(bad.ID).Status, "it was read by itself")
}
