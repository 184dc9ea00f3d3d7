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
	e.Provider.Script(func(s *paytest.Script) {
		s.Cancel = func(_ context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
			return e.Provider.Honest.Payment(r.AttemptID), nil
		}
	})
	return e
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
	_, err := e.Service.CheckoutAgain(e.T.Context(), e.Caller(), o.ID, payments.AttemptInput{Provider: paytest.Name, Flow: paytest.FlowPage})
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
				_, err = e.Service.Capture(t.Context(), who, o.ID, payments.CaptureInput{AttemptID: attempt})
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
	a, err = e.Service.Capture(t.Context(), caller, o.ID, payments.CaptureInput{})
	sentNot(t, a, err)
	e.Provider.Script(func(s *paytest.Script) { s.Capture = nil })
	cancelOrder(e, o)
	_, err = e.Service.Capture(t.Context(), caller, o.ID, payments.CaptureInput{})
	refused(t, err, "attempt_abandoned")
	require.Len(t, e.Provider.Calls("Capture"), 1)
	e.Verified()
}
