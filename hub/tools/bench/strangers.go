package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	phaseLong    = 4 * time.Second
	phaseRest    = time.Second // for what is under way when a phase ends
	toldWithin   = 10 * time.Second
	sickEach     = 8                      // clients at a time with each trouble
	sickAgain    = 250 * time.Millisecond // after which each asks again
	sickEndpoint = 16
	badKeys      = 300 // a second
	flowMost     = 400 // orders under way: what the load itself can hold
)

// strangers measures what an app notices of others' troubles: an order that a person
// holds a lock on and whose app asks again and again, an app whose receivers hang, a
// provider that hangs, and a flood of keys that are none. The app goes on at half of
// what the hub can do for 32 clients, with and without, in turns.
func strangers(ctx context.Context, rows *bench) error {
	hangs := newHanging()
	defer hangs.close()
	o := rows.options
	o.env = []string{
		"HUB_PROVIDERS__SICK__PLUGIN=stripe", "HUB_PROVIDERS__SICK__SETTINGS__SECRET_KEY=sk_test_" + rand.Text(),
		"HUB_PROVIDERS__SICK__SETTINGS__WEBHOOK_SECRET=whsec_" + rand.Text(), "HUB_PROVIDERS__SICK__SETTINGS__API_URL=" + hangs.server.URL,
	}
	b, err := stand(ctx, o)
	if err != nil {
		return err
	}
	defer b.end()
	f := &flow{b: b, sent: map[string]sent{}}
	receiver := httptest.NewServer(http.HandlerFunc(f.receive))
	defer receiver.Close()
	if err := b.hub.endpoint(receiver.URL); err != nil {
		return err
	}
	sick, err := b.sickApp(ctx, hangs)
	if err != nil {
		return err
	}
	rate := 0.0
	for _, long := range []time.Duration{3 * time.Second, 5 * time.Second} { // the first warms up
		if rate, err = f.closed(ctx, usualClients, long); err != nil {
			return err
		}
	}
	rate /= 2
	fmt.Printf("%-24s %8.0f orders a second, each checked out, paid by callback, read and told of: half of what %d clients can\n", "strangers", rate, usualClients)
	without, with := map[string][]time.Duration{}, map[string][]time.Duration{}
	var cores [2]float64
	for round := range max(1, o.rounds) * 2 {
		took := without
		stop := func() error { return nil }
		if round%2 == 1 {
			took = with
			if stop, err = sick.begin(ctx, hangs); err != nil {
				return err
			}
			time.Sleep(phaseRest) // until the troubles are there
		}
		began, before := time.Now(), measure(b.programs(), b.house.Pids()["postgres"])
		p99, err := f.open(ctx, rate, phaseLong)
		after := measure(b.programs(), b.house.Pids()["postgres"])
		cores[round%2] += (after.cpu + after.database - before.cpu - before.database).Seconds() / time.Since(began).Seconds()
		if err := errors.Join(err, stop()); err != nil {
			return err
		}
		for name, d := range p99 {
			took[name] = append(took[name], d)
		}
		time.Sleep(2 * phaseRest)
	}
	fmt.Printf("  %-22s %10s %10s   p99, medians of %d rounds of %s\n", "", "alone ms", "beside ms", max(1, o.rounds), phaseLong)
	for _, name := range flowSteps {
		a, c := median(without[name]), median(with[name])
		ratio := millis(c) / max(0.001, millis(a))
		fmt.Printf("  %-22s %10.2f %10.2f   %.2f; wanted at most 1.5: %s\n", name, millis(a), millis(c), ratio, word(false, ratio <= 1.5))
	}
	n := float64(max(1, o.rounds))
	fmt.Printf("  hub and PostgreSQL had %.2f cores busy alone, %.2f beside\n  troubles: %s\n\n", cores[0]/n, cores[1]/n, sick.told())
	return nil
}

func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[len(d)/2]
}

// flow is what becomes of an order of an app that has no troubles.
type flow struct {
	b    *bench
	mu   sync.Mutex
	sent map[string]sent // by order, until its notification comes
	took map[string][]time.Duration
}

// sent is a callback that was sent.
type sent struct {
	at   time.Time
	told chan struct{} // closed when the app is told of its order
}

var flowSteps = []string{"checkout", "callback", "read", "notification"}

func (f *flow) note(step string, d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.took != nil {
		f.took[step] = append(f.took[step], d)
	}
}

// receive is the app's endpoint.
func (f *flow) receive(_ http.ResponseWriter, r *http.Request) {
	var n struct {
		Type string
		Data struct{ ID string }
	}
	if json.NewDecoder(r.Body).Decode(&n) != nil || n.Type != "order.paid" {
		return
	}
	f.mu.Lock()
	s, ok := f.sent[n.Data.ID]
	delete(f.sent, n.Data.ID)
	f.mu.Unlock()
	if ok {
		f.note("notification", time.Since(s.at))
		close(s.told)
	}
}

// one takes one order from its checkout to its notification.
func (f *flow) one(name string) error {
	h := f.b.hub
	began := time.Now()
	o, err := h.checkOut(name, "stripe")
	if err != nil {
		return fmt.Errorf("checkout: %w", err)
	}
	f.note("checkout", time.Since(began))
	s := sent{at: time.Now(), told: make(chan struct{})}
	f.mu.Lock()
	f.sent[o.orderID] = s
	f.mu.Unlock()
	if err := h.pay(o); err != nil {
		return fmt.Errorf("callback: %w", err)
	}
	f.note("callback", time.Since(s.at))
	began = time.Now()
	if _, err := h.send("GET", "/v1/orders/"+o.orderID, "", ""); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	f.note("read", time.Since(began))
	select {
	case <-s.told:
		return nil
	case <-time.After(toldWithin):
		return fmt.Errorf("order %s was paid and its app is told nothing of it for %s", o.orderID, toldWithin)
	}
}

// closed has clients take one order after the other, and returns how many that are
// in a second.
func (f *flow) closed(ctx context.Context, clients int, long time.Duration) (float64, error) {
	run := f.b.name()
	got := repeat(ctx, clients, long, func(n int) error { return f.one(fmt.Sprintf("%s-%d", run, n)) })
	if got.failed > 0 {
		return 0, fmt.Errorf("%d orders of %d: %s", got.failed, got.failed+got.done, got.why)
	}
	return got.rate(), nil
}

// open begins so many orders in a second, whether those before are through or not, and
// returns the p99 of each step.
func (f *flow) open(ctx context.Context, perSecond float64, long time.Duration) (map[string]time.Duration, error) {
	f.mu.Lock()
	f.took = map[string][]time.Duration{}
	f.mu.Unlock()
	run := f.b.name()
	var work errgroup.Group
	work.SetLimit(flowMost)
	for began, n := time.Now(), 0; time.Since(began) < long && ctx.Err() == nil; time.Sleep(2 * time.Millisecond) {
		for due := int(perSecond * time.Since(began).Seconds()); n < due; n++ {
			name := fmt.Sprintf("%s-%d", run, n)
			work.Go(func() error { return f.one(name) })
		}
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p99 := map[string]time.Duration{}
	for step, all := range f.took {
		slices.Sort(all)
		p99[step] = all[min(len(all)-1, len(all)*99/100)]
	}
	f.took = nil
	return p99, nil
}
