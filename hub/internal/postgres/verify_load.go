package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// recordSQL reads orders with everything that is on record of them, each as one
// row, all in one snapshot. The LIMIT makes the planner look each name up by the
// key of refs, instead of reading all of refs for each order.
const recordSQL = `SELECT o.id, record_send(ROW(o,
	ARRAY(SELECT x FROM attempts x WHERE x.order_id = o.id ORDER BY x.id),
	ARRAY(SELECT x FROM captures x WHERE x.order_id = o.id ORDER BY x.id),
	ARRAY(SELECT x FROM refunds x WHERE x.order_id = o.id ORDER BY x.id),
	ARRAY(SELECT x FROM disputes x WHERE x.order_id = o.id ORDER BY x.id),
	ARRAY(SELECT x FROM operations x WHERE x.order_id = o.id ORDER BY x.id),
	ARRAY(SELECT r.x FROM attempts a, jsonb_to_recordset(a.refs) AS q (kind text, value text),
		LATERAL (SELECT x FROM refs x WHERE x.provider = a.provider AND x.kind = q.kind AND x.value = q.value LIMIT 1) r
		WHERE a.order_id = o.id),
	ARRAY(SELECT x FROM postings x WHERE x.order_id = o.id ORDER BY x.id))) AS whole,
	json_build_object(
		'events', (SELECT json_agg(e ORDER BY e.id) FROM events e WHERE e.order_id = o.id),
		'notices', (SELECT json_agg(n) FROM (SELECT n.id, n.app_id, e.app_id AS endpoint_app, n.version,
			CASE WHEN row_number() OVER (ORDER BY n.version DESC, n.id) = 1 THEN n.payload ELSE '' END AS payload
			FROM notifications n LEFT JOIN webhook_endpoints e ON e.id = n.endpoint_id WHERE n.order_id = o.id) n),
		'callbacks', (SELECT json_agg(c) FROM (SELECT id, provider FROM callbacks WHERE order_id = o.id) c)) AS rest
	FROM orders o WHERE o.id = ANY ($1)`

type recordRow struct {
	ID    string `db:"id"`
	Whole []byte `db:"whole"`
	Rest  []byte `db:"rest"`
}

// verifyThese checks each of the slice's orders that is there.
func (p *DB) verifyThese(ctx context.Context, tx *sqlx.Tx, c *Checked) error {
	rows, err := p.records(ctx, tx, c.ids)
	if err != nil {
		return err
	}
	for _, row := range rows {
		c.Orders++
		r, err := p.record(ctx, row)
		if err != nil {
			c.Doubts = append(c.Doubts, unreadable(row.ID, err))
			continue
		}
		doubts := ledger.Verify(r)
		c.Doubts = append(c.Doubts, doubts...)
		if len(doubts) == 0 && r.Order.Doubted() {
			c.Cleared = append(c.Cleared, row.ID)
		}
	}
	return nil
}

func unreadable(id string, err error) ledger.Doubt {
	return ledger.Doubt{OrderID: id, Law: ledger.LawReadable, Row: id, Field: "orders", Expected: "an order", Found: err.Error()}
}

// Unreadable reports whether an order could be loaded, but not taken apart:
// somebody else than a hub wrote it, or with another key.
func Unreadable(err error) bool {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	return errors.Is(err, errSealed) || errors.Is(err, errShort) || errors.As(err, &syntax) || errors.As(err, &kind)
}

// records reads orders. Where the database itself cannot take one apart, they are
// read one by one, and that one is told of by its row.
func (p *DB) records(ctx context.Context, tx *sqlx.Tx, ids []string) (rows []recordRow, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if _, err := tx.ExecContext(ctx, `SAVEPOINT slice`); err != nil {
		return nil, err
	}
	err = tx.SelectContext(ctx, &rows, recordSQL, pq.StringArray(ids))
	var pe *pq.Error
	if err == nil || !errors.As(err, &pe) || pe.Code.Class() != "22" {
		return rows, err
	}
	if _, undo := tx.ExecContext(ctx, `ROLLBACK TO SAVEPOINT slice`); undo != nil {
		return nil, errors.Join(err, undo)
	}
	if len(ids) == 1 {
		return []recordRow{{ID: ids[0], Rest: []byte(pe.Message)}}, nil
	}
	rows = nil
	for half := range slices.Chunk(ids, (len(ids)+1)/2) {
		some, err := p.records(ctx, tx, half)
		if err != nil {
			return nil, err
		}
		rows = append(rows, some...)
	}
	return rows, nil
}

// record builds an order's record. What no key opens is named, and left out.
func (p *DB) record(ctx context.Context, row recordRow) (rec ledger.Record, err error) {
	if row.Whole == nil {
		return rec, errors.New(string(row.Rest))
	}
	var attempts []*attemptRow
	var operations []*operationRow
	err = p.layouts.fit(ctx, func(l *[numTables]layout) error {
		r := &reader{data: row.Whole}
		r.columns(8)
		rec.Order, attempts, operations = readOrder(r, l)
		rec.Order.VersionFloor = p.VersionFloor()
		rec.Refs = rowsOf[ledger.Ref](r, &l[refsTable])
		rec.Postings = rowsOf[ledger.Posting](r, &l[postingsTable])
		return r.err
	})
	if err != nil {
		return rec, fmt.Errorf("decode order: %w", err)
	}
	for _, row := range attempts {
		a, err := p.attempt(*row)
		if err != nil {
			rec.Unreadable = append(rec.Unreadable, "attempts of "+row.Attempt.ID)
			a = row.Attempt
		}
		rec.Order.Attempts = append(rec.Order.Attempts, a)
	}
	for _, row := range operations {
		op, err := p.operation(*row)
		if err != nil {
			rec.Unreadable = append(rec.Unreadable, "operations.request of "+op.ID)
		}
		rec.Order.Operations = append(rec.Order.Operations, op)
	}
	d := json.NewDecoder(bytes.NewReader(row.Rest))
	d.UseNumber() // amounts are integers of any size
	rest := struct {
		Events    *[]*ledger.Event
		Notices   *[]*ledger.NoticeRow
		Callbacks *[]*ledger.CallbackRow
	}{&rec.Events, &rec.Notices, &rec.Callbacks}
	if err := d.Decode(&rest); err != nil {
		return rec, fmt.Errorf("decode the timeline: %w", err)
	}
	return rec, nil
}
