package payments_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// Each request of these tests never leaves the plugin. It is repeated with its
// own key after something else happened to the order: what would be refused to
// a new request is refused to this one, and nothing reaches the provider.

var notSent = sdk.NotSent("no route to the provider")

// neverLeft makes all calls that can move money fail before they leave, until
// the returned function is called.
func neverLeft(e *paytest.Env) (back func()) {
	e.Provider.Script(func(s *paytest.Script) {
		s.CreateCheckout = paytest.Fails[sdk.CheckoutRequest, sdk.Payment](notSent)
		s.Confirm = paytest.Fails[sdk.ConfirmRequest, sdk.Payment](notSent)
		s.Capture = paytest.Fails[sdk.CaptureRequest, sdk.Payment](notSent)
		s.Cancel = paytest.Fails[sdk.CancelRequest, sdk.Payment](notSent)
		s.Refund = paytest.Fails[sdk.RefundRequest, sdk.Refund](notSent)
	})
	return func() { e.Provider.Script(func(s *paytest.Script) { *s = paytest.Script{} }) }
}

// sentNot requires an answer of what never left.
func sentNot(t *testing.T, a payments.Answer, err error) {
	t.Helper()
	require.NoError(t, err)
	require.Equal(t, ledger.OutcomeNotSent, a.Operation.Outcome)
}

func TestResume_RefundIsCheckedAnew(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	for name, test := range map[string]struct {
		meanwhile func(o *ledger.Order, attempt string)
		code      string
	}{
		"refunded in the dashboard": {func(_ *ledger.Order, attempt string) {
			e.Told(e.Provider.Honest.Refunded(attempt, paytest.USD(5_000)))
		}, "refund_too_large"},
		"refunded by another request": {func(o *ledger.Order, _ string) {
			_, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(4_001)})
			require.NoError(t, err)
		}, "refund_too_large"},
		"disputed": {func(_ *ledger.Order, attempt string) {
			e.Told(e.Provider.Honest.Disputed(attempt, paytest.USD(7_000)))
		}, "refund_too_large"},
		"another refund is open": {func(o *ledger.Order, _ string) {
			e.Provider.Script(func(s *paytest.Script) { s.Refund = paytest.Lost(e.Provider.Honest.Refund) })
			_, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(1)})
			require.NoError(t, err)
			e.Provider.Script(func(s *paytest.Script) { s.Refund = nil })
		}, "operation_open"},
		"nothing": {func(*ledger.Order, string) {}, ""},
	} {
		o := e.Checkout(paytest.FlowCharge)
		back := neverLeft(e)
		caller, in := e.Caller(), payments.RefundInput{Amount: ledger.Minor(6_000)}
		a, err := e.Service.Refund(t.Context(), caller, o.ID, in)
		sentNot(t, a, err)
		require.Equal(t, sdk.MovementFailed, a.Refund.Status, name)
		back()

		test.meanwhile(o, o.Attempts[0].ID)
		before := len(e.Moves())
		a, err = e.Service.Refund(t.Context(), caller, o.ID, in)
		if test.code != "" {
			refused(t, err, test.code)
			require.Len(t, e.Moves(), before, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, sdk.MovementSucceeded, a.Refund.Status)
		require.Len(t, e.Moves(), before+1, name)
		require.Equal(t, int64(4_000), e.Order(o.ID).Refundable)
	}
	e.Verified()
}

// TestResume_OverrideOfADisputeIsOfWhoGaveIt: an operator may give disputed
// money back; the app's repeat of its own request may not.
func TestResume_OverrideOfADisputeIsOfWhoGaveIt(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	e.Told(e.Provider.Honest.Disputed(o.Attempts[0].ID, paytest.USD(7_000)))
	back := neverLeft(e)
	who, in := e.Operator(o.ID, true), payments.RefundInput{Amount: ledger.Minor(6_000)}
	a, err := e.Service.Refund(t.Context(), who, o.ID, in)
	sentNot(t, a, err)
	back()
	without := who
	without.Operator = &ledger.Operator{Name: "bob", Why: "the button again"}
	_, err = e.Service.Refund(t.Context(), without, o.ID, in)
	refused(t, err, "refund_too_large")
	require.Len(t, e.Provider.Calls("Refund"), 1)
	_, err = e.Service.Refund(t.Context(), who, o.ID, in)
	require.NoError(t, err)
	require.Len(t, e.Provider.Calls("Refund"), 2)
	e.Verified()
}

func TestResume_CheckoutIsCheckedAnew(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	another := func(o *ledger.Order, flow string) {
		_, err := e.Service.CheckoutAgain(t.Context(), e.Caller(), o.ID, payments.AgainInput{AttemptInput: payments.AttemptInput{Provider: paytest.Name, Flow: flow}})
		require.NoError(t, err)
	}
	for name, test := range map[string]struct {
		meanwhile func(o *ledger.Order)
		code      string
	}{
		"another attempt can be paid": {func(o *ledger.Order) { another(o, paytest.FlowPage) }, "attempt_open"},
		"another attempt paid":        {func(o *ledger.Order) { another(o, paytest.FlowCharge) }, "wrong_state"},
		"canceled": {func(o *ledger.Order) {
			_, err := e.Service.Cancel(t.Context(), e.Caller(), o.ID, payments.CancelInput{})
			require.NoError(t, err)
		}, "wrong_state"},
		"another attempt is unknown": {func(o *ledger.Order) {
			e.Provider.Script(func(s *paytest.Script) { s.CreateCheckout = paytest.Lost(e.Provider.Honest.CreateCheckout) })
			another(o, paytest.FlowCharge)
			e.Provider.Script(func(s *paytest.Script) { s.CreateCheckout = nil })
		}, "wrong_state"},
		"nothing": {func(*ledger.Order) {}, ""},
	} {
		back := neverLeft(e)
		caller, in := e.Caller(), e.Input(paytest.FlowCharge)
		a, err := e.Service.Checkout(t.Context(), caller, in)
		sentNot(t, a, err)
		back()

		test.meanwhile(a.Order)
		before := len(e.Moves())
		a, err = e.Service.Checkout(t.Context(), caller, in)
		if test.code != "" {
			refused(t, err, test.code)
			require.Len(t, e.Moves(), before, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, ledger.OrderPaid, a.Order.Status)
		require.Len(t, e.Moves(), before+1, name)
	}
	e.Verified()
}

func TestResume_CaptureIsCheckedAnew(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	for name, test := range map[string]struct {
		meanwhile func(attempt string)
		code      string
	}{
		"canceled at the provider": {func(attempt string) { e.Told(e.Provider.Honest.Decide(attempt, sdk.Canceled)) }, "wrong_state"},
		"captured at the provider": {func(attempt string) { e.Told(e.Provider.Honest.Pay(attempt)) }, "wrong_state"},
		"flagged": {func(attempt string) {
			p := e.Provider.Honest.Payment(attempt)
			p.Amount = paytest.EUR(10_000)
			e.Told(p)
		}, "wrong_state"},
		"less is authorized": {func(attempt string) {
			e.Told(e.Provider.Honest.Edit(attempt, func(p *sdk.Payment) { p.Authorized = paytest.USD(5_999) }))
		}, "amount_too_large"},
		"nothing": {func(string) {}, ""},
	} {
		o := e.Authorized()
		back := neverLeft(e)
		caller, in := e.Caller(), payments.CaptureInput{Amount: ledger.Minor(6_000)}
		a, err := e.Service.Capture(t.Context(), caller, o.ID, in)
		sentNot(t, a, err)
		back()

		test.meanwhile(o.Attempts[0].ID)
		before := len(e.Moves())
		a, err = e.Service.Capture(t.Context(), caller, o.ID, in)
		if test.code != "" {
			refused(t, err, test.code)
			require.Len(t, e.Moves(), before, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, int64(6_000), a.Order.Captured)
		require.Len(t, e.Moves(), before+1, name)
	}
	e.Verified()
}

// TestResume_CaptureOfAnOrderThatAnotherAttemptPaid is refused.
func TestResume_CaptureOfAnOrderThatAnotherAttemptPaid(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowBare)
	again, err := e.Service.CheckoutAgain(t.Context(), e.Caller(), o.ID, payments.AgainInput{AttemptInput: payments.AttemptInput{Provider: paytest.Name, Flow: paytest.FlowCharge, Capture: sdk.CaptureManual}})
	require.NoError(t, err)
	back := neverLeft(e)
	caller, in := e.Caller(), payments.CaptureInput{Amount: ledger.All(), AttemptID: *again.Operation.AttemptID}
	a, err := e.Service.Capture(t.Context(), caller, o.ID, in)
	sentNot(t, a, err)
	back()
	e.Told(e.Provider.Honest.Pay(o.Attempts[0].ID))
	_, err = e.Service.Capture(t.Context(), caller, o.ID, in)
	refused(t, err, "already_paid")
	require.Len(t, e.Provider.Calls("Capture"), 1)
}

func TestResume_ConfirmAndCancelAreCheckedAnew(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	verbs := map[string]func(c payments.Caller, o *ledger.Order) (payments.Answer, error){
		"confirm": func(c payments.Caller, o *ledger.Order) (payments.Answer, error) {
			return e.Service.Confirm(t.Context(), c, o.ID, payments.ConfirmInput{})
		},
		"cancel": func(c payments.Caller, o *ledger.Order) (payments.Answer, error) {
			return e.Service.Cancel(t.Context(), c, o.ID, payments.CancelInput{})
		},
	}
	for verb, ask := range verbs {
		moved := ""
		if verb == "confirm" {
			moved = "wrong_state" // nothing is left to confirm; it can still be canceled
		}
		for name, test := range map[string]struct {
			meanwhile func(attempt string)
			code      string
		}{
			"canceled at the provider": {func(attempt string) { e.Told(e.Provider.Honest.Decide(attempt, sdk.Canceled)) }, "wrong_state"},
			"failed at the provider":   {func(attempt string) { e.Told(e.Provider.Honest.Decide(attempt, sdk.Failed)) }, "wrong_state"},
			"paid at the provider":     {func(attempt string) { e.Told(e.Provider.Honest.Pay(attempt)) }, "wrong_state"},
			"pending":                  {func(attempt string) { e.Told(e.Provider.Honest.Decide(attempt, sdk.Pending)) }, moved},
			"authorized":               {func(attempt string) { e.Told(e.Provider.Honest.Authorize(attempt)) }, moved},
			"nothing":                  {func(string) {}, ""},
		} {
			o := e.Checkout(paytest.FlowConfirm)
			back := neverLeft(e)
			caller := e.Caller()
			a, err := ask(caller, o)
			sentNot(t, a, err)
			back()

			test.meanwhile(o.Attempts[0].ID)
			before := len(e.Moves())
			_, err = ask(caller, o)
			if test.code != "" {
				refused(t, err, test.code)
				require.Len(t, e.Moves(), before, "%s, %s", verb, name)
				continue
			}
			require.NoError(t, err, "%s, %s", verb, name)
			require.Len(t, e.Moves(), before+1, "%s, %s", verb, name)
		}
	}
	e.Verified()
}
