package console

import (
	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

type profileData struct {
	Sessions []postgres.Session
	Own      string // the session that looks at it
}

func (s *server) profileRoutes() []route {
	return []route{
		{fiber.MethodGet, "/profile", access.Viewer, s.profile},
		{fiber.MethodPost, "/profile/sessions/:id/end", access.Viewer, s.endOwnSession},
	}
}

// profile is where people see and change what is theirs.
func (s *server) profile(c *fiber.Ctx, p *page) error {
	sessions, err := s.sessions.Of(c.UserContext(), p.User.ID)
	if err != nil {
		return err
	}
	p.Title, p.Screen = p.T("profile.title"), "profile"
	return s.render(c, p, "profile", profileData{sessions, p.session.ID})
}

func (s *server) endOwnSession(c *fiber.Ctx, p *page) error {
	id := c.Params("id")
	err := s.act(c, p, "session.close", id, "", func() error { return s.DB.EndSession(c.UserContext(), p.User.ID, id, p.Now) })
	if err != nil {
		return err
	}
	s.flash(c, "profile.ended")
	return s.redirect(c, "/profile")
}
