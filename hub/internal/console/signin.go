package console

import (
	"errors"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/access"
)

// signInForm is the page's state.
type signInForm struct {
	Email, Back string
	Wrong       bool                 // address or password; it does not say which
	Locked      *access.TooManyTries // until when
	NothingSent bool                 // a form came after the session's end
	Old         bool                 // the page was open for too long
	NotThrough  bool                 // the identity provider's answer opens nothing
	Through     string               // its name; "" if there is none
}

func (s *server) signInRoutes() []route {
	return []route{
		{fiber.MethodGet, "/sign-in", guest, s.signInPage},
		{fiber.MethodPost, "/sign-in", guest, s.signIn},
		{fiber.MethodPost, "/sign-out", guest, s.signOut},
	}
}

func (s *server) signInPage(c *fiber.Ctx, p *page) error {
	if p.User != nil {
		return s.redirect(c, "")
	}
	return s.showSignIn(c, p, signInForm{Back: c.Query("back")})
}

func (s *server) showSignIn(c *fiber.Ctx, p *page, f signInForm) error {
	if !s.local(f.Back) {
		f.Back = ""
	}
	if s.OIDC != nil {
		f.Through = s.OIDCName
	}
	p.Title, p.Screen = p.T("signin.title"), "sign-in"
	if f.Wrong || f.Locked != nil || f.NotThrough {
		p.Title = p.T("error.prefix", p.Title)
	}
	return s.render(c, p, "signin", f)
}

func (s *server) signIn(c *fiber.Ctx, p *page) error {
	f := signInForm{Email: c.FormValue("email"), Back: c.FormValue("back")}
	in := access.SignIn{
		Email: f.Email, Password: c.FormValue("password"), Device: c.Cookies(s.cookies.device), Address: p.address, Agent: c.Get(fiber.HeaderUserAgent),
	}
	opened, err := s.sessions.SignIn(c.UserContext(), in)
	act := p.act("session.open", opened.ID, "")
	switch {
	case errors.As(err, &f.Locked): // not audited: there is no end to them
		c.Status(fiber.StatusTooManyRequests)
		return s.showSignIn(c, p, f)
	case errors.Is(err, access.ErrWrongPassword):
		act.Who, f.Wrong = access.Typed(f.Email), true
		if err := s.audit.Note(c.UserContext(), act, access.Refused); err != nil {
			return err
		}
		c.Status(fiber.StatusUnprocessableEntity)
		return s.showSignIn(c, p, f)
	case err != nil:
		return err
	}
	act.UserID, act.Who = opened.User.ID, opened.User.Email
	if err := s.audit.Note(c.UserContext(), act, access.Done); err != nil {
		return err
	}
	s.admit(c, opened)
	if !s.local(f.Back) {
		f.Back = s.base
	}
	return c.Redirect(f.Back, fiber.StatusSeeOther)
}

// admit gives the browser what opens the session, and by what it is known the
// next time. A session that it had before is none of this one's.
func (s *server) admit(c *fiber.Ctx, opened access.Opened) {
	s.setCookie(c, s.cookies.session, opened.Token, access.SessionLife)
	s.setCookie(c, s.cookies.device, opened.Device, access.DeviceLife)
	s.dropCookie(c, s.cookies.guest)
}

func (s *server) signOut(c *fiber.Ctx, p *page) error {
	if p.User != nil {
		err := s.act(c, p, "session.close", p.session.ID, "", func() error {
			return s.DB.EndSession(c.UserContext(), p.User.ID, p.session.ID, p.Now)
		})
		if err != nil {
			return err
		}
	}
	s.dropCookie(c, s.cookies.session)
	return s.redirect(c, "/sign-in")
}
