// Package clock is the hub's one clock. The time of the hub is the database's,
// which all hubs share, carried on by the machine's monotonic clock: a step of
// the machine's clock moves no lease, no expiry and no due time. The machine's
// own clock is compared with the database's at the start and regularly; far
// apart, one of the two is wrong and nobody knows which, so the hub decides
// nothing until they agree again.
package clock

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

// Reading is one look at the database's clock.
type Reading struct {
	At     time.Time     // what it said
	Asked  time.Time     // time.Now() in the middle of the round trip, with its monotonic reading
	Within time.Duration // half the round trip: how far the two may lie apart by that alone
}

// Options are what a clock needs.
type Options struct {
	Ask    func(context.Context) (Reading, error) // reads the database's clock
	Warn   time.Duration                          // a difference above this is logged
	Refuse time.Duration                          // above this the hub does not judge by the time
	Logger *slog.Logger
	// OffsetFile, for tests, holds a duration by which the machine's clock is to
	// seem ahead. It is read again while the clock runs.
	OffsetFile string
}

// Clock tells the hub's time and whether it is to be trusted. Its methods may
// be called from several goroutines.
type Clock struct {
	Options
	base   time.Time                 // of this machine, when the clock was made, with the monotonic reading
	shift  atomic.Int64              // ns that the hub's time is ahead of base and what passed since
	offset atomic.Int64              // ns by which tests have the machine's clock ahead
	skew   atomic.Int64              // ns that the machine was ahead of the database when last compared
	apart  atomic.Pointer[SkewError] // while the comparison found too much
	warned atomic.Bool
}

// New makes a clock that shows the machine's time until the first Check.
func New(o Options) *Clock {
	c := &Clock{Options: o, base: time.Now()}
	c.readOffset()
	c.shift.Store(c.offset.Load())
	return c
}

// Now returns the hub's time. It asks nobody.
func (c *Clock) Now() time.Time { return c.at(time.Now()) }

// at returns the hub's time at a moment of this process.
func (c *Clock) at(moment time.Time) time.Time {
	return c.base.Add(moment.Sub(c.base) + time.Duration(c.shift.Load()))
}

// machine returns what the machine's clock showed at a moment of this process.
func (c *Clock) machine(moment time.Time) time.Time {
	return moment.Round(0).Add(time.Duration(c.offset.Load()))
}

// Skew returns how far the machine's clock was ahead of the database's when
// they were last compared.
func (c *Clock) Skew() time.Duration { return time.Duration(c.skew.Load()) }

// Trusted returns nil, or a *SkewError while the machine's clock and the
// database's are too far apart. It asks nobody: a step of the machine's clock
// since the last comparison shows against the monotonic clock.
func (c *Clock) Trusted() error {
	if apart := c.apart.Load(); apart != nil {
		return apart
	}
	if stepped := c.stepped(); stepped != nil {
		return stepped
	}
	return nil
}

func (c *Clock) stepped() *SkewError {
	now := time.Now()
	return c.tooFar(c.machine(now), c.at(now).Round(0), 0)
}

// tooFar returns an error if two times differ by more than the bound for sure.
func (c *Clock) tooFar(machine, database time.Time, within time.Duration) *SkewError {
	if machine.Sub(database).Abs()-within <= c.Refuse {
		return nil
	}
	return &SkewError{Machine: machine.UTC(), Database: database.UTC(), Limit: c.Refuse}
}

// minStep is a difference that is left alone: the clock need not tremble with
// each reading.
const minStep = time.Millisecond

// Check compares the clocks and takes the database's time over, unless they are
// too far apart: then it returns a *SkewError, and the hub's time goes on as it
// was. Another error means that the database could not be asked; nothing is
// changed then.
func (c *Clock) Check(ctx context.Context) error {
	r, err := c.Ask(ctx)
	if err != nil {
		return fmt.Errorf("compare the clock with the database's: %w", err)
	}
	machine := c.machine(r.Asked)
	skew := machine.Sub(r.At)
	c.skew.Store(int64(skew))
	if apart := c.tooFar(machine, r.At, r.Within); apart != nil {
		c.apart.Store(apart)
		return apart
	}
	if behind := r.At.Sub(c.at(r.Asked).Round(0)); behind.Abs() > r.Within+minStep {
		c.shift.Add(int64(behind))
	}
	c.apart.Store(nil)
	warn := skew.Abs()-r.Within > c.Warn
	if warn && !c.warned.Load() {
		c.Logger.WarnContext(ctx, "this machine's clock differs from the database's; the hub goes by the database's, and stops working when they are too far apart: set the clocks right",
			"skew", skew.String(), "machine", machine.UTC(), "database", r.At.UTC(), "stops_above", c.Refuse.String())
	}
	c.warned.Store(warn)
	return nil
}

// SkewError says that the machine's clock and the database's are too far apart.
type SkewError struct {
	Machine, Database time.Time
	Limit             time.Duration
}

func (e *SkewError) Error() string {
	skew, where := e.Machine.Sub(e.Database), "ahead of"
	if skew < 0 {
		where = "behind"
	}
	return fmt.Sprintf("this machine's clock says %s and is %s %s the database's, which says %s; more than %s (clock.refuse) is refused, for orders would expire and callbacks be judged by a wrong time: set both clocks right (is NTP running on both machines? `timedatectl` tells)",
		e.Machine.Format(layout), skew.Abs().Round(time.Millisecond), where, e.Database.Format(layout), e.Limit)
}

const layout = "2006-01-02 15:04:05.000 MST"
