package console

import (
	"errors"
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

func (s *server) appRoutes() []route {
	return []route{
		{fiber.MethodGet, "/apps", access.Viewer, s.apps},
		{fiber.MethodGet, "/apps/new", access.Admin, s.newAppPage},
		{fiber.MethodPost, "/apps/new", access.Admin, s.newApp},
		{fiber.MethodGet, "/apps/:id", access.Viewer, s.app},
		{fiber.MethodPost, "/apps/:id/providers", access.Admin, s.grantProviders},
		{fiber.MethodPost, "/apps/:id/keys", access.Admin, s.newKey},
		{fiber.MethodPost, "/apps/:id/keys/:key/rotate", access.Admin, s.rotateKey},
		{fiber.MethodGet, "/apps/:id/keys/:key/revoke", access.Admin, s.askRevokeKey},
		{fiber.MethodPost, "/apps/:id/keys/:key/revoke", access.Admin, s.revokeKey},
		{fiber.MethodPost, "/apps/:id/endpoints", access.Admin, s.newEndpoint},
		{fiber.MethodPost, "/apps/:id/endpoints/:endpoint/rotate", access.Admin, s.rotateEndpoint},
		{fiber.MethodPost, "/apps/:id/endpoints/:endpoint/disable", access.Admin, s.disableEndpoint},
		{fiber.MethodPost, "/apps/:id/endpoints/:endpoint/enable", access.Admin, s.enableEndpoint},
	}
}

func (s *server) apps(c *fiber.Ctx, p *page) error {
	all, err := s.DB.Apps(c.UserContext())
	if err != nil {
		return err
	}
	p.Title, p.Screen, p.Wide = p.T("apps.title"), "apps", true
	return s.render(c, p, "apps", all)
}

// grants are what an app may use, as a form has it.
type grants struct {
	All   bool
	Names []string // that can be chosen
	On    []string // that are
}

// Has reports whether a provider is chosen.
func (g grants) Has(name string) bool { return slices.Contains(g.On, name) }

// grantsOf are those of an app; what is no longer configured can be taken away.
func (s *server) grantsOf(providers []string) grants {
	g := grants{All: slices.Contains(providers, "*"), On: providers}
	for _, p := range s.Providers.All() {
		g.Names = append(g.Names, p.Name())
	}
	for _, name := range providers {
		if name != "*" && !slices.Contains(g.Names, name) {
			g.Names = append(g.Names, name)
		}
	}
	return g
}

// granted reads the form.
func (s *server) granted(c *fiber.Ctx, p *page, before []string) grants {
	if c.FormValue("all") == "1" {
		return s.grantsOf([]string{"*"})
	}
	var chosen []string
	for _, raw := range c.Request().PostArgs().PeekMulti("provider") {
		chosen = append(chosen, string(raw))
	}
	g := s.grantsOf(before)
	for _, name := range chosen {
		if !slices.Contains(g.Names, name) {
			p.blame("providers", "problem.provider", visible(name))
		}
	}
	g.All, g.On = false, chosen
	return g
}

// newAppForm is what was typed.
type newAppForm struct {
	Name   string
	Grants grants
}

func (s *server) newAppPage(c *fiber.Ctx, p *page) error {
	p.Title, p.Screen = p.T("apps.new"), "apps"
	return s.render(c, p, "app_new", newAppForm{Grants: s.grantsOf([]string{"*"})})
}

// newApp makes an app and its first key, which is shown once.
func (s *server) newApp(c *fiber.Ctx, p *page) error {
	p.Title, p.Screen = p.T("apps.new"), "apps"
	f := newAppForm{c.FormValue("name"), s.granted(c, p, nil)}
	if len(p.Problems) > 0 {
		return s.again(c, p, "app_new", f)
	}
	on := f.Grants.On
	if on == nil {
		on = []string{}
	}
	act := p.act("app.create", f.Name, "")
	act.Data = map[string]any{"providers": on}
	var app postgres.App
	err := s.audit.Do(c.UserContext(), act, func() (err error) {
		app, err = access.AddApp(c.UserContext(), s.DB, f.Name, on, p.Now)
		return err
	})
	if err != nil {
		if p.blamed(err) {
			return s.again(c, p, "app_new", f)
		}
		return err
	}
	var key string
	err = s.act(c, p, "key.create", app.ID, "", func() (err error) {
		_, key, err = access.AddKey(c.UserContext(), s.DB, postgres.NewKey{AppID: app.ID}, p.Now)
		return err
	})
	if err != nil {
		return err
	}
	return s.showOnce(c, p, shownSecret{App: app.ID, AppName: app.Name, Kind: "key", Secret: key})
}

// shownSecret is a secret on the one page that it is ever on.
type shownSecret struct {
	App, AppName string
	Kind         string // key or endpoint
	Secret       string
	Address      string // of the endpoint
}

func (s *server) showOnce(c *fiber.Ctx, p *page, d shownSecret) error {
	p.Title, p.Screen = p.T("once."+d.Kind+".title"), "apps"
	return s.render(c, p, "secret_once", d)
}

type appData struct {
	postgres.AppRow
	Keys      []appKey
	Endpoints []postgres.Endpoint
	Grants    grants
	Full      bool   // no more endpoints
	Address   string // as typed
	Scope     string
	Days      string
	Why       string
}

// appKey is a key with how it fares: active, expired or revoked.
type appKey struct {
	postgres.Key
	State string
}

// appOf loads the app that the address names.
func (s *server) appOf(c *fiber.Ctx, p *page) (appData, error) {
	d := appData{Address: c.FormValue("url"), Scope: c.FormValue("scope", postgres.ScopeFull), Days: c.FormValue("days"), Why: c.FormValue("why")}
	var err error
	if d.AppRow, err = s.DB.AppByID(c.UserContext(), c.Params("id")); err != nil {
		return d, err
	}
	keys, err := s.DB.KeysOf(c.UserContext(), d.Name)
	if err != nil {
		return d, err
	}
	for _, k := range keys {
		state := "active"
		switch {
		case k.RevokedAt != nil:
			state = "revoked"
		case k.ExpiresAt != nil && !k.ExpiresAt.After(p.Now):
			state = "expired"
		}
		d.Keys = append(d.Keys, appKey{k, state})
	}
	d.Endpoints, err = s.DB.Endpoints(c.UserContext(), d.ID)
	d.Grants = s.grantsOf(d.Providers)
	p.Title, p.Screen = d.Name+" · "+p.T("apps.title"), "apps"
	return d, err
}

func (s *server) app(c *fiber.Ctx, p *page) error {
	d, err := s.appOf(c, p)
	if err != nil {
		return err
	}
	return s.render(c, p, "app", d)
}

func (s *server) grantProviders(c *fiber.Ctx, p *page) error {
	d, err := s.appOf(c, p)
	if err != nil {
		return err
	}
	before := d.Providers
	if d.Grants = s.granted(c, p, before); len(p.Problems) > 0 {
		return s.again(c, p, "app", d)
	}
	on := d.Grants.On
	if on == nil {
		on = []string{}
	}
	act := p.act("app.providers", d.ID, "")
	act.Data = map[string]any{"before": before, "after": on}
	err = s.audit.Do(c.UserContext(), act, func() error { return s.DB.GrantProviders(c.UserContext(), d.ID, on) })
	if err != nil {
		return err
	}
	s.flash(c, "apps.granted")
	return s.redirect(c, "/apps/"+d.ID)
}

// ended says that a key or an endpoint is not there, or not any more.
func ended(err error, code, message string) error {
	if errors.Is(err, postgres.ErrNotFound) {
		return ledger.Conflictf(code, "%s", message)
	}
	return err
}
