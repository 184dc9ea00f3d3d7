package sandbox

import (
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// moved are the statuses of money in the books' words, which are those of every
// stand-in. A capture that was refunded did succeed.
var moved = map[string]string{
	completed: "succeeded", partiallyRefunded: "succeeded", refunded: "succeeded", pending: "pending", declined: "failed", failed: "failed",
}

// books tells the merchant's money. What an order paid to someone else, because
// a browser said so, is not in them.
func (s *Server) books() standin.Books {
	b := standin.Books{
		Payments: []standin.Entry{}, Captures: []standin.Entry{}, Refunds: []standin.Entry{}, Disputes: []standin.Entry{},
	}
	for _, o := range s.state.Orders {
		for i, u := range o.Units {
			if u.Payee.MerchantID != s.opts.MerchantID {
				continue
			}
			if i == 0 {
				b.Payments = append(b.Payments, u.entry(o.ID, o.summary(), u.Amount, o.Created))
			}
			for _, c := range u.Captures {
				b.Captures = append(b.Captures, u.entry(c.ID, moved[c.Status], c.Amount, c.Created))
				for _, d := range c.Disputes {
					b.Disputes = append(b.Disputes, u.entry(d.ID, d.summary(), d.Amount, d.Created))
				}
			}
			for _, r := range u.Refunds {
				b.Refunds = append(b.Refunds, u.entry(r.ID, moved[r.Status], r.Amount, r.Created))
			}
		}
	}
	return b
}

func (u *unit) entry(id, status string, amount money, at time.Time) standin.Entry {
	exact := amount.value()
	if amount.Currency == "HUF" || amount.Currency == "TWD" {
		exact += ".00" // ISO 4217 gives them two decimals, PayPal none
	}
	attempt, _, _ := strings.Cut(u.CustomID, ":")
	return standin.Entry{
		ID: id, PaymentID: u.order.ID, Status: status, Amount: exact, Currency: amount.Currency,
		Metadata: map[string]string{"superpay_attempt": attempt}, Created: at,
	}
}

// summary is where an order stands in a word.
func (o *order) summary() string {
	switch {
	case o.Gone || o.Status == voided:
		return "canceled"
	case o.Status == approved:
		return "requires_confirmation"
	case o.Status != completed:
		return "requires_action"
	}
	for _, c := range o.Units[0].Captures {
		if c.Status != declined {
			return moved[c.Status]
		}
	}
	switch u := o.Units[0]; {
	case len(u.Authorizations) == 0:
		return "failed"
	case u.current().Status == voided:
		return "canceled"
	}
	return "requires_capture"
}

func (d *dispute) summary() string {
	switch {
	case d.Outcome == buyerFavour:
		return "lost"
	case d.Outcome != "":
		return "won"
	case d.Status == underReview:
		return "under_review"
	}
	return "needs_response"
}
