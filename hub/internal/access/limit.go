package access

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limit bounds how many requests a second each caller (an app, a user, an
// address) may make of this hub, so that one that runs wild does not take the
// others' share. Bursts of twice as many are let through. Zero bounds nothing.
type Limit struct {
	perSecond int
	mu        sync.Mutex
	callers   map[string]*rate.Limiter
}

// maxCallers bounds what is remembered of addresses, of which a guesser may
// have many. All are forgotten at once: it costs each a burst.
const maxCallers = 10_000

// NewLimit makes a limit.
func NewLimit(perSecond int) *Limit {
	return &Limit{perSecond: perSecond, callers: map[string]*rate.Limiter{}}
}

// Wait is how long the caller has to wait before its next request; zero lets
// this one through and counts it.
func (l *Limit) Wait(caller string, now time.Time) time.Duration {
	if l.perSecond == 0 {
		return 0
	}
	l.mu.Lock()
	of, ok := l.callers[caller]
	if !ok {
		if len(l.callers) >= maxCallers {
			clear(l.callers)
		}
		of = rate.NewLimiter(rate.Limit(l.perSecond), 2*l.perSecond)
		l.callers[caller] = of
	}
	l.mu.Unlock()
	r := of.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now) // refused requests do not count
	}
	return wait
}
