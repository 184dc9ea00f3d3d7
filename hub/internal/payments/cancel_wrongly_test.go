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

// TestCancel_OfWhatTheProviderClosedWrongly: the provider's answer says that a
// payment is canceled, so the app's cancel asks nothing of it. The payment is alive
// and the payer approves it: the hub closes it at the provider, or gives it up where
// that cannot be done, and the order is canceled as the app was told. The first try
// does not reach the provider.
func TestCancel_OfWhatTheProviderClosedWrongly(t *testing.T) {
	t.Parallel()
	for _, flow := range []string{paytest.FlowPage, paytest.FlowConfirm, paytest.FlowBare} {
		t.Run(flow, func(t *testing.T) {
			t.Parallel()
			e := paytest.New(t, paytest.Options{})
			e.Provider.Script(func(s *paytest.Script) {
				s.CreateCheckout = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
					p, err := e.Provider.Honest.CreateCheckout(ctx, r)
					p.Status, p.NextAction = sdk.Canceled, nil
					return p, err
				}
				s.Cancel = paytest.Fails[sdk.CancelRequest, sdk.Payment](sdk.NotSent("it is away"))
			})
			o := e.Checkout(flow)
			a, err := e.Service.Cancel(t.Context(), e.Caller(), o.ID, payments.CancelInput{})
			require.NoError(t, err)
			require.Equal(t, ledger.OrderCanceled, a.Order.Status)
			require.Empty(t, e.Provider.Calls("Cancel"))

			id := o.Attempts[0].ID
			e.Hinted(e.Provider.Honest.Approve(id))
			e.After(time.Minute)
			e.Provider.Script(func(s *paytest.Script) { s.Cancel = nil })
			for range 20 {
				e.After(5 * time.Minute)
			}
			o = e.Order(o.ID)
			require.Equal(t, ledger.OrderCanceled, o.Status)
			require.Empty(t, e.Provider.Calls("Confirm"))
			if flow == paytest.FlowBare {
				require.True(t, o.Attempt(id).Abandoned)
			} else {
				require.Equal(t, sdk.Canceled, e.Provider.Honest.Payment(id).Status)
			}
			e.Verified()
		})
	}
}
