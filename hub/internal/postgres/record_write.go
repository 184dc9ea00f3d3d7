package postgres

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lib/pq/oid"
)

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
		v, ok := c.of(row)
		if !ok {
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

// of is the column's value in a row; not ok is NULL.
func (c *layoutColumn) of(row reflect.Value) (v reflect.Value, ok bool) {
	if c.field == nil {
		return v, false
	}
	v = row.FieldByIndex(c.field)
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		if v.IsNil() {
			return v, false
		}
	}
	return v, !c.omits || !v.IsZero()
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

// append writes a value that is not NULL.
func (c *layoutColumn) append(b []byte, v reflect.Value) ([]byte, error) {
	if v.Kind() == reflect.Pointer && c.base != oid.T_jsonb {
		v = v.Elem()
	}
	switch c.base {
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
	return nil, fmt.Errorf("%s does not fit the database's type %s", v.Type(), oid.TypeName[c.base])
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
