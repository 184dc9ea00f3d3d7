package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

const (
	// CheckSlice is how many orders one slice of a check has: some ten
	// milliseconds of the database's time.
	CheckSlice = 200
	// sliceTimeout bounds each statement of a slice. One that takes longer is
	// tried again with half as many orders.
	sliceTimeout = 900 * time.Millisecond
	// refsSlice is how many rows of refs a slice has: they are only looked up.
	refsSlice = 2000
	// secondLook is how long after the first a doubted slice is read again.
	secondLook = time.Second
)

// Checked is what one slice of a check found.
type Checked struct {
	Part   string // orders or refs: what walks over them
	Orders int
	Doubts []ledger.Doubt
	// Cleared are the orders of the slice that carry a doubt from before, and are
	// found consistent now.
	Cleared []string
	Next    string // cursor of the next slice
	Done    bool   // this was the last one

	after, last string   // the slice's orders, by id; last is empty at the end
	ids         []string // or these orders
}

// cursor is where a check of everything goes on.
type cursor struct {
	Part  string `json:"part"`
	After string `json:"after,omitempty"` // an order's id
	Ref   struct {
		Provider string `json:"provider,omitempty"`
		Kind     string `json:"kind,omitempty"`
		Value    string `json:"value,omitempty"`
	} `json:"ref,omitzero"`
}

const (
	ordersPart = "orders"
	refsPart   = "refs"
)

// CheckAll checks the next orders after a cursor, with all that hangs on them,
// also on orders that are missing; at the end it walks over the providers' names.
// An empty cursor begins anew. A doubt is one only if it is seen twice.
func (p *DB) CheckAll(ctx context.Context, from string, limit int) (Checked, error) {
	at := cursor{Part: ordersPart}
	if from != "" {
		if err := json.Unmarshal([]byte(from), &at); err != nil {
			return Checked{}, fmt.Errorf("cursor of a check: %w", err)
		}
	}
	if at.Part == refsPart {
		return twice(ctx, func() (Checked, error) { return p.checkRefs(ctx, at, refsSlice) })
	}
	return twice(ctx, func() (Checked, error) {
		return halved(limit, func(n int) (Checked, error) { return p.checkOrders(ctx, at, n) })
	})
}

// Verify checks everything, slice by slice, and returns at most limit doubts.
// None is good. Each slice is told of, if anybody wants to know: how many orders
// were checked so far.
func (p *DB) Verify(ctx context.Context, limit int, tell func(orders int)) (doubts []ledger.Doubt, err error) {
	c, orders := Checked{}, 0
	for !c.Done && len(doubts) < limit {
		if c, err = p.CheckAll(ctx, c.Next, CheckSlice); err != nil {
			return doubts, err
		}
		doubts = append(doubts, c.Doubts[:min(len(c.Doubts), limit-len(doubts))]...)
		orders += c.Orders
		if tell != nil {
			tell(orders)
		}
	}
	return doubts, nil
}

// CheckChanged checks the orders that changed after a cursor and before a time:
// those that the next lines of the timeline are about.
func (p *DB) CheckChanged(ctx context.Context, from string, before time.Time, limit int) (Checked, error) {
	var c Checked
	var next []struct {
		ID      string `db:"id"`
		OrderID string `db:"order_id"`
	}
	err := p.bounded(ctx, func(tx *sqlx.Tx) error {
		return tx.SelectContext(ctx, &next, `SELECT id, order_id FROM events WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3`,
			from, ledger.FirstID(ledger.EventID, before), limit)
	})
	if err != nil {
		return c, err
	}
	seen := map[string]bool{}
	c.ids, c.Part, c.Next, c.Done = []string{}, ordersPart, from, len(next) < limit
	for _, e := range next {
		if c.Next = e.ID; !seen[e.OrderID] {
			seen[e.OrderID] = true
			c.ids = append(c.ids, e.OrderID)
		}
	}
	return twice(ctx, func() (Checked, error) { return p.checkThese(ctx, c) })
}

// FirstCursor is the cursor from which on CheckChanged finds what changed at or
// after a time.
func FirstCursor(at time.Time) string { return ledger.FirstID(ledger.EventID, at) }

// twice looks a second time at a slice with doubts, and keeps what both looks
// found: what a commit changed between two statements is no doubt.
func twice(ctx context.Context, look func() (Checked, error)) (Checked, error) {
	first, err := look()
	if err != nil || len(first.Doubts) == 0 {
		return first, err
	}
	select {
	case <-time.After(secondLook):
	case <-ctx.Done():
		return Checked{}, ctx.Err()
	}
	second, err := look()
	if err != nil {
		return Checked{}, err
	}
	first.Doubts = both(first.Doubts, second.Doubts)
	doubted := map[string]bool{}
	for _, d := range first.Doubts {
		doubted[d.OrderID] = true
	}
	first.Cleared = nil
	for _, id := range second.Cleared {
		if !doubted[id] {
			first.Cleared = append(first.Cleared, id)
		}
	}
	return first, nil
}

// both are the doubts that two looks found, as the second one saw them.
func both(first, second []ledger.Doubt) (out []ledger.Doubt) {
	for _, d := range second {
		for _, was := range first {
			if d.Same(was) {
				out = append(out, d)
				break
			}
		}
	}
	return out
}

// halved tries a slice that takes too long again, with half as many.
func halved(limit int, f func(int) (Checked, error)) (Checked, error) {
	for {
		c, err := f(limit)
		if !errors.Is(err, errSlow) || limit == 1 {
			return c, err
		}
		limit = max(1, limit/2)
	}
}

var errSlow = errors.New("a slice of the check takes too long")

// bounded runs statements that only read, each within the time of a slice.
func (p *DB) bounded(ctx context.Context, f func(*sqlx.Tx) error) error {
	err := p.within(ctx, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `SELECT set_config('transaction_read_only', 'on', true), set_config('statement_timeout', $1, true)`,
			strconv.FormatInt(sliceTimeout.Milliseconds(), 10))
		if err != nil {
			return err
		}
		return f(tx)
	})
	var pe *pq.Error
	if errors.As(err, &pe) && (pe.Code == "57014" || pe.Code == lockNotAvailable) && ctx.Err() == nil {
		return errSlow
	}
	return mapErr(err)
}

// checkOrders checks the next orders by id, and what hangs on ids between them.
func (p *DB) checkOrders(ctx context.Context, at cursor, limit int) (c Checked, err error) {
	err = p.bounded(ctx, func(tx *sqlx.Tx) error {
		c, err = p.ordersSlice(ctx, tx, at, limit)
		return err
	})
	return c, err
}

func (p *DB) ordersSlice(ctx context.Context, tx *sqlx.Tx, at cursor, limit int) (Checked, error) {
	c := Checked{Part: ordersPart, after: at.After}
	err := tx.SelectContext(ctx, &c.ids, `SELECT id FROM orders WHERE id > $1 ORDER BY id LIMIT $2`, at.After, limit)
	if err != nil {
		return c, err
	}
	next := cursor{Part: refsPart}
	if len(c.ids) == limit {
		c.last = c.ids[limit-1]
		next = cursor{Part: ordersPart, After: c.last}
	}
	c.Next = next.text()
	if err := p.verifyThese(ctx, tx, &c); err != nil {
		return c, err
	}
	c.ids = nil
	return c, orphans(ctx, tx, &c, rangeOf(c.last))
}

// checkThese checks some orders by name.
func (p *DB) checkThese(ctx context.Context, c Checked) (Checked, error) {
	all := c.ids
	for len(all) > 0 {
		part, err := halved(len(all), func(n int) (Checked, error) {
			part := Checked{ids: all[:n]}
			err := p.bounded(ctx, func(tx *sqlx.Tx) error {
				if err := p.verifyThese(ctx, tx, &part); err != nil {
					return err
				}
				return orphans(ctx, tx, &part, theseIDs)
			})
			return part, err
		})
		if err != nil {
			return Checked{}, err
		}
		all = all[len(part.ids):]
		c.Orders, c.Doubts, c.Cleared = c.Orders+part.Orders, append(c.Doubts, part.Doubts...), append(c.Cleared, part.Cleared...)
	}
	return c, nil
}

func (c cursor) text() string {
	raw, _ := json.Marshal(c) // texts: cannot fail
	return string(raw)
}
