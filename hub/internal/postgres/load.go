package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// aggregate is an order with all that its version guards, in one snapshot, one
// round trip and one value. Of the operations only those that can still change
// are needed to decide anything.
const aggregate = `record_send(ROW(o,
	ARRAY(SELECT x FROM attempts x WHERE x.order_id = o.id ORDER BY x.id),
	ARRAY(SELECT x FROM captures x WHERE x.order_id = o.id ORDER BY x.id),
	ARRAY(SELECT x FROM refunds x WHERE x.order_id = o.id ORDER BY x.id),
	ARRAY(SELECT x FROM disputes x WHERE x.order_id = o.id ORDER BY x.id),
	ARRAY(SELECT x FROM operations x WHERE x.order_id = o.id AND x.outcome IN ('pending', 'unknown', 'not_sent') ORDER BY x.id)))`

const (
	// An empty app is the hub itself.
	loadOrderSQL     = `SELECT ` + aggregate + ` FROM orders o WHERE o.id = $2 AND ($1 = '' OR o.app_id = $1)`
	loadAttemptSQL   = `SELECT ` + aggregate + ` FROM orders o WHERE o.id = (SELECT order_id FROM attempts WHERE id = $1)`
	loadReferenceSQL = `SELECT ` + aggregate + ` FROM orders o WHERE o.app_id = $1 AND o.reference = $2`
	// By the hash is known what was found again at a provider: few, or none.
	loadKeySQL = `SELECT record_send(k.p), ` + aggregate + ` FROM (
			SELECT p FROM operations p WHERE p.app_id = $1 AND p.idempotency_key = $2
			UNION ALL SELECT p FROM operations p WHERE p.app_id = $1 AND p.key_hash = $3
			LIMIT 1
		) k JOIN orders o ON o.id = (k.p).order_id`
	refundSQL = `SELECT ` + aggregate + ` FROM orders o WHERE o.id = (SELECT order_id FROM refunds WHERE id = $2) AND o.app_id = $1`
)

// Order loads an app's order; an empty app is the hub itself. ErrNotFound.
func (p *DB) Order(ctx context.Context, appID, orderID string) (*ledger.Order, error) {
	return p.one(ctx, p.loadOrder, appID, orderID)
}

// OrderOfAttempt loads the order that the attempt belongs to. ErrNotFound.
func (p *DB) OrderOfAttempt(ctx context.Context, attemptID string) (*ledger.Order, error) {
	return p.one(ctx, p.loadAttempt, attemptID)
}

// OrderOfReference loads the app's order of that reference. ErrNotFound.
func (p *DB) OrderOfReference(ctx context.Context, appID, reference string) (*ledger.Order, error) {
	return p.one(ctx, p.loadReference, appID, reference)
}

// OrderOfRefund loads the app's order with that refund. ErrNotFound.
func (p *DB) OrderOfRefund(ctx context.Context, appID, refundID string) (*ledger.Order, error) {
	return p.one(ctx, p.refund, appID, refundID)
}

// OrderOfKey loads the operation of an app's idempotency key and its order. The
// key of one that a restored database had forgotten is known by its hash only.
// ErrNotFound.
func (p *DB) OrderOfKey(ctx context.Context, appID, key string) (*ledger.Operation, *ledger.Order, error) {
	var asked, raw []byte
	hash := p.secret.KeyHash(appID, key)
	err := again(ctx, func() error { return p.loadKey.QueryRowxContext(ctx, appID, key, hash).Scan(&asked, &raw) })
	if err != nil {
		return nil, nil, mapErr(err)
	}
	o, err := p.decode(ctx, raw)
	if err != nil {
		return nil, nil, err
	}
	var row operationRow
	err = p.layouts.fit(ctx, func(l *[numTables]layout) error {
		row = operationRow{}
		return l[operationsTable].read(asked, &row)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("decode operation: %w", err)
	}
	op, err := p.operation(row)
	return op, o, err
}

// one loads the order that a statement finds.
func (p *DB) one(ctx context.Context, statement *sqlx.Stmt, args ...any) (*ledger.Order, error) {
	var raw []byte
	// The pool repeats a read whose connection breaks before the first row, not one
	// that breaks while rows come.
	err := again(ctx, func() error { return statement.QueryRowxContext(ctx, args...).Scan(&raw) })
	if err != nil {
		return nil, mapErr(err)
	}
	return p.decode(ctx, raw)
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
)

// readOrder reads the first six values of a record: an order and its rows, as
// aggregate has them. What is encrypted is not opened yet.
func readOrder(r *reader, l *[numTables]layout) (o *ledger.Order, attempts []*attemptRow, operations []*operationRow) {
	o = &ledger.Order{}
	_, data, _ := r.value()
	r.fail(l[ordersTable].read(data, &orderRow{Order: o}))
	attempts = rowsOf[attemptRow](r, &l[attemptsTable])
	o.Captures = rowsOf[ledger.Capture](r, &l[capturesTable])
	o.Refunds = rowsOf[ledger.Refund](r, &l[refundsTable])
	o.Disputes = rowsOf[ledger.Dispute](r, &l[disputesTable])
	operations = rowsOf[operationRow](r, &l[operationsTable])
	return o, attempts, operations
}

// decode builds an order from its aggregate.
func (p *DB) decode(ctx context.Context, raw []byte) (o *ledger.Order, err error) {
	var attempts []*attemptRow
	var operations []*operationRow
	err = p.layouts.fit(ctx, func(l *[numTables]layout) error {
		r := &reader{data: raw}
		r.columns(6)
		o, attempts, operations = readOrder(r, l)
		o.VersionFloor = p.VersionFloor()
		return r.err
	})
	if err != nil {
		return nil, fmt.Errorf("decode order: %w", err)
	}
	for _, row := range attempts {
		a, err := p.attempt(*row)
		if err != nil {
			return nil, err
		}
		o.Attempts = append(o.Attempts, a)
	}
	for _, row := range operations {
		op, err := p.operation(*row)
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
