package sandbox

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

const (
	webhooksPath = "/v1/notifications/webhooks"
	maxWebhooks  = 10 // "You can create a maximum of ten webhooks for an application"
	everyType    = "*"
)

// eventNames are the types that a webhook can be subscribed to: those of orders,
// payments and disputes.
var eventNames = []string{
	"CHECKOUT.ORDER.APPROVED", "CHECKOUT.ORDER.COMPLETED", "CHECKOUT.PAYMENT-APPROVAL.REVERSED",
	"PAYMENT.AUTHORIZATION.CREATED", "PAYMENT.AUTHORIZATION.VOIDED",
	"PAYMENT.CAPTURE.PENDING", "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.DENIED", "PAYMENT.CAPTURE.DECLINED",
	"PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED", "PAYMENT.REFUND.PENDING", "PAYMENT.REFUND.FAILED",
	"CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.UPDATED", "CUSTOMER.DISPUTE.RESOLVED",
}

// webhook is a receiver of callbacks. The preset one is that of the options, whose
// address may still be unknown.
type webhook struct {
	ID     string   `json:"id"`
	URL    string   `json:"url"`
	Types  []string `json:"event_types"`
	Preset bool     `json:"_preset"`
}

// endpoint is the Deliverer's name for it. The preset one has none, as before
// there were others.
func (w webhook) endpoint() string {
	if w.Preset {
		return ""
	}
	return w.ID
}

// webhooks are all of the REST app. They have a lock of their own because the
// Deliverer asks while the server's is held.
type webhooks struct {
	mu   sync.Mutex
	list []webhook
}

// open takes those of an earlier run, and the preset one of this run's options.
// What the API changed of it stays, but for an address that the options name.
func (h *webhooks) open(earlier []webhook, id, address string) {
	preset := webhook{ID: id, URL: address, Types: []string{everyType}, Preset: true}
	for _, w := range earlier {
		switch {
		case !w.Preset:
			h.list = append(h.list, w)
		case w.ID == id:
			preset.Types = w.Types
			if address == "" {
				preset.URL = w.URL
			}
		}
	}
	h.list = slices.Insert(h.list, 0, preset)
}

func (h *webhooks) all() []webhook {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.list)
}

func (h *webhooks) find(is func(webhook) bool) (webhook, bool) {
	for _, w := range h.all() {
		if is(w) {
			return w, true
		}
	}
	return webhook{}, false
}

func (h *webhooks) byID(id string) (webhook, bool) {
	return h.find(func(w webhook) bool { return w.ID == id })
}

func (h *webhooks) byEndpoint(name string) (webhook, bool) {
	return h.find(func(w webhook) bool { return w.endpoint() == name })
}

func (h *webhooks) wanting(kind string) []webhook {
	return slices.DeleteFunc(h.all(), func(w webhook) bool {
		return !slices.Contains(w.Types, everyType) && !slices.Contains(w.Types, kind)
	})
}

// put replaces the webhook of that id, or adds it.
func (h *webhooks) put(w webhook) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := slices.IndexFunc(h.list, func(old webhook) bool { return old.ID == w.ID }); i >= 0 {
		h.list[i] = w
		return
	}
	h.list = append(h.list, w)
}

func (h *webhooks) remove(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = slices.DeleteFunc(h.list, func(w webhook) bool { return w.ID == id })
}

func (w webhook) render(s *Server) fields {
	path := webhooksPath + "/" + w.ID
	return fields{"id": w.ID, "url": w.URL, "event_types": renderTypes(w.Types), "links": []link{
		s.link("self", "GET", path), s.link("update", "PATCH", path), s.link("delete", "DELETE", path),
	}}
}

func renderTypes(names []string) []fields {
	types := []fields{}
	for _, name := range names {
		types = append(types, fields{
			"name": name, "description": "Stand-in: " + strings.ToLower(strings.ReplaceAll(name, ".", " ")), "status": "ENABLED",
		})
	}
	return types
}

type typeRequest struct {
	Name string `json:"name"`
}

// setTypes refuses the whole list for one name that is none.
func (w *webhook) setTypes(types []typeRequest) *apiError {
	w.Types = nil
	for _, t := range types {
		if t.Name != everyType && !slices.Contains(eventNames, t.Name) {
			return invalidWebhook("event_types", "Not a valid webhook event type")
		}
		w.Types = append(w.Types, t.Name)
	}
	if len(w.Types) == 0 {
		return invalidWebhook("event_types", "Required field is missing")
	}
	return nil
}

// setURL takes plain http too, unlike PayPal: a hub on the same machine has no
// other address.
func (h *webhooks) setURL(w *webhook, address string) *apiError {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || len(address) > 2048 {
		return invalidWebhook("url", "Not a valid webhook URL")
	}
	if _, taken := h.find(func(other webhook) bool { return other.URL == address && other.ID != w.ID }); taken {
		return webhookError(http.StatusBadRequest, "WEBHOOK_URL_ALREADY_EXISTS", "Webhook URL already exists.")
	}
	w.URL = address
	return nil
}

func (s *Server) createWebhook(c *call) (answer, *apiError) {
	var req struct {
		URL   string        `json:"url"`
		Types []typeRequest `json:"event_types"`
	}
	if e := c.read(&req); e != nil {
		return answer{}, e
	}
	w := webhook{ID: newID()}
	if e := s.webhooks.setURL(&w, req.URL); e != nil {
		return answer{}, e
	}
	if e := w.setTypes(req.Types); e != nil {
		return answer{}, e
	}
	if len(s.webhooks.all()) >= maxWebhooks {
		return answer{}, webhookError(http.StatusBadRequest, "WEBHOOK_NUMBER_LIMIT_EXCEEDED", "The webhook's number limit has exceeded.")
	}
	s.webhooks.put(w)
	return answer{status: http.StatusCreated, body: w.render(s)}, nil
}

func (s *Server) listWebhooks(*call) (answer, *apiError) {
	list := []fields{}
	for _, w := range s.webhooks.all() {
		list = append(list, w.render(s))
	}
	return answer{status: http.StatusOK, body: fields{"webhooks": list}}, nil
}

func (s *Server) getWebhook(c *call) (answer, *apiError) {
	w, ok := s.webhooks.byID(c.id)
	if !ok {
		return answer{}, missingWebhook()
	}
	return answer{status: http.StatusOK, body: w.render(s)}, nil
}

// patchWebhook "supports only the replace operation". All changes are made or none.
func (s *Server) patchWebhook(c *call) (answer, *apiError) {
	var patches []patch
	if e := c.read(&patches); e != nil {
		return answer{}, e
	}
	w, ok := s.webhooks.byID(c.id)
	if !ok {
		return answer{}, missingWebhook()
	}
	before := w
	for _, p := range patches {
		if e := s.applyTo(&w, p); e != nil {
			return answer{}, e
		}
	}
	if w.URL == before.URL && slices.Equal(w.Types, before.Types) {
		return answer{}, webhookError(http.StatusBadRequest, "WEBHOOK_PATCH_REQUEST_NO_CHANGE", "No change in webhook.")
	}
	s.webhooks.put(w)
	return answer{status: http.StatusOK, body: w.render(s)}, nil
}

func (s *Server) applyTo(w *webhook, p patch) *apiError {
	var address string
	var types []typeRequest
	switch {
	case p.Op != "replace":
		return invalidWebhook("op", "Only the replace operation is supported")
	case p.Path == "/url" && json.Unmarshal(p.Value, &address) == nil:
		return s.webhooks.setURL(w, address)
	case p.Path == "/event_types" && json.Unmarshal(p.Value, &types) == nil:
		return w.setTypes(types)
	}
	return invalidWebhook("path", "Not a valid path, or its value is not valid")
}

func (s *Server) deleteWebhook(c *call) (answer, *apiError) {
	if _, ok := s.webhooks.byID(c.id); !ok {
		return answer{}, missingWebhook()
	}
	s.webhooks.remove(c.id)
	return answer{status: http.StatusNoContent}, nil
}

func (s *Server) listEventTypes(*call) (answer, *apiError) {
	return answer{status: http.StatusOK, body: fields{"event_types": renderTypes(eventNames)}}, nil
}
