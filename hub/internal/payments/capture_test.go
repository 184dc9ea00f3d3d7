package payments_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// TestCapture_TakesWhatWasAuthorizedAtMost: the provider would take anything.
func TestCapture_TakesWhatWasAuthorizedAtMost(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	capture := func(o *ledger.Order, amount int64) error {
		_, err := e.Service.Capture(t.Context(), e.Caller(), o.ID, payments.CaptureInput{Amount: ledger.Minor(amount)})
		return err
	}

	whole := e.Authorized()
	refused(t, capture(whole, 10_001), "amount_too_large")
	refused(t, capture(whole, -1), "invalid_request")
	_, err := e.Service.Capture(t.Context(), e.Operator(whole.ID, true), whole.ID, payments.CaptureInput{Amount: ledger.Minor(10_001)})
	refused(t, err, "amount_too_large")
	require.Empty(t, e.Provider.Calls("Capture"))
	refused(t, capture(whole, 0), "invalid_request")
	all := func(o *ledger.Order) error {
		_, err := e.Service.Capture(t.Context(), e.Caller(), o.ID, payments.CaptureInput{Amount: ledger.All()})
		return err
	}
	require.NoError(t, all(whole))
	require.Equal(t, paytest.USD(10_000), e.Provider.Calls("Capture")[0].Request.(sdk.CaptureRequest).Capture, "all of it")
	require.Equal(t, ledger.OrderPaid, e.Order(whole.ID).Status)
	refused(t, capture(whole, 1), "wrong_state")

	// The provider holds less than the order's amount.
	part := e.Authorized()
	e.Told(e.Provider.Honest.Edit(part.Attempts[0].ID, func(p *sdk.Payment) { p.Authorized, p.Capturable = paytest.USD(4_000), paytest.USD(4_000) }))
	require.Equal(t, int64(4_000), e.Order(part.ID).Authorized)
	refused(t, capture(part, 4_001), "amount_too_large")
	require.Len(t, e.Provider.Calls("Capture"), 1)
	require.NoError(t, all(part))
	require.Equal(t, paytest.USD(4_000), e.Provider.Calls("Capture")[1].Request.(sdk.CaptureRequest).Capture)
	e.Verified()
}

// TestCapture_NotOfFlaggedMoney: an authorisation that does not fit what was
// asked is not taken before a person says so, by whomever it is asked.
func TestCapture_NotOfFlaggedMoney(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	for reason, change := range map[string]func(*sdk.Payment){
		ledger.AmountMismatch:    func(p *sdk.Payment) { p.Amount = paytest.USD(9_999) },
		ledger.CurrencyMismatch:  func(p *sdk.Payment) { p.Amount = paytest.EUR(10_000) },
		ledger.ReferenceMismatch: func(p *sdk.Payment) { p.AttemptID = "att_of_another_payment" },
		ledger.ModeMismatch:      func(p *sdk.Payment) { p.Mode = sdk.Live },
	} {
		e.Provider.Script(func(s *paytest.Script) {
			s.CreateCheckout = paytest.Changed(e.Provider.Honest.CreateCheckout, change)
		})
		in := e.Input(paytest.FlowCharge)
		in.Capture = sdk.CaptureManual
		a, err := e.Service.Checkout(t.Context(), e.Caller(), in)
		require.NoError(t, err, reason)
		o := a.Order
		require.Equal(t, ledger.OrderPending, o.Status, reason)
		require.Equal(t, sdk.RequiresCapture, o.Attempts[0].Status, reason)
		require.Equal(t, []string{reason}, reasons(o))
		before := len(e.Moves())

		_, err = e.Service.Capture(t.Context(), e.Caller(), o.ID, payments.CaptureInput{Amount: ledger.All()})
		refused(t, err, "needs_attention")
		_, err = e.Service.Capture(t.Context(), e.Operator(o.ID, true), o.ID, payments.CaptureInput{Amount: ledger.Minor(1)})
		refused(t, err, "needs_attention")
		require.Len(t, e.Moves(), before, reason)

		_, err = e.Service.Resolve(t.Context(), o.ID, reason, "alice", "asked the provider")
		require.NoError(t, err, reason)
		_, err = e.Service.Capture(t.Context(), e.Caller(), o.ID, payments.CaptureInput{Amount: ledger.All()})
		require.NoError(t, err, reason)
	}
	e.Verified()
}

// TestCapture_TakesMoneyOnce: of an order that another attempt has paid,
// nothing more is taken.
func TestCapture_TakesMoneyOnce(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowBare)
	earlier := o.Attempts[0].ID
	again, err := e.Service.CheckoutAgain(t.Context(), e.Caller(), o.ID, payments.AgainInput{AttemptInput: payments.AttemptInput{Provider: paytest.Name, Flow: paytest.FlowCharge, Capture: sdk.CaptureManual}})
	require.NoError(t, err)
	later := *again.Operation.AttemptID
	require.Equal(t, ledger.OrderAuthorized, again.Order.Status)

	e.Told(e.Provider.Honest.Pay(earlier))
	o = e.Order(o.ID)
	require.Equal(t, ledger.OrderPaid, o.Status)
	require.True(t, o.NeedsAttention, "two attempts hold money")
	for _, who := range []payments.Caller{e.Caller(), e.Operator(o.ID, true)} {
		_, err = e.Service.Capture(t.Context(), who, o.ID, payments.CaptureInput{Amount: ledger.All(), AttemptID: later})
		refused(t, err, "already_paid")
	}
	require.Empty(t, e.Provider.Calls("Capture"))
	a, err := e.Service.Cancel(t.Context(), e.Caller(), o.ID, payments.CancelInput{AttemptID: later})
	require.NoError(t, err)
	require.Equal(t, ledger.OrderPaid, a.Order.Status)
	require.Equal(t, sdk.Canceled, a.Order.Attempt(later).Status, "what is held twice is released")
	require.Zero(t, a.Order.Authorized)
	_, err = e.Service.Cancel(t.Context(), e.Caller(), o.ID, payments.CancelInput{AttemptID: earlier})
	refused(t, err, "wrong_state")
	e.Verified()
}
