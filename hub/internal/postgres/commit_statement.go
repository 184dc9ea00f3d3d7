package postgres

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/jmoiron/sqlx"
)

// part writes what a commit has for one table beside orders.
type part struct {
	sql  string
	used func(*rows) bool
}

var parts = []part{
	{child("attempts", attemptColumns, true), func(r *rows) bool { return len(r.Attempts) > 0 }},
	{child("refs", refColumns, false), func(r *rows) bool { return len(r.Refs) > 0 }},
	{child("captures", captureColumns, true), func(r *rows) bool { return len(r.Captures) > 0 }},
	{child("refunds", refundColumns, true), func(r *rows) bool { return len(r.Refunds) > 0 }},
	{child("disputes", disputeColumns, true), func(r *rows) bool { return len(r.Disputes) > 0 }},
	{child("operations", operationColumns, true), func(r *rows) bool { return len(r.Operations) > 0 }},
	{child("postings", postingColumns, false), func(r *rows) bool { return len(r.Postings) > 0 }},
	{child("events", eventColumns, false), func(r *rows) bool { return len(r.Events) > 0 }},
	{child("callbacks", callbackColumns, true), func(r *rows) bool { return len(r.Callbacks) > 0 }},
	{noticesSQL, func(r *rows) bool { return len(r.Notices) > 0 }},
}

// shape says which parts a commit has: bit i is parts[i].
type shape uint16

var (
	wholeShape   = shape(1)<<len(parts) - 1
	noticesShape = shape(1) << (len(parts) - 1) // the last of parts
)

func (r *rows) shape() (s shape) {
	for i, part := range parts {
		if part.used(r) {
			s |= 1 << i
		}
	}
	return s
}

// sql writes any number of changes in one statement. An order is written only
// at the version it was read at, and what hangs on it only if the order was:
// the ids that come back are the changes that are now on record. The changes
// come as one JSON document, one array of whole rows for each table.
func (s shape) sql(guard string) string {
	q := []string{"WITH d AS (SELECT $1::jsonb AS d)", "written AS (" + upsert("orders", orderColumns, "", guard+" RETURNING id") + ")"}
	for i, part := range parts {
		if s&(1<<i) != 0 {
			q = append(q, part.sql)
		}
	}
	told := "0"
	if s&noticesShape != 0 {
		told = "(SELECT count(*) FROM notices_in)"
	}
	return strings.Join(q, ",\n") + "\nSELECT id, " + told + " AS notices FROM written"
}

// versionGuard lets an order be written only at the version it was read at.
const versionGuard = "WHERE orders.version = excluded.version - 1"

// child writes a table's rows, if the order they hang on was written.
func child(table, columns string, update bool) string {
	guard := "WHERE order_id IN (SELECT id FROM written)"
	if !update {
		return table + "_in AS (" + insert(table, columns, guard) + ")"
	}
	return table + "_in AS (" + upsert(table, columns, guard, "") + ")"
}

func insert(table, columns, guard string) string {
	return fmt.Sprintf(`INSERT INTO %[1]s (%[2]s) SELECT %[2]s FROM d, jsonb_populate_recordset(null::%[1]s, d.d->'%[1]s') %[3]s`,
		table, columns, guard)
}

func upsert(table, columns, guard, tail string) string {
	var set []string
	for _, c := range strings.Split(columns, ",") {
		switch c = strings.TrimSpace(c); c {
		case "id", "created_at":
		case "leased_until":
			// A commit can end a lease, and not give it: the one that it was decided
			// on may have ended meanwhile.
			set = append(set, fmt.Sprintf("leased_until = CASE WHEN excluded.leased_until IS NOT NULL THEN %s.leased_until END", table))
		case "raw": // written once, erased once
			set = append(set, fmt.Sprintf("raw = coalesce(excluded.raw, %s.raw)", table))
		default:
			set = append(set, c+" = excluded."+c)
		}
	}
	return insert(table, columns, guard) + " ON CONFLICT (id) DO UPDATE SET " + strings.Join(set, ", ") + " " + tail
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
	_, err := c.of(ctx, wholeShape)
	return err
}

// of is the statement of a shape, prepared when it is first asked for.
func (c *commitStatements) of(ctx context.Context, s shape) (*sqlx.Stmt, error) {
	c.mu.RLock()
	st, whole, many := c.prepared[s], c.prepared[wholeShape], len(c.prepared) >= mostShapes
	c.mu.RUnlock()
	switch {
	case st != nil:
		return st, nil
	case many:
		return whole, nil
	}
	// Not under the lock: commits whose statement is there do not wait for this one.
	st, err := c.db.PreparexContext(ctx, s.sql(c.guard))
	if err != nil {
		return nil, fmt.Errorf("prepare the commit: %w", err)
	}
	c.mu.Lock()
	first := c.prepared[s]
	if first == nil {
		c.prepared[s] = st
	}
	c.mu.Unlock()
	if first != nil { // of who asked at the same moment
		_ = st.Close()
		return first, nil
	}
	return st, nil
}
