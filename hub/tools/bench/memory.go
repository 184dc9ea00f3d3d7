package main

import (
	"context"
	"fmt"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	memoryClients = 32
	memorySteps   = 10
	mostHubMB     = 150
	mostPluginMB  = 60
)

// memory looks at what the hub and its plugins hold while they do a million
// operations: of three, one checkout, one callback that it is paid, one read.
func memory(ctx context.Context, b *bench) error {
	fmt.Printf("%-34s %8s %8s\n", "memory", "hub MB", "plugin MB")
	var hub, plugin int64
	for step := range memorySteps {
		third := b.million / memorySteps / 3
		first, last, err := b.copies(ctx, b.open, third)
		if err != nil {
			return err
		}
		var events []signed
		var orders []string
		for i := first; i <= last; i++ {
			events, orders = append(events, b.hub.paid(copyID(b.open.attemptID, i))), append(orders, copyID(b.open.orderID, i))
		}
		some := func(fill func(*fasthttp.Request, int) bool) func(*fasthttp.Request, int) bool {
			return func(req *fasthttp.Request, n int) bool { return n <= third && fill(req, n) }
		}
		for _, l := range []*load{
			{addr: b.hub.addr, want: 201, fill: some(b.hub.checkout(b.name()))},
			{addr: b.hub.addr, want: 200, fill: callbacks(b.hub.addr, "/callback/stripe", events)},
			{addr: b.hub.addr, want: 200, fill: some(b.hub.read(orders))},
		} {
			got := l.run(ctx, memoryClients, time.Hour)
			if b.asked += got.done; got.failed > 0 {
				return fmt.Errorf("%d of %d failed: %s", got.failed, got.done+got.failed, got.why)
			}
			if err := b.rest(ctx); err != nil {
				return err
			}
		}
		hub, plugin = b.memory()
		fmt.Printf("  after %-26d %8d %8d\n", (step+1)*3*third, hub>>20, plugin>>20)
	}
	fmt.Printf("the hub at the end: wanted under %d MB: %s; its largest plugin: wanted under %d MB: %s\n\n",
		mostHubMB, word(false, hub>>20 < mostHubMB), mostPluginMB, word(false, plugin>>20 < mostPluginMB))
	return ctx.Err()
}

// memory is what the first hub holds, and its largest plugin.
func (b *bench) memory() (hub, plugin int64) {
	all, pid := processes(), b.house.Pids()["hub"]
	for _, s := range all {
		if s.parent == pid {
			plugin = max(plugin, s.memory)
		}
	}
	return all[pid].memory, plugin
}
