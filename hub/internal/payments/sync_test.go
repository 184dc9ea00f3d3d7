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
	_, err := e.Service.Capture(t.Context(), caller, o.ID, payments.CaptureInput{Amount: ledger.All()})
	refused(t, err, "in_flight")
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
