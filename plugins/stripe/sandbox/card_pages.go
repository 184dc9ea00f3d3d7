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
	Amount, Action, Cancel, Problem string
	Token                           bool // the sheet makes a ConfirmationToken
	Cards                           []testCard
	typedCard
}

// Fill is the page with that card filled in.
func (p cardPage) Fill(number string) string {
	return withQuery(p.Action, url.Values{"card": {number}})
}

// cardPage reads the addresses of a card page; without a valid way back it
// answers itself and ok is false. The amount is in Stripe's smallest unit and
// only shown: the server charges its own.
func (s *Server) cardPage(w http.ResponseWriter, r *http.Request, path string) (page cardPage, back string, ok bool) {
	back, ok = wayBackTo(r.URL.Query().Get("return"))
	if !ok {
		s.message(w, http.StatusBadRequest, "No way back", "The return address must be on this machine.", "")
		return page, "", false
	}
	page = cardPage{Action: s.opts.PublicURL + path + "?" + r.URL.RawQuery, Cards: testCards}
	page.Cancel = withQuery(back, url.Values{"canceled": {"1"}})
	query := r.URL.Query()
	amount, err := strconv.ParseInt(query.Get("amount"), 10, 64)
	if currency := lower(query.Get("currency")); err == nil && amount >= 0 && checkCurrency(currency, "") == nil {
		page.Amount = money(amount, currency)
	}
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

// applePay shows the sheet.
func (s *Server) applePay(w http.ResponseWriter, r *http.Request) {
	page, back, ok := s.cardPage(w, r, "/apple-pay")
	if !ok {
		return
	}
	page.Token = r.URL.Query().Get("kind") == "confirmation_token"
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
	page.typedCard = readTyped(url.Values{"card": {or(r.URL.Query().Get("card"), testCards[0].Number)}})
	if r.Method == http.MethodGet {
		s.showCardPage(w, http.StatusOK, "tokenform", "Card", page)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form could not be read", http.StatusBadRequest)
		return
	}
	page.typedCard = readTyped(r.PostForm)
	month, year := expiry(r.PostForm.Get("expiry"))
	p, e := enteredCard(or(r.PostForm.Get("pick"), r.PostForm.Get("card_number")), month, year, s.opts.Now().Year())
	if e == nil {
		e = s.checkExpiry(r.PostForm.Get("expiry"))
	}
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

// checkExpiry refuses a date that is none, or past.
func (s *Server) checkExpiry(typed string) *apiError {
	month, year := expiry(typed)
	now := s.opts.Now().UTC()
	if year < 100 {
		year += 2000
	}
	if year == int64(now.Year()) && month >= 1 && month < int64(now.Month()) {
		return declined(testCard{code: "invalid_expiry_year", message: "Your card's expiration date is in the past."}, "")
	}
	_, e := enteredCard(testCards[0].Number, month, year, now.Year())
	return e
}
