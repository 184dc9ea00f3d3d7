package dev

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/superpayhub/superpay/hub/internal/process"
)

const (
	readyTimeout = 60 * time.Second // several race-built programs start at once on a small machine
	lookEvery    = 25 * time.Millisecond
)

// child is one program of the house. It can be started anew after it ended.
type child struct {
	house     *House
	name      string
	program   string
	args, env []string
	announces bool   // its first line on stdout says where it is
	health    string // answers 200 when it is ready

	mu   sync.Mutex
	run  *process.Process // nil when it is not meant to run
	said chan announced
}

// announced is what a program says of itself in its first line.
type announced struct {
	URL      string `json:"url"`
	PayPalCA string `json:"paypal_ca"` // of the sandbox: who signs PayPal's callbacks
}

// start runs the program and returns when it is ready, with what it announced.
func (c *child) start(ctx context.Context) (where announced, err error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	run, err := c.launch()
	if err != nil {
		return where, err
	}
	if c.announces {
		select {
		case where = <-c.said:
		case <-run.Done():
			c.ended(run)
			return where, fmt.Errorf("%s ended while it started (%w); its last lines say why", c.name, run.Err())
		case <-ctx.Done():
			return where, fmt.Errorf("%s does not say that it is ready: %w", c.name, ctx.Err())
		}
	}
	if c.health == "" {
		return where, nil
	}
	return where, c.wait(ctx, run)
}

func (c *child) launch() (*process.Process, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.run != nil {
		return nil, fmt.Errorf("%s runs already", c.name)
	}
	log := c.house.logs.named(c.name)
	cmd := exec.Command(filepath.Join(c.house.options.BinDir, c.program), c.args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = c.env, c.house.options.DataDir, log, log
	if c.announces {
		c.said = make(chan announced, 1)
		cmd.Stdout = &announcement{to: c.said, rest: log}
	}
	run, err := process.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	c.run = run
	go func() {
		<-run.Done()
		c.ended(run)
	}()
	return run, nil
}

// ended reports a run that nobody stopped, once. When it returns, the program
// can be started again.
func (c *child) ended(run *process.Process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.run == run {
		c.run = nil
		c.house.report(fmt.Errorf("%s ended by itself: %w", c.name, run.Err()))
	}
}

// wait returns when the program says that it is ready.
func (c *child) wait(ctx context.Context, run *process.Process) error {
	for {
		status, err := get(ctx, c.health)
		if status == http.StatusOK {
			return nil
		}
		select {
		case <-run.Done():
			c.ended(run)
			return fmt.Errorf("%s ended while it started (%w); its last lines say why", c.name, run.Err())
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready (%s: status %d, %w)", c.name, c.health, status, err)
		case <-time.After(lookEvery):
		}
	}
}

func get(ctx context.Context, url string) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	r.Close = true // no connection stays open to a program that is to be stopped
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

// release takes the running process; from then on its end is expected.
func (c *child) release() *process.Process {
	c.mu.Lock()
	defer c.mu.Unlock()
	run := c.run
	c.run = nil
	return run
}

func (c *child) stop(ctx context.Context) error {
	run := c.release()
	if run == nil {
		return nil
	}
	if err := run.Stop(ctx); err != nil {
		return fmt.Errorf("stop %s: %w", c.name, err)
	}
	return nil
}

func (c *child) kill() {
	if run := c.release(); run != nil {
		run.Kill()
	}
}

func (c *child) pid() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.run == nil {
		return 0
	}
	return c.run.Pid()
}

// announcement takes the first line of stdout, {"addr": ..., "url": ...}; what
// follows is logged.
type announcement struct {
	to   chan<- announced
	line []byte
	rest io.Writer
	done bool
}

func (a *announcement) Write(p []byte) (int, error) {
	if a.done {
		return a.rest.Write(p)
	}
	a.line = append(a.line, p...)
	var where announced
	if json.Unmarshal(a.line, &where) == nil && where.URL != "" {
		a.done = true
		a.to <- where
	}
	return len(p), nil
}
