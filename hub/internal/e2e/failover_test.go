package e2e

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/hub/internal/devpg"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgproxy"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
)

// replicated is a house whose PostgreSQL has a standby, behind an address that
// leads to whichever is the primary.
type replicated struct {
	*house
	primary *devpg.Server
	standby *pgtest.Standby
	address *pgproxy.Proxy
}

func openReplicated(t *testing.T) *replicated {
	t.Helper()
	primary := pgtest.Server(t)
	address, err := pgproxy.Start(primary.URL())
	require.NoError(t, err)
	t.Cleanup(address.Close)
	r := &replicated{primary: primary, standby: pgtest.Follow(t, primary), address: address}
	r.house = open(t, func(o *dev.Options) { o.DatabaseURL = address.URL() }) // it ends before the servers do
	return r
}

func (r *replicated) promote() {
	r.t.Helper()
	r.standby.Promote()
	require.NoError(r.t, r.address.Redirect(r.standby.URL()))
}

// traffic holds the requests that apps send during a failover.
type traffic struct {
	mu   sync.Mutex
	asks []*asked
}

// asked is one request and its newest answer.
type asked struct {
	path, key string
	body      map[string]any
	answer    answer
}

// ask sends a request, whatever becomes of it, and keeps it.
func (x *traffic) ask(h *house, path string, body map[string]any) answer {
	a := &asked{path: path, key: unique("key"), body: body}
	a.answer, _ = h.try("POST", path, a.key, body)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.asks = append(x.asks, a)
	return a.answer
}

// run has apps ask for payments and refunds at both providers until stop ends it.
func (x *traffic) run(h *house, paid []order, stop <-chan struct{}) {
	var apps sync.WaitGroup
	app := func(ask func(n int)) {
		apps.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				case <-time.After(20 * time.Millisecond):
					ask(n)
				}
			}
		})
	}
	app(func(int) {
		x.ask(h, "/v1/checkouts", body(map[string]any{"flow": "charge", "input": map[string]string{"token": "tok_visa"}}))
	})
	app(func(int) { x.ask(h, "/v1/checkouts", body(map[string]any{"provider": "paypal", "flow": "server"})) })
	app(func(n int) {
		x.ask(h, "/v1/orders/"+paid[n%len(paid)].ID+"/refunds", map[string]any{"amount": 10})
	})
	apps.Wait()
}

// during has apps ask while something happens.
func (x *traffic) during(h *house, paid []order, something func()) {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		x.run(h, paid, stop)
		close(ended)
	}()
	something()
	close(stop)
	<-ended
}

// repeat asks everything once more under the same keys until it is answered.
func (x *traffic) repeat(h *house) {
	h.t.Helper()
	for _, a := range x.asks {
		require.Eventually(h.t, func() bool {
			a.answer, _ = h.try("POST", a.path, a.key, a.body)
			return a.answer.status/100 == 2
		}, 90*time.Second, 50*time.Millisecond, "%s", a.path)
	}
}

// once requires that each request had its effect exactly once, in the hub's books
// (which are compared with the providers' at the end of the test).
func (x *traffic) once(h *house, paid []order) {
	h.t.Helper()
	refunded := map[string]int64{}
	for _, a := range x.asks {
		switch {
		case a.body["flow"] == "charge":
			require.Equal(h.t, int64(1050), h.until(a.answer.ID, "paid").Captured)
		case a.body["flow"] == "server":
			o := h.when(a.answer.ID, "known", func(o answer) bool { return o.Status == "open" })
			live := 0
			for _, attempt := range o.Attempts {
				if attempt.Status == "requires_action" {
					live++
				}
			}
			require.Equal(h.t, 1, live, o.raw)
		default:
			refunded[a.path] += 10
		}
	}
	for _, o := range paid {
		want := refunded["/v1/orders/"+o.ID+"/refunds"]
		h.when(o.ID, fmt.Sprint("refunded ", want), func(a answer) bool { return a.Refunded == want })
	}
}

// paidBefore makes orders at both providers that the traffic refunds.
func paidBefore(h *house) (paid []order) {
	for range 2 {
		paid = append(paid, h.paid(nil).order, ways[5].pay(h, nil).order)
	}
	h.quiet()
	return paid
}

// TestFailover_ToALaggingStandby: an asynchronous standby takes over that lacks
// the last two seconds. Money-out closes, what the providers know comes back
// under its own ids, and every request that is repeated moved money once.
func TestFailover_ToALaggingStandby(t *testing.T) {
	t.Parallel()
	h := openReplicated(t)
	paid := paidBefore(h.house)
	var x traffic
	x.during(h.house, paid, func() {
		time.Sleep(time.Second)
		h.standby.Detach()
		time.Sleep(2 * time.Second)
		h.primary.Kill()
		h.promote()
		time.Sleep(2 * time.Second)
	})

	require.Eventually(t, func() bool {
		return h.count(`SELECT count(*) FROM fences WHERE state = 'open' AND found > 0`) > 0 && h.count(`SELECT count(*) FROM fences WHERE state <> 'open'`) == 0
	}, 2*time.Minute, 100*time.Millisecond, "money-out opens")
	x.repeat(h.house)
	x.once(h.house, paid)
	require.Equal(t, 0, h.count(`SELECT count(*) FROM unmatched WHERE resolved_at IS NULL`))
	require.Equal(t, 0, h.count(`SELECT count(*) FROM orders WHERE needs_attention`))
	t.Logf("%d requests, %d payments and refunds were lost and found", len(x.asks), h.count(`SELECT sum(found) FROM fences`))
}

// TestFailover_Planned: the primary ends in order and the standby has everything.
// Nothing closes.
func TestFailover_Planned(t *testing.T) {
	t.Parallel()
	h := openReplicated(t)
	paid := paidBefore(h.house)
	var x traffic
	x.during(h.house, paid, func() {
		time.Sleep(time.Second)
		require.NoError(t, h.primary.Stop(t.Context()))
		h.standby.CaughtUp()
		h.promote()
		time.Sleep(2 * time.Second)
	})
	x.repeat(h.house)
	x.once(h.house, paid)
	require.Equal(t, 0, h.count(`SELECT count(*) FROM fences`))
}

// TestRecover_ManyLost: LOST payments (10 in CI) at each provider are gone, and as
// many refunds at Stripe of orders that are still known. What Stripe knows is on
// record again within a minute, PayPal's as fast as its event list gives it.
func TestRecover_ManyLost(t *testing.T) {
	t.Parallel()
	many, _ := strconv.Atoi(os.Getenv("LOST"))
	if many == 0 {
		many = 10
	}
	h := open(t, nil)
	kept := h.paid(nil)
	charge := func() string {
		a := h.ask("POST", "/v1/checkouts", unique("key"), body(map[string]any{"flow": "charge", "input": map[string]string{"token": "tok_visa"}}))
		require.Equal(t, 201, a.status, a.raw)
		return a.ID
	}
	known, lost := []string{}, map[string][]string{}
	for range many {
		known = append(known, charge())
	}
	h.quiet()
	restore := pgtest.Backup(t, h.DatabaseURL)
	for range many {
		lost["stripe"] = append(lost["stripe"], charge())
	}
	for _, id := range known {
		a := h.ask("POST", "/v1/orders/"+id+"/refunds", unique("key"), map[string]any{})
		require.Equal(t, 201, a.status, a.raw)
	}
	for range many {
		lost["paypal"] = append(lost["paypal"], ways[5].pay(h, nil).ID)
	}
	counted := h.count(`SELECT coalesce(max(n), 0) FROM witness`)
	require.Eventually(t, func() bool { return h.count(`SELECT coalesce(max(n), 0) FROM witness`) > counted }, 30*time.Second, 50*time.Millisecond)
	restore()
	began := time.Now()
	for _, provider := range []string{"stripe", "paypal"} {
		require.Eventually(t, func() bool {
			return h.count(`SELECT count(*) FROM attempts WHERE provider = $1 AND captured = 1050 AND refunded = 0 AND order_id <> $2`, provider, kept.ID) == many &&
				h.count(`SELECT count(*) FROM refunds WHERE status = 'succeeded'`) == many
		}, 10*time.Minute, 100*time.Millisecond, provider)
		t.Logf("%s: %d payments are on record again after %s", provider, many, time.Since(began).Round(100*time.Millisecond))
		for _, id := range lost[provider] {
			require.Equal(t, "paid", h.ask("GET", "/v1/orders/"+id, "", nil).Status)
		}
	}
	require.Equal(t, int64(1050), h.until(kept.ID, "paid").Captured)
}
