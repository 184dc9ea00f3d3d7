package payments_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// costs is a further attempt for another amount.
func costs(amount int64, currency string) payments.AgainInput {
	in := again()
	in.Flow, in.Amount, in.Currency = paytest.FlowCharge, amount, currency
	return in
}

// refusing is a hub with an order that the provider refused: what it asks for cannot
// be paid there.
func refusing(t *testing.T) (*paytest.Env, *ledger.Order) {
	t.Helper()
	e := paytest.New(t, paytest.Options{})
	e.Provider.Script(func(s *paytest.Script) {
		s.CreateCheckout = paytest.Fails[sdk.CheckoutRequest, sdk.Payment](sdk.Rejected(sdk.Failure{Code: sdk.FailureAmount, Message: "the amount is too small"}))
	})
	o := e.Checkout(paytest.FlowCharge)
	require.Equal(t, sdk.Failed, o.Attempts[0].Status)
	e.Provider.Script(func(s *paytest.Script) { *s = paytest.Script{} })
	e.Clock.Advance(time.Second) // attempts are in the order of their making
	return e, o
}

// TestReprice_WhatAProviderRefused: the order keeps its reference, and a further
// attempt may be for another amount or currency; it is paid as if it had been made so.
func TestReprice_WhatAProviderRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in       payments.AgainInput
		amount   int64
		currency string
	}{
		"amount":            {costs(20_000, ""), 20_000, "USD"},
		"currency":          {costs(9_500, "EUR"), 9_500, "EUR"},
		"other minor units": {costs(1_500, "JPY"), 1_500, "JPY"},
		"the same":          {costs(10_000, "USD"), 10_000, "USD"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, o := refusing(t)
			caller := e.Caller()
			a, err := e.Service.CheckoutAgain(t.Context(), caller, o.ID, c.in)
			require.NoError(t, err)
			require.Equal(t, ledger.OrderPaid, a.Order.Status)
			require.Equal(t, o.Reference, a.Order.Reference)
			require.Equal(t, []any{c.amount, c.currency, c.amount}, []any{a.Order.Amount, a.Order.Currency, a.Order.Captured})
			require.Equal(t, c.amount, e.Provider.Calls("CreateCheckout")[1].Request.(sdk.CheckoutRequest).Amount.Amount)
			again, err := e.Service.CheckoutAgain(t.Context(), caller, o.ID, c.in)
			require.NoError(t, err)
			require.Equal(t, a.Operation.ID, again.Operation.ID)
			e.After(time.Minute)
			require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
			e.Verified()
		})
	}
}

// TestReprice_NotWhatNeverLeft: its key may still send the old amount.
func TestReprice_NotWhatNeverLeft(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	e.Provider.Script(func(s *paytest.Script) {
		s.CreateCheckout = paytest.Fails[sdk.CheckoutRequest, sdk.Payment](sdk.NotSent("no wire"))
	})
	o := e.Checkout(paytest.FlowCharge)
	require.Equal(t, sdk.Failed, o.Attempts[0].Status)
	_, err := e.Service.CheckoutAgain(t.Context(), e.Caller(), o.ID, costs(20_000, ""))
	refused(t, err, "amount_fixed")
	require.Equal(t, int64(10_000), e.Order(o.ID).Amount)
}

// TestReprice_NotWhatAProviderTookUp: whoever may have seen the old amount pays that.
func TestReprice_NotWhatAProviderTookUp(t *testing.T) {
	t.Parallel()
	e, o := refusing(t)
	for _, wrong := range []struct {
		in   payments.AgainInput
		code string
	}{
		{costs(0, "EUR"), "invalid_request"}, {costs(-1, ""), "invalid_request"}, {costs(100, "eur"), "invalid_request"}, {costs(100, "XXXX"), "invalid_request"},
	} {
		_, err := e.Service.CheckoutAgain(t.Context(), e.Caller(), o.ID, wrong.in)
		refused(t, err, wrong.code)
	}
	page := costs(20_000, "")
	page.Flow = paytest.FlowPage
	for _, said := range []sdk.Status{sdk.RequiresAction, sdk.Failed} {
		e, o := refusing(t)
		_, err := e.Service.CheckoutAgain(t.Context(), e.Caller(), o.ID, page)
		require.NoError(t, err)
		e.Told(e.Provider.Honest.Decide(e.Order(o.ID).Attempts[1].ID, said))
		require.Equal(t, said, e.Order(o.ID).Attempts[1].Status)
		before := len(e.Moves())
		_, err = e.Service.CheckoutAgain(t.Context(), e.Caller(), o.ID, costs(30_000, ""))
		refused(t, err, "amount_fixed")
		require.Equal(t, int64(20_000), e.Order(o.ID).Amount)
		require.Empty(t, e.Provider.Calls("Confirm", "Capture", "Refund"))
		require.LessOrEqual(t, len(e.Moves())-before, 1, "what could be canceled was")
		a, err := e.Service.CheckoutAgain(t.Context(), e.Caller(), o.ID, costs(20_000, "USD"))
		require.NoError(t, err, "the same amount, said once more")
		require.Equal(t, ledger.OrderPaid, a.Order.Status)
		e.Verified()
	}
}
