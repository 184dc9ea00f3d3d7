package postgres

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/lib/pq/oid"
)

// Rows travel from and to PostgreSQL as values of their tables' row types, in
// the binary form of record_send and record_recv: as JSON they cost the database
// a fifth of a commit. The tags of a struct's fields are the names of its
// columns; columns that it does not have are NULL, and so is an empty field that
// its tag omits.

// fields are the columns that a struct holds.
func fields(row reflect.Type) (out []reflect.StructField) {
	for _, f := range reflect.VisibleFields(row) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); f.IsExported() && !f.Anonymous && name != "" && name != "-" {
			out = append(out, f)
		}
	}
	return out
}

// columnsOf lists the columns of a struct as SQL does.
func columnsOf(row reflect.Type) string {
	var names []string
	for _, f := range fields(row) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// layout is the row type of a table, as the database has it.
type layout struct {
	oid     oid.Oid
	columns []layoutColumn
}

type layoutColumn struct {
	name  string
	oid   oid.Oid
	base  oid.Oid // what its domain is over; the type itself if that is none
	field []int   // of the struct; nil if it has none
	omits bool    // an empty field is NULL
}

// layouts are those of the tables that commits write. Another hub may add
// columns while this one runs, so they are read again when one does not fit.
type layouts struct {
	db    *sqlx.DB
	known atomic.Pointer[[numTables]layout]
}

func (l *layouts) read(ctx context.Context) error {
	var names pq.StringArray
	for _, t := range tables {
		names = append(names, t.name)
	}
	var columns []struct {
		Table int     `db:"place"`
		Row   oid.Oid `db:"reltype"`
		Name  string  `db:"attname"`
		OID   oid.Oid `db:"atttypid"`
		Base  oid.Oid `db:"base"`
	}
	err := l.db.SelectContext(ctx, &columns, `SELECT t.place - 1 AS place, c.reltype, a.attname, a.atttypid, coalesce(nullif(y.typbasetype, 0), y.oid) AS base
		FROM unnest($1::regclass[]) WITH ORDINALITY t (oid, place) JOIN pg_class c ON c.oid = t.oid JOIN pg_attribute a ON a.attrelid = c.oid
		JOIN pg_type y ON y.oid = a.atttypid
		WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY t.place, a.attnum`, names)
	if err != nil {
		return fmt.Errorf("read the tables' columns: %w", mapErr(err))
	}
	var known [numTables]layout
	var byName [numTables]map[string]layoutColumn
	for i, t := range tables {
		byName[i] = map[string]layoutColumn{}
		for _, f := range fields(t.row) {
			name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
			byName[i][name] = layoutColumn{field: f.Index, omits: strings.Contains(rest, "omit")}
		}
	}
	for _, c := range columns {
		column := byName[c.Table][c.Name]
		column.name, column.oid, column.base = c.Name, c.OID, c.Base
		known[c.Table].oid = c.Row
		known[c.Table].columns = append(known[c.Table].columns, column)
	}
	l.known.Store(&known)
	return nil
}

// errLayout says that a row is not laid out as it was.
var errLayout = errors.New("the columns of a table are others than they were")

// fit runs f with the layouts, and once more if they were out of date: then f
// has neither read nor written anything.
func (l *layouts) fit(ctx context.Context, f func(*[numTables]layout) error) error {
	err := f(l.known.Load())
	var pe *pq.Error
	switch {
	case errors.Is(err, errLayout):
	case !errors.As(err, &pe):
		return err
	case pe.Code == "42804": // datatype_mismatch
	case pe.Code == "XX000" && strings.HasPrefix(pe.Message, "cache lookup failed for type"):
		// The tables were dropped and made anew: a backup was restored. What the
		// connections have prepared names types that are gone.
		l.db.SetMaxIdleConns(0)
		l.db.SetMaxIdleConns(l.db.Stats().MaxOpenConnections)
	default:
		return err
	}
	if err := l.read(ctx); err != nil {
		return err
	}
	return f(l.known.Load())
}

// epoch is PostgreSQL's, in microseconds.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

// jsonbVersion stands before a document in jsonb's binary form.
const jsonbVersion = 1
