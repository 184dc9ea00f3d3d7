package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// SettleSteps are the seconds by which times to settle are told apart: the
// first count is of those below the first, the last of those above the last.
var SettleSteps = []int{1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400}

const (
	// overviewDays is how far back hours are counted.
	overviewDays = 92
	// rollOverlap is how much later than its time an event may be committed.
	rollOverlap = 2 * time.Minute
	rollHours   = 48 // of the past, counted at once
)

// RollOrders counts the hours whose orders changed, and on a new database the
// past as well, some days at a time: more says that there is more of it. Hubs
// take turns: who comes meanwhile waits for as long as ctx lets them, and then
// has little left to count.
func (p *DB) RollOrders(ctx context.Context, now time.Time) (more bool, err error) {
	tx, err := p.db.BeginTxx(ctx, nil)
	if err != nil {
		return false, mapErr(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, `SET LOCAL lock_timeout = 0`); err != nil {
		return false, mapErr(err)
	}
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext('superpay order_hours'))`); err != nil {
		return false, mapErr(err)
	}
	thisHour := now.UTC().Truncate(time.Hour)
	var known struct {
		AsOf   time.Time `db:"as_of"`
		BackTo time.Time `db:"back_to"`
	}
	err = mapErr(tx.GetContext(ctx, &known, `SELECT as_of, back_to FROM order_hours_known`))
	if err == ErrNotFound {
		known.AsOf, known.BackTo, err = now, thisHour.Add(time.Hour), nil
	}
	if err != nil {
		return false, err
	}
	hours, err := changedHours(ctx, tx, known.AsOf.Add(-rollOverlap))
	if err != nil {
		return false, err
	}
	first, err := firstHour(ctx, tx, thisHour)
	if err != nil {
		return false, err
	}
	for i := 0; i < rollHours && known.BackTo.After(first); i++ {
		known.BackTo = known.BackTo.Add(-time.Hour)
		hours = append(hours, known.BackTo)
	}
	if err := countHours(ctx, tx, hours); err != nil {
		return false, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO order_hours_known (as_of, back_to) VALUES ($1, $2)
		ON CONFLICT (one) DO UPDATE SET as_of = excluded.as_of, back_to = excluded.back_to`, now, known.BackTo)
	if err == nil {
		err = tx.Commit()
	}
	return known.BackTo.After(first), mapErr(err)
}

// firstHour is the one from which on there is something to count.
func firstHour(ctx context.Context, tx *sqlx.Tx, thisHour time.Time) (time.Time, error) {
	first := thisHour.AddDate(0, 0, -overviewDays)
	var begin string
	err := tx.GetContext(ctx, &begin, `SELECT coalesce(left(min(id), $2), '') FROM orders WHERE id >= $1`,
		ledger.FirstID(ledger.OrderID, first), len(ledger.OrderID)+1+ledger.IDBegin)
	if err != nil {
		return first, mapErr(err)
	}
	if begin == "" {
		return thisHour, nil
	}
	from, _ := ledger.BegunBetween(begin)
	return from.Truncate(time.Hour), nil
}

// changedHours are those in which orders were made that changed since then. Ids
// hold the time: how those of a quarter of an hour or so begin is enough, and no
// order has to be looked up.
func changedHours(ctx context.Context, tx *sqlx.Tx, since time.Time) (hours []time.Time, err error) {
	var begin []string
	err = tx.SelectContext(ctx, &begin, `SELECT DISTINCT left(order_id, $2) FROM events WHERE id >= $1 AND kind <> $3`,
		ledger.FirstID(ledger.EventID, since), len(ledger.OrderID)+1+ledger.IDBegin, archived)
	if err != nil {
		return nil, mapErr(err)
	}
	known := map[time.Time]bool{}
	for _, b := range begin {
		from, to := ledger.BegunBetween(b)
		for _, h := range []time.Time{from.Truncate(time.Hour), to.Truncate(time.Hour)} {
			if !known[h] {
				known[h], hours = true, append(hours, h)
			}
		}
	}
	return hours, nil
}

// countHours counts hours anew, one by one: a range of ids that is known is
// walked down by an index.
func countHours(ctx context.Context, tx *sqlx.Tx, hours []time.Time) error {
	for _, h := range hours {
		h = h.UTC()
		if _, err := tx.ExecContext(ctx, `DELETE FROM order_hours WHERE mode IN ('live', 'test', '') AND hour = $1`, h); err != nil {
			return mapErr(err)
		}
		if _, err := tx.ExecContext(ctx, countHourSQL, h, ledger.FirstID(ledger.OrderID, h), ledger.FirstID(ledger.OrderID, h.Add(time.Hour))); err != nil {
			return mapErr(err)
		}
	}
	return nil
}

// countHourSQL counts the orders of an hour. What the journal says is read from
// the postings alone, so that it can be held against the orders.
var countHourSQL = fmt.Sprintf(`INSERT INTO order_hours (hour, mode, provider, flow, currency, exponent, orders, paid, returned, captured, refunded, disputed, journal, settled)
	SELECT $1::timestamptz, o.mode, o.provider, o.flow, o.currency, max(o.exponent), count(*), count(*) FILTER (WHERE o.captured > 0), count(*) FILTER (WHERE o.refunded > 0),
		sum(o.captured), sum(o.refunded), sum(o.disputed), coalesce(sum(j.net), 0), ARRAY[%s]
	FROM (SELECT * FROM orders WHERE id >= $2 AND id < $3) o
	LEFT JOIN (SELECT order_id, currency, sum(amount) AS net FROM postings
		WHERE order_id >= $2 AND order_id < $3 AND (account LIKE 'provider:%%' OR account LIKE 'fees:%%' OR account LIKE 'fx:%%') GROUP BY order_id, currency) j
		ON j.order_id = o.id AND j.currency = o.currency
	LEFT JOIN (SELECT order_id, min(created_at) AS at FROM captures WHERE order_id >= $2 AND order_id < $3 AND status = 'succeeded' GROUP BY order_id) c
		ON c.order_id = o.id AND o.captured > 0
	LEFT JOIN LATERAL width_bucket(extract(epoch FROM c.at - o.created_at)::float8, ARRAY[%s]::float8[]) s (step) ON true
	GROUP BY o.mode, o.provider, o.flow, o.currency`,
	eachStep("count(*) FILTER (WHERE s.step = %d)", 0), strings.Trim(strings.ReplaceAll(fmt.Sprint(SettleSteps), " ", ","), "[]"))

// eachStep spells something for each count of times to settle.
func eachStep(format string, first int) string {
	var all []string
	for i := range len(SettleSteps) + 1 {
		all = append(all, fmt.Sprintf(format, first+i))
	}
	return strings.Join(all, ", ")
}

// OverviewMoney is what orders of a currency took, as they and the journal say.
type OverviewMoney struct {
	Currency string `db:"currency"`
	Exponent int    `db:"exponent"`
	Captured int64  `db:"captured"`
	Refunded int64  `db:"refunded"`
	Disputed int64  `db:"disputed"`
	Journal  int64  `db:"journal"`
}

// OverviewSlot is what orders of a flow, made in one slot of time, came to.
type OverviewSlot struct {
	Slot     int           `db:"slot"` // from 0
	Provider string        `db:"provider"`
	Flow     string        `db:"flow"`
	Orders   int64         `db:"orders"`
	Paid     int64         `db:"paid"`
	Returned int64         `db:"returned"`
	Settled  pq.Int64Array `db:"settled"` // by SettleSteps
}

// OverviewAttention is a reason for which orders wait for a person.
type OverviewAttention struct {
	Reason string    `db:"reason"`
	Orders int       `db:"orders"`
	Oldest time.Time `db:"oldest"`
}

// Overview is what the first page shows, of live or of test orders.
type Overview struct {
	AsOf      time.Time // zero: nothing was counted yet
	Money     []OverviewMoney
	Slots     []OverviewSlot
	Attention []OverviewAttention
	Callbacks int // parked
	Told      int // notifications that were given up
	Endpoints int // of apps, that fail or are disabled
}

// attentionMost bounds how many orders are looked at for what they wait for.
const attentionMost = 10_000

// Overview reads what was counted of orders made between the bounds of slots of
// time: whole hours, one more than there are slots.
func (p *DB) Overview(ctx context.Context, mode string, bounds []time.Time) (o Overview, err error) {
	var at pq.StringArray
	for _, b := range bounds {
		at = append(at, b.UTC().Format(time.RFC3339))
	}
	last := at[len(at)-1]
	var known []time.Time
	if err := p.db.SelectContext(ctx, &known, `SELECT as_of FROM order_hours_known`); err != nil {
		return o, mapErr(err)
	}
	if len(known) > 0 {
		o.AsOf = known[0]
	}
	err = p.db.SelectContext(ctx, &o.Money, `SELECT currency, max(exponent) AS exponent, sum(captured)::bigint AS captured, sum(refunded)::bigint AS refunded,
			sum(disputed)::bigint AS disputed, sum(journal)::bigint AS journal
		FROM order_hours WHERE mode = $1 AND hour >= $2 AND hour < $3 GROUP BY currency
		HAVING sum(captured) <> 0 OR sum(refunded) <> 0 OR sum(disputed) <> 0 OR sum(journal) <> 0 ORDER BY sum(orders) DESC, currency`, mode, at[0], last)
	if err != nil {
		return o, mapErr(err)
	}
	err = p.db.SelectContext(ctx, &o.Slots, `SELECT width_bucket(hour, $4::timestamptz[]) - 1 AS slot, provider, flow, sum(orders)::bigint AS orders,
			sum(paid)::bigint AS paid, sum(returned)::bigint AS returned, ARRAY[`+eachStep("sum(settled[%d])::bigint", 1)+`] AS settled
		FROM order_hours WHERE mode = $1 AND hour >= $2 AND hour < $3 GROUP BY 1, 2, 3 ORDER BY 1`, mode, at[0], last, at)
	if err != nil {
		return o, mapErr(err)
	}
	err = p.db.SelectContext(ctx, &o.Attention, `SELECT a->>'reason' AS reason, count(DISTINCT o.id) AS orders, min((a->>'at')::timestamptz) AS oldest
		FROM (SELECT id, attention FROM orders WHERE needs_attention AND mode = $1 ORDER BY id DESC LIMIT $2) o, jsonb_array_elements(o.attention) a
		WHERE NOT a ? 'resolved_at' GROUP BY 1 ORDER BY 2 DESC, 1`, mode, attentionMost)
	if err != nil {
		return o, mapErr(err)
	}
	err = p.db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM (SELECT FROM callbacks WHERE outcome = 'parked' LIMIT $1) c),
		(SELECT count(*) FROM (SELECT FROM notifications WHERE state = 'failed' AND state <> 'delivered' LIMIT $1) n),
		(SELECT count(*) FROM (SELECT FROM webhook_endpoints WHERE disabled_at IS NOT NULL OR failing_since IS NOT NULL LIMIT $1) e)`,
		attentionMost).Scan(&o.Callbacks, &o.Told, &o.Endpoints)
	return o, mapErr(err)
}

// AnyLive reports whether live orders were made lately.
func (p *DB) AnyLive(ctx context.Context) (live bool, err error) {
	err = p.db.GetContext(ctx, &live, `SELECT EXISTS (SELECT FROM order_hours WHERE mode = 'live')`)
	return live, mapErr(err)
}
