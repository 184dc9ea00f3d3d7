package payments_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// TestResolve_CountsTheMoneyThatAPersonLookedAt, and says so; one reason at a time
// where only one is named.
func TestResolve_CountsTheMoneyThatAPersonLookedAt(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	e.Provider.Script(func(s *paytest.Script) {
		s.CreateCheckout = paytest.Changed(e.Provider.Honest.CreateCheckout, func(p *sdk.Payment) {
			p.Mode, p.AttemptID = sdk.Live, "att_of_another"
		})
	})
	o := e.Checkout(paytest.FlowCharge)
	require.Equal(t, ledger.OrderPending, o.Status)
	require.Len(t, o.Attention, 2)
	_, err := e.Service.Resolve(t.Context(), o.ID, "", "alice", "")
	refused(t, err, "invalid_request")
	_, err = e.Service.Resolve(t.Context(), o.ID, ledger.Exhausted, "alice", "not the reason")
	require.ErrorContains(t, err, "nothing of order")
	_, err = e.Service.Resolve(t.Context(), "ord_nobody", "", "alice", "why")
	refused(t, err, "not_found")
	require.Equal(t, o.Version, e.Order(o.ID).Version)

	after, err := e.Service.Resolve(t.Context(), o.ID, ledger.ModeMismatch, "alice", "the account was switched")
	require.NoError(t, err)
	require.Equal(t, ledger.OrderPending, after.Status)
	require.True(t, after.NeedsAttention)
	after, err = e.Service.Resolve(t.Context(), o.ID, "", "alice", "the provider's mistake")
	require.NoError(t, err)
	require.Equal(t, ledger.OrderPaid, after.Status)
	require.False(t, after.NeedsAttention)
	require.Equal(t, 2, e.Count(`SELECT count(*) FROM events WHERE kind = 'attention.resolved' AND data->>'who' = 'alice'`))
	_, err = e.Service.Resolve(t.Context(), o.ID, "", "alice", "again")
	require.ErrorContains(t, err, "nothing of order")

	// The same reason of the same attempt is not raised again.
	p := e.Provider.Honest.Payment(o.Attempts[0].ID)
	p.Mode = sdk.Live
	e.Told(p)
	require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
	e.Verified()
}

// reasons are what an order needs attention for.
func reasons(o *ledger.Order) (out []string) {
	for _, x := range o.Attention {
		if x.ResolvedAt.IsZero() {
			out = append(out, x.Reason)
		}
	}
	return out
}
