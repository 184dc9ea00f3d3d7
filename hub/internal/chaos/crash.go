package chaos

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	_ "github.com/lib/pq" // to reach the database as an administrator does
)

// crash is what happens to a part of the house while an order is in a call.
type crash struct {
	name string
	does func(c *campaign, o *order) error
}

var none crash

// crashes are taken in turns, in an order that the seed decides.
var crashes = []crash{
	{"kill -9 hub", (*campaign).killHub},
	{"kill -9 hub", (*campaign).killHub},
	{"kill -9 hub", (*campaign).killHub},
	{"hub dies before a call", func(c *campaign, o *order) error { return c.dieAt("recorded", o) }},
	{"hub dies after a call", func(c *campaign, o *order) error { return c.dieAt("answered", o) }},
	{"kill -9 plugin", (*campaign).killPlugin},
	{"kill -9 plugin", (*campaign).killPlugin},
	{"kill -9 plugin", (*campaign).killPlugin},
	{"kill -9 plugin", (*campaign).killPlugin},
	{"kill -9 PostgreSQL", (*campaign).killPostgres},
	{"database connections cut", (*campaign).cutConnections},
	{"database pool exhausted", (*campaign).exhaust},
	{"clock two hours off", (*campaign).shiftClock},
}

// strike does it, one crash at a time.
func (c *campaign) strike(what crash, o *order) {
	time.Sleep(100 * time.Millisecond) // the call is under way
	c.crashes.Lock()
	defer c.crashes.Unlock()
	if err := what.does(c, o); err != nil && c.ctx.Err() == nil {
		o.fail("%s: %v", what.name, err)
		return
	}
	c.faults.add(what.name, 1)
}

func (c *campaign) killHub(o *order) error {
	i := o.n % hubs
	c.house.KillHub(i)
	return c.house.StartHub(c.ctx, i)
}

// dieAt has a hub die between two lines of its next operation.
func (c *campaign) dieAt(point string, o *order) error {
	i := (o.n + 1) % hubs
	c.house.KillHub(i)
	if err := c.house.StartHub(c.ctx, i, "HUB_CRASH_AT="+point); err != nil {
		// It found an operation to die in before it was ready.
		fmt.Fprintln(c.Say, "a hub died sooner than expected:", err)
	}
	for range 100 {
		if c.house.Pids()[hubName(i)] == 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	c.house.KillHub(i)
	return c.house.StartHub(c.ctx, i)
}

func hubName(i int) string { return fmt.Sprint("hub", i) }

func (c *campaign) killPlugin(o *order) error {
	hub := c.house.Pids()[hubName(o.n%hubs)]
	for _, pid := range childrenOf(hub) {
		if name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); strings.TrimSpace(string(name)) == o.way.provider {
			return syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	return nil // it is down as it is
}

// childrenOf finds the processes that a hub started, as `ps` does.
func childrenOf(parent int) (children []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		_, rest, found := strings.Cut(string(text), ") ")
		if fields := strings.Fields(rest); err == nil && found && len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			children = append(children, pid)
		}
	}
	return children
}

func (c *campaign) killPostgres(*order) error { return c.house.RestartPostgres(c.ctx) }

// administer works on the database beside the hubs.
func (c *campaign) administer(do func(context.Context, *sql.DB) error) error {
	db, err := sql.Open("postgres", c.house.DatabaseURL)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(c.ctx, 10*time.Second)
	defer cancel()
	return do(ctx, db)
}

func (c *campaign) run(query string) error {
	return c.administer(func(ctx context.Context, db *sql.DB) error {
		_, err := db.ExecContext(ctx, query)
		return err
	})
}

func (c *campaign) instanceID() (id string, err error) {
	err = c.administer(func(ctx context.Context, db *sql.DB) error {
		return db.QueryRowContext(ctx, `SELECT instance_id FROM hub`).Scan(&id)
	})
	return id, err
}

func (c *campaign) cutConnections(*order) error {
	return c.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
}

// wrongTime is how long a clock is off.
const wrongTime = 1500 * time.Millisecond

// shiftClock has a hub's machine show two hours more, or less, for a while.
func (c *campaign) shiftClock(o *order) error {
	i, ahead := o.n%hubs, 2*time.Hour
	if o.dice[0] < 0.5 {
		ahead = -ahead
	}
	if err := c.house.SetClock(i, ahead); err != nil {
		return err
	}
	time.Sleep(wrongTime)
	return c.house.SetClock(i, 0)
}

// exhaust has every connection of the hubs' pools wait for a lock, while many
// callers come at once.
func (c *campaign) exhaust(o *order) error {
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			req, err := http.NewRequestWithContext(c.ctx, http.MethodGet, c.house.BaseURLs[i%hubs]+"/v1/orders/"+o.last.ID, nil)
			if err != nil {
				return
			}
			req.Header.Set("Authorization", "Bearer "+o.app.key)
			if res, err := c.web.Do(req); err == nil {
				_ = res.Body.Close()
			}
		})
	}
	err := c.run(`BEGIN; SET LOCAL lock_timeout = '5s'; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(0.8); COMMIT`)
	all.Wait()
	return err
}
