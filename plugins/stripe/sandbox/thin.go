package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Thin events go to the event destinations of Stripe's API v2. They say what happened
// and name the object, which is not in them (docs.stripe.com/event-destinations). Of
// that API only what concerns them is here, and at the same version as the rest.

// thinDefault is the destination of the options.
const thinDefault = "ed_default"

func (s *Server) thinRoutes(api *http.ServeMux) {
	api.Handle("POST /v2/core/event_destinations", s.api("event_destination", s.createDestination))
	api.Handle("GET /v2/core/event_destinations/{id}", s.api("event_destination", s.getDestination))
	api.Handle("DELETE /v2/core/event_destinations/{id}", s.api("event_destination", s.deleteDestination))
	api.Handle("GET /v2/core/events/{id}", s.api("event", s.getThinEvent))
}

// thinID is the id of the thin event that tells the same as a snapshot event.
func thinID(snapshot string) string { return "evt_test_" + strings.TrimPrefix(snapshot, "evt_") }

// thin is the event as an event destination gets it.
func (e *event) thin() map[string]any {
	var about struct{ ID, Object string }
	if err := json.Unmarshal(e.Data.Object, &about); err != nil {
		panic(err) // it was written by emit
	}
	path := "/v1/" + about.Object + "s/"
	if about.Object == "checkout.session" {
		path = "/v1/checkout/sessions/"
	}
	return map[string]any{
		"id": thinID(e.ID), "object": "v2.core.event", "type": "v1." + e.Type, "livemode": false, "created": isoTime(e.Created),
		"related_object": map[string]any{"id": about.ID, "type": about.Object, "url": path + about.ID},
	}
}

func isoTime(unix int64) string { return time.Unix(unix, 0).UTC().Format("2006-01-02T15:04:05.000Z") }

// getThinEvent shows one with what made it happen.
func (s *Server) getThinEvent(c *call) (any, *apiError) {
	if e := c.done(); e != nil {
		return nil, e
	}
	i := slices.IndexFunc(s.state.Events.rows, func(e *event) bool { return thinID(e.ID) == c.id })
	if i < 0 {
		return nil, missing("event", "id", c.id)
	}
	found := s.state.Events.rows[i]
	out := found.thin()
	if found.Request.ID != "" {
		out["reason"] = map[string]any{"type": "request", "request": found.Request}
	}
	return out, nil
}

func (s *Server) createDestination(c *call) (any, *apiError) {
	e := &webhookEndpoint{
		ID: newID("ed_test_6"), Object: "v2.core.event_destination", Created: s.now(), Status: endpointEnabled, Thin: true,
		Name: c.required("name", 500), URL: c.address("webhook_endpoint[url]", true), EnabledEvents: c.list("enabled_events"),
		Description: text(c.text("description", 500)), Metadata: c.metadata("metadata"), Secret: newID("whsec_test_"),
	}
	c.oneOf("type", "", "webhook_endpoint")
	if c.oneOf("event_payload", "thin", "thin", "snapshot") == "snapshot" {
		c.fail(invalid("", "event_payload", "The sandbox makes destinations of thin events only. For snapshot events, create a webhook endpoint."))
	}
	c.list("events_from")
	include := c.list("include")
	if len(e.EnabledEvents) == 0 {
		c.fail(invalid("parameter_missing", "enabled_events", "Missing required param: enabled_events."))
	}
	if problem := c.done(); problem != nil {
		return nil, problem
	}
	s.state.Endpoints.add(e)
	s.receivers.put(*e)
	return e.destination(include, true), nil
}

// destination is the event destination as API v2 shows it. Its address and secret are
// shown to those who ask to have them included, the secret only when it was just made.
func (e *webhookEndpoint) destination(include []string, fresh bool) map[string]any {
	hook := map[string]any{"url": nil, "signing_secret": nil}
	if slices.Contains(include, "webhook_endpoint.url") {
		hook["url"] = e.URL
	}
	if fresh && slices.Contains(include, "webhook_endpoint.signing_secret") {
		hook["signing_secret"] = e.Secret
	}
	return map[string]any{
		"id": e.ID, "object": e.Object, "created": isoTime(e.Created), "updated": isoTime(e.Created), "description": e.Description,
		"enabled_events": e.EnabledEvents, "event_payload": "thin", "events_from": []string{"self"}, "livemode": false,
		"metadata": e.Metadata, "name": e.Name, "status": e.Status, "type": "webhook_endpoint", "webhook_endpoint": hook,
	}
}

func (s *Server) getDestination(c *call) (any, *apiError) {
	include := c.list("include")
	if e := c.done(); e != nil {
		return nil, e
	}
	e, problem := s.endpointOf(c.id, true)
	if problem != nil {
		return nil, problem
	}
	return e.destination(include, false), nil
}

func (s *Server) deleteDestination(c *call) (any, *apiError) {
	if e := c.done(); e != nil {
		return nil, e
	}
	e, problem := s.endpointOf(c.id, true)
	if problem != nil {
		return nil, problem
	}
	s.state.Endpoints.remove(e.ID)
	s.receivers.drop(e.ID)
	return map[string]any{"id": e.ID, "object": e.Object}, nil
}

// presetThin has thin events go to the address of the options, if there is one.
func (s *Server) presetThin(address string) {
	s.state.Endpoints.remove(thinDefault) // of a run with other options
	if address == "" {
		return
	}
	e := &webhookEndpoint{
		ID: thinDefault, Object: "v2.core.event_destination", Created: s.now(), Status: endpointEnabled, Thin: true,
		Name: "default", URL: address, Secret: s.opts.WebhookSecret, EnabledEvents: []string{"*"},
	}
	s.receivers.put(*e)
	s.state.Endpoints.add(e)
}

// formOf is a JSON body of API v2 as the form that API v1 would have for it:
// {"a": {"b": ["c"]}} is a[b][0]=c.
func formOf(body []byte) (url.Values, error) {
	out := url.Values{}
	if len(body) == 0 {
		return out, nil
	}
	var tree map[string]any
	if err := json.Unmarshal(body, &tree); err != nil {
		return nil, err
	}
	for name, value := range tree {
		flatten(out, name, value)
	}
	return out, nil
}

func flatten(out url.Values, name string, value any) {
	switch value := value.(type) {
	case nil:
	case map[string]any:
		for key, inner := range value {
			flatten(out, name+"["+key+"]", inner)
		}
	case []any:
		for i, inner := range value {
			flatten(out, name+"["+strconv.Itoa(i)+"]", inner)
		}
	default:
		out.Set(name, fmt.Sprint(value))
	}
}
