package console

import (
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// errEndpointDisabled says what has to be done first.
func errEndpointDisabled(p *page) error {
	return ledger.Conflictf("endpoint_disabled", "%s", p.T("resend.disabled"))
}

// resend sends one notification again, at once. One that its app has already
// asks once more.
func (s *server) resend(c *fiber.Ctx, p *page) error {
	d, err := s.notificationOf(c, p)
	if err != nil {
		return err
	}
	if d.State == "delivered" && c.FormValue("again") != "1" {
		d.Again = true
		return s.render(c, p, "notification", d)
	}
	err = s.act(c, p, "notification.resend", d.ID, "", func() error { return s.DB.ResendNotification(c.UserContext(), "", d.ID, p.Now) })
	if errors.Is(err, postgres.ErrDisabled) {
		return errEndpointDisabled(p)
	}
	if err != nil {
		return err
	}
	s.Payments.Kick()
	s.flash(c, "resend.done")
	return s.redirect(c, "/outbox/"+d.ID)
}

// resendOfOrder tells the app once more.
func (s *server) resendOfOrder(c *fiber.Ctx, p *page) error {
	id, ntf := c.Params("id"), c.Params("ntf")
	err := s.act(c, p, "notification.resend", ntf, "", func() error {
		its, _, err := s.DB.Notification(c.UserContext(), "", ntf)
		if err == nil && its.OrderID != id {
			err = postgres.ErrNotFound
		}
		if err == nil {
			err = s.DB.ResendNotification(c.UserContext(), "", ntf, p.Now)
		}
		return err
	})
	switch {
	case errors.Is(err, postgres.ErrDisabled):
		s.flash(c, "resend.disabled")
	case err != nil:
		return err
	default:
		s.Payments.Kick()
		s.flash(c, "resend.done")
	}
	return s.redirect(c, "/orders/"+id)
}

const (
	resendAtOnce       = 200    // ticked ones, by one pressing of a button
	resendFailedAtOnce = 10_000 // of all that failed
)

// resendForm is the second look before many are sent again.
type resendForm struct {
	IDs    []string // ticked; nil: all that failed since
	Count  int
	More   bool // than Count
	States []stateCount
	Since  string
	Zone   string
	Query  string
	Back   string
	Why    string
}

type stateCount struct {
	State string
	Count int
}

// resendMany sends those again that are ticked, after a look at how many.
func (s *server) resendMany(c *fiber.Ctx, p *page) error {
	list, err := s.toOutbox(c)
	if err != nil {
		return err
	}
	p.Title, p.Screen = p.T("resend.title"), "outbox"
	f := resendForm{Query: c.FormValue("filter"), Back: list.URL(), Why: c.FormValue("why")}
	ids := ticked(c)
	if len(ids) == 0 {
		return ledger.Invalidf("id", "%s", p.T("list.none_ticked"))
	}
	found, err := s.DB.Notifications(c.UserContext(), postgres.NotificationFilter{IDs: ids, Limit: resendAtOnce})
	if err != nil {
		return err
	}
	counts := map[string]int{}
	for _, n := range found {
		f.IDs = append(f.IDs, n.ID)
		counts[n.State]++
	}
	for _, state := range []string{"pending", "failed", "delivered"} {
		if counts[state] > 0 {
			f.States = append(f.States, stateCount{state, counts[state]})
		}
	}
	f.Count = len(f.IDs)
	if c.FormValue("confirm") != "1" {
		return s.render(c, p, "resend", f)
	}
	why := p.why(c)
	if len(p.Problems) > 0 {
		return s.again(c, p, "resend", f)
	}
	sent := 0
	for _, id := range f.IDs {
		err := s.act(c, p, "notification.resend", id, why, func() error { return s.DB.ResendNotification(c.UserContext(), "", id, p.Now) })
		switch {
		case err == nil:
			sent++
		case !errors.Is(err, postgres.ErrDisabled) && !errors.Is(err, postgres.ErrNotFound):
			return err
		}
	}
	s.Payments.Kick()
	if left := len(f.IDs) - sent; left > 0 {
		s.flash(c, "resend.some", sent, left)
	} else {
		s.flash(c, "resend.many", sent)
	}
	return c.Redirect(f.Back, fiber.StatusSeeOther)
}

// resendFailed sends all again that were given up since a day, those of the
// list's app, endpoint and type.
func (s *server) resendFailed(c *fiber.Ctx, p *page) error {
	list, err := s.toOutbox(c)
	if err != nil {
		return err
	}
	since := p.day("since", c.FormValue("since"), 0)
	if since.IsZero() {
		if len(p.Problems) == 0 {
			p.blame("since", "problem.day")
		}
		return s.showOutbox(c, p, outboxData{listing: list})
	}
	p.Title, p.Screen = p.T("resend.title"), "outbox"
	f := resendForm{Since: since.Format(time.DateOnly), Zone: p.ZoneName(), Query: c.FormValue("filter"), Back: list.URL(), Why: c.FormValue("why")}
	filter := postgres.NotificationFilter{AppID: list.Value("app"), EndpointID: list.Value("endpoint"), Type: list.Value("type"), From: since}
	if c.FormValue("confirm") != "1" {
		if f.Count, err = s.DB.CountFailed(c.UserContext(), filter, resendFailedAtOnce+1); err != nil {
			return err
		}
		if f.More = f.Count > resendFailedAtOnce; f.More {
			f.Count = resendFailedAtOnce
		}
		return s.render(c, p, "resend", f)
	}
	why := p.why(c)
	if len(p.Problems) > 0 {
		if f.Count, err = s.DB.CountFailed(c.UserContext(), filter, resendFailedAtOnce); err != nil {
			return err
		}
		return s.again(c, p, "resend", f)
	}
	var sent int64
	act := p.act("notification.resend_failed", "", why)
	act.Data = map[string]any{"since": since, "app": filter.AppID, "endpoint": filter.EndpointID, "type": filter.Type}
	err = s.audit.Do(c.UserContext(), act, func() (err error) {
		sent, err = s.DB.ResendFailed(c.UserContext(), filter, p.Now, resendFailedAtOnce)
		return err
	})
	if err != nil {
		return err
	}
	s.Payments.Kick()
	s.flash(c, "resend.many", int(sent))
	return c.Redirect(f.Back, fiber.StatusSeeOther)
}
