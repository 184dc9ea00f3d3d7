package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/superpayhub/superpay/hub/internal/ledger"
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
		NextAction bytea `json:"next_action,omitempty"`
		Opaque     bytea `json:"opaque,omitempty"`
	}
	operationRow struct {
		*ledger.Operation
		Request bytea `json:"request,omitempty"`
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
