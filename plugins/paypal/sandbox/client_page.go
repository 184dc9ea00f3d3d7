package sandbox

import (
	"net"
	"net/http"
	"net/url"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// clientForm is the shop page's part of the client flow: what the hub told the
// browser to do, and what a dishonest browser does instead. Nothing in it needs
// the secret, as nothing in PayPal's JavaScript does.
type clientForm struct {
	ClientID, Amount, Currency, CustomID, ReferenceID, MerchantID, Return string

	OrderID  string // made by an earlier press that was declined
	Choice   string
	Problem  string
	Action   string
	Cancel   string
	WayNames any

	TamperAmount, TamperCurrency, TamperCustomID, TamperPayee string
	Reuse                                                     string
	Units                                                     string
	Stop                                                      string
}

func readClientForm(values url.Values) clientForm {
	get := values.Get
	return clientForm{
		ClientID: get("client_id"), Amount: get("amount"), Currency: get("currency"), CustomID: get("custom_id"),
		ReferenceID: get("reference_id"), MerchantID: get("merchant_id"), Return: get("return"), OrderID: get("order_id"), Choice: get("choice"),
		TamperAmount: get("tamper_amount"), TamperCurrency: get("tamper_currency"), TamperCustomID: get("tamper_custom_id"),
		TamperPayee: get("tamper_payee"), Reuse: get("reuse_order"), Units: get("units"), Stop: get("stop"),
	}
}

func (s *Server) showClient(w http.ResponseWriter, r *http.Request) {
	f := readClientForm(r.URL.Query())
	if s.admitClient(w, f) {
		s.renderClient(w, f, "")
	}
}

// admitClient lets the app's own pages in. It leads back to this machine only:
// the stand-in is no open redirect.
func (s *Server) admitClient(w http.ResponseWriter, f clientForm) bool {
	to, err := url.Parse(f.Return)
	switch {
	case !same(f.ClientID, s.opts.ClientID):
		s.message(w, http.StatusUnauthorized, "Unknown client id", "The page's client_id is not the app's.", "")
	case err != nil || !isLoopback(to):
		s.message(w, http.StatusBadRequest, "No way back", "return must be an address on this machine.", "")
	default:
		return true
	}
	return false
}

func isLoopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return (u.Scheme == "http" || u.Scheme == "https") && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

func (s *Server) renderClient(w http.ResponseWriter, f clientForm, trouble string) {
	status := http.StatusOK
	if trouble != "" {
		status = http.StatusPaymentRequired
	}
	f.Problem, f.Action, f.WayNames, f.Cancel = trouble, s.opts.PublicURL+"/client", payWays, with(f.Return, "canceled", "1")
	s.pages.Render(w, status, "client", standin.Page{Title: "Shop", Provider: "PayPal", Data: f})
}

// playClient does what the browser would: creates, has the payer approve, and
// captures, all by itself.
func (s *Server) playClient(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form could not be read", http.StatusBadRequest)
		return
	}
	f := readClientForm(r.PostForm)
	if !s.admitClient(w, f) {
		return
	}
	id, trouble := f.Reuse, (*apiError)(nil)
	if id == "" {
		f.OrderID, trouble = s.playOrder(f)
		id = f.OrderID
	}
	s.saved()
	if trouble != nil {
		s.renderClient(w, f, trouble.text())
		return
	}
	http.Redirect(w, r, with(f.Return, "order_id", id), http.StatusSeeOther)
}

// playOrder returns the order also when it could not be paid, so that the payer
// can try once more on it.
func (s *Server) playOrder(f clientForm) (id string, e *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	way, ok := payWay(f.Choice)
	if !ok {
		return f.OrderID, unprocessable("PAYER_CANNOT_PAY", "Choose a way to pay.")
	}
	o, e := find[*order](s, f.OrderID)
	if f.OrderID == "" {
		if o, e = s.build(f.request(), ""); e == nil {
			s.state.addOrder(o)
			s.wakeAt(o.Deadline)
		}
	}
	if e != nil {
		return "", e
	}
	if e = s.approve(o, way); e == nil && f.Stop != "approve" {
		e = s.capture(o)
	}
	return o.ID, e
}

// request is the order the page's script would create.
func (f clientForm) request() *orderRequest {
	or := func(tampered, told string) string {
		if tampered != "" {
			return tampered
		}
		return told
	}
	u := unitRequest{
		ReferenceID: f.ReferenceID, CustomID: or(f.TamperCustomID, f.CustomID),
		Amount: &amountRequest{wireMoney: wireMoney{or(f.TamperCurrency, f.Currency), or(f.TamperAmount, f.Amount)}},
	}
	if merchant := or(f.TamperPayee, f.MerchantID); merchant != "" {
		u.Payee = &payee{MerchantID: merchant}
	}
	req := &orderRequest{Intent: "CAPTURE", Units: []unitRequest{u}}
	if f.Units == "2" {
		req.Units[0].ReferenceID, u.ReferenceID = "first", "second"
		req.Units = append(req.Units, u)
	}
	return req
}
