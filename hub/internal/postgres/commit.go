package postgres

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lib/pq"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// The columns that are written, spelled once.
const (
	orderColumns = `id, app_id, reference, amount, currency, exponent, status, attention, needs_attention, authorized,
		captured, refunded, disputed, refundable, description, line_items, customer, metadata, return_url, cancel_url,
		cancel_asked_at, erased_at, expires_at, created_at, updated_at, version, provider, flow, mode`
	attemptColumns = `id, order_id, provider, plugin, flow, mode, capture_mode, status, failure, authorized, captured,
		refunded, reserved, disputed, abandoned, capture_before, expires_at, refs, candidates, approved, continues, payer, due_at, leased_until, read_wanted, tries, failures, warned_for, created_at,
		updated_at, next_action, opaque`
	refColumns       = `provider, kind, value, attempt_id, order_id`
	captureColumns   = `id, order_id, attempt_id, provider, provider_id, status, amount, currency, exponent, fee, fee_currency, fee_exponent, posted, created_at, updated_at`
	refundColumns    = `id, order_id, attempt_id, provider, provider_id, capture_id, origin, status, amount, currency, exponent, reason, failure, posted, created_at, updated_at`
	disputeColumns   = `id, order_id, attempt_id, provider, provider_id, capture_id, status, funds_withdrawn, amount, currency, exponent, reason, due_by, fee, fee_currency, fee_exponent, posted, created_at, updated_at`
	operationColumns = `id, app_id, order_id, attempt_id, refund_id, kind, idempotency_key, request_hash, outcome, rejected, failure, first_sent_at, deadline, sends, plugin_version, created_at, updated_at, request`
	postingColumns   = `id, order_id, provider, movement_id, stage, account, amount, currency, exponent, at`
	eventColumns     = `id, order_id, attempt_id, at, kind, source, request_id, data`
	callbackColumns  = `id, provider, event_id, type, order_id, verdict, outcome, note, due_at, tries, received_at, updated_at, raw`
)

// rows is the document of a commit; its fields are named as the tables.
type rows struct {
	Orders     []*ledger.Order   `json:"orders,omitempty"`
	Attempts   []attemptRow      `json:"attempts,omitempty"`
	Refs       []ledger.Ref      `json:"refs,omitempty"`
	Captures   []*ledger.Capture `json:"captures,omitempty"`
	Refunds    []*ledger.Refund  `json:"refunds,omitempty"`
	Disputes   []*ledger.Dispute `json:"disputes,omitempty"`
	Operations []operationRow    `json:"operations,omitempty"`
	Postings   []ledger.Posting  `json:"postings,omitempty"`
	Events     []ledger.Event    `json:"events,omitempty"`
	Notices    []ledger.Notice   `json:"notices,omitempty"`
	Callbacks  []callbackRow     `json:"callbacks,omitempty"`
}

// Commit records a change, only if its order still is at the version that it
// was decided on; otherwise Written is empty, and it must be loaded and decided
// anew. Changes of other orders that come at the same moment go into the same
// statement. ErrKeyUsed, ErrReferenceUsed and ErrTaken write nothing.
func (p *DB) Commit(ctx context.Context, c ledger.Change) (Written, error) {
	// Who gives up waiting may go on with his own; the statement may still run.
	own := make([]*ledger.Callback, len(c.Callbacks))
	for i, cb := range c.Callbacks {
		own[i] = copied(cb)
	}
	c.Callbacks = own
	return p.commits.do(ctx, c)
}

// commitAll records changes of different orders, and tells of each.
func (p *DB) commitAll(ctx context.Context, changes []ledger.Change) ([]Written, error) {
	// One order of writing for all: two statements never wait for each other.
	inOrder := slices.SortedFunc(slices.Values(changes), func(a, b ledger.Change) int { return cmp.Compare(a.Order.ID, b.Order.ID) })
	var r rows
	for _, c := range inOrder {
		if err := p.add(&r, c); err != nil {
			return nil, err
		}
	}
	doc, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode changes: %w", err)
	}
	commit, err := p.commitStatements.of(ctx, r.shape())
	if err != nil {
		return nil, mapErr(err)
	}
	var written []Written
	if err := commit.SelectContext(ctx, &written, withoutNUL(doc)); err != nil {
		return nil, writeErr(err)
	}
	out := make([]Written, len(changes))
	for i, c := range changes {
		if at := slices.IndexFunc(written, func(w Written) bool { return w.OrderID == c.Order.ID }); at >= 0 {
			out[i] = written[at]
		}
	}
	return out, nil
}

// clashOfChange are the names that no two changes in one statement may share.
func clashOfChange(c ledger.Change) []string {
	names := []string{c.Order.ID, "reference " + c.Order.AppID + " " + c.Order.Reference}
	for _, op := range c.Operations {
		if op.IdempotencyKey != nil {
			names = append(names, "key "+op.AppID+" "+*op.IdempotencyKey)
		}
	}
	for _, cb := range c.Callbacks {
		names = append(names, "event "+cb.Provider+" "+cb.EventID)
	}
	return names
}

// withoutNUL drops what PostgreSQL cannot hold in any text. It comes from
// providers, or from payers through them: what happened must be recordable
// whatever somebody put into a name.
func withoutNUL(doc []byte) []byte {
	if !bytes.Contains(doc, []byte(`\u0000`)) {
		return doc
	}
	out := make([]byte, 0, len(doc))
	for i := 0; i < len(doc); i++ {
		if doc[i] == '\\' && i+1 < len(doc) {
			if bytes.HasPrefix(doc[i:], []byte(`\u0000`)) {
				i += 5
				continue
			}
			out = append(out, doc[i])
			i++
		}
		out = append(out, doc[i])
	}
	return out
}

// writeErr maps the errors of recording. A value that cannot be stored is ours
// to mend here, not the caller's.
func writeErr(err error) error {
	var e *ledger.Error
	if mapped := mapErr(err); !errors.As(mapped, &e) {
		return mapped
	}
	return fmt.Errorf("record: %w", err)
}

// Written says that an order's change is on record.
type Written struct {
	OrderID string `db:"id"`
	Notices int    `db:"notices"` // how many notifications the statement made, of all changes in it
}

func (p *DB) add(r *rows, c ledger.Change) error {
	r.Orders = append(r.Orders, c.Order)
	for _, a := range c.Attempts {
		row := attemptRow{Attempt: a, Opaque: p.keys.seal("attempts.opaque "+a.ID, a.Opaque)}
		if a.NextAction != nil {
			plain, err := json.Marshal(a.NextAction)
			if err != nil {
				return fmt.Errorf("encode next action: %w", err)
			}
			row.NextAction = p.keys.seal("attempts.next_action "+a.ID, plain)
		}
		r.Attempts = append(r.Attempts, row)
	}
	for _, op := range c.Operations {
		r.Operations = append(r.Operations, operationRow{op, p.keys.seal("operations.request "+op.ID, op.Request)})
	}
	for _, cb := range c.Callbacks {
		r.Callbacks = append(r.Callbacks, p.callbackRow(cb))
	}
	r.Refs = append(r.Refs, c.Refs...)
	r.Captures = append(r.Captures, c.Captures...)
	r.Refunds = append(r.Refunds, c.Refunds...)
	r.Disputes = append(r.Disputes, c.Disputes...)
	r.Notices = append(r.Notices, c.Notices...)
	r.Postings = append(r.Postings, c.Postings...)
	r.Events = append(r.Events, c.Events...)
	return nil
}

// Claimed is one attempt that is due.
type Claimed struct {
	AttemptID string    `db:"id"`
	Provider  string    `db:"provider"`
	Failures  int       `db:"failures"` // in a row, before this look
	Until     time.Time `db:"due_at"`   // end of the lease
}

// Rows that are due are claimed by pushing their due time a lease ahead: a hub
// that dies leaves them due again when the lease ends. An attempt that becomes
// due while it is worked on waits for the end of that.
const (
	claimAttemptsSQL = `WITH RECURSIVE names (provider) AS ( -- of all providers with due times, one look into the index each
			(SELECT provider FROM attempts WHERE due_at IS NOT NULL ORDER BY provider LIMIT 1)
			UNION ALL
			SELECT (SELECT a.provider FROM attempts a WHERE a.due_at IS NOT NULL AND a.provider > n.provider ORDER BY a.provider LIMIT 1)
			FROM names n WHERE n.provider IS NOT NULL
		), due AS (
			SELECT d.id FROM names n CROSS JOIN LATERAL (
				SELECT a.id, a.due_at FROM attempts a
				WHERE a.provider = n.provider AND a.due_at <= $1 AND (a.leased_until IS NULL OR a.leased_until <= $1)
				ORDER BY a.due_at LIMIT $3 FOR UPDATE SKIP LOCKED
			) d WHERE n.provider <> ALL($4) ORDER BY d.due_at LIMIT $3
		) UPDATE attempts SET due_at = $1::timestamptz + make_interval(secs => $2), leased_until = $1::timestamptz + make_interval(secs => $2), tries = tries + 1
		WHERE id IN (SELECT id FROM due)
		RETURNING id, provider, failures, due_at`
)

// ClaimAttempts leases up to limit attempts that are due, but none of the
// providers that are not to be asked now.
func (p *DB) ClaimAttempts(ctx context.Context, now time.Time, lease float64, limit int, but []string) ([]Claimed, error) {
	var out []Claimed
	err := p.claimAttempts.SelectContext(ctx, &out, now, lease, limit, pq.StringArray(but))
	return out, mapErr(err)
}

// Look writes when attempts are looked at again, where nothing else is new. It
// reports whether one became due otherwise meanwhile: that stays.
func (p *DB) Look(ctx context.Context, looks []ledger.Look) (overtaken bool, err error) {
	for _, l := range looks { // an order has one live attempt, so this is one
		var other bool
		err := p.db.QueryRowContext(ctx, `UPDATE attempts SET due_at = CASE WHEN due_at IS NOT DISTINCT FROM $2 THEN $3 ELSE due_at END,
			leased_until = CASE WHEN leased_until IS NOT DISTINCT FROM $4 THEN NULL ELSE leased_until END, failures = $5
			WHERE id = $1 RETURNING due_at IS DISTINCT FROM $3`,
			l.AttemptID, orNull(l.Was), orNull(l.DueAt), orNull(l.Lease), l.Failures).Scan(&other)
		if err != nil {
			return false, mapErr(err)
		}
		overtaken = overtaken || other
	}
	return overtaken, nil
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Postpone ends a lease whose work was not done: it is due again at that time,
// unless it became due otherwise meanwhile. It does not count as a look since
// the last news, but if it failed as one more in a row.
func (p *DB) Postpone(ctx context.Context, c Claimed, due time.Time, failed bool) error {
	_, err := p.db.ExecContext(ctx, `UPDATE attempts SET due_at = CASE WHEN due_at = $2 THEN $3 ELSE due_at END,
		leased_until = CASE WHEN leased_until = $2 THEN NULL ELSE leased_until END,
		tries = greatest(tries - 1, 0), failures = failures + $4::boolean::int WHERE id = $1`,
		c.AttemptID, c.Until, due, failed)
	return mapErr(err)
}
