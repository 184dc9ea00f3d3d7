package postgres

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// Doubt is one thing that does not add up.
type Doubt struct {
	Law  string `db:"law"`
	Name string `db:"name"` // of the order, attempt, group or currency
	Said string `db:"said"`
}

// laws are what must hold of the books, each a query that returns what breaks
// it: a name, and what was found. They are sums over whole tables, which
// PostgreSQL makes in bounded memory, and never a row for each order here.
var laws = []struct{ law, query string }{
	{"what hangs on an order is of that order", `
		SELECT name, format('%s of order %s, attempt %s', what, order_id, coalesce(attempt_id, '-')) FROM (
			SELECT id AS name, 'an attempt' AS what, order_id, NULL AS attempt_id FROM attempts
			UNION ALL SELECT value, 'a name', order_id, attempt_id FROM refs
			UNION ALL SELECT id, 'a capture', order_id, attempt_id FROM captures
			UNION ALL SELECT id, 'a refund', order_id, attempt_id FROM refunds
			UNION ALL SELECT id, 'a dispute', order_id, attempt_id FROM disputes
			UNION ALL SELECT id, 'an operation', order_id, attempt_id FROM operations
		) x WHERE NOT EXISTS (SELECT FROM orders o WHERE o.id = x.order_id)
			OR x.attempt_id IS NOT NULL AND NOT EXISTS (SELECT FROM attempts a WHERE a.id = x.attempt_id AND a.order_id = x.order_id)`},

	{"postings of a currency sum to zero", `
		SELECT currency, sum(amount)::text FROM postings GROUP BY currency HAVING sum(amount) <> 0`},

	{"postings of a group sum to zero", `
		SELECT movement_id || ' ' || stage, sum(amount)::text
		FROM postings GROUP BY movement_id, stage, currency HAVING sum(amount) <> 0`},

	// Each movement counts its groups, so that none is lost or added whole.
	{"a movement has as many groups of postings as it caused", `
		SELECT id, 'missing groups: ' || sum(n) FROM (
			SELECT id, posted AS n FROM captures
			UNION ALL SELECT id, posted FROM refunds
			UNION ALL SELECT id, posted FROM disputes
			UNION ALL SELECT movement_id, -1 FROM (SELECT DISTINCT movement_id, stage FROM postings) g
		) x GROUP BY id HAVING sum(n) <> 0`},

	// What each account holds of an order follows from its movements alone.
	{"an order's postings are those of its movements", `
		SELECT order_id, format('%s: %s %s too much is posted', account, sum(amount), currency) FROM (
			SELECT order_id, account, amount, currency FROM postings
			UNION ALL
			SELECT o.id, l.account, -l.amount, m.currency
			FROM (
				SELECT order_id, provider, currency, 'capture' AS kind, amount FROM captures WHERE status = 'succeeded'
				UNION ALL SELECT order_id, provider, currency, 'refund', amount FROM refunds WHERE status = 'succeeded'
				UNION ALL SELECT order_id, provider, currency, CASE WHEN status = 'lost' THEN 'lost' ELSE 'withdrawn' END, amount
					FROM disputes WHERE funds_withdrawn
				UNION ALL SELECT order_id, provider, fee_currency, 'fee', fee FROM captures WHERE status = 'succeeded'
				UNION ALL SELECT order_id, provider, fee_currency, 'fee', fee FROM disputes
			) m
			JOIN orders o ON o.id = m.order_id
			CROSS JOIN LATERAL (SELECT CASE WHEN m.currency = o.currency THEN 'app:' || o.app_id ELSE 'unmatched:' || m.provider END) w (owed)
			CROSS JOIN LATERAL (VALUES
				('capture', 'provider:' || m.provider, m.amount), ('capture', w.owed, -m.amount),
				('refund', w.owed, m.amount), ('refund', 'provider:' || m.provider, -m.amount),
				('withdrawn', 'disputed:' || m.provider, m.amount), ('withdrawn', 'provider:' || m.provider, -m.amount),
				('lost', w.owed, m.amount), ('lost', 'provider:' || m.provider, -m.amount),
				('fee', 'fees:' || m.provider, m.amount), ('fee', 'provider:' || m.provider, -m.amount)
			) l (kind, account, amount)
			WHERE l.kind = m.kind
		) x GROUP BY order_id, account, currency HAVING sum(amount) <> 0`},

	{"an attempt's totals are those of its movements", `
		SELECT attempt_id, format('%s: %s too much', what, sum(amount)) FROM (
			SELECT a.id AS attempt_id, t.what, t.amount FROM attempts a
			CROSS JOIN LATERAL (VALUES ('captured', a.captured), ('refunded', a.refunded), ('reserved', a.reserved), ('disputed', a.disputed)) t (what, amount)
			UNION ALL
			SELECT m.attempt_id, m.what, -m.amount FROM (
				SELECT order_id, attempt_id, currency, 'captured' AS what, amount FROM captures WHERE status = 'succeeded'
				UNION ALL SELECT order_id, attempt_id, currency, CASE WHEN status = 'succeeded' THEN 'refunded' ELSE 'reserved' END, amount
					FROM refunds WHERE status IN ('succeeded', 'pending', 'unknown')
				UNION ALL SELECT order_id, attempt_id, currency, 'disputed', amount FROM disputes WHERE funds_withdrawn
			) m JOIN orders o ON o.id = m.order_id AND o.currency = m.currency
		) x GROUP BY attempt_id, what HAVING sum(amount) <> 0`},

	{"an order's totals are those of its attempts", `
		SELECT order_id, format('%s: %s too much', what, sum(amount)) FROM (
			SELECT o.id AS order_id, t.what, t.amount FROM orders o
			CROSS JOIN LATERAL (VALUES ('authorized', o.authorized), ('captured', o.captured), ('refunded', o.refunded),
				('disputed', o.disputed), ('refundable', o.refundable)) t (what, amount)
			UNION ALL
			SELECT a.order_id, t.what, -t.amount FROM attempts a
			CROSS JOIN LATERAL (VALUES ('authorized', a.authorized), ('captured', a.captured), ('refunded', a.refunded),
				('disputed', a.disputed), ('refundable', greatest(0, a.captured - a.refunded - a.reserved - a.disputed))) t (what, amount)
		) x GROUP BY order_id, what HAVING sum(amount) <> 0`},

	{"an attempt with money was asked for", `
		SELECT a.id, format('captured %s, and no operation created it', a.captured) FROM attempts a
		WHERE a.captured > 0 AND NOT EXISTS (SELECT FROM operations p WHERE p.attempt_id = a.id AND p.kind = 'create')`},

	{"a refund that the hub asked for has one operation, and it ended if the provider named the refund", `
		SELECT r.id, format('%s, operations: %s, ended: %s', r.status, count(p.id), count(p.id) FILTER (WHERE p.outcome IN ('succeeded', 'declined')))
		FROM refunds r LEFT JOIN operations p ON p.refund_id = r.id WHERE r.origin = 'hub'
		GROUP BY r.id, r.status, r.provider_id
		HAVING count(p.id) <> 1 OR r.provider_id IS NOT NULL AND bool_or(p.outcome IN ('pending', 'unknown', 'not_sent'))`},

	{"a refund that is still asked for has an open operation", `
		SELECT r.id, r.status FROM refunds r WHERE r.origin = 'hub' AND r.provider_id IS NULL AND r.status IN ('pending', 'unknown')
			AND NOT EXISTS (SELECT FROM operations p WHERE p.refund_id = r.id AND p.outcome IN ('pending', 'unknown'))`},

	{"an operation that succeeded has what it was for", `
		SELECT p.id, p.kind FROM operations p LEFT JOIN refunds r ON r.id = p.refund_id
		WHERE p.outcome = 'succeeded' AND (
			p.kind = 'refund' AND (r.id IS NULL OR r.provider_id IS NULL)
			OR p.kind = 'capture' AND NOT EXISTS (SELECT FROM captures c WHERE c.attempt_id = p.attempt_id)
				AND NOT EXISTS (SELECT FROM attempts a WHERE a.id = p.attempt_id AND (a.status = 'pending' OR a.read_wanted)))`},
}

// Verify checks the books as they stood at one moment, beside hubs that work,
// and returns at most limit doubts. None is good.
func (p *DB) Verify(ctx context.Context, limit int) ([]Doubt, error) {
	tx, err := p.db.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("verify: %w", mapErr(err))
	}
	defer func() { _ = tx.Rollback() }() // it wrote nothing
	return verify(ctx, tx, limit)
}

func verify(ctx context.Context, tx *sqlx.Tx, limit int) ([]Doubt, error) {
	var out []Doubt
	for _, l := range laws {
		var found []Doubt
		err := tx.SelectContext(ctx, &found, "SELECT $1 AS law, name, said FROM ("+l.query+") AS broken (name, said) LIMIT $2", l.law, limit-len(out))
		if err != nil {
			return nil, fmt.Errorf("verify that %s: %w", l.law, mapErr(err))
		}
		if out = append(out, found...); len(out) >= limit {
			break
		}
	}
	return out, nil
}
