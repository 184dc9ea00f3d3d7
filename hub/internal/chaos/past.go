package chaos

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// goBack has the database go back in time: at a third of the run it is copied,
// at a half the copy takes its place, under the running hubs.
func (c *campaign) goBack(o *order, first, last int) {
	var does crash
	switch o.n {
	case first + (last-first)/3:
		does = crash{"database copied", (*campaign).copy}
	case first + (last-first)/2:
		does = crash{"database goes back in time", (*campaign).restore}
	default:
		return
	}
	c.crashing.Go(func() { c.strike(does, o) })
}

// readListed reads which attempts' money is listed for a person because no
// order has them.
func (c *campaign) readListed() error {
	c.listed = map[string]bool{}
	if !c.has(GoesBack) {
		return nil
	}
	out, err := c.command("provider", "unmatched")
	if err != nil {
		return err
	}
	for _, word := range strings.Fields(out) {
		c.listed[word] = true
	}
	return nil
}

// copy keeps the database as it stands.
func (c *campaign) copy(*order) error {
	c.copied = time.Now()
	return c.house.SnapshotPostgres(c.ctx)
}

// restore puts the copy in the place of the database.
func (c *campaign) restore(*order) error {
	c.wentBack.Store(true)
	for _, a := range c.apps {
		a.receiver.lost.Store(true)
	}
	err := c.house.RestorePostgres(c.ctx)
	c.restored = time.Now()
	return err
}

// lost reports whether what the app asked may be on no record any more: it was
// asked before the database went back, and not answered before it was copied.
func (c *campaign) lost(a *ask) bool {
	return c.wentBack.Load() && a.at.Before(c.restored) && (a.told.IsZero() || a.told.After(c.copied))
}

// known reports whether a request whose record is lost is refused for what it had
// done: its effect is there, or the order is, by another of its attempts.
func (o *order) known(a *ask, got answer) bool {
	switch a.verb {
	case "checkout":
		return got.Code == "reference_used" && got.OrderID == o.last.ID
	case "refund":
		return false // it comes back with the payment
	}
	return true
}

// lostAny reports whether anything that the app asked with a verb may be lost.
func (o *order) lostAny(verb string) bool {
	return slices.ContainsFunc(o.asks, func(a *ask) bool { return a.verb == verb && o.c.lost(a) })
}

// askLost has the apps do what they do with an order that is not there any more:
// they ask for it again, under the same key. What was asked about it besides has
// lost its meaning.
func (c *campaign) askLost() {
	if !c.wentBack.Load() {
		return
	}
	var all sync.WaitGroup
	room := make(chan struct{}, 16)
	for _, o := range c.orders {
		if o.last.ID == "" {
			continue
		}
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			o.askLost()
		})
	}
	all.Wait()
}

func (o *order) askLost() {
	defer func() {
		for id := range o.replaced {
			got, err := o.c.call(o.c.ctx, o.app, o.hub(), http.MethodGet, "/v1/orders/"+id, "", nil)
			if err == nil && got.status == http.StatusOK && id != o.last.ID {
				o.fail("one key made the orders %s and %s", id, o.last.ID)
			}
		}
	}()
	for try := range 40 {
		got, err := o.c.call(o.c.ctx, o.app, o.c.house.BaseURLs[(o.n+try)%hubs], http.MethodGet, "/v1/orders/"+o.last.ID, "", nil)
		if err == nil && got.status == http.StatusOK {
			return
		}
		if err == nil && got.status == http.StatusNotFound {
			break
		}
		time.Sleep(250 * time.Millisecond)
	}
	o.gone = true
	i := slices.IndexFunc(o.asks, func(a *ask) bool { return a.path == checkouts })
	if i < 0 {
		return
	}
	if o.asks[i].timed() {
		return // its time is up
	}
	if got := o.repeat(o.n, o.asks[i], 2*patience); got.status == http.StatusOK || got.status == http.StatusCreated {
		o.last = got.view
	}
}

// timed reports whether a request names a time, by which it can be asked only then.
func (a *ask) timed() bool {
	body, _ := a.body.(map[string]any)
	return body["expires_at"] != nil
}

// forgot reports whether an order that was answered may be no more, because the
// database went back. In the end it must not be there.
func (o *order) forgot(id string) bool {
	if !o.c.wentBack.Load() || !strings.HasPrefix(id, "ord_") {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.replaced == nil {
		o.replaced = map[string]bool{}
	}
	o.replaced[id] = true
	return true
}

// forgotten reports whether an order that is not there any more is accounted
// for: the database went back, and what money the provider has for it is listed
// for a person. One for which it has none is known to nobody but the app.
func (c *campaign) forgotten(o *order, books map[string]*theirs) bool {
	if !o.gone {
		return false
	}
	for id := range o.seen {
		if b := books[id]; b != nil && b.money() && !c.listed[id] {
			return false
		}
	}
	return true
}

// money reports whether the provider holds or took any.
func (t *theirs) money() bool {
	held := slices.ContainsFunc(t.payments, func(e standin.Entry) bool { return e.Status == "requires_capture" })
	return held || slices.ContainsFunc(t.captures, func(e standin.Entry) bool { return e.Status != "failed" })
}

// taken counts the captures of attempts that answers named and that the order
// does not have any more.
func (t *trial) taken(books map[string]*theirs) (n int) {
	for id := range t.o.seen {
		if slices.ContainsFunc(t.v.Attempts, func(a attempt) bool { return a.ID == id }) || books[id] == nil {
			continue
		}
		for _, e := range books[id].captures {
			if e.Status == "succeeded" {
				n++
			}
		}
	}
	return n
}
