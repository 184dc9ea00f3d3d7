package main

import (
	"sync"
	"time"
)

// asksAtMost is how many certificates and verifications PayPal is asked for in a
// minute that lead to nothing: anybody can send calls that need one.
const asksAtMost = 30

// budget counts questions that may be for nothing. The time is the hub's.
type budget struct {
	mu    sync.Mutex
	began time.Time
	used  int
}

// take reports whether one more may be asked in this minute.
func (b *budget) take(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if since := now.Sub(b.began); since < 0 || since >= time.Minute {
		b.began, b.used = now, 0
	}
	if b.used >= asksAtMost {
		return false
	}
	b.used++
	return true
}

// back gives one back that was not for nothing.
func (b *budget) back() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used = max(0, b.used-1)
}
