package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

type callbackRow struct {
	*ledger.Callback
	Raw bytea `json:"raw"`
}

func (p *DB) callbackRow(cb *ledger.Callback) *callbackRow {
	return &callbackRow{cb, p.keys.seal("callbacks.raw "+cb.ID, cb.Raw)}
}

// What a callback that changed no order is kept with. One that says nothing is
// not looked up before: a repetition of it inserts nothing.
var (
	storeCallbackSQL  = upsert(tables[callbacksTable], storedRows, ofKnown, "")
	ignoreCallbackSQL = insert(tables[callbacksTable], tables[callbacksTable].from(1), "") + ` ON CONFLICT DO NOTHING`
)

// storedRows are a subquery, whose rows PostgreSQL does not count when it plans.
// If it did, the plan for the rows at hand would seem cheaper than the general one
// because of ofKnown, and each execution would be planned anew, which takes as
// long as the execution itself.
const storedRows = "unnest((SELECT $1::callbacks[]))"

// ofKnown leaves out a callback of an order that is not on record: the database
// went back to before it. As a value with a limit, not EXISTS, the order is always
// looked up by the index.
const ofKnown = "WHERE order_id IS NULL OR (SELECT o.id FROM orders o WHERE o.id = unnest.order_id LIMIT 1) IS NOT NULL"

// StoreCallback keeps a callback that changed no order. ErrDuplicate if the
// event is on record under another id. ErrNotFound if the callback's order is
// not on record, because the database went back to before it.
func (p *DB) StoreCallback(ctx context.Context, cb *ledger.Callback) error {
	_, err := p.stores.do(ctx, copied(cb))
	return err
}

// IgnoreCallback keeps a callback that says nothing to a hub. Repeating it is
// harmless.
func (p *DB) IgnoreCallback(ctx context.Context, cb *ledger.Callback) error {
	_, err := p.ignores.do(ctx, copied(cb))
	return err
}

func copied(cb *ledger.Callback) *ledger.Callback {
	c := *cb
	return &c
}

func (p *DB) storeAll(ctx context.Context, cbs []*ledger.Callback) ([]struct{}, error) {
	kept, err := p.writeCallbacks(ctx, p.storeCallback, cbs)
	if err == nil && kept < int64(len(cbs)) {
		err = ErrNotFound
	}
	return make([]struct{}, len(cbs)), err
}

func (p *DB) ignoreAll(ctx context.Context, cbs []*ledger.Callback) ([]struct{}, error) {
	_, err := p.writeCallbacks(ctx, p.ignoreCallback, cbs)
	return make([]struct{}, len(cbs)), err
}

// writeCallbacks returns how many rows the statement wrote.
func (p *DB) writeCallbacks(ctx context.Context, statement *sqlx.Stmt, cbs []*ledger.Callback) (written int64, err error) {
	err = p.layouts.fit(ctx, func(l *[numTables]layout) error {
		r := rows{layouts: l}
		for _, cb := range cbs {
			r.add(callbacksTable, p.callbackRow(cb))
		}
		if r.err != nil {
			return r.err
		}
		return again(ctx, func() error {
			res, err := statement.ExecContext(ctx, r.args(r.shape())...)
			if err != nil {
				return err
			}
			written, err = res.RowsAffected()
			return err
		})
	})
	return written, writeErr(err)
}

// clashOfCallback are the names that no two callbacks in one statement may share.
func clashOfCallback(cb *ledger.Callback) []string {
	return []string{cb.ID, cb.Provider + " " + cb.EventID}
}

const claimCallbacksSQL = `UPDATE callbacks SET due_at = $1::timestamptz + make_interval(secs => $2), tries = tries + 1
	WHERE id IN (SELECT id FROM callbacks WHERE due_at <= $1 ORDER BY due_at LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED)
	RETURNING row_to_json(callbacks)`

// ClaimCallbacks leases up to limit callbacks that are due, whole. The Raw of
// one that no key opens is nil.
func (p *DB) ClaimCallbacks(ctx context.Context, now time.Time, lease float64, limit int) ([]*ledger.Callback, error) {
	var raw [][]byte
	if err := p.claimCallbacks.SelectContext(ctx, &raw, now, lease, limit); err != nil {
		return nil, mapErr(err)
	}
	out := make([]*ledger.Callback, 0, len(raw))
	for _, r := range raw {
		cb, err := p.decodeCallback(r)
		if err != nil && !errors.Is(err, errSealed) {
			return nil, err
		}
		out = append(out, cb)
	}
	return out, nil
}

func (p *DB) decodeCallback(raw []byte) (*ledger.Callback, error) {
	row := callbackRow{Callback: &ledger.Callback{}}
	if err := json.Unmarshal(raw, &row); err != nil {
		return nil, fmt.Errorf("decode callback: %w", err)
	}
	var err error
	row.Callback.Raw, err = p.keys.open("callbacks.raw "+row.Callback.ID, row.Raw)
	return row.Callback, err
}

// Callback reads one callback, whole; an empty app is the hub itself, an app
// sees those of its orders. ErrNotFound. The Raw of one that no key opens, or
// that was erased, is nil.
func (p *DB) Callback(ctx context.Context, appID, id string) (*ledger.Callback, error) {
	var raw []byte
	err := p.db.GetContext(ctx, &raw, `SELECT row_to_json(c) FROM callbacks c
		WHERE c.id = $2 AND ($1 = '' OR EXISTS (SELECT FROM orders o WHERE o.id = c.order_id AND o.app_id = $1))`, appID, id)
	if err != nil {
		return nil, mapErr(err)
	}
	cb, err := p.decodeCallback(raw)
	if err != nil && !errors.Is(err, errSealed) {
		return nil, err
	}
	return cb, nil
}

// CallbackFilter narrows a list of callbacks. Zero fields do not.
type CallbackFilter struct {
	AppID    string // empty is the hub itself; an app sees those of its orders
	OrderID  string
	Provider string
	Type     string
	Verdict  string
	Outcome  string
	IDs      []string  // only these; nil is all
	From, To time.Time // when it first came
	Before   string    // cursor: ids below this one
	Limit    int
}

// Callbacks lists callbacks, the newest first, without their bodies.
func (p *DB) Callbacks(ctx context.Context, f CallbackFilter) ([]*ledger.Callback, error) {
	q, args := `SELECT to_jsonb(c) FROM (SELECT id, provider, event_id, type, order_id, verdict, outcome, note, due_at, tries, replays, received_at, updated_at
		FROM callbacks c WHERE true`, []any{}
	add := func(cond, v string) {
		if v != "" {
			args = append(args, v)
			q += fmt.Sprintf(" AND "+cond, len(args))
		}
	}
	add("EXISTS (SELECT FROM orders o WHERE o.id = c.order_id AND o.app_id = $%d)", f.AppID)
	add("c.order_id = $%d", f.OrderID)
	add("c.provider = $%d", f.Provider)
	add("c.type = $%d", f.Type)
	add("c.verdict = $%d", f.Verdict)
	if f.Verdict != "" && f.Verdict != string(sdk.Genuine) {
		q += " AND c.outcome IN ('failed', 'parked')" // nor can it be otherwise, and these are few
	}
	add("c.outcome = $%d", f.Outcome)
	add("c.id < $%d", f.Before)
	if f.IDs != nil {
		args = append(args, pq.StringArray(f.IDs))
		q += fmt.Sprintf(" AND c.id = ANY($%d)", len(args))
	}
	// An id begins with the time that it was made at: one index does for both.
	if !f.From.IsZero() {
		add("c.id >= $%d", ledger.FirstID(ledger.CallbackID, f.From))
	}
	if !f.To.IsZero() {
		add("c.id < $%d", ledger.FirstID(ledger.CallbackID, f.To))
	}
	args = append(args, f.Limit)
	q += fmt.Sprintf(" ORDER BY c.id DESC LIMIT $%d) c", len(args))
	var raw [][]byte
	if err := p.db.SelectContext(ctx, &raw, q, args...); err != nil {
		return nil, mapErr(err)
	}
	out := make([]*ledger.Callback, 0, len(raw))
	for _, r := range raw {
		cb, err := p.decodeCallback(r)
		if err != nil {
			return nil, err
		}
		out = append(out, cb)
	}
	return out, nil
}

// ReplayCallback makes a callback due at a time, whatever became of it, and
// writes who wants that and why beside it and into its order's timeline.
// ErrNotFound, also when its body was erased.
func (p *DB) ReplayCallback(ctx context.Context, id string, r ledger.Replay, due time.Time) error {
	line, err := json.Marshal([]ledger.Replay{r})
	if err != nil {
		return err
	}
	data, err := json.Marshal(map[string]any{"callback": id, "who": r.Who, "why": r.Why})
	if err != nil {
		return err
	}
	var found int
	err = p.get(ctx, &found, `WITH again AS (
			UPDATE callbacks SET due_at = $2, tries = 0, outcome = CASE outcome WHEN 'parked' THEN 'failed' ELSE outcome END,
				replays = CASE WHEN replays @> $3::jsonb THEN replays WHEN jsonb_array_length(replays) >= 20 THEN replays - 0 ELSE coalesce(replays, '[]') END || $3::jsonb
			WHERE id = $1 AND raw IS NOT NULL RETURNING order_id
		), told AS (
			INSERT INTO events (id, order_id, at, kind, source, request_id, data)
			SELECT $4, order_id, $5, 'callback.replayed', 'operator', '', $6::jsonb FROM again WHERE order_id IS NOT NULL
			ON CONFLICT (id) DO NOTHING
		) SELECT count(*) FROM again`,
		id, due, string(withoutNUL(line)), ledger.NewID(ledger.EventID, r.At), r.At, string(withoutNUL(data)))
	if err == nil && found == 0 {
		return ErrNotFound
	}
	return mapErr(err)
}

// EraseCallbacks erases the bodies of up to limit callbacks that came before a
// time and have nothing left to be done, and tells of how many. The lines stay.
func (p *DB) EraseCallbacks(ctx context.Context, before time.Time, limit int) (int64, error) {
	res, err := p.exec(ctx, `UPDATE callbacks SET raw = NULL WHERE id IN (
		SELECT id FROM callbacks WHERE raw IS NOT NULL AND received_at < $1 AND due_at IS NULL AND outcome <> 'parked'
		ORDER BY received_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)`, before, limit)
	if err != nil {
		return 0, mapErr(err)
	}
	return res.RowsAffected()
}
