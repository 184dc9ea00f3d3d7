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

// declined answers a confirm with a decline that leaves the approval open.
func declined(p *sdk.Payment) {
	p.Status, p.Captures.Items = sdk.RequiresConfirmation, nil
	p.Failure = &sdk.Failure{Code: sdk.FailureDeclined, Message: "the card was declined"}
}

// declines makes the provider decline each confirm, and keep the approval open.
func declines(e *paytest.Env) {
	e.Provider.Script(func(s *paytest.Script) {
		s.Confirm = func(_ context.Context, r sdk.ConfirmRequest) (*sdk.Payment, error) {
			p := e.Provider.Honest.Payment(r.AttemptID)
			declined(p)
			return p, nil
		}
	})
}

// TestConfirm_ByTheHubItselfIsBounded: a payer whose card is declined again and
// again has to be asked, however often the provider hints that they approved.
func TestConfirm_ByTheHubItselfIsBounded(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowConfirm)
	declines(e)
	approved := e.Provider.Honest.Approve(o.Attempts[0].ID)
	for i := range 12 {
		e.Hinted(approved)
		e.After(time.Minute)
		require.Len(t, e.Provider.Calls("Confirm"), min(i+1, 5))
		e.After(10 * time.Minute) // it is read meanwhile, and nothing is new
		require.Len(t, e.Provider.Calls("Confirm"), min(i+1, 5))
	}
	require.Equal(t, ledger.OrderOpen, e.Order(o.ID).Status)

	// The app may still confirm: it has asked its payer.
	_, err := e.Service.Confirm(t.Context(), e.Caller(), o.ID, payments.ConfirmInput{})
	require.NoError(t, err)
	require.Len(t, e.Provider.Calls("Confirm"), 6)
	e.Verified()
}

// TestConfirm_ByTheHubItself takes an approval once, where the flow says so and
// nothing speaks against it.
func TestConfirm_ByTheHubItself(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{Provider: paytest.NewProvider().Change(func(d *sdk.Description) {
		for i := range d.Flows {
			if d.Flows[i].Name == paytest.FlowBare { // continues, and cannot cancel
				d.Flows[i].Capabilities = []sdk.Capability{sdk.CanConfirm, sdk.ContinuesItself}
			}
		}
	})})
	for name, test := range map[string]struct {
		flow   string
		before func(o *ledger.Order)
		status ledger.OrderStatus
	}{
		"continues": {paytest.FlowConfirm, nil, ledger.OrderPaid},
		"does not":  {paytest.FlowPage, nil, ledger.OrderOpen},
		"cancel was asked, and cannot be done": {paytest.FlowBare, func(o *ledger.Order) {
			_, err := e.Service.Cancel(t.Context(), e.Caller(), o.ID, payments.CancelInput{})
			require.NoError(t, err)
		}, ledger.OrderCanceled},
		"flagged": {paytest.FlowConfirm, func(o *ledger.Order) {
			e.Told(e.Provider.Honest.Edit(o.Attempts[0].ID, func(p *sdk.Payment) { p.Amount = paytest.USD(9_000) }))
		}, ledger.OrderPending},
		"another attempt was started, and this one is alive again": {paytest.FlowConfirm, func(o *ledger.Order) {
			_, err := e.Service.CheckoutAgain(t.Context(), e.Caller(), o.ID, payments.AgainInput{AttemptInput: payments.AttemptInput{Provider: paytest.Name, Flow: paytest.FlowPage}})
			require.NoError(t, err)
			require.Equal(t, sdk.Canceled, e.Order(o.ID).Attempt(o.Attempts[0].ID).Status)
		}, ledger.OrderOpen},
		"another attempt can be paid": {paytest.FlowBare, func(o *ledger.Order) {
			_, err := e.Service.CheckoutAgain(t.Context(), e.Caller(), o.ID, payments.AgainInput{AttemptInput: payments.AttemptInput{Provider: paytest.Name, Flow: paytest.FlowPage}})
			require.NoError(t, err)
		}, ledger.OrderOpen},
	} {
		o := e.Checkout(test.flow)
		if test.before != nil {
			test.before(o)
		}
		before := len(e.Provider.Calls("Confirm"))
		e.Hinted(e.Provider.Honest.Approve(o.Attempts[0].ID))
		e.Due()
		confirmed := 0
		if test.status == ledger.OrderPaid {
			confirmed = 1
		}
		require.Len(t, e.Provider.Calls("Confirm"), before+confirmed, name)
		require.Equal(t, test.status, e.Order(o.ID).Status, name)
	}
	e.Verified()
}

// TestConfirm_OfAnotherPaymentIsRefused: what the client presents has settled
// another order, or is flagged by the plugin as not this payment.
func TestConfirm_OfAnotherPaymentIsRefused(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	paid := e.Checkout(paytest.FlowCharge)
	theirs := e.Provider.Honest.Payment(paid.Attempts[0].ID)

	o := e.Checkout(paytest.FlowConfirm)
	e.Provider.Script(func(s *paytest.Script) {
		s.Confirm = paytest.Changed(e.Provider.Honest.Confirm, func(p *sdk.Payment) { p.Refs, p.Captures = theirs.Refs, theirs.Captures })
	})
	_, err := e.Service.Confirm(t.Context(), e.Caller(), o.ID, payments.ConfirmInput{})
	require.NoError(t, err)
	o = e.Order(o.ID)
	require.NotEqual(t, ledger.OrderPaid, o.Status)
	require.Zero(t, o.Captured)
	require.True(t, o.NeedsAttention)
	require.Equal(t, int64(10_000), e.Order(paid.ID).Captured)
	e.Verified()
}
