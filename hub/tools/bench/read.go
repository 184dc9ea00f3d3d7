package main

import (
	"context"

	"github.com/valyala/fasthttp"
)

func (b *bench) readRow(clients int) *row { return b.reading("order read", clients, false) }
func (b *bench) listRow(clients int) *row { return b.reading("order list, 20", clients, true) }

// reading are the rows that change nothing, over a thousand orders.
func (b *bench) reading(work string, clients int, list bool) *row {
	const many = 1000
	var mine []string
	hub := simple(hubEntry, b.hub.addr, 200, func() func(*fasthttp.Request, int) bool {
		if list {
			return b.hub.list
		}
		return b.hub.read(mine)
	}, b.programs()...)
	hub.prepare = func(ctx context.Context, _ int) error {
		if mine != nil {
			return nil
		}
		paid, err := b.orders(ctx, many, true)
		for _, o := range paid {
			mine = append(mine, o.orderID)
		}
		return err
	}
	r := &row{work: work, clients: clients, entries: []*entry{hub}}
	for _, other := range b.rivals() {
		var theirs []string
		e := simple(other.title, other.addr, 200, func() func(*fasthttp.Request, int) bool {
			return func(req *fasthttp.Request, n int) bool {
				if req.SetRequestURI("http://" + other.addr + "/orders?limit=20"); !list {
					req.SetRequestURI("http://" + other.addr + "/orders/" + theirs[n%len(theirs)])
				}
				return true
			}
		}, other.pid)
		e.prepare = func(ctx context.Context, _ int) (err error) {
			if theirs == nil {
				theirs, err = other.fill(ctx, b, many)
			}
			return err
		}
		r.entries = append(r.entries, e)
	}
	return r
}
