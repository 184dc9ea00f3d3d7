package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
)

// TestNotification_ReachesTheApp: signed, with the whole order, at least once,
// whatever the receiver does at first.
func TestNotification_ReachesTheApp(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *dev.Options) { o.TimeScale = 60 })
	var mu sync.Mutex
	var got []order
	var secret atomic.Value
	var calls atomic.Int32
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		verifier, err := standardwebhooks.NewWebhook(secret.Load().(string))
		if err != nil || verifier.Verify(raw, r.Header) != nil {
			t.Errorf("a notification does not verify: %v", err)
		}
		if calls.Add(1) == 1 {
			http.Error(w, "not now", http.StatusServiceUnavailable)
			return
		}
		var n struct {
			Type string
			Data order
		}
		_ = json.Unmarshal(raw, &n)
		mu.Lock()
		defer mu.Unlock()
		n.Data.Code = n.Type
		got = append(got, n.Data)
	}))
	defer app.Close()
	endpoint := h.ask("POST", "/v1/webhook_endpoints", "", map[string]any{"url": app.URL})
	require.Equal(t, 201, endpoint.status, endpoint.raw)
	var made struct{ ID, Secret string }
	decode(t, endpoint.raw, &made)
	secret.Store(made.Secret)

	o := h.paid(nil)
	has := func(kind string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			for _, x := range got {
				if x.Code == kind && x.ID == o.ID {
					return true
				}
			}
			return false
		}
	}
	require.Eventually(t, has("order.paid"), 30*time.Second, 50*time.Millisecond, "the first try was refused and is repeated")
	require.Equal(t, 201, h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{"amount": 100}).status)
	require.Eventually(t, has("order.partially_refunded"), 30*time.Second, 50*time.Millisecond)

	// A new secret signs beside the old one; the receiver need not hurry.
	rotated := h.ask("POST", "/v1/webhook_endpoints/"+made.ID+"/rotate", "", nil)
	require.Equal(t, 200, rotated.status, rotated.raw)
	require.Equal(t, 201, h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{"amount": 950}).status)
	require.Eventually(t, has("order.refunded"), 30*time.Second, 50*time.Millisecond)
	decode(t, rotated.raw, &made)
	secret.Store(made.Secret)
	log := h.ask("GET", "/v1/notifications?order_id="+o.ID, "", nil)
	var page struct{ Data []struct{ ID, State string } }
	decode(t, log.raw, &page)
	require.NotEmpty(t, page.Data)
	before := calls.Load()
	require.Equal(t, 204, h.ask("POST", "/v1/notifications/"+page.Data[0].ID+"/resend", "", nil).status)
	require.Eventually(t, func() bool { return calls.Load() > before }, 30*time.Second, 50*time.Millisecond)

	mine := h.key
	h.key = h.newApp("other")
	require.Equal(t, 404, h.ask("POST", "/v1/notifications/"+page.Data[0].ID+"/resend", "", nil).status)
	require.Equal(t, 404, h.ask("DELETE", "/v1/webhook_endpoints/"+made.ID, "", nil).status)
	h.key = mine
	for _, bad := range []string{"ftp://x.example/", "http://shop.example/", "https://u:p@shop.example/", "nonsense"} {
		require.Equal(t, 422, h.ask("POST", "/v1/webhook_endpoints", "", map[string]any{"url": bad}).status, bad)
	}
	require.Equal(t, 204, h.ask("DELETE", "/v1/webhook_endpoints/"+made.ID, "", nil).status)
}

// TestNotifications_OfAnOrdinaryPayment: in whatever way it is paid, at most one
// notification is for details alone: when an authorization ends may come after it.
func TestNotifications_OfAnOrdinaryPayment(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	var orders []answer
	for _, w := range ways {
		orders = append(orders, w.pay(h, nil))
		if w.holds {
			orders = append(orders, w.pay(h, map[string]any{"capture": "manual"}))
		}
	}
	time.Sleep(3 * time.Second) // callbacks that come after
	for _, o := range orders {
		events := h.ask("GET", "/v1/orders/"+o.ID+"/events?limit=100", "", nil).raw
		require.LessOrEqual(t, strings.Count(events, `"payment.updated"`), 1, events)
	}
}
