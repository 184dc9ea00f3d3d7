package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lib/pq"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// witness is what this process remembers of acknowledged writes. A database that
// does not hold them any more went back in time.
type witness struct {
	mu      sync.Mutex
	process string    // the row of this process; empty: nothing is watched
	started time.Time // when that row was made
	n       int64     // the last number that was acknowledged
	at      time.Time // and when
	lost    bool      // money-out waits until the fences are up

	samples []sample // orders that were acknowledged since, in that order
	last    sample   // the newest one
	keptAt  time.Time
}

// sample is an order at a version that PostgreSQL confirmed.
type sample struct {
	id      string
	version int64
}

const (
	// sampleEvery thins the acknowledged commits between two counts: of a
	// standby that lags, what is missing is the end, and any of it shows that.
	sampleEvery = 2 * time.Millisecond
	maxSamples  = 1024

	countTimeout = 3 * time.Second // of one count; a hanging one is no evidence
	// keepWitness is how long the row of a process that has ended is kept: it
	// tells the age of a backup that is restored.
	keepWitness = 90 * 24 * time.Hour
)

// acknowledged remembers an order whose commit was confirmed.
func (w *witness) acknowledged(o *ledger.Order) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.process == "" {
		return
	}
	if w.last.id != "" && now.Sub(w.keptAt) >= sampleEvery && len(w.samples) < maxSamples {
		w.samples = append(w.samples, w.last)
		w.keptAt = now
	}
	w.last = sample{o.ID, o.Version}
}

// asked fills in what a commit that moves money requires of the database.
func (w *witness) asked(m *moneyRows) {
	if len(m.orders) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	m.process, m.n = w.process, w.n
}

// Started is what a hub finds when it starts.
type Started struct {
	// Mark is when any hub last counted in this database; zero if none ever did.
	Mark time.Time
	// Moved says that PostgreSQL is another one than it was counted on last, or
	// has another history: a standby was promoted, or a backup was restored.
	Moved bool
}

// StartWitness makes the row of this process. From now on Count watches.
func (p *DB) StartWitness(ctx context.Context, now time.Time) (Started, error) {
	var s Started
	system, timeline := p.control(ctx)
	var last struct {
		At               time.Time
		System, Timeline string
	}
	err := mapErr(p.db.GetContext(ctx, &last, `SELECT at, system, timeline FROM witness ORDER BY at DESC LIMIT 1`))
	switch {
	case err == nil:
		s.Mark = last.At
		s.Moved = system != "" && last.System != "" && (system != last.System || timeline != last.Timeline)
	case !errors.Is(err, ErrNotFound):
		return s, err
	}
	process := ledger.NewID("wit", now)
	_, err = p.db.ExecContext(ctx, `WITH old AS (DELETE FROM witness WHERE at < $2::timestamptz - make_interval(secs => $5))
		INSERT INTO witness (process, n, at, started_at, system, timeline) VALUES ($1, 1, $2, $2, $3, $4)`,
		process, now, system, timeline, keepWitness.Seconds())
	if err != nil {
		return s, mapErr(err)
	}
	p.witness.begin(process, now)
	return s, nil
}

func (w *witness) begin(process string, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.process, w.started, w.n, w.at = process, now, 1, now
	w.lost = false
	w.samples, w.last = nil, sample{}
}

// control names the PostgreSQL and its history; empty where it does not tell.
// The timeline of pg_control is as old as the last checkpoint, so that of the
// log as it is written is asked for.
func (p *DB) control(ctx context.Context) (system, timeline string) {
	err := p.db.QueryRowxContext(ctx, `SELECT system_identifier::text, substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) FROM pg_control_system()`).Scan(&system, &timeline)
	if err != nil {
		p.log.DebugContext(ctx, "PostgreSQL does not tell which one it is", "error", err)
		return "", ""
	}
	return system, timeline
}

// Counted is what one count found.
type Counted struct {
	Lost   bool      // acknowledged writes are gone
	Why    string    // what is missing, for people
	Mark   time.Time // what was acknowledged before this is on record, as far as is known
	At     time.Time // the last acknowledged count; only writes of before it are known to be gone
	Fences []Fence   // all that there are
}

// countSQL counts up only where the row is not older than what was acknowledged:
// a row that was restored keeps its time, which is the mark. On a standby it
// fails, for it writes: what a replica does not have yet is no evidence.
const countSQL = `WITH counted AS (
		UPDATE witness SET n = n + 1, at = $2 WHERE process = $1 AND n >= $3 RETURNING n
	), missing AS (
		SELECT s.id FROM unnest($4::text[], $5::bigint[]) s (id, version) LEFT JOIN orders o ON o.id = s.id
		WHERE o.version IS NULL OR o.version < s.version
	)
	SELECT coalesce((SELECT n FROM counted), 0) AS n, (SELECT count(*) FROM missing) AS missing,
		(SELECT coalesce(json_agg(f ORDER BY f.provider), '[]') FROM fences f) AS fences,
		(SELECT version_floor FROM hub) AS floor`

// Count counts the row of this process up, and compares what comes back with
// what was acknowledged. An error is no evidence.
func (p *DB) Count(ctx context.Context, now time.Time) (Counted, error) {
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	process, n, at, samples := p.witness.take()
	if process == "" {
		fences, err := p.Fences(ctx)
		return Counted{Fences: fences}, err
	}
	ids, versions := make(pq.StringArray, len(samples)), make(pq.Int64Array, len(samples))
	for i, s := range samples {
		ids[i], versions[i] = s.id, s.version
	}
	var row struct {
		N, Missing, Floor int64
		Fences            []byte
	}
	c := Counted{At: at}
	if err := p.db.GetContext(ctx, &row, countSQL, process, now, n, ids, versions); err != nil {
		return c, mapErr(err)
	}
	if err := json.Unmarshal(row.Fences, &c.Fences); err != nil {
		return c, fmt.Errorf("decode the fences: %w", err)
	}
	p.LearnVersions(row.Floor) // another hub may have raised it
	switch {
	case row.N > 0 && row.Missing == 0:
		p.witness.counted(process, row.N, now, samples)
		return c, nil
	case row.N > 0:
		c.Why = fmt.Sprintf("of %d orders that PostgreSQL confirmed, %d are missing or older than they were", len(samples), row.Missing)
		c.Mark = at
	default:
		var err error
		if c.Why, c.Mark, err = p.whatIsLeft(ctx, process, n); err != nil {
			return Counted{}, err
		}
	}
	c.Lost = true
	p.witness.alarm()
	return c, nil
}

// whatIsLeft tells how far a database went back whose row of this process is
// gone, or older than what was acknowledged.
func (p *DB) whatIsLeft(ctx context.Context, process string, n int64) (why string, mark time.Time, err error) {
	var left struct {
		N    int64      `db:"n"`
		Mine *time.Time `db:"mine"`
		Any  *time.Time `db:"others"`
	}
	_, at, started := p.witness.when()
	// Rows that were counted later were so after the database went back.
	err = p.db.GetContext(ctx, &left, `SELECT coalesce((SELECT n FROM witness WHERE process = $1), 0) AS n,
		(SELECT at FROM witness WHERE process = $1) AS mine, (SELECT max(at) FROM witness WHERE at <= $2) AS others`, process, at)
	if err != nil {
		return "", time.Time{}, mapErr(err)
	}
	if left.Mine != nil {
		return fmt.Sprintf("PostgreSQL confirmed count %d of this hub, and now has %d", n, left.N), *left.Mine, nil
	}
	why = fmt.Sprintf("PostgreSQL confirmed count %d of this hub, and now has no row of it", n)
	if left.Any != nil && left.Any.Before(started) {
		return why, *left.Any, nil
	}
	return why, started, nil
}

func (w *witness) take() (process string, n int64, at time.Time, samples []sample) {
	w.mu.Lock()
	defer w.mu.Unlock()
	samples = slices.Clone(w.samples)
	if w.last.id != "" {
		samples = append(samples, w.last)
	}
	return w.process, w.n, w.at, samples
}

func (w *witness) when() (process string, at, started time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.process, w.at, w.started
}

// counted keeps what was confirmed now, and forgets the samples that were seen.
func (w *witness) counted(process string, n int64, at time.Time, seen []sample) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.process != process {
		return
	}
	w.n, w.at = n, at
	if len(seen) == 0 {
		return
	}
	newest := len(seen) - 1 // which may still be the last, or be thinned out
	w.samples = slices.Delete(w.samples, 0, newest)
	if w.last == seen[newest] {
		w.last = sample{}
	}
}

func (w *witness) alarm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = true
}

// Alarmed reports whether acknowledged writes are gone and the fences are not up
// yet.
func (p *DB) Alarmed() bool {
	p.witness.mu.Lock()
	defer p.witness.mu.Unlock()
	return p.witness.lost
}
