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

// TestCheckout_IsCheckedByTheHub: the provider would take any of these.
func TestCheckout_IsCheckedByTheHub(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{Provider: paytest.NewProvider().Change(func(d *sdk.Description) {
		for i := range d.Flows {
			if d.Flows[i].Name == paytest.FlowBare {
				d.Flows[i].Currencies = []string{"USD"}
				d.Flows[i].Inputs = []sdk.Field{{Name: "token", Required: true, MaxLen: 5}, {Name: "mode", Options: []string{"a", "b"}}}
			}
		}
	})})
	bare := func(change func(*payments.CheckoutInput)) func(*payments.CheckoutInput) {
		return func(in *payments.CheckoutInput) {
			in.Flow, in.Input = paytest.FlowBare, map[string]string{"token": "tok"}
			change(in)
		}
	}
	for param, changes := range map[string][]func(*payments.CheckoutInput){
		"amount": {
			func(in *payments.CheckoutInput) { in.Amount = 0 },
			func(in *payments.CheckoutInput) { in.Amount = -1 },
			func(in *payments.CheckoutInput) { in.Amount = 1_000_000_000_000 },
		},
		"currency": {
			func(in *payments.CheckoutInput) { in.Currency = "usd" },
			func(in *payments.CheckoutInput) { in.Currency = "XYZ" },
			func(in *payments.CheckoutInput) { in.Currency = "" },
			bare(func(in *payments.CheckoutInput) { in.Currency = "EUR" }),
		},
		"reference": {
			func(in *payments.CheckoutInput) { in.Reference = "" },
			func(in *payments.CheckoutInput) { in.Reference = " " },
			func(in *payments.CheckoutInput) { in.Reference = "a\x00b" },
		},
		"provider":   {func(in *payments.CheckoutInput) { in.Provider = "another" }},
		"flow":       {func(in *payments.CheckoutInput) { in.Flow = "another" }},
		"capture":    {func(in *payments.CheckoutInput) { in.Capture = "sometimes" }, bare(func(in *payments.CheckoutInput) { in.Capture = sdk.CaptureManual })},
		"expires_at": {func(in *payments.CheckoutInput) { in.ExpiresAt = e.Clock.Now().Add(time.Second) }, func(in *payments.CheckoutInput) { in.ExpiresAt = e.Clock.Now().AddDate(0, 4, 0) }},
		"return_url": {
			func(in *payments.CheckoutInput) { in.ReturnURL = "http://shop.example/" },
			func(in *payments.CheckoutInput) { in.ReturnURL = "javascript:alert(1)" },
		},
		"metadata": {func(in *payments.CheckoutInput) { in.Metadata = map[string]string{"superpay_attempt": "x"} }},
		"input.token": {
			bare(func(in *payments.CheckoutInput) { in.Input = nil }),
			bare(func(in *payments.CheckoutInput) { in.Input["token"] = "longer than five" }),
		},
		"input.mode":  {bare(func(in *payments.CheckoutInput) { in.Input["mode"] = "c" })},
		"input.other": {bare(func(in *payments.CheckoutInput) { in.Input["other"] = "x" })},
	} {
		for _, change := range changes {
			in := e.Input(paytest.FlowCharge)
			change(&in)
			_, err := e.Service.Checkout(t.Context(), e.Caller(), in)
			refused(t, err, "invalid_request")
			var told *ledger.Error
			require.ErrorAs(t, err, &told)
			require.Equal(t, param, told.Param)
		}
	}
	stranger := e.Caller()
	stranger.App.Providers = []string{"another"}
	_, err := e.Service.Checkout(t.Context(), stranger, e.Input(paytest.FlowCharge))
	refused(t, err, "invalid_request")
	require.Empty(t, e.Moves())
	require.Zero(t, e.Count(`SELECT count(*) FROM orders`))
}

// TestKey_AnswersFromTheRecord: a request that comes again is answered, and does
// nothing again; another request under its key is refused, and so is another
// order under its reference.
func TestKey_AnswersFromTheRecord(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	in := e.Input(paytest.FlowCharge)
	o := func() *ledger.Order {
		a, err := e.Service.Checkout(t.Context(), e.Key("create"), in)
		require.NoError(t, err)
		return a.Order
	}()
	for verb, ask := range map[string]func(amount int64) (payments.Answer, error){
		"create": func(amount int64) (payments.Answer, error) {
			changed := in
			changed.Amount += amount
			return e.Service.Checkout(t.Context(), e.Key("create"), changed)
		},
		"refund": func(amount int64) (payments.Answer, error) {
			return e.Service.Refund(t.Context(), e.Key("refund"), o.ID, payments.RefundInput{Amount: ledger.Minor(4_000 + amount)})
		},
	} {
		first, err := ask(0)
		require.NoError(t, err, verb)
		before := len(e.Moves())
		for range 2 {
			again, err := ask(0)
			require.NoError(t, err, verb)
			require.Equal(t, first.Operation.ID, again.Operation.ID, verb)
			e.After(time.Hour)
		}
		_, err = ask(1)
		refused(t, err, "idempotency_key_reused")
		require.Len(t, e.Moves(), before, verb)
	}
	_, err := e.Service.Cancel(t.Context(), e.Key("refund"), o.ID, payments.CancelInput{})
	refused(t, err, "idempotency_key_reused")
	before := len(e.Moves())
	_, err = e.Service.Checkout(t.Context(), e.Caller(), in)
	refused(t, err, "reference_used")
	var told *ledger.Error
	require.ErrorAs(t, err, &told)
	require.Equal(t, o.ID, told.OrderID)
	require.Len(t, e.Moves(), before)

	// Another app's key and reference are its own.
	stranger := e.Key("create")
	stranger.App, err = e.DB.EnsureApp(t.Context(), "app_2", "another shop", []string{"*"}, e.Clock.Now())
	require.NoError(t, err)
	theirs, err := e.Service.Checkout(t.Context(), stranger, in)
	require.NoError(t, err)
	require.NotEqual(t, o.ID, theirs.Order.ID)
	for _, verb := range []func() error{
		func() error {
			_, err := e.Service.Refund(t.Context(), e.Caller(), theirs.Order.ID, payments.RefundInput{Amount: ledger.All()})
			return err
		},
		func() error {
			_, err := e.Service.Cancel(t.Context(), e.Caller(), theirs.Order.ID, payments.CancelInput{})
			return err
		},
	} {
		refused(t, verb(), "not_found")
	}
	e.Verified()
}

// TestCheckoutAgain_ClosesWhatCouldStillBePaid, and starts nothing where that
// fails or is not known.
func TestCheckoutAgain_ClosesWhatCouldStillBePaid(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	for name, test := range map[string]struct {
		cancel func(context.Context, sdk.CancelRequest) (*sdk.Payment, error)
		code   string
		status sdk.Status // of the first attempt
	}{
		"closed":   {nil, "", sdk.Canceled},
		"not sent": {paytest.Fails[sdk.CancelRequest, sdk.Payment](notSent), "provider_down", sdk.RequiresAction},
		"unknown":  {paytest.Fails[sdk.CancelRequest, sdk.Payment](paytest.ErrBroken), "attempt_open", sdk.RequiresAction},
		"refused":  {paytest.Fails[sdk.CancelRequest, sdk.Payment](sdk.Rejected(sdk.Failure{Code: sdk.FailureState})), "attempt_open", sdk.RequiresAction},
		"paid at this moment": {func(_ context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
			return e.Provider.Honest.Pay(r.AttemptID), nil
		}, "wrong_state", sdk.Succeeded},
	} {
		e.Provider.Script(func(s *paytest.Script) { s.Cancel = test.cancel })
		o := e.Checkout(paytest.FlowPage)
		first := o.Attempts[0].ID
		before := len(e.Provider.Calls("CreateCheckout"))
		_, err := e.Service.CheckoutAgain(t.Context(), e.Caller(), o.ID, payments.AgainInput{AttemptInput: payments.AttemptInput{Provider: paytest.Name, Flow: paytest.FlowPage}})
		require.Equal(t, test.status, e.Order(o.ID).Attempt(first).Status, name)
		if test.code != "" {
			refused(t, err, test.code)
			require.Len(t, e.Provider.Calls("CreateCheckout"), before, name)
			require.Len(t, e.Order(o.ID).Attempts, 1, name)
			continue
		}
		require.NoError(t, err, name)
		require.Len(t, e.Order(o.ID).Attempts, 2, name)
	}
	e.Verified()
}

// TestCheckoutAgain_IsBounded: an order does not grow without end.
func TestCheckoutAgain_IsBounded(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowPage)
	again := func() error {
		_, err := e.Service.CheckoutAgain(t.Context(), e.Caller(), o.ID, payments.AgainInput{AttemptInput: payments.AttemptInput{Provider: paytest.Name, Flow: paytest.FlowPage}})
		return err
	}
	for range ledger.MaxAttempts - 1 {
		require.NoError(t, again())
	}
	before := len(e.Provider.Calls("CreateCheckout"))
	refused(t, again(), "too_many_attempts")
	require.Len(t, e.Provider.Calls("CreateCheckout"), before)
}

// TestCheckoutAgain_AbandonedMoneyIsSeen: an attempt that could not be canceled
// is paid after another one was started.
func TestCheckoutAgain_AbandonedMoneyIsSeen(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowBare)
	first := o.Attempts[0].ID
	a, err := e.Service.CheckoutAgain(t.Context(), e.Caller(), o.ID, payments.AgainInput{AttemptInput: payments.AttemptInput{Provider: paytest.Name, Flow: paytest.FlowCharge}})
	require.NoError(t, err)
	require.True(t, a.Order.Attempt(first).Abandoned)
	require.Equal(t, ledger.OrderPaid, a.Order.Status)
	e.Told(e.Provider.Honest.Pay(first))
	o = e.Order(o.ID)
	require.Equal(t, int64(20_000), o.Captured)
	require.Equal(t, ledger.SecondPayment, o.Attention[0].Reason)
	e.Verified()
}
