package main

import (
	"context"
	"fmt"
	"time"

	"github.com/valyala/fasthttp"
)

func (b *bench) refundRow(clients int) *row {
	r := &row{work: "refund", clients: clients}
	var mine []string
	r.entries = []*entry{{
		name: hubEntry, programs: b.programs(),
		prepare: func(ctx context.Context, n int) error {
			paid, err := b.orders(ctx, n, true)
			mine = nil
			for _, o := range paid {
				mine = append(mine, o.orderID)
			}
			return err
		},
		run: func(ctx context.Context, clients int, long time.Duration) (result, error) {
			l := &load{addr: b.hub.addr, want: 201, fill: b.hub.refund(b.name(), mine)}
			return l.run(ctx, clients, long), nil
		},
	}}
	for _, other := range b.rivals() {
		var theirs []string
		r.entries = append(r.entries, &entry{
			name: other.title, programs: []int{other.pid},
			prepare: func(ctx context.Context, n int) (err error) { theirs, err = other.fill(ctx, b, n); return err },
			run: func(ctx context.Context, clients int, long time.Duration) (result, error) {
				run := b.name()
				l := &load{addr: other.addr, want: 200, fill: func(req *fasthttp.Request, n int) bool {
					if n > len(theirs) {
						return false
					}
					post(req, other.addr, "/orders/"+theirs[n-1]+"/refunds", fmt.Sprintf("%s-%d", run, n), `{"amount":100}`)
					return true
				}}
				return l.run(ctx, clients, long), nil
			},
		})
	}
	return r
}
