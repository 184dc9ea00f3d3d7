package payments

import (
	"context"
	"sync"
	"time"
)

// callers bounds how many callbacks of each provider are worked on at once.
// Names are those of configured providers.
type callers struct {
	mu   sync.Mutex
	room map[string]chan struct{}
}

// enter waits for a place, but not for long. Without one there is nothing to leave.
func (c *callers) enter(ctx context.Context, name string) (leave func(), ok bool) {
	c.mu.Lock()
	if c.room == nil {
		c.room = map[string]chan struct{}{}
	}
	room := c.room[name]
	if room == nil {
		room = make(chan struct{}, callbacksAtOnce)
		c.room[name] = room
	}
	c.mu.Unlock()
	leave = func() { <-room }
	select {
	case room <- struct{}{}:
		return leave, true
	default:
	}
	patience := time.NewTimer(callbackPatience)
	defer patience.Stop()
	select {
	case room <- struct{}{}:
		return leave, true
	case <-patience.C:
	case <-ctx.Done():
	}
	return nil, false
}
