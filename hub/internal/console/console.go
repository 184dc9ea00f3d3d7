// Package console is the operators' side of the hub: HTML pages below /console,
// one file a screen. Every page works without JavaScript; htmx swaps parts of
// the same addresses, and static/console.js does the small rest.
//
// To add a screen, say "inbox":
//
//  1. inbox.go: func (s *server) inboxRoutes() []route, one line a method and
//     path, each with the least role that may use it; add it to routes() in
//     route.go. Guard there has checked session, role, token and text of the
//     form before the handler runs.
//  2. A handler is func(c *fiber.Ctx, p *page) error: it fills p.Title and ends
//     with s.render(c, p, "inbox", data). An error that it returns becomes a
//     page: ledger.Error says its message, postgres.ErrNotFound is 404. A POST
//     does its work inside s.act (the audit), calls s.flash and answers with
//     s.redirect (303).
//  3. web/templates/console/inbox.html defines "content"; $ is the page, .Data
//     what the handler gave. A part with an id that is also the name of a
//     template there is all that is sent when htmx asks with that target.
//     Functions: t, badge, money, moneytext, icon, id, shortid, foreign,
//     asset, url, list; methods that need the reader: $.Time, $.TimeFull,
//     $.TimeExact, $.Ago, $.May "operator". Each form of a POST holds
//     {{template "token" $}}.
//  4. Its words are in web/texts/en.json and zh.json, keys in order, under
//     "inbox."; "nav.inbox" is its name. Tests find keys without a text.
//  5. nav in page.go shows it as soon as its route is there.
//
// For live updates an element listens to the event "live" of the body, which
// console.js fires every 5 s in a visible tab, more rarely after errors:
// hx-get="…?since=…" hx-trigger="live from:body". 204 changes nothing.
package console

import (
	"context"
	"html/template"
	"log/slog"
	"net/url"
	"strings"
	"time"
	_ "time/tzdata" // readers' zones, also where the system has none

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/singleflight"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/assets"
	"github.com/superpayhub/superpay/hub/internal/connect"
	"github.com/superpayhub/superpay/hub/internal/notifications"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
)

// Options are what the console needs to know.
type Options struct {
	DB        *postgres.DB
	Payments  *payments.Service
	Providers *providers.Registry
	Connect   *connect.Service
	Sender    *notifications.Sender // knows which addresses can be endpoints
	Assets    *assets.Files
	BasePath  string                      // "" or "/superpay"
	PublicURL string                      // base path included
	OIDC      *access.OIDC                // nil: passwords alone
	OIDCName  string                      // of the identity provider, for people
	Zone      string                      // of readers who chose none, as "Europe/Berlin"; "" is UTC
	Changed   func(context.Context) error // takes what was changed about providers, at once
	Hide      func(secrets ...string)     // from the log
	Scrub     func(text string) string    // hides what is known to be secret
	Logger    *slog.Logger
	Now       func() time.Time
}

type server struct {
	Options
	base      string // of all pages: "/superpay/console"
	all       []route
	secure    bool // people come over https
	cookies   cookieNames
	zone      *time.Location
	sessions  *access.Sessions
	addresses *access.Limit
	users     *access.Limit
	waiting   waiting
	audit     *access.Audit
	exports   exports
	counting  singleflight.Group                       // of orders, for the overview
	templates map[string]map[string]*template.Template // by language and screen
	gone      map[string][]byte                        // the page for when the database is away, by language
}

// Console is the operators' pages, and those that the hub shows to payers.
type Console struct{ s *server }

// New panics if the options were not checked, or a template is broken.
func New(o Options) *Console { return &Console{newServer(o)} }

// Mount adds the console to what is below the hub's base path.
func (p *Console) Mount(root fiber.Router) {
	s := p.s
	group := root.Group("/console", s.headers)
	for _, r := range s.all {
		group.Add(r.method, r.path, s.guard(r))
	}
	group.Use(s.guard(route{handle: func(*fiber.Ctx, *page) error { return fiber.ErrNotFound }}))
}

func newServer(o Options) *server {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &server{
		Options: o, base: o.BasePath + "/console", secure: strings.HasPrefix(o.PublicURL, "https:"), zone: must(time.LoadLocation(o.Zone)),
		sessions: &access.Sessions{DB: o.DB, Now: o.Now}, audit: &access.Audit{DB: o.DB, Now: o.Now},
		addresses: access.NewLimit(addressLimit), users: access.NewLimit(userLimit),
	}
	s.all, s.cookies = s.routes(), namesOf(s.secure, o.BasePath)
	s.templates = must(s.parse())
	s.gone = must(s.prepareGone())
	return s
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// url is a page's address.
func (s *server) url(path string) string { return s.base + path }

// local reports whether an address is one of the console's own pages, so that
// it can be gone to after signing in.
func (s *server) local(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "" && u.Host == "" && !strings.ContainsAny(address, "\\\r\n\t") && len(address) < 2000 &&
		(u.Path == s.base || strings.HasPrefix(u.Path, s.base+"/")) && !strings.Contains(u.Path, "//")
}
