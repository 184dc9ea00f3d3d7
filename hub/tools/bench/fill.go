package main

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"

	"github.com/lib/pq"
)

// template is an order with all that hangs on it, taken from the hub's own
// tables, of which any number of copies can be made inside the database. A copy
// differs in ten characters of every id: those after the time. (Not in the last
// ones: in them the lines of a timeline differ from each other.)
type template struct {
	orderID   string
	attemptID string
	inserts   []string // one for each table; $1 and $2 are the first and last number
	rows      int      // that one order is made of
}

// orderTables are those whose rows belong to one order, parents first.
var orderTables = []string{"orders", "attempts", "refs", "captures", "refunds", "operations", "callbacks", "events", "postings"}

// marker stands in a name where each copy puts its number.
const marker = "@@@@@@@@@@"

// ids are a prefix, ten digits of time and sixteen more.
var ids = regexp.MustCompile(`\b(?:[a-z]+_)+[0-9a-z]{26}\b`)

// renumber puts another text into the place where copies differ.
func renumber(id, with string) string {
	if strings.HasPrefix(id, "app_") { // which all copies share
		return id
	}
	return id[:len(id)-16] + with + id[len(id)-6:]
}

// copyID is the id of the n-th copy.
func copyID(id string, n int) string { return renumber(id, fmt.Sprintf("%010d", n)) }

// copies turns a text of the template into an SQL expression of the copy's.
func copies(text string) string {
	quoted := ids.ReplaceAllStringFunc(pq.QuoteLiteral(text), func(id string) string { return renumber(id, "' || x || '") })
	return strings.ReplaceAll(quoted, marker, "' || x || '")
}

// takeTemplate remembers an order as it stands now.
func takeTemplate(ctx context.Context, db *sql.DB, orderID string) (*template, error) {
	t := &template{orderID: orderID}
	err := db.QueryRowContext(ctx, `SELECT id FROM attempts WHERE order_id = $1`, orderID).Scan(&t.attemptID)
	if err != nil {
		return nil, err
	}
	for _, table := range orderTables {
		if err := t.take(ctx, db, table); err != nil {
			return nil, fmt.Errorf("read the template's %s: %w", table, err)
		}
	}
	return t, nil
}

func (t *template) take(ctx context.Context, db *sql.DB, table string) error {
	key := "order_id"
	if table == "orders" {
		key = "id"
	}
	var stored string // what is generated cannot be copied
	err := db.QueryRowContext(ctx, `SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
		WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`, table).Scan(&stored)
	if err != nil {
		return err
	}
	rows, err := db.QueryContext(ctx, `SELECT `+stored+` FROM `+table+` WHERE `+key+` = $1`, t.orderID)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	for rows.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		var names, exprs []string
		for i, c := range columns {
			expr := "NULL"
			switch kind := c.DatabaseTypeName(); {
			case !values[i].Valid, c.Name() == "due_at":
			case kind == "BYTEA" && table == "attempts": // sealed for the template's own id
			case kind == "BYTEA":
				expr = fmt.Sprintf(`'\x%x'::bytea`, values[i].String)
			default:
				expr = "(" + copies(values[i].String) + ")::" + kind
			}
			names, exprs = append(names, c.Name()), append(exprs, expr)
		}
		t.rows++
		t.inserts = append(t.inserts, fmt.Sprintf(`INSERT INTO %s (%s) SELECT %s FROM (SELECT lpad(n::text, 10, '0') AS x FROM generate_series($1::bigint, $2::bigint) n) s`,
			table, strings.Join(names, ", "), strings.Join(exprs, ", ")))
	}
	return rows.Err()
}

// fill makes the copies first to last.
func (t *template) fill(ctx context.Context, db *sql.DB, first, last int) error {
	const step = 10000
	for from := first; from <= last; from += step {
		if err := t.fillStep(ctx, db, from, min(last, from+step-1)); err != nil {
			return err
		}
	}
	return nil
}

func (t *template) fillStep(ctx context.Context, db *sql.DB, first, last int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after the commit there is nothing to roll back
	// Without the trigger orders_begin: the copies come at the version that the template has.
	if _, err := tx.ExecContext(ctx, `SET LOCAL session_replication_role = 'replica'`); err != nil {
		return err
	}
	for _, insert := range t.inserts {
		if _, err := tx.ExecContext(ctx, insert, first, last); err != nil {
			return fmt.Errorf("fill: %w: %.80s", err, insert)
		}
	}
	return tx.Commit()
}
