package payments_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// next is how long after the clock's time the order's attempt is looked at again.
func next(e *paytest.Env, id string) time.Duration {
	return e.Order(id).Attempts[0].DueAt.Sub(e.Clock.Now())
}

// TestSync_ALookThatWasNotMadeIsNoTry: looks since the last news make the next
// ones rarer; one that failed, or had to wait for an operation, told nothing.
func TestSync_ALookThatWasNotMadeIsNoTry(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{Service: func(o *payments.Options) { o.OrderTTL = 80 * 24 * time.Hour }})
	plain, failing := e.Checkout(paytest.FlowPage), e.Checkout(paytest.FlowPage)
	require.Equal(t, next(e, plain.ID), next(e, failing.ID))
	e.Provider.Script(func(s *paytest.Script) {
		s.GetPayment = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			if r.AttemptID == failing.Attempts[0].ID {
				return nil, errors.New("the provider is away")
			}
			return e.Provider.Honest.GetPayment(ctx, r)
		}
	})
	e.After(time.Minute)
	for range 10 {
		e.After(time.Minute)
	}
	require.Greater(t, e.Order(failing.ID).Attempts[0].Failures, 4)
	e.Provider.Script(func(s *paytest.Script) { s.GetPayment = nil })
	for n := 0; e.Order(failing.ID).Attempts[0].Failures > 0; n++ {
		require.Less(t, n, 10)
		e.After(time.Minute)
	}
	require.Equal(t, 1, e.Order(failing.ID).Attempts[0].Tries)
	require.Equal(t, 5*time.Minute, next(e, failing.ID), "as after the first look")
}

// TestSync_ATruthThatCannotBeHad: after some seven hours in which the provider
// could not be read, or not be asked, a person is told, once. The hub goes on
// trying, seldom, and takes it back by itself.
func TestSync_ATruthThatCannotBeHad(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{Service: func(o *payments.Options) { o.OrderTTL = 80 * 24 * time.Hour }})
	p, ok := e.Registry.Get(paytest.Name)
	require.True(t, ok)
	open, unknown := e.Checkout(paytest.FlowPage), e.Checkout(paytest.FlowCharge)
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = paytest.Lost(e.Provider.Honest.Refund)
		s.GetRefund = paytest.Fails[sdk.GetRefundRequest, sdk.Refund](paytest.ErrBroken)
		s.GetPayment = paytest.Fails[sdk.PaymentRequest, sdk.Payment](paytest.ErrBroken)
	})
	_, err := e.Service.Refund(t.Context(), e.Caller(), unknown.ID, payments.RefundInput{Amount: ledger.All()})
	require.NoError(t, err)
	up := p.TakeDown()
	told := func(o *ledger.Order) bool { return hasAttention(e.Order(o.ID), ledger.Exhausted) }
	for range 6 * 60 {
		e.After(time.Minute)
	}
	require.False(t, told(open) || told(unknown))
	up() // it is asked again, and does not tell
	for range 12 {
		e.After(time.Hour)
	}
	require.True(t, told(open))
	reads := len(e.Provider.Calls("GetPayment"))
	e.After(2 * time.Hour)
	e.After(2 * time.Hour)
	require.LessOrEqual(t, len(e.Provider.Calls("GetPayment"))-reads, 4, "seldom")
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM events WHERE order_id = $1 AND kind = 'attention.exhausted'`, open.ID))
	for range 72 {
		e.After(time.Hour)
	}
	require.True(t, told(unknown), "three days after it was sent")
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM events WHERE order_id = $1 AND kind = 'attention.exhausted'`, unknown.ID))

	e.Provider.Script(func(s *paytest.Script) { *s = paytest.Script{} })
	for range 7 {
		e.After(time.Hour)
	}
	require.False(t, e.Order(open.ID).NeedsAttention)
	require.False(t, e.Order(unknown.ID).NeedsAttention)
	require.Equal(t, ledger.OrderRefunded, e.Order(unknown.ID).Status)
	require.Len(t, e.Provider.Honest.Payment(unknown.Attempts[0].ID).Refunds.Items, 1)
	e.Verified()
}

// TestSync_WaitsForAnOperationUnderWay: it is left alone while its caller may
// still be at it, and that is no try, either.
func TestSync_WaitsForAnOperationUnderWay(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{Service: func(o *payments.Options) { o.CallTimeout = time.Minute }})
	o := e.Authorized()
	held, arrived, release := paytest.Held(e.Provider.Honest.Capture)
	e.Provider.Script(func(s *paytest.Script) { s.Capture = held })
	done := make(chan error, 1)
	caller := e.Caller()
	go func() {
		_, err := e.Service.Capture(t.Context(), caller, o.ID, payments.CaptureInput{Amount: ledger.All()})
		done <- err
	}()
	<-arrived
	reads := len(e.Provider.Calls("GetPayment"))
	e.Hinted(e.Provider.Honest.Payment(o.Attempts[0].ID))
	for range 3 {
		e.After(time.Second)
	}
	under := e.Order(o.ID)
	require.Equal(t, ledger.OutcomePending, under.OpenOperation(o.Attempts[0].ID).Outcome)
	require.Zero(t, under.Attempts[0].Tries)
	require.Zero(t, under.Attempts[0].Failures)
	require.Len(t, e.Provider.Calls("GetPayment"), reads)
	repeat := func() {
		_, err := e.Service.Capture(t.Context(), caller, o.ID, payments.CaptureInput{Amount: ledger.All()})
		refused(t, err, "in_flight")
		require.Equal(t, ledger.OutcomePending, e.Order(o.ID).OpenOperation(o.Attempts[0].ID).Outcome)
	}
	repeat()
	p, ok := e.Registry.Get(paytest.Name)
	require.True(t, ok)
	up := p.TakeDown() // the call is still under way
	repeat()
	up()
	release()
	require.NoError(t, <-done)
	require.Len(t, e.Provider.Calls("Capture"), 1)
	require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
	e.Verified()
}

// TestSync_NotFoundTakesNothingBack: what the provider does not show (yet) stays
// as it is until the order's time is up; held money does not vanish at all.
func TestSync_NotFoundTakesNothingBack(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	open, held := e.Checkout(paytest.FlowPage), e.Authorized()
	e.Provider.Script(func(s *paytest.Script) {
		s.GetPayment = paytest.Fails[sdk.PaymentRequest, sdk.Payment](sdk.ErrNotFound)
	})
	for range 5 {
		e.After(4 * time.Hour)
		require.Equal(t, sdk.RequiresAction, e.Order(open.ID).Attempts[0].Status)
	}
	require.Contains(t, reasons(e.Order(held.ID)), ledger.MoneyMissing)
	for range 5 {
		e.After(4 * time.Hour)
	}
	require.Equal(t, ledger.OrderExpired, e.Order(open.ID).Status)
	require.Equal(t, ledger.OrderAuthorized, e.Order(held.ID).Status)
	require.Empty(t, e.Provider.Calls("Cancel"))
	e.Verified()
}
