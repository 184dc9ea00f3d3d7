package sandbox

import (
	"net"
	"net/http"
	"net/url"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// The bank's page for a PaymentIntent of one's own. In an app Stripe's SDK
// shows it; here the payer is sent to it, with ?return= as the way back.

func (s *Server) showIntentThreeDS(w http.ResponseWriter, r *http.Request) {
	s.onIntentPage(w, r, func(pi *paymentIntent, back string) {
		action := s.opts.PublicURL + "/3ds/" + pi.ID
		if back != "" {
			action += "?return=" + url.QueryEscape(back)
		}
		s.pages.Render(w, http.StatusOK, "threeds", standin.Page{Title: "3-D Secure", Provider: "Stripe", Data: map[string]string{
			"Amount": money(pi.Amount, pi.Currency), "Action": action,
		}})
	})
}

func (s *Server) finishIntentThreeDS(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	passed := r.PostFormValue("result") == "complete"
	s.onIntentPage(w, r, func(pi *paymentIntent, back string) {
		result := "succeeded"
		if e := s.authenticate(pi, passed); e != nil {
			result = "failed"
		}
		if to := pi.wayBack(back, result); to != "" {
			http.Redirect(w, r, to, http.StatusSeeOther)
			return
		}
		s.message(w, http.StatusOK, "Authentication "+result, "You can close this page and go back to the shop.", "")
	})
	s.saved()
}

// onIntentPage finds the PaymentIntent of the path, under the lock, and lets do
// go on if its payer must act. A second submit only leads back.
func (s *Server) onIntentPage(w http.ResponseWriter, r *http.Request, do func(pi *paymentIntent, back string)) {
	back, ok := wayBackTo(r.URL.Query().Get("return"))
	if !ok {
		s.message(w, http.StatusBadRequest, "No way back", "The return address must be on this machine.", "")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	pi, found := s.state.Intents.get(r.PathValue("id"))
	switch {
	case !found:
		s.message(w, http.StatusNotFound, "No such payment", "This page's address is not one of the sandbox's.", "")
	case pi.Status != "requires_action":
		s.message(w, http.StatusOK, "Nothing to confirm", "This payment does not wait for you.", back)
	case pi.Session != "":
		http.Redirect(w, r, s.opts.PublicURL+"/pay/"+pi.Session+"/3ds", http.StatusSeeOther)
	default:
		s.from = eventFrom{ID: text(newID("req_"))}
		defer func() { s.from = eventFrom{} }()
		do(pi, back)
	}
}

// wayBack is where the payer goes afterwards. Stripe adds the client secret to
// the merchant's own return_url, and so does this; to nothing else.
func (pi *paymentIntent) wayBack(back, result string) string {
	query := url.Values{"payment_intent": {pi.ID}, "redirect_status": {result}}
	if back == "" {
		back = pi.ReturnURL
		query.Set("payment_intent_client_secret", pi.ClientSecret)
	}
	return withQuery(back, query)
}

// wayBackTo accepts an address on this machine, or none: the sandbox leads
// nobody away on the word of a link.
func wayBackTo(address string) (string, bool) {
	if address == "" {
		return "", true
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return "", false
	}
	ip := net.ParseIP(u.Hostname())
	return address, u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

func withQuery(address string, more url.Values) string {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return ""
	}
	query := u.Query()
	for name, values := range more {
		query[name] = values
	}
	u.RawQuery = query.Encode()
	return u.String()
}
