package payments_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// TestErase_ForgetsThePayer of a settled order, and nothing of the money.
func TestErase_ForgetsThePayer(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	in := e.Input(paytest.FlowCharge)
	in.Customer = sdk.Customer{Email: "payer@example.com", Name: "Paula Payer"}
	in.Description, in.Metadata = "for Paula", map[string]string{"name": "Paula"}
	a, err := e.Service.Checkout(t.Context(), e.Caller(), in)
	require.NoError(t, err)
	id, attempt := a.Order.ID, a.Order.Attempts[0].ID
	payer := &sdk.Payer{Email: "payer@example.com", Name: "Paula Payer"}
	e.Told(e.Provider.Honest.Edit(attempt, func(p *sdk.Payment) { p.Payer = payer }))
	require.Equal(t, payer, e.Order(id).Attempts[0].Payer)
	back := neverLeft(e)
	refund := e.Caller()
	a, err = e.Service.Refund(t.Context(), refund, id, payments.RefundInput{Amount: ledger.Minor(1_000), Reason: "Paula is unhappy"})
	sentNot(t, a, err)
	back()

	_, forgotten, err := e.Service.Erase(t.Context(), id, "alice", "asked by the payer")
	require.NoError(t, err)
	require.Equal(t, 1, forgotten.Callbacks)
	o := e.Order(id)
	require.Equal(t, sdk.Customer{}, o.Customer)
	require.Empty(t, o.Description)
	require.Empty(t, o.Metadata)
	require.Nil(t, o.Attempts[0].Payer)
	require.Empty(t, o.Refunds[0].Reason)
	require.Equal(t, ledger.OrderPaid, o.Status)
	require.Equal(t, int64(10_000), o.Captured)
	require.Zero(t, e.Count(`SELECT count(*) FROM callbacks WHERE raw IS NOT NULL`))

	// Nothing of the payer is taken in again, and what never left goes without.
	e.Told(e.Provider.Honest.Edit(attempt, func(p *sdk.Payment) { p.Refs = append(p.Refs, sdk.Ref{Kind: "charge", Value: "ch-1"}) }))
	require.Len(t, e.Order(id).Attempts[0].Refs, 2)
	require.Nil(t, e.Order(id).Attempts[0].Payer)
	require.Zero(t, e.Count(`SELECT count(*) FROM callbacks WHERE raw IS NOT NULL`))
	_, err = e.Service.Refund(t.Context(), refund, id, payments.RefundInput{Amount: ledger.Minor(1_000), Reason: "Paula is unhappy"})
	require.NoError(t, err)
	calls := e.Provider.Calls("Refund")
	require.Empty(t, calls[len(calls)-1].Request.(sdk.RefundRequest).Reason)
	version := e.Order(id).Version
	_, _, err = e.Service.Erase(t.Context(), id, "alice", "again")
	require.NoError(t, err)
	require.Equal(t, version, e.Order(id).Version)
	e.Verified()
}

// TestErase_ForgetsWhatThePayerBroughtBack, also where nobody was asked with it.
func TestErase_ForgetsWhatThePayerBroughtBack(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowReturn)
	e.Provider.Script(func(s *paytest.Script) {
		s.Confirm = paytest.Fails[sdk.ConfirmRequest, sdk.Payment](sdk.NotSent("no route"))
	})
	_, err := brings(e, o.Attempts[0].ID, "Paula-Payer", true)
	require.NoError(t, err)
	_, err = e.Service.Cancel(t.Context(), e.Caller(), o.ID, payments.CancelInput{})
	require.NoError(t, err)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM returns`))
	require.True(t, names(e.Order(o.ID), "Paula-Payer"))

	_, _, err = e.Service.Erase(t.Context(), o.ID, "alice", "asked by the payer")
	require.NoError(t, err)
	require.Zero(t, e.Count(`SELECT count(*) FROM returns`))
	require.False(t, names(e.Order(o.ID), "Paula-Payer"))
	e.Verified()
}

// names reports whether a payer's return in a request on record has that text.
func names(o *ledger.Order, text string) bool {
	return slices.ContainsFunc(o.Operations, func(op *ledger.Operation) bool {
		var r sdk.ConfirmRequest
		return json.Unmarshal(op.Request, &r) == nil && r.Return != nil && strings.Contains(string(r.Return.Body), text)
	})
}
