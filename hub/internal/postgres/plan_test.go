package postgres

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// TestPlans_AreKept: what writes orders and callbacks is planned a few times, and
// not for each execution.
func TestPlans_AreKept(t *testing.T) {
	t.Parallel()
	db, env := opened(t)
	db.db.SetMaxOpenConns(1) // plans are a connection's
	for i := range 12 {
		name := fmt.Sprint("order ", i)
		created, op := ledger.Create(&ledger.Order{
			AppID: "app_1", Reference: name, Amount: 1000, Currency: "USD", Exponent: 2, ExpiresAt: env.Now.Add(time.Hour),
		}, ledger.NewAttempt{Provider: "stripe", Plugin: "stripe", Flow: "charge", Mode: sdk.Test, CaptureMode: sdk.CaptureAutomatic}, ledger.Ask{Lease: time.Second, Source: ledger.FromApp}, env)
		created.MoneyOut = []ledger.MoneyOut{{Provider: "stripe"}}
		answered := ledger.Apply(created.Order, env, ledger.News{AttemptID: *op.AttemptID, Source: ledger.FromOperation, Operation: &ledger.Result{ID: op.ID}, Payment: &sdk.Payment{
			Status: sdk.RequiresAction, Amount: sdk.Money{Amount: 1000, Currency: "USD", Exponent: 2}, Refs: []sdk.Ref{{Kind: "session", Value: name}},
		}})
		for _, c := range []ledger.Change{created, answered} {
			written, err := db.Commit(t.Context(), c)
			require.NoError(t, err)
			require.NotEmpty(t, written.OrderID)
		}
		cb := &ledger.Callback{ID: env.NewID(ledger.CallbackID), Provider: "stripe", EventID: name, Verdict: sdk.Genuine, Outcome: ledger.CallbackNoNews, OrderID: created.Order.ID, ReceivedAt: env.Now, UpdatedAt: env.Now}
		require.NoError(t, db.StoreCallback(t.Context(), cb))
		_, err := db.Order(t.Context(), "", created.Order.ID)
		require.NoError(t, err)
		_, err = db.OrderOfCallback(t.Context(), cb, *op.AttemptID, answered.Order.Attempts[0].Refs)
		require.NoError(t, err)
	}
	var anew []string
	require.NoError(t, db.db.Select(&anew, `SELECT custom_plans || ' times: ' || left(statement, 300) FROM pg_prepared_statements WHERE custom_plans > 5`))
	require.Empty(t, anew)
	var kept int
	require.NoError(t, db.db.Get(&kept, `SELECT count(*) FROM pg_prepared_statements WHERE generic_plans > 0`))
	require.GreaterOrEqual(t, kept, 5)
}
