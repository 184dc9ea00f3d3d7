package chaos

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// order is one order's life, and all that was asked, agreed to and told in it.
type order struct {
	c   *campaign
	app *app
	plan
	n         int
	reference string // the app's name of it
	last      view   // as an answer last showed it
	browser   string // the PayPal order that the payer's browser made

	mu       sync.Mutex
	rules    []ruleOf // that were set for it
	asks     []*ask
	yes      int             // how often the payer agreed to pay, or the app charged
	taken    []int64         // amounts that were asked to be captured; 0 is all
	back     []int64         // amounts that were asked back, by distinct keys; 0 is the rest
	pressed  []int64         // amounts given back by the provider's own button
	acted    map[string]bool // what else than the app did it: an operator, or the dashboard
	operated []int64         // amounts given back by operators
	complain []string
	seen     map[string]bool // its attempts, as answers named them
	gone     bool            // the database went back, and it is not there any more
	replaced map[string]bool // orders that were answered before it went back
	card     string          // that the payer pays with; "" is one that succeeds
	funding  string          // that the payer chooses at PayPal; "" is their balance
	charged  bool            // the app charged what its client gave it
	canceled bool            // the app was told that it is
}

// ask is one request of the app, with its key: however often it is repeated, it
// must come to the same.
type ask struct {
	verb, path, key string
	fresh           bool // nobody has asked under the key yet
	body            any
	id              string // of the order or refund that it was answered with
	final           answer // empty while there is none
	at, told        time.Time
}

func newOrder(c *campaign, n int) *order {
	return &order{c: c, app: c.apps[n%len(c.apps)], plan: planOf(c.Options, n), n: n, reference: fmt.Sprintf("chaos-%d-%06d", c.Seed, n)}
}

// live goes through the story.
func (o *order) live() {
	defer func() {
		if r := recover(); r != nil && r != errOver {
			panic(r)
		}
		o.lift()
		o.peek()
	}()
	o.story.tell(o)
}

// errOver ends a story that cannot go on: the faults were too many.
var errOver = fmt.Errorf("the story ends here")

// fail notes what must not be, whatever the faults.
func (o *order) fail(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.complain) < 5 {
		o.complain = append(o.complain, fmt.Sprintf(format, args...))
	}
}

// actedBy notes that somebody else than the app did something.
func (o *order) actedBy(verb string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.acted == nil {
		o.acted = map[string]bool{}
	}
	o.acted[verb] = true
}

// hub is the one that the order's app talks to first.
func (o *order) hub() string { return o.c.house.BaseURLs[o.n%hubs] }

// attempt is the newest.
func (o *order) attempt() *attempt {
	if len(o.last.Attempts) == 0 {
		return nil
	}
	return &o.last.Attempts[len(o.last.Attempts)-1]
}

// ref is the provider's name of the newest attempt.
func (o *order) ref(kinds ...string) string {
	if a := o.attempt(); a != nil {
		for _, k := range kinds {
			if v := a.ref(k); v != "" {
				return v
			}
		}
	}
	return ""
}

// patience is how long an app repeats one request.
const patience = 15 * time.Second

// send asks, and repeats with the same key through the other hubs until there
// is an answer to rely on. Its zero status says that there was none in time.
func (o *order) send(at step, from int, a *ask) answer {
	o.mu.Lock()
	o.asks = append(o.asks, a)
	o.mu.Unlock()
	o.arm(at)
	a.fresh = true
	return o.repeat(from, a, patience)
}

func (o *order) repeat(from int, a *ask, limit time.Duration) answer {
	wait := 20 * time.Millisecond
	fresh := a.fresh
	a.fresh = false
	if a.at.IsZero() {
		a.at = time.Now()
	}
	for end := time.Now().Add(limit); time.Now().Before(end) && o.c.ctx.Err() == nil; from++ {
		timeout := 12 * time.Second
		if o.hasty && wait < 40*time.Millisecond {
			timeout = 25 * time.Millisecond // the app gives up, and asks again
			o.c.faults.add("client gave up", 1)
		}
		ctx, cancel := context.WithTimeout(o.c.ctx, timeout)
		got, err := o.c.call(ctx, o.app, o.c.house.BaseURLs[from%hubs], http.MethodPost, a.path, a.key, a.body)
		cancel()
		if err == nil && o.hear(a, got) {
			return got
		}
		if err == nil && fresh && got.status == 409 {
			if got.Code == "in_flight" {
				o.fail("the first request with key %s was answered that another is in flight", a.key)
			}
			if o.brisk && a.verb == "refund" {
				return got // nothing was done, or so it says
			}
		}
		fresh = false
		time.Sleep(wait)
		wait = min(2*wait, 300*time.Millisecond)
	}
	return answer{}
}

// hear reads an answer, and reports whether it can be relied on.
func (o *order) hear(a *ask, got answer) bool {
	switch {
	case got.status == 200, got.status == 201, got.status == 202:
		o.mu.Lock()
		was := a.id
		a.id = got.ID
		o.mu.Unlock()
		if was != "" && was != got.ID && !o.forgot(was) {
			o.fail("key %s was answered with %s and with %s", a.key, was, got.ID)
		}
		o.see(&got.view)
		if got.status == 202 {
			return false // not known yet: the repeat tells
		}
	case got.status == 503, got.status == 429:
		return false
	case got.status == 409 && (got.Code == "in_flight" || got.Code == "operation_open" || got.Code == "attempt_open" || got.Code == "busy"):
		return false
	case got.status == 409, got.status == 422 && got.Code != "invalid_request":
	case got.status == 404 && o.c.wentBack.Load(): // see askLost
	default:
		o.fail("%s was answered %d: %.300s", a.path, got.status, got.raw)
	}
	o.mu.Lock()
	a.final = got
	if a.told.IsZero() {
		a.told = time.Now()
	}
	o.mu.Unlock()
	return true
}

// see keeps the attempts that an answer names.
func (o *order) see(v *view) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen == nil {
		o.seen = map[string]bool{}
	}
	for _, a := range v.Attempts {
		o.seen[a.ID] = true
	}
}

// read takes the order as it stands, from any hub that answers.
func (o *order) read() bool {
	if o.last.ID == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(o.c.ctx, 5*time.Second)
	defer cancel()
	for i := range hubs {
		got, err := o.c.call(ctx, o.app, o.c.house.BaseURLs[(o.n+i)%hubs], http.MethodGet, "/v1/orders/"+o.last.ID, "", nil)
		if err == nil && got.status == 200 {
			o.last = got.view
			o.see(&got.view)
			return true
		}
		if err == nil && got.status != 503 && (got.status != 404 || !o.c.wentBack.Load()) {
			o.fail("the order reads %d: %.300s", got.status, got.raw)
		}
	}
	return false
}

// until reads the order until it is as wanted, for as long as an app would wait.
func (o *order) until(ok func(*view) bool) bool {
	wait := 20 * time.Millisecond
	for end := time.Now().Add(8 * time.Second); time.Now().Before(end) && o.c.ctx.Err() == nil; {
		if o.read() && ok(&o.last) {
			return true
		}
		time.Sleep(wait)
		wait = min(2*wait, 250*time.Millisecond)
	}
	return false
}

// must is until, and the end of the story if it does not come.
func (o *order) must(ok func(*view) bool) {
	if !o.until(ok) {
		panic(errOver)
	}
}

func paid(v *view) bool       { return v.Captured > 0 }
func authorized(v *view) bool { return v.is("authorized") }
func declined(v *view) bool {
	return len(v.Attempts) > 0 && v.Attempts[len(v.Attempts)-1].Failure != nil
}
