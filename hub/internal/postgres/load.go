package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// aggregate is an order with all that its version guards, in one snapshot and
// one round trip. Of the operations only those that can still change are
// needed to decide anything.
const aggregate = `json_build_object(
	'order', row_to_json(o),
	'attempts',   (SELECT json_agg(x ORDER BY x.id) FROM attempts x WHERE x.order_id = o.id),
	'captures',   (SELECT json_agg(x ORDER BY x.id) FROM captures x WHERE x.order_id = o.id),
	'refunds',    (SELECT json_agg(x ORDER BY x.id) FROM refunds x WHERE x.order_id = o.id),
	'disputes',   (SELECT json_agg(x ORDER BY x.id) FROM disputes x WHERE x.order_id = o.id),
	'operations', (SELECT json_agg(x ORDER BY x.id) FROM operations x WHERE x.order_id = o.id AND x.outcome IN ('pending', 'unknown', 'not_sent')))`

const (
	// An empty app is the hub itself.
	loadOrderSQL     = `SELECT ` + aggregate + ` FROM orders o WHERE o.id = $2 AND ($1 = '' OR o.app_id = $1)`
	loadAttemptSQL   = `SELECT ` + aggregate + ` FROM orders o WHERE o.id = (SELECT order_id FROM attempts WHERE id = $1)`
	loadReferenceSQL = `SELECT ` + aggregate + ` FROM orders o WHERE o.app_id = $1 AND o.reference = $2`
	loadKeySQL       = `SELECT row_to_json(p), ` + aggregate + ` FROM operations p JOIN orders o ON o.id = p.order_id
		WHERE p.app_id = $1 AND p.idempotency_key = $2`
	refundSQL = `SELECT ` + aggregate + ` FROM orders o WHERE o.id = (SELECT order_id FROM refunds WHERE id = $2) AND o.app_id = $1`

	// A callback's order: by our attempt id first, which our server put into
	// the provider's metadata, else by the provider's names; with the fate of
	// the same event if it came before.
	loadCallbackSQL = `SELECT coalesce(h.id, ''), coalesce(h.outcome, ''),
		coalesce(m.attempt_id, ''), m.found
	FROM (SELECT 1) one LEFT JOIN callbacks h ON h.provider = $1 AND h.event_id = $2 LEFT JOIN LATERAL (
		SELECT c.attempt_id, ` + aggregate + ` AS found
		FROM (
			SELECT 1 AS rank, a.id AS attempt_id, a.order_id FROM attempts a WHERE a.id = $3 AND a.provider = $1
			UNION ALL
			(SELECT 2, r.attempt_id, r.order_id FROM unnest($4::text[], $5::text[]) WITH ORDINALITY q (kind, value, n)
			JOIN refs r ON r.provider = $1 AND r.kind = q.kind AND r.value = q.value ORDER BY q.n LIMIT 1)
		) c JOIN orders o ON o.id = c.order_id
		ORDER BY c.rank LIMIT 1
	) m ON true`
)

// Order loads an app's order; an empty app is the hub itself. ErrNotFound.
func (p *DB) Order(ctx context.Context, appID, orderID string) (*ledger.Order, error) {
	return p.one(p.loadOrder.QueryRowxContext(ctx, appID, orderID))
}

// OrderOfAttempt loads the order that the attempt belongs to. ErrNotFound.
func (p *DB) OrderOfAttempt(ctx context.Context, attemptID string) (*ledger.Order, error) {
	return p.one(p.loadAttempt.QueryRowxContext(ctx, attemptID))
}

// OrderOfReference loads the app's order of that reference. ErrNotFound.
func (p *DB) OrderOfReference(ctx context.Context, appID, reference string) (*ledger.Order, error) {
	return p.one(p.loadReference.QueryRowxContext(ctx, appID, reference))
}

// OrderOfRefund loads the app's order with that refund. ErrNotFound.
func (p *DB) OrderOfRefund(ctx context.Context, appID, refundID string) (*ledger.Order, error) {
	return p.one(p.refund.QueryRowxContext(ctx, appID, refundID))
}

// OrderOfKey loads the operation of an app's idempotency key and its order. ErrNotFound.
func (p *DB) OrderOfKey(ctx context.Context, appID, key string) (*ledger.Operation, *ledger.Order, error) {
	var opJSON, raw []byte
	if err := p.loadKey.QueryRowxContext(ctx, appID, key).Scan(&opJSON, &raw); err != nil {
		return nil, nil, mapErr(err)
	}
	o, err := p.decode(raw)
	if err != nil {
		return nil, nil, err
	}
	var row operationRow
	if err := json.Unmarshal(opJSON, &row); err != nil {
		return nil, nil, fmt.Errorf("decode operation: %w", err)
	}
	op, err := p.operation(row)
	return op, o, err
}

// Heard is what is on record about a callback.
type Heard struct {
	ID        string             // of the line in the inbox, if the event is not new
	Outcome   ledger.CallbackOut // empty if the event is new
	AttemptID string             // empty if it is of no attempt
	Order     *ledger.Order
}

// OrderOfCallback finds what a callback's payment belongs to, and whether the
// event was heard before.
func (p *DB) OrderOfCallback(ctx context.Context, provider, eventID, attemptID string, refs []sdk.Ref) (Heard, error) {
	kinds, values := make(pq.StringArray, len(refs)), make(pq.StringArray, len(refs))
	for i, r := range refs {
		kinds[i], values[i] = r.Kind, r.Value
	}
	var h Heard
	var raw []byte
	err := p.loadCallback.QueryRowxContext(ctx, provider, eventID, attemptID, kinds, values).Scan(&h.ID, &h.Outcome, &h.AttemptID, &raw)
	if err != nil {
		return h, mapErr(err)
	}
	if raw != nil {
		h.Order, err = p.decode(raw)
	}
	return h, err
}

func (p *DB) one(row *sqlx.Row) (*ledger.Order, error) {
	var raw []byte
	if err := row.Scan(&raw); err != nil {
		return nil, mapErr(err)
	}
	return p.decode(raw)
}

// The rows with encrypted columns.
type (
	attemptRow struct {
		*ledger.Attempt
		NextAction bytea `json:"next_action"`
		Opaque     bytea `json:"opaque"`
	}
	operationRow struct {
		*ledger.Operation
		Request bytea `json:"request"`
	}
	callbackRow struct {
		*ledger.Callback
		Raw bytea `json:"raw"`
	}
)

// decode builds an order from its aggregate.
func (p *DB) decode(raw []byte) (*ledger.Order, error) {
	var agg struct {
		Order      *ledger.Order
		Attempts   []attemptRow
		Captures   []*ledger.Capture
		Refunds    []*ledger.Refund
		Disputes   []*ledger.Dispute
		Operations []operationRow
	}
	if err := json.Unmarshal(raw, &agg); err != nil {
		return nil, fmt.Errorf("decode order: %w", err)
	}
	o := agg.Order
	o.Captures, o.Refunds, o.Disputes = agg.Captures, agg.Refunds, agg.Disputes
	for _, row := range agg.Attempts {
		a, err := p.attempt(row)
		if err != nil {
			return nil, err
		}
		o.Attempts = append(o.Attempts, a)
	}
	for _, row := range agg.Operations {
		op, err := p.operation(row)
		if err != nil {
			return nil, err
		}
		o.Operations = append(o.Operations, op)
	}
	return o, nil
}

func (p *DB) attempt(row attemptRow) (*ledger.Attempt, error) {
	a := row.Attempt
	next, err := p.keys.open("attempts.next_action "+a.ID, row.NextAction)
	if err != nil {
		return nil, err
	}
	if next != nil {
		if err := json.Unmarshal(next, &a.NextAction); err != nil {
			return nil, fmt.Errorf("decode next action of %s: %w", a.ID, err)
		}
	}
	a.Opaque, err = p.keys.open("attempts.opaque "+a.ID, row.Opaque)
	return a, err
}

func (p *DB) operation(row operationRow) (*ledger.Operation, error) {
	var err error
	row.Operation.Request, err = p.keys.open("operations.request "+row.Operation.ID, row.Request)
	return row.Operation, err
}
