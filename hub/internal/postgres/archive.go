package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// Timeline is the lines of one order, as an archive keeps them.
type Timeline struct {
	OrderID string            `json:"order_id"`
	Mark    string            `json:"mark"`   // the id of the line that takes their place
	Events  []json.RawMessage `json:"events"` // whole rows, in their order
}

// archiveStep is how many lines one step begins with.
const archiveStep = 5000

// archived is the kind of the line that stands for those in an archive.
const archived = ledger.TimelineArchived

// ArchiveDays is how old a timeline must be at least: the overview learns from
// younger ones what changed.
const ArchiveDays = overviewDays

// ArchiveTimelines moves timelines out of the database: of orders that nothing
// happened to since before, that wait for nothing and for nobody. Orders,
// movements, operations and the books stay. Keep gets some orders at a time and
// must have them on disk when it returns; only then are they deleted, and a line
// with who and file takes their place. If this ends in between, an archive holds
// lines that are still here, which does no harm. Each step is told of.
func (p *DB) ArchiveTimelines(ctx context.Context, before time.Time, who, file string, keep func([]Timeline) error, tell func(orders, lines int)) error {
	end, after := ledger.FirstID(ledger.EventID, before), ""
	for {
		var next []struct {
			ID      string `db:"id"`
			OrderID string `db:"order_id"`
		}
		err := p.db.SelectContext(ctx, &next, `SELECT id, order_id FROM events WHERE id > $1 AND id < $2 AND kind <> $3 ORDER BY id LIMIT $4`, after, end, archived, archiveStep)
		if err != nil {
			return mapErr(err)
		}
		if len(next) == 0 {
			return nil
		}
		after = next[len(next)-1].ID
		var orders pq.StringArray
		for _, e := range next {
			orders = append(orders, e.OrderID)
		}
		timelines, err := p.settledTimelines(ctx, orders, before, end)
		if err != nil {
			return err
		}
		if len(timelines) == 0 {
			continue
		}
		if err := keep(timelines); err != nil {
			return err
		}
		lines, err := p.dropTimelines(ctx, timelines, who, file)
		if err != nil {
			return err
		}
		tell(len(timelines), lines)
	}
}

// settledTimelines reads those of the orders whose story is over.
func (p *DB) settledTimelines(ctx context.Context, orders pq.StringArray, before time.Time, end string) ([]Timeline, error) {
	var raw [][]byte
	err := p.db.SelectContext(ctx, &raw, `SELECT json_build_object('order_id', o.id, 'events', json_agg(e ORDER BY e.id))
		FROM orders o JOIN events e ON e.order_id = o.id AND e.kind <> $3
		WHERE o.id = ANY ($1) AND o.updated_at < $2 AND NOT o.needs_attention
		AND NOT EXISTS (SELECT FROM attempts a WHERE a.order_id = o.id AND a.due_at IS NOT NULL)
		AND NOT EXISTS (SELECT FROM callbacks c WHERE c.order_id = o.id AND (c.due_at IS NOT NULL OR c.outcome = 'parked'))
		AND NOT EXISTS (SELECT FROM events y WHERE y.order_id = o.id AND y.id >= $4 AND y.kind <> $3)
		GROUP BY o.id ORDER BY o.id`, orders, before, archived, end)
	if err != nil {
		return nil, mapErr(err)
	}
	all := make([]Timeline, len(raw))
	for i, r := range raw {
		if err := json.Unmarshal(r, &all[i]); err != nil {
			return nil, fmt.Errorf("decode a timeline: %w", err)
		}
		all[i].Mark = ledger.NewID(ledger.EventID, time.Now())
	}
	return all, nil
}

// dropTimelines deletes exactly the lines that were kept: what was added to an
// order meanwhile stays.
func (p *DB) dropTimelines(ctx context.Context, all []Timeline, who, file string) (lines int, err error) {
	now := time.Now().UTC()
	var ids pq.StringArray
	marks := make([]ledger.Event, len(all))
	for i, t := range all {
		for _, e := range t.Events {
			var row struct{ ID string }
			if err := json.Unmarshal(e, &row); err != nil {
				return 0, fmt.Errorf("decode a line of %s: %w", t.OrderID, err)
			}
			ids = append(ids, row.ID)
		}
		marks[i] = ledger.Event{
			ID: t.Mark, OrderID: t.OrderID, At: now, Kind: archived, Source: ledger.FromOperator,
			Data: map[string]any{"who": who, "why": file, "lines": len(t.Events)},
		}
	}
	doc, err := json.Marshal(marks)
	if err != nil {
		return 0, err
	}
	columns := tables[eventsTable].columns()
	err = p.within(ctx, func(tx *sqlx.Tx) error {
		// Who archives the same at the same moment finds nothing left to delete, and marks nothing.
		return tx.GetContext(ctx, &lines, `WITH gone AS (DELETE FROM events WHERE id = ANY ($1) RETURNING order_id), marked AS (
				INSERT INTO events (`+columns+`) SELECT `+columns+` FROM jsonb_populate_recordset(null::events, $2::jsonb)
				WHERE order_id IN (SELECT order_id FROM gone) RETURNING 1
			) SELECT count(*) FROM gone`, ids, string(doc))
	})
	return lines, mapErr(err)
}

// RestoreTimelines puts back what ArchiveTimelines moved. What is here already
// stays as it is. Strangers are orders that this database does not have: nothing
// of them is restored.
func (p *DB) RestoreTimelines(ctx context.Context, all []Timeline) (strangers int, err error) {
	var orders, marks pq.StringArray
	events := []json.RawMessage{}
	for _, t := range all {
		orders, marks, events = append(orders, t.OrderID), append(marks, t.Mark), append(events, t.Events...)
	}
	doc, err := json.Marshal(events)
	if err != nil {
		return 0, err
	}
	columns := tables[eventsTable].columns()
	err = p.within(ctx, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO events (`+columns+`) SELECT `+columns+` FROM jsonb_populate_recordset(null::events, $1::jsonb) e
			WHERE EXISTS (SELECT FROM orders o WHERE o.id = e.order_id) ON CONFLICT (id) DO NOTHING`, string(doc)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM events WHERE id = ANY ($1) AND kind = $2`, marks, archived); err != nil {
			return err
		}
		return tx.GetContext(ctx, &strangers, `SELECT count(*) FROM unnest($1::text[]) x (id) WHERE NOT EXISTS (SELECT FROM orders o WHERE o.id = x.id)`, orders)
	})
	return strangers, mapErr(err)
}
