package sandbox

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// maxShown bounds the dashboard's lists.
const maxShown = 100

type dashboardRow struct {
	ID, Created, Status, Amount, Description, Reference, Link, Action string
	Badge, Mood                                                       string // what else there is to know of it
	at                                                                int64
}

// carried is the shop's page that the visitor comes from, as it travels along.
func carried(r *http.Request) string {
	if back := shopPage(r); back != "" {
		return "?return=" + url.QueryEscape(back)
	}
	return ""
}

// shopPage is that page, which must be on this machine.
func shopPage(r *http.Request) string {
	back, ok := wayBackTo(r.URL.Query().Get("return"))
	if !ok {
		return ""
	}
	return back
}

func (s *Server) showDashboard(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	var open []dashboardRow
	for _, cs := range slices.Backward(s.state.Sessions.rows) {
		if cs.Status == "open" && len(open) < maxShown {
			open = append(open, dashboardRow{
				ID: cs.ID, Created: clock(cs.Created), Amount: money(cs.AmountTotal, cs.Currency),
				Description: cs.words(), Reference: cs.Metadata["superpay_order"],
				Link: s.opts.PublicURL + "/pay/" + cs.ID, Action: s.opts.PublicURL + "/dashboard/checkout/sessions/" + cs.ID + "/expire" + carried(r),
			})
		}
	}
	s.page(w, r, "dashboard", "Payments", map[string]any{
		"Rows": s.newest(carried(r)), "Open": open, "Webhook": s.receivers.Target(defaultEndpoint),
	})
}

// newest lists payments of both kinds: PaymentIntents, and charges without one.
func (s *Server) newest(carried string) []dashboardRow {
	var rows []dashboardRow
	add := func(row dashboardRow, amount int64, currency string, words text, about map[string]string, ch *charge) {
		row.Created, row.Amount, row.Description = clock(row.at), money(amount, currency), string(words)
		row.Reference, row.Link = about["superpay_order"], s.opts.PublicURL+"/dashboard/payments/"+row.ID+carried
		if ch != nil {
			row.Badge, row.Mood = s.badge(ch)
		}
		rows = append(rows, row)
	}
	for _, pi := range slices.Backward(s.state.Intents.rows[max(0, len(s.state.Intents.rows)-maxShown):]) {
		ch, _ := s.state.Charges.get(string(pi.LatestCharge))
		words := pi.Description
		if cs, ok := s.state.Sessions.get(pi.Session); ok && words == "" {
			words = text(cs.words())
		}
		add(dashboardRow{ID: pi.ID, Status: pi.Status, at: pi.Created}, pi.Amount, pi.Currency, words, pi.Metadata, ch)
	}
	found := 0
	for _, ch := range slices.Backward(s.state.Charges.rows) {
		if ch.PaymentIntent == "" && found < maxShown {
			add(dashboardRow{ID: ch.ID, Status: ch.progress(), at: ch.Created}, ch.Amount, ch.Currency, ch.Description, ch.Metadata, ch)
			found++
		}
	}
	slices.SortStableFunc(rows, func(a, b dashboardRow) int { return cmp.Compare(b.at, a.at) })
	return rows[:min(len(rows), maxShown)]
}

// badge says what became of a charge after it was paid, if anything.
func (s *Server) badge(ch *charge) (words, mood string) {
	for _, d := range s.state.Disputes.rows {
		if d.Charge == ch.ID {
			words, mood = "dispute: "+strings.ReplaceAll(d.Status, "_", " "), "bad"
			if d.Status == "won" || d.Status == "warning_closed" {
				mood = "good"
			}
		}
	}
	back := ch.paidBack()
	switch {
	case words != "":
	case back > 0 && ch.Refunded:
		return "refunded", "wait"
	case back > 0:
		return "partially refunded", "wait"
	}
	return words, mood
}

// words are what a session is for.
func (cs *session) words() string {
	var parts []string
	for _, item := range cs.Items {
		part := string(item.Name)
		if item.Quantity > 1 {
			part += " × " + strconv.FormatInt(item.Quantity, 10)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// paymentView is the head of a payment's page.
type paymentView struct {
	ID, Status, Amount, Session, Problem, ThreeDS string
	Badge, Mood, Description                      string
	Metadata                                      map[string]string
	Intent, Cancelable, Waiting                   bool
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
			Description: string(ch.Description),
		}
	} else {
		s.sorry(w, http.StatusNotFound, "No such payment", "The sandbox does not know it.", s.opts.PublicURL+"/dashboard"+carried(r))
		return
	}
	for _, ch := range slices.Backward(s.state.Charges.rows) {
		if ch.payment() == id {
			view.Charges = append(view.Charges, s.viewCharge(ch))
			if words, mood := s.badge(ch); words != "" {
				view.Badge, view.Mood = words, mood
			}
		}
	}
	s.page(w, r, "payment", "Payment", map[string]any{"Payment": view, "Base": s.opts.PublicURL + "/dashboard", "Carried": carried(r)})
}

func (s *Server) viewIntent(pi *paymentIntent) paymentView {
	cs, ok := s.state.Sessions.get(pi.Session)
	view := paymentView{
		ID: pi.ID, Status: pi.Status, Amount: money(pi.Amount, pi.Currency), Session: pi.Session, Metadata: pi.Metadata, Intent: true,
		Description: string(pi.Description),
		Cancelable:  slices.Contains(intentEdges[pi.Status], "canceled") && (!ok || cs.Status != "open"),
	}
	if pi.LastPaymentError != nil {
		view.Problem = pi.LastPaymentError.Message
	}
	view.Waiting = pi.Status == "processing" || pi.voucher()
	if pi.Status == "requires_action" && !pi.voucher() {
		view.ThreeDS = s.opts.PublicURL + "/3ds/" + pi.ID
	}
	return view
}

func (s *Server) viewCharge(ch *charge) chargeView {
	view := chargeView{
		ID: ch.ID, Status: ch.Status, Amount: money(ch.Amount, ch.Currency), Captured: money(ch.AmountCaptured, ch.Currency),
		Refunded: money(ch.paidBack(), ch.Currency), Refundable: ch.Captured && s.refundable(ch) > 0 && !s.chargedBack(ch),
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
			view.Disputes = append(view.Disputes, movementView{ID: d.ID, Status: d.Status, Amount: money(d.Amount, d.Currency), Open: !d.closed()})
		}
	}
	return view
}

func (s *Server) page(w http.ResponseWriter, r *http.Request, name, title string, data any) {
	s.pages.Render(w, http.StatusOK, name, standin.Page{
		Title: title, Provider: "Stripe", Home: s.opts.PublicURL + "/dashboard" + carried(r), Back: shopPage(r), Data: data,
	})
}

func clock(unix int64) string { return time.Unix(unix, 0).UTC().Format("2006-01-02 15:04:05 UTC") }
