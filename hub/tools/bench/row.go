package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// entry is one way of doing a row's work.
type entry struct {
	name string
	// prepare makes what about n requests are made of, before each round.
	prepare  func(ctx context.Context, n int) error
	run      func(ctx context.Context, clients int, long time.Duration) (result, error)
	programs []int // whose CPU and memory count, with all that they started
	results  []result
	trips    float64 // statements for each request, where they were counted
}

// row is one kind of work at one number of clients; the hub's entry is first.
type row struct {
	work    string
	clients int
	entries []*entry
	// before and after are done around a round, unmeasured.
	before, after func(ctx context.Context) error
}

// measure runs all entries in alternation, so that whatever else happens on
// the machine happens to all of them.
func (b *bench) measure(ctx context.Context, r *row) error {
	rates := make([]float64, len(r.entries)) // to prepare by
	for round := -1; round < b.rounds; round++ {
		long := b.long
		if round < 0 { // warms up
			long = b.long / 3
		}
		if r.before != nil {
			if err := r.before(ctx); err != nil {
				return err
			}
		}
		for turn := range r.entries {
			i := (turn + round + 1) % len(r.entries)
			if round < 0 {
				rates[i] = min(2000, float64(200*r.clients))
			}
			got, err := b.turn(ctx, r.entries[i], r.clients, rates[i], long)
			if err != nil {
				return fmt.Errorf("%s: %w", r.entries[i].name, err)
			}
			if rates[i] = got.rate(); round >= 0 {
				r.entries[i].results = append(r.entries[i].results, got)
			}
		}
		if r.after != nil {
			if err := r.after(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// ready prepares as many requests as an entry may do in that time.
func (e *entry) ready(ctx context.Context, clients int, rate float64, long time.Duration) error {
	if e.prepare == nil {
		return nil
	}
	if err := e.prepare(ctx, int(1.5*rate*long.Seconds())+2*clients); err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	return nil
}

// turn runs one entry once.
func (b *bench) turn(ctx context.Context, e *entry, clients int, rate float64, long time.Duration) (result, error) {
	if err := e.ready(ctx, clients, rate, long); err != nil {
		return result{}, err
	}
	postgres := b.postgres()
	before := measure(e.programs, postgres)
	got, err := e.run(ctx, clients, long)
	after := measure(e.programs, postgres)
	got.usage = usage{after.cpu - before.cpu, after.database - before.database, after.memory}
	if e.name == hubEntry {
		b.asked += got.done
	}
	return got, err
}

// hubEntry is the name of the hub's in every row.
const hubEntry = "hub"

// spread is the middle of some values, and the least and the greatest.
type spread struct{ low, middle, high float64 }

func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	v := slices.Sorted(slices.Values(values))
	return spread{v[0], v[len(v)/2], v[len(v)-1]}
}

func (e *entry) each(f func(result) float64) spread {
	var values []float64
	for _, r := range e.results {
		values = append(values, f(r))
	}
	return spreadOf(values)
}

// over are the hub's rates over the entry's, round by round.
func (r *row) over(e *entry) spread {
	var ratios []float64
	for i, mine := range r.entries[0].results {
		if rate := e.results[i].rate(); rate > 0 {
			ratios = append(ratios, mine.rate()/rate)
		}
	}
	return spreadOf(ratios)
}

// adds is what the hub adds to the entry's median latency, round by round.
func (r *row) adds(e *entry) spread {
	var ms []float64
	for i, mine := range r.entries[0].results {
		ms = append(ms, millis(mine.at(0.5)-e.results[i].at(0.5)))
	}
	return spreadOf(ms)
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (r *row) print() {
	clients := "clients"
	if r.clients == 1 {
		clients = "client"
	}
	fmt.Printf("%-34s %8s %8s %8s %8s %8s %6s  %s\n", fmt.Sprintf("%s, %d %s", r.work, r.clients, clients),
		"per s", "p50 ms", "p99 ms", "CPU ms", "db ms", "MB", "hub / it (least-most)")
	for i, e := range r.entries {
		each := func(f func(result) float64) float64 { return e.each(f).middle }
		per := func(f func(result) time.Duration) float64 {
			return each(func(x result) float64 { return millis(f(x)) / max(1, float64(x.done)) })
		}
		fmt.Printf("  %-32s %8.0f %8.2f %8.2f %8.3f %8.3f %6.0f", e.name, each(result.rate),
			each(func(x result) float64 { return millis(x.at(0.5)) }), each(func(x result) float64 { return millis(x.at(0.99)) }),
			per(func(x result) time.Duration { return x.usage.cpu }), per(func(x result) time.Duration { return x.usage.database }),
			each(func(x result) float64 { return float64(x.usage.memory) / (1 << 20) }))
		if i > 0 {
			s := r.over(e)
			fmt.Printf("  %.2f (%.2f-%.2f)", s.middle, s.low, s.high)
			if r.clients == 1 {
				a := r.adds(e)
				fmt.Printf(", %+.2f ms (%+.2f to %+.2f)", a.middle, a.low, a.high)
			}
		}
		fmt.Println()
		if e.trips > 0 {
			r.printCosts(e)
		}
		for _, x := range e.results {
			if x.failed > 0 || x.shed > 0 {
				fmt.Printf("    %d failed, %d were told to come later: %s\n", x.failed, x.shed, x.why)
			}
		}
	}
	fmt.Println()
}
