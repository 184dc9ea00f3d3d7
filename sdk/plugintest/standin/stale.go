package standin

import (
	"bytes"
	"net/http"
	"strings"
	"time"
)

// past is what one read was answered with before its answer changed.
type past struct {
	answer  *recorder
	changed time.Time // when the answer was first another one; zero while it is not
}

// staleFor returns the rule that has a read answered as of before, nil if none
// does. Its text may also be in the query: a list names its payment there.
func (s *Faults) staleFor(r *http.Request, path string) *armed {
	if r.Method != http.MethodGet {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rule := range s.rules {
		if rule.Action == Stale && strings.HasPrefix(path, rule.Path) && strings.Contains(path+"?"+r.URL.RawQuery, rule.Match) {
			return rule
		}
	}
	return nil
}

// serveStale answers a read with what the same read was answered before, until
// the rule's time has passed since the answer became another one. The first
// answer to a read is fresh: there is none before.
func (s *Faults) serveStale(rule *armed, w http.ResponseWriter, r *http.Request, next http.Handler) {
	fresh := &recorder{header: http.Header{}, status: http.StatusOK}
	next.ServeHTTP(fresh, r)
	shown := s.lagging(rule, r.URL.Path+"?"+r.URL.RawQuery, fresh)
	shown.copyHeader(w)
	w.WriteHeader(shown.status)
	_, _ = w.Write(shown.body.Bytes())
}

// lagging returns the answer to show: the fresh one, or the one before.
func (s *Faults) lagging(rule *armed, read string, fresh *recorder) *recorder {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rule.pasts == nil {
		rule.pasts = map[string]*past{}
	}
	was := rule.pasts[read]
	now := time.Now()
	switch {
	case was == nil, was.answer.status == fresh.status && bytes.Equal(was.answer.body.Bytes(), fresh.body.Bytes()):
		rule.pasts[read] = &past{answer: fresh}
		return fresh
	case was.changed.IsZero():
		was.changed = now
	case now.Sub(was.changed) >= time.Duration(rule.DelayMS)*time.Millisecond:
		rule.pasts[read] = &past{answer: fresh}
		return fresh
	}
	s.count(Stale)
	return was.answer
}

// count counts what a fault did. The caller holds the lock.
func (s *Faults) count(action Action) {
	if s.bitten == nil {
		s.bitten = map[Action]int{}
	}
	s.bitten[action]++
}
