package main

import (
	"encoding/json"
	"strings"
)

// look is how a status is said: to a person, in a word, and by a picture.
type look struct {
	Word string // on a pill
	Head string // over the order page
	Text string
	Mood string // the CSS class and the picture: wait, hold, good, back, bad
}

var looks = map[string]look{
	"open":               {"Not paid yet", "Not paid yet", "Nothing has been taken. We keep the order for you while you pay.", "wait"},
	"pending":            {"Confirming", "Confirming your payment", "Your payment is on its way to us. This page looks again by itself.", "wait"},
	"authorized":         {"Reserved", "Your money is reserved", "It is set aside, not taken. We take it when your parcel ships.", "hold"},
	"paid":               {"Paid", "Thank you, it is paid", "Your money has arrived and we are packing your parcel.", "good"},
	"partially_refunded": {"Partly refunded", "Partly refunded", "Some of your money is on its way back to you.", "back"},
	"refunded":           {"Refunded", "Refunded", "All of your money is on its way back to you.", "back"},
	"canceled":           {"Canceled", "Canceled", "This order was called off. Nothing is owed.", "bad"},
	"expired":            {"Expired", "Expired", "Nobody paid in time, so the order was closed. Nothing is owed.", "bad"},
}

// lookOf treats a status it does not know as not settled, as the hub asks its readers to.
func lookOf(status string) look {
	if l, ok := looks[status]; ok {
		return l
	}
	return look{"Being settled", "Being settled", "We do not know the end of this yet. This page looks again by itself.", "wait"}
}

// moving reports whether reading the order again soon may tell more.
func (o *order) moving() bool {
	switch o.Status {
	case "authorized", "paid", "partially_refunded", "refunded", "canceled", "expired":
	case "open":
		return o.live()
	default:
		return true
	}
	for _, r := range o.Refunds {
		if r.Status != "succeeded" && r.Status != "failed" {
			return true
		}
	}
	return o.unknown()
}

// live reports whether an attempt may still be paid.
func (o *order) live() bool {
	for _, a := range o.Attempts {
		if a.Status != "failed" && a.Status != "canceled" {
			return true
		}
	}
	return false
}

// unknown reports whether the answer to an attempt was lost.
func (o *order) unknown() bool {
	for _, a := range o.Attempts {
		if a.Status == "unknown" {
			return true
		}
	}
	return false
}

var attentions = map[string]string{
	"amount_mismatch":    "the provider reports another amount",
	"currency_mismatch":  "the provider reports another currency",
	"reference_mismatch": "the provider answered about another payment",
	"mode_mismatch":      "test money and real money were mixed",
	"money_missing":      "the provider says paid, but names no money",
	"contradiction":      "the provider said two different things",
	"second_payment":     "it was paid twice",
	"paid_after_close":   "it was paid after it had been closed",
	"over_refunded":      "more was given back than was taken",
	"refund_failed_late": "a refund came back",
	"in_dispute":         "the payment is disputed",
	"refund_mismatch":    "a refund differs from what was asked",
	"exhausted":          "the provider has not told the outcome in time",
}

var happenings = map[string]string{
	"order.created":                 "Order placed",
	"create.started":                "Asked the provider for a payment",
	"confirm.started":               "Asked the provider to confirm",
	"capture.started":               "Asked the provider to take the money",
	"cancel.started":                "Asked the provider to cancel",
	"refund.started":                "Asked the provider for a refund",
	"cancel.asked":                  "Cancellation asked for",
	"payment.requires_action":       "Waiting for the payer",
	"payment.requires_confirmation": "The payer agreed",
	"payment.pending":               "Payment on its way",
	"payment.requires_capture":      "Money reserved",
	"payment.succeeded":             "Payment succeeded",
	"payment.failed":                "Payment failed",
	"payment.canceled":              "Payment canceled",
	"payment.contradiction":         "The provider contradicts itself",
	"capture.pending":               "Money is being taken",
	"capture.succeeded":             "Money taken",
	"capture.failed":                "Money could not be taken",
	"refund.pending":                "Refund on its way",
	"refund.succeeded":              "Refund done",
	"refund.failed":                 "Refund failed",
	"refund.made_at_provider":       "Refund made at the provider",
	"operation.succeeded":           "The provider did it",
	"operation.declined":            "The provider said no",
	"operation.not_sent":            "It could not be sent",
	"operation.unknown":             "The answer was lost; finding out",
}

var sources = map[string]string{
	"app": "the shop", "callback": "the provider called", "read": "the provider was asked",
	"operation": "the provider answered", "hub": "the hub", "operator": "an operator",
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

func plain(s string) string {
	return clip(strings.NewReplacer(".", " ", "_", " ").Replace(s))
}

func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
