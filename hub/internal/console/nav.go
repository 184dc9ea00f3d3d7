package console

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// nav is the order of the navigation. A screen shows once its route is there
// and the reader may use it.
var nav = []string{"overview", "orders", "inbox", "outbox", "providers", "apps", "people"}

type navItem struct {
	Key, URL string
	Count    string // of what waits there for a person; "" for nothing
}

// waiting is how much waits, asked of the database every few seconds whoever
// loads pages. While one asks, the others take what was known.
type waiting struct {
	asking sync.Mutex
	known  atomic.Pointer[knownWaiting]
}

type knownWaiting struct {
	at    time.Time
	count postgres.Waiting
}

const waitingFor = 5 * time.Second

// navOf is what the reader can go to, with what waits there.
func (s *server) navOf(ctx context.Context, role access.Role) ([]navItem, error) {
	count, err := s.countWaiting(ctx)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{"orders": count.Orders, "inbox": count.Callbacks, "outbox": count.Notifications}
	var items []navItem
	for _, key := range nav {
		if !s.has("/"+key, role) {
			continue
		}
		item := navItem{Key: key, URL: s.url("/" + key)}
		switch n := counts[key]; {
		case n >= postgres.WaitingMost:
			item.Count = strconv.Itoa(postgres.WaitingMost-1) + "+"
		case n > 0:
			item.Count = strconv.Itoa(n)
		}
		items = append(items, item)
	}
	return items, nil
}

func (s *server) countWaiting(ctx context.Context) (postgres.Waiting, error) {
	now, known := s.Now(), s.waiting.known.Load()
	if known != nil && (now.Sub(known.at).Abs() < waitingFor || !s.waiting.asking.TryLock()) {
		return known.count, nil
	}
	if known == nil {
		s.waiting.asking.Lock()
	}
	defer s.waiting.asking.Unlock()
	count, err := s.DB.Waiting(ctx)
	if err == nil {
		s.waiting.known.Store(&knownWaiting{now, count})
	}
	return count, err
}

// has reports whether a page is there for that role.
func (s *server) has(path string, role access.Role) bool {
	return slices.ContainsFunc(s.all, func(r route) bool { return r.method == fiber.MethodGet && r.path == path && role.May(r.role) })
}
