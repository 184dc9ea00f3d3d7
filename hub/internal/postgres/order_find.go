package postgres

import (
	"context"
	"strings"
)

// OrderHit is an order that was looked for, and by which of its names it was
// found.
type OrderHit struct {
	OrderRow
	By        string `db:"by"`         // a noun of ours, a provider's kind of name, reference, email or payer
	AttemptID string `db:"attempt_id"` // empty where it is of the order as a whole
}

// ours is where an id of each prefix leads.
var ours = map[string]struct{ noun, query string }{
	"ord": {"order", `SELECT id AS order_id, '' AS attempt_id FROM orders WHERE id = $1`},
	"att": {"attempt", `SELECT order_id, id AS attempt_id FROM attempts WHERE id = $1`},
	"cap": {"capture", `SELECT order_id, attempt_id FROM captures WHERE id = $1`},
	"ref": {"refund", `SELECT order_id, attempt_id FROM refunds WHERE id = $1`},
	"dis": {"dispute", `SELECT order_id, attempt_id FROM disputes WHERE id = $1`},
	"op":  {"operation", `SELECT order_id, coalesce(attempt_id, '') AS attempt_id FROM operations WHERE id = $1`},
	"cb":  {"callback", `SELECT order_id, '' AS attempt_id FROM callbacks WHERE id = $1`},
	"evt": {"event", `SELECT order_id, coalesce(attempt_id, '') AS attempt_id FROM events WHERE id = $1`},
	"pst": {"posting", `SELECT order_id, '' AS attempt_id FROM postings WHERE id = $1`},
	"ntf": {"notification", `SELECT order_id, '' AS attempt_id FROM notifications WHERE id = $1`},
	"dlv": {"delivery", `SELECT n.order_id, '' AS attempt_id FROM deliveries d JOIN notifications n ON n.id = d.notification_id WHERE d.id = $1`},
}

// FindByOurID finds the order of one of our ids, whatever its noun. No hit is
// no error.
func (p *DB) FindByOurID(ctx context.Context, id string) ([]OrderHit, error) {
	prefix, _, _ := strings.Cut(id, "_")
	o, ok := ours[prefix]
	if !ok {
		return nil, nil
	}
	return p.hits(ctx, `SELECT h.order_id, h.attempt_id, '`+o.noun+`' AS by FROM (`+o.query+`) h`, id)
}

// findByProviderSQL looks a provider's name up in all that a provider names.
// Each of those is unique for its provider, so the few providers and kinds that
// there are come first, by hops over the index.
const findByProviderSQL = `WITH RECURSIVE kinds (provider, kind) AS (
		(SELECT provider, kind FROM refs ORDER BY provider, kind LIMIT 1)
		UNION ALL
		SELECT n.provider, n.kind FROM kinds k, LATERAL (
			SELECT r.provider, r.kind FROM refs r WHERE (r.provider, r.kind) > (k.provider, k.kind) ORDER BY r.provider, r.kind LIMIT 1) n
	), names AS (SELECT DISTINCT provider FROM kinds)
	SELECT f.order_id, f.attempt_id, k.kind AS by FROM kinds k, LATERAL (SELECT * FROM refs r WHERE r.provider = k.provider AND r.kind = k.kind AND r.value = $1 OFFSET 0) f
	UNION ALL SELECT f.order_id, f.attempt_id, 'capture' FROM names n, LATERAL (SELECT * FROM captures c WHERE c.provider = n.provider AND c.provider_id = $1 OFFSET 0) f
	UNION ALL SELECT f.order_id, f.attempt_id, 'refund' FROM names n, LATERAL (SELECT * FROM refunds c WHERE c.provider = n.provider AND c.provider_id = $1 OFFSET 0) f
	UNION ALL SELECT f.order_id, f.attempt_id, 'dispute' FROM names n, LATERAL (SELECT * FROM disputes c WHERE c.provider = n.provider AND c.provider_id = $1 OFFSET 0) f
	UNION ALL SELECT f.order_id, '', 'callback' FROM names n, LATERAL (SELECT * FROM callbacks c WHERE c.provider = n.provider AND c.event_id = $1 OFFSET 0) f`

// FindByProviderID finds orders by what a provider calls a payment, a capture,
// a refund, a dispute or an event.
func (p *DB) FindByProviderID(ctx context.Context, value string) ([]OrderHit, error) {
	return p.hits(ctx, findByProviderSQL, value)
}

// findByReferenceSQL goes from app to app: a reference is unique in its app.
const findByReferenceSQL = `SELECT id AS order_id, '' AS attempt_id, 'reference' AS by FROM (
		(SELECT id, 0 AS rank FROM orders WHERE app_id = ANY(ARRAY(SELECT id FROM apps)) AND reference = $1 LIMIT $3)
		UNION ALL
		(SELECT id, 1 FROM orders WHERE app_id = ANY(ARRAY(SELECT id FROM apps)) AND reference LIKE $2 LIMIT $3)
	) found ORDER BY rank, id DESC LIMIT $3`

// FindByReference finds orders whose reference begins so, the exact one first.
func (p *DB) FindByReference(ctx context.Context, reference string, limit int) ([]OrderHit, error) {
	return p.hits(ctx, findByReferenceSQL, reference, likeText(reference)+"%", limit)
}

const findByEmailSQL = `(SELECT id AS order_id, '' AS attempt_id, 'email' AS by FROM orders
		WHERE lower(customer->>'email') = lower($1) AND customer->>'email' <> '' ORDER BY id DESC LIMIT $2)
	UNION ALL
	(SELECT order_id, id, 'payer' FROM attempts
		WHERE lower(payer->>'email') = lower($1) AND payer->>'email' <> '' ORDER BY order_id DESC LIMIT $2)`

// FindByEmail finds the newest orders of that address, in the app's words or in
// the provider's. Upper and lower case are the same.
func (p *DB) FindByEmail(ctx context.Context, email string, limit int) ([]OrderHit, error) {
	return p.hits(ctx, findByEmailSQL, email, limit)
}

// hitsSQL reads the orders that a query of order_id, attempt_id and by names,
// each once, the newest first, and a bounded number of them.
func hitsSQL(query string) string {
	return `WITH found AS (` + query + `),
		one AS (SELECT DISTINCT ON (order_id) order_id, attempt_id, by FROM found ORDER BY order_id, attempt_id DESC LIMIT 50)
		SELECT ` + orderRowColumns + `, f.by, f.attempt_id FROM one f JOIN orders o ON o.id = f.order_id JOIN apps a ON a.id = o.app_id ORDER BY o.id DESC`
}

func (p *DB) hits(ctx context.Context, query string, args ...any) ([]OrderHit, error) {
	var out []OrderHit
	err := p.db.SelectContext(ctx, &out, hitsSQL(query), args...)
	return out, mapErr(err)
}
