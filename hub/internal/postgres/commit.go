package postgres

import (
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

// Commit records a change, only if its order still is at the version that it
// was decided on; otherwise Written is empty, and it must be loaded and decided
// anew. Changes of other orders that come at the same moment go into the same
// statement. ErrKeyUsed, ErrReferenceUsed, ErrTaken and FencedError write
// nothing, nor does an error of ctx: once its statement is under way, the change waits for its
// answer beyond ctx, some seconds at most. If the answer is lost, Commit finds
// out whether this very change is on record. ErrUncertain: that failed.
func (p *DB) Commit(ctx context.Context, c ledger.Change) (Written, error) {
	// Who gives up waiting may go on with his own; the statement may still run.
	own := make([]*ledger.Callback, len(c.Callbacks))
	for i, cb := range c.Callbacks {
		own[i] = copied(cb)
	}
	c.Callbacks = own
	mine := named(c)
	written, err := p.commits.do(ctx, mine)
	if err == nil && written.OrderID == "" && len(c.MoneyOut) > 0 {
		// The order moved, or some account is closed: this tells which.
		written, err = p.heldCommits.do(ctx, mine)
	}
	if err == nil && written.Fence != "" {
		return Written{}, fenced(written.Fence)
	}
	return written, writeErr(err)
}

// namedChange is a change with the id by which this writing of it is known. It
// is the id of its first event, which nothing else writes; a change without
// events keeps one in its order's row, until the next change.
type namedChange struct {
	ledger.Change
	writeID string
}

func named(c ledger.Change) namedChange {
	if len(c.Events) > 0 {
		return namedChange{c, c.Events[0].ID}
	}
	return namedChange{c, ledger.NewID("wr", c.Order.UpdatedAt)}
}

// orderRow is an order with what only its row keeps.
type orderRow struct {
	*ledger.Order
	WriteID string `json:"write_id,omitempty"` // of the last change, if that had no event
	// PreviousAt is the updated_at of the version that the last change was decided on.
	PreviousAt time.Time `json:"previous_at,omitzero"`
	// ChangedAbout is updated_at rounded down, by which lists find what changed. An
	// order that is made, asked of its provider and answered within it stays where it
	// is in the index, and its changes write into no other index of the table.
	ChangedAbout time.Time `json:"changed_about"`
}

// changedWithin is what changed_about is rounded down to.
const changedWithin = 10 * time.Second

// commitAll records changes of different orders, and tells of each. What is about
// to move money is written only while no account at all is closed. Its errors
// are the database's own: certain knows them.
func (p *DB) commitAll(ctx context.Context, changes []namedChange) ([]Written, error) {
	return p.commitRows(ctx, changes, false)
}

// commitHeld is commitAll where some account may be closed: each is looked at.
func (p *DB) commitHeld(ctx context.Context, changes []namedChange) ([]Written, error) {
	return p.commitRows(ctx, changes, true)
}

func (p *DB) commitRows(ctx context.Context, changes []namedChange, closed bool) ([]Written, error) {
	// One order of writing for all: two statements never wait for each other.
	inOrder := slices.SortedFunc(slices.Values(changes), func(a, b namedChange) int { return cmp.Compare(a.Order.ID, b.Order.ID) })
	var written []Written
	err := p.layouts.fit(ctx, func(l *[numTables]layout) error {
		r := rows{layouts: l}
		for _, c := range inOrder {
			if err := p.add(&r, c); err != nil {
				return unsentError{err}
			}
		}
		r.money.closed = closed
		p.witness.asked(&r.money)
		commit, shape, err := p.commitStatements.of(ctx, r.shape())
		if err != nil {
			return unsentError{err}
		}
		return commit.SelectContext(ctx, &written, r.args(shape)...)
	})
	var refused *pq.Error
	if len(changes) == 1 && errors.As(err, &refused) && refused.Constraint == "orders_begin" {
		return make([]Written, 1), nil // the database went back to before the order: no version of it is there
	}
	if err != nil {
		return nil, err // of several, each is written again by itself
	}
	out := make([]Written, len(changes))
	for i, c := range changes {
		if at := slices.IndexFunc(written, func(w Written) bool { return w.OrderID == c.Order.ID }); at >= 0 {
			out[i] = written[at]
			if out[i].Fence == "" {
				p.witness.acknowledged(c.Order)
			}
		}
	}
	return out, nil
}

// ErrUncertain says that a change may be on record or not: the connection was
// lost, and the database could not be asked.
var ErrUncertain = errors.New("it is not known whether this is on record")

// findOut answers for a change whose statement was sent and not answered. It
// writes the change again, which the order's version allows only once, and
// then looks for the id that only this change has: the version alone does not
// tell whose change moved it.
func (p *DB) findOut(ctx context.Context, c namedChange) (Written, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), groupTime)
	defer cancel()
	written, repeated := p.commitRows(ctx, []namedChange{c}, len(c.MoneyOut) > 0)
	if repeated == nil && written[0].OrderID != "" && written[0].Fence == "" {
		return written[0], nil
	}
	var known bool
	err := p.db.GetContext(ctx, &known, `SELECT EXISTS (SELECT FROM events WHERE id = $1) OR EXISTS (SELECT FROM orders WHERE id = $2 AND write_id = $1)`,
		c.writeID, c.Order.ID)
	switch {
	case err != nil:
		return Written{}, fmt.Errorf("%w: %w", ErrUncertain, err)
	case known:
		return Written{OrderID: c.Order.ID, Notices: len(c.Notices)}, nil
	case repeated == nil && written[0].Fence != "": // the first writing may be under way, and began before that
		return Written{}, fmt.Errorf("%w: money-out was closed meanwhile", ErrUncertain)
	case repeated == nil || impossible(mapErr(repeated)):
		return Written{}, repeated
	}
	return Written{}, fmt.Errorf("%w: %w", ErrUncertain, repeated)
}

// impossible reports whether the error of a repetition also holds for the first
// writing, should that still be under way: another row is in the way of both.
func impossible(err error) bool {
	for _, in := range []error{ErrKeyUsed, ErrReferenceUsed, ErrTaken, ErrStale, ErrDuplicate} {
		if errors.Is(err, in) {
			return true
		}
	}
	return false
}

// clashOfChange are the names that no two changes in one statement may share.
func clashOfChange(c namedChange) []string {
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
	Fence   string `db:"fence"`   // why it is not: see FencedError; empty if it is
}

func (p *DB) add(r *rows, c namedChange) error {
	order := orderRow{Order: c.Order, PreviousAt: c.PreviousAt, ChangedAbout: c.Order.UpdatedAt.Truncate(changedWithin)}
	if len(c.Events) == 0 {
		order.WriteID = c.writeID
	}
	r.add(ordersTable, &order)
	r.money.add(c.Change)
	for _, a := range c.Attempts {
		row := attemptRow{Attempt: a, Opaque: p.keys.seal("attempts.opaque "+a.ID, a.Opaque)}
		if a.NextAction != nil {
			plain, err := json.Marshal(a.NextAction)
			if err != nil {
				return fmt.Errorf("encode next action: %w", err)
			}
			row.NextAction = p.keys.seal("attempts.next_action "+a.ID, plain)
		}
		r.add(attemptsTable, &row)
	}
	for _, op := range c.Operations {
		r.add(operationsTable, &operationRow{op, p.keys.seal("operations.request "+op.ID, op.Request)})
	}
	for _, cb := range c.Callbacks {
		r.add(callbacksTable, p.callbackRow(cb))
	}
	addAll(r, refsTable, c.Refs)
	addAll(r, postingsTable, c.Postings)
	addAll(r, eventsTable, c.Events)
	addAll(r, noticesTable, c.Notices)
	for _, x := range c.Captures {
		r.add(capturesTable, x)
	}
	for _, x := range c.Refunds {
		r.add(refundsTable, x)
	}
	for _, x := range c.Disputes {
		r.add(disputesTable, x)
	}
	return r.err
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
				ORDER BY a.due_at LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED
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
		err := p.get(ctx, &other, `UPDATE attempts SET due_at = CASE WHEN due_at IS NOT DISTINCT FROM $2 THEN $3 ELSE due_at END,
			leased_until = CASE WHEN leased_until IS NOT DISTINCT FROM $4 THEN NULL ELSE leased_until END, failures = $5
			WHERE id = $1 RETURNING due_at IS DISTINCT FROM $3`,
			l.AttemptID, orNull(l.Was), orNull(l.DueAt), orNull(l.Lease), l.Failures)
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
