package main

import (
	"strings"
)

// look is how a status is said: to a person, in a word, and by a picture.
type look struct {
	Word string // on a pill
	Head string // over the order page
	Text string
	Mood string // the CSS class and the picture: wait, hold, good, back, warn, bad
}

var looks = map[string]look{
	"open":               {"Not paid yet", "Not paid yet", "Nothing has been taken. We keep the order for you while you pay.", "wait"},
	"pending":            {"Confirming", "Confirming your payment", "Your payment is on its way to us. This page looks again by itself.", "wait"},
	"authorized":         {"Reserved", "Your money is reserved", "It is set aside, not taken. We take it when your parcel ships.", "hold"},
	"paid":               {"Paid", "Thank you, it is paid", "Your money has arrived and we are packing your parcel.", "good"},
	"partially_refunded": {"Partly refunded", "Partly refunded", "Some of your money has been given back to you.", "back"},
	"refunded":           {"Refunded", "Refunded", "All of your money has been given back to you.", "back"},
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

// look is how the order stands: its status, and what the status does not tell.
func (o *order) look() look {
	l := lookOf(o.Status)
	for _, d := range o.Disputes {
		switch d.Status {
		case "open":
			return look{"Disputed", "This payment is disputed", "It was paid, and the payer's bank now asks for the money back. We do not ship before that is settled.", "warn"}
		case "inquiry":
			return look{"Questioned", "The bank asks about this payment", "It was paid. The payer's bank wants to know more before it decides anything. We do not ship before that is settled.", "warn"}
		}
	}
	if o.Disputed > 0 {
		return look{"Dispute lost", "The dispute was lost", "The bank has taken the money back.", "bad"}
	}
	switch {
	case o.refused() && o.live():
		l = look{"Refused", "That try to pay was refused", "Nothing has been taken. Your order is still here: go on with the payment you began, or choose another way.", "bad"}
	case o.Status == "open" && len(o.Attempts) > 0 && !o.live():
		l = look{"Not paid", "That payment was called off", "Nothing has been taken. Your order is still here, and you can pay another way.", "wait"}
		if a := o.Attempts[len(o.Attempts)-1]; a.Status == "failed" {
			l = look{"Refused", "That payment was refused", "Nothing has been taken. Your order is still here: choose another way to pay, or try once more.", "bad"}
		}
	case o.Status == "partially_refunded" && o.refunding():
		l.Text = "Some of your money is on its way back to you."
	case o.Status == "refunded" && o.refunding():
		l.Text = "All of your money is on its way back to you."
	}
	return l
}

// refused reports whether the last try to pay was answered with no.
func (o *order) refused() bool {
	n := len(o.Attempts)
	return o.Status == "open" && n > 0 && (o.Attempts[n-1].Status == "failed" || o.Attempts[n-1].Failure != nil)
}

func (o *order) refunding() bool {
	for _, r := range o.Refunds {
		if r.Status != "succeeded" && r.Status != "failed" {
			return true
		}
	}
	return false
}

// watched reports whether something may still happen to money that is there:
// somebody may refund or dispute it at the provider.
func (o *order) watched() bool {
	return o.Captured > 0 || o.Status == "authorized" || o.Status == "paid"
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
	return o.refunding() || o.unknown()
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
	"amount_mismatch":        "the provider reports another amount",
	"currency_mismatch":      "the provider reports another currency",
	"reference_mismatch":     "the provider answered about another payment",
	"mode_mismatch":          "test money and real money were mixed",
	"money_missing":          "the provider says paid, but names no money",
	"contradiction":          "the provider said two different things",
	"second_payment":         "it was paid twice",
	"paid_after_close":       "it was paid after it had been closed",
	"authorized_after_close": "money was held for it after it had been closed",
	"over_refunded":          "more was given back than was taken",
	"refund_failed_late":     "a refund came back",
	"reversed":               "the payment was taken back",
	"in_dispute":             "the payment is disputed",
	"refund_mismatch":        "a refund differs from what was asked",
	"exhausted":              "the provider has not told the outcome in time",
	"event_not_confirmed":    "the provider told of something that it does not show",
	"callback_stuck":         "a call of the provider could not be taken in",
	"ledger_doubt":           "the hub's own records of it contradict each other",
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
