package main

import (
	"context"
	"fmt"
	"time"

	"github.com/valyala/fasthttp"
)

// ordered is an order of the hub with its one attempt.
type ordered struct{ orderID, attemptID string }

// ordersAtOnce is how many clients make orders through the front door.
const ordersAtOnce = 32

// orders makes n orders that wait for their payer, or are paid. Beside another
// build they come through each build's own front door, so that every row holds
// what only that build writes into it; else they are copies inside the database,
// which is quicker.
func (b *bench) orders(ctx context.Context, n int, paid bool) ([]ordered, error) {
	if b.beside != "" {
		return b.orderedAtDoor(ctx, n, paid)
	}
	t := b.open
	if paid {
		t = b.paid
	}
	var all []ordered
	first, last, err := b.copies(ctx, t, n)
	for i := first; i <= last; i++ {
		all = append(all, ordered{copyID(t.orderID, i), copyID(t.attemptID, i)})
	}
	return all, err
}

func (b *bench) orderedAtDoor(ctx context.Context, n int, paid bool) ([]ordered, error) {
	run := b.name()
	checkout := b.hub.checkout(run)
	err := b.each(ctx, 201, func(req *fasthttp.Request, i int) bool { return i <= n && checkout(req, i) })
	if err != nil {
		return nil, fmt.Errorf("make orders: %w", err)
	}
	rows, err := b.db.QueryContext(ctx, `SELECT o.id, a.id FROM orders o JOIN attempts a ON a.order_id = o.id WHERE o.reference LIKE $1`, run+"-%")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []ordered
	var events []signed
	for rows.Next() {
		var o ordered
		if err := rows.Scan(&o.orderID, &o.attemptID); err != nil {
			return nil, err
		}
		all = append(all, o)
		events = append(events, b.hub.paid(o.attemptID))
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if paid {
		if err := b.each(ctx, 200, callbacks(b.hub.addr, "/callback/stripe", events)); err != nil {
			return nil, fmt.Errorf("pay orders: %w", err)
		}
	}
	return all, b.rest(ctx)
}

// each sends requests until there is none left, and fails if one did.
func (b *bench) each(ctx context.Context, want int, fill func(*fasthttp.Request, int) bool) error {
	l := &load{addr: b.hub.addr, want: want, fill: fill}
	got := l.run(ctx, ordersAtOnce, time.Hour)
	if got.failed > 0 || got.shed > 0 {
		return fmt.Errorf("%d failed and %d were told to come later: %s", got.failed, got.shed, got.why)
	}
	return ctx.Err()
}
