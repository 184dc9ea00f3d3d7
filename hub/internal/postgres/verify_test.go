package postgres

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// opened is a database of one app, whose clock and ids are env's.
func opened(tb testing.TB) (*DB, ledger.Env) {
	keys, err := ParseKeys("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	require.NoError(tb, err)
	db, err := Open(tb.Context(), Options{URL: pgtest.New(tb), Keys: keys, MaxConns: 2, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(tb, err)
	tb.Cleanup(func() { db.Close() })
	now := time.Now().UTC().Truncate(time.Microsecond)
	_, err = db.db.Exec(`INSERT INTO apps (id, name, created_at) VALUES ('app_1', 'shop', $1)`, now)
	require.NoError(tb, err)
	return db, ledger.Env{Now: now, NewID: func(prefix string) string { return ledger.NewID(prefix, now) }}
}

// lived puts an order on record that went through all that moves money: paid
// with a fee, refunded by us (which the balance shows in euros) and at the provider, one of them in vain, one not
// settled yet, and disputed.
func lived(tb testing.TB, db *DB, env ledger.Env, name string, outcome sdk.DisputeStatus) *ledger.Order {
	eur := func(n int64) sdk.Money { return sdk.Money{Amount: n, Currency: "EUR", Exponent: 2} }
	usd := func(n int64) sdk.Money { return sdk.Money{Amount: n, Currency: "USD", Exponent: 2} }
	write := func(c ledger.Change) *ledger.Order {
		written, err := db.Commit(tb.Context(), c)
		require.NoError(tb, err)
		require.Equal(tb, c.Order.ID, written.OrderID)
		return c.Order
	}
	created, op := ledger.Create(&ledger.Order{
		AppID: "app_1", Reference: name, Amount: 1000, Currency: "USD", Exponent: 2, ExpiresAt: env.Now.Add(time.Hour),
	}, ledger.NewAttempt{Provider: "stripe", Plugin: "stripe", Flow: "charge", Mode: sdk.Test, CaptureMode: sdk.CaptureAutomatic}, ledger.Ask{Lease: time.Second, Source: ledger.FromApp}, env)
	o := write(created)
	attempt, charge := *op.AttemptID, "ch_"+name
	read := func(p *sdk.Payment) {
		o = write(ledger.Apply(o, env, ledger.News{AttemptID: attempt, Source: ledger.FromRead, Begun: o.Version, Payment: p}))
	}
	o = write(ledger.Apply(o, env, ledger.News{AttemptID: attempt, Source: ledger.FromOperation, Operation: &ledger.Result{ID: op.ID}, Payment: &sdk.Payment{
		Status: sdk.Succeeded, Amount: usd(1000), Refs: []sdk.Ref{{Kind: "charge", Value: charge}}, Opaque: []byte("opaque"), Captures: sdk.Captures{Complete: true, Items: []sdk.Capture{
			{ID: charge, Status: sdk.MovementSucceeded, Amount: usd(1000), Fee: sdk.Money{Amount: 47, Currency: "EUR", Exponent: 2}},
		}},
	}}))
	asked, refund, err := o.AskRefund(ledger.NewRefund{Amount: ledger.Minor(300)}, ledger.Ask{Lease: time.Second, Source: ledger.FromApp}, env)
	require.NoError(tb, err)
	o = write(asked)
	o = write(ledger.Apply(o, env, ledger.News{
		AttemptID: attempt, Source: ledger.FromOperation, Operation: &ledger.Result{ID: refund.ID},
		Refund: &sdk.Refund{ID: "re_1" + name, CaptureID: charge, Status: sdk.MovementSucceeded, Amount: usd(300), Lines: []sdk.Line{
			{ID: "txn_1" + name, Kind: sdk.LineRefund, Gross: eur(-276), Fee: eur(-5)},
		}},
	}))
	made := sdk.Refund{ID: "re_2" + name, CaptureID: charge, Status: sdk.MovementSucceeded, Amount: usd(100)}
	read(&sdk.Payment{Refunds: sdk.Refunds{Items: []sdk.Refund{made}}})
	made.Status = sdk.MovementFailed
	read(&sdk.Payment{Refunds: sdk.Refunds{Items: []sdk.Refund{made}}})
	read(&sdk.Payment{Disputes: sdk.Disputes{Items: []sdk.Dispute{{ID: "dp_" + name, CaptureID: charge, Status: sdk.DisputeOpen, FundsWithdrawn: true, Amount: usd(200)}}}})
	read(&sdk.Payment{Disputes: sdk.Disputes{Items: []sdk.Dispute{{ID: "dp_" + name, CaptureID: charge, Status: outcome, FundsWithdrawn: outcome != sdk.DisputeWon, Amount: usd(200), Fee: sdk.Money{Amount: 1500, Currency: "EUR", Exponent: 2}}}}})
	asked, refund, err = o.AskRefund(ledger.NewRefund{Amount: ledger.Minor(50)}, ledger.Ask{Lease: time.Second, Source: ledger.FromApp}, env)
	require.NoError(tb, err)
	refund.Request, err = json.Marshal(sdk.RefundRequest{Refund: usd(50), CaptureID: charge})
	require.NoError(tb, err)
	return write(asked)
}

// BenchmarkVerify proves the books of 20,000 orders: make bench BENCH=Verify.
func BenchmarkVerify(b *testing.B) {
	db, env := opened(b)
	o := lived(b, db, env, "template", sdk.DisputeLost)
	const orders = 20_000
	copies := func(table int, change map[string]string) {
		b.Helper()
		t := tables[table]
		_, err := db.db.Exec(copySQL(t.name, t.columns(), change), o.ID, orders)
		require.NoError(b, err, t.name)
	}
	key := map[string]string{
		"id": "x.id || '-' || n", "order_id": "x.order_id || '-' || n", "attempt_id": "x.attempt_id || '-' || n",
		// What is encrypted is bound to its row.
		"opaque": "NULL", "next_action": "NULL", "request": "NULL",
		"refs": `replace(x.refs::text, 'ch_template', 'ch_template-' || n)::jsonb`,
		"data": `coalesce((SELECT jsonb_object_agg(k, CASE WHEN k IN ('operation', 'id', 'refund_id', 'provider_id')
			THEN to_jsonb(v #>> '{}' || '-' || n) ELSE v END) FROM jsonb_each(x.data) e (k, v)), '{}')`,
	}
	with := func(more ...string) map[string]string {
		out := maps.Clone(key)
		for _, k := range more {
			out[k] = "x." + k + " || '-' || n"
		}
		return out
	}
	copies(ordersTable, with("reference"))
	copies(attemptsTable, key)
	copies(refsTable, with("value"))
	copies(capturesTable, with("provider_id"))
	copies(refundsTable, with("provider_id", "capture_id"))
	copies(disputesTable, with("provider_id"))
	copies(operationsTable, with("refund_id"))
	copies(postingsTable, with("movement_id"))
	copies(eventsTable, key)
	_, err := db.db.Exec(`ANALYZE`)
	require.NoError(b, err)
	for b.Loop() {
		doubts, err := db.Verify(b.Context(), 50, nil)
		require.NoError(b, err)
		require.Empty(b, doubts)
	}
}

// copySQL copies the template's rows of a table, with names of their own.
func copySQL(table, columns string, change map[string]string) string {
	var values []string
	for c := range strings.SplitSeq(columns, ",") {
		c = strings.TrimSpace(c)
		value, ok := change[c]
		if !ok {
			value = "x." + c
		}
		values = append(values, value)
	}
	of := "order_id"
	if table == "orders" {
		of = "id"
	}
	return fmt.Sprintf(`INSERT INTO %s (%s) SELECT %s FROM %[1]s x, generate_series(1, $2::int) n WHERE x.%[4]s = $1`,
		table, columns, strings.Join(values, ", "), of)
}
