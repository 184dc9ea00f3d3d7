package postgres

import (
	"context"
	"time"

	"github.com/lib/pq"
)

// Kinds of work that comes round.
const (
	// ListDaily lists what a provider knows since the last time.
	ListDaily = "daily"
	// ListOutage lists what it knows since it was last seen up; due when it is back.
	ListOutage = "outage"
	// ListFence lists what it knows since the mark of its fence.
	ListFence = "fence"
)

// Schedule is work on a provider that comes round. Between runs Since and
// BeganAt are nil.
type Schedule struct {
	Provider string     `db:"provider"`
	Kind     string     `db:"kind"`
	DueAt    *time.Time `db:"due_at"` // nil: when something happens
	Tries    int        `db:"tries"`
	Since    *time.Time `db:"since"`
	BeganAt  *time.Time `db:"began_at"`
	Cursor   string     `db:"cursor"`
	KnownTo  time.Time  `db:"known_to"`
	Listed   int64      `db:"listed"`
	News     int64      `db:"news"`
	NotOurs  int64      `db:"not_ours"`
	Error    string     `db:"error"`

	until time.Time // end of the lease
}

const scheduleColumns = `provider, kind, due_at, tries, since, began_at, cursor, known_to, listed, news, not_ours, error`

const claimSchedulesSQL = `UPDATE schedules SET due_at = $1::timestamptz + make_interval(secs => $2), tries = tries + 1
	WHERE (provider, kind) IN (SELECT provider, kind FROM schedules WHERE due_at <= $1 AND provider = ANY($3)
		ORDER BY due_at LIMIT 4 FOR NO KEY UPDATE SKIP LOCKED)
	RETURNING ` + scheduleColumns

// ClaimSchedules leases what is due of the providers.
func (p *DB) ClaimSchedules(ctx context.Context, now time.Time, lease float64, of []string) ([]Schedule, error) {
	var out []Schedule
	err := p.claimSchedules.SelectContext(ctx, &out, now, lease, pq.StringArray(of))
	for i := range out {
		out[i].until = *out[i].DueAt
	}
	return out, mapErr(err)
}

// SaveSchedule ends a lease, unless it was taken or made anew meanwhile.
func (p *DB) SaveSchedule(ctx context.Context, s Schedule) error {
	_, err := p.exec(ctx, `UPDATE schedules SET due_at = $3, tries = $4, since = $5, began_at = $6, cursor = $7,
		known_to = greatest(known_to, $8), listed = $9, news = $10, not_ours = $11, error = $12
		WHERE provider = $1 AND kind = $2 AND due_at = $13`,
		s.Provider, s.Kind, s.DueAt, s.Tries, s.Since, s.BeganAt, s.Cursor, s.KnownTo, s.Listed, s.News, s.NotOurs, s.Error, s.until)
	return mapErr(err)
}

// Schedules are all of them, for people.
func (p *DB) Schedules(ctx context.Context) ([]Schedule, error) {
	var out []Schedule
	err := p.db.SelectContext(ctx, &out, `SELECT `+scheduleColumns+` FROM schedules ORDER BY provider, kind`)
	return out, mapErr(err)
}

// Seen notes that the providers are up now. Of one whose money-out is closed it
// does not: what is known of it ends at the mark until its list was read.
func (p *DB) Seen(ctx context.Context, providers []string, now time.Time) error {
	_, err := p.exec(ctx, `UPDATE schedules SET known_to = greatest(known_to, $2) WHERE kind = $3 AND provider = ANY($1)
		AND NOT EXISTS (SELECT FROM fences f WHERE f.provider = schedules.provider AND f.state <> 'open')`,
		pq.StringArray(providers), now, ListOutage)
	return mapErr(err)
}

// CameUp makes the list since a provider was last seen up due at once, less the
// overlap; one that is under way begins anew. A provider that was never up
// before is listed daily from now on.
func (p *DB) CameUp(ctx context.Context, provider string, now time.Time, overlap time.Duration) error {
	_, err := p.exec(ctx, `INSERT INTO schedules (`+scheduleColumns+`)
		SELECT $1, kind, due_at, 0, NULL, NULL, '', $2, 0, 0, 0, '' FROM (VALUES ($3::text, $2::timestamptz), ($4::text, NULL)) AS new (kind, due_at)
		ON CONFLICT (provider, kind) DO UPDATE SET due_at = $2, tries = 0, cursor = '', began_at = $2, listed = 0, news = 0, not_ours = 0,
			since = least(schedules.since, schedules.known_to - make_interval(secs => $5)), known_to = $2
		WHERE schedules.kind = $4::text`, provider, now, ListDaily, ListOutage, overlap.Seconds())
	return mapErr(err)
}
