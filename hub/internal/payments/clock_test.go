package payments_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// TestClock_NothingIsBegunByAWrongOne: what would be judged by the time is
// answered 503 and leaves no trace, and goes on when the clock is right.
func TestClock_NothingIsBegunByAWrongOne(t *testing.T) {
	t.Parallel()
	var wrong error
	e := paytest.New(t, paytest.Options{Service: func(o *payments.Options) { o.CheckClock = func() error { return wrong } }})
	open, paid, held := e.Checkout(paytest.FlowPage), e.Checkout(paytest.FlowCharge), e.Authorized()
	attempt := open.Attempts[0].ID
	event := e.Fact("evt-1", attempt, true, *e.Provider.Honest.Pay(attempt))
	calls := len(e.Provider.Calls())

	wrong = errors.New("two hours ahead")
	_, err := e.Callback(event)
	refused(t, err, "clock_wrong")
	for name, ask := range map[string]func() error{
		"checkout": func() error {
			_, err := e.Service.Checkout(t.Context(), e.Caller(), e.Input(paytest.FlowCharge))
			return err
		},
		"another checkout": func() error {
			_, err := e.Service.CheckoutAgain(t.Context(), e.Caller(), open.ID, payments.AgainInput{AttemptInput: e.Input(paytest.FlowCharge).AttemptInput})
			return err
		},
		"confirm": func() error {
			_, err := e.Service.Confirm(t.Context(), e.Caller(), open.ID, payments.ConfirmInput{})
			return err
		},
		"capture": func() error {
			_, err := e.Service.Capture(t.Context(), e.Caller(), held.ID, payments.CaptureInput{Amount: ledger.All()})
			return err
		},
		"cancel": func() error {
			_, err := e.Service.Cancel(t.Context(), e.Caller(), open.ID, payments.CancelInput{})
			return err
		},
		"refund": func() error {
			_, err := e.Service.Refund(t.Context(), e.Caller(), paid.ID, payments.RefundInput{Amount: ledger.All()})
			return err
		},
		"sync": func() error { return e.Service.Sync(t.Context(), attempt) },
	} {
		var told *ledger.Error
		require.ErrorAs(t, ask(), &told, name)
		require.Equal(t, "clock_wrong", told.Code, name)
		require.Equal(t, ledger.Unavailable, told.Kind, name)
		require.Contains(t, told.Message, "two hours ahead", name)
	}
	back, err := e.Service.Return(t.Context(), attempt, sdk.Return{})
	require.NoError(t, err, "a payer is sent on all the same")
	require.Equal(t, ledger.OrderOpen, back.Status)
	require.Len(t, e.Provider.Calls(), calls, "no provider was asked")
	require.Equal(t, 3, e.Count(`SELECT count(*) FROM operations`), "nothing was recorded")
	require.Zero(t, e.Count(`SELECT count(*) FROM callbacks`))

	wrong = nil
	_, err = e.Callback(event)
	require.NoError(t, err, "the provider sends it again")
	require.Equal(t, ledger.OrderPaid, e.Order(open.ID).Status)
}
