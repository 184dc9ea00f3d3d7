package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/superpayhub/superpay/hub/internal/access"
)

// sick is an app with every trouble.
type sick struct {
	hub    *hub
	b      *bench
	order  string // that is locked
	counts [4]atomic.Int64
}

var troubles = [4]string{"answers about the locked order", "checkouts at the provider that hangs", "orders told to receivers that hang", "refusals of bad keys"}

func (s *sick) told() string {
	var parts []string
	for i := range s.counts {
		parts = append(parts, fmt.Sprintf("%d %s", s.counts[i].Load(), troubles[i]))
	}
	return strings.Join(parts, ", ")
}

func (b *bench) sickApp(ctx context.Context, hangs *hanging) (*sick, error) {
	key := access.NewKey()
	_, err := b.db.ExecContext(ctx, `WITH a AS (INSERT INTO apps (id, name, created_at) VALUES ('app_sick', 'sick', now()) RETURNING id),
		g AS (INSERT INTO app_providers (app_id, provider) SELECT id, '*' FROM a)
		INSERT INTO api_keys (id, app_id, hash, hint, scope, created_at) SELECT 'key_sick', id, $1, $2, 'full', now() FROM a`, access.HashKey(key), access.Hint(key))
	if err != nil {
		return nil, err
	}
	s := &sick{b: b, hub: &hub{addr: b.hub.addr, apiKey: key, webhookSecret: b.hub.webhookSecret, instanceID: b.hub.instanceID}}
	for n := range sickEndpoint {
		if err := s.hub.endpoint(fmt.Sprintf("%s/%d", hangs.server.URL, n)); err != nil {
			return nil, err
		}
	}
	locked, err := s.hub.checkOut("locked-"+rand.Text(), "stripe")
	s.order = locked.orderID
	return s, err
}

// begin has the troubles until they are stopped.
func (s *sick) begin(ctx context.Context, hangs *hanging) (stop func() error, err error) {
	tx, err := s.b.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, `SELECT FROM orders WHERE id = $1 FOR UPDATE`, s.order); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	ctx, cancel := context.WithCancel(ctx)
	hangs.hold()
	var all sync.WaitGroup
	keep := func(clients, trouble int, again time.Duration, do func()) {
		for range clients {
			all.Go(func() {
				for ; ctx.Err() == nil; time.Sleep(again) {
					do()
					s.counts[trouble].Add(1)
				}
			})
		}
	}
	keep(sickEach, 0, sickAgain, func() { _, _ = s.hub.send("POST", "/v1/orders/"+s.order+"/cancel", "cancel-"+s.order, "{}") })
	keep(sickEach, 1, sickAgain, func() { _, _ = s.hub.checkOut("hangs-"+rand.Text(), "sick") })
	keep(1, 2, 2*sickAgain, func() {
		if o, err := s.hub.checkOut("sick-"+rand.Text(), "stripe"); err == nil {
			_ = s.hub.pay(o)
		}
	})
	nobody := *s.hub
	nobody.apiKey = access.NewKey()
	keep(sickEach, 3, sickEach*time.Second/badKeys, func() { _, _ = nobody.send("GET", "/v1/orders", "", "") })
	return func() error {
		cancel()
		hangs.let()
		all.Wait()
		if err := tx.Rollback(); err != nil {
			return err
		}
		// What it was not told of is a burden of its own, which is not to be measured.
		_, err := s.b.db.ExecContext(context.WithoutCancel(ctx), `UPDATE notifications SET state = 'failed', due_at = NULL WHERE app_id = 'app_sick' AND state = 'pending'`)
		return err
	}, nil
}

// hanging is a server that answers nobody while it holds them, and 503 otherwise.
type hanging struct {
	server *httptest.Server
	mu     sync.Mutex
	held   chan struct{} // nil: it holds nobody
}

func newHanging() *hanging {
	h := &hanging{}
	h.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		h.mu.Lock()
		held := h.held
		h.mu.Unlock()
		if held != nil {
			select {
			case <-held:
			case <-r.Context().Done():
			}
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	return h
}

func (h *hanging) hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held = make(chan struct{})
}

// let answers all that hang.
func (h *hanging) let() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held != nil {
		close(h.held)
	}
	h.held = nil
}

func (h *hanging) close() {
	h.let()
	h.server.Close()
}
