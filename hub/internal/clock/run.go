package clock

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"
)

const (
	checkEvery   = 30 * time.Second       // while the clocks agree
	recheckEvery = time.Second            // while they do not, or the database was not there to be asked
	lookEvery    = time.Second            // for a step of the machine's clock: nobody is asked for that
	testEvery    = 100 * time.Millisecond // for a test that moves the clock
	checkTimeout = 10 * time.Second
)

// Run compares the clocks until the context ends, and logs when they come
// apart and when they agree again.
func (c *Clock) Run(ctx context.Context) {
	look := lookEvery
	if c.OffsetFile != "" {
		look = testEvery
	}
	tick := time.NewTicker(look)
	defer tick.Stop()
	due, closed := time.Now().Add(checkEvery), false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		c.readOffset()
		if now := time.Now(); now.Before(due) && (closed || c.stepped() == nil) {
			continue
		}
		err := c.checkNow(ctx)
		var apart *SkewError
		switch {
		case ctx.Err() != nil:
			return
		case errors.As(err, &apart):
			if !closed {
				c.Logger.ErrorContext(ctx, "the hub stops deciding by the time until the clocks agree", "error", err)
			}
			closed = true
		case err != nil:
			c.Logger.WarnContext(ctx, "the clock could not be compared with the database's; it is tried again", "error", err)
		case closed:
			c.Logger.InfoContext(ctx, "the clocks agree again; the hub goes on", "skew", c.Skew().String())
			closed = false
		}
		due = time.Now().Add(checkEvery)
		if err != nil {
			due = time.Now().Add(recheckEvery)
		}
	}
}

func (c *Clock) checkNow(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return c.Check(ctx)
}

// readOffset takes over by how much a test has the machine's clock ahead. No
// file, or an empty one, means not at all.
func (c *Clock) readOffset() {
	if c.OffsetFile == "" {
		return
	}
	text, err := os.ReadFile(c.OffsetFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.Logger.Warn("the file with the clock's offset cannot be read", "error", err)
		return
	}
	var offset time.Duration
	if trimmed := strings.TrimSpace(string(text)); trimmed != "" {
		if offset, err = time.ParseDuration(trimmed); err != nil {
			c.Logger.Warn("the file with the clock's offset holds no duration", "error", err)
			return
		}
	}
	c.offset.Store(int64(offset))
}
