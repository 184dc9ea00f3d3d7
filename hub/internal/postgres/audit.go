package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// AuditEntry is one line of who did what.
type AuditEntry struct {
	ID        string          `db:"id"`
	At        time.Time       `db:"at"`
	UserID    *string         `db:"user_id"` // nil: nobody that the hub knows
	Who       string          `db:"who"`     // as it was called then
	Action    string          `db:"action"`
	Object    string          `db:"object"`
	Why       string          `db:"why"`
	Outcome   string          `db:"outcome"` // begun, done, failed or refused
	Address   string          `db:"address"`
	RequestID string          `db:"request_id"`
	Data      json.RawMessage `db:"data"`
}

const auditColumns = `a.id, a.at, a.user_id, a.who, a.action, a.object, a.why, a.outcome, a.address, a.request_id, a.data`

// AddAudit writes a line; the same line twice is harmless.
func (p *DB) AddAudit(ctx context.Context, e AuditEntry) error {
	if e.Data == nil {
		e.Data = json.RawMessage(`{}`)
	}
	_, err := p.exec(ctx, `INSERT INTO audit (id, at, user_id, who, action, object, why, outcome, address, request_id, data)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (id) DO NOTHING`,
		e.ID, e.At, e.UserID, e.Who, e.Action, e.Object, e.Why, e.Outcome, e.Address, e.RequestID, string(e.Data))
	return mapErr(err)
}

// EndAudit fills in, once, how it ended.
func (p *DB) EndAudit(ctx context.Context, id, outcome string, data json.RawMessage) error {
	if data == nil {
		data = json.RawMessage(`{}`)
	}
	return p.mustHit(ctx, `WITH ended AS (UPDATE audit SET outcome = $2, data = data || $3 WHERE id = $1 AND outcome = 'begun' RETURNING id)
		SELECT id FROM ended UNION ALL SELECT id FROM audit WHERE id = $1 AND outcome = $2 AND data @> $3`, id, outcome, string(data))
}

// AuditFilter narrows the audit. Zero fields do not.
type AuditFilter struct {
	Who, Action, Object, Outcome string // Who is an e-mail address, as it was then
	From, To                     time.Time
	Before                       string // cursor: ids below this one
	Limit                        int
}

// AuditActions are all that was ever done, by name, for a list to choose from.
func (p *DB) AuditActions(ctx context.Context) ([]string, error) {
	// One step of the index for each, however long the audit is.
	const q = `WITH RECURSIVE found AS (
			(SELECT action FROM audit ORDER BY action LIMIT 1)
			UNION ALL
			SELECT (SELECT a.action FROM audit a WHERE a.action > found.action ORDER BY a.action LIMIT 1) FROM found WHERE found.action IS NOT NULL
		) SELECT action FROM found WHERE action IS NOT NULL LIMIT 200`
	var out []string
	err := p.db.SelectContext(ctx, &out, q)
	return out, mapErr(err)
}

// Audit lists lines, the newest first.
func (p *DB) Audit(ctx context.Context, f AuditFilter) ([]AuditEntry, error) {
	q, args := `SELECT `+auditColumns+` FROM audit a WHERE true`, []any{}
	add := func(cond string, v any) {
		args = append(args, v)
		q += fmt.Sprintf(" AND "+cond, len(args))
	}
	for _, c := range []struct{ cond, value string }{
		{"a.who = $%d", f.Who}, {"a.action = $%d", f.Action}, {"a.object = $%d", f.Object}, {"a.outcome = $%d", f.Outcome}, {"a.id < $%d", f.Before},
	} {
		if c.value != "" {
			add(c.cond, c.value)
		}
	}
	if !f.From.IsZero() {
		add("a.at >= $%d", f.From)
	}
	if !f.To.IsZero() {
		add("a.at < $%d", f.To)
	}
	args = append(args, f.Limit)
	q += fmt.Sprintf(" ORDER BY a.id DESC LIMIT $%d", len(args))
	var out []AuditEntry
	err := p.db.SelectContext(ctx, &out, q, args...)
	return out, mapErr(err)
}
