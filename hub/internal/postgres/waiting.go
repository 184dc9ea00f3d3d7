package postgres

import "context"

// WaitingMost is where counting ends: more than that is many.
const WaitingMost = 100

// Waiting is how much waits for a person, each up to WaitingMost.
type Waiting struct {
	Orders        int `db:"orders"`        // that need attention
	Callbacks     int `db:"callbacks"`     // that could not be applied
	Notifications int `db:"notifications"` // that could not be delivered
}

// Waiting counts over partial indexes, which hold little else.
func (p *DB) Waiting(ctx context.Context) (Waiting, error) {
	var w Waiting
	err := p.db.GetContext(ctx, &w, `SELECT
		(SELECT count(*) FROM (SELECT 1 FROM orders WHERE needs_attention LIMIT $1) o) AS orders,
		(SELECT count(*) FROM (SELECT 1 FROM callbacks WHERE outcome = 'parked' LIMIT $1) c) AS callbacks,
		(SELECT count(*) FROM (SELECT 1 FROM notifications WHERE state = 'failed' LIMIT $1) n) AS notifications`, WaitingMost)
	return w, mapErr(err)
}
