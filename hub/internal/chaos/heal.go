package chaos

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// heal ends all faults, waits until the books agree, and judges. What does not
// agree in time is what the report tells.
func (c *campaign) heal() (*Report, error) {
	r := &Report{Options: c.Options, Faults: map[string]int{}, Orders: len(c.orders)}
	if err := c.ctx.Err(); err != nil {
		return nil, err
	}
	for _, stand := range c.stands {
		if err := c.relent(stand); err != nil {
			return nil, err
		}
	}
	c.mendAnswers()
	for _, a := range c.apps {
		a.receiver.relent()
	}
	r.Drove = time.Since(c.began)
	c.askLost()
	views, err := c.views()
	if err != nil {
		return nil, err
	}
	open := 0
	for end := time.Now().Add(c.Heal); ; time.Sleep(500 * time.Millisecond) {
		if err := c.judge(r, views); err != nil {
			return nil, err
		}
		if len(r.Findings) == 0 || time.Now().After(end) || c.ctx.Err() != nil {
			// Once more, all of it: what looked settled must have stayed so.
			if views, err = c.views(); err == nil {
				err = c.judge(r, views)
			}
			if err != nil || len(r.Findings) == 0 || time.Now().After(end) || c.ctx.Err() != nil {
				break
			}
		}
		if now := len(r.Findings); now != open {
			fmt.Fprintf(c.Say, "%4.0f s  healing: not settled yet: %d\n", time.Since(c.began).Seconds(), now)
			open = now
		}
		c.refresh(r, views)
	}
	if err != nil {
		return nil, err
	}
	c.askAgain(r)
	if err := c.verify(r); err != nil {
		return nil, err
	}
	r.Took = time.Since(c.began)
	for i := range min(len(r.Findings), maxTold) {
		c.recount(&r.Findings[i])
	}
	return r, c.countFaults(r)
}

// relent ends the faults of a stand-in: what it withheld goes out in an order
// of the seed's, and what waits for its next try does not wait any longer.
func (c *campaign) relent(stand standin.Client) error {
	if err := stand.ClearFaults(c.ctx); err != nil {
		return err
	}
	if _, err := stand.Release(c.ctx, standin.ReleaseOrder{Seed: c.Seed + 1}); err != nil {
		return err
	}
	list, err := stand.Callbacks(c.ctx)
	if err != nil {
		return err
	}
	for _, cb := range list {
		if cb.State == standin.Exhausted || cb.State == standin.Pending && cb.Tries > 2 {
			if err := stand.Resend(c.ctx, cb.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// views reads every order of the apps, by the app's name of it.
func (c *campaign) views() (map[string]*view, error) {
	views, owners := map[string]*view{}, map[string]*order{}
	for _, o := range c.orders {
		owners[o.reference] = o
	}
	for _, a := range c.apps {
		if err := c.viewsOf(a, views, owners); err != nil {
			return nil, err
		}
	}
	return views, nil
}

// viewsOf adds the orders of an app. An order of another app among them is one
// that was shown to a stranger.
func (c *campaign) viewsOf(a *app, views map[string]*view, owners map[string]*order) error {
	for cursor := ""; ; {
		var page struct {
			Data []*view `json:"data"`
			Next string  `json:"next"`
		}
		err := c.get(a, "/v1/orders?limit=100&cursor="+url.QueryEscape(cursor), &page)
		if err != nil {
			return fmt.Errorf("list the orders: %w", err)
		}
		for _, v := range page.Data {
			if o := owners[v.Reference]; o != nil && o.app != a {
				o.fail("is listed for another app")
			}
			a.receiver.answered(v)
			views[v.Reference] = v
		}
		if cursor = page.Next; cursor == "" {
			return nil
		}
	}
}

// get reads from any hub, patiently.
func (c *campaign) get(as *app, path string, out any) (err error) {
	for try := range 40 {
		var raw answer
		ctx, cancel := context.WithTimeout(c.ctx, 20*time.Second)
		raw, err = c.call(ctx, as, c.house.BaseURLs[try%hubs], http.MethodGet, path, "", nil)
		cancel()
		if err == nil && raw.status == 200 {
			return decode(raw.raw, out)
		}
		if err == nil {
			err = fmt.Errorf("status %d: %.200s", raw.status, raw.raw)
		}
		time.Sleep(250 * time.Millisecond)
	}
	return err
}

// refresh reads the orders anew that something was found about.
func (c *campaign) refresh(r *Report, views map[string]*view) {
	var mu sync.Mutex
	var all sync.WaitGroup
	room := make(chan struct{}, 16)
	again := map[string]*order{}
	for _, f := range r.Findings {
		if f.order != nil && views[f.order.reference] != nil {
			again[f.order.reference] = f.order
		}
	}
	for name, o := range again {
		mu.Lock()
		id := views[name].ID
		mu.Unlock()
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			v := &view{}
			if c.get(o.app, "/v1/orders/"+id, v) == nil {
				mu.Lock()
				defer mu.Unlock()
				views[name] = v
			}
		})
	}
	all.Wait()
}

// askAgain repeats requests that were answered: each must come to the same, and
// do nothing.
func (c *campaign) askAgain(r *Report) {
	var all sync.WaitGroup
	room := make(chan struct{}, 16)
	for i, o := range c.orders {
		if i%10 != 0 && c.Orders > 1000 {
			continue
		}
		for _, a := range o.asks {
			if a.id == "" || a.final.status != 200 && a.final.status != 201 || o.gone && (a.path != checkouts || a.id != o.last.ID || a.timed()) {
				continue
			}
			room <- struct{}{}
			all.Go(func() {
				defer func() { <-room }()
				was := a.final
				got := o.repeat(o.n+2, a, 2*patience)
				forgotten := got.status == 409 && o.c.lost(a) && o.known(a, got)
				if got.status != 200 && got.status != 201 && !forgotten {
					o.fail("%s was answered %d, and after all %d: %.200s", a.key, was.status, got.status, got.raw)
				}
			})
		}
	}
	all.Wait()
	for _, o := range c.orders {
		r.misled(o)
	}
	for _, a := range c.apps {
		for _, text := range a.receiver.findings() {
			r.find(misled, nil, "app %s: %s", a.name, text)
		}
	}
}

// verify has the hub prove its own books.
func (c *campaign) verify(r *Report) error {
	cmd := exec.CommandContext(c.ctx, filepath.Join(c.BinDir, "hub"), "ledger", "verify")
	cmd.Env = c.house.Environment()
	var progress strings.Builder
	cmd.Stderr = &progress
	out, err := cmd.Output()
	if err == nil {
		return nil
	}
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 {
		return fmt.Errorf("hub ledger verify: %w: %s", err, progress.String())
	}
	if len(out) == 0 { // it found no doubt, but could not look
		return fmt.Errorf("hub ledger verify: %w: %s", err, progress.String())
	}
	for line := range strings.Lines(string(out)) {
		r.find(unbalanced, nil, "ledger verify: %s", strings.TrimSpace(line))
	}
	return nil
}

// countFaults adds what the stand-ins did to what the campaign did.
func (c *campaign) countFaults(r *Report) error {
	for kind, n := range c.faults.count {
		r.Faults[kind] += n
	}
	for _, a := range c.apps {
		for kind, n := range a.receiver.faults {
			r.Faults[kind] += n
		}
	}
	for _, stand := range c.stands {
		bitten, err := stand.Bitten(c.ctx)
		if err != nil {
			return err
		}
		for action, n := range bitten {
			r.Faults[string(action)] += n
		}
	}
	return nil
}
