package postgres

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/lib/pq"
)

// versionFloor is added to the versions of orders that apps see. It is 0 until
// the database is known to have gone back; then the clock sets it, so whatever an
// app was told of an order before, what it is told from then on is newer. The
// versions by which the ledger guards its orders stay as they are.
type versionFloor struct{ ms atomic.Int64 }

// learn takes over a floor that is higher than the one known.
func (f *versionFloor) learn(ms int64) {
	for {
		known := f.ms.Load()
		if ms <= known || f.ms.CompareAndSwap(known, ms) {
			return
		}
	}
}

// VersionFloor is what is added to the versions of orders that apps see: 0, or the
// unix time in milliseconds at which the database was last known to have gone
// back.
func (p *DB) VersionFloor() int64 { return p.versions.ms.Load() }

// RaiseVersions makes the versions that apps see of all orders, old and new,
// greater than any that they saw before, on this hub at once and on others when
// they learn of it. It is for a database that went back to mark, before anything is
// told to apps again. Milliseconds leave room for a thousand changes of one order a
// second between two times that it went back. A floor above the mark was raised
// since: it stays, lest the hubs that have not learned the next one tell of a later
// change by an earlier version.
func (p *DB) RaiseVersions(ctx context.Context, mark, now time.Time) error {
	var floor int64
	err := p.db.GetContext(ctx, &floor, `UPDATE hub SET version_floor = CASE WHEN version_floor > $1 THEN version_floor ELSE greatest(version_floor, $2) END
		RETURNING version_floor`, mark.UnixMilli(), now.UnixMilli())
	if err != nil {
		return mapErr(err)
	}
	p.versions.learn(floor)
	return nil
}

// LearnVersions takes over a floor that was read from the hub's row: another hub
// may have raised it.
func (p *DB) LearnVersions(floor int64) { p.versions.learn(floor) }

// Untold returns orders above an id, in the sequence of their ids, of which no
// notification has a version above the floor, though one has been made since that
// first id, or they are not at rest. Orders of apps that are notified of nothing
// are left out.
func (p *DB) Untold(ctx context.Context, first string, floor int64, after string, limit int) (ids []string, err error) {
	err = p.db.SelectContext(ctx, &ids, `SELECT o.id FROM orders o WHERE o.id > $3 AND o.id IN (
			SELECT n.order_id FROM notifications n WHERE n.id >= $1 AND n.version <= $2
			UNION SELECT id FROM orders WHERE status = ANY($5) OR needs_attention)
		AND NOT EXISTS (SELECT FROM notifications n WHERE n.order_id = o.id AND n.version > $2)
		AND EXISTS (SELECT FROM webhook_endpoints e WHERE e.app_id = o.app_id AND e.disabled_at IS NULL)
		ORDER BY o.id LIMIT $4`, first, floor, after, limit, pq.StringArray{"open", "pending", "authorized"})
	return ids, mapErr(err)
}
