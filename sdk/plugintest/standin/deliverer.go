package standin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Bounds: how many callbacks are remembered, wait at once, and are in flight.
const (
	maxCallbacks = 5000
	maxPending   = 10_000
	maxInFlight  = 8
)

// Backoff is the wait before each repeat of a callback. Providers repeat for
// days; the sandbox keeps the shape and shortens the time. One try and these
// make sixteen.
var Backoff = []time.Duration{
	200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second,
	10 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, time.Minute, time.Minute,
	2 * time.Minute, 2 * time.Minute, 5 * time.Minute, 5 * time.Minute,
}

// DelivererOptions configures a Deliverer. Only Sender is required.
type DelivererOptions struct {
	Sender  Sender
	Faults  *Faults
	Backoff []time.Duration // nil is Backoff
	Client  *http.Client    // nil is one that follows no redirect and waits 10 s
	Changed func()          // called after a callback's fate changed
	Logger  *slog.Logger
}

// Deliverer posts callbacks until they are answered 2xx. A redirect is a
// failure, as it is at the providers. Callbacks run side by side, so they
// arrive in no promised order.
type Deliverer struct {
	opts   DelivererOptions
	ctx    context.Context
	cancel context.CancelFunc
	wait   sync.WaitGroup
	slots  chan struct{}

	mu      sync.Mutex
	closed  bool
	list    []*Callback // oldest first
	pending int
}

// NewDeliverer starts with the callbacks of an earlier run; those still pending
// are sent on.
func NewDeliverer(opts DelivererOptions, earlier []Callback) *Deliverer {
	if opts.Backoff == nil {
		opts.Backoff = Backoff
	}
	if opts.Client == nil {
		opts.Client = &http.Client{
			Timeout:       10 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	if opts.Changed == nil {
		opts.Changed = func() {}
	}
	if opts.Faults == nil {
		opts.Faults = &Faults{}
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	d := &Deliverer{opts: opts, slots: make(chan struct{}, maxInFlight)}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, old := range earlier {
		d.list = append(d.list, &old)
		if old.State == Pending {
			d.start(&old, 0)
		}
	}
	return d
}

// Send queues a callback. It never blocks: a stand-in calls it while it holds
// its own lock. A queue that is full drops the callback, loudly.
func (d *Deliverer) Send(c Callback) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	if d.pending >= maxPending {
		d.opts.Logger.Error("too many callbacks wait, one was dropped", "id", c.ID, "type", c.Type)
		return
	}
	if len(d.list) >= maxCallbacks {
		d.forgetSettled()
	}
	d.list = append(d.list, &c)
	fault, bitten := d.opts.Faults.forCallback(c.Type, c.Body)
	switch {
	case d.opts.Sender.Target(c.Endpoint) == "":
		c.State = Unsent
	case bitten && (fault.Action == Withhold || fault.Action == Reorder):
		c.State, c.heldBy = Withheld, fault.ID
		if gathered := d.withheld(fault.ID); fault.Action == Reorder && len(gathered) >= fault.Count {
			d.release(gathered, ReleaseOrder{Reverse: fault.Seed == 0, Seed: fault.Seed})
		}
	case bitten && fault.Action == Lose:
		c.State = Lost
	case bitten && fault.Action == Duplicate:
		for range fault.Count {
			d.start(&c, 0)
		}
	case bitten && fault.Action == Postpone:
		d.start(&c, time.Duration(fault.DelayMS)*time.Millisecond)
	default:
		d.start(&c, 0)
	}
}

// Resend sends a callback once more, whatever became of it.
func (d *Deliverer) Resend(id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.IndexFunc(d.list, func(c *Callback) bool { return c.ID == id })
	if i < 0 || d.closed {
		return errors.New("no such callback")
	}
	d.list[i].Tries = 0
	d.start(d.list[i], 0)
	return nil
}

// List returns the callbacks, oldest first.
func (d *Deliverer) List() []Callback {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]Callback, len(d.list))
	for i, c := range d.list {
		all[i] = *c
	}
	return all
}

// Unsettled returns what must outlive this run: all that is not delivered, and
// the newest of the rest, so that they can be sent again.
func (d *Deliverer) Unsettled() []Callback {
	const newest = 200
	all := d.List()
	first := len(all) - newest
	var out []Callback
	for i, c := range all {
		if i >= first || c.State == Pending || c.State == Withheld {
			out = append(out, c)
		}
	}
	return out
}

// Close stops every delivery and returns when none is left.
func (d *Deliverer) Close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.cancel()
	d.wait.Wait()
	d.opts.Client.CloseIdleConnections()
}

// start runs the tries of c from now on; of a callback that is duplicated each
// copy has its own. The caller holds the lock.
func (d *Deliverer) start(c *Callback, wait time.Duration) {
	c.State = Pending
	d.pending++
	d.wait.Go(func() {
		done := false
		for i := 0; d.sleep(wait) && !done; i++ {
			if done = d.try(c); done || i == len(d.opts.Backoff) {
				break
			}
			wait = d.opts.Backoff[i]
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.pending--
		if !done && c.State == Pending && d.ctx.Err() == nil {
			c.State = Exhausted
			d.opts.Changed()
		}
	})
}

func (d *Deliverer) sleep(wait time.Duration) bool {
	if wait == 0 {
		return d.ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-d.ctx.Done():
		return false
	}
}

// try posts once and reports whether there is nothing left to do.
func (d *Deliverer) try(c *Callback) bool {
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
	case <-d.ctx.Done():
		return true
	}
	status := d.post(c)
	if d.ctx.Err() != nil {
		return true // cut off by Close, not by the receiver: it stays pending
	}
	d.mu.Lock()
	c.Tries++
	c.LastStatus = status
	done := status >= 200 && status < 300
	if done {
		c.State = Delivered
	}
	d.mu.Unlock()
	d.opts.Changed()
	return done
}

func (d *Deliverer) post(c *Callback) int {
	req, err := http.NewRequestWithContext(d.ctx, http.MethodPost, d.opts.Sender.Target(c.Endpoint), bytes.NewReader(c.Body))
	if err != nil {
		return 0
	}
	req.Header = d.opts.Sender.Sign(c.Endpoint, c.Body, time.Now())
	if req.Header.Get("Content-Type") == "" { // Sign may say that it is a form
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	resp, err := d.opts.Client.Do(req)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection is used again
	_ = resp.Body.Close()
	d.opts.Logger.Debug("callback", "id", c.ID, "type", c.Type, "status", resp.StatusCode)
	return resp.StatusCode
}

// forgetSettled makes room by dropping the older half of what needs no more
// deliveries.
func (d *Deliverer) forgetSettled() {
	drop := len(d.list) / 2
	d.list = slices.DeleteFunc(d.list, func(c *Callback) bool {
		if drop > 0 && c.State != Pending && c.State != Withheld {
			drop--
			return true
		}
		return false
	})
}
