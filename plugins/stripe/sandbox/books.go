package sandbox

import (
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// books tells the money in neutral words. A release of held money is not a
// refund here, though Stripe lists one; that difference is a trap worth having.
func (s *Server) books() standin.Books {
	b := standin.Books{
		Payments: []standin.Entry{}, Captures: []standin.Entry{}, Refunds: []standin.Entry{}, Disputes: []standin.Entry{},
	}
	for _, pi := range s.state.Intents.rows {
		b.Payments = append(b.Payments, entry(pi.ID, pi.ID, pi.Status, pi.Amount, pi.Currency, pi.Metadata, pi.Created))
	}
	for _, ch := range s.state.Charges.rows {
		if ch.PaymentIntent == "" {
			b.Payments = append(b.Payments, entry(ch.ID, ch.ID, ch.progress(), ch.Amount, ch.Currency, ch.Metadata, ch.Created))
		}
	}
	paidBy := map[string]string{}
	for _, ch := range s.state.Charges.rows {
		payment := ch.payment()
		paidBy[ch.ID] = payment
		if ch.Captured {
			b.Captures = append(b.Captures, entry(ch.ID, payment, ch.Status, ch.AmountCaptured, ch.Currency, ch.Metadata, ch.Created))
		}
	}
	for _, r := range s.state.Refunds.rows {
		if !r.Release {
			b.Refunds = append(b.Refunds, entry(r.ID, paidBy[r.Charge], r.Status, r.Amount, r.Currency, r.Metadata, r.Created))
		}
	}
	for _, d := range s.state.Disputes.rows {
		amount := d.Amount
		for _, t := range d.BalanceTransactions {
			if d.Status == "lost" && t.Amount > 0 {
				amount -= t.Amount // what was refunded before is not lost again
			}
		}
		b.Disputes = append(b.Disputes, entry(d.ID, paidBy[d.Charge], d.Status, amount, d.Currency, d.Metadata, d.Created))
	}
	return b
}

// payment is what a charge belongs to: its PaymentIntent, or itself.
func (ch *charge) payment() string { return or(string(ch.PaymentIntent), ch.ID) }

// progress is how far a charge of its own got, in a PaymentIntent's words.
func (ch *charge) progress() string {
	switch {
	case ch.held():
		return "requires_capture"
	case ch.Status == "succeeded" && !ch.Captured:
		return "canceled"
	}
	return ch.Status
}

func entry(id, payment, status string, amount int64, currency string, metadata map[string]string, created int64) standin.Entry {
	return standin.Entry{
		ID: id, PaymentID: payment, Status: status, Amount: decimal(amount, currency), Currency: strings.ToUpper(currency),
		Metadata: merged(metadata, nil), Created: time.Unix(created, 0).UTC(),
	}
}
