package sandbox

import (
	"net/http"
	"slices"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

func (s *Server) showPage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.render(w, http.StatusOK, r.PathValue("id"))
}

// render shows a payment; the caller holds the lock.
func (s *Server) render(w http.ResponseWriter, status int, id string) {
	p := s.payment(id)
	if p == nil {
		http.NotFound(w, nil)
		return
	}
	s.pages.Render(w, status, "pay", standin.Page{Title: "Pay", Provider: "Acmepay", Data: p})
}

// cards that pay: "late" only when its bank says so, "closed" takes no refund, "slow"
// takes one when its bank says so, "less" pays 1.00 too little, and "foreign" pays the
// same figure in another currency.
var cards = []string{"good", "late", "closed", "slow", "less", "foreign"}

// pay is the payer's button. Every other card is declined, and the payer may try another.
func (s *Server) pay(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, card := s.payment(r.PathValue("id")), r.PostFormValue("card")
	switch {
	case p == nil || p.Status != "open":
		s.render(w, http.StatusOK, r.PathValue("id"))
		return
	case !slices.Contains(cards, card):
		p.Failure = "low_funds"
		s.tell("payment.declined", p)
		s.render(w, http.StatusPaymentRequired, p.ID)
		return
	}
	p.card = card
	if s.opts.Results {
		p.result = newID("res_")
		http.Redirect(w, r, p.ReturnURL+"?result="+p.result, http.StatusSeeOther)
		return
	}
	s.complete(p)
	http.Redirect(w, r, p.ReturnURL, http.StatusSeeOther)
}
