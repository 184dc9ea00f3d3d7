package main

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/superpayhub/superpay/sdk"
)

// event is what is needed of a PayPal event. Its resource differs by type and
// version; only ids and links are read, which all versions spell alike.
type event struct {
	ID       string   `json:"id"`
	Type     string   `json:"event_type"`
	Resource resource `json:"resource"`
}

type resource struct {
	ID            string         `json:"id"`
	Status        string         `json:"status"`
	OrderID       string         `json:"order_id"`
	CustomID      string         `json:"custom_id"`
	PurchaseUnits []purchaseUnit `json:"purchase_units"`
	Supplementary supplementary  `json:"supplementary_data"`
	Links         []link         `json:"links"`
	DisputeID     string         `json:"dispute_id"`
	Stage         string         `json:"dispute_life_cycle_stage"`
	Outcome       struct {
		Code string `json:"outcome_code"`
	} `json:"dispute_outcome"`
	Disputed []struct {
		Capture string `json:"seller_transaction_id"`
		Custom  string `json:"custom"`
	} `json:"disputed_transactions"`
}

// eventTypes are what the webhook has to be subscribed to: what hints and expected
// can read, of the names that PayPal documents for Orders v2, Payments v2 and
// disputes (developer.paypal.com/api/rest/webhooks/event-names). DENIED and
// DECLINED are both in use for the same.
var eventTypes = []string{
	"CHECKOUT.ORDER.APPROVED",
	"CHECKOUT.ORDER.COMPLETED",
	"CHECKOUT.PAYMENT-APPROVAL.REVERSED",
	"PAYMENT.AUTHORIZATION.CREATED",
	"PAYMENT.AUTHORIZATION.VOIDED",
	"PAYMENT.CAPTURE.PENDING",
	"PAYMENT.CAPTURE.COMPLETED",
	"PAYMENT.CAPTURE.DENIED",
	"PAYMENT.CAPTURE.DECLINED",
	"PAYMENT.CAPTURE.REFUNDED",
	"PAYMENT.CAPTURE.REVERSED",
	"CUSTOMER.DISPUTE.CREATED",
	"CUSTOMER.DISPUTE.UPDATED",
	"CUSTOMER.DISPUTE.RESOLVED",
}

// maybeTypes can be read as well, but are not in all of PayPal's documents. PayPal
// refuses a whole webhook for one name that it does not know, so they are wanted
// only where its list of event types has them.
var maybeTypes = []string{
	"CHECKOUT.ORDER.PROCESSED",
	"CHECKOUT.ORDER.VOIDED",
	"PAYMENT.REFUND.PENDING",
	"PAYMENT.REFUND.FAILED",
}

var (
	eventForm = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,150}$`)
	typeForm  = regexp.MustCompile(`^[A-Z0-9_.-]{1,150}$`)
)

// parseEvent accepts only a JSON object with an id and a type. One whose
// resource has a shape that is not known is kept, and means nothing.
func parseEvent(body []byte) (event, bool) {
	var e event
	if len(body) > maxEvent || !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		return e, false
	}
	if json.Unmarshal(body, &e) != nil { // what is no JSON at all leaves it empty
		e.Resource = resource{}
	}
	return e, eventForm.MatchString(e.ID) && typeForm.MatchString(e.Type)
}

const maxDisputedHints = 10

// facts says which payments to read, and what a read must show.
func (e event) facts() []sdk.Fact {
	facts, expect := e.hints(), e.expected()
	for i := range facts {
		facts[i].Expect = expect
	}
	return facts
}

// hints says which payments to read. An event of a type that is not listed
// means nothing to a hub.
func (e event) hints() []sdk.Fact {
	r, related := e.Resource, e.Resource.Supplementary.Related
	switch kind := e.Type; {
	case strings.HasPrefix(kind, "CHECKOUT.ORDER."):
		return hint(r.custom(), kindOrder, r.ID)
	case kind == "CHECKOUT.PAYMENT-APPROVAL.REVERSED": // its resource has no id
		return hint(r.custom(), kindOrder, r.OrderID)
	case strings.HasPrefix(kind, "PAYMENT.AUTHORIZATION."):
		return hint(r.CustomID, kindOrder, related.Order, kindAuthorization, r.ID)
	case kind == "PAYMENT.CAPTURE.REFUNDED", kind == "PAYMENT.CAPTURE.REVERSED", strings.HasPrefix(kind, "PAYMENT.REFUND."):
		// The resource is the refund: its custom_id names a refund of ours, and
		// the capture is only in its link "up".
		id := related.Capture
		if id == "" {
			id = up(r.Links, "captures")
		}
		return hint("", kindOrder, related.Order, kindCapture, id)
	case strings.HasPrefix(kind, "PAYMENT.CAPTURE."):
		authorization := related.Authorization
		if authorization == "" {
			authorization = up(r.Links, "authorizations")
		}
		order := related.Order // missing in older events: then the link, if it is the order's
		if order == "" {
			order = up(r.Links, "orders")
		}
		return hint(r.CustomID, kindOrder, order, kindAuthorization, authorization, kindCapture, r.ID)
	case strings.HasPrefix(kind, "CUSTOMER.DISPUTE."):
		var facts []sdk.Fact
		for i, d := range r.Disputed {
			if i < maxDisputedHints {
				facts = append(facts, hint(d.Custom, kindCapture, d.Capture)...)
			}
		}
		return facts
	}
	return nil
}

func (r resource) custom() string {
	if len(r.PurchaseUnits) != 1 {
		return r.CustomID
	}
	return r.PurchaseUnits[0].CustomID
}

// hint names a payment, by what can be an id; nothing if nothing can.
func hint(custom string, kindsAndIDs ...string) []sdk.Fact {
	f := sdk.Fact{}
	if len(custom) <= maxCustomID && eventForm.MatchString(custom) {
		f.Payment.AttemptID, f.Payment.InstanceID = readCustomID(custom)
	}
	for i := 0; i < len(kindsAndIDs); i += 2 {
		if id := kindsAndIDs[i+1]; idForm.MatchString(id) {
			f.Payment.Refs = addRef(f.Payment.Refs, kindsAndIDs[i], id)
		}
	}
	if f.Payment.AttemptID == "" && len(f.Payment.Refs) == 0 {
		return nil
	}
	return []sdk.Fact{f}
}
