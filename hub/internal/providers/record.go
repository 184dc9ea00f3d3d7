package providers

import (
	"slices"
	"sync"
	"time"
)

const (
	recent    = 512              // calls that are remembered
	since     = 15 * time.Minute // and for how long they count
	slot      = 30 * time.Minute // of the past, one bar each
	slots     = 48
	fewCalls  = 5  // fewer tell nothing about a provider
	tooMany   = 20 // of a hundred calls without an answer: degraded
	tooSlowly = 8 * time.Second
)

// Health is how the calls of this hub to a provider went lately. What was said
// to callbacks does not count: they ask nobody.
type Health struct {
	Calls    int // in the last 15 minutes, of those remembered
	Failed   int // without an answer: a "no" is one
	P50, P95 time.Duration
	Degraded bool
	Past     []string // of each half hour, the oldest first: "", up, degraded or down
}

// record remembers a provider's calls, in memory and of this hub alone.
type record struct {
	mu    sync.Mutex
	calls [recent]struct {
		at     time.Time
		took   time.Duration
		failed bool
	}
	next  int
	past  [slots]past
	isUp  bool
	began time.Time // what was before is not known
}

// past is one half hour.
type past struct {
	number        int64 // of half hours since 1970
	calls, failed int
	down          bool
}

func newRecord() *record { return &record{began: time.Now(), isUp: true} }

func (r *record) add(at time.Time, took time.Duration, outcome string) {
	failed := outcome == "unknown" || outcome == "unreadable" || outcome == "timeout" || outcome == "not_sent"
	r.mu.Lock()
	defer r.mu.Unlock()
	c := &r.calls[r.next%recent]
	c.at, c.took, c.failed = at, took, failed
	r.next++
	p := r.at(at)
	if p.calls++; failed {
		p.failed++
	}
}

func (r *record) at(t time.Time) *past {
	n := t.Unix() / int64(slot/time.Second)
	p := &r.past[n%slots]
	if p.number != n {
		*p = past{number: n, down: !r.isUp}
	}
	return p
}

func (r *record) up(at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fill(at)
	r.isUp = true
}

func (r *record) down(at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fill(at)
	r.isUp = false
	r.at(at).down = true
}

// fill notes the half hours that passed without a change.
func (r *record) fill(now time.Time) {
	first := now.Add(-(slots - 1) * slot)
	if first.Before(r.began) {
		first = r.began
	}
	for t := first.Truncate(slot); !t.After(now); t = t.Add(slot) {
		r.at(t)
	}
}

// Health is how the provider's calls went lately.
func (p *Provider) Health() Health {
	r, now := p.record.Load(), time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	var h Health
	var took []time.Duration
	for _, c := range r.calls {
		if now.Sub(c.at) > since {
			continue
		}
		h.Calls++
		took = append(took, c.took)
		if c.failed {
			h.Failed++
		}
	}
	if slices.Sort(took); len(took) > 0 {
		h.P50, h.P95 = took[len(took)/2], took[len(took)*95/100]
	}
	h.Degraded = h.Calls >= fewCalls && (100*h.Failed >= tooMany*h.Calls || h.P50 > tooSlowly)
	r.fill(now)
	for i := range slots {
		at := now.Add(-time.Duration(slots-1-i) * slot)
		if at.Add(slot).Before(r.began.Truncate(slot).Add(slot)) {
			h.Past = append(h.Past, "")
			continue
		}
		h.Past = append(h.Past, r.at(at).word())
	}
	return h
}

func (p past) word() string {
	switch {
	case p.down:
		return StatusDown
	case p.calls >= fewCalls && 100*p.failed >= tooMany*p.calls:
		return "degraded"
	}
	return StatusUp
}
