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

// cannotCancel is an environment in which the bare flow can do all but cancel, and
// the provider declines to cancel a payment of the others.
func cannotCancel(t *testing.T) *paytest.Env {
	e := paytest.New(t, paytest.Options{Provider: paytest.NewProvider().Change(func(d *sdk.Description) {
		for i := range d.Flows {
			if d.Flows[i].Name == paytest.FlowBare {
				d.Flows[i].CaptureModes = []sdk.CaptureMode{sdk.CaptureAutomatic, sdk.CaptureManual}
				d.Flows[i].Capabilities = []sdk.Capability{sdk.CanConfirm, sdk.CanCapture, sdk.ContinuesItself, sdk.CanRefund}
			}
		}
	})})
	declinesCancel(e)
	return e
}

// declinesCancel has the provider answer each cancel with the payment as it is.
func declinesCancel(e *paytest.Env) {
	e.Provider.Script(func(s *paytest.Script) {
		s.Cancel = func(_ context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
			return e.Provider.Honest.Payment(r.AttemptID), nil
		}
	})
}

// abandoning are the ways in which the hub gives an attempt up.
var abandoning = map[string]struct {
	flow  string
	close func(e *paytest.Env, o *ledger.Order)
	after ledger.OrderStatus
}{
	"canceled, which the flow cannot":          {paytest.FlowBare, cancelOrder, ledger.OrderCanceled},
	"canceled, which the provider declined":    {paytest.FlowConfirm, cancelOrder, ledger.OrderCanceled},
	"expired, and the provider declined":       {paytest.FlowConfirm, func(e *paytest.Env, _ *ledger.Order) { e.After(25 * time.Hour) }, ledger.OrderExpired},
	"replaced, what the flow cannot cancel":    {paytest.FlowBare, replace, ledger.OrderOpen},
	"replaced, what the provider goes on with": {paytest.FlowConfirm, replace, ledger.OrderOpen},
}

func cancelOrder(e *paytest.Env, o *ledger.Order) {
	e.T.Helper()
	_, err := e.Service.Cancel(e.T.Context(), e.Caller(), o.ID, payments.CancelInput{})
	require.NoError(e.T, err)
}

func replace(e *paytest.Env, o *ledger.Order) {
	e.T.Helper()
	e.Clock.Advance(time.Millisecond) // attempts are in the order of their making
	_, err := e.Service.CheckoutAgain(e.T.Context(), e.Caller(), o.ID, payments.AgainInput{AttemptInput: payments.AttemptInput{Provider: paytest.Name, Flow: paytest.FlowPage}})
	require.NoError(e.T, err)
}

// TestAbandoned_TakesNoMoney: what the hub gave up is confirmed and captured for
// nobody, neither by a new request nor by the repeat of one that never left. It is
// read until it ends, and money that comes all the same is on record.
func TestAbandoned_TakesNoMoney(t *testing.T) {
	t.Parallel()
	for name, way := range abandoning {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := cannotCancel(t)
			in := e.Input(way.flow)
			in.Capture = sdk.CaptureManual
			a, err := e.Service.Checkout(t.Context(), e.Caller(), in)
			require.NoError(t, err)
			o, attempt := a.Order, a.Order.Attempts[0].ID
			e.Provider.Script(func(s *paytest.Script) { s.Confirm = paytest.Fails[sdk.ConfirmRequest, sdk.Payment](notSent) })
			unsent, input := e.Caller(), payments.ConfirmInput{AttemptID: attempt}
			a, err = e.Service.Confirm(t.Context(), unsent, o.ID, input)
			sentNot(t, a, err)
			e.Provider.Script(func(s *paytest.Script) { s.Confirm = nil })

			way.close(e, o)
			o = e.Order(o.ID)
			require.True(t, o.Attempt(attempt).Abandoned)
			require.Equal(t, way.after, o.Status)
			before := len(e.Provider.Calls("Confirm"))
			for _, who := range []payments.Caller{e.Caller(), unsent, e.Operator(o.ID, true)} {
				_, err = e.Service.Confirm(t.Context(), who, o.ID, input)
				refused(t, err, "attempt_abandoned")
			}
			e.Hinted(e.Provider.Honest.Approve(attempt))
			e.After(time.Minute)
			require.Len(t, e.Provider.Calls("Confirm"), before, "nor does the hub by itself")

			e.Provider.Honest.Authorize(attempt) // and no callback comes
			e.After(24 * time.Hour)
			require.Equal(t, sdk.RequiresCapture, e.Order(o.ID).Attempt(attempt).Status, "it is watched")
			for _, who := range []payments.Caller{e.Caller(), e.Operator(o.ID, true)} {
				_, err = e.Service.Capture(t.Context(), who, o.ID, payments.CaptureInput{Amount: ledger.All(), AttemptID: attempt})
				refused(t, err, "attempt_abandoned")
			}
			require.Empty(t, e.Provider.Calls("Capture"))

			e.Provider.Honest.Pay(attempt)
			e.After(24 * time.Hour)
			require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
			require.Zero(t, len(e.Provider.Calls("Confirm"))-before+len(e.Provider.Calls("Capture")))
			e.Verified()
		})
	}
}

// TestAbandoned_CaptureThatNeverLeft is not sent any more once its attempt was
// given up.
func TestAbandoned_CaptureThatNeverLeft(t *testing.T) {
	t.Parallel()
	e := cannotCancel(t)
	in := e.Input(paytest.FlowBare)
	in.Capture = sdk.CaptureManual
	a, err := e.Service.Checkout(t.Context(), e.Caller(), in)
	require.NoError(t, err)
	o := a.Order
	e.Told(e.Provider.Honest.Authorize(o.Attempts[0].ID))
	e.Provider.Script(func(s *paytest.Script) { s.Capture = paytest.Fails[sdk.CaptureRequest, sdk.Payment](notSent) })
	caller := e.Caller()
	a, err = e.Service.Capture(t.Context(), caller, o.ID, payments.CaptureInput{Amount: ledger.All()})
	sentNot(t, a, err)
	e.Provider.Script(func(s *paytest.Script) { s.Capture = nil })
	cancelOrder(e, o)
	_, err = e.Service.Capture(t.Context(), caller, o.ID, payments.CaptureInput{Amount: ledger.All()})
	refused(t, err, "attempt_abandoned")
	require.Len(t, e.Provider.Calls("Capture"), 1)
	e.Verified()
}

// TestAuthorizedAfterClose: money that is held since the order was closed is put
// before a person until it is not held any more, and can be released.
func TestAuthorizedAfterClose(t *testing.T) {
	t.Parallel()
	e := cannotCancel(t)
	allows := func() { e.Provider.Script(func(s *paytest.Script) { s.Cancel = nil }) }
	closed := func(t *testing.T, flow string, closes func(*paytest.Env, *ledger.Order)) (*ledger.Order, string) {
		t.Helper()
		in := e.Input(flow)
		in.Capture = sdk.CaptureManual
		a, err := e.Service.Checkout(t.Context(), e.Caller(), in)
		require.NoError(t, err)
		closes(e, a.Order)
		attempt := a.Order.Attempts[0].ID
		e.Told(e.Provider.Honest.Authorize(attempt))
		e.Due()
		o := e.Order(a.Order.ID)
		require.Equal(t, ledger.OrderAuthorized, o.Status)
		require.Equal(t, []string{ledger.AuthorizedAfterClose}, reasons(o))
		require.Equal(t, attempt, o.Attention[0].AttemptID)
		return o, attempt
	}
	expires := func(e *paytest.Env, _ *ledger.Order) { e.After(25 * time.Hour) }

	for name, end := range map[string]func(o *ledger.Order, attempt string){
		"it lapses":       func(_ *ledger.Order, attempt string) { e.Told(e.Provider.Honest.Decide(attempt, sdk.Canceled)) },
		"the app cancels": func(o *ledger.Order, _ string) { allows(); cancelOrder(e, o) },
		"a person had seen": func(o *ledger.Order, attempt string) {
			_, err := e.Service.Resolve(t.Context(), o.ID, "", "ann", "it lapses by itself")
			require.NoError(t, err)
			e.Told(e.Provider.Honest.Decide(attempt, sdk.Canceled))
		},
	} {
		for _, closes := range []func(*paytest.Env, *ledger.Order){cancelOrder, expires} {
			declinesCancel(e)
			o, attempt := closed(t, paytest.FlowConfirm, closes)
			end(o, attempt)
			o = e.Order(o.ID)
			require.Contains(t, []ledger.OrderStatus{ledger.OrderCanceled, ledger.OrderExpired}, o.Status, name)
			require.Empty(t, o.Attention, name)
			require.False(t, o.NeedsAttention, name)

			// The provider thinks otherwise: the next time is told anew.
			e.Told(e.Provider.Honest.Authorize(attempt))
			e.Due()
			require.Equal(t, []string{ledger.AuthorizedAfterClose}, reasons(e.Order(o.ID)), name)
		}
	}

	// Taken at the provider, it is paid after the end.
	o, attempt := closed(t, paytest.FlowBare, cancelOrder)
	e.Told(e.Provider.Honest.Pay(attempt))
	require.Equal(t, []string{ledger.PaidAfterClose}, reasons(e.Order(o.ID)))
	declinesCancel(e)
	o, attempt = closed(t, paytest.FlowConfirm, expires)
	e.Told(e.Provider.Honest.Pay(attempt))
	require.Equal(t, []string{ledger.PaidAfterClose}, reasons(e.Order(o.ID)))

	// What the provider had canceled and was not given up may be captured: then it
	// is wanted.
	allows()
	o, attempt = closed(t, paytest.FlowConfirm, expires)
	require.False(t, o.Attempt(attempt).Abandoned)
	a, err := e.Service.Capture(t.Context(), e.Caller(), o.ID, payments.CaptureInput{Amount: ledger.All()})
	require.NoError(t, err)
	require.Equal(t, ledger.OrderPaid, a.Order.Status)
	require.False(t, a.Order.NeedsAttention)

	// An order that is open is not closed, and what was held before is not new.
	require.Empty(t, e.Authorized().Attention)
	o = e.Authorized()
	declinesCancel(e)
	cancelOrder(e, o)
	require.Empty(t, e.Order(o.ID).Attention)
	e.Verified()
}
