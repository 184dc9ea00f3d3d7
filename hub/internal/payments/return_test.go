package payments_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// TestReturn_AsksOnceAndProvesNothing: the payer's browser may come back as often
// as it likes, and say what it likes.
func TestReturn_AsksOnceAndProvesNothing(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowConfirm)
	attempt := o.Attempts[0].ID
	for range 5 {
		back, err := e.Service.Return(t.Context(), attempt, sdk.Return{})
		require.NoError(t, err)
		require.Equal(t, ledger.OrderOpen, back.Status)
	}
	require.Len(t, e.Provider.Calls("GetPayment"), 1)
	_, err := e.Service.Return(t.Context(), "att_nobody", sdk.Return{})
	refused(t, err, "not_found")

	// An approval is taken, a provider that is away keeps nobody waiting.
	e.Clock.Advance(3 * time.Second)
	e.Provider.Script(func(s *paytest.Script) {
		s.GetPayment = paytest.Fails[sdk.PaymentRequest, sdk.Payment](paytest.ErrBroken)
	})
	back, err := e.Service.Return(t.Context(), attempt, sdk.Return{})
	require.NoError(t, err)
	require.Equal(t, ledger.OrderOpen, back.Status)
	e.Provider.Script(func(s *paytest.Script) { s.GetPayment = nil })
	e.Provider.Honest.Approve(attempt)
	e.Clock.Advance(3 * time.Second)
	back, err = e.Service.Return(t.Context(), attempt, sdk.Return{})
	require.NoError(t, err)
	require.Equal(t, ledger.OrderPaid, back.Status)
	require.Len(t, e.Provider.Calls("Confirm"), 1)
	reads := len(e.Provider.Calls("GetPayment"))
	e.Clock.Advance(3 * time.Second)
	_, err = e.Service.Return(t.Context(), attempt, sdk.Return{})
	require.NoError(t, err)
	require.Len(t, e.Provider.Calls("GetPayment"), reads, "it is settled")
	e.Verified()
}

// TestExpiry_ClosesAtTheProvider what could still be paid; what is paid at that
// moment is paid.
func TestExpiry_ClosesAtTheProvider(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	open, paid, bare, held := e.Checkout(paytest.FlowPage), e.Checkout(paytest.FlowPage), e.Checkout(paytest.FlowBare), e.Authorized()
	e.Provider.Honest.Pay(paid.Attempts[0].ID) // its callback is lost
	e.After(23 * time.Hour)
	require.Empty(t, e.Provider.Calls("Cancel"))
	e.After(2 * time.Hour)
	require.Len(t, e.Provider.Calls("Cancel"), 1)
	require.Equal(t, open.Attempts[0].ID, e.Provider.Calls("Cancel")[0].Request.(sdk.CancelRequest).AttemptID)
	require.Equal(t, ledger.OrderExpired, e.Order(open.ID).Status)
	require.Equal(t, ledger.OrderPaid, e.Order(paid.ID).Status)
	require.Equal(t, ledger.OrderOpen, e.Order(bare.ID).Status, "it can still be paid, and cannot be closed")
	require.Equal(t, ledger.OrderAuthorized, e.Order(held.ID).Status)

	e.Told(e.Provider.Honest.Pay(open.Attempts[0].ID))
	e.Due()
	late := e.Order(open.ID)
	require.Equal(t, ledger.OrderPaid, late.Status)
	require.Contains(t, reasons(late), ledger.PaidAfterClose)
	e.Verified()
}

// brings has the payer of an attempt come back with a result, by a link or a form.
func brings(e *paytest.Env, attempt, result string, form bool) (*ledger.Order, error) {
	e.Clock.Advance(3 * time.Second)
	values := url.Values{"result": {result}}.Encode()
	if form {
		return e.Service.Return(e.T.Context(), attempt, sdk.Return{Method: "POST", Body: []byte(values)})
	}
	return e.Service.Return(e.T.Context(), attempt, sdk.Return{Method: "GET", Query: values})
}

// TestReturn_WithAResult: what the payer brings back, in a link or a form, reaches
// the plugin byte by byte, once; what another payer brought, or nobody, pays nothing,
// and hides not what comes later.
func TestReturn_WithAResult(t *testing.T) {
	t.Parallel()
	for name, form := range map[string]bool{"link": false, "form": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := paytest.New(t, paytest.Options{})
			o := e.Checkout(paytest.FlowReturn)
			attempt := o.Attempts[0].ID
			back, err := brings(e, attempt, paytest.Result("att_of_another"), form)
			require.NoError(t, err)
			require.Equal(t, ledger.OrderOpen, back.Status)
			back, err = brings(e, attempt, paytest.Result(attempt), form)
			require.NoError(t, err)
			require.Equal(t, ledger.OrderPaid, back.Status)
			require.Len(t, e.Provider.Calls("Confirm"), 2)
			_, err = brings(e, attempt, paytest.Result(attempt), form)
			require.NoError(t, err)
			e.After(time.Hour)
			require.Len(t, e.Provider.Calls("Confirm"), 2)
			require.Zero(t, e.Count(`SELECT count(*) FROM returns`))
			e.Verified()
		})
	}
}

// TestReturn_KeptWhileNobodyCanConfirm: the payer comes back while the provider is
// away, or while the answer of the Confirm is lost: a worker confirms with what was
// kept, and the money is taken once.
func TestReturn_KeptWhileNobodyCanConfirm(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]func(e *paytest.Env, s *paytest.Script){
		"not read": func(_ *paytest.Env, s *paytest.Script) {
			s.GetPayment = paytest.Fails[sdk.PaymentRequest, sdk.Payment](paytest.ErrBroken)
		},
		"not sent": func(_ *paytest.Env, s *paytest.Script) {
			s.Confirm = paytest.Fails[sdk.ConfirmRequest, sdk.Payment](sdk.NotSent("no route"))
		},
		"answer lost": func(e *paytest.Env, s *paytest.Script) { s.Confirm = paytest.Lost(e.Provider.Honest.Confirm) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := paytest.New(t, paytest.Options{})
			o := e.Checkout(paytest.FlowReturn)
			attempt := o.Attempts[0].ID
			e.Provider.Script(func(s *paytest.Script) { script(e, s) })
			_, err := brings(e, attempt, paytest.Result(attempt), true)
			require.NoError(t, err)
			for range 20 {
				e.After(30 * time.Second)
			}
			e.Provider.Script(func(s *paytest.Script) { *s = paytest.Script{} })
			until(e, time.Second, 20*time.Minute, func() bool { return e.Order(o.ID).Status == ledger.OrderPaid })
			require.Len(t, e.Order(o.ID).Captures, 1)
			for _, call := range e.Provider.Calls("Confirm") {
				require.Equal(t, paytest.Result(attempt), call.Request.(sdk.ConfirmRequest).Return.Value("result"))
			}
			e.Verified()
		})
	}
}

// TestReturn_TheLastCounts, and is confirmed with as soon as the provider is back.
func TestReturn_TheLastCounts(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowReturn)
	attempt := o.Attempts[0].ID
	e.Provider.Script(func(s *paytest.Script) {
		s.GetPayment = paytest.Fails[sdk.PaymentRequest, sdk.Payment](paytest.ErrBroken)
	})
	for _, result := range []string{"of-an-earlier-try", paytest.Result(attempt)} {
		_, err := brings(e, attempt, result, false)
		require.NoError(t, err)
	}
	e.Provider.Script(func(s *paytest.Script) { s.GetPayment = nil })
	e.After(time.Second)
	require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
	require.Len(t, e.Provider.Calls("Confirm"), 1)
}

// TestReturn_BesideAnOperation: the payer comes back while the app has something asked
// of the provider. What they brought is confirmed with afterwards.
func TestReturn_BesideAnOperation(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowReturn)
	attempt := o.Attempts[0].ID
	held, arrived, release := paytest.Held(e.Provider.Honest.Confirm)
	e.Provider.Script(func(s *paytest.Script) { s.Confirm = held })
	apps := make(chan error, 1)
	go func() {
		_, err := e.Service.Confirm(t.Context(), e.Caller(), o.ID, payments.ConfirmInput{})
		apps <- err
	}()
	<-arrived
	back, err := brings(e, attempt, paytest.Result(attempt), false)
	require.NoError(t, err)
	require.Equal(t, ledger.OrderOpen, back.Status)
	e.Provider.Script(func(s *paytest.Script) { s.Confirm = nil })
	release()
	require.NoError(t, <-apps)
	require.Equal(t, ledger.OrderOpen, e.Order(o.ID).Status, "the app brought nothing")
	until(e, time.Second, 2*time.Minute, func() bool { return e.Order(o.ID).Status == ledger.OrderPaid })
	require.Len(t, e.Order(o.ID).Captures, 1)
	e.Verified()
}

// TestReturn_IsKeptSealed, and of a flow that takes none nothing is kept.
func TestReturn_IsKeptSealed(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	page := e.Checkout(paytest.FlowPage).Attempts[0].ID
	_, err := brings(e, page, paytest.Result(page), false)
	require.NoError(t, err)
	require.Zero(t, e.Count(`SELECT count(*) FROM returns`))

	attempt := e.Checkout(paytest.FlowReturn).Attempts[0].ID
	e.Provider.Script(func(s *paytest.Script) {
		s.GetPayment = paytest.Fails[sdk.PaymentRequest, sdk.Payment](paytest.ErrBroken)
	})
	_, err = brings(e, attempt, "a-secret-of-the-payer", false)
	require.NoError(t, err)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM returns WHERE position('secret' in encode(brought, 'escape')) = 0`))
	require.NoError(t, e.DB.DropReturns(t.Context(), e.Clock.Now().Add(time.Second)))
	require.Zero(t, e.Count(`SELECT count(*) FROM returns`))
}
