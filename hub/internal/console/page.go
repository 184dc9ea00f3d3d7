package console

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// page is what every screen needs: who reads it, and how. Templates see it as $.
type page struct {
	Title   string // of the tab, before " · Superpay"
	Screen  string // in the navigation: orders
	Wide    bool   // a list, which takes all the width there is
	Test    bool   // what is shown may be test data
	Lang    string // en or zh
	Theme   string // light, dark, or "" for the system's
	Zone    *time.Location
	Now     time.Time
	Keys    bool           // one-letter keys are on
	User    *postgres.User // nil: signed out
	Notice  *notice        // what the request before has to say
	CanFind bool           // the find box has a screen behind it
	Path    string         // of this page with its query, to come back to
	Data    any

	RequestID string

	Problems []problem // of the form that was sent

	session postgres.Session
	secret  string // that the forms' token is made of
	address string
	base    string
	nav     []navItem
}

// notice is told once, on the page after an action.
type notice struct {
	Key  string `json:"k"`
	Args []any  `json:"a,omitempty"`
}

// newPage finds out who asks and how they want it shown. The page is of use
// also with an error.
func (s *server) newPage(c *fiber.Ctx) (*page, error) {
	p := s.guestPage(c)
	token := c.Cookies(s.cookies.session)
	if token == "" {
		p.secret = s.guestSecret(c)
		return p, nil
	}
	session, user, err := s.sessions.Find(c.UserContext(), token)
	if errors.Is(err, access.ErrNoSession) {
		p.secret = s.guestSecret(c)
		return p, nil
	}
	if err != nil {
		return p, err
	}
	p.session, p.User, p.secret, p.Keys = session, &user, token, user.Keys
	if user.Lang != "" {
		p.Lang = user.Lang
	}
	p.Theme = user.Theme
	if user.Zone != "" {
		if zone, err := time.LoadLocation(user.Zone); err == nil {
			p.Zone = zone
		}
	}
	if p.nav, err = s.navOf(c.UserContext(), access.Role(user.Role)); err != nil {
		return p, err
	}
	p.CanFind = s.has("/find", access.Role(user.Role))
	p.Notice = s.takeFlash(c)
	return p, nil
}

// guestPage is one for somebody that the hub does not know.
func (s *server) guestPage(c *fiber.Ctx) *page {
	id, _ := providers.IDs(c.UserContext())
	p := &page{
		Now: s.Now().UTC(), Zone: s.zone, Keys: true, RequestID: id, Path: c.OriginalURL(), base: s.base, address: c.IP(), Test: s.testing(),
	}
	if c.Method() != fiber.MethodGet {
		p.Path = s.base
	}
	p.Lang, p.Theme = s.guestLook(c)
	return p
}

// testing reports whether any provider moves no real money.
func (s *server) testing() bool {
	return slices.ContainsFunc(s.Providers.All(), func(p *providers.Provider) bool { return p.State().Mode == sdk.Test })
}

// Nav is what the reader can go to.
func (p *page) Nav() []navItem { return p.nav }

// Base is the address below which all pages are.
func (p *page) Base() string { return p.base }

// Token proves a form to be of this page.
func (p *page) Token() string { return newToken(p.secret) }

// Says is the notice's text.
func (p *page) Says() string {
	if p.Notice == nil {
		return ""
	}
	return text(p.Lang, p.Notice.Key, p.Notice.Args...)
}

// HTMLLang is the language as HTML names it.
func (p *page) HTMLLang() string { return languages[p.Lang].html }

// T is a text in the reader's language.
func (p *page) T(key string, args ...any) string { return text(p.Lang, key, args...) }

func (p *page) role() access.Role {
	if p.User == nil {
		return guest
	}
	return access.Role(p.User.Role)
}

// May reports whether the reader may do what needs that role.
func (p *page) May(role string) bool { return p.role().May(access.Role(role)) }

// act begins a line of the audit.
func (p *page) act(action, object, why string) access.Act {
	a := access.Act{Action: action, Object: object, Why: why, Address: p.address, RequestID: p.RequestID}
	if p.User != nil {
		a.UserID, a.Who = p.User.ID, p.User.Email
	}
	return a
}

// act does what a person asked for, between two marks in the audit: what
// cannot be recorded is not done. Its error is do's.
func (s *server) act(c *fiber.Ctx, p *page, action, object, why string, do func() error) error {
	return s.audit.Do(c.UserContext(), p.act(action, object, why), do)
}

// flash leaves a text for the page that the answer leads to.
func (s *server) flash(c *fiber.Ctx, key string, args ...any) {
	raw, err := json.Marshal(notice{key, args})
	if err == nil && len(raw) < 2000 {
		s.setCookie(c, s.cookies.flash, base64.RawURLEncoding.EncodeToString(raw), time.Minute)
	}
}

// takeFlash reads and forgets it. A page that changes in parts keeps it for
// the next whole one.
func (s *server) takeFlash(c *fiber.Ctx) *notice {
	value := c.Cookies(s.cookies.flash)
	if value == "" || c.Method() != fiber.MethodGet || c.Get("HX-Request") != "" {
		return nil
	}
	s.dropCookie(c, s.cookies.flash)
	raw, err := base64.RawURLEncoding.DecodeString(value)
	var n notice
	if err != nil || json.Unmarshal(raw, &n) != nil || !hasText(n.Key) {
		return nil
	}
	for i, a := range n.Args { // JSON has no integers
		if f, ok := a.(float64); ok {
			n.Args[i] = int(f)
		}
	}
	return &n
}

// render answers with a screen. When htmx asks with a target that is also a
// template of the screen, that part alone is sent; with another target, the
// content without the layout.
func (s *server) render(c *fiber.Ctx, p *page, screen string, data any) error {
	p.Data = data
	t := s.templates[p.Lang][screen]
	if t == nil {
		return fmt.Errorf("no template %s", screen)
	}
	name := "layout"
	if c.Get("HX-Request") == "true" && c.Get("HX-History-Restore-Request") != "true" {
		name = "part"
		if target := c.Get("HX-Target"); target != "" && t.Lookup(target) != nil && !strings.Contains(target, ".") {
			name = target
		}
	}
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, name, p); err != nil {
		return fmt.Errorf("render %s: %w", screen, err)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Send(out.Bytes())
}

// redirect answers a POST: the result is a page of its own, which can be
// loaded again without doing it again.
func (s *server) redirect(c *fiber.Ctx, path string) error {
	return c.Redirect(s.url(path), fiber.StatusSeeOther)
}
