package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// captureNews is the event that tells of a capture in each status. PayPal calls
// a declined capture denied.
var captureNews = map[string]string{
	completed: "PAYMENT.CAPTURE.COMPLETED", pending: "PAYMENT.CAPTURE.PENDING", declined: "PAYMENT.CAPTURE.DENIED",
}

// emit queues the callbacks that tell of obj, to every webhook that is subscribed
// to it. The event holds the object as it
// is now: later changes do not reach it.
func (s *Server) emit(kind string, obj object) {
	at := s.opts.Now().UTC()
	id := "WH-" + newID() + "-" + newID()
	path := "/v1/notifications/webhooks-events/" + id
	event := fields{
		"id": id, "event_version": "1.0", "create_time": at.Format("2006-01-02T15:04:05.000Z"), "event_type": kind,
		"resource_version": "2.0", "resource_type": resourceType(kind, obj), "resource": obj.render(s, true),
		"summary": "Stand-in: " + strings.ToLower(strings.ReplaceAll(kind, ".", " ")),
		"links":   []link{s.link("self", "GET", path), s.link("resend", "POST", path+"/resend")},
	}
	if _, isDispute := obj.(*dispute); isDispute {
		delete(event, "resource_version")
	}
	if o, isOrder := obj.(*order); isOrder && kind == "CHECKOUT.PAYMENT-APPROVAL.REVERSED" {
		event["resource"] = fields{ // it has neither id nor status
			"order_id": o.ID, "create_time": at.Format(time.RFC3339), "payment_source": fields{"paypal": fields{}},
		}
	}
	body := encode(event)
	if len(s.events) >= maxEvents {
		s.events = append(s.events[:0:0], s.events[maxEvents/4:]...)
	}
	s.events = append(s.events, sent{id, kind, at, body})
	for _, to := range s.webhooks.wanting(kind) {
		delivery := id
		if !to.Preset {
			delivery += ":" + to.ID
		}
		s.callbacks.Send(standin.Callback{ID: delivery, Type: kind, Endpoint: to.endpoint(), Created: at, Body: body})
	}
	s.file.Touch()
}

// sent is an event as it was sent. PayPal keeps them for a while; the stand-in
// as long as it runs, and no more than maxEvents.
type sent struct {
	id, kind string
	at       time.Time
	body     json.RawMessage
}

const (
	maxEvents  = 20_000
	eventsPath = "/v1/notifications/webhooks-events"
)

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
			open = e.id == after
		case e.at.Before(from) || e.at.After(to) || query.Get("event_type") != "" && query.Get("event_type") != e.kind:
		case len(events) == size:
			query.Set("move_to", "next")
			links = append(links, s.link("next", "GET", eventsPath+"?"+query.Encode()))
			return answer{status: http.StatusOK, body: fields{"events": events, "count": len(events), "links": links}}, nil
		default:
			events = append(events, e.body)
			query.Set("index_id", e.id)
		}
	}
	return answer{status: http.StatusOK, body: fields{"events": events, "count": len(events), "links": links}}, nil
}

func resourceType(kind string, obj object) string {
	switch obj.(type) {
	case *order:
		if strings.HasPrefix(kind, "CHECKOUT.PAYMENT-APPROVAL.") {
			return "payment"
		}
		return "checkout-order"
	case *authorization:
		return "authorization"
	case *capture:
		return "capture"
	case *refund:
		return "refund"
	}
	return "dispute"
}
