package main

import (
	"context"
	"fmt"
	"time"
)

func (b *bench) callbackRow(clients int) *row {
	r := &row{work: "callback", clients: clients}
	var mine []signed
	var first int
	r.entries = []*entry{{
		name: hubEntry, programs: b.programs(),
		prepare: func(ctx context.Context, n int) (err error) {
			mine, first = nil, b.copied+1
			_, last, err := b.copies(ctx, b.open, n)
			for i := first; i <= last; i++ {
				mine = append(mine, b.hub.paid(copyID(b.open.attemptID, i)))
			}
			return err
		},
		run: func(ctx context.Context, clients int, long time.Duration) (result, error) {
			l := &load{addr: b.hub.addr, want: 200, fill: callbacks(b.hub.addr, "/callback/stripe", mine)}
			got := l.run(ctx, clients, long)
			return got, b.checkPaid(ctx, first, got.done)
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

// checkPaid proves that what was answered 200 is on record: so many copies of
// the open order are paid now.
func (b *bench) checkPaid(ctx context.Context, first, done int) error {
	var paid int
	err := b.db.QueryRowContext(ctx, `SELECT count(*) FROM orders WHERE id BETWEEN $1 AND $2 AND status = 'paid'`,
		copyID(b.open.orderID, first), copyID(b.open.orderID, b.copied)).Scan(&paid)
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
	return b.record(ctx, func() error {
		_, err := once(callbacks(b.hub.addr, "/callback/stripe", []signed{b.hub.paid(b.open.attemptID)}))
		return err
	})
}
