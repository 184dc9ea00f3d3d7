package payments

import (
	"context"
	"sync"
	"time"

	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// forged counts callbacks that were refused as not the provider's, by the reason that
// the plugin gave: a wrong secret in the settings refuses every genuine one, and
// nobody would see it. They are written together every few seconds, for anybody can
// send them, as many as they like; of a hub that dies, the last seconds are missing.
type forged struct {
	mu    sync.Mutex
	since map[forgedKey]*postgres.ForgedCallbacks // not written yet; nil: nothing is
}

type forgedKey struct{ provider, reason string }

const (
	forgedEvery     = 5 * time.Second
	maxForgedReason = 200 // bytes
	maxForgedKeys   = 100 // reasons that wait to be written; what comes beyond is "other reasons"
)

func (f *forged) add(s *Service, provider, reason string) {
	reason = cut(reason, maxForgedReason)
	if reason == "" {
		reason = "no reason given"
	}
	now := s.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.since == nil {
		f.since = map[forgedKey]*postgres.ForgedCallbacks{}
		time.AfterFunc(forgedEvery, func() { f.write(s) })
	}
	key := forgedKey{provider, reason}
	if f.since[key] == nil && len(f.since) >= maxForgedKeys {
		key.reason = "other reasons"
	}
	if f.since[key] == nil {
		f.since[key] = &postgres.ForgedCallbacks{Provider: provider, Reason: key.reason, FirstAt: now}
	}
	f.since[key].N++
	f.since[key].LastAt = now
}

// write puts what came on record, and says so in the log.
func (f *forged) write(s *Service) {
	f.mu.Lock()
	since := f.since
	f.since = nil
	f.mu.Unlock()
	var all []postgres.ForgedCallbacks
	most, count := map[string]*postgres.ForgedCallbacks{}, map[string]int64{}
	for _, one := range since {
		all = append(all, *one)
		count[one.Provider] += one.N
		if most[one.Provider] == nil || one.N > most[one.Provider].N {
			most[one.Provider] = one
		}
	}
	for name, n := range count {
		s.Logger.Warn("callbacks were refused as not the provider's: somebody makes them up, or the webhook secret or id in the settings is wrong (`hub provider connect` tells)",
			"provider", name, "count", n, "mostly", most[name].Reason)
	}
	ctx, cancel := context.WithTimeout(context.Background(), forgedEvery)
	defer cancel()
	if err := s.DB.CountForged(ctx, all); err != nil {
		s.Logger.Warn("refused callbacks were not counted", "error", err)
	}
}
