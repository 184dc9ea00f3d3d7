package payments_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// TestOperate_SaysWhoAndWhy, on the order's timeline, too. A button that is
// pressed twice acts once, and its key is none of the app's.
func TestOperate_SaysWhoAndWhy(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	for _, by := range []ledger.Operator{
		{}, {Name: "alice"}, {Why: "because"}, {Name: " ", Why: "because"}, {Name: "alice", Why: strings.Repeat("x", 501)},
	} {
		_, err := e.Service.Operate(t.Context(), o.ID, "button", "req", by)
		refused(t, err, "invalid_request")
	}
	by := ledger.Operator{Name: "alice", Why: "broken glass"}
	_, err := e.Service.Operate(t.Context(), "ord_nobody", "button", "req", by)
	refused(t, err, "not_found")

	app, err := e.Service.Refund(t.Context(), e.Key("button"), o.ID, payments.RefundInput{Amount: ledger.Minor(1_000)})
	require.NoError(t, err)
	for range 2 {
		who, err := e.Service.Operate(t.Context(), o.ID, "button", "req", by)
		require.NoError(t, err)
		a, err := e.Service.Refund(t.Context(), who, o.ID, payments.RefundInput{Amount: ledger.Minor(2_000)})
		require.NoError(t, err)
		require.NotEqual(t, app.Refund.ID, a.Refund.ID)
	}
	require.Len(t, e.Provider.Calls("Refund"), 2)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM events WHERE kind = 'refund.started' AND source = 'operator' AND data->>'who' = 'alice' AND data->>'why' = 'broken glass'`))
	e.Verified()
}

// TestOperate_OverridesDisputesAndNothingElse.
func TestOperate_OverridesDisputesAndNothingElse(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	e.Told(e.Provider.Honest.Disputed(o.Attempts[0].ID, paytest.USD(7_000)))
	refund := func(override bool, amount ledger.Amount) error {
		_, err := e.Service.Refund(t.Context(), e.Operator(o.ID, override), o.ID, payments.RefundInput{Amount: amount})
		return err
	}
	refused(t, refund(false, ledger.Minor(3_001)), "refund_too_large")
	refused(t, refund(true, ledger.Minor(10_001)), "refund_too_large")
	e.Provider.Script(func(s *paytest.Script) { // not settled yet, and reserved all the same
		s.Refund = paytest.Changed(e.Provider.Honest.Refund, func(r *sdk.Refund) { r.Status = sdk.MovementPending })
	})
	require.NoError(t, refund(true, ledger.Minor(4_000)))
	refused(t, refund(true, ledger.Minor(6_001)), "refund_too_large")
	require.NoError(t, refund(true, ledger.All()))
	calls := e.Provider.Calls("Refund")
	require.Len(t, calls, 2)
	require.Equal(t, paytest.USD(6_000), calls[1].Request.(sdk.RefundRequest).Refund)
	e.Verified()
}
