package payments_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// TestProviderKey_SurvivesARestore: what an app asks again under its own key
// reaches the provider under the key of the first time, though the database has
// forgotten it; another app key is another one.
func TestProviderKey_SurvivesARestore(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	restore := pgtest.Backup(t, e.URL)
	in := e.Input(paytest.FlowCharge)
	ask := func() {
		_, _ = e.Service.Checkout(t.Context(), e.Key("checkout"), in)
		_, _ = e.Service.Refund(t.Context(), e.Key("refund"), o.ID, payments.RefundInput{Amount: ledger.Minor(100)})
		by, err := e.Service.Operate(t.Context(), o.ID, "button", "req", ledger.Operator{Name: "ann", Why: "asked"})
		require.NoError(t, err)
		_, _ = e.Service.Refund(t.Context(), by, o.ID, payments.RefundInput{Amount: ledger.Minor(200)})
	}
	ask()
	first := e.Provider.Calls("CreateCheckout", "Refund")[1:]
	require.Len(t, first, 3)
	restore()
	e.Service = e.Second().Service // a hub that only knows the restored database
	ask()
	second := e.Provider.Calls("CreateCheckout", "Refund")[4:]
	require.Len(t, second, 3)
	seen := map[string]bool{}
	for i := range first {
		require.Equal(t, first[i].Method, second[i].Method)
		require.Equal(t, first[i].Key, second[i].Key)
		require.Regexp(t, `^[0-9a-f]{32}$`, first[i].Key)
		require.False(t, seen[first[i].Key])
		seen[first[i].Key] = true
	}
}

// TestProviderKey_OfTheHubItself: what the hub starts by itself goes by the
// operation's own id.
func TestProviderKey_OfTheHubItself(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowPage)
	_, err := e.Service.CheckoutAgain(t.Context(), e.Caller(), o.ID, payments.AgainInput{AttemptInput: payments.AttemptInput{Provider: paytest.Name, Flow: paytest.FlowPage}})
	require.NoError(t, err)
	closed := e.Provider.Calls("Cancel") // of the first attempt
	require.Len(t, closed, 1)
	require.True(t, ledger.ValidID(ledger.OperationID, closed[0].Key), closed[0].Key)
}

// TestProviderKey_OfBefore: an operation that was under way as the hub learnt to
// derive keys is repeated under the key that it was first sent with.
func TestProviderKey_OfBefore(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = func(context.Context, sdk.RefundRequest) (*sdk.Refund, error) { return nil, errors.New("lost") }
	})
	c := e.Caller()
	a, err := e.Service.Refund(t.Context(), c, o.ID, payments.RefundInput{Amount: ledger.Minor(100)})
	require.NoError(t, err)
	require.Equal(t, ledger.OutcomeUnknown, a.Operation.Outcome)
	_, err = e.SQL.Exec(`UPDATE operations SET provider_key = NULL WHERE id = $1`, a.Operation.ID)
	require.NoError(t, err)
	op, _, err := e.DB.OrderOfKey(t.Context(), c.App.ID, c.IdempotencyKey)
	require.NoError(t, err)
	require.Equal(t, op.ID, op.ProviderKey())
	e.Provider.Script(func(s *paytest.Script) { s.Refund = nil })
	e.Clock.Advance(time.Minute)
	a, err = e.Service.Refund(t.Context(), c, o.ID, payments.RefundInput{Amount: ledger.Minor(100)})
	require.NoError(t, err)
	require.Equal(t, sdk.MovementSucceeded, a.Refund.Status)
	sent := e.Provider.Calls("Refund")
	require.Equal(t, sent[0], sent[1], "the recorded request, key and all")
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM operations WHERE id = $1 AND provider_key IS NULL`, op.ID), "written once: never made up later")
}
