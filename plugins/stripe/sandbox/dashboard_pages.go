package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// maxShown bounds the dashboard's lists.
const maxShown = 100

type dashboardRow struct {
	ID, Created, Status, Amount, Description, Link, Action string
	at                                                     int64
}

func (s *Server) showDashboard(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	var open []dashboardRow
	for _, cs := range slices.Backward(s.state.Sessions.rows) {
		if cs.Status == "open" && len(open) < maxShown {
			open = append(open, dashboardRow{
				ID: cs.ID, Created: clock(cs.Created), Amount: money(cs.AmountTotal, cs.Currency),
				Link: s.opts.PublicURL + "/pay/" + cs.ID, Action: s.opts.PublicURL + "/dashboard/checkout/sessions/" + cs.ID + "/expire",
			})
		}
	}
	s.page(w, "dashboard", "Payments", map[string]any{
		"Rows": s.newest(), "Open": open, "Webhook": s.receivers.Target(defaultEndpoint),
	})
}

// newest lists payments of both kinds: PaymentIntents, and charges without one.
func (s *Server) newest() []dashboardRow {
	var rows []dashboardRow
	add := func(id, status string, amount int64, currency string, words text, at int64) {
		rows = append(rows, dashboardRow{
			ID: id, Created: clock(at), Status: status, Amount: money(amount, currency), Description: string(words),
			Link: s.opts.PublicURL + "/dashboard/payments/" + id, at: at,
		})
	}
	for _, pi := range slices.Backward(s.state.Intents.rows[max(0, len(s.state.Intents.rows)-maxShown):]) {
		add(pi.ID, pi.Status, pi.Amount, pi.Currency, pi.Description, pi.Created)
	}
	found := 0
	for _, ch := range slices.Backward(s.state.Charges.rows) {
		if ch.PaymentIntent == "" && found < maxShown {
			add(ch.ID, ch.progress(), ch.Amount, ch.Currency, ch.Description, ch.Created)
			found++
		}
	}
	slices.SortStableFunc(rows, func(a, b dashboardRow) int { return cmp.Compare(b.at, a.at) })
	return rows[:min(len(rows), maxShown)]
}

// paymentView is the head of a payment's page.
type paymentView struct {
	ID, Status, Amount, Session, Problem, ThreeDS string
	Metadata                                      map[string]string
	Intent, Cancelable                            bool
	Charges                                       []chargeView
}

type chargeView struct {
	ID, Status, Amount, Captured, Refunded string
	Refundable, Held                       bool
	Refunds, Disputes                      []movementView
}

type movementView struct {
	ID, Status, Amount string
	Open, Release      bool
}

func (s *Server) showPayment(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	id := r.PathValue("id")
	var view paymentView
	if pi, ok := s.state.Intents.get(id); ok {
		view = s.viewIntent(pi)
	} else if ch, ok := s.state.Charges.get(id); ok && ch.PaymentIntent == "" {
		view = paymentView{
			ID: ch.ID, Status: ch.progress(), Amount: money(ch.Amount, ch.Currency), Metadata: ch.Metadata, Problem: string(ch.FailureMessage),
		}
	} else {
		s.message(w, http.StatusNotFound, "No such payment", "The sandbox does not know it.", s.opts.PublicURL+"/dashboard")
		return
	}
	for _, ch := range slices.Backward(s.state.Charges.rows) {
		if ch.payment() == id {
			view.Charges = append(view.Charges, s.viewCharge(ch))
		}
	}
	s.page(w, "payment", "Payment", map[string]any{"Payment": view, "Base": s.opts.PublicURL + "/dashboard"})
}

func (s *Server) viewIntent(pi *paymentIntent) paymentView {
	cs, ok := s.state.Sessions.get(pi.Session)
	view := paymentView{
		ID: pi.ID, Status: pi.Status, Amount: money(pi.Amount, pi.Currency), Session: pi.Session, Metadata: pi.Metadata, Intent: true,
		Cancelable: slices.Contains(intentEdges[pi.Status], "canceled") && (!ok || cs.Status != "open"),
	}
	if pi.LastPaymentError != nil {
		view.Problem = pi.LastPaymentError.Message
	}
	if pi.Status == "requires_action" {
		view.ThreeDS = s.opts.PublicURL + "/3ds/" + pi.ID
	}
	return view
}

func (s *Server) viewCharge(ch *charge) chargeView {
	view := chargeView{
		ID: ch.ID, Status: ch.Status, Amount: money(ch.Amount, ch.Currency), Captured: money(ch.AmountCaptured, ch.Currency),
		Refunded: money(ch.AmountRefunded-ch.Released, ch.Currency), Refundable: ch.Captured && s.refundable(ch) > 0 && !ch.Disputed,
		Held: ch.held() && ch.PaymentIntent == "",
	}
	for _, r := range s.state.Refunds.rows {
		if r.Charge == ch.ID {
			view.Refunds = append(view.Refunds, movementView{
				ID: r.ID, Status: r.Status, Amount: money(r.Amount, r.Currency), Release: r.Release,
			})
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
