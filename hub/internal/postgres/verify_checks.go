package postgres

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/lib/pq"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// Kinds of checks of the ledger.
const (
	CheckKindChanged = "changed" // the orders that changed
	CheckKindAll     = "all"     // all orders, and all that hangs on them
)

// Check is one kind of check, as hubs share it.
type Check struct {
	Kind      string     `db:"kind"`
	DueAt     time.Time  `db:"due_at"`
	Cursor    string     `db:"cursor"`
	BeganAt   *time.Time `db:"began_at"`   // of the pass under way
	CheckedTo time.Time  `db:"checked_to"` // everything recorded before this was checked
	Orders    int64      `db:"orders"`     // checked by the pass under way, or by the last one
	Error     string     `db:"error"`

	until time.Time // end of the lease
}

// ClaimCheck leases the check that is due for longest. ErrNotFound if none is.
func (p *DB) ClaimCheck(ctx context.Context, now time.Time, lease time.Duration) (Check, error) {
	var c Check
	err := p.db.GetContext(ctx, &c, `UPDATE ledger_checks SET due_at = $2
		WHERE kind = (SELECT kind FROM ledger_checks WHERE due_at <= $1 ORDER BY due_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
		RETURNING kind, due_at, cursor, began_at, checked_to, orders, error`, now, now.Add(lease))
	c.until = c.DueAt
	return c, mapErr(err)
}

// SaveCheck ends a lease, unless it was taken by another hub meanwhile.
func (p *DB) SaveCheck(ctx context.Context, c Check) error {
	_, err := p.exec(ctx, `UPDATE ledger_checks SET due_at = $2, cursor = $3, began_at = $4, checked_to = greatest(checked_to, $5), orders = $6, error = $7
		WHERE kind = $1 AND due_at = $8`, c.Kind, c.DueAt, c.Cursor, c.BeganAt, c.CheckedTo, c.Orders, c.Error, c.until)
	return mapErr(err)
}

// Checks are all of them, and how many doubts are open.
func (p *DB) Checks(ctx context.Context) (all []Check, doubts int, err error) {
	err = p.db.SelectContext(ctx, &all, `SELECT kind, due_at, cursor, began_at, checked_to, orders, error FROM ledger_checks ORDER BY kind`)
	if err == nil {
		err = p.db.GetContext(ctx, &doubts, `SELECT count(*) FROM ledger_doubts`)
	}
	return all, doubts, mapErr(err)
}

// OrdersAbout is about how many orders there are, as the planner knows.
func (p *DB) OrdersAbout(ctx context.Context) (n int64, err error) {
	err = p.db.GetContext(ctx, &n, `SELECT greatest(0, reltuples)::bigint FROM pg_class WHERE oid = 'orders'::regclass`)
	return n, mapErr(err)
}

// maxDoubts bounds how many doubts of a slice are kept, and are compared with those
// that were kept before.
const maxDoubts = 1000

// SaveDoubts keeps the doubts of a slice, and drops those that an earlier check
// had of its orders. It returns those that were not kept before, which it knows by
// when they were first seen: also where the answer of a first run was lost.
func (p *DB) SaveDoubts(ctx context.Context, c Checked, now time.Time) (fresh []ledger.Doubt, err error) {
	kept, err := p.doubtsOf(ctx, c)
	if err != nil {
		return nil, err
	}
	doubts := c.Doubts[:min(len(c.Doubts), maxDoubts)]
	for _, d := range kept {
		if slices.ContainsFunc(doubts, d.Same) {
			continue
		}
		_, err := p.exec(ctx, `DELETE FROM ledger_doubts WHERE part = $1 AND order_id = $2 AND law = $3 AND row_name = $4 AND field = $5`,
			c.Part, d.OrderID, d.Law, d.Row, d.Field)
		if err != nil {
			return fresh, mapErr(err)
		}
	}
	for _, d := range doubts {
		var first bool
		err := p.get(ctx, &first, `INSERT INTO ledger_doubts (part, order_id, law, row_name, field, expected, found, first_seen, last_seen)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
			ON CONFLICT (order_id, part, law, row_name, field) DO UPDATE SET expected = excluded.expected, found = excluded.found, last_seen = excluded.last_seen
			RETURNING first_seen = $8`, c.Part, d.OrderID, d.Law, d.Row, d.Field, d.Expected, d.Found, now)
		if err != nil {
			return fresh, mapErr(err)
		}
		if first {
			fresh = append(fresh, d)
		}
	}
	return fresh, nil
}

// doubtsOf are those that earlier checks had of the slice's orders. Those of
// names are dropped at the end of a pass: see DropDoubts.
func (p *DB) doubtsOf(ctx context.Context, c Checked) (kept []ledger.Doubt, err error) {
	if c.Part != ordersPart {
		return nil, nil
	}
	which, args := rangeOf(c.last), []any{c.after, c.last}
	if c.ids != nil {
		which, args = theseIDs, []any{pq.StringArray(c.ids)}
	}
	err = p.db.SelectContext(ctx, &kept, `SELECT order_id, law, row_name, field, expected, found FROM ledger_doubts
		WHERE part = 'orders' AND `+which("order_id")+` LIMIT `+strconv.Itoa(maxDoubts), args...)
	return kept, mapErr(err)
}

// DropDoubts drops what was not seen again by a pass that began at that time.
func (p *DB) DropDoubts(ctx context.Context, began time.Time) error {
	_, err := p.exec(ctx, `DELETE FROM ledger_doubts WHERE last_seen < $1`, began)
	return mapErr(err)
}

// Doubted reports whether any check has a doubt of an order.
func (p *DB) Doubted(ctx context.Context, orderID string) (doubted bool, err error) {
	err = p.db.GetContext(ctx, &doubted, `SELECT EXISTS (SELECT FROM ledger_doubts WHERE order_id = $1)`, orderID)
	return doubted, mapErr(err)
}
