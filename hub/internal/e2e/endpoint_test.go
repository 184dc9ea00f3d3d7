package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
)

// receiver is an app's endpoint that answers as it is told and keeps what it gets.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	answer http.HandlerFunc
	got    []string // as "order.paid ord_..."
	id     string
}

func (h *house) receiver(answer http.HandlerFunc) *receiver {
	h.t.Helper()
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		raw, _ := io.ReadAll(req.Body)
		var n struct {
			Type string
			Data struct{ ID string }
		}
		_ = json.Unmarshal(raw, &n)
		r.mu.Lock()
		r.got = append(r.got, n.Type+" "+n.Data.ID)
		answer := r.answer
		r.mu.Unlock()
		answer(w, req)
	}))
	h.t.Cleanup(r.Close)
	a := h.ask("POST", "/v1/webhook_endpoints", "", map[string]any{"url": r.URL + "/hook"})
	require.Equal(h.t, 201, a.status, a.raw)
	r.id = a.ID
	return r
}

func (r *receiver) from(now http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = now
}

func (r *receiver) has(what string) func() bool {
	return func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return strings.Contains(strings.Join(r.got, "\n"), what)
	}
}

type notification struct {
	ID, State, Type string
	EndpointID      string `json:"endpoint_id"`
	Payload         struct{ Data order }
	Deliveries      []struct {
		Status int
		URL    string
		Answer *string
		TookMS *int       `json:"took_ms"`
		NextAt *time.Time `json:"next_at"`
	}
}

func (h *house) notifications(query string) (all []notification) {
	h.t.Helper()
	for cursor := ""; ; {
		a := h.ask("GET", "/v1/notifications?"+query+"&cursor="+cursor, "", nil)
		require.Equal(h.t, 200, a.status, a.raw)
		var page struct {
			Data []notification
			Next string
		}
		decode(h.t, a.raw, &page)
		all = append(all, page.Data...)
		if cursor = page.Next; cursor == "" {
			return all
		}
	}
}

func ok(http.ResponseWriter, *http.Request) {}

// TestEndpoint_DiesAndComesBack: an endpoint that hangs holds nobody up; what
// each brought is in the log; one that is gone, or fails for days, is disabled,
// told of, enabled again, and gets what it missed.
func TestEndpoint_DiesAndComesBack(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *dev.Options) { o.TimeScale = 60 })
	release := make(chan struct{})
	slow := h.receiver(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(strings.Repeat("x", 5000) + "\x00"))
	})
	alive := h.receiver(ok)
	var last answer
	for range 10 { // more than the hub sends to one endpoint at once
		last = h.checkout(nil)
		h.pay(last.NextAction.URL, visa)
		require.Eventually(t, alive.has("order.paid "+last.ID), 30*time.Second, 20*time.Millisecond, "an endpoint that hangs holds up another")
	}
	require.Eventually(t, slow.has("order."), 30*time.Second, 20*time.Millisecond)
	close(release)

	// Each try is in the log.
	var tried notification
	require.Eventually(t, func() bool {
		for _, n := range h.notifications("state=pending&limit=100&endpoint_id=" + slow.id) {
			tried = notification{}
			decode(t, h.ask("GET", "/v1/notifications/"+n.ID, "", nil).raw, &tried)
			if len(tried.Deliveries) > 0 {
				return true
			}
		}
		return false
	}, 30*time.Second, 50*time.Millisecond)
	try := tried.Deliveries[0]
	require.Equal(t, 500, try.Status)
	require.Equal(t, slow.URL+"/hook", try.URL)
	require.NotNil(t, try.Answer)
	require.Len(t, *try.Answer, 4096)
	require.NotNil(t, try.NextAt)
	require.NotNil(t, try.TookMS)
	require.NotEmpty(t, tried.Payload.Data.ID)
	out, err := h.hubCommand("notification", "show", tried.ID).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), `"xxxx`)
	require.Len(t, h.notifications("limit=3&type=order.paid&endpoint_id="+alive.id), 10, "pages and filters")
	require.Empty(t, h.notifications("to=2020-01-01T00:00:00Z"))

	// Days of failure disable it, with notice.
	h.count(`WITH u AS (UPDATE webhook_endpoints SET failing_since = failing_since - interval '4 days' WHERE id = $1 RETURNING 1) SELECT count(*) FROM u`, slow.id)
	require.Equal(t, 201, h.ask("POST", "/v1/orders/"+last.ID+"/refunds", unique("key"), map[string]any{"amount": 100}).status)
	require.Eventually(t, alive.has("webhook_endpoint.disabled "+slow.id), 30*time.Second, 50*time.Millisecond)
	require.Contains(t, h.ask("GET", "/v1/webhook_endpoints", "", nil).raw, "every delivery failed for three days")
	require.Equal(t, 1, h.count(`SELECT count(*) FROM events WHERE kind = 'endpoint.disabled' AND data->>'endpoint' = '`+slow.id+`'`))
	require.Contains(t, h.logs.String(), "a webhook endpoint is disabled")
	out, err = h.hubCommand("notification", "endpoints").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Regexp(t, `(?s)^ID[^\n]+\n`+slow.id, string(out), "what needs a look comes first")
	a := h.ask("POST", "/v1/notifications/"+tried.ID+"/resend", "", nil)
	require.Equal(t, 409, a.status, a.raw)
	require.Equal(t, "endpoint_disabled", a.Code)

	// One that says 410 for an hour is disabled; what changes then is sent when it is
	// enabled.
	gone := h.receiver(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	h.paid(nil)
	h.goneForAnHour(gone.id)
	require.Equal(t, 1, h.count(`SELECT count(*) FROM webhook_endpoints WHERE id = $1 AND disabled_at IS NULL`, gone.id), "not by a single answer")
	h.paid(nil)
	require.Eventually(t, alive.has("webhook_endpoint.disabled "+gone.id), 30*time.Second, 50*time.Millisecond)
	require.Contains(t, h.admin().get("/overview?mode=test").body, "Webhook endpoints that fail or are disabled")
	missed := h.paid(nil)
	require.Empty(t, h.notifications("endpoint_id="+gone.id+"&order_id="+missed.ID))
	h.exec(`UPDATE notifications SET state = 'failed', due_at = NULL WHERE endpoint_id = $1`, gone.id)
	mine := h.key
	h.key = h.newApp("stranger")
	require.Equal(t, 404, h.ask("GET", "/v1/notifications/"+tried.ID, "", nil).status)
	require.Contains(t, h.ask("POST", "/v1/notifications/resend", "", map[string]any{"since": "2020-01-01T00:00:00Z"}).raw, `"resent":0`)
	h.key = mine

	// Enabled again, they get what waited, and what failed when somebody asks for it.
	slow.from(ok)
	gone.from(ok)
	for _, r := range []*receiver{slow, gone} {
		require.Equal(t, 200, h.ask("POST", "/v1/webhook_endpoints/"+r.id+"/enable", "", nil).status)
	}
	failed := h.notifications("state=failed&endpoint_id=" + gone.id)
	require.NotEmpty(t, failed)
	out, err = h.hubCommand("notification", "resend", "--app", "shop", "--since", "1h").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "are sent again")
	for _, r := range []*receiver{slow, gone} {
		require.Eventually(t, func() bool {
			return len(h.notifications("state=pending&endpoint_id="+r.id)) == 0 && len(h.notifications("state=failed&endpoint_id="+r.id)) == 0
		}, 30*time.Second, 100*time.Millisecond)
	}
	require.True(t, slow.has("order.paid "+last.ID)())
	require.Eventually(t, gone.has("order.paid "+missed.ID), 30*time.Second, 50*time.Millisecond)
}

// goneForAnHour waits for an endpoint's first 410, and lets an hour pass since.
func (h *house) goneForAnHour(endpoint string) {
	h.t.Helper()
	require.Eventually(h.t, func() bool {
		return h.count(`SELECT count(*) FROM webhook_endpoints WHERE id = $1 AND gone_since IS NOT NULL`, endpoint) == 1
	}, 30*time.Second, 50*time.Millisecond)
	h.exec(`UPDATE webhook_endpoints SET gone_since = gone_since - interval '1 hour' WHERE id = $1`, endpoint)
}
