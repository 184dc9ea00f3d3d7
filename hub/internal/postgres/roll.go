package postgres

import (
	"context"
	"fmt"

	"github.com/lib/pq"
)

// sealed are the encrypted columns, each of a table with the key id. The
// context that a value is bound to is "table.column id", where id is that of its own
// row or of the one it belongs to; a secret that moves to another column keeps the
// context of the one it was sealed for.
var sealed = []sealedColumn{
	{"hub", "secret", "hub.secret", "one::text", "one::text"}, // of one row, whose key is a boolean
	{"webhook_endpoints", "secret", "webhook_endpoints.secret", "id", "id"},
	{"webhook_endpoints", "previous_secret", "webhook_endpoints.secret", "id", "id"}, // of hubs from before webhook_secrets
	{"webhook_secrets", "secret", "webhook_endpoints.secret", "id", "endpoint_id"},
	{"attempts", "next_action", "attempts.next_action", "id", "id"},
	{"attempts", "opaque", "attempts.opaque", "id", "id"},
	{"returns", "brought", "returns.brought", "attempt_id", "attempt_id"},
	{"operations", "request", "operations.request", "id", "id"},
	{"callbacks", "raw", "callbacks.raw", "id", "id"},
	{"providers", "settings", "providers.settings", "id", "id"},
}

type sealedColumn struct {
	table, column, context string
	key, boundTo           string // of a row, and what its value is bound to beside the context, as SQL
}

// Rolled is how far a column is.
type Rolled struct {
	Column    string // as "attempts.opaque"
	Seen      int    // values
	Rewritten int    // of them, that an older key had sealed
	Lost      int    // of them, that none of the keys opens
}

// RollKeys seals anew, with the newest key, what an older one sealed: column by
// column, limit rows at once, and tells of each step. It may run beside hubs
// that know the newest key, and be broken off and begun again: a value that a
// hub writes meanwhile is left as the hub wrote it.
func (p *DB) RollKeys(ctx context.Context, limit int, tell func(Rolled)) error {
	for _, s := range sealed {
		r := Rolled{Column: s.table + "." + s.column}
		for after, more := "", true; more; {
			var err error
			if after, more, err = p.rollBatch(ctx, s, after, limit, &r); err != nil {
				return fmt.Errorf("roll %s after %q: %w", r.Column, after, err)
			}
			tell(r)
		}
	}
	return nil
}

// rollBatch does the next rows, by id, and tells where it got to.
func (p *DB) rollBatch(ctx context.Context, c sealedColumn, after string, limit int, r *Rolled) (last string, more bool, err error) {
	var rows []struct {
		ID    string
		Owner string
		Value []byte
	}
	q := fmt.Sprintf(`SELECT %[3]s AS id, %[4]s AS owner, %[2]s AS value FROM %[1]s WHERE %[3]s > $1 AND %[2]s IS NOT NULL ORDER BY 1 LIMIT $2`, c.table, c.column, c.key, c.boundTo)
	if err := p.db.SelectContext(ctx, &rows, q, after, limit); err != nil {
		return after, false, mapErr(err)
	}
	var ids pq.StringArray
	var was, becomes pq.ByteaArray
	for _, row := range rows {
		r.Seen, last = r.Seen+1, row.ID
		plain, newest, err := p.keys.unseal(c.context+" "+row.Owner, row.Value)
		if err != nil {
			r.Lost++
			continue
		}
		if !newest {
			ids, was, becomes = append(ids, row.ID), append(was, row.Value), append(becomes, p.keys.seal(c.context+" "+row.Owner, plain))
		}
	}
	if len(ids) > 0 {
		q := fmt.Sprintf(`UPDATE %[1]s t SET %[2]s = x.becomes FROM unnest($1::text[], $2::bytea[], $3::bytea[]) x (id, was, becomes)
			WHERE t.%[3]s = x.id AND t.%[2]s = x.was`, c.table, c.column, c.key)
		res, err := p.exec(ctx, q, ids, was, becomes)
		if err != nil {
			return last, false, mapErr(err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return last, false, mapErr(err)
		}
		r.Rewritten += int(n)
	}
	return last, len(rows) == limit, nil
}
