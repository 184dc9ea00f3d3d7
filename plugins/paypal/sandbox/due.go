package sandbox

import (
	"iter"
	"slices"
	"time"
)

// tick makes what is due happen though nobody asks.
func (s *Server) tick() {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.mu.Lock()
			s.sweep()
			s.mu.Unlock()
		case <-s.stop:
			return
		}
	}
}

// sweep makes everything happen whose time has come: orders nobody completed
// run out, and so do authorizations nobody captured.
func (s *Server) sweep() {
	now := s.opts.Now()
	if now.Before(s.wake) {
		return
	}
	s.wake = now.Add(24 * time.Hour)
	for _, o := range s.state.Orders {
		if !o.Gone && o.Status != completed && o.Status != voided && s.isDue(o.Deadline, now) {
			must(s.expire(o))
		}
		for _, u := range o.Units {
			if len(u.Authorizations) > 0 && u.current().Status == created && s.isDue(u.current().Expires, now) {
				s.release(u)
			}
		}
	}
}

// isDue tells whether a moment has come, and if not has sweep look again then.
func (s *Server) isDue(at, now time.Time) bool {
	if !at.After(now) {
		return true
	}
	s.wakeAt(at)
	return false
}

func (s *Server) wakeAt(at time.Time) {
	if at.Before(s.wake) {
		s.wake = at
	}
}

// must is for steps whose conditions were just checked.
func must(e *apiError) {
	if e != nil {
		panic("the stand-in broke its own rule: " + e.text())
	}
}

// orders is every order, the newest first.
func (s *Server) orders() iter.Seq[*order] {
	return func(yield func(*order) bool) {
		for _, o := range slices.Backward(s.state.Orders) {
			if !yield(o) {
				return
			}
		}
	}
}
