package postgres

import "context"

// Forgotten counts what Forget dropped, and the callbacks that it left because
// they still wait to be applied, or failed to be and may be replayed.
type Forgotten struct {
	Callbacks, Notifications, Waiting int
}

// Forget drops the raw callbacks of an order, and the notifications of it that
// are older than its erasure, with what apps answered. Repeating it is harmless.
func (p *DB) Forget(ctx context.Context, orderID string) (Forgotten, error) {
	var f Forgotten
	err := p.get(ctx, &f, `WITH raw AS (
			UPDATE callbacks SET raw = NULL WHERE order_id = $1 AND raw IS NOT NULL AND due_at IS NULL AND outcome NOT IN ('failed', 'parked') RETURNING 1
		), brought AS (
			DELETE FROM returns WHERE attempt_id IN (SELECT id FROM attempts WHERE order_id = $1)
		), told AS (
			DELETE FROM notifications WHERE order_id = $1 AND created_at < (SELECT erased_at FROM orders WHERE id = $1) RETURNING 1
		) SELECT (SELECT count(*) FROM raw) AS callbacks, (SELECT count(*) FROM told) AS notifications,
			(SELECT count(*) FROM callbacks WHERE order_id = $1 AND raw IS NOT NULL AND (due_at IS NOT NULL OR outcome IN ('failed', 'parked'))) AS waiting`, orderID)
	return f, mapErr(err)
}
