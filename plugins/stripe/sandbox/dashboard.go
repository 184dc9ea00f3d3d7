package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// maxShown bounds the dashboard's lists.
const maxShown = 100

// press is what a button does, under the lock. It returns the PaymentIntent to
// show next, "" for the list.
type press func(id string, form formValues) (show string, e *apiError)

type formValues interface{ Get(string) string }

func (s *Server) dashboardRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /dashboard", s.showDashboard)
	mux.HandleFunc("GET /dashboard/payments/{id}", s.showPayment)
	for path, do := range map[string]press{
		"charges/{id}/refund":           s.pressRefund,
		"charges/{id}/dispute":          s.pressDispute,
		"payment_intents/{id}/capture":  s.pressCapture,
		"payment_intents/{id}/cancel":   s.onIntent(func(pi *paymentIntent) *apiError { return s.cancelIntent(pi, "requested_by_customer") }),
		"payment_intents/{id}/succeed":  s.onIntent(func(pi *paymentIntent) *apiError { return s.settleDelayed(pi, true) }),
		"payment_intents/{id}/fail":     s.onIntent(func(pi *paymentIntent) *apiError { return s.settleDelayed(pi, false) }),
		"payment_intents/{id}/lapse":    s.onIntent(s.pressLapse),
		"refunds/{id}/succeed":          s.onRefund("succeeded"),
		"refunds/{id}/fail":             s.onRefund("failed"),
		"disputes/{id}/respond":         s.onDispute(s.respond),
		"disputes/{id}/win":             s.onDispute(func(d *dispute) *apiError { return s.closeDispute(d, true) }),
		"disputes/{id}/lose":            s.onDispute(func(d *dispute) *apiError { return s.closeDispute(d, false) }),
		"checkout/sessions/{id}/expire": s.pressExpire,
	} {
		mux.Handle("POST /dashboard/"+path, s.button(do))
	}
}

// button answers 303 to the payment's page, or 409 with Stripe's reason.
func (s *Server) button(do press) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		if err := r.ParseForm(); err != nil {
			http.Error(w, "the form could not be read", http.StatusBadRequest)
			return
		}
		show, e := func() (string, *apiError) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.sweep()
			s.from = eventFrom{ID: text(newID("req_"))}
			defer func() { s.from = eventFrom{} }()
			return do(r.PathValue("id"), r.PostForm)
		}()
		if e != nil {
			status := http.StatusConflict
			if e.status == http.StatusNotFound {
				status = e.status
			}
			s.message(w, status, "That was not possible", e.Message, s.opts.PublicURL+"/dashboard")
			return
		}
		s.saved()
		to := s.opts.PublicURL + "/dashboard"
		if show != "" {
			to += "/payments/" + show
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	})
}

// amountOf reads the form's amount, in major units; nothing means otherwise.
func amountOf(form formValues, currency string, otherwise int64) (int64, *apiError) {
	typed := strings.TrimSpace(form.Get("amount"))
	if typed == "" {
		return otherwise, nil
	}
	amount, ok := parseMajor(typed, currency)
	if !ok {
		return 0, invalid("", "amount", "%q is not an amount in %s.", typed, strings.ToUpper(currency))
	}
	return amount, checkGrain(amount, currency, "amount")
}

func (s *Server) pressRefund(id string, form formValues) (string, *apiError) {
	ch, e := get(&s.state.Charges, "charge", "id", id)
	if e != nil {
		return "", e
	}
	amount, e := amountOf(form, ch.Currency, s.refundable(ch))
	if e != nil {
		return "", e
	}
	_, e = s.refund(ch, amount, "", map[string]string{})
	return string(ch.PaymentIntent), e
}

func (s *Server) pressDispute(id string, form formValues) (string, *apiError) {
	ch, e := get(&s.state.Charges, "charge", "id", id)
	if e != nil {
		return "", e
	}
	_, e = s.openDispute(ch, form.Get("kind") == "inquiry")
	return string(ch.PaymentIntent), e
}

func (s *Server) pressCapture(id string, form formValues) (string, *apiError) {
	pi, e := get(&s.state.Intents, "payment_intent", "id", id)
	if e != nil {
		return "", e
	}
	amount, e := amountOf(form, pi.Currency, pi.AmountCapturable)
	if e != nil {
		return "", e
	}
	return id, s.capture(pi, amount)
}

func (s *Server) pressLapse(pi *paymentIntent) *apiError {
	if pi.Status != "requires_capture" {
		return unexpectedState("lapse", pi)
	}
	s.lapse(pi)
	return nil
}

func (s *Server) pressExpire(id string, _ formValues) (string, *apiError) {
	cs, e := get(&s.state.Sessions, "checkout.session", "id", id)
	if e != nil {
		return "", e
	}
	return string(cs.PaymentIntent), s.expireSession(cs)
}

func (s *Server) onIntent(do func(*paymentIntent) *apiError) press {
	return func(id string, _ formValues) (string, *apiError) {
		pi, e := get(&s.state.Intents, "payment_intent", "id", id)
		if e != nil {
			return "", e
		}
		if cs, ok := s.state.Sessions.get(pi.Session); ok && cs.Status == "open" {
			return "", conflict("", "The session is still open. Expire it instead.")
		}
		return id, do(pi)
	}
}

func (s *Server) onRefund(to string) press {
	return func(id string, _ formValues) (string, *apiError) {
		r, e := get(&s.state.Refunds, "refund", "id", id)
		if e != nil {
			return "", e
		}
		return string(r.PaymentIntent), s.settleRefund(r, to)
	}
}

func (s *Server) onDispute(do func(*dispute) *apiError) press {
	return func(id string, _ formValues) (string, *apiError) {
		d, e := get(&s.state.Disputes, "dispute", "id", id)
		if e != nil {
			return "", e
		}
		return string(d.PaymentIntent), do(d)
	}
}

type dashboardRow struct{ ID, Created, Status, Amount, Description, Link, Action string }

func (s *Server) showDashboard(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	var rows, open []dashboardRow
	for _, pi := range slices.Backward(s.state.Intents.rows[max(0, len(s.state.Intents.rows)-maxShown):]) {
		rows = append(rows, dashboardRow{
			ID: pi.ID, Created: clock(pi.Created), Status: pi.Status, Amount: money(pi.Amount, pi.Currency),
			Description: string(pi.Description), Link: s.opts.PublicURL + "/dashboard/payments/" + pi.ID,
		})
	}
	for _, cs := range slices.Backward(s.state.Sessions.rows) {
		if cs.Status == "open" && len(open) < maxShown {
			open = append(open, dashboardRow{
				ID: cs.ID, Created: clock(cs.Created), Amount: money(cs.AmountTotal, cs.Currency),
				Link: s.opts.PublicURL + "/pay/" + cs.ID, Action: s.opts.PublicURL + "/dashboard/checkout/sessions/" + cs.ID + "/expire",
			})
		}
	}
	s.page(w, "dashboard", "Payments", map[string]any{
		"Rows": rows, "Open": open, "Webhook": s.receivers.Target(defaultEndpoint),
	})
}

type chargeView struct {
	ID, Status, Amount, Captured, Refunded string
	Refundable                             bool
	Refunds, Disputes                      []movementView
}

type movementView struct {
	ID, Status, Amount string
	Open               bool
}

func (s *Server) showPayment(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	pi, ok := s.state.Intents.get(r.PathValue("id"))
	if !ok {
		s.message(w, http.StatusNotFound, "No such payment", "The sandbox does not know it.", s.opts.PublicURL+"/dashboard")
		return
	}
	var charges []chargeView
	for _, ch := range s.state.Charges.rows {
		if string(ch.PaymentIntent) == pi.ID {
			charges = append(charges, s.viewCharge(ch))
		}
	}
	slices.Reverse(charges)
	cs, ok := s.state.Sessions.get(pi.Session)
	s.page(w, "payment", "Payment", map[string]any{
		"Intent": pi, "Amount": money(pi.Amount, pi.Currency), "Charges": charges, "Base": s.opts.PublicURL + "/dashboard",
		"Cancelable": slices.Contains(intentEdges[pi.Status], "canceled") && (!ok || cs.Status != "open"),
	})
}

func (s *Server) viewCharge(ch *charge) chargeView {
	view := chargeView{
		ID: ch.ID, Status: ch.Status, Amount: money(ch.Amount, ch.Currency), Captured: money(ch.AmountCaptured, ch.Currency),
		Refunded: money(ch.AmountRefunded-ch.Released, ch.Currency), Refundable: s.refundable(ch) > 0 && !ch.Disputed,
	}
	for _, r := range s.state.Refunds.rows {
		if r.Charge == ch.ID {
			view.Refunds = append(view.Refunds, movementView{ID: r.ID, Status: r.Status, Amount: money(r.Amount, r.Currency)})
		}
	}
	for _, d := range s.state.Disputes.rows {
		if d.Charge == ch.ID {
			closed := slices.Contains([]string{"won", "lost", "warning_closed"}, d.Status)
			view.Disputes = append(view.Disputes, movementView{ID: d.ID, Status: d.Status, Amount: money(d.Amount, d.Currency), Open: !closed})
		}
	}
	return view
}

func (s *Server) page(w http.ResponseWriter, name, title string, data any) {
	s.pages.Render(w, http.StatusOK, name, standin.Page{
		Title: title, Provider: "Stripe", Home: s.opts.PublicURL + "/dashboard", Data: data,
	})
}

func clock(unix int64) string { return time.Unix(unix, 0).UTC().Format("2006-01-02 15:04:05") }
