package console

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

func (s *server) peopleRoutes() []route {
	return []route{
		{fiber.MethodGet, "/people", access.Admin, s.people},
		{fiber.MethodGet, "/people/new", access.Admin, s.newPersonPage},
		{fiber.MethodPost, "/people/new", access.Admin, s.newPerson},
		{fiber.MethodGet, "/people/:id", access.Admin, s.person},
		{fiber.MethodPost, "/people/:id/role", access.Admin, s.changeRole},
		{fiber.MethodPost, "/people/:id/password", access.Admin, s.renewPassword},
		{fiber.MethodPost, "/people/:id/disable", access.Admin, s.disablePerson},
		{fiber.MethodPost, "/people/:id/enable", access.Admin, s.enablePerson},
		{fiber.MethodPost, "/people/:id/sessions/end", access.Admin, s.endSessions},
	}
}

// errLastAdmin keeps the door from closing behind the last who can open it.
var errLastAdmin = &ledger.Error{Kind: ledger.Conflict, Code: "last_admin", Param: "role", Message: "this is the last admin: make another one first"}

func (s *server) people(c *fiber.Ctx, p *page) error {
	users, err := s.DB.Users(c.UserContext())
	if err != nil {
		return err
	}
	p.Title, p.Screen, p.Wide = p.T("people.title"), "people", true
	return s.render(c, p, "people", users)
}

// newPersonForm is what was typed.
type newPersonForm struct {
	Email, Name, Role string
	Roles             []access.Role
}

func (s *server) newPersonPage(c *fiber.Ctx, p *page) error {
	p.Title, p.Screen = p.T("people.new"), "people"
	return s.render(c, p, "person_new", newPersonForm{Role: string(access.Viewer), Roles: access.Roles})
}

func (s *server) newPerson(c *fiber.Ctx, p *page) error {
	p.Title, p.Screen = p.T("people.new"), "people"
	f := newPersonForm{c.FormValue("email"), c.FormValue("name"), c.FormValue("role"), access.Roles}
	password := access.NewPassword()
	hash, err := access.HashNewPassword(password)
	if err != nil {
		return err
	}
	u, err := access.NewUser(f.Email, f.Name, access.Role(f.Role), hash, p.Now)
	if err == nil {
		act := p.act("user.create", u.ID, "")
		act.Data = map[string]any{"email": u.Email, "role": u.Role}
		err = s.audit.Do(c.UserContext(), act, func() error { return access.AddUser(c.UserContext(), s.DB, u) })
	}
	if err != nil {
		if p.blamed(err) {
			return s.again(c, p, "person_new", f)
		}
		return err
	}
	return s.showPassword(c, p, u, password)
}

// shownPassword is a password on the one page that it is ever on.
type shownPassword struct {
	User     postgres.User
	Password string
}

func (s *server) showPassword(c *fiber.Ctx, p *page, u postgres.User, password string) error {
	p.Title = p.T("people.password.title")
	return s.render(c, p, "person_password", shownPassword{u, password})
}

type personData struct {
	User     postgres.User
	Sessions []postgres.Session
	Roles    []access.Role
	Own      bool   // the reader's
	Why      string // as typed
}

// personOf loads who the address names.
func (s *server) personOf(c *fiber.Ctx, p *page) (personData, error) {
	d := personData{Roles: access.Roles, Why: c.FormValue("why")}
	var err error
	if d.User, err = s.DB.User(c.UserContext(), c.Params("id")); err != nil {
		return d, err
	}
	d.Sessions, err = s.sessions.Of(c.UserContext(), d.User.ID)
	d.Own = d.User.ID == p.User.ID
	p.Title, p.Screen = d.User.Name, "people"
	return d, err
}

func (s *server) person(c *fiber.Ctx, p *page) error {
	d, err := s.personOf(c, p)
	if err != nil {
		return err
	}
	return s.render(c, p, "person", d)
}

// toPerson does something to somebody else, with a reason: nobody takes a role
// from, or locks out, themselves.
func (s *server) toPerson(c *fiber.Ctx, p *page, action string, do func(context.Context, postgres.User) error) error {
	d, err := s.personOf(c, p)
	if err != nil {
		return err
	}
	if d.Own {
		return ledger.Conflictf("own_account", "this is your own account: ask another admin")
	}
	why := p.why(c)
	if len(p.Problems) == 0 {
		err = s.act(c, p, action, d.User.ID, why, func() error { return do(c.UserContext(), d.User) })
		if err == nil {
			s.flash(c, "people.done")
			return s.redirect(c, "/people/"+d.User.ID)
		}
		if !p.blamed(err) {
			return err
		}
	}
	return s.again(c, p, "person", d)
}

func (s *server) changeRole(c *fiber.Ctx, p *page) error {
	role := access.Role(c.FormValue("role"))
	if !slices.Contains(access.Roles, role) {
		return ledger.Invalidf("role", "must be viewer, operator or admin")
	}
	return s.toPerson(c, p, "user.role", func(ctx context.Context, u postgres.User) error {
		return unlessLastAdmin(s.DB.SetRole(ctx, u.ID, string(role)))
	})
}

func (s *server) disablePerson(c *fiber.Ctx, p *page) error {
	return s.toPerson(c, p, "user.disable", func(ctx context.Context, u postgres.User) error {
		return unlessLastAdmin(s.DB.DisableUser(ctx, u.ID, p.Now))
	})
}

func (s *server) enablePerson(c *fiber.Ctx, p *page) error {
	return s.toPerson(c, p, "user.enable", func(ctx context.Context, u postgres.User) error { return s.DB.EnableUser(ctx, u.ID) })
}

func unlessLastAdmin(err error) error {
	if errors.Is(err, postgres.ErrNotFound) {
		return errLastAdmin
	}
	return err
}

// endSessions signs somebody out: everywhere, or in one browser.
func (s *server) endSessions(c *fiber.Ctx, p *page) error {
	user, id := c.Params("id"), c.FormValue("session")
	err := s.act(c, p, "session.revoke", user, strings.TrimSpace(c.FormValue("why")), func() error {
		if id != "" {
			return s.DB.EndSession(c.UserContext(), user, id, p.Now)
		}
		_, err := s.DB.EndOtherSessions(c.UserContext(), user, p.session.ID, p.Now)
		return err
	})
	if err != nil {
		return err
	}
	s.flash(c, "people.done")
	return s.redirect(c, "/people/"+user)
}

// renewPassword makes a password and shows it once.
func (s *server) renewPassword(c *fiber.Ctx, p *page) error {
	d, err := s.personOf(c, p)
	if err != nil {
		return err
	}
	why := p.why(c)
	if len(p.Problems) > 0 {
		return s.again(c, p, "person", d)
	}
	password := access.NewPassword()
	hash, err := access.HashNewPassword(password)
	if err == nil {
		err = s.act(c, p, "user.password", d.User.ID, why, func() error {
			return s.DB.SetPassword(c.UserContext(), d.User.ID, hash, p.session.ID, p.Now)
		})
	}
	if err != nil {
		return err
	}
	return s.showPassword(c, p, d.User, password)
}
