package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/valyala/fasthttp"
)

func (b *bench) checkoutRow(clients int) *row {
	fill := func() func(*fasthttp.Request, int) bool { return b.hub.checkout(b.name()) }
	r := &row{work: "checkout", clients: clients, after: b.rest, entries: []*entry{
		simple(hubEntry, b.hub.addr, 201, fill, b.programs()...),
		simple("the provider called directly", host(b.standIn.url), 200, func() func(*fasthttp.Request, int) bool { return direct }),
	}}
	for _, other := range b.rivals() {
		r.entries = append(r.entries, simple(other.title, other.addr, 200, func() func(*fasthttp.Request, int) bool {
			run := b.name()
			return func(req *fasthttp.Request, n int) bool {
				name := fmt.Sprintf("%s-%d", run, n)
				post(req, other.addr, "/checkouts", name, checkoutBody(name))
				return true
			}
		}, other.pid))
	}
	return b.withPgbench(r, b.checkoutScript)
}

// direct is what the app would ask of the provider itself.
func direct(req *fasthttp.Request, n int) bool {
	req.Header.SetMethod("POST")
	req.SetRequestURI("http://provider/v1/checkout/sessions")
	req.Header.SetContentType("application/x-www-form-urlencoded")
	req.SetBodyString("mode=payment&success_url=https%3A%2F%2Fshop.example%2Fthanks&line_items[0][quantity]=1&line_items[0][price_data][currency]=usd" +
		"&line_items[0][price_data][unit_amount]=10000&line_items[0][price_data][product_data][name]=Two+tickets&metadata[cart]=71")
	return true
}

// libraryEntry is what a program that only calls the provider does, with the
// library that the hub's plugin uses.
func (b *bench) libraryEntry() *entry {
	c := stripeGo(b.standIn.url)
	return &entry{name: "the provider called by stripe-go", run: func(ctx context.Context, clients int, long time.Duration) (result, error) {
		run := b.name()
		return repeat(ctx, clients, long, func(n int) error {
			name := fmt.Sprintf("%s-%d", run, n)
			_, err := newSession(ctx, c, name, name, 10000)
			return err
		}), nil
	}}
}

func (b *bench) checkoutScript(ctx context.Context) (*script, error) {
	return b.record(ctx, func() error { _, err := b.checkout(); return err })
}

// floorWork is a checkout without the disk: what the hub's own steps take.
const floorWork = "checkout, not waiting for the disk"

// floorRow is the one row in which commits do not wait to be durable.
func (b *bench) floorRow(clients int) *row {
	r := b.checkoutRow(clients)
	r.work, r.entries = floorWork, []*entry{r.entries[0], b.libraryEntry(), r.entries[1]}
	r.before = func(ctx context.Context) error { return b.alter(ctx, "synchronous_commit = off") }
	r.after = func(ctx context.Context) error {
		return errors.Join(b.rest(ctx), b.alter(ctx, "synchronous_commit = DEFAULT"))
	}
	return r
}
