package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// OrderFilter narrows a list of orders. Zero fields do not.
type OrderFilter struct {
	AppID     string
	Status    string
	Reference string
	From, To  time.Time
	Before    string // cursor: ids below this one
	Changed   Place  // with a time: those that changed since, in that sequence
	Limit     int
}

// Place is one in a list by the time of change: after the line with that time and
// id; without an id, the first line at that time.
type Place struct {
	At time.Time
	ID string
}

// Orders lists an app's orders, the newest first or by their last change, whole.
func (p *DB) Orders(ctx context.Context, f OrderFilter) ([]*ledger.Order, error) {
	q, args := `SELECT `+aggregate+` FROM orders o WHERE o.app_id = $1`, []any{f.AppID}
	add := func(cond string, v any) {
		args = append(args, v)
		q += fmt.Sprintf(" AND "+cond, len(args))
	}
	if f.Status != "" {
		add("o.status = $%d", f.Status)
	}
	if f.Reference != "" {
		add("o.reference = $%d", f.Reference)
	}
	if !f.From.IsZero() {
		add("o.created_at >= $%d", f.From)
	}
	if !f.To.IsZero() {
		add("o.created_at < $%d", f.To)
	}
	if f.Before != "" {
		add("o.id < $%d", f.Before)
	}
	sequence := "o.id DESC"
	if !f.Changed.At.IsZero() {
		// changed_about has an index.
		sequence = "o.changed_about, o.updated_at, o.id"
		args = append(args, f.Changed.At, f.Changed.ID)
		q += fmt.Sprintf(" AND o.changed_about > $%[1]d::timestamptz - interval '%[3]s' AND (o.updated_at, o.id) > ($%[1]d, $%[2]d)", len(args)-1, len(args), changedWithin)
	}
	args = append(args, f.Limit)
	q += fmt.Sprintf(" ORDER BY %s LIMIT $%d", sequence, len(args))
	var raw [][]byte
	if err := p.db.SelectContext(ctx, &raw, q, args...); err != nil {
		return nil, mapErr(err)
	}
	out := make([]*ledger.Order, 0, len(raw))
	for _, r := range raw {
		o, err := p.decode(ctx, r)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

const eventsSQL = `SELECT row_to_json(e) FROM events e WHERE e.order_id = $1 AND e.id > $2 ORDER BY e.id LIMIT $3`

// Events lists an order's timeline, the oldest first, after the cursor.
func (p *DB) Events(ctx context.Context, orderID, after string, limit int) ([]ledger.Event, error) {
	var raw [][]byte
	if err := p.events.SelectContext(ctx, &raw, orderID, after, limit); err != nil {
		return nil, mapErr(err)
	}
	out := make([]ledger.Event, 0, len(raw))
	for _, r := range raw {
		var e ledger.Event
		if err := json.Unmarshal(r, &e); err != nil {
			return nil, fmt.Errorf("decode event: %w", err)
		}
		out = append(out, e)
	}
	return out, nil
}

// DueNow makes the operations of a provider whose callers are gone due at
// once: the provider is back.
func (p *DB) DueNow(ctx context.Context, provider string, now time.Time) error {
	_, err := p.exec(ctx, `UPDATE attempts SET due_at = $2 WHERE provider = $1 AND id IN (
		SELECT attempt_id FROM operations WHERE outcome IN ('pending', 'unknown') AND deadline <= $2)`, provider, now)
	return mapErr(err)
}
