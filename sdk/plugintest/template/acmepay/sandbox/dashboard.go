package sandbox

import (
	"net/http"

	"github.com/superpayhub/superpay/sdk"
)

// dispute is a payer's challenge of a payment, by their bank.
type dispute struct {
	ID        string `json:"id"`
	CaptureID string `json:"capture_id"`
	Status    string `json:"status"` // open, won, lost
	Amount    string `json:"amount"`
	Withdrawn string `json:"withdrawn"` // how much of it the bank holds or has kept
	Currency  string `json:"currency"`
}

// press is a button of Acmepay's own staff, or of a bank:
//
//	payments/{id}/arrive   the money of a payment that is waiting is there
//	payments/{id}/fail     it does not come
//	payments/{id}/expire   the time of an open payment is over
//	payments/{id}/dispute  the payer's bank takes the money back, for now
//	refunds/{id}/arrive    a refund that is pending is done
//	disputes/{id}/win      the money is given back to the merchant
//	disputes/{id}/lose     the money is gone, less what the form's "back" gives back
func (s *Server) press(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, button, done := r.PathValue("id"), r.PathValue("button"), false
	switch r.PathValue("kind") {
	case "payments":
		if p := s.payment(id); p != nil {
			done = s.pressPayment(p, button)
		}
	case "refunds":
		done = button == "arrive" && s.arrive(id)
	case "disputes":
		done = s.closeDispute(id, button, r.PostFormValue("back"))
	}
	if !done {
		http.Error(w, "there is no such button on it, or not in its state", http.StatusConflict)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) pressPayment(p *payment, button string) bool {
	switch {
	case button == "arrive" && p.Status == "waiting":
		s.complete(p)
	case button == "fail" && p.Status == "waiting":
		p.Status, p.Failure = "canceled", "declined"
		s.tell("payment.declined", p)
	case button == "expire" && p.Status == "open":
		p.Status, p.ExpiresAt = "canceled", now()
		s.tell("payment.canceled", p)
	case button == "dispute" && p.Status == "paid" && len(p.Disputes) == 0:
		p.Disputes = append(p.Disputes, &dispute{
			ID: newID("dis_"), CaptureID: p.CaptureID, Status: "open", Amount: p.Captured, Withdrawn: p.Captured, Currency: p.Currency,
		})
		s.tell("payment.disputed", p)
	default:
		return false
	}
	return true
}

// arrive ends a refund that was pending.
func (s *Server) arrive(id string) bool {
	for _, p := range s.payments {
		for _, re := range p.Refunds {
			if re.ID == id && re.Status == "pending" {
				re.Status = "done"
				s.tell("payment.refunded", p)
				return true
			}
		}
	}
	return false
}

// closeDispute decides a dispute. back is how much of a lost one is given back.
func (s *Server) closeDispute(id, button, back string) bool {
	for _, p := range s.payments {
		for _, d := range p.Disputes {
			if d.ID != id || d.Status != "open" {
				continue
			}
			switch button {
			case "win":
				d.Status, d.Withdrawn = "won", ""
			case "lose":
				d.Status, d.Withdrawn = "lost", less(d.Amount, back, d.Currency)
			default:
				return false
			}
			s.tell("payment.dispute_closed", p)
			return true
		}
	}
	return false
}

// less is an amount without a part of it; a part that is no amount is nothing.
func less(amount, part, currency string) string {
	whole, _ := money(amount, currency)
	if back, fits := money(part, currency); fits && back.Amount < whole.Amount {
		whole = sdk.Money{Amount: whole.Amount - back.Amount, Currency: whole.Currency, Exponent: whole.Exponent}
	}
	return whole.Decimal()
}
