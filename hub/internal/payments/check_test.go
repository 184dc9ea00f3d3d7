package payments_test

import (
	"testing"

	"github.com/stretchr/testify/require"

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
