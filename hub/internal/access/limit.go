package access

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limit bounds how many requests a second each app may make of this hub, so
// that one that runs wild does not take the others' share. Bursts of twice as
// many are let through. Zero bounds nothing.
type Limit struct {
	perSecond int
	mu        sync.Mutex
	apps      map[string]*rate.Limiter // one for each app that has a key: not many
}

// NewLimit makes a limit.
func NewLimit(perSecond int) *Limit {
	return &Limit{perSecond: perSecond, apps: map[string]*rate.Limiter{}}
}

// Wait is how long the app has to wait before its next request; zero lets this
// one through and counts it.
func (l *Limit) Wait(app string, now time.Time) time.Duration {
	if l.perSecond == 0 {
		return 0
	}
	l.mu.Lock()
	of, ok := l.apps[app]
	if !ok {
		of = rate.NewLimiter(rate.Limit(l.perSecond), 2*l.perSecond)
		l.apps[app] = of
	}
	l.mu.Unlock()
	r := of.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now) // refused requests do not count
	}
	return wait
}
