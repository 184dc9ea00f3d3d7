package payments_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
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
		back, err := e.Service.Return(t.Context(), attempt)
		require.NoError(t, err)
		require.Equal(t, ledger.OrderOpen, back.Status)
	}
	require.Len(t, e.Provider.Calls("GetPayment"), 1)
	_, err := e.Service.Return(t.Context(), "att_nobody")
	refused(t, err, "not_found")

	// An approval is taken, a provider that is away keeps nobody waiting.
	e.Clock.Advance(3 * time.Second)
	e.Provider.Script(func(s *paytest.Script) {
		s.GetPayment = paytest.Fails[sdk.PaymentRequest, sdk.Payment](paytest.ErrBroken)
	})
	back, err := e.Service.Return(t.Context(), attempt)
	require.NoError(t, err)
	require.Equal(t, ledger.OrderOpen, back.Status)
	e.Provider.Script(func(s *paytest.Script) { s.GetPayment = nil })
	e.Provider.Honest.Approve(attempt)
	e.Clock.Advance(3 * time.Second)
	back, err = e.Service.Return(t.Context(), attempt)
	require.NoError(t, err)
	require.Equal(t, ledger.OrderPaid, back.Status)
	require.Len(t, e.Provider.Calls("Confirm"), 1)
	reads := len(e.Provider.Calls("GetPayment"))
	e.Clock.Advance(3 * time.Second)
	_, err = e.Service.Return(t.Context(), attempt)
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
