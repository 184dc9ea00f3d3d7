package sandbox

import (
	"net/http"
	"strings"
)

// press is what a button does, under the lock. It returns the payment to show
// next, a PaymentIntent or a charge without one; "" shows the list.
type press func(id string, form formValues) (show string, e *apiError)

type formValues interface{ Get(string) string }

func (s *Server) dashboardRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /dashboard", s.showDashboard)
	mux.HandleFunc("GET /dashboard/payments/{id}", s.showPayment)
	for path, do := range map[string]press{
		"charges/{id}/refund":           s.pressRefund,
		"charges/{id}/capture":          s.onHold(s.captureHold),
		"charges/{id}/lapse":            s.onHold(func(ch *charge, _ int64) *apiError { s.lapse(ch); return nil }),
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
			back := s.opts.PublicURL + "/dashboard"
			if from := r.Referer(); strings.HasPrefix(from, back+"/") {
				back = from
			} else {
				back += carried(r)
			}
			s.sorry(w, status, "That was not possible", e.Message, back)
			return
		}
		s.saved()
		to := s.opts.PublicURL + "/dashboard"
		if show != "" {
			to += "/payments/" + show
		}
		http.Redirect(w, r, to+carried(r), http.StatusSeeOther)
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
	return ch.payment(), e
}

func (s *Server) pressDispute(id string, form formValues) (string, *apiError) {
	ch, e := get(&s.state.Charges, "charge", "id", id)
	if e != nil {
		return "", e
	}
	if form.Get("kind") == "prevented" {
		_, e = s.preventDispute(ch)
	} else {
		_, e = s.openDispute(ch, form.Get("kind") == "inquiry")
	}
	return ch.payment(), e
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
	return id, s.captureThrough(pi, amount, "amount")
}

func (s *Server) pressLapse(pi *paymentIntent) *apiError {
	if pi.Status != "requires_capture" {
		return s.unexpectedState("lapse", pi)
	}
	ch, _ := s.state.Charges.get(string(pi.LatestCharge))
	s.lapse(ch)
	return nil
}

// onHold acts on what a charge of its own holds.
func (s *Server) onHold(do func(ch *charge, amount int64) *apiError) press {
	return func(id string, form formValues) (string, *apiError) {
		ch, e := get(&s.state.Charges, "charge", "id", id)
		if e != nil {
			return "", e
		}
		if !ch.held() || ch.PaymentIntent != "" {
			return "", conflict("", "Charge %s holds nothing, or does so for a PaymentIntent.", ch.ID)
		}
		amount, e := amountOf(form, ch.Currency, ch.Amount)
		if e != nil {
			return "", e
		}
		return id, do(ch, amount)
	}
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
		return or(string(r.PaymentIntent), r.Charge), s.settleRefund(r, to)
	}
}

func (s *Server) onDispute(do func(*dispute) *apiError) press {
	return func(id string, _ formValues) (string, *apiError) {
		d, e := get(&s.state.Disputes, "dispute", "id", id)
		if e != nil {
			return "", e
		}
		return or(string(d.PaymentIntent), d.Charge), do(d)
	}
}
