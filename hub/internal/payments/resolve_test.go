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

// TestResolve_AcceptsWhatWasSeen: another mismatch of the same kind than the one
// that a person accepted is put before a person again, and its money waits.
func TestResolve_AcceptsWhatWasSeen(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	capture := func(id string, m sdk.Money) func(p *sdk.Payment) {
		return func(p *sdk.Payment) {
			p.Captures.Items = append(p.Captures.Items, sdk.Capture{ID: id + p.AttemptID, Status: sdk.MovementSucceeded, Amount: m})
		}
	}
	for name, test := range map[string]struct {
		first, other func(p *sdk.Payment)
		reason       string
	}{
		"amount taken":     {capture("a", paytest.USD(500)), capture("b", paytest.USD(1)), ledger.AmountMismatch},
		"amount said":      {func(p *sdk.Payment) { p.Amount = paytest.USD(9_000) }, func(p *sdk.Payment) { p.Amount = paytest.USD(1) }, ledger.AmountMismatch},
		"currency taken":   {capture("a", paytest.EUR(500)), capture("b", paytest.EUR(500)), ledger.CurrencyMismatch},
		"another currency": {capture("a", paytest.EUR(500)), capture("b", sdk.Money{Amount: 5, Currency: "JPY"}), ledger.CurrencyMismatch},
		"currency said":    {func(p *sdk.Payment) { p.Amount = paytest.EUR(10_000) }, func(p *sdk.Payment) { p.Amount = paytest.EUR(1) }, ledger.CurrencyMismatch},
		"reference": {
			func(p *sdk.Payment) { p.Refs = []sdk.Ref{{Kind: "payment", Value: "one"}} },
			func(p *sdk.Payment) { p.Refs = []sdk.Ref{{Kind: "payment", Value: "two"}} }, ledger.ReferenceMismatch,
		},
	} {
		o := e.Checkout(paytest.FlowCharge)
		attempt := o.Attempts[0].ID
		told := func(change func(p *sdk.Payment)) *ledger.Order {
			e.Told(e.Provider.Honest.Edit(attempt, change))
			return e.Order(o.ID)
		}
		accepted := func() *ledger.Order {
			after, err := e.Service.Resolve(t.Context(), o.ID, "", "ann", "asked the provider")
			require.NoError(t, err, name)
			require.Equal(t, ledger.OrderPaid, after.Status, name)
			return after
		}
		now := told(test.first)
		require.Equal(t, []string{test.reason}, reasons(now), name)
		require.Equal(t, ledger.OrderPending, now.Status, name)
		accepted()
		require.Empty(t, reasons(told(func(*sdk.Payment) {})), "%s: it was accepted", name)

		now = told(test.other)
		require.Equal(t, []string{test.reason}, reasons(now), name)
		require.Equal(t, ledger.OrderPending, now.Status, name)
		accepted()
		require.Empty(t, reasons(told(func(*sdk.Payment) {})), name)
		require.Len(t, e.Order(o.ID).Accepted(), 2, name)
	}
	e.Verified()

	// What comes before a person looks is one thing to look at, and accepted with it.
	o := paidAs(e, paytest.USD(3_000))
	e.Told(e.Provider.Honest.Edit(o.Attempts[0].ID, capture("more-", paytest.USD(4_000))))
	require.Equal(t, []string{ledger.AmountMismatch}, reasons(e.Order(o.ID)))
	require.Equal(t, "30.00 USD; 70.00 USD", e.Order(o.ID).Attention[0].Said)
	_, err := e.Service.Resolve(t.Context(), o.ID, "", "ann", "the rest comes by bank")
	require.NoError(t, err)
	_, err = e.Service.SyncOrder(t.Context(), o.ID)
	require.NoError(t, err)
	require.Empty(t, reasons(e.Order(o.ID)))
	e.Verified()
}

// TestMismatch_ThatComesBack is told anew where no person has accepted it.
func TestMismatch_ThatComesBack(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	for i := range 4 {
		amount, want := paytest.USD(9_000), []string{ledger.AmountMismatch}
		if i%2 == 1 {
			amount, want = paytest.USD(10_000), nil
		}
		e.Provider.Honest.Edit(o.Attempts[0].ID, func(p *sdk.Payment) { p.Amount = amount })
		_, err := e.Service.SyncOrder(t.Context(), o.ID)
		require.NoError(t, err)
		require.Equal(t, want, reasons(e.Order(o.ID)))
	}
	e.Verified()
}
