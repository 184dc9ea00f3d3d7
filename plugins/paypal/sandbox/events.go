package sandbox

import (
	"strings"
	"time"
)

// captureNews is the event that tells of a capture in each status. PayPal calls
// a declined capture denied.
var captureNews = map[string]string{
	completed: "PAYMENT.CAPTURE.COMPLETED", pending: "PAYMENT.CAPTURE.PENDING", declined: "PAYMENT.CAPTURE.DENIED",
}

// emit queues the callbacks that tell of obj, to every webhook that is subscribed
// to it. The event holds the object as it is now: later changes do not reach it.
func (s *Server) emit(kind string, obj object) {
	at := s.opts.Now().UTC()
	id := "WH-" + newID() + "-" + newID()
	path := eventsPath + "/" + id
	content := fields{
		"id": id, "event_version": "1.0", "create_time": at.Format("2006-01-02T15:04:05.000Z"), "event_type": kind,
		"resource_version": "2.0", "resource_type": resourceType(kind, obj), "resource": obj.render(s, true),
		"summary": "Stand-in: " + strings.ToLower(strings.ReplaceAll(kind, ".", " ")),
		"links":   []link{s.link("self", "GET", path), s.link("resend", "POST", path+"/resend")},
	}
	if _, isDispute := obj.(*dispute); isDispute {
		delete(content, "resource_version")
	}
	if o, isOrder := obj.(*order); isOrder && kind == "CHECKOUT.PAYMENT-APPROVAL.REVERSED" {
		content["resource"] = fields{ // it has neither id nor status
			"order_id": o.ID, "create_time": at.Format(time.RFC3339), "payment_source": fields{"paypal": fields{}},
		}
	}
	body := encode(content)
	if len(s.events) >= maxEvents {
		s.events = append(s.events[:0:0], s.events[maxEvents/4:]...)
	}
	event := sent{ID: id, Kind: kind, At: at, Body: body}
	s.events = append(s.events, event)
	for _, to := range s.webhooks.wanting(kind) {
		s.callbacks.Send(event.to(to))
	}
	s.file.Touch()
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
