package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	overloadTimes = 4
	overloadLong  = time.Minute
	overloadMost  = 2000 // requests under way: what the load itself can hold
	usualClients  = 32
)

// overload asks for four times as many checkouts in a second as the hub can do,
// for a minute, whether it answers or not, and then sees how soon it is itself.
func overload(ctx context.Context, rows *bench) error {
	o := rows.options
	o.env = nil // a hub as it is
	b, err := stand(ctx, o)
	if err != nil {
		return err
	}
	defer b.end()
	usual := func(long time.Duration) result {
		return (&load{addr: b.hub.addr, want: 201, fill: b.hub.checkout(b.name())}).run(ctx, usualClients, long)
	}
	usual(5 * time.Second) // warms up
	before := usual(10 * time.Second)
	flood := &load{addr: b.hub.addr, want: 201, fill: b.hub.checkout(b.name())}
	during := flood.flood(ctx, overloadTimes*before.rate(), overloadLong)
	ended, recovered := time.Now(), time.Duration(0)
	var after result
	for ctx.Err() == nil && time.Since(ended) < time.Minute {
		after = usual(time.Second)
		if after.failed+after.shed == 0 && after.rate() > 0.8*before.rate() {
			recovered = time.Since(ended)
			break
		}
	}
	if err := b.rest(ctx); err != nil {
		return err
	}
	fmt.Printf("%-34s %8s %8s %8s %8s %8s\n", "overload", "per s", "p50 ms", "p99 ms", "shed", "failed")
	for _, p := range []struct {
		name string
		result
	}{{"32 clients, each waiting", before}, {fmt.Sprintf("%d times as many, for a minute", overloadTimes), during}, {"32 clients, afterwards", after}} {
		fmt.Printf("  %-32s %8.0f %8.2f %8.2f %8d %8d %s\n", p.name, p.rate(), millis(p.at(0.5)), millis(p.at(0.99)), p.shed, p.failed, p.why)
	}
	ratio := millis(during.at(0.99)) / max(0.001, millis(before.at(0.99)))
	fmt.Printf("p99 of what was accepted over the usual: %.2f; wanted at most 3: %s\n", ratio, word(false, ratio <= 3))
	fmt.Printf("failures beside 429 and 503: %d: %s\n", during.failed, word(false, during.failed == 0))
	fmt.Printf("itself again after %s; wanted within 5 s: %s\n\n", recovered.Round(100*time.Millisecond), word(false, recovered > 0 && recovered <= 5*time.Second))
	return nil
}

// flood sends so many requests a second, whether the ones before are answered
// or not.
func (l *load) flood(ctx context.Context, perSecond float64, long time.Duration) result {
	client := &fasthttp.HostClient{Addr: l.addr, MaxConns: overloadMost, ReadTimeout: answerTimeout, WriteTimeout: answerTimeout}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var all result
	var work sync.WaitGroup
	places := make(chan struct{}, overloadMost)
	began, sent := time.Now(), 0
	for time.Since(began) < long && ctx.Err() == nil {
		for due := int(perSecond * time.Since(began).Seconds()); sent < due; sent++ {
			select {
			case places <- struct{}{}:
			default:
				continue // the load is at its own end
			}
			work.Go(func() {
				defer func() { <-places }()
				var mine result
				l.once(client, &mine)
				mu.Lock()
				defer mu.Unlock()
				all.add(mine)
			})
		}
		time.Sleep(2 * time.Millisecond)
	}
	all.took = time.Since(began)
	work.Wait()
	all.sort()
	return all
}
