package sandbox

import (
	"encoding/json"
	"net/http"
)

type refund struct {
	ID        string            `json:"id"`
	CaptureID string            `json:"capture_id"`
	Status    string            `json:"status"` // pending, done, failed
	Amount    string            `json:"amount"`
	Currency  string            `json:"currency"`
	Metadata  map[string]string `json:"metadata"`
	Reason    string            `json:"reason"`
	Failure   string            `json:"failure,omitempty"`
}

func (s *Server) createRefund(_ *http.Request, body []byte) reply {
	re := &refund{}
	if json.Unmarshal(body, re) != nil {
		return refuse(http.StatusUnprocessableEntity, "bad_request")
	}
	var of *payment
	for _, p := range s.payments {
		if p.CaptureID != "" && p.CaptureID == re.CaptureID {
			of = p
		}
	}
	if of == nil {
		return refuse(http.StatusNotFound, "not_found")
	}
	amount, fits := money(re.Amount, of.Currency)
	left, _ := money(of.Captured, of.Currency)
	for _, earlier := range of.Refunds {
		if back, _ := money(earlier.Amount, of.Currency); earlier.Status != "failed" {
			left.Amount -= back.Amount
		}
	}
	if !fits || amount.Amount > left.Amount {
		return refuse(http.StatusUnprocessableEntity, "too_much")
	}
	re.ID, re.Currency, re.Status = newID("ref_"), of.Currency, "done"
	switch of.card {
	case "closed": // what it was paid from takes nothing back
		re.Status, re.Failure = "failed", "account_closed"
	case "slow":
		re.Status = "pending"
	}
	of.Refunds, s.refunds = append(of.Refunds, re), append(s.refunds, re)
	s.tell("payment.refunded", of)
	return ok(re)
}

func (s *Server) getRefund(r *http.Request) reply {
	for _, re := range s.refunds {
		if re.ID == r.PathValue("id") {
			return ok(re)
		}
	}
	return refuse(http.StatusNotFound, "not_found")
}
