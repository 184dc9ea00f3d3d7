package payments_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// TestCheckout_OutsideAFlowsRange is refused before anything is written or sent.
func TestCheckout_OutsideAFlowsRange(t *testing.T) {
	t.Parallel()
	least := sdk.Money{Amount: 50, Currency: "USD", Exponent: 2}
	e := paytest.New(t, paytest.Options{Provider: paytest.NewProvider().Change(func(d *sdk.Description) {
		for i := range d.Flows {
			d.Flows[i].Amounts = []sdk.Range{{Least: least}}
		}
	})})
	in := e.Input(paytest.FlowCharge)
	in.Amount = 49
	_, err := e.Service.Checkout(t.Context(), e.Caller(), in)
	require.ErrorContains(t, err, "at least 0.50 USD")
	require.Empty(t, e.Provider.Calls("CreateCheckout"))
	in.Amount = 50
	_, err = e.Service.Checkout(t.Context(), e.Caller(), in)
	require.NoError(t, err)
}

// TestCheckoutAgain_OfAnotherPayer: what a provider would not take of the payer can be
// mended with a further attempt, and the order has it from then on.
func TestCheckoutAgain_OfAnotherPayer(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	in := e.Input(paytest.FlowPage)
	in.Customer = sdk.Customer{Email: "jenny@exampel.com", Name: "Jenny"}
	first, err := e.Service.Checkout(t.Context(), e.Caller(), in)
	require.NoError(t, err)
	again := payments.AgainInput{AttemptInput: in.AttemptInput, Customer: &sdk.Customer{Email: "jenny"}}
	_, err = e.Service.CheckoutAgain(t.Context(), e.Caller(), first.Order.ID, again)
	require.ErrorContains(t, err, "is not an e-mail address")
	again.Customer.Email = "jenny@example.com"
	second, err := e.Service.CheckoutAgain(t.Context(), e.Caller(), first.Order.ID, again)
	require.NoError(t, err)
	require.Equal(t, *again.Customer, second.Order.Customer)
	again.Customer = nil
	third, err := e.Service.CheckoutAgain(t.Context(), e.Caller(), first.Order.ID, again)
	require.NoError(t, err)
	require.Equal(t, "jenny@example.com", third.Order.Customer.Email)
	calls := e.Provider.Calls("CreateCheckout")
	require.Equal(t, "jenny@example.com", calls[len(calls)-1].Request.(sdk.CheckoutRequest).Customer.Email)
	e.Verified()
}
