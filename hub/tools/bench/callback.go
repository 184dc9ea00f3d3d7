package main

import (
	"context"
	"fmt"
	"time"

	"github.com/lib/pq"
)

func (b *bench) callbackRow(clients int) *row {
	r := &row{work: "callback", clients: clients}
	var mine []signed
	var open []ordered
	r.entries = []*entry{{
		name: hubEntry, programs: b.programs(),
		prepare: func(ctx context.Context, n int) (err error) {
			mine = nil
			open, err = b.orders(ctx, n, false)
			for _, o := range open {
				mine = append(mine, b.hub.paid(o.attemptID))
			}
			return err
		},
		run: func(ctx context.Context, clients int, long time.Duration) (result, error) {
			l := &load{addr: b.hub.addr, want: 200, fill: callbacks(b.hub.addr, "/callback/stripe", mine)}
			got := l.run(ctx, clients, long)
			return got, b.checkPaid(ctx, open, got.done)
		},
	}}
	b.withPgbench(r, b.callbackScript)
	for _, other := range b.rivals() {
		var theirs []signed
		r.entries = append(r.entries, &entry{
			name: other.title, programs: []int{other.pid},
			prepare: func(ctx context.Context, n int) error {
				orders, err := other.fill(ctx, b, n)
				theirs = nil
				for _, id := range orders {
					theirs = append(theirs, b.hub.paid(id))
				}
				return err
			},
			run: func(ctx context.Context, clients int, long time.Duration) (result, error) {
				l := &load{addr: other.addr, want: 200, fill: callbacks(other.addr, "/callback", theirs)}
				return l.run(ctx, clients, long), nil
			},
		})
	}
	return r
}

// checkPaid proves that what was answered 200 is on record: so many of the
// orders are paid now.
func (b *bench) checkPaid(ctx context.Context, orders []ordered, done int) error {
	ids := make([]string, len(orders))
	for i, o := range orders {
		ids[i] = o.orderID
	}
	var paid int
	err := b.db.QueryRowContext(ctx, `SELECT count(*) FROM orders WHERE id = ANY($1) AND status = 'paid'`, pq.Array(ids)).Scan(&paid)
	if err == nil && paid < done {
		err = fmt.Errorf("%d callbacks were answered with 200, and %d orders are paid", done, paid)
	}
	return err
}

// callbackScript is recorded of an order of its own, and played to copies of
// the order that the others pay.
func (b *bench) callbackScript(ctx context.Context) (*script, error) {
	order, err := b.checkout()
	if err != nil {
		return nil, err
	}
	if b.open, err = takeTemplate(ctx, b.db, order); err != nil {
		return nil, err
	}
	return b.record(ctx, func() error { return b.hub.pay(ordered{b.open.orderID, b.open.attemptID}) })
}
