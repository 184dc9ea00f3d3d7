package sandbox

import "slices"

// The endpoints that are made by the API, each with a secret of its own. They get
// their events besides the one of the options.

const (
	endpointEnabled  = "enabled"
	endpointDisabled = "disabled"
	maxEndpoints     = 16 // Stripe's limit in test mode
)

// reachable reports whether anything is sent there.
func (o *webhookEndpoint) reachable() bool { return o.URL != "" && o.Status != endpointDisabled }

func (s *Server) createEndpoint(c *call) (any, *apiError) {
	e := &webhookEndpoint{
		ID: newID("we_1"), Object: "webhook_endpoint", Created: s.now(), Status: endpointEnabled,
		URL: c.address("url", true), EnabledEvents: c.list("enabled_events"), Description: text(c.text("description", 500)),
		APIVersion: text(c.text("api_version", 50)), Metadata: c.metadata("metadata"), Secret: newID("whsec_"),
	}
	c.ignore("connect")
	if len(e.EnabledEvents) == 0 {
		c.fail(invalid("parameter_missing", "enabled_events", "Missing required param: enabled_events."))
	}
	if len(s.state.Endpoints.rows) >= maxEndpoints {
		c.fail(invalid("", "", "You have reached the maximum of 16 test webhook endpoints."))
	}
	if problem := c.done(); problem != nil {
		return nil, problem
	}
	s.state.Endpoints.add(e)
	s.receivers.put(*e)
	shown := s.render(e)
	shown["secret"] = e.Secret // this once, as at Stripe
	return shown, nil
}

// updateEndpoint changes what Stripe lets one change: not the version.
func (s *Server) updateEndpoint(c *call) (any, *apiError) {
	e, problem := s.endpointOf(c.id, false)
	if problem != nil {
		return nil, problem
	}
	changed := *e
	if c.has("url") {
		changed.URL = c.address("url", true)
	}
	if events := c.list("enabled_events"); len(events) > 0 {
		changed.EnabledEvents = events
	}
	if c.has("description") {
		changed.Description = text(c.text("description", 500))
	}
	changed.Metadata = merged(e.Metadata, c.metadata("metadata"))
	changed.Status = endpointEnabled
	if c.boolean("disabled", e.Status == endpointDisabled) {
		changed.Status = endpointDisabled
	}
	if problem := c.done(); problem != nil {
		return nil, problem
	}
	*e = changed
	s.receivers.put(changed)
	return e, nil
}

func (s *Server) deleteEndpoint(c *call) (any, *apiError) {
	if e := c.done(); e != nil {
		return nil, e
	}
	e, problem := s.endpointOf(c.id, false)
	if problem != nil {
		return nil, problem
	}
	s.state.Endpoints.remove(e.ID)
	s.receivers.drop(e.ID)
	return map[string]any{"id": e.ID, "object": e.Object, "deleted": true}, nil
}

func (s *Server) getEndpoint(c *call) (any, *apiError) {
	if e := c.done(); e != nil {
		return nil, e
	}
	e, problem := s.endpointOf(c.id, false)
	if problem != nil {
		return nil, problem
	}
	return e, nil
}

// listEndpoints takes no range of creation, unlike the other lists.
func (s *Server) listEndpoints(c *call) (any, *apiError) {
	l := c.listing()
	for name := range c.values {
		if slices.Contains([]string{"created", "created[gt]", "created[gte]", "created[lt]", "created[lte]"}, name) {
			return nil, invalid("parameter_unknown", name, "Received unknown parameter: %s", name)
		}
	}
	return page(c, l, &s.state.Endpoints, "webhook_endpoint", func(e *webhookEndpoint) bool { return !e.Thin })
}

// endpointOf finds an endpoint of API v1, or an event destination of API v2.
func (s *Server) endpointOf(id string, thin bool) (*webhookEndpoint, *apiError) {
	e, ok := s.state.Endpoints.get(id)
	switch {
	case ok && e.Thin == thin:
		return e, nil
	case thin:
		return nil, missing("event destination", "id", id)
	}
	return nil, missing("webhook_endpoint", "webhook_endpoint", id)
}
