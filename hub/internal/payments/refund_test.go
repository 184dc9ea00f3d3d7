package payments_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// refused requires the hub's own refusal, by its code.
func refused(t *testing.T, err error, code string) {
	t.Helper()
	var e *ledger.Error
	require.True(t, errors.As(err, &e), "want %s, got %v", code, err)
	require.Equal(t, code, e.Code, e.Message)
}

// TestRefund_NeverExceedsCaptured: the provider would give back anything.
func TestRefund_NeverExceedsCaptured(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	require.Equal(t, ledger.OrderPaid, o.Status)

	_, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: 10_001})
	refused(t, err, "refund_too_large")
	a, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: 6_000})
	require.NoError(t, err)
	require.Equal(t, sdk.MovementSucceeded, a.Refund.Status)
	_, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: 4_001})
	refused(t, err, "refund_too_large")
	_, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{})
	require.NoError(t, err)
	require.Equal(t, ledger.OrderRefunded, e.Order(o.ID).Status)
	require.Len(t, e.Provider.Calls("Refund"), 2)
	e.Verified()
}

// TestRefund_NeverTakesDisputedMoney: what a bank may take back is not given
// back as well.
func TestRefund_NeverTakesDisputedMoney(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	attempt := o.Attempts[0].ID
	p := e.Provider.Honest.Edit(attempt, func(p *sdk.Payment) {
		p.Disputes.Items = []sdk.Dispute{{
			ID: "dp-1", CaptureID: p.Captures.Items[0].ID, Status: sdk.DisputeOpen, FundsWithdrawn: true,
			Amount: sdk.Money{Amount: 7_000, Currency: "USD", Exponent: 2},
		}}
	})
	_, err := e.Callback(e.Fact("evt-1", attempt, true, *p))
	require.NoError(t, err)

	_, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: 3_001})
	refused(t, err, "refund_too_large")
	a, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{})
	require.NoError(t, err)
	require.Equal(t, int64(3_000), a.Refund.Amount)
	e.Verified()
}
