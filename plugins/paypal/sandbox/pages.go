package sandbox

import (
	"embed"
	"io/fs"
	"net/http"
	"net/url"

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
	mux.HandleFunc("GET /checkoutnow", s.showApproval)
	mux.HandleFunc("POST /checkoutnow", s.decideApproval)
	mux.HandleFunc("GET /client", s.showClient)
	mux.HandleFunc("POST /client", s.playClient)
	mux.Handle("GET /{$}", http.RedirectHandler(s.opts.PublicURL+"/dashboard", http.StatusSeeOther))
	s.dashboardRoutes(mux)
	return mux
}

// payWays are the buttons of a payer, by what will become of the payment.
var payWays = []struct {
	Value funding
	Label string
}{
	{good, "Pay with PayPal balance"},
	{declinedOnce, "Pay with a card that will be declined once"},
	{eCheck, "Pay by eCheck: the capture will be pending"},
	{reviewed, "Pay, and PayPal reviews it: the capture will be pending"},
	{byHand, "Pay a merchant who accepts by hand: the capture will be pending"},
	{unconfirmed, "Pay a merchant who is not confirmed: the capture will be pending"},
	{badCapture, "Pay with funds that fail: the capture will be declined"},
	{gone, "Pay with funds that are promised for 3 days only: a later capture of an authorization will be declined"},
}

func payWay(value string) (funding, bool) {
	for _, way := range payWays {
		if value == string(way.Value) {
			return way.Value, true
		}
	}
	return "", false
}

func (s *Server) showApproval(w http.ResponseWriter, r *http.Request) {
	s.onOpenOrder(w, r.URL.Query().Get("token"), func(o *order) {
		s.visit(o)
		s.renderApproval(w, o, "")
	})
}

// onOpenOrder lets do go on, under the lock, if the order still waits for its
// payer.
func (s *Server) onOpenOrder(w http.ResponseWriter, id string, do func(*order)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	o, e := find[*order](s, id)
	switch {
	case e != nil:
		s.message(w, http.StatusNotFound, "Things don't appear to be working at the moment", "There is no such order, or it has run out.", "")
	case o.Status == voided:
		s.sorry(w, http.StatusGone, "This order has run out", "Nothing was paid. Start again at the shop.", o.CancelURL)
	case o.Status == approved || o.Status == completed:
		s.message(w, http.StatusOK, "You have approved this already", "There is nothing left to do here.", o.returnTo())
	default:
		do(o)
	}
}

func (s *Server) renderApproval(w http.ResponseWriter, o *order, trouble string) {
	status := http.StatusOK
	if trouble != "" {
		status = http.StatusPaymentRequired
	}
	s.pages.Render(w, status, "approve", standin.Page{Title: "Pay", Provider: "PayPal", Data: map[string]any{
		"Order": o.ID, "Amounts": o.amounts(), "Action": s.opts.PublicURL + "/checkoutnow", "Problem": trouble,
		"Ways": payWays, "Declines": o.Declines, "Shop": o.Units[0].Payee.label(),
	}})
}

func (o *order) amounts() (all []string) {
	for _, u := range o.Units {
		all = append(all, u.Amount.String())
	}
	return all
}

func (p payee) label() string {
	if p.Email == "" {
		return p.MerchantID
	}
	return p.Email
}

// decideApproval takes the payer's button. Leaving cancels nothing: the payer
// may come back by the same link until it runs out.
func (s *Server) decideApproval(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	token, choice := r.PostFormValue("token"), r.PostFormValue("choice")
	s.onOpenOrder(w, token, func(o *order) {
		if choice == "cancel" {
			s.leave(w, r, with(o.CancelURL, "token", o.ID), "You have not paid.")
			return
		}
		way, ok := payWay(choice)
		if !ok {
			s.renderApproval(w, o, "Choose a way to pay.")
			return
		}
		if e := s.approve(o, way); e != nil {
			s.renderApproval(w, o, e.text())
			return
		}
		s.leave(w, r, o.returnTo(), "The shop will complete the payment.")
	})
	s.saved()
}

func (o *order) returnTo() string { return with(o.ReturnURL, "token", o.ID, "PayerID", payerID) }

// with adds parameters to an address; of "" it makes "".
func with(address string, pairs ...string) string {
	u, err := url.Parse(address)
	if address == "" || err != nil {
		return ""
	}
	query := u.Query()
	for i := 0; i < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// leave sends the payer back to the shop. Getting there proves nothing: anyone
// can type the address.
func (s *Server) leave(w http.ResponseWriter, r *http.Request, to, words string) {
	if to == "" {
		s.message(w, http.StatusOK, "Thank you", words, "")
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (s *Server) message(w http.ResponseWriter, status int, title, words, to string) {
	s.pages.Render(w, status, "message", standin.Page{
		Title: title, Provider: "PayPal", Data: map[string]string{"Text": words, "Link": to},
	})
}

// sorry is a message whose link leads back.
func (s *Server) sorry(w http.ResponseWriter, status int, title, words, to string) {
	s.pages.Render(w, status, "message", standin.Page{
		Title: title, Provider: "PayPal", Data: map[string]string{"Text": words, "Link": to, "Label": "Back"},
	})
}
