package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// defaultEndpoint is the webhook of the options; others are made by the API.
const defaultEndpoint = "we_default"

// emit records that something happened to obj and queues the callbacks. The
// event holds the object as it is now: later changes do not reach it.
func (s *Server) emit(kind string, obj any, previous map[string]any) {
	snapshot, err := json.Marshal(s.render(obj))
	if err != nil {
		panic(err)
	}
	e := &event{
		ID: newID("evt_3"), Object: "event", APIVersion: s.eventVersion, Created: s.now(),
		Data: eventData{Object: snapshot, PreviousAttributes: previous}, Request: s.from, Type: kind,
	}
	receivers := s.receivers.wanting(kind)
	e.PendingWebhooks = len(receivers)
	if len(s.state.Events.rows) >= maxEvents {
		s.state.Events.forget(maxEvents * 3 / 4)
	}
	s.state.Events.add(e)
	for _, to := range receivers {
		id := e.ID
		if to.ID != defaultEndpoint {
			id += ":" + to.ID
		}
		s.callbacks.Send(standin.Callback{
			ID: id, Type: kind, Endpoint: to.ID, Created: s.opts.Now().UTC(), Body: to.shape(e),
		})
	}
	s.file.Touch()
}

// shape is an event as an endpoint gets it: in the endpoint's version, or thin.
func (o *webhookEndpoint) shape(e *event) []byte {
	if o.Thin {
		return encode(e.thin())
	}
	copied := *e
	if o.ID != defaultEndpoint {
		copied.APIVersion = or(string(o.APIVersion), e.APIVersion)
	}
	return encode(&copied)
}

// wants reports whether an endpoint asked for a type of event.
func (o *webhookEndpoint) wants(kind string) bool {
	if o.Thin {
		kind = "v1." + kind
	}
	return slices.Contains(o.EnabledEvents, "*") || slices.Contains(o.EnabledEvents, kind)
}

// receivers knows where callbacks go. It has a lock of its own because the
// Deliverer asks while the server's is held.
type receivers struct {
	mu       sync.Mutex
	list     []webhookEndpoint
	unsigned bool // sign with a secret nobody knows, for mutation tests
}

func (r *receivers) wanting(kind string) []webhookEndpoint {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []webhookEndpoint
	for _, e := range r.list {
		if e.reachable() && e.wants(kind) {
			out = append(out, e)
		}
	}
	return out
}

func (r *receivers) put(e webhookEndpoint) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = slices.DeleteFunc(r.list, func(old webhookEndpoint) bool { return old.ID == e.ID })
	r.list = append(r.list, e)
}

func (r *receivers) drop(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = slices.DeleteFunc(r.list, func(e webhookEndpoint) bool { return e.ID == id })
}

func (r *receivers) get(id string) webhookEndpoint {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.list {
		if e.ID == id {
			return e
		}
	}
	return webhookEndpoint{}
}

// Target implements standin.Sender. What still waits for an endpoint that was
// disabled or deleted since is not delivered (docs.stripe.com/webhooks, retry behavior).
func (r *receivers) Target(id string) string {
	if e := r.get(id); e.reachable() {
		return e.URL
	}
	return ""
}

// Sign implements standin.Sender: HMAC-SHA256 of "time.body", as Stripe does,
// at the time of the try.
func (r *receivers) Sign(id string, body []byte, at time.Time) http.Header {
	secret := r.get(id).Secret
	if r.unsigned {
		secret = "whsec_wrong"
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return http.Header{
		"Stripe-Signature": {"t=" + stamp + ",v1=" + hex.EncodeToString(mac.Sum(nil))},
		"User-Agent":       {"Stripe/1.0 (+https://stripe.com/docs/webhooks)"},
	}
}

func (s *Server) getEvent(c *call) (any, *apiError) {
	if e := c.done(); e != nil {
		return nil, e
	}
	e, problem := get(&s.state.Events, "event", "id", c.id)
	if problem != nil {
		return nil, problem
	}
	shown := *e
	shown.PendingWebhooks = 0
	for _, callback := range s.callbacks.List() {
		waits := callback.State == standin.Pending || callback.State == standin.Withheld
		if waits && strings.HasPrefix(callback.ID, e.ID) {
			shown.PendingWebhooks++
		}
	}
	return &shown, nil
}

func (s *Server) listEvents(c *call) (any, *apiError) {
	one, many := c.text("type", 200), c.list("types")
	l := c.listing()
	return page(c, l, &s.state.Events, "event", func(e *event) bool {
		if prefix, wild := strings.CutSuffix(one, "*"); wild {
			return strings.HasPrefix(e.Type, prefix)
		}
		return (one == "" || e.Type == one) && (len(many) == 0 || slices.Contains(many, e.Type))
	})
}
