package postgres

import (
	"context"
	"fmt"
	"math/bits"
	"reflect"
	"strings"
	"sync"

	"github.com/jmoiron/sqlx"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// The tables that a commit writes, in the order of its parameters.
const (
	ordersTable = iota
	attemptsTable
	refsTable
	capturesTable
	refundsTable
	disputesTable
	operationsTable
	postingsTable
	eventsTable
	callbacksTable
	noticesTable
	numTables
)

// table is one of them, with the struct whose fields are its columns.
type table struct {
	name string
	row  reflect.Type
	part func(t table, rows string) string // of the statement; rows is where they come from
}

var tables = [numTables]table{
	ordersTable:     {name: "orders", row: reflect.TypeFor[orderRow]()},
	attemptsTable:   {"attempts", reflect.TypeFor[attemptRow](), keptRows},
	refsTable:       {"refs", reflect.TypeFor[ledger.Ref](), newRows},
	capturesTable:   {"captures", reflect.TypeFor[ledger.Capture](), keptRows},
	refundsTable:    {"refunds", reflect.TypeFor[ledger.Refund](), keptRows},
	disputesTable:   {"disputes", reflect.TypeFor[ledger.Dispute](), keptRows},
	operationsTable: {"operations", reflect.TypeFor[operationRow](), keptRows},
	postingsTable:   {"postings", reflect.TypeFor[ledger.Posting](), newRows},
	eventsTable:     {"events", reflect.TypeFor[ledger.Event](), newRows},
	callbacksTable:  {"callbacks", reflect.TypeFor[callbackRow](), keptRows},
	noticesTable:    {"notifications", reflect.TypeFor[ledger.Notice](), notices},
}

// columns are those of the table that the hub writes.
func (t table) columns() string { return columnsOf(t.row) }

// from is the parameter of that place, as rows of the table.
func (t table) from(place int) string { return fmt.Sprintf("unnest($%d::%s[])", place, t.name) }

// shape says which tables a commit writes: bit i is tables[i].
type shape uint16

const (
	wholeShape   shape = 1<<numTables - 1
	noticesShape shape = 1 << noticesTable
	moneyShape   shape = 1 << numTables       // it is about to move money: see fences.go
	fencedShape  shape = 1 << (numTables + 1) // likewise, and some account may be closed
)

// rows are what one commit writes, by table.
type rows struct {
	layouts *[numTables]layout
	of      [numTables]array
	money   moneyRows
	err     error // the first one
}

// add takes a row, a pointer to the table's struct.
func (r *rows) add(table int, row any) {
	if err := r.of[table].add(&r.layouts[table], row); err != nil && r.err == nil {
		r.err = fmt.Errorf("encode a row of %s: %w", tables[table].name, err)
	}
}

func addAll[T any](r *rows, table int, all []T) {
	for i := range all {
		r.add(table, &all[i])
	}
}

func (r *rows) shape() (s shape) {
	for i := range r.of {
		if r.of[i].n > 0 {
			s |= 1 << i
		}
	}
	switch {
	case len(r.money.orders) == 0:
	case r.money.closed:
		s |= fencedShape
	default:
		s |= moneyShape
	}
	return s
}

// args are the parameters of the statement of shape s: NULL, which is no row,
// for a table that this commit does not write.
func (r *rows) args(s shape) (args []any) {
	for i := range r.of {
		if s&(1<<i) == 0 {
			continue
		}
		if r.of[i].n == 0 {
			args = append(args, nil)
			continue
		}
		args = append(args, r.of[i].data)
	}
	switch {
	case s&fencedShape != 0:
		args = append(args, r.money.each()...)
	case s&moneyShape != 0:
		args = append(args, r.money.all()...)
	}
	return args
}

// sql writes any number of changes in one statement. An order is written only
// at the version it was read at, and what hangs on it only if the order was:
// the ids that come back are the changes that are now on record. Each table's
// rows come whole, as one parameter. A change of an order that the database has
// gone back to before is refused by the trigger orders_begin.
func (s shape) sql(guard string) string {
	var q []string
	place := 1 + bits.OnesCount16(uint16(s&wholeShape)) // of the first parameter that is no table
	notFenced := ""
	switch {
	case s&fencedShape != 0:
		notFenced = notFencedSQL
	case s&moneyShape != 0:
		notFenced = allOpenSQL(place)
	}
	for i, t := range tables {
		if s&(1<<i) == 0 {
			continue
		}
		from := t.from(len(q) + 1)
		if i == ordersTable {
			filter := ""
			if notFenced != "" {
				filter = "WHERE " + notFenced
			}
			q = append(q, "written AS ("+upsert(t, from, filter, guard+" RETURNING id")+")")
		} else {
			q = append(q, t.name+"_in AS ("+t.part(t, from)+")")
		}
	}
	told := "0"
	if s&noticesShape != 0 {
		told = "(SELECT count(*) FROM notifications_in)"
	}
	sql := strings.Join(q, ",\n") + "\nSELECT id, " + told + " AS notices FROM written"
	if s&fencedShape == 0 {
		return "WITH " + sql
	}
	return "WITH " + fencedSQL(place) + ",\n" + strings.Replace(sql, " AS notices FROM written", " AS notices, '' AS fence FROM written", 1) +
		" UNION ALL SELECT order_id, 0, fence FROM fenced"
}

// versionGuard lets an order be written only at the version it was read at. Where
// the database went back in time, another version has the number by now: it was
// written at another moment.
const versionGuard = "WHERE orders.version = excluded.version - 1 AND orders.updated_at = excluded.previous_at"

// ofWritten lets rows be written only if the order they hang on was.
const ofWritten = "WHERE order_id IN (SELECT id FROM written)"

// newRows are only ever added.
func newRows(t table, from string) string { return insert(t, from, ofWritten) }

// keptRows are written over.
func keptRows(t table, from string) string { return upsert(t, from, ofWritten, "") }

func insert(t table, from, guard string) string {
	return fmt.Sprintf(`INSERT INTO %[1]s (%[2]s) SELECT %[2]s FROM %[3]s %[4]s`, t.name, t.columns(), from, guard)
}

func upsert(t table, from, guard, tail string) string {
	var set []string
	for _, c := range strings.Split(t.columns(), ", ") {
		switch c {
		case "id", "created_at", "replays": // which ReplayCallback alone writes
		case "app_id", "reference":
			// Never change. Columns of a unique key must not be set: PostgreSQL would
			// lock the row against foreign keys that look at it.
		case "provider_key", "key_hash": // written once
		case "leased_until":
			// A commit can end a lease, and not give it: the one that it was decided
			// on may have ended meanwhile.
			set = append(set, fmt.Sprintf("leased_until = CASE WHEN excluded.leased_until IS NOT NULL THEN %s.leased_until END", t.name))
		case "outcome":
			if t.name != "callbacks" {
				set = append(set, "outcome = excluded.outcome")
				continue
			}
			// Whoever does not know that a callback was applied, because the answer was
			// lost, does not take it back.
			set = append(set, "outcome = CASE WHEN callbacks.outcome = 'applied' AND excluded.outcome IN ('no_news', 'failed') THEN 'applied' ELSE excluded.outcome END")
		case "raw": // written once, erased once
			set = append(set, fmt.Sprintf("raw = coalesce(excluded.raw, %s.raw)", t.name))
		default:
			set = append(set, c+" = excluded."+c)
		}
	}
	return insert(t, from, guard) + " ON CONFLICT (id) DO UPDATE SET " + strings.Join(set, ", ") + " " + tail
}

// mostShapes bounds what connections keep prepared; payments have about ten,
// and those that share a statement some more.
const mostShapes = 48

// commitStatements are the commits by their shape. Parts that write nothing are
// left out: to set one up costs PostgreSQL as much as to write a row with it.
type commitStatements struct {
	db    *sqlx.DB
	guard string

	mu       sync.RWMutex
	prepared map[shape]*sqlx.Stmt
}

// prepare makes the whole one, in which each part has its place.
func (c *commitStatements) prepare(ctx context.Context) error {
	if _, _, err := c.of(ctx, wholeShape); err != nil {
		return err
	}
	for _, money := range []shape{moneyShape, fencedShape} {
		if _, _, err := c.of(ctx, wholeShape|money); err != nil {
			return err
		}
	}
	return nil
}

// of is the statement of a shape, prepared when it is first asked for, and the
// shape that it has: the whole one where there are too many.
func (c *commitStatements) of(ctx context.Context, s shape) (*sqlx.Stmt, shape, error) {
	all := wholeShape | s
	c.mu.RLock()
	st, whole, many := c.prepared[s], c.prepared[all], len(c.prepared) >= mostShapes
	c.mu.RUnlock()
	switch {
	case st != nil:
		return st, s, nil
	case many:
		return whole, all, nil
	}
	// Not under the lock: commits whose statement is there do not wait for this one.
	st, err := c.db.PreparexContext(ctx, s.sql(c.guard))
	if err != nil {
		return nil, 0, fmt.Errorf("prepare the commit: %w", err)
	}
	c.mu.Lock()
	first := c.prepared[s]
	if first == nil {
		c.prepared[s] = st
	}
	c.mu.Unlock()
	if first != nil { // of who asked at the same moment
		_ = st.Close()
		return first, s, nil
	}
	return st, s, nil
}
