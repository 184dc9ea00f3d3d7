package main

import (
	"context"
	"fmt"
	"math"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"github.com/lib/pq"
	"golang.org/x/sync/errgroup"
)

// growth measures the hub alone with more and more orders in its database, each
// with the ten lines of a paid one, and draws what an operation costs.
func growth(ctx context.Context, b *bench) error {
	works := []string{"checkout", "callback", "refund", "order read", "order list, 20"}
	cost := map[string][]float64{}
	for _, size := range b.sizes {
		if err := b.grow(ctx, size); err != nil {
			return err
		}
		var bytes int64
		if err := b.db.QueryRowContext(ctx, `SELECT pg_database_size(current_database())`).Scan(&bytes); err != nil {
			return err
		}
		fmt.Printf("%d orders, %.1f GB\n", size, float64(bytes)/(1<<30))
		for _, r := range []*row{b.checkoutRow(usualClients), b.callbackRow(usualClients), b.refundRow(usualClients), b.readRow(usualClients), b.listRow(usualClients)} {
			r.entries = r.entries[:1]
			if err := b.measure(ctx, r); err != nil {
				return err
			}
			r.print()
			cost[r.work] = append(cost[r.work], r.entries[0].each(func(x result) float64 {
				return millis(x.usage.database) / max(1, float64(x.done))
			}).middle)
		}
	}
	fmt.Println("CPU of PostgreSQL for each operation, in ms, by the number of orders:")
	for _, w := range works {
		most := 0.0
		for _, c := range cost[w] {
			most = math.Max(most, c)
		}
		for i, c := range cost[w] {
			fmt.Printf("  %-16s %9d %7.3f %s\n", w, b.sizes[i], c, strings.Repeat("#", int(math.Round(40*c/math.Max(most, 1e-9)))))
		}
	}
	fmt.Println()
	return nil
}

// grow fills the database up to so many paid orders, as they are left when
// their callbacks' bodies have been erased: those are a third of the bytes,
// and are kept for 90 days.
func (b *bench) grow(ctx context.Context, size int) error {
	var now int
	if err := b.db.QueryRowContext(ctx, `SELECT count(*) FROM orders`).Scan(&now); err != nil {
		return err
	}
	if size <= now {
		return nil
	}
	if need, free := int64(size-now)*orderBytes, b.room(ctx); free > 0 && need > free {
		return fmt.Errorf("%d more orders need about %d GB, and %s has %d GB left: ask for fewer (-orders)", size-now, need>>30, b.dir, free>>30)
	}
	if err := b.inBulk(ctx, size-now); err != nil {
		return err
	}
	for _, rest := range []string{`VACUUM (ANALYZE)`, `CHECKPOINT`} { // what is left to do is not an operation's cost
		if _, err := b.db.ExecContext(ctx, rest); err != nil {
			return err
		}
	}
	return nil
}

// orderBytes are what a paid order takes on disk, indexes included (7.1 KB), and
// the room that making those needs for a while.
const orderBytes = 8000

// room is how many bytes are left for the database, 0 if nobody knows.
func (b *bench) room(ctx context.Context) int64 {
	out, err := exec.CommandContext(ctx, "df", "-Pk", b.dir).Output()
	if err != nil {
		return 0
	}
	_, values, _ := strings.Cut(string(out), "\n")
	fields := strings.Fields(values)
	if len(fields) < 4 {
		return 0
	}
	kb, _ := strconv.ParseInt(fields[3], 10, 64)
	return kb << 10
}

// inBulk copies the paid order n times, on all cores and with nothing beside
// it: rows first, then the indexes that nothing refers to.
func (b *bench) inBulk(ctx context.Context, n int) error {
	for _, setting := range []string{"autovacuum = off", "synchronous_commit = off", "session_replication_role = replica", "max_wal_size = '2GB'", "maintenance_work_mem = '1GB'"} {
		if err := b.alter(ctx, setting); err != nil {
			return err
		}
		name, _, _ := strings.Cut(setting, " ")
		defer func() { _ = b.alter(context.WithoutCancel(ctx), name+" = DEFAULT") }()
	}
	indexes, err := b.dropIndexes(ctx)
	if err != nil {
		return err
	}
	old := *b.paid
	old.inserts = nil
	for _, insert := range b.paid.inserts {
		old.inserts = append(old.inserts, body.ReplaceAllString(insert, "NULL"))
	}
	first, last := b.copied+1, b.copied+n
	b.copied = last
	var shares []func() error
	for i, cores := 0, runtime.NumCPU(); i < cores; i++ {
		from, to := first+n*i/cores, first+n*(i+1)/cores-1
		shares = append(shares, func() error { return old.fill(ctx, b.db, from, to) })
	}
	if err := atOnce(shares); err != nil {
		return err
	}
	shares = nil
	for _, index := range indexes {
		shares = append(shares, func() error { _, err := b.db.ExecContext(ctx, index); return err })
	}
	return atOnce(shares)
}

// body is a callback's, in an insert.
var body = regexp.MustCompile(`'\\x[0-9a-f]{200,}'::bytea`)

// dropIndexes drops those that hold every row and that nothing rests on, and
// returns how to make them.
func (b *bench) dropIndexes(ctx context.Context) (made []string, err error) {
	rows, err := b.db.QueryContext(ctx, `SELECT i.indexname, i.indexdef FROM pg_indexes i WHERE i.schemaname = 'public' AND i.tablename = ANY ($1)
		AND i.indexdef NOT LIKE 'CREATE UNIQUE%' AND i.indexdef NOT LIKE '% WHERE %'`, pq.StringArray(orderTables))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name, def string
		if err := rows.Scan(&name, &def); err != nil {
			return nil, err
		}
		names, made = append(names, name), append(made, def)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	_, err = b.db.ExecContext(ctx, `DROP INDEX `+strings.Join(names, ", "))
	return made, err
}

// atOnce does all of it, one on each core at a time.
func atOnce(all []func() error) error {
	var g errgroup.Group
	g.SetLimit(runtime.NumCPU())
	for _, f := range all {
		g.Go(f)
	}
	return g.Wait()
}
