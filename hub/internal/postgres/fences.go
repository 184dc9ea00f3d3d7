package postgres

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// FenceState says which money may go out of a provider's account.
type FenceState string

// The states of a fence.
const (
	FenceClosed FenceState = "closed" // none, until the provider's list was read
	FenceEach   FenceState = "each"   // that of an order whose payment was read since
	FenceOpen   FenceState = "open"   // all; the row tells what was
)

// Fence is the money-out of one provider's account after history was lost.
type Fence struct {
	Provider string     `json:"provider"`
	ID       string     `json:"id"` // of this closing
	State    FenceState `json:"state"`
	Mark     time.Time  `json:"mark"` // what was acknowledged before this is on record
	Reason   string     `json:"reason"`
	Who      string     `json:"who"`
	At       time.Time  `json:"at"`
	Checked  int64      `json:"checked"` // reads of payments since then
	Found    int64      `json:"found"`   // payments under this hub's name that were on no record
	Error    string     `json:"error"`   // why the list cannot be read
	OpenedAt *time.Time `json:"opened_at"`
	Opened   string     `json:"opened"` // who or what opened it, and what was not checked
}

// Closed reports whether some money-out is closed.
func (f Fence) Closed() bool { return f.State != FenceOpen }

// FencedError says that a change was not written, because money-out of an
// account is closed. Without a provider, the database does not hold what it
// confirmed to this hub, and the fences are not up yet.
type FencedError struct{ Fence Fence }

func (e *FencedError) Error() string {
	return "money-out of " + e.Fence.Provider + " is closed: " + e.Fence.Reason
}

func fenced(row string) error {
	e := &FencedError{}
	if err := json.Unmarshal([]byte(row), &e.Fence); err != nil {
		return fmt.Errorf("decode a fence: %w", err)
	}
	return e
}

// moneyRows are the accounts whose money-out must be open for a commit.
type moneyRows struct {
	orders, providers, apps, reads pq.StringArray
	process                        string // that must have counted
	n                              int64  // this far
	closed                         bool   // some account may be: each is looked at
}

func (m *moneyRows) add(c ledger.Change) {
	for _, out := range c.MoneyOut {
		m.orders = append(m.orders, c.Order.ID)
		m.providers = append(m.providers, out.Provider)
		m.apps = append(m.apps, c.Order.AppID)
		m.reads = append(m.reads, out.Fence)
	}
}

// all are the parameters of allOpenSQL, and each those of fencedSQL.
func (m *moneyRows) all() []any { return []any{m.orders, m.process, m.n} }

func (m *moneyRows) each() []any {
	return []any{m.orders, m.providers, m.apps, m.reads, m.process, m.n}
}

// allOpenSQL lets orders be written that move no money, and the others while no
// account at all is closed and what was confirmed to this hub is there: two
// looks, once in a statement.
func allOpenSQL(place int) string {
	return fmt.Sprintf(`NOT EXISTS (SELECT FROM fences WHERE state <> 'open')
		AND ($%d::text = '' OR EXISTS (SELECT FROM witness WHERE process = $%[1]d AND n >= $%d::bigint)) OR id <> ALL($%d::text[])`, place+1, place+2, place)
}

// fencedSQL finds the orders of a commit whose money-out is closed: by a fence,
// or because what was confirmed to this hub is gone, which no fence tells of
// yet. Both are looked up in the statement that would record what is about to be
// sent, so that a hub that has not heard of it cannot send either. Its
// parameters begin at that place.
func fencedSQL(place int) string {
	return fmt.Sprintf(`fenced AS (
		SELECT m.order_id, coalesce((array_agg(row_to_json(f)::text ORDER BY f.state) FILTER (WHERE f.provider IS NOT NULL))[1], '{}') AS fence
		FROM unnest($%d::text[], $%d::text[], $%d::text[], $%d::text[]) m (order_id, provider, app, fence)
		LEFT JOIN fences f ON f.state <> 'open' AND (f.state = 'closed' OR f.id <> m.fence) AND (f.provider = m.provider OR m.provider = ''
			AND EXISTS (SELECT FROM app_providers g WHERE g.app_id = m.app AND g.provider IN (f.provider, '*')))
		WHERE f.provider IS NOT NULL OR $%d::text <> '' AND NOT EXISTS (SELECT FROM witness w WHERE w.process = $%[5]d AND w.n >= $%d::bigint)
		GROUP BY m.order_id)`, place, place+1, place+2, place+3, place+4, place+5)
}

// notFencedSQL lets the other orders of the commit be written.
const notFencedSQL = "id NOT IN (SELECT order_id FROM fenced)"

// Raise is why money-out of accounts is to be closed.
type Raise struct {
	Providers []string
	Mark      time.Time
	Reason    string
	Who       string
	Now       time.Time
	Overlap   time.Duration // how far before the mark the lists begin
	// Since is when everything was still there, for all that is known. A fence
	// that was raised after it is about the same loss, and stays as it is.
	Since time.Time
	// Witness has the row of this process made anew, in the same transaction.
	Witness bool
}

// markTolerance is how much earlier a mark is no other one: each hub counts at
// its own moment, and the lists begin well before.
const markTolerance = time.Minute

// RaiseFences closes money-out of accounts and makes their lists since the mark
// due. One that is closed stays so; an earlier mark has its list begin anew. It
// returns the fences that it raised or moved.
func (p *DB) RaiseFences(ctx context.Context, r Raise) ([]Fence, error) {
	process := ledger.NewID("wit", r.Now)
	system, timeline := p.control(ctx)
	var raised []struct {
		Provider string
		Fence    string
	}
	err := p.within(ctx, func(tx *sqlx.Tx) error {
		// One for each closing: an order read before does not count for it.
		err := tx.SelectContext(ctx, &raised, `WITH raised AS (
				INSERT INTO fences (provider, id, state, mark, reason, who, at, checked, found, error, opened)
				SELECT n, $2, 'closed', $3, $4, $5, $6, 0, 0, '', '' FROM unnest($1::text[]) n ORDER BY n
				ON CONFLICT (provider) DO UPDATE SET id = excluded.id, state = 'closed', mark = least(excluded.mark, CASE WHEN fences.state <> 'open' THEN fences.mark END),
					reason = excluded.reason, who = excluded.who, at = excluded.at, checked = 0, found = 0, error = '', opened_at = NULL, opened = ''
				WHERE fences.at <= $7 OR fences.mark > excluded.mark + make_interval(secs => $10)
				RETURNING *
			), listed AS (
				INSERT INTO schedules (`+scheduleColumns+`)
				SELECT provider, $8, $6, 0, mark - make_interval(secs => $9), NULL, '', mark, 0, 0, 0, '' FROM raised
				ON CONFLICT (provider, kind) DO UPDATE SET due_at = excluded.due_at, tries = 0, since = excluded.since, began_at = NULL, cursor = '',
					known_to = excluded.known_to, listed = 0, news = 0, not_ours = 0, error = ''
			), known AS (
				UPDATE schedules s SET known_to = r.mark FROM raised r WHERE s.provider = r.provider AND s.kind <> $8 AND s.known_to > r.mark
			) SELECT provider, row_to_json(raised)::text AS fence FROM raised ORDER BY provider`,
			pq.StringArray(r.Providers), ledger.NewID("fnc", r.Now), r.Mark, r.Reason, r.Who, r.Now, r.Since, ListFence, r.Overlap.Seconds(), markTolerance.Seconds())
		if err != nil || !r.Witness {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO witness (process, n, at, started_at, system, timeline) VALUES ($1, 1, $2, $2, $3, $4)`, process, r.Now, system, timeline)
		return err
	})
	if err != nil {
		return nil, mapErr(err)
	}
	if r.Witness {
		p.witness.begin(process, r.Now)
	}
	out := make([]Fence, len(raised))
	for i, row := range raised {
		if err := json.Unmarshal([]byte(row.Fence), &out[i]); err != nil {
			return nil, fmt.Errorf("decode a fence: %w", err)
		}
	}
	return out, nil
}

// Fences are all that there are, by provider.
func (p *DB) Fences(ctx context.Context) ([]Fence, error) {
	var raw []byte
	if err := p.db.GetContext(ctx, &raw, `SELECT coalesce(json_agg(f ORDER BY f.provider), '[]') FROM fences f`); err != nil {
		return nil, mapErr(err)
	}
	var out []Fence
	err := json.Unmarshal(raw, &out)
	return out, err
}

// LoosenFence lets an order's money out after a read of its own: the provider's
// list cannot be read, or takes long. It reports whether that is new.
func (p *DB) LoosenFence(ctx context.Context, provider, why string) (bool, error) {
	res, err := p.db.ExecContext(ctx, `UPDATE fences SET state = 'each', error = $2 WHERE provider = $1 AND state = 'closed'`, provider, why)
	return hit(res, err)
}

// EndFence lets all money out again once the list was read that the fence waits
// for, and reports whether it did. The lease tells the list of this fence from
// that of an earlier one, which closing anew takes away.
func (p *DB) EndFence(ctx context.Context, l Schedule, how string, now time.Time) (bool, error) {
	res, err := p.db.ExecContext(ctx, `UPDATE fences f SET state = 'open', opened = $4, opened_at = $5 FROM schedules s
		WHERE f.provider = $1 AND f.state <> 'open' AND s.provider = f.provider AND s.kind = $2 AND s.due_at = $3`,
		l.Provider, ListFence, l.until, how, now)
	return hit(res, err)
}

// OpenFence lets all money out again. An empty id is whichever fence there is.
// It reports whether it was closed.
func (p *DB) OpenFence(ctx context.Context, provider, id, how string, now time.Time) (bool, error) {
	res, err := p.db.ExecContext(ctx, `UPDATE fences SET state = 'open', opened = $3, opened_at = $4 WHERE provider = $1 AND ($2 = '' OR id = $2) AND state <> 'open'`,
		provider, id, how, now)
	return hit(res, err)
}

// hit reports whether a statement changed something.
func hit(res sql.Result, err error) (bool, error) {
	if err != nil {
		return false, mapErr(err)
	}
	n, err := res.RowsAffected()
	return n > 0, mapErr(err)
}

// CountFence adds to what was found behind a fence.
func (p *DB) CountFence(ctx context.Context, provider, id string, checked, found int64) error {
	_, err := p.db.ExecContext(ctx, `UPDATE fences SET checked = checked + $3, found = found + $4 WHERE provider = $1 AND id = $2`, provider, id, checked, found)
	return mapErr(err)
}

// dueRows are made due in one statement: its locks are short.
const dueRows = 2000

// DueSince makes every attempt of a provider due that was not terminal when
// history was lost: much may have happened to it since, and is on no record.
func (p *DB) DueSince(ctx context.Context, provider string, now time.Time) error {
	for {
		res, err := p.db.ExecContext(ctx, `UPDATE attempts SET due_at = $2 WHERE id IN (
				SELECT id FROM attempts WHERE provider = $1 AND due_at > $2 AND (leased_until IS NULL OR leased_until <= $2)
					AND (status NOT IN ('succeeded', 'failed', 'canceled') OR reserved > 0)
				ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)`, provider, now, dueRows)
		if err != nil {
			return mapErr(err)
		}
		if n, err := res.RowsAffected(); err != nil || n < dueRows {
			return err
		}
	}
}

// OffRecord returns which of these attempts and refunds are on no record, at any
// provider.
func (p *DB) OffRecord(ctx context.Context, attempts, refunds []string) (ids []string, err error) {
	err = p.db.SelectContext(ctx, &ids, `SELECT n.id FROM unnest($1::text[]) n (id) WHERE NOT EXISTS (SELECT FROM attempts a WHERE a.id = n.id)
		UNION ALL SELECT n.id FROM unnest($2::text[]) n (id) WHERE NOT EXISTS (SELECT FROM refunds r WHERE r.id = n.id)`,
		pq.StringArray(attempts), pq.StringArray(refunds))
	return ids, mapErr(err)
}

// ListedSince is from when on the list of a provider tells what may have been
// lost: the start of the list after its outage, or what is known less overlap.
// ErrNotFound if it was never up.
func (p *DB) ListedSince(ctx context.Context, provider string, overlap time.Duration) (time.Time, error) {
	var since time.Time
	err := p.db.GetContext(ctx, &since, `SELECT coalesce(since, known_to - make_interval(secs => $3)) FROM schedules WHERE provider = $1 AND kind = $2`,
		provider, ListOutage, overlap.Seconds())
	return since, mapErr(err)
}
