package console

import (
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

const (
	outboxPage       = 50
	endpointsOffered = 1000 // to choose from, and to name in lists
)

// told is a notification as a list shows it.
type told struct {
	postgres.Notification
	State    string // of the texts: one that waits is pending, retrying or disabled
	App, URL string // its app's name, its endpoint's address
	Disabled bool   // its endpoint is
}

type outboxData struct {
	listing
	Rows         []told
	Apps         []postgres.App
	Endpoints    []postgres.EndpointRow
	First, Older string // addresses of pages
}

func (s *server) outboxRoutes() []route {
	return []route{
		{fiber.MethodGet, "/outbox", access.Viewer, s.outbox},
		{fiber.MethodPost, "/outbox/resend", access.Operator, s.resendMany},
		{fiber.MethodPost, "/outbox/resend-failed", access.Operator, s.resendFailed},
		{fiber.MethodGet, "/outbox/:id", access.Viewer, s.notification},
		{fiber.MethodPost, "/outbox/:id/resend", access.Operator, s.resend},
	}
}

// outbox lists what apps are told, the newest first.
func (s *server) outbox(c *fiber.Ctx, p *page) error {
	d := outboxData{listing: s.listing(c, "/outbox", "state", "app", "endpoint", "type", "order", "from", "to", "after")}
	return s.showOutbox(c, p, d)
}

func (s *server) showOutbox(c *fiber.Ctx, p *page, d outboxData) error {
	p.Title, p.Screen, p.Wide = p.T("outbox.title"), "outbox", true
	blamed := len(p.Problems) > 0 // by the form below the list
	f := d.filter(p)
	if !blamed && len(p.Problems) > 0 {
		f.From, f.To = p.Now, p.Now // nothing is found
	}
	f.Limit = outboxPage + 1
	endpoints, err := s.DB.AllEndpoints(c.UserContext(), endpointsOffered)
	if err != nil {
		return err
	}
	found, err := s.DB.Notifications(c.UserContext(), f)
	if err != nil {
		return err
	}
	ids := make([]string, len(found))
	for i, n := range found {
		ids[i] = n.ID
	}
	d.First, d.Older = d.pages(outboxPage, ids)
	for _, n := range found[:min(len(found), outboxPage)] {
		d.Rows = append(d.Rows, toldOf(n, endpoints))
	}
	d.choices(endpoints)
	if len(p.Problems) > 0 {
		return s.again(c, p, "outbox", d)
	}
	return s.render(c, p, "outbox", d)
}

// filter is what the address asks for. Days are the reader's.
func (d outboxData) filter(p *page) postgres.NotificationFilter {
	return postgres.NotificationFilter{
		State: d.Value("state"), AppID: d.Value("app"), EndpointID: d.Value("endpoint"), Type: d.Value("type"), OrderID: d.Value("order"),
		From: p.day("from", d.Value("from"), 0), To: p.day("to", d.Value("to"), 1), Before: d.Value("after"),
	}
}

// choices are the apps that have endpoints, and the endpoints of the one that
// is chosen.
func (d *outboxData) choices(endpoints []postgres.EndpointRow) {
	for _, e := range endpoints {
		if !slices.ContainsFunc(d.Apps, func(a postgres.App) bool { return a.ID == e.AppID }) {
			d.Apps = append(d.Apps, postgres.App{ID: e.AppID, Name: e.App})
		}
		if app := d.Value("app"); app == "" || app == e.AppID {
			e.URL = maskURL(e.URL)
			d.Endpoints = append(d.Endpoints, e)
		}
	}
	slices.SortFunc(d.Apps, func(a, b postgres.App) int { return strings.Compare(a.Name, b.Name) })
}

// toldOf says of a notification what a person wants to know.
func toldOf(n postgres.Notification, endpoints []postgres.EndpointRow) told {
	t := told{Notification: n, State: n.State, URL: n.EndpointID}
	for _, e := range endpoints {
		if e.ID == n.EndpointID {
			t.App, t.URL, t.Disabled = e.App, maskURL(e.URL), e.DisabledAt != nil
		}
	}
	switch {
	case n.State != "pending":
	case t.Disabled:
		t.State = "disabled"
	case n.Tries > 0:
		t.State = "retrying"
	}
	return t
}

// maskURL is an address without the secrets of its query.
func maskURL(address string) string {
	before, query, ok := strings.Cut(address, "?")
	if !ok {
		return address
	}
	return before + "?" + maskForm(query)
}

// toOutbox is the list that a form came from.
func (s *server) toOutbox(c *fiber.Ctx) (listing, error) {
	values, err := url.ParseQuery(c.FormValue("filter"))
	if err != nil {
		return listing{}, fiber.ErrBadRequest
	}
	return listing{s.url("/outbox"), values}, nil
}
