package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

var happenings = map[string]string{
	"order.created":                 "Order placed",
	"order.amount_changed":          "The amount changed",
	"order.customer_changed":        "Another payer",
	"create.started":                "Asked the provider for a payment",
	"confirm.started":               "Asked the provider to confirm",
	"capture.started":               "Asked the provider to take the money",
	"cancel.started":                "Asked the provider to cancel",
	"refund.started":                "Asked the provider for a refund",
	"cancel.asked":                  "Cancellation asked for",
	"confirm.not_needed":            "Confirmed again",
	"payment.requires_action":       "The payer was asked to pay",
	"payment.requires_confirmation": "The payer agreed",
	"payment.pending":               "Payment under way",
	"payment.requires_capture":      "Money reserved",
	"payment.succeeded":             "Payment succeeded",
	"payment.failed":                "Payment refused",
	"payment.declined":              "Payment refused",
	"payment.canceled":              "Payment canceled",
	"payment.gone":                  "The provider no longer knows the payment",
	"payment.contradiction":         "The provider contradicted itself",
	"payment.updated":               "The provider told details of the payment",
	"payment.mismatch":              "The provider reports something else that does not fit",
	"capture.pending":               "The provider began to take the money",
	"capture.succeeded":             "Money taken",
	"capture.failed":                "Money could not be taken",
	"refund.pending":                "The provider began to give money back",
	"refund.succeeded":              "Money given back",
	"refund.failed":                 "Refund failed",
	"refund.made_at_provider":       "Refund made in the provider's dashboard",
	"refund.recovered":              "Refund found at the provider, which the database had lost",
	"refund.claimed":                "Refund taken for the one that was asked for",
	"payment.recovered":             "Payment found at the provider, which the database had lost",
	"dispute.inquiry":               "The payer's bank asked about the payment",
	"dispute.open":                  "The payer's bank opened a dispute",
	"dispute.won":                   "Dispute won",
	"dispute.lost":                  "Dispute lost",
	"dispute.closed":                "Dispute closed",
	"operation.declined":            "The provider said no",
	"operation.not_sent":            "It could not be sent",
	"operation.unknown":             "The answer was lost",
}

// sources say how the hub came to know.
var sources = map[string]string{
	"app": "the shop", "callback": "the provider told the hub", "read": "the hub looked it up at the provider",
	"operation": "the provider's answer", "hub": "the hub", "operator": "an operator",
}

// order of what happened at one moment: causes before effects.
var ranks = []string{"order.created", ".started", "cancel.asked", "confirm.not_needed", "payment.", "capture.", "refund.", "dispute.", "operation.", "attention.", "order."}

func (e event) rank() int {
	return slices.IndexFunc(append(ranks, ""), func(part string) bool {
		return strings.HasPrefix(e.Kind, part) || part == ".started" && strings.HasSuffix(e.Kind, part)
	})
}

// story puts the events in the order in which they make sense, without those
// that only repeat what another one says.
func story(events []event) []event {
	refused := map[string]bool{}  // by time: the payment was said to be refused
	disputes := map[string]bool{} // by id and status: a later event only adds details
	var told []event
	for _, e := range events {
		switch e.Kind {
		case "operation.succeeded": // its effect is told
			continue
		case "payment.failed", "payment.declined", "refund.failed", "operation.declined":
			at := e.At.String()
			if refused[at] {
				continue
			}
			refused[at] = true
		case "dispute.inquiry", "dispute.open", "dispute.won", "dispute.lost", "dispute.closed":
			var d struct {
				ID string `json:"id"`
			}
			_ = json.Unmarshal(e.Data, &d)
			if disputes[e.Kind+d.ID] {
				continue
			}
			disputes[e.Kind+d.ID] = true
		}
		told = append(told, e)
	}
	slices.SortStableFunc(told, func(a, b event) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return a.rank() - b.rank()
	})
	return told
}

// reason is why something was refused, where any of the events of that moment says so.
func reason(e event, events []event) string {
	switch e.Kind {
	case "payment.failed", "payment.declined", "refund.failed", "operation.declined":
	default:
		return ""
	}
	for _, same := range events {
		var d struct {
			Failure *failure `json:"failure"`
		}
		if same.At.Equal(e.At) && json.Unmarshal(same.Data, &d) == nil && d.Failure != nil && d.Failure.Message != "" {
			return clip(d.Failure.Message)
		}
	}
	return ""
}

func (s *shop) timeline(r *http.Request, p *orderPage) {
	var page struct{ Data []event }
	if err := s.hub.get(r.Context(), "/v1/orders/"+p.ID+"/events", &page); err != nil {
		s.logProblem(r, err)
		p.Blind = true
		return
	}
	for i, e := range story(page.Data) {
		if i == maxEvents {
			return
		}
		source, ok := sources[e.Source]
		if !ok {
			source = plain(e.Source)
		}
		at := e.At.UTC()
		p.Events = append(p.Events, eventLine{
			At: at.Format("15:04:05"), ISO: at.Format(time.RFC3339), Text: e.say(), Kind: clip(e.Kind), Source: source,
			Amount: e.amount(p.Exponent, p.Currency), Reason: reason(e, page.Data),
		})
	}
}

// say puts an event into words; a kind that is not in the table says itself.
func (e event) say() string {
	if s, ok := happenings[e.Kind]; ok {
		return s
	}
	noun, rest, _ := strings.Cut(e.Kind, ".")
	switch noun {
	case "order":
		return "Order: " + strings.ToLower(lookOf(rest).Word)
	case "attention":
		if s, ok := attentions[rest]; ok {
			return "Needs attention: " + s
		}
		return "Needs attention: " + plain(rest)
	}
	return sentence(plain(e.Kind))
}

// amount is the money an event names, if it names any.
func (e event) amount(exponent int, currency string) string {
	var d struct {
		Amount   int64  `json:"amount"`
		Currency string `json:"currency"`
	}
	if json.Unmarshal(e.Data, &d) != nil || d.Amount == 0 || d.Currency != "" && d.Currency != currency {
		return ""
	}
	return money(d.Amount, currency, exponent)
}
