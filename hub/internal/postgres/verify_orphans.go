package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// hanging are the tables whose rows hang on an order by its id.
var hanging = []string{"attempts", "captures", "refunds", "disputes", "operations", "postings", "events", "callbacks", "notifications"}

// maxOrphans bounds how many missing orders one slice names.
const maxOrphans = 100

// theseIDs and rangeOf say which orders a slice is about, as a condition on a column.
func theseIDs(column string) string { return column + " = ANY ($1)" }

func rangeOf(last string) func(string) string {
	return func(column string) string {
		if last == "" {
			return column + " > $1 AND $2 = ''"
		}
		return column + " > $1 AND " + column + " <= $2"
	}
}

// orphans finds what hangs on orders that are not there. All of a commit is one
// statement, and no order is ever deleted.
func orphans(ctx context.Context, tx *sqlx.Tx, c *Checked, which func(column string) string) error {
	var parts []string
	for _, t := range hanging {
		parts = append(parts, fmt.Sprintf(`(SELECT '%s' AS what, x.order_id FROM %[1]s x WHERE %s
			AND NOT EXISTS (SELECT FROM orders o WHERE o.id = x.order_id AND %s) LIMIT %d)`, t, which("x.order_id"), which("o.id"), maxOrphans))
	}
	args := []any{pq.StringArray(c.ids)}
	if c.ids == nil {
		args = []any{c.after, c.last}
	}
	var found []struct {
		OrderID string `db:"order_id"`
		What    string `db:"what"`
	}
	err := tx.SelectContext(ctx, &found, `SELECT order_id, string_agg(DISTINCT what, ', ' ORDER BY what) AS what FROM (`+
		strings.Join(parts, " UNION ALL ")+`) x WHERE order_id <> '' GROUP BY order_id ORDER BY order_id LIMIT `+strconv.Itoa(maxOrphans), args...)
	for _, f := range found {
		c.Doubts = append(c.Doubts, ledger.Doubt{
			OrderID: f.OrderID, Law: ledger.LawExists, Row: f.OrderID, Field: "orders.id", Expected: "an order: it has " + f.What, Found: "none",
		})
	}
	return err
}

// checkRefs walks over the providers' names: each leads to an attempt that has
// it. That an attempt's names lead to it is checked with its order.
func (p *DB) checkRefs(ctx context.Context, at cursor, limit int) (c Checked, err error) {
	err = p.bounded(ctx, func(tx *sqlx.Tx) error {
		c, err = refsIn(ctx, tx, at, limit)
		return err
	})
	return c, err
}

func refsIn(ctx context.Context, tx *sqlx.Tx, at cursor, limit int) (Checked, error) {
	c := Checked{Part: refsPart}
	var rows []struct {
		Provider  string `db:"provider"`
		Kind      string `db:"kind"`
		Value     string `db:"value"`
		AttemptID string `db:"attempt_id"`
		OrderID   string `db:"order_id"`
		Leads     bool   `db:"leads"`
	}
	err := tx.SelectContext(ctx, &rows, `SELECT r.provider, r.kind, r.value, r.attempt_id, r.order_id,
		EXISTS (SELECT FROM attempts a WHERE a.id = r.attempt_id AND a.order_id = r.order_id AND a.provider = r.provider
			AND a.refs @> jsonb_build_array(jsonb_build_object('kind', r.kind, 'value', r.value))) AS leads
		FROM refs r WHERE (r.provider, r.kind, r.value) > ($1, $2, $3) ORDER BY r.provider, r.kind, r.value LIMIT $4`,
		at.Ref.Provider, at.Ref.Kind, at.Ref.Value, limit)
	if err != nil {
		return c, err
	}
	c.Done = len(rows) < limit
	for _, r := range rows {
		at.Ref.Provider, at.Ref.Kind, at.Ref.Value = r.Provider, r.Kind, r.Value
		if !r.Leads {
			c.Doubts = append(c.Doubts, ledger.Doubt{
				OrderID: r.OrderID, Law: ledger.LawRefs, Row: r.Provider + " " + r.Kind + " " + r.Value, Field: "refs.attempt_id",
				Expected: "an attempt of the order that has this name", Found: r.AttemptID,
			})
		}
	}
	if c.Next = at.text(); c.Done {
		c.Next = ""
	}
	return c, nil
}
