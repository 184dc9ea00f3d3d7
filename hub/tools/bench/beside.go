package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"
)

// besideEntry is the name of the other build in every row.
const besideEntry = "the other build"

// another starts the other build in the same PostgreSQL, on a database of its
// own that its own program migrates: what a schema costs (foreign keys, checks,
// digests) is part of the build.
func (b *bench) another(ctx context.Context) (*bench, error) {
	o := b.options
	o.bin = b.beside
	other := &bench{options: o, shares: b}
	_, err := other.stand(ctx)
	return other, err
}

// besides adds another build's entry, with what it does around a round.
func (r *row) besides(other *row) {
	e := other.entries[0]
	e.name = besideEntry
	r.entries = append(r.entries, e)
	r.before, r.after = both(r.before, other.before), both(r.after, other.after)
}

func both(a, b func(context.Context) error) func(context.Context) error {
	if a == nil {
		return nil
	}
	return func(ctx context.Context) error { return errors.Join(a(ctx), b(ctx)) }
}

// countTrips runs each entry once more, unmeasured, while PostgreSQL logs every
// statement: the hub waits once for each. With several clients, several requests
// may share a statement, and those of the worker and of the bench itself are
// counted, too: a few in a run.
func (b *bench) countTrips(ctx context.Context, r *row) error {
	if _, err := b.db.ExecContext(ctx, `ALTER SYSTEM SET log_line_prefix = '%m [%p] %d '`); err != nil {
		return err
	}
	err := b.alter(ctx, "log_statement = 'all'")
	for i, e := range r.entries {
		if err == nil {
			err = b.countOf(ctx, r, e, []string{"superpay", "beside"}[i])
		}
	}
	_, reset := b.db.ExecContext(ctx, `ALTER SYSTEM RESET log_line_prefix`)
	return errors.Join(err, reset, b.alter(ctx, "log_statement = DEFAULT"))
}

func (b *bench) countOf(ctx context.Context, r *row, e *entry, database string) error {
	if err := e.ready(ctx, r.clients, e.each(result.rate).high, b.long); err != nil {
		return err
	}
	before, err := os.Stat(b.postgresLog())
	if err != nil {
		return err
	}
	got, err := e.run(ctx, r.clients, b.long)
	if err != nil {
		return err
	}
	time.Sleep(200 * time.Millisecond) // the log is written by other processes
	log, err := os.ReadFile(b.postgresLog())
	if err != nil {
		return err
	}
	least := 0
	if r.clients == 1 {
		least = got.done / 2 // each request asks for itself: what is seldom is the worker's
	}
	e.trips = float64(countStatements(string(log[before.Size():]), database, least)) / float64(max(1, got.done))
	return nil
}

// logged is a statement in PostgreSQL's log, with the database before it.
var logged = regexp.MustCompile(` (\S+) LOG:  (?:execute [^:]+|statement): (.*)`)

// countStatements counts what a log says was asked of a database, without
// statements that were asked less often than least.
func countStatements(log, database string, least int) int {
	times := map[string]int{}
	for line := range strings.Lines(log) {
		if found := logged.FindStringSubmatch(line); found != nil && found[1] == database {
			times[found[2]]++
		}
	}
	all := 0
	for _, n := range times {
		if n >= least {
			all += n
		}
	}
	return all
}

// cost is the CPU time of one request, in ms, over all rounds: of one round the
// clock counts too few ticks.
func (e *entry) cost(of func(usage) time.Duration) float64 {
	var all time.Duration
	done := 0
	for _, r := range e.results {
		all += of(r.usage)
		done += r.done
	}
	return millis(all) / float64(max(1, done))
}

// printCosts compares what one request takes of the hub, its plugins and
// PostgreSQL.
func (r *row) printCosts(e *entry) {
	if e.name != besideEntry {
		return
	}
	hub := r.entries[0]
	compare := func(mine, theirs float64) string {
		if theirs == 0 {
			return "unknown"
		}
		return fmt.Sprintf("%.3f / %.3f = %.3f", mine, theirs, mine/theirs)
	}
	programs := func(u usage) time.Duration { return u.cpu }
	database := func(u usage) time.Duration { return u.database }
	fmt.Printf("    of one request, hub / it: CPU ms of hub and plugins %s; of PostgreSQL %s; statements %s\n",
		compare(hub.cost(programs), e.cost(programs)), compare(hub.cost(database), e.cost(database)), compare(hub.trips, e.trips))
}
