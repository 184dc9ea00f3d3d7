package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lib/pq"
)

const (
	lockNotAvailable = "55P03" // PostgreSQL's code for a wait that lock_timeout ended

	// apartFor is how long names stay apart after a statement waited in vain.
	apartFor = 30 * time.Second
	// apartAtOnce is how many statements of a group wait for locks beside it.
	apartAtOnce = 4
	// apartTries is how often one waits before its asker is told ErrLocked.
	apartTries = 5
	// maxApart bounds the names.
	maxApart = 10_000
)

// apart keeps the statements of a group away from each other where somebody holds
// a lock on a row of one of them: a person's open transaction, another program, a
// backup. The first statement that waited in vain names the row's order, key or
// event. Whatever has that name afterwards waits by itself, and in no statement
// that others share, until it goes through or nobody asked for a while.
type apart struct {
	mu    sync.Mutex
	until map[string]time.Time
	busy  map[string]bool // names that a statement waits for now
	n     int             // statements that wait now
}

// waited remembers the names of a statement that waited for a lock in vain, and
// forgets those of one that went through.
func (x *apart) waited(names []string, inVain bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !inVain {
		for _, name := range names {
			delete(x.until, name)
		}
		return
	}
	now := time.Now()
	if len(x.until) >= maxApart {
		for name, until := range x.until {
			if now.After(until) {
				delete(x.until, name)
			}
		}
	}
	if x.until == nil {
		x.until, x.busy = map[string]time.Time{}, map[string]bool{}
	}
	for _, name := range names {
		if len(x.until) < maxApart {
			x.until[name] = now.Add(apartFor)
		}
	}
}

// any reports whether some names are kept apart.
func (x *apart) any() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.until) > 0
}

// keeps reports whether one of the names is kept apart.
func (x *apart) keeps(names []string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := time.Now()
	for _, name := range names {
		until, known := x.until[name]
		if known && now.Before(until) {
			return true
		}
		if known {
			delete(x.until, name)
		}
	}
	return false
}

// enter takes a place to wait in, unless all are taken or somebody waits for one
// of the names already.
func (x *apart) enter(names []string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.n >= apartAtOnce {
		return false
	}
	for _, name := range names {
		if x.busy[name] {
			return false
		}
	}
	if x.busy == nil {
		x.busy = map[string]bool{}
	}
	for _, name := range names {
		x.busy[name] = true
	}
	x.n++
	return true
}

func (x *apart) leave(names []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, name := range names {
		delete(x.busy, name)
	}
	x.n--
}

// locked reports whether a statement waited for a lock in vain: nothing was done.
func locked(err error) bool {
	var e *pq.Error
	return errors.Is(err, ErrLocked) || errors.As(err, &e) && e.Code == lockNotAvailable
}

// wait runs the statement of an asker whose row somebody else holds, beside those
// of all others. It is ErrLocked, and nothing was done, if there is no place or the
// lock stays.
func (g *group[A, R]) wait(ctx context.Context, asks A, names []string) (none R, err error) {
	if !g.apart.enter(names) {
		return none, unsentError{ErrLocked}
	}
	defer g.apart.leave(names)
	for range apartTries {
		result, err := g.alone(ctx, asks)
		if !locked(err) {
			return g.settle(ctx, asks, result, err)
		}
	}
	return none, unsentError{ErrLocked}
}
