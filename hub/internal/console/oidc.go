package console

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/access"
)

// journeyLife is how long somebody may take at the identity provider.
const journeyLife = 10 * time.Minute

// oidcRoutes are there when OpenID Connect is configured.
func (s *server) oidcRoutes() []route {
	if s.OIDC == nil {
		return nil
	}
	return []route{
		{fiber.MethodGet, "/oidc", guest, s.oidcStart},
		{fiber.MethodGet, "/oidc/callback", guest, s.oidcFinish},
	}
}

// oidcStart leaves for the identity provider. It is a link and no form: a form
// may lead to our own pages only.
func (s *server) oidcStart(c *fiber.Ctx, p *page) error {
	back := c.Query("back")
	if !s.local(back) {
		back = ""
	}
	journey, to, err := s.OIDC.Start(c.UserContext(), back)
	if err != nil {
		return s.oidcFailed(c, p, err)
	}
	raw, err := json.Marshal(journey)
	if err != nil {
		return err
	}
	s.setCookie(c, s.cookies.journey, base64.RawURLEncoding.EncodeToString(raw), journeyLife)
	return c.Redirect(to, fiber.StatusSeeOther)
}

// oidcFinish is where the identity provider sends the browser back to.
func (s *server) oidcFinish(c *fiber.Ctx, p *page) error {
	var journey access.Journey
	raw, err := base64.RawURLEncoding.DecodeString(c.Cookies(s.cookies.journey))
	if err == nil && len(raw) > 0 {
		_ = json.Unmarshal(raw, &journey) // what cannot be read is no journey
	}
	s.dropCookie(c, s.cookies.journey)
	user, err := s.OIDC.Finish(c.UserContext(), journey, c.Query("state"), c.Query("code"))
	if err != nil {
		return s.oidcFailed(c, p, err)
	}
	opened, err := s.sessions.Open(c.UserContext(), user, access.SignIn{Device: c.Cookies(s.cookies.device), Address: p.address, Agent: c.Get(fiber.HeaderUserAgent)})
	if err != nil {
		return err
	}
	act := p.act("session.open", opened.ID, "")
	act.UserID, act.Who, act.Data = user.ID, user.Email, map[string]any{"through": s.OIDC.Issuer, "role": user.Role}
	if err := s.audit.Note(c.UserContext(), act, access.Done); err != nil {
		return err
	}
	s.admit(c, opened)
	back := journey.Back
	if !s.local(back) {
		back = s.base
	}
	return c.Redirect(back, fiber.StatusSeeOther)
}

// oidcFailed says on the sign-in page that it did not work. Why is for the
// audit and the log: a stranger is told no more.
func (s *server) oidcFailed(c *fiber.Ctx, p *page, err error) error {
	var stranger *access.Stranger
	if errors.As(err, &stranger) {
		act := p.act("session.open", "", "")
		act.Who, act.Data = stranger.Email, map[string]any{"through": s.OIDC.Issuer, "refused": stranger.Why}
		if err := s.audit.Note(c.UserContext(), act, access.Refused); err != nil {
			return err
		}
		c.Status(fiber.StatusForbidden)
	} else {
		s.Logger.WarnContext(c.UserContext(), "sign-in through the identity provider failed", "issuer", s.OIDC.Issuer, "error", err)
		c.Status(fiber.StatusBadGateway)
	}
	return s.showSignIn(c, p, signInForm{NotThrough: true})
}
