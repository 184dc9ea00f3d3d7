package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/lib/pq/oid"
)

// Rows travel to PostgreSQL as arrays of their tables' row types, in the binary
// form that array_recv and record_recv read: to parse them from JSON was a
// fifth of what a commit cost the database. The tags of a struct's fields are
// the names of its columns; columns that it does not have are NULL, and so is an
// empty field that its tag omits.

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
	field []int // of the struct; nil if it has none
	omits bool  // an empty field is NULL
}

// layouts are those of the tables that commits write. Another hub may add
// columns while this one runs, so they are read again when one does not fit.
type layouts struct {
	db    *sqlx.DB
	known atomic.Pointer[[numTables]layout]
}

func (l *layouts) read(ctx context.Context) error {
	var known [numTables]layout
	for i, t := range tables {
		var columns []struct {
			Row  oid.Oid `db:"reltype"`
			Name string  `db:"attname"`
			OID  oid.Oid `db:"atttypid"`
		}
		err := l.db.SelectContext(ctx, &columns, `SELECT c.reltype, a.attname, a.atttypid FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
			WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, t.name)
		if err != nil {
			return fmt.Errorf("read the columns of %s: %w", t.name, mapErr(err))
		}
		byName := map[string]layoutColumn{}
		for _, f := range fields(t.row) {
			name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
			byName[name] = layoutColumn{field: f.Index, omits: strings.Contains(rest, "omit")}
		}
		for _, c := range columns {
			column := byName[c.Name]
			column.name, column.oid = c.Name, c.OID
			known[i].oid = c.Row
			known[i].columns = append(known[i].columns, column)
		}
	}
	l.known.Store(&known)
	return nil
}

// fit runs f with the layouts, and once more if they were out of date: then f
// has written nothing.
func (l *layouts) fit(ctx context.Context, f func(*[numTables]layout) error) error {
	err := f(l.known.Load())
	var pe *pq.Error
	if !errors.As(err, &pe) || pe.Code != "42804" /* datatype_mismatch */ {
		return err
	}
	if err := l.read(ctx); err != nil {
		return err
	}
	return f(l.known.Load())
}

// array is a parameter in the making: any number of rows of one table.
type array struct {
	n    int
	data []byte
}

// arrayHead is what stands before the rows: dimensions, whether there are
// nulls, the rows' type, how many there are, the first one's index.
const arrayHead = 5 * 4

// add appends a row, a pointer to the table's struct.
func (a *array) add(l *layout, row any) error {
	if a.data == nil {
		a.data = make([]byte, arrayHead, 1024)
		head := a.data[:0]
		for _, v := range []uint32{1, 0, uint32(l.oid), 0, 1} {
			head = binary.BigEndian.AppendUint32(head, v)
		}
	}
	a.n++
	binary.BigEndian.PutUint32(a.data[12:], uint32(a.n)) //nolint:gosec // bounded by what shares a statement
	var err error
	a.data, err = sized(a.data, func(b []byte) ([]byte, error) { return l.append(b, reflect.ValueOf(row).Elem()) })
	return err
}

// append writes a row as record_recv reads it.
func (l *layout) append(b []byte, row reflect.Value) ([]byte, error) {
	b = binary.BigEndian.AppendUint32(b, uint32(len(l.columns))) //nolint:gosec // of one table
	for i := range l.columns {
		c := &l.columns[i]
		b = binary.BigEndian.AppendUint32(b, uint32(c.oid))
		if c.field == nil {
			b = append(b, null...)
			continue
		}
		v := row.FieldByIndex(c.field)
		if v.Kind() == reflect.Pointer || v.Kind() == reflect.Slice || v.Kind() == reflect.Map {
			if v.IsNil() {
				b = append(b, null...)
				continue
			}
		}
		if c.omits && v.IsZero() {
			b = append(b, null...)
			continue
		}
		var err error
		if b, err = sized(b, func(b []byte) ([]byte, error) { return c.append(b, v) }); err != nil {
			return nil, fmt.Errorf("column %s: %w", c.name, err)
		}
	}
	return b, nil
}

// null is the length of no value.
var null = []byte{0xff, 0xff, 0xff, 0xff}

// sized writes what f appends, with its length before it.
func sized(b []byte, f func([]byte) ([]byte, error)) ([]byte, error) {
	at := len(b)
	b, err := f(append(b, 0, 0, 0, 0))
	if err == nil {
		binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4)) //nolint:gosec // PostgreSQL takes 1 GB
	}
	return b, err
}

// epoch is PostgreSQL's, in microseconds.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

// append writes a value that is not NULL.
func (c *layoutColumn) append(b []byte, v reflect.Value) ([]byte, error) {
	if v.Kind() == reflect.Pointer && c.oid != oid.T_jsonb {
		v = v.Elem()
	}
	switch c.oid {
	case oid.T_text:
		if v.Kind() == reflect.String {
			return appendText(b, v.String()), nil
		}
	case oid.T_int8:
		if v.CanInt() {
			return binary.BigEndian.AppendUint64(b, uint64(v.Int())), nil //nolint:gosec // two's complement on both sides
		}
	case oid.T_int4:
		if n := v.Int(); int64(int32(n)) == n { //nolint:gosec // that is what is asked
			return binary.BigEndian.AppendUint32(b, uint32(n)), nil //nolint:gosec // likewise
		}
	case oid.T_bool:
		if v.Bool() {
			return append(b, 1), nil
		}
		return append(b, 0), nil
	case oid.T_timestamptz:
		if at, ok := v.Interface().(time.Time); ok {
			return binary.BigEndian.AppendUint64(b, uint64(at.UnixMicro()-epoch)), nil //nolint:gosec // two's complement on both sides
		}
	case oid.T_bytea:
		return append(b, v.Bytes()...), nil
	case oid.T_jsonb:
		return appendJSON(b, v)
	}
	return nil, fmt.Errorf("%s does not fit the database's type %s", v.Type(), oid.TypeName[c.oid])
}

// appendText drops what PostgreSQL cannot hold in any text. It comes from
// providers, or from payers through them: what happened must be recordable
// whatever somebody put into a name.
func appendText(b []byte, s string) []byte {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return append(b, s...)
}

// jsonbVersion stands before a document in jsonb's binary form.
const jsonbVersion = 1

func appendJSON(b []byte, v reflect.Value) ([]byte, error) {
	b = append(b, jsonbVersion)
	if v.Kind() == reflect.Slice && v.Len() == 0 {
		return append(b, "[]"...), nil
	}
	if v.CanAddr() {
		v = v.Addr() // does not copy it
	}
	doc, err := json.Marshal(v.Interface())
	return append(b, withoutNUL(doc)...), err
}

// withoutNUL is a JSON document without what appendText drops.
func withoutNUL(doc []byte) []byte {
	if !bytes.Contains(doc, []byte(`\u0000`)) {
		return doc
	}
	out := make([]byte, 0, len(doc))
	for i := 0; i < len(doc); i++ {
		if doc[i] == '\\' && i+1 < len(doc) {
			if bytes.HasPrefix(doc[i:], []byte(`\u0000`)) {
				i += 5
				continue
			}
			out = append(out, doc[i])
			i++
		}
		out = append(out, doc[i])
	}
	return out
}
