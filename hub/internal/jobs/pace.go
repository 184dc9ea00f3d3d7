package jobs

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

// pace bounds how many attempts of each provider the worker begins to look at in
// a second. What is over that stays due, and is claimed in its turn.
type pace map[string]*rate.Limiter

// newPace takes the bounds by provider; that of "" is for each of the others,
// which came while the hub ran.
func newPace(perSecond map[string]float64) pace {
	p := pace{}
	for name, n := range perSecond {
		p[name] = rate.NewLimiter(rate.Limit(n), max(1, int(math.Ceil(n))))
	}
	return p
}

// take counts an attempt that was claimed.
func (p pace) take(provider string, now time.Time) {
	bucket, others := p[provider], p[""]
	if bucket == nil && others != nil {
		bucket = rate.NewLimiter(others.Limit(), others.Burst())
		p[provider] = bucket
	}
	if bucket != nil {
		bucket.AllowN(now, 1)
	}
}

// room tells how many attempts may be claimed at once, whosever they are; of
// which providers none; and when to ask again, at the latest: a provider's time
// may come before the poll.
func (p pace) room(now time.Time) (limit int, paused []string, again time.Duration) {
	limit, again = share, poll
	for name, bucket := range p {
		if tokens := bucket.TokensAt(now); tokens >= 1 {
			limit = min(limit, int(tokens))
		} else {
			paused = append(paused, name)
			again = min(again, time.Duration((1-tokens)/float64(bucket.Limit())*float64(time.Second)))
		}
	}
	return limit, paused, again
}
