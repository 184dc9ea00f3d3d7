package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// severalHubs measures checkouts spread over one, two and four hubs that share
// a database; those not asked stand by.
func severalHubs(ctx context.Context, b *bench) error {
	o := b.options
	o.hubs = 4
	several, err := stand(ctx, o)
	if err != nil {
		return err
	}
	defer several.end()
	r := &row{work: "checkout by several hubs", clients: 128, after: several.rest}
	for _, n := range []int{1, 2, 4} {
		name := fmt.Sprintf("%d hubs", n)
		if n == 1 {
			name = hubEntry
		}
		r.entries = append(r.entries, &entry{name: name, programs: several.programs(), run: several.spread(n)})
	}
	if err := several.measure(ctx, r); err != nil {
		return err
	}
	r.print()
	return nil
}

// spread loads the first hubs, each with its share of the clients.
func (b *bench) spread(hubs int) func(context.Context, int, time.Duration) (result, error) {
	return func(ctx context.Context, clients int, long time.Duration) (result, error) {
		var mu sync.Mutex
		var all result
		var work sync.WaitGroup
		for _, base := range b.house.BaseURLs[:hubs] {
			h := *b.hub
			h.addr = host(base)
			l := &load{addr: h.addr, want: 201, fill: h.checkout(b.name())}
			work.Go(func() {
				got := l.run(ctx, clients/hubs, long)
				mu.Lock()
				defer mu.Unlock()
				all.add(got)
				all.took = max(all.took, got.took)
			})
		}
		work.Wait()
		all.sort()
		return all, nil
	}
}
