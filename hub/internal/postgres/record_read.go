package postgres

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/lib/pq/oid"
)

// reader takes values apart in the binary form that PostgreSQL sends. After its
// first error it reads nothing more.
type reader struct {
	data []byte
	err  error
}

var errShort = errors.New("a value of the database ends too early")

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.data) {
		r.fail(errShort)
	}
	if r.err != nil {
		return nil
	}
	taken := r.data[:n]
	r.data = r.data[n:]
	return taken
}

func (r *reader) int() int {
	b := r.take(4)
	if r.err != nil {
		return 0
	}
	return int(int32(binary.BigEndian.Uint32(b))) //nolint:gosec // two's complement on both sides
}

// value is the next one with its type; null, if it is nothing.
func (r *reader) value() (of oid.Oid, data []byte, null bool) {
	of = oid.Oid(uint32(r.int())) //nolint:gosec // as it was sent
	n := r.int()
	if n == -1 {
		return of, nil, true
	}
	return of, r.take(n), false
}

// columns begins to read a record, of so many values.
func (r *reader) columns(n int) {
	if got := r.int(); r.err == nil && got != n {
		r.err = errLayout
	}
}

// rowsOf reads an array of rows.
func rowsOf[T any](r *reader, l *layout) (all []*T) {
	_, data, null := r.value()
	if null || r.err != nil {
		return nil
	}
	in := &reader{data: data}
	if in.int() > 0 { // dimensions: an empty array has none
		in.take(8) // whether there are nulls, and the type of all
		n := in.int()
		in.take(4) // the index of the first
		for i := 0; i < n && in.err == nil; i++ {
			row := new(T)
			in.fail(l.read(in.take(in.int()), row))
			all = append(all, row)
		}
	}
	r.fail(in.err)
	return all
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// read takes a record apart into the table's struct.
func (l *layout) read(record []byte, row any) error {
	r, into := &reader{data: record}, reflect.ValueOf(row).Elem()
	r.columns(len(l.columns))
	for i := range l.columns {
		c := &l.columns[i]
		of, data, null := r.value()
		switch {
		case r.err != nil:
			return r.err
		case of != c.oid:
			return errLayout
		case null, c.field == nil:
			continue
		}
		if err := c.set(field(into, c.field), data); err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
	}
	return r.err
}

// field is one of a struct, also of one that it embeds by a pointer.
func field(v reflect.Value, index []int) reflect.Value {
	for i, x := range index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v
}

// set puts a value that is not NULL into a field.
func (c *layoutColumn) set(v reflect.Value, data []byte) error {
	if v.Kind() == reflect.Pointer && c.base != oid.T_jsonb {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	want := -1
	switch c.base {
	case oid.T_int8, oid.T_timestamptz:
		want = 8
	case oid.T_int4:
		want = 4
	case oid.T_bool, oid.T_jsonb:
		want = 1
	}
	if want >= 0 && len(data) < want {
		return errShort
	}
	switch c.base {
	case oid.T_text:
		v.SetString(string(data))
	case oid.T_int8:
		v.SetInt(int64(binary.BigEndian.Uint64(data))) //nolint:gosec // two's complement on both sides
	case oid.T_int4:
		v.SetInt(int64(int32(binary.BigEndian.Uint32(data)))) //nolint:gosec // likewise
	case oid.T_bool:
		v.SetBool(data[0] != 0)
	case oid.T_timestamptz:
		*v.Addr().Interface().(*time.Time) = time.UnixMicro(int64(binary.BigEndian.Uint64(data)) + epoch).UTC() //nolint:gosec // likewise
	case oid.T_bytea:
		v.SetBytes(bytes.Clone(data))
	case oid.T_jsonb:
		return setJSON(v, data[1:])
	default:
		return fmt.Errorf("the database's type %s does not fit %s", oid.TypeName[c.base], v.Type())
	}
	return nil
}

// setJSON knows the commonest documents without parsing them.
func setJSON(v reflect.Value, doc []byte) error {
	switch {
	case v.Kind() == reflect.Slice && string(doc) == "[]":
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		return nil
	case v.Kind() == reflect.Struct && string(doc) == "{}":
		return nil
	}
	return json.Unmarshal(doc, v.Addr().Interface())
}
