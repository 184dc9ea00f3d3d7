package postgres

import (
	"context"
	"fmt"
)

// Doubt is one thing that does not add up.
type Doubt struct {
	Law  string `db:"law"`
	Name string `db:"name"` // of the order, group or currency
	Said string `db:"said"`
}

// laws are what must hold of the books, each a query that returns what breaks
// it. They run on live data, one snapshot each, and return no more than asked.
var laws = []string{
	`SELECT 'postings of a group sum to zero' AS law, movement_id || ' ' || stage AS name, sum(amount)::text AS said
	 FROM postings GROUP BY movement_id, stage, currency HAVING sum(amount) <> 0`,

	`SELECT 'postings of a currency sum to zero', currency, sum(amount)::text FROM postings GROUP BY currency HAVING sum(amount) <> 0`,

	`SELECT 'an order''s totals are those of its movements', o.id,
		format('captured %s, movements %s; refunded %s, movements %s', o.captured, m.captured, o.refunded, m.refunded)
	 FROM orders o, LATERAL (SELECT
		coalesce((SELECT sum(amount) FROM captures c WHERE c.order_id = o.id AND c.status = 'succeeded' AND c.currency = o.currency), 0) AS captured,
		coalesce((SELECT sum(amount) FROM refunds r WHERE r.order_id = o.id AND r.status = 'succeeded' AND r.currency = o.currency), 0) AS refunded) m
	 WHERE o.captured <> m.captured OR o.refunded <> m.refunded`,

	`SELECT 'what is owed to the app is captured less refunded less lost', o.id,
		format('owed %s, captured %s, refunded %s, lost %s', p.owed, o.captured, o.refunded, d.lost)
	 FROM orders o,
		LATERAL (SELECT coalesce(-sum(amount), 0) AS owed FROM postings WHERE order_id = o.id AND account = 'app:' || o.app_id) p,
		LATERAL (SELECT coalesce(sum(amount), 0) AS lost FROM disputes WHERE order_id = o.id AND funds_withdrawn AND status = 'lost' AND currency = o.currency) d
	 WHERE p.owed <> o.captured - o.refunded - d.lost`,

	`SELECT 'a refund that the hub asked for and the provider made has its operation', r.id, r.status
	 FROM refunds r WHERE r.origin = 'hub' AND r.provider_id IS NOT NULL
		AND NOT EXISTS (SELECT FROM operations p WHERE p.refund_id = r.id AND p.outcome IN ('succeeded', 'declined'))`,

	`SELECT 'a refund that is still asked for has an open operation', r.id, r.status
	 FROM refunds r WHERE r.origin = 'hub' AND r.provider_id IS NULL AND r.status IN ('pending', 'unknown')
		AND NOT EXISTS (SELECT FROM operations p WHERE p.refund_id = r.id AND p.outcome IN ('pending', 'unknown'))`,
}

// Verify checks the books and returns at most limit doubts. None is good.
func (p *DB) Verify(ctx context.Context, limit int) ([]Doubt, error) {
	var out []Doubt
	for _, law := range laws {
		var found []Doubt
		if err := p.db.SelectContext(ctx, &found, "SELECT law, name, said FROM ("+law+") AS broken (law, name, said) LIMIT $1", limit-len(out)); err != nil {
			return nil, fmt.Errorf("verify: %w", mapErr(err))
		}
		if out = append(out, found...); len(out) >= limit {
			break
		}
	}
	return out, nil
}
