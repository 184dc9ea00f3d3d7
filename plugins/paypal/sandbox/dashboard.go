package sandbox

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// maxShown bounds the dashboard's list.
const maxShown = 100

// press is what a button does, under the lock. It returns the order to show
// next, "" for the list.
type press func(id string, form url.Values) (show string, e *apiError)

func (s *Server) dashboardRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /dashboard", s.showDashboard)
	mux.HandleFunc("GET /dashboard/orders/{id}", s.showOrder)
	for path, do := range map[string]press{
		"orders/{id}/expire":              s.pressExpire,
		"captures/{id}/refund":            onCapture(s, s.pressRefund),
		"captures/{id}/reverse":           onCapture(s, s.pressReverse),
		"captures/{id}/settle":            onCapture(s, func(c *capture, _ url.Values) *apiError { return s.settle(c, completed) }),
		"captures/{id}/deny":              onCapture(s, func(c *capture, _ url.Values) *apiError { return s.settle(c, declined) }),
		"captures/{id}/dispute":           onCapture(s, s.pressDispute),
		"refunds/{id}/settle":             s.onRefund(completed),
		"refunds/{id}/fail":               s.onRefund(failed),
		"disputes/{id}/respond":           s.onDispute(s.respond),
		"disputes/{id}/win":               s.onDispute(func(d *dispute) *apiError { return s.closeDispute(d, sellerFavour) }),
		"disputes/{id}/lose":              s.onDispute(func(d *dispute) *apiError { return s.closeDispute(d, buyerFavour) }),
		"authorizations/{id}/capture":     s.onAuthorization(s.pressCapture),
		"authorizations/{id}/void":        s.onAuthorization(func(a *authorization, _ url.Values) *apiError { return s.void(a) }),
		"authorizations/{id}/reauthorize": s.onAuthorization(s.pressReauthorize),
	} {
		mux.Handle("POST /dashboard/"+path, s.button(do))
	}
}

// button answers 303 to the order's page, or 409 with PayPal's reason.
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
			s.sorry(w, status, "That was not possible", e.text(), back)
			return
		}
		s.saved()
		to := s.opts.PublicURL + "/dashboard"
		if show != "" {
			to += "/orders/" + show
		}
		http.Redirect(w, r, to+carried(r), http.StatusSeeOther)
	})
}

type dashboardRow struct {
	ID, Created, Status, Amount, Description, Reference, Link string
	Badge, Mood                                               string // what else there is to know of it
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
	back := r.URL.Query().Get("return")
	if u, err := url.Parse(back); err != nil || !isLoopback(u) || u.User != nil {
		return ""
	}
	return back
}

// badge says what became of an order after it was paid, if anything.
func (o *order) badge() (words, mood string) {
	var taken, back int64
	for _, u := range o.Units {
		for _, c := range u.Captures {
			taken, back = taken+c.Amount.Minor, back+c.refunded()
			for _, d := range c.Disputes {
				words, mood = "dispute: "+strings.ToLower(strings.ReplaceAll(d.Status, "_", " ")), "bad"
				if d.Status == resolved {
					mood = "wait"
				}
			}
		}
	}
	switch {
	case words != "" || back == 0:
		return words, mood
	case back >= taken:
		return "refunded", "wait"
	}
	return "partially refunded", "wait"
}

func (s *Server) showDashboard(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	var rows []dashboardRow
	for o := range s.orders() {
		if len(rows) == maxShown {
			break
		}
		row := dashboardRow{
			ID: o.ID, Created: clock(o.Created), Status: o.shown(), Amount: strings.Join(o.amounts(), " + "),
			Description: o.Units[0].Description, Reference: o.Units[0].ReferenceID, Link: s.opts.PublicURL + "/dashboard/orders/" + o.ID + carried(r),
		}
		if row.Reference == "" || row.Reference == "default" {
			row.Reference = o.Units[0].CustomID
		}
		row.Badge, row.Mood = o.badge()
		rows = append(rows, row)
	}
	s.page(w, r, "dashboard", "Orders", map[string]any{"Rows": rows, "Webhook": s.sender.Target("")})
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func (o *order) shown() string {
	if o.Gone {
		return "expired"
	}
	return o.Status
}

// unitView, captureView and disputeView say what may be pressed, so that the
// page need not know the rules.
type unitView struct {
	*unit
	Captures []captureView
}

type captureView struct {
	*capture
	Left, Refunded                   string
	Pending, Refundable, Disputeable bool
}

func (v captureView) Open(d *dispute) bool { return d.Status != resolved }

func (s *Server) showOrder(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	o, ok := s.state.find(r.PathValue("id")).(*order) // also one that PayPal's API no longer knows
	if !ok {
		s.sorry(w, http.StatusNotFound, "No such order", "The sandbox does not know it.", s.opts.PublicURL+"/dashboard"+carried(r))
		return
	}
	var units []unitView
	for _, u := range o.Units {
		view := unitView{unit: u}
		for _, c := range u.Captures {
			settled := c.Status != pending && c.Status != declined
			opened, lost := c.disputed()
			view.Captures = append(view.Captures, captureView{
				capture: c, Left: c.Amount.of(c.left()).String(), Refunded: c.Amount.of(c.refunded()).String(),
				Pending: c.Status == pending, Refundable: settled && c.left() > 0 && !lost,
				Disputeable: settled && c.left() > 0 && !opened && !lost,
			})
		}
		units = append(units, view)
	}
	badge, mood := o.badge()
	s.page(w, r, "order", "Order", map[string]any{
		"Badge": badge, "Mood": mood, "Carried": carried(r),
		"Order": o, "Status": o.shown(), "Units": units, "Base": s.opts.PublicURL + "/dashboard",
		"Open": !o.Gone && o.Status != completed && o.Status != voided, "Approval": s.approvalURL(o),
	})
}

func (s *Server) page(w http.ResponseWriter, r *http.Request, name, title string, data any) {
	s.pages.Render(w, http.StatusOK, name, standin.Page{
		Title: title, Provider: "PayPal", Home: s.opts.PublicURL + "/dashboard" + carried(r), Back: shopPage(r), Data: data,
	})
}
