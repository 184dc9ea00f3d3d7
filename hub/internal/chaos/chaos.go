// Package chaos is the campaign: it drives seeded, mixed traffic of two apps
// through every way to pay while it kills, freezes, cuts, delays, loses, forges
// and presses the provider's buttons; then it lets everything heal and compares
// the providers' books with the hub's, order by order, and what each app was
// answered and notified with how it ended. It uses only front doors: the API,
// callbacks, webhook receivers, payers' pages, the hub's commands, and the
// stand-ins' doors.
package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgproxy"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// Options say what to run. BinDir and DataDir are required; DataDir must not
// hold anything worth keeping.
type Options struct {
	BinDir, DataDir string
	Seed            uint64
	Orders          int
	Only            int           // this order alone, counted from 1; 0 runs all
	Every           int           // orders between two crashes; 0 is 80
	Workers         int           // orders in progress at once; 0 is 48
	Heal            time.Duration // bounds the wait after the last fault; 0 is 90 s
	BreakLaw        string        // has the house break a law, to see that it is found: a value of HUB_BREAK_LAW, or Signature
	DatabaseURL     string        // "" is a PostgreSQL of its own, which can be killed
	Stories         []string      // only those; none is all
	Rate            float64       // of orders with a call that fails; 0 is 0.3
	Answers         int           // commits between two whose connection is cut; 0 is 150
	Without         []string      // kinds of faults that are left out: see Kinds
	LogWriter       io.Writer     // what all processes say; nil drops it
	Say             io.Writer     // how it goes; nil says nothing
}

const hubs = 3

// Kinds of faults that Options.Without can leave out.
const (
	Stale         = "stale"      // reads that lag behind the events
	Contradicting = "contradict" // answers about another amount, currency, status or payment
	GoesBack      = "back"       // the database goes back in time, once
	Weather       = "weather"    // troubles of a whole provider: see troubles
)

// Kinds are all of them.
var Kinds = []string{Stale, Contradicting, GoesBack, Weather}

func (o Options) has(kind string) bool { return !slices.Contains(o.Without, kind) }

// Signature is the law that a callback's signature is checked. It is the
// plugins' to keep: for it they are built with the tag break_signature, which
// no other build has.
const Signature = "signature"

// The house's clock: a minute of the hub's schedules passes in well under a
// second, and a call of a provider may take as long as one of the delays here
// does not.
const (
	timeScale   = 100
	callTimeout = 1500 * time.Millisecond
)

// campaign is one run.
type campaign struct {
	Options
	ctx      context.Context
	house    *dev.House
	front    *front
	database *pgproxy.Proxy            // through which the hubs reach PostgreSQL
	stands   map[string]standin.Client // by plugin
	web      *http.Client              // of apps
	payers   *http.Client              // who wait for the page
	apps     []*app
	listed   map[string]bool // attempts that a person is told of because no order has them
	orders   []*order
	instance string        // the hubs' id, which a forger may have learnt
	seen     *transmission // a genuine callback of PayPal's, to forge others by
	began    time.Time

	crashes  sync.Mutex // one at a time
	crashing sync.WaitGroup
	faults   tally
	lagging  lagging
	wentBack atomic.Bool // the database: what was answered before may be gone
	copied   time.Time   // the database that came back
	restored time.Time   // it was
	done     atomic.Int64
}

// Run stands a house up, drives the orders through it, lets it heal and judges.
// An error means that the campaign itself could not be run.
func Run(ctx context.Context, o Options) (*Report, error) {
	positive(&o.Every, 80)
	positive(&o.Workers, 48)
	positive(&o.Heal, 90*time.Second)
	positive(&o.Rate, 0.3)
	positive(&o.Answers, 150)
	if o.Say == nil {
		o.Say = io.Discard
	}
	c := &campaign{Options: o, ctx: ctx, began: time.Now(), faults: tally{count: map[string]int{}}}
	if err := c.open(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	c.drive()
	report, err := c.heal()
	return report, errors.Join(err, c.close())
}

func positive[T int | float64 | time.Duration](v *T, usual T) {
	if *v <= 0 {
		*v = usual
	}
}

// open stands the house up, with one address for callbacks in front of the hubs.
func (c *campaign) open() error {
	if err := os.Chmod(c.DataDir, 0o755); err != nil { // PostgreSQL's own user has to get in
		return err
	}
	env := []string{"HUB_DATABASE__MAX_CONNS=8", "HUB_LOG__LEVEL=info", "HUB_SERVER__RATE_LIMIT=0"}
	switch c.BreakLaw {
	case "":
	case Signature:
		plugins := filepath.Join(c.DataDir, "plugins")
		if err := dev.BuildPlugins(plugins, "break_signature"); err != nil {
			return err
		}
		env = append(env, "HUB_PLUGINS__DIR="+plugins)
	default:
		env = append(env, "HUB_BREAK_LAW="+c.BreakLaw)
	}
	var err error
	c.house, err = dev.Start(c.ctx, dev.Options{
		BinDir: c.BinDir, DataDir: c.DataDir, DatabaseURL: c.DatabaseURL, Hubs: hubs, Fleeting: true, Env: env,
		Clocks: true, TimeScale: timeScale, CallTimeout: callTimeout, LogWriter: c.LogWriter, HubDatabase: c.cutAnswers,
	})
	if err != nil {
		return err
	}
	c.web = &http.Client{
		Timeout:       20 * time.Second,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 2 * c.Workers, IdleConnTimeout: 30 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	payers := *c.web
	payers.Timeout = 2 * time.Minute
	c.payers = &payers
	c.stands = map[string]standin.Client{}
	for _, name := range []string{"stripe", "paypal"} {
		c.stands[name] = standin.Client{BaseURL: c.house.SandboxURL + "/" + name, HTTP: c.web}
	}
	if err := c.openApps(); err != nil {
		return fmt.Errorf("make the apps: %w", err)
	}
	if c.front, err = openFront(c.house.BaseURLs); err != nil {
		return err
	}
	if err := c.overhear(); err != nil {
		return fmt.Errorf("overhear a callback of PayPal's: %w", err)
	}
	if c.instance, err = c.instanceID(); err != nil {
		return err
	}
	for name, stand := range c.stands {
		if err := stand.SetWebhook(c.ctx, c.front.url+"/callback/"+name); err != nil {
			return err
		}
	}
	return nil
}

func (c *campaign) close() error {
	if c.front != nil {
		c.front.close()
	}
	if c.database != nil {
		defer c.database.Close()
	}
	if c.house == nil {
		return nil
	}
	c.closeApps()
	c.web.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), time.Minute)
	defer cancel()
	return c.house.Stop(ctx)
}

// drive lives every order's life, many at once.
func (c *campaign) drive() {
	first, last := 1, c.Orders
	if c.Only > 0 {
		first, last = c.Only, c.Only
	}
	for n := first; n <= last; n++ {
		c.orders = append(c.orders, newOrder(c, n))
	}
	next := make(chan *order)
	var workers sync.WaitGroup
	for range c.Workers {
		workers.Go(func() {
			for o := range next {
				if c.has(GoesBack) {
					c.goBack(o, first, last)
				}
				o.live()
				c.freshen()
				c.done.Add(1)
			}
		})
	}
	stop := c.progress()
	calm := func() {}
	if c.Only == 0 && c.has(Weather) {
		calm = c.weather()
	}
	for _, o := range c.orders {
		if c.ctx.Err() != nil {
			break
		}
		next <- o
	}
	close(next)
	workers.Wait()
	c.crashing.Wait()
	calm()
	stop()
}

// progress says how it goes, every few seconds.
func (c *campaign) progress() (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	began := time.Now()
	say := func() {
		took := time.Since(began).Seconds()
		fmt.Fprintf(c.Say, "%4.0f s  %d of %d orders, %.0f/s\n", time.Since(c.began).Seconds(), c.done.Load(), len(c.orders), float64(c.done.Load())/took)
	}
	go func() {
		defer close(ended)
		ticker := time.NewTicker(10 * time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				say()
			case <-end:
				say()
				return
			}
		}
	}()
	return func() { close(end); <-ended }
}

// tally counts what the campaign does by itself, by kind.
type tally struct {
	mu    sync.Mutex
	count map[string]int
}

func (t *tally) add(kind string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count[kind] += n
}
