package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

const (
	maxEvents   = 20_000
	savedEvents = 500 // the newest, so that the state file stays small
	eventsPath  = "/v1/notifications/webhooks-events"
)

// sent is an event as it was sent. PayPal keeps them for 30 days; the stand-in
// keeps maxEvents, and savedEvents over a restart.
type sent struct {
	ID   string    `json:"id"`
	Kind string    `json:"kind"`
	At   time.Time `json:"at"`
	Body []byte    `json:"body"` // not RawMessage, which encodes "&" anew
}

// to is the delivery of an event to a webhook.
func (e sent) to(w webhook) standin.Callback {
	delivery := e.ID
	if !w.Preset {
		delivery += ":" + w.ID
	}
	return standin.Callback{ID: delivery, Type: e.Kind, Endpoint: w.endpoint(), Created: e.At, Body: e.Body}
}

func (s *Server) newestEvents() []sent {
	return s.events[max(0, len(s.events)-savedEvents):]
}

// listEvents answers with the newest first, page by page.
func (s *Server) listEvents(c *call) (answer, *apiError) {
	query := c.r.URL.Query()
	size, from, to := 10, time.Time{}, s.opts.Now().Add(time.Hour)
	if text := query.Get("page_size"); text != "" {
		n, err := strconv.Atoi(text)
		if size = n; err != nil || n < 1 || n > 300 {
			return answer{}, malformed("INVALID_PARAMETER_VALUE", "page_size", text).in("query")
		}
	}
	for name, into := range map[string]*time.Time{"start_time": &from, "end_time": &to} {
		if text := query.Get(name); text != "" {
			at, err := time.Parse(time.RFC3339, text)
			if *into = at; err != nil {
				return answer{}, malformed("INVALID_PARAMETER_VALUE", name, text).in("query")
			}
		}
	}
	after := query.Get("index_id")
	events, links, open := []json.RawMessage{}, []link{s.link("self", "GET", eventsPath+"?"+query.Encode())}, after == ""
	for _, e := range slices.Backward(s.events) {
		switch {
		case !open:
			open = e.ID == after
		case e.At.Before(from) || e.At.After(to) || query.Get("event_type") != "" && query.Get("event_type") != e.Kind:
		case len(events) == size:
			query.Set("move_to", "next")
			links = append(links, s.link("next", "GET", eventsPath+"?"+query.Encode()))
			return answer{status: http.StatusOK, body: fields{"events": events, "count": len(events), "links": links}}, nil
		default:
			events = append(events, json.RawMessage(e.Body))
			query.Set("index_id", e.ID)
		}
	}
	return answer{status: http.StatusOK, body: fields{"events": events, "count": len(events), "links": links}}, nil
}

func (s *Server) findEvent(id string) (sent, *apiError) {
	for _, e := range slices.Backward(s.events) {
		if e.ID == id {
			return e, nil
		}
	}
	return sent{}, missingWebhook()
}

func (s *Server) getEvent(c *call) (answer, *apiError) {
	e, problem := s.findEvent(c.id)
	return answer{status: http.StatusOK, body: json.RawMessage(e.Body)}, problem
}

// resendEvent delivers an event once more to the webhooks that the request names,
// or to all that are subscribed to it. "Any pending notifications are not resent."
func (s *Server) resendEvent(c *call) (answer, *apiError) {
	var req struct {
		Webhooks []string `json:"webhook_ids"`
	}
	if e := c.read(&req); e != nil {
		return answer{}, e
	}
	event, problem := s.findEvent(c.id)
	if problem != nil {
		return answer{}, problem
	}
	to := s.webhooks.wanting(event.Kind)
	if len(req.Webhooks) > 0 {
		to = nil
	}
	for _, id := range req.Webhooks {
		w, ok := s.webhooks.byID(id)
		if !ok {
			return answer{}, missingWebhook()
		}
		to = append(to, w)
	}
	waiting := map[string]bool{}
	for _, callback := range s.callbacks.List() {
		waiting[callback.ID] = callback.State == standin.Pending
	}
	for _, w := range to {
		delivery := event.to(w)
		if waiting[delivery.ID] {
			continue
		}
		if err := s.callbacks.Resend(delivery.ID); err != nil {
			s.callbacks.Send(delivery) // its delivery is forgotten
		}
	}
	return answer{status: http.StatusAccepted, body: json.RawMessage(event.Body)}, nil
}
