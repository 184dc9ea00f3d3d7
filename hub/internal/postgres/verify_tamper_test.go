package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// checkedIn checks everything that a transaction sees; nil is the database.
func checkedIn(t *testing.T, db *DB, tx *sqlx.Tx) (all []ledger.Doubt) {
	t.Helper()
	if tx == nil {
		var err error
		tx, err = db.db.BeginTxx(t.Context(), nil)
		require.NoError(t, err)
		defer tx.Rollback()
	}
	c := Checked{Next: cursor{Part: ordersPart}.text()}
	for !c.Done {
		var at cursor
		require.NoError(t, json.Unmarshal([]byte(c.Next), &at))
		var err error
		if at.Part == refsPart {
			c, err = refsIn(t.Context(), tx, at, 2)
		} else {
			c, err = db.ordersSlice(t.Context(), tx, at, 2)
		}
		require.NoError(t, err)
		all = append(all, c.Doubts...)
	}
	return all
}

// waits puts orders on record that hold or wait for money: one authorised, one
// whose checkout is not answered yet, one that failed, and one that was canceled.
func waits(tb testing.TB, db *DB, env ledger.Env) {
	write := func(c ledger.Change) *ledger.Order {
		written, err := db.Commit(tb.Context(), c)
		require.NoError(tb, err)
		require.Equal(tb, c.Order.ID, written.OrderID)
		return c.Order
	}
	begin := func(name string) (*ledger.Order, *ledger.Operation) {
		created, op := ledger.Create(&ledger.Order{
			AppID: "app_1", Reference: name, Amount: 500, Currency: "JPY", Exponent: 0, ExpiresAt: env.Now.Add(time.Hour),
		}, ledger.NewAttempt{Provider: "paypal", Plugin: "paypal", Flow: "server", Mode: sdk.Test, CaptureMode: sdk.CaptureManual}, ledger.Ask{Lease: time.Second, Source: ledger.FromApp}, env)
		op.Request, _ = json.Marshal(sdk.CheckoutRequest{Amount: sdk.Money{Amount: 500, Currency: "JPY"}})
		return write(created), op
	}
	for name, status := range map[string]sdk.Status{"authorized": sdk.RequiresCapture, "failed": sdk.Failed, "canceled": sdk.Canceled} {
		o, op := begin(name)
		o = write(ledger.Apply(o, env, ledger.News{AttemptID: *op.AttemptID, Source: ledger.FromOperation, Operation: &ledger.Result{ID: op.ID}, Payment: &sdk.Payment{
			Status: status, Refs: []sdk.Ref{{Kind: "order", Value: "pp_" + name}}, Amount: sdk.Money{Amount: 500, Currency: "JPY"}, Authorized: sdk.Money{Amount: 500, Currency: "JPY"},
		}}))
		if name == "canceled" {
			c, _, err := o.Cancel("", true, ledger.Ask{Source: ledger.FromApp}, env)
			require.NoError(tb, err)
			write(c)
		}
	}
	begin("waiting")
}

// told puts a notification of an order and a callback of it on record.
func told(tb testing.TB, db *DB, env ledger.Env, reference string) {
	o, err := db.OrderOfReference(tb.Context(), "app_1", reference)
	require.NoError(tb, err)
	c := ledger.Apply(o, env, ledger.News{AttemptID: o.Attempts[0].ID, Source: ledger.FromHub, Raise: ledger.Exhausted})
	payload := fmt.Sprintf(`{"type":"order.updated","data":{"id":%q,"reference":%q,"amount":%d,"status":%q,"captured":%d}}`, o.ID, o.Reference, o.Amount, o.Status, o.Captured)
	c.Notices = []ledger.Notice{{ID: env.NewID("ntf"), AppID: o.AppID, OrderID: o.ID, Type: "order.updated", Version: c.Order.Version, Payload: payload, At: env.Now}}
	c.Callbacks = []*ledger.Callback{{
		ID: env.NewID(ledger.CallbackID), Provider: "stripe", EventID: "evt_" + reference, OrderID: o.ID, Verdict: sdk.Genuine, Outcome: ledger.CallbackApplied,
		ReceivedAt: env.Now, UpdatedAt: env.Now,
	}}
	written, err := db.Commit(tb.Context(), c)
	require.NoError(tb, err)
	require.Equal(tb, 1, written.Notices)
}

// tampering is one way of altering what is on record, and the doubt that it must
// raise.
type tampering struct{ sql, law, field string }

// refused says that the database itself does not take it.
const refused = "the database refuses it"

var tamperings = []tampering{
	// The order.
	{`UPDATE orders SET status = 'paid' WHERE reference = 'authorized'`, ledger.LawStatus, "orders.status"},
	{`UPDATE orders SET status = 'open' WHERE reference = 'o1'`, ledger.LawStatus, "orders.status"},
	{`UPDATE orders SET status = 'expired', expires_at = created_at - interval '1 hour' WHERE reference = 'canceled'`, ledger.LawTimeline, "orders.status"},
	{`UPDATE orders SET status = 'settled' WHERE reference = 'o1'`, refused, "order_status_known"},
	{`UPDATE orders SET amount = 1 WHERE reference = 'o1'`, ledger.LawTimeline, "orders.amount"},
	{`UPDATE orders SET amount = 1 WHERE reference = 'waiting'`, ledger.LawOperations, "orders.amount"},
	{`UPDATE orders SET currency = 'EUR' WHERE reference = 'waiting'`, ledger.LawTimeline, "orders.currency"},
	{`UPDATE orders SET exponent = 0 WHERE reference = 'o1'`, ledger.LawCurrency, "orders.exponent"},
	{`UPDATE orders SET exponent = 2 WHERE reference = 'waiting'`, ledger.LawCurrency, "orders.exponent"},
	{`UPDATE orders SET captured = captured - 1 WHERE reference = 'o1'`, ledger.LawTotals, "orders.captured"},
	{`UPDATE orders SET refunded = 0 WHERE reference = 'o1'`, ledger.LawTotals, "orders.refunded"},
	{`UPDATE orders SET refundable = refundable + 1 WHERE reference = 'o1'`, ledger.LawTotals, "orders.refundable"},
	{`UPDATE orders SET disputed = 7 WHERE reference = 'waiting'`, ledger.LawTotals, "orders.disputed"},
	{`UPDATE orders SET authorized = 500 WHERE reference = 'failed'`, ledger.LawTotals, "orders.authorized"},
	{`UPDATE orders SET needs_attention = false WHERE reference = 'o1'`, ledger.LawAttention, "orders.needs_attention"},
	{`UPDATE orders SET needs_attention = false, attention = '[]' WHERE reference = 'o1'`, ledger.LawAttention, "orders.attention"},
	{`UPDATE orders SET needs_attention = false, attention = (SELECT jsonb_agg(x || '{"resolved_at": "2026-01-01T00:00:00Z"}') FROM jsonb_array_elements(attention) x) WHERE reference = 'o1'`, ledger.LawAttention, "orders.attention"},
	{`UPDATE orders SET reference = 'another' WHERE reference = 'o1'`, ledger.LawNotices, "orders.reference"},
	{`UPDATE orders SET version = version - 1 WHERE reference = 'o1'`, ledger.LawNotices, "orders.version"},
	{`UPDATE orders SET provider = 'paypal' WHERE reference = 'o1'`, ledger.LawOwner, "orders.provider"},
	{`UPDATE orders SET mode = 'live' WHERE reference = 'o1'`, ledger.LawOwner, "orders.mode"},
	{`UPDATE orders SET flow = 'server' WHERE reference = 'o1'`, ledger.LawOwner, "orders.flow"},
	{`UPDATE orders SET app_id = 'app_2' WHERE reference = 'o1'`, ledger.LawOwner, "operations.app_id"},
	{`WITH o AS (UPDATE orders SET app_id = 'app_2' RETURNING id), p AS (UPDATE operations SET app_id = 'app_2'), n AS (UPDATE notifications SET app_id = 'app_2')
		UPDATE postings SET account = 'app:app_2' WHERE account = 'app:app_1'`, ledger.LawTimeline, "orders.app_id"},
	{`WITH o AS (UPDATE orders SET app_id = 'app_2' RETURNING id), p AS (UPDATE operations SET app_id = 'app_2'), n AS (UPDATE notifications SET app_id = 'app_2'),
		e AS (UPDATE events SET data = data || '{"app": "app_2"}' WHERE kind = 'order.created')
		UPDATE postings SET account = 'app:app_2' WHERE account = 'app:app_1'`, ledger.LawOwner, "notifications.endpoint_id"},
	{`DELETE FROM orders WHERE reference = 'o1'`, ledger.LawExists, "orders.id"},
	{`WITH o AS (DELETE FROM orders WHERE reference = 'o1' RETURNING id), a AS (DELETE FROM attempts WHERE order_id IN (SELECT id FROM o)),
		p AS (DELETE FROM operations WHERE order_id IN (SELECT id FROM o)), c AS (DELETE FROM captures WHERE order_id IN (SELECT id FROM o)),
		r AS (DELETE FROM refunds WHERE order_id IN (SELECT id FROM o)), d AS (DELETE FROM disputes WHERE order_id IN (SELECT id FROM o)),
		t AS (DELETE FROM postings WHERE order_id IN (SELECT id FROM o)), n AS (DELETE FROM notifications WHERE order_id IN (SELECT id FROM o)),
		i AS (DELETE FROM callbacks WHERE order_id IN (SELECT id FROM o))
		DELETE FROM events WHERE order_id IN (SELECT id FROM o)`, ledger.LawRefs, "refs.attempt_id"},
	{`DELETE FROM orders`, ledger.LawExists, "orders.id"},

	// Attempts.
	{`UPDATE attempts SET status = 'succeeded' WHERE provider = 'paypal' AND status = 'requires_capture'`, ledger.LawStatus, "attempts.status"},
	{`UPDATE attempts SET status = 'canceled' WHERE provider = 'stripe'`, ledger.LawTimeline, "attempts.status"},
	{`UPDATE attempts SET status = 'failed' WHERE status = 'created'`, ledger.LawTimeline, "attempts.status"},
	{`UPDATE attempts SET captured = captured + 1, refunded = refunded + 1`, ledger.LawTotals, "attempts.captured"},
	{`UPDATE attempts SET reserved = 0`, ledger.LawTotals, "attempts.reserved"},
	{`UPDATE attempts SET disputed = 0`, ledger.LawTotals, "attempts.disputed"},
	{`UPDATE attempts SET authorized = 7 WHERE status = 'created'`, ledger.LawTimeline, "attempts.authorized"},
	{`UPDATE attempts SET provider = 'adyen' WHERE provider = 'stripe'`, ledger.LawOwner, "captures.provider"},
	{`UPDATE attempts SET mode = 'sandbox'`, refused, "payment_mode_known"},
	{`UPDATE attempts SET capture_mode = 'later'`, refused, "capture_mode_known"},
	{`UPDATE attempts SET order_id = (SELECT id FROM orders WHERE reference = 'o2') WHERE order_id = (SELECT id FROM orders WHERE reference = 'o1')`, ledger.LawOwner, "captures.attempt_id"},
	{`DELETE FROM attempts WHERE provider = 'stripe'`, ledger.LawOwner, "captures.attempt_id"},
	{`UPDATE attempts SET refs = '[]' WHERE provider = 'stripe'`, ledger.LawRefs, "refs.attempt_id"},
	{`UPDATE attempts SET refs = '{}' WHERE provider = 'stripe'`, ledger.LawReadable, "orders"},
	{`UPDATE attempts SET refs = jsonb_build_array(jsonb_build_object('kind', 'order', 'value', 'pp_authorized')) WHERE status = 'created'`, ledger.LawRefs, "refs.attempt_id"},
	{`UPDATE attempts SET opaque = '\x00' WHERE provider = 'stripe'`, ledger.LawReadable, "attempts of "},
	{`INSERT INTO attempts SELECT 'att_x', order_id, provider, plugin, flow, mode, capture_mode, 'failed', failure, 0, 0, 0, 0, 0, abandoned, NULL, NULL, '[]', '[]', false, 0, NULL, NULL, false, 0, created_at, updated_at
		FROM attempts WHERE provider = 'stripe'  LIMIT 1`, ledger.LawOperations, "operations.kind"},

	// The providers' names.
	{`UPDATE refs SET value = value || 'x'`, ledger.LawRefs, "attempts.refs"},
	{`DELETE FROM refs`, ledger.LawRefs, "attempts.refs"},
	{`UPDATE refs SET attempt_id = (SELECT id FROM attempts WHERE status = 'created')`, ledger.LawRefs, "refs.attempt_id"},
	{`UPDATE refs SET order_id = (SELECT id FROM orders WHERE reference = 'o2')`, ledger.LawRefs, "refs.order_id"},
	{`INSERT INTO refs SELECT provider, 'a', 'b', 'att_x', order_id FROM attempts LIMIT 1`, ledger.LawRefs, "refs.attempt_id"},

	// Captures.
	{`UPDATE captures SET amount = amount + 1`, ledger.LawTimeline, "captures.amount"},
	{`UPDATE captures SET amount = amount + 1`, ledger.LawPostings, "postings.amount"},
	{`UPDATE captures SET currency = 'EUR'`, ledger.LawTimeline, "captures.currency"},
	{`UPDATE captures SET exponent = 3`, ledger.LawCurrency, "captures.exponent"},
	{`UPDATE captures SET fee = fee + 1`, ledger.LawTimeline, "captures.fee"},
	{`UPDATE captures SET status = 'failed'`, ledger.LawTimeline, "captures.status"},
	{`UPDATE captures SET status = 'done'`, refused, "capture_status_known"},
	{`UPDATE captures SET provider_id = provider_id || 'x'`, ledger.LawTimeline, "captures.provider_id"},
	{`UPDATE captures SET provider = 'paypal'`, ledger.LawOwner, "captures.provider"},
	{`UPDATE captures SET posted = posted + 1`, ledger.LawPostings, "captures.posted"},
	{`WITH c AS (DELETE FROM captures), p AS (DELETE FROM postings), a AS (UPDATE attempts SET captured = 0, refunded = 0, reserved = 0, disputed = 0),
		r AS (DELETE FROM refunds), d AS (DELETE FROM disputes)
		UPDATE orders SET captured = 0, refunded = 0, refundable = 0, disputed = 0, status = 'pending'`, ledger.LawTimeline, "captures.id"},

	// Refunds.
	{`UPDATE refunds SET amount = 299 WHERE amount = 300`, ledger.LawTimeline, "refunds.amount"},
	{`UPDATE refunds SET amount = 51 WHERE amount = 50`, ledger.LawOperations, "refunds.amount"},
	{`UPDATE refunds SET status = 'succeeded' WHERE status = 'failed'`, ledger.LawPostings, "postings.amount"},
	{`UPDATE refunds SET fee = fee + 1 WHERE amount = 300`, ledger.LawTimeline, "refunds.fee"},
	{`UPDATE refunds SET gross = gross + 1`, ledger.LawTimeline, "refunds.gross"},
	{`UPDATE refunds SET gross = gross + 1`, ledger.LawPostings, "postings.amount"},
	{`UPDATE captures SET gross = 920`, ledger.LawTimeline, "captures.gross"},
	{`UPDATE disputes SET gross = -184`, ledger.LawPostings, "postings.amount"},
	{`DELETE FROM postings WHERE stage LIKE '%.settled'`, ledger.LawPostings, "refunds.posted"},
	{`DELETE FROM events WHERE kind = 'refund.settled'`, ledger.LawTimeline, "refunds.gross"},
	{`UPDATE refunds SET origin = 'provider' WHERE amount = 300`, ledger.LawOperations, "refunds.origin"},
	{`UPDATE refunds SET origin = 'hub' WHERE origin = 'provider'`, ledger.LawTimeline, "refunds.origin"},
	{`UPDATE refunds SET origin = 'app'`, refused, "refund_origin_known"},
	{`UPDATE refunds SET status = 'done'`, refused, "refund_status_known"},
	{`UPDATE refunds SET provider_id = provider_id || 'x' WHERE amount = 300`, ledger.LawTimeline, "refunds.provider_id"},
	{`UPDATE refunds SET capture_id = 'ch_x' WHERE amount = 300`, ledger.LawOperations, "refunds.capture_id"},
	{`WITH r AS (DELETE FROM refunds WHERE amount = 300 RETURNING id), p AS (DELETE FROM operations WHERE refund_id IN (SELECT id FROM r)),
		a AS (UPDATE attempts SET refunded = 0 WHERE provider = 'stripe'), t AS (DELETE FROM postings WHERE movement_id IN (SELECT id FROM r))
		UPDATE orders SET refunded = 0, refundable = refundable + 300, status = 'paid' WHERE refunded = 300`, ledger.LawTimeline, "refunds.id"},

	// Disputes.
	{`UPDATE disputes SET withdrawn = amount`, ledger.LawTimeline, "disputes.withdrawn"},
	{`UPDATE disputes SET funds_withdrawn = NOT funds_withdrawn`, ledger.LawTimeline, "disputes.funds_withdrawn"},
	{`UPDATE disputes SET status = 'lost' WHERE status = 'closed'`, ledger.LawTimeline, "disputes.status"},
	{`UPDATE disputes SET amount = amount - 1`, ledger.LawTimeline, "disputes.amount"},
	{`UPDATE disputes SET fee = fee + 1`, ledger.LawTimeline, "disputes.fee"},
	{`UPDATE disputes SET provider_id = provider_id || 'x'`, ledger.LawTimeline, "disputes.provider_id"},
	{`DELETE FROM disputes`, ledger.LawTimeline, "disputes.id"},

	// Operations.
	{`DELETE FROM operations WHERE kind = 'create'`, ledger.LawOperations, "operations.kind"},
	{`DELETE FROM operations WHERE kind = 'refund' AND outcome = 'succeeded'`, ledger.LawOperations, "operations.refund_id"},
	{`UPDATE operations SET outcome = 'declined' WHERE kind = 'refund' AND outcome = 'pending'`, ledger.LawOperations, "operations.outcome"},
	{`UPDATE operations SET outcome = 'succeeded' WHERE kind = 'refund' AND outcome = 'pending'`, ledger.LawOperations, "refunds.provider_id"},
	{`UPDATE operations SET outcome = 'declined' WHERE kind = 'create' AND outcome = 'succeeded'`, ledger.LawTimeline, "operations.outcome"},
	{`UPDATE operations SET kind = 'confirm' WHERE kind = 'create'`, ledger.LawTimeline, "operations.kind"},
	{`UPDATE operations SET kind = 'charge'`, refused, "operation_kind_known"},
	{`UPDATE operations SET attempt_id = 'x' || attempt_id WHERE outcome = 'pending'`, ledger.LawOwner, "operations.attempt_id"},
	{`UPDATE operations SET app_id = 'app_2'`, ledger.LawOwner, "operations.app_id"},
	{`UPDATE operations SET request = '\x0102' WHERE request IS NOT NULL`, ledger.LawReadable, "operations.request of "},

	// Postings.
	{`UPDATE postings SET amount = amount + 1 WHERE id = (SELECT min(id) FROM postings WHERE account LIKE 'app:%')`, ledger.LawPostings, "postings.amount"},
	{`DELETE FROM postings WHERE id = (SELECT min(id) FROM postings WHERE account LIKE 'app:%')`, ledger.LawPostings, "postings.amount"},
	{`UPDATE postings SET currency = 'EUR' WHERE id = (SELECT min(id) FROM postings WHERE currency = 'USD')`, ledger.LawPostings, "postings.amount"},
	{`UPDATE postings SET exponent = 0 WHERE currency = 'USD'`, ledger.LawCurrency, "postings.exponent"},
	{`UPDATE postings SET amount = amount * 2 WHERE stage = '1.capture'`, ledger.LawPostings, "postings.amount"},
	{`UPDATE postings SET account = 'app:another' WHERE account = 'app:app_1' AND stage = '1.refund'`, ledger.LawOwner, "postings.account"},
	{`UPDATE postings SET account = 'provider:paypal' WHERE account = 'provider:stripe' AND stage LIKE '%.fee'`, ledger.LawOwner, "postings.account"},
	{`UPDATE postings SET provider = 'paypal'`, ledger.LawOwner, "postings.provider"},
	{`UPDATE postings SET movement_id = 'cap_x' || movement_id`, ledger.LawPostings, "postings.movement_id"},
	{`UPDATE postings SET order_id = (SELECT id FROM orders WHERE reference = 'o2')`, ledger.LawPostings, "postings.movement_id"},
	{`DELETE FROM postings WHERE stage LIKE '%.fee'`, ledger.LawPostings, "captures.posted"},
	{`DELETE FROM postings WHERE stage LIKE '%.refund' OR stage LIKE '%.refund_failed'`, ledger.LawPostings, "refunds.posted"},
	{`INSERT INTO postings SELECT id || 'x', order_id, provider, movement_id, '9.capture', account, amount, currency, exponent, at FROM postings WHERE stage = '1.capture'`, ledger.LawPostings, "captures.posted"},
	{`INSERT INTO postings SELECT id || 'x', 'ord_x', provider, movement_id, '9.capture', account, amount, currency, exponent, at FROM postings WHERE stage = '1.capture'`, ledger.LawExists, "orders.id"},

	// The timeline.
	{`DELETE FROM events WHERE kind = 'order.created'`, ledger.LawTimeline, "events.kind"},
	{`UPDATE events SET data = data || '{"amount": 1}' WHERE kind = 'order.created'`, ledger.LawTimeline, "orders.amount"},
	{`DELETE FROM events WHERE kind = 'capture.succeeded'`, ledger.LawTimeline, "captures.provider_id"},
	{`UPDATE events SET data = data || '{"amount": 1}' WHERE kind = 'capture.succeeded'`, ledger.LawTimeline, "captures.amount"},
	{`DELETE FROM events WHERE kind LIKE 'refund.%' AND kind <> 'refund.started'`, ledger.LawTimeline, "refunds.provider_id"},
	{`DELETE FROM events WHERE kind LIKE 'dispute.%'`, ledger.LawTimeline, "disputes.provider_id"},
	{`DELETE FROM events WHERE kind LIKE '%.fee'`, ledger.LawTimeline, "captures.fee"},
	{`DELETE FROM events WHERE kind = 'refund.started'`, ledger.LawTimeline, "events.kind"},
	{`DELETE FROM events WHERE kind = 'operation.succeeded'`, ledger.LawTimeline, "events.kind"},
	{`DELETE FROM events WHERE kind = 'order.paid'`, ledger.LawTimeline, "orders.status"},
	{`DELETE FROM events WHERE kind = 'payment.succeeded'`, ledger.LawTimeline, "attempts.status"},
	{`DELETE FROM events WHERE kind LIKE 'attention.%'`, ledger.LawAttention, "orders.attention"},
	{`UPDATE events SET attempt_id = 'att_x' WHERE kind = 'capture.succeeded'`, ledger.LawOwner, "events.attempt_id"},
	{`UPDATE events SET order_id = (SELECT id FROM orders WHERE reference = 'waiting') WHERE kind = 'capture.succeeded'`, ledger.LawTimeline, "captures.id"},
	{`UPDATE events SET at = at - interval '1 day'`, ledger.LawTimeline, "events.at"},
	{`UPDATE events SET source = 'nobody'`, refused, "event_source_known"},

	// What was told, and heard.
	{`UPDATE notifications SET app_id = 'app_2'`, ledger.LawOwner, "notifications.app_id"},
	{`UPDATE notifications SET payload = replace(payload, '"captured":1000', '"captured":1')`, ledger.LawNotices, "orders.captured"},
	{`UPDATE notifications SET payload = 'x'`, ledger.LawNotices, "notifications.payload"},
	{`UPDATE notifications SET order_id = 'ord_x'`, ledger.LawExists, "orders.id"},
	{`UPDATE callbacks SET provider = 'paypal'`, ledger.LawOwner, "callbacks.provider"},
	{`UPDATE callbacks SET verdict = 'likely'`, refused, "callback_verdict_known"},
	{`UPDATE callbacks SET order_id = 'ord_x'`, ledger.LawExists, "orders.id"},
}

// TestVerify_FindsEachTampering: what hubs wrote is consistent, and whatever
// somebody changes of it is found: the order, the field, what was expected there
// and what was found.
func TestVerify_FindsEachTampering(t *testing.T) {
	t.Parallel()
	db, env := opened(t)
	_, err := db.db.Exec(`INSERT INTO apps (id, name, created_at) VALUES ('app_2', 'another', $1)`, env.Now)
	require.NoError(t, err)
	_, err = db.db.Exec(`INSERT INTO webhook_endpoints (id, app_id, url, secret, created_at) VALUES ('we_1', 'app_1', 'https://shop.example', '', $1)`, env.Now)
	require.NoError(t, err)
	for i, outcome := range []sdk.DisputeStatus{sdk.DisputeWon, sdk.DisputeLost, sdk.DisputeClosed} {
		lived(t, db, env, fmt.Sprint("o", i), outcome)
	}
	waits(t, db, env)
	told(t, db, env, "o1")
	require.Empty(t, checkedIn(t, db, nil))

	found := 0
	for _, x := range tamperings {
		tx, err := db.db.BeginTxx(t.Context(), nil)
		require.NoError(t, err)
		result, err := tx.ExecContext(context.WithoutCancel(t.Context()), x.sql)
		switch {
		case x.law == refused:
			require.ErrorContains(t, err, x.field, x.sql)
		case err != nil:
			t.Errorf("%s: %v", x.sql, err)
		default:
			n, err := result.RowsAffected()
			require.NoError(t, err)
			require.NotZero(t, n, x.sql)
			doubts := checkedIn(t, db, tx)
			ok := false
			for _, d := range doubts {
				ok = ok || d.Law == x.law && (d.Field == x.field || len(d.Field) > len(x.field) && d.Field[:len(x.field)] == x.field) && d.OrderID != "" && d.Expected != d.Found
			}
			if !ok {
				t.Errorf("%s: not found: want %s: %s; got %v", x.sql, x.law, x.field, doubts)
			} else {
				found++
			}
		}
		require.NoError(t, tx.Rollback())
	}
	t.Logf("%d tamperings: %d found, the others refused", len(tamperings), found)
	require.Empty(t, checkedIn(t, db, nil))
}
