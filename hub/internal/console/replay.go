package console

import (
	"errors"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// replay judges and applies one callback once more, at once.
func (s *server) replay(c *fiber.Ctx, p *page) error {
	d, err := s.callbackOf(c, p)
	if err != nil {
		return err
	}
	why := p.why(c)
	if len(p.Problems) > 0 {
		return s.again(c, p, "callback", d)
	}
	was := d.Outcome
	err = s.act(c, p, "callback.replay", d.ID, why, func() error {
		d.Callback, err = s.Payments.ReplayCallback(c.UserContext(), "", d.ID, p.User.Email, why)
		return err
	})
	if err != nil {
		return err
	}
	if d.Outcome.Settled() && was.Settled() {
		s.flash(c, "replay.same")
	} else {
		s.flash(c, "replay.now."+string(d.Outcome))
	}
	return s.redirect(c, "/inbox/"+url.PathEscape(d.ID))
}

// replayOfOrder has a callback of the order judged and applied once more.
func (s *server) replayOfOrder(c *fiber.Ctx, p *page) error {
	id, cb := c.Params("id"), c.Params("cb")
	err := s.act(c, p, "callback.replay", cb, "", func() error {
		its, err := s.DB.Callback(c.UserContext(), "", cb)
		if err == nil && its.OrderID != id {
			err = postgres.ErrNotFound
		}
		if err == nil {
			_, err = s.Payments.ReplayCallback(c.UserContext(), "", cb, p.User.Email, p.T("replay.why"))
		}
		return err
	})
	var told *ledger.Error
	switch {
	case errors.As(err, &told) && told.Kind != ledger.NotFound:
		s.flash(c, "replay.failed", visible(told.Message))
	case err != nil:
		return err
	default:
		s.flash(c, "replay.done")
	}
	return s.redirect(c, "/orders/"+id+"#"+cb)
}

// replayAtOnce bounds one pressing of a button.
const replayAtOnce = 200

// replayForm is the second look before many are replayed.
type replayForm struct {
	IDs      []string
	Outcomes []outcomeCount
	Limited  bool // there are more
	Max      int
	Back     string
	Query    string
	Why      string
}

type outcomeCount struct {
	Outcome ledger.CallbackOut
	Count   int
}

// replayMany asks for the replay of those that are ticked, or of all that a
// filter finds. It shows how many before it does it; what is done is what was
// shown.
func (s *server) replayMany(c *fiber.Ctx, p *page) error {
	p.Title, p.Screen = p.T("replay.title"), "inbox"
	f := replayForm{Max: replayAtOnce, Query: c.FormValue("filter"), Why: c.FormValue("why")}
	values, err := url.ParseQuery(f.Query)
	if err != nil {
		return fiber.ErrBadRequest
	}
	list := listing{s.url("/inbox"), values}
	f.Back = list.URL()
	filter := postgres.CallbackFilter{IDs: ticked(c), Limit: replayAtOnce + 1}
	if c.FormValue("all") == "1" {
		filter = inboxData{listing: list.with("after", "")}.filter(p)
		filter.Limit = replayAtOnce + 1
	} else if len(filter.IDs) == 0 {
		return ledger.Invalidf("id", "%s", p.T("list.none_ticked"))
	}
	found, err := s.DB.Callbacks(c.UserContext(), filter)
	if err != nil {
		return err
	}
	f.Limited = len(found) > replayAtOnce
	counts := map[ledger.CallbackOut]int{}
	for _, cb := range found[:min(len(found), replayAtOnce)] {
		f.IDs = append(f.IDs, cb.ID)
		counts[cb.Outcome]++
	}
	for _, o := range ledger.CallbackOutcomes {
		if counts[o] > 0 {
			f.Outcomes = append(f.Outcomes, outcomeCount{o, counts[o]})
		}
	}
	if c.FormValue("confirm") != "1" {
		return s.render(c, p, "replay", f)
	}
	why := p.why(c)
	if len(p.Problems) > 0 {
		return s.again(c, p, "replay", f)
	}
	asked, err := s.askReplays(c, p, f.IDs, why)
	if err != nil {
		return err
	}
	if left := len(f.IDs) - asked; left > 0 {
		s.flash(c, "replay.some", asked, left)
	} else {
		s.flash(c, "replay.many", asked)
	}
	return c.Redirect(f.Back, fiber.StatusSeeOther)
}

// askReplays has the worker replay callbacks, each with a line in the audit,
// and tells of how many. The body of the others was erased.
func (s *server) askReplays(c *fiber.Ctx, p *page, ids []string, why string) (asked int, err error) {
	for _, id := range ids {
		cb, err := s.DB.Callback(c.UserContext(), "", id)
		if err == nil {
			err = s.act(c, p, "callback.replay", id, why, func() error {
				return s.Payments.AskReplay(c.UserContext(), cb, p.User.Email, why, p.Now)
			})
		}
		var refused *ledger.Error
		switch {
		case err == nil:
			asked++
		case !errors.As(err, &refused) && !errors.Is(err, postgres.ErrNotFound):
			return asked, err
		}
	}
	s.Payments.Kick()
	return asked, nil
}

// ticked are the rows that a form names.
func ticked(c *fiber.Ctx) []string {
	var ids []string
	for _, id := range c.Request().PostArgs().PeekMulti("id") {
		ids = append(ids, string(id))
	}
	return ids
}
