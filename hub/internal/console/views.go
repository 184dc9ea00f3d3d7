package console

import (
	"errors"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// maxViews is how many views a person can keep of one list.
const maxViews = 30

// viewLink is a view in the row of views.
type viewLink struct {
	Name    string
	Query   string
	Current bool
	Count   string // what waits for a person; "" is nothing
	ID      string // of a saved one that is the reader's own
	Shared  bool
}

// builtIn are the views that everybody has. Those that wait for a person are
// counted.
var builtIn = []struct {
	name, query string
	counted     bool
}{
	{"all", "", false},
	{"attention", "attention=1", true},
	{"capture", "status=authorized", true},
	{"waiting", "older=1h&status=pending", false},
	{"unknown", "unknown=1", true},
	{"disputed", "disputed=1", false},
	{"refund_failed", "refund_failed=1", false},
	{"test", "mode=test", false},
}

// orderViews are the built-in views and the saved ones.
func (s *server) orderViews(c *fiber.Ctx, p *page, f orderFilter) ([]viewLink, error) {
	var out []viewLink
	now := f.view()
	for _, v := range builtIn {
		link := viewLink{Name: p.T("orders.view." + v.name), Query: v.query, Current: now == v.query}
		if v.counted {
			values, _ := url.ParseQuery(v.query) // one of ours
			n, err := s.DB.CountOrders(c.UserContext(), readOrderFilter(values, p).search, 100)
			if err != nil {
				return nil, err
			}
			if n == 100 {
				link.Count = "99+"
			} else if n > 0 {
				link.Count = grouped(int64(n), 0)
			}
		}
		out = append(out, link)
	}
	saved, err := s.DB.Views(c.UserContext(), p.User.ID, "orders")
	if err != nil {
		return nil, err
	}
	for _, v := range saved {
		link := viewLink{Name: visible(v.Name), Query: v.Query, Current: now == v.Query, Shared: v.Shared}
		if v.UserID == p.User.ID {
			link.ID = v.ID
		}
		out = append(out, link)
	}
	return out, nil
}

// addView keeps the list's filter under a name.
func (s *server) addView(c *fiber.Ctx, p *page) error {
	name := strings.TrimSpace(c.FormValue("name"))
	values, err := url.ParseQuery(c.FormValue("query"))
	if err != nil || name == "" || len([]rune(name)) > 60 {
		return ledger.Invalidf("name", "give the view a name of at most 60 letters")
	}
	f := readOrderFilter(values, p)
	shared := c.FormValue("shared") == "1"
	v := postgres.View{ID: ledger.NewID("vw", p.Now), UserID: p.User.ID, Screen: "orders", Name: name, Query: f.view(), Shared: shared, CreatedAt: p.Now}
	save := func() error { return s.DB.SaveView(c.UserContext(), v, maxViews) }
	if shared { // others see it
		err = s.act(c, p, "view.share", v.ID, name, save)
	} else {
		err = save()
	}
	if errors.Is(err, postgres.ErrNotFound) {
		return ledger.Conflictf("too_many_views", "you have %d views of this list; delete one first", maxViews)
	}
	if err != nil {
		return err
	}
	s.flash(c, "view.saved")
	return s.redirect(c, "/orders"+question(v.Query))
}

func (s *server) deleteView(c *fiber.Ctx, p *page) error {
	if err := s.DB.DeleteView(c.UserContext(), p.User.ID, c.Params("id")); err != nil {
		return err
	}
	s.flash(c, "view.deleted")
	return s.redirect(c, "/orders")
}
