package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// answerTimeout is longer than any answer may take; what exceeds it failed.
const answerTimeout = 40 * time.Second

// result is what one load run measured.
type result struct {
	done    int             // requests answered as they should be
	shed    int             // answered 429 or 503
	failed  int             // anything else
	why     string          // the first failure
	took    time.Duration   // of the whole run
	latency []time.Duration // of those that were done, sorted
	usage   usage           // of the programs and of PostgreSQL, while it ran
}

// rate is requests done in a second.
func (r result) rate() float64 { return float64(r.done) / r.took.Seconds() }

// at is the latency that this share of requests stayed below.
func (r result) at(share float64) time.Duration {
	if len(r.latency) == 0 {
		return 0
	}
	return r.latency[min(len(r.latency)-1, int(share*float64(len(r.latency))))]
}

// load sends requests to one address. Fill writes the n-th of this load into
// req and reports false when there is none left; want is the status hoped for.
type load struct {
	addr string
	fill func(req *fasthttp.Request, n int) bool
	want int
	next atomic.Int64
}

// run keeps so many clients busy for a while, each waiting for its answer
// before it asks again.
func (l *load) run(ctx context.Context, clients int, long time.Duration) result {
	client := &fasthttp.HostClient{Addr: l.addr, MaxConns: clients, ReadTimeout: answerTimeout, WriteTimeout: answerTimeout}
	defer client.CloseIdleConnections()
	return together(ctx, clients, long, func(r *result) bool { return l.once(client, r) })
}

// repeat does the same in this program, as often as clients in turn can.
func repeat(ctx context.Context, clients int, long time.Duration, do func(n int) error) result {
	var next atomic.Int64
	return together(ctx, clients, long, func(r *result) bool {
		began := time.Now()
		if err := do(int(next.Add(1))); err != nil {
			r.fail(err.Error())
			return true
		}
		r.done, r.latency = r.done+1, append(r.latency, time.Since(began))
		return true
	})
}

// together has each client do one after the other for a while, or until there is
// none left.
func together(ctx context.Context, clients int, long time.Duration, one func(*result) bool) result {
	var mu sync.Mutex
	var all result
	var work sync.WaitGroup
	began := time.Now()
	for range clients {
		work.Go(func() {
			var mine result
			for time.Since(began) < long && ctx.Err() == nil && one(&mine) {
			}
			mu.Lock()
			defer mu.Unlock()
			all.add(mine)
		})
	}
	work.Wait()
	all.took = time.Since(began)
	all.sort()
	return all
}

func (r *result) sort() { slices.Sort(r.latency) }

// once sends one request; false when there is none left.
func (l *load) once(client *fasthttp.HostClient, r *result) bool {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	req.SetHost(l.addr)
	if !l.fill(req, int(l.next.Add(1))) {
		return false
	}
	began := time.Now()
	err := client.Do(req, res)
	took := time.Since(began)
	switch status := res.StatusCode(); {
	case err != nil:
		r.fail(err.Error())
	case status == l.want:
		r.done++
		r.latency = append(r.latency, took)
	case status == fasthttp.StatusTooManyRequests, status == fasthttp.StatusServiceUnavailable:
		r.shed++
		if len(res.Header.Peek("Retry-After")) == 0 {
			r.fail(fmt.Sprintf("%d without Retry-After", status))
		}
	default:
		r.fail(fmt.Sprintf("%d instead of %d: %.300s", status, l.want, res.Body()))
	}
	return true
}

func (r *result) fail(why string) {
	r.failed++
	if r.why == "" {
		r.why = why
	}
}

func (r *result) add(x result) {
	r.done, r.shed, r.failed = r.done+x.done, r.shed+x.shed, r.failed+x.failed
	r.latency = append(r.latency, x.latency...)
	if r.why == "" {
		r.why = x.why
	}
}
