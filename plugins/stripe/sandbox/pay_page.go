package sandbox

import (
	"embed"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

//go:embed pages/*.html
var embedded embed.FS

func pageFiles() fs.FS {
	sub, err := fs.Sub(embedded, "pages")
	if err != nil {
		panic(err) // the folder is part of the binary
	}
	return sub
}

func (s *Server) pageRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /pay/{id}", s.showPay)
	mux.HandleFunc("POST /pay/{id}", s.pay)
	mux.HandleFunc("GET /pay/{id}/3ds", s.showThreeDS)
	mux.HandleFunc("POST /pay/{id}/3ds", s.finishThreeDS)
	mux.HandleFunc("GET /embed/{id}", s.showPay)
	mux.HandleFunc("GET /3ds/{id}", s.showIntentThreeDS)
	mux.HandleFunc("POST /3ds/{id}", s.finishIntentThreeDS)
	for _, method := range []string{"GET ", "POST "} {
		mux.HandleFunc(method+"/apple-pay", s.applePay)
		mux.HandleFunc(method+"/token-form", s.tokenForm)
	}
	mux.Handle("GET /{$}", http.RedirectHandler(s.opts.PublicURL+"/dashboard", http.StatusSeeOther))
	s.dashboardRoutes(mux)
	return mux
}

// payData is what the payment page shows.
type payData struct {
	Session  *session
	Amount   string
	Action   string
	Cancel   string
	Problem  string
	Embedded bool
	Framed   bool // it is shown inside the shop's page, which has its own way back
	Delayed  bool
	Voucher  bool
	Self     string // the page's own address, for the links that fill in a card
	Cards    []testCard
	typedCard
}

// typedCard is what the payer typed, shown again after a decline. This is a
// sandbox: a number on its pages is a test card's.
type typedCard struct{ Email, Number, Expiry, CVC, Name string }

func readTyped(form url.Values) typedCard {
	get := func(name, otherwise string) string {
		if form.Has(name) {
			return form.Get(name)
		}
		return otherwise
	}
	return typedCard{
		Email: get("email", "jane@example.com"), Number: get("card_number", get("card", testCards[0].Number)),
		Expiry: get("expiry", "12 / 34"), CVC: get("cvc", "123"), Name: get("name", "Jane Sandbox"),
	}
}

func (s *Server) showPay(w http.ResponseWriter, r *http.Request) {
	s.onSession(w, r, func(cs *session) {
		typed := url.Values{}
		if cs.CustomerEmail != "" {
			typed.Set("email", string(cs.CustomerEmail))
		}
		if card := r.URL.Query().Get("card"); card != "" {
			typed.Set("card", card)
		}
		s.renderPay(w, r, cs, "", readTyped(typed))
	})
}

// onSession finds the session of the path, under the lock, and lets do go on
// if it is open.
func (s *Server) onSession(w http.ResponseWriter, r *http.Request, do func(*session)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	cs, ok := s.state.Sessions.get(r.PathValue("id"))
	switch {
	case !ok:
		s.message(w, http.StatusNotFound, "No such session", "This page's address is not one of the sandbox's.", "")
	case cs.Status == "expired":
		s.sorry(w, http.StatusGone, "This session has expired", "Nothing was paid. Start again at the shop.", string(cs.CancelURL))
	case cs.Status == "complete":
		s.message(w, http.StatusOK, "This session is complete", "There is nothing left to pay here.", cs.destination())
	default:
		s.from = eventFrom{ID: text(newID("req_"))}
		defer func() { s.from = eventFrom{} }()
		do(cs)
	}
}

func (s *Server) renderPay(w http.ResponseWriter, r *http.Request, cs *session, problem string, typed typedCard) {
	status := http.StatusOK
	if problem != "" {
		status = http.StatusPaymentRequired
	}
	shown, path, cancel := *cs, "/pay/", string(cs.CancelURL)
	framed := strings.HasPrefix(r.URL.Path, "/embed/")
	if framed {
		path, cancel = "/embed/", ""
	} else if cs.UIMode == "embedded" {
		cancel = cs.destination()
	}
	s.pages.Render(w, status, "pay", standin.Page{Title: "Pay", Provider: "Stripe", Data: payData{
		Session: &shown, Amount: money(cs.AmountTotal, cs.Currency), Action: s.opts.PublicURL + "/pay/" + cs.ID,
		Cancel: cancel, Problem: problem, Self: s.opts.PublicURL + path + cs.ID, typedCard: typed,
		Embedded: cs.UIMode == "embedded", Framed: framed, Delayed: cs.allowsDelayed(), Voucher: cs.allowsVoucher(), Cards: testCards,
	}})
}

func (s *Server) message(w http.ResponseWriter, status int, title, words, link string) {
	s.pages.Render(w, status, "message", standin.Page{
		Title: title, Provider: "Stripe", Data: map[string]string{"Text": words, "Link": link},
	})
}

// sorry is a message whose link leads back.
func (s *Server) sorry(w http.ResponseWriter, status int, title, words, link string) {
	s.pages.Render(w, status, "message", standin.Page{
		Title: title, Provider: "Stripe", Data: map[string]string{"Text": words, "Link": link, "Label": "Back"},
	})
}

func (s *Server) pay(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form could not be read", http.StatusBadRequest)
		return
	}
	typed := readTyped(r.PostForm)
	payer := customer{Email: text(or(r.PostForm.Get("email"), "jane@example.com")), Name: text(r.PostForm.Get("name"))}
	s.onSession(w, r, func(cs *session) {
		method := r.PostForm.Get("method")
		if method == "delayed" && !cs.allowsDelayed() || method == "voucher" && !cs.allowsVoucher() {
			s.renderPay(w, r, cs, "This session cannot be paid in that way.", typed)
			return
		}
		if method == "delayed" {
			s.payDelayed(cs, payer)
		} else if method == "voucher" {
			s.payVoucher(cs, payer)
		} else if e := s.checkExpiry(r.PostForm.Get("expiry")); e != nil {
			s.renderPay(w, r, cs, e.Message, typed)
			return
		} else if e := s.payByCard(cs, r.PostForm.Get("card_number"), payer); e != nil {
			s.renderPay(w, r, cs, e.Message, typed)
			return
		}
		if cs.Status == "open" {
			http.Redirect(w, r, s.opts.PublicURL+"/pay/"+cs.ID+"/3ds", http.StatusSeeOther)
			return
		}
		s.leave(w, r, cs)
	})
	s.saved()
}

func (s *Server) showThreeDS(w http.ResponseWriter, r *http.Request) {
	s.onSession(w, r, func(cs *session) {
		s.pages.Render(w, http.StatusOK, "threeds", standin.Page{Title: "3-D Secure", Provider: "Stripe", Data: map[string]string{
			"Amount": money(cs.AmountTotal, cs.Currency), "Action": s.opts.PublicURL + "/pay/" + cs.ID + "/3ds",
		}})
	})
}

func (s *Server) finishThreeDS(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	passed := r.PostFormValue("result") == "complete"
	s.onSession(w, r, func(cs *session) {
		if e := s.authenticateSession(cs, passed); e != nil {
			s.renderPay(w, r, cs, e.Message, readTyped(url.Values{}))
			return
		}
		s.leave(w, r, cs)
	})
	s.saved()
}

// leave sends the payer back to the shop. Getting there proves nothing: anyone
// can type the address.
func (s *Server) leave(w http.ResponseWriter, r *http.Request, cs *session) {
	if to := cs.destination(); to != "" {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	s.message(w, http.StatusOK, "Thank you", "The session is complete.", "")
}

func (cs *session) destination() string {
	to := cs.SuccessURL
	if cs.UIMode == "embedded" {
		to = cs.ReturnURL
	}
	return strings.ReplaceAll(string(to), "{CHECKOUT_SESSION_ID}", cs.ID)
}
