package sandbox

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// Two pages play what runs in the payer's hands: the sheet of Apple Pay, and a
// card form with Stripe.js. Both give a name for a card to the address in
// ?return=, which must be on this machine, or show it where there is none.

type cardPage struct {
	Amount, Action, Cancel, Problem, Number string
	Token                                   bool // the sheet makes a ConfirmationToken
	Cards                                   []testCard
}

// cardPage reads the addresses of a card page; without a valid way back it
// answers itself and ok is false.
func (s *Server) cardPage(w http.ResponseWriter, r *http.Request, path string) (page cardPage, back string, ok bool) {
	back, ok = wayBackTo(r.URL.Query().Get("return"))
	if !ok {
		s.message(w, http.StatusBadRequest, "No way back", "The return address must be on this machine.", "")
		return page, "", false
	}
	page = cardPage{Action: s.opts.PublicURL + path + "?" + r.URL.RawQuery, Cards: testCards}
	page.Cancel = withQuery(back, url.Values{"canceled": {"1"}})
	return page, back, true
}

// give hands over what was made.
func (s *Server) give(w http.ResponseWriter, r *http.Request, back, name, id string) {
	s.saved()
	if back == "" {
		s.message(w, http.StatusOK, "Ready to pay", "Give the server "+name+"="+id, "")
		return
	}
	http.Redirect(w, r, withQuery(back, url.Values{name: {id}}), http.StatusSeeOther)
}

// applePay shows the sheet. The amount is in Stripe's smallest unit and only
// shown: the server charges its own.
func (s *Server) applePay(w http.ResponseWriter, r *http.Request) {
	page, back, ok := s.cardPage(w, r, "/apple-pay")
	if !ok {
		return
	}
	query := r.URL.Query()
	page.Token = query.Get("kind") == "confirmation_token"
	amount, err := strconv.ParseInt(query.Get("amount"), 10, 64)
	if currency := lower(query.Get("currency")); err == nil && amount >= 0 && checkCurrency(currency, "") == nil {
		page.Amount = money(amount, currency)
	}
	if r.Method == http.MethodGet {
		s.showCardPage(w, http.StatusOK, "applepay", "Apple Pay", page)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if r.PostFormValue("result") == "cancel" {
		if page.Cancel == "" {
			s.message(w, http.StatusOK, "Canceled", "Nothing was paid.", "")
			return
		}
		http.Redirect(w, r, page.Cancel, http.StatusSeeOther)
		return
	}
	card, known := findCard(r.PostFormValue("card_number"))
	if !known {
		page.Problem = card.message
		s.showCardPage(w, http.StatusPaymentRequired, "applepay", "Apple Pay", page)
		return
	}
	name, id := s.mintApplePay(card, page.Token)
	s.give(w, r, back, name, id)
}

func (s *Server) mintApplePay(card testCard, asToken bool) (name, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := plasticOf(card, customer{Email: "jane@example.com", Name: "Jane Sandbox"})
	p.Apple = true
	if asToken {
		return "confirmation_token", s.newConfirmationToken(p, "").ID
	}
	return "payment_method", s.newMethod(p).ID
}

// tokenForm shows the card form, and makes a token of what is entered.
func (s *Server) tokenForm(w http.ResponseWriter, r *http.Request) {
	page, back, ok := s.cardPage(w, r, "/token-form")
	if !ok {
		return
	}
	page.Number = testCards[0].Number
	if r.Method == http.MethodGet {
		s.showCardPage(w, http.StatusOK, "tokenform", "Card", page)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	number := or(r.PostFormValue("pick"), r.PostFormValue("card_number"))
	month, year := expiry(r.PostFormValue("expiry"))
	p, e := enteredCard(number, month, year, s.opts.Now().Year())
	if e != nil {
		page.Problem = e.Message
		s.showCardPage(w, http.StatusPaymentRequired, "tokenform", "Card", page)
		return
	}
	p.Payer = customer{Name: text(r.PostFormValue("name"))}
	s.mu.Lock()
	t := s.newToken(newID("tok_1"), p)
	s.state.Tokens.add(t)
	s.mu.Unlock()
	s.give(w, r, back, "token", t.ID)
}

func (s *Server) showCardPage(w http.ResponseWriter, status int, name, title string, page cardPage) {
	s.pages.Render(w, status, name, standin.Page{Title: title, Provider: "Stripe", Data: page})
}

// expiry reads "12 / 34"; nothing is a date that will do.
func expiry(typed string) (month, year int64) {
	if strings.TrimSpace(typed) == "" {
		return 12, 2034
	}
	before, after, _ := strings.Cut(typed, "/")
	month, _ = strconv.ParseInt(strings.TrimSpace(before), 10, 64)
	year, _ = strconv.ParseInt(strings.TrimSpace(after), 10, 64)
	return month, year
}
