package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/valyala/fasthttp"
)

// once makes one request and gives the answer's body.
func once(fill func(*fasthttp.Request, int) bool) ([]byte, error) {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	fill(req, 1)
	if err := fasthttp.DoTimeout(req, res, answerTimeout); err != nil {
		return nil, err
	}
	if res.StatusCode() >= 300 {
		return nil, fmt.Errorf("%s %s: %d: %.500s", req.Header.Method(), req.URI(), res.StatusCode(), res.Body())
	}
	return res.Body(), nil
}

// name is that of one more load, so that its references and keys are new.
func (b *bench) name() string {
	b.begun++
	return fmt.Sprintf("bench%d", b.begun)
}

// checkout makes an order through the front door, one that can be copied.
func (b *bench) checkout() (orderID string, err error) {
	name := b.name() + "-" + marker
	body, err := once(func(req *fasthttp.Request, _ int) bool {
		b.hub.ask(req, "POST", "/v1/checkouts", name, checkoutBody(name))
		return true
	})
	if err != nil {
		return "", err
	}
	var order struct{ ID string }
	return order.ID, json.Unmarshal(body, &order)
}

// takeTemplates keeps an order that waits for its payer, and one that is paid.
func (b *bench) takeTemplates(ctx context.Context) error {
	order, err := b.checkout()
	if err != nil {
		return err
	}
	if b.open, err = takeTemplate(ctx, b.db, order); err != nil {
		return err
	}
	if err := b.hub.pay(ordered{b.open.orderID, b.open.attemptID}); err != nil {
		return err
	}
	b.paid, err = takeTemplate(ctx, b.db, order)
	return err
}

// copies makes n copies of an order and returns their numbers, first and last.
func (b *bench) copies(ctx context.Context, t *template, n int) (first, last int, err error) {
	first, last = b.copied+1, b.copied+n
	b.copied = last
	return first, last, t.fill(ctx, b.db, first, last)
}

// rest takes the orders that nobody pays off the worker's hands: it would read
// each from the provider in a minute.
func (b *bench) rest(ctx context.Context) error {
	_, err := b.db.ExecContext(ctx, `UPDATE attempts SET due_at = NULL WHERE due_at IS NOT NULL`)
	return err
}

// programs are the hub and its plugins.
func (b *bench) programs() (pids []int) {
	for name, pid := range b.house.Pids() {
		if name != "postgres" {
			pids = append(pids, pid)
		}
	}
	return pids
}

// simple is an entry that needs no preparing.
func simple(name, addr string, want int, fill func() func(*fasthttp.Request, int) bool, programs ...int) *entry {
	return &entry{name: name, programs: programs, run: func(ctx context.Context, clients int, long time.Duration) (result, error) {
		l := &load{addr: addr, want: want, fill: fill()}
		return l.run(ctx, clients, long), nil
	}}
}

func (b *bench) rivals() []*rival {
	return slices.DeleteFunc([]*rival{b.plain, b.node}, func(r *rival) bool { return r == nil })
}

func post(req *fasthttp.Request, addr, path, key, body string) {
	req.Header.SetMethod("POST")
	req.SetRequestURI("http://" + addr + path)
	req.Header.Set("Idempotency-Key", key)
	req.Header.SetContentType("application/json")
	req.SetBodyString(body)
}
