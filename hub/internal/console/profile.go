package console

import (
	"errors"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// zones are offered; any other that is known can be typed.
var zones = []string{
	"UTC", "Africa/Cairo", "Africa/Johannesburg", "Africa/Lagos", "Africa/Nairobi", "America/Argentina/Buenos_Aires", "America/Bogota", "America/Chicago",
	"America/Denver", "America/Los_Angeles", "America/Mexico_City", "America/New_York", "America/Sao_Paulo", "America/Toronto", "Asia/Bangkok", "Asia/Dubai",
	"Asia/Ho_Chi_Minh", "Asia/Hong_Kong", "Asia/Jakarta", "Asia/Karachi", "Asia/Kolkata", "Asia/Kuala_Lumpur", "Asia/Manila", "Asia/Riyadh", "Asia/Seoul",
	"Asia/Shanghai", "Asia/Singapore", "Asia/Taipei", "Asia/Tokyo", "Australia/Sydney", "Europe/Amsterdam", "Europe/Berlin", "Europe/Istanbul", "Europe/London",
	"Europe/Madrid", "Europe/Moscow", "Europe/Paris", "Europe/Rome", "Europe/Stockholm", "Europe/Warsaw", "Europe/Zurich", "Pacific/Auckland",
}

type profileData struct {
	Sessions []postgres.Session
	Own      string // the session that looks at it
	Zones    []string
	Zone     string // as chosen, or typed
}

func (s *server) profileRoutes() []route {
	return []route{
		{fiber.MethodGet, "/profile", access.Viewer, s.profile},
		{fiber.MethodPost, "/profile/look", access.Viewer, s.saveLook},
		{fiber.MethodPost, "/profile/password", access.Viewer, s.changePassword},
		{fiber.MethodPost, "/profile/sessions/end", access.Viewer, s.endOtherSessions},
		{fiber.MethodPost, "/profile/sessions/:id/end", access.Viewer, s.endOwnSession},
	}
}

// profile is where people see and change what is theirs.
func (s *server) profile(c *fiber.Ctx, p *page) error {
	d, err := s.profileOf(c, p)
	if err != nil {
		return err
	}
	return s.render(c, p, "profile", d)
}

func (s *server) profileOf(c *fiber.Ctx, p *page) (profileData, error) {
	p.Title, p.Screen = p.T("profile.title"), "profile"
	sessions, err := s.sessions.Of(c.UserContext(), p.User.ID)
	return profileData{Sessions: sessions, Own: p.session.ID, Zones: zones, Zone: p.User.Zone}, err
}

func (s *server) saveLook(c *fiber.Ctx, p *page) error {
	u := *p.User
	u.Lang, u.Theme, u.Zone, u.Keys = c.FormValue("lang"), c.FormValue("theme"), c.FormValue("zone"), c.FormValue("keys") == "on"
	if _, err := time.LoadLocation(u.Zone); err != nil || u.Zone == "Local" || len(u.Zone) > 60 {
		p.blame("zone", "problem.zone")
	}
	if languages[u.Lang].html == "" && u.Lang != "" || !slices.Contains([]string{"", "light", "dark"}, u.Theme) {
		return fiber.ErrBadRequest
	}
	if len(p.Problems) > 0 {
		d, err := s.profileOf(c, p)
		if err != nil {
			return err
		}
		d.Zone = u.Zone
		return s.again(c, p, "profile", d)
	}
	if err := s.DB.SetLook(c.UserContext(), u); err != nil {
		return err
	}
	if u.Lang != "" {
		s.setCookie(c, s.cookies.look, u.Lang+"."+u.Theme, 365*24*time.Hour)
	}
	s.flash(c, "profile.saved")
	return s.redirect(c, "/profile")
}

// changePassword asks for the old one: an open browser is not enough.
func (s *server) changePassword(c *fiber.Ctx, p *page) error {
	user, err := s.DB.User(c.UserContext(), p.User.ID)
	if err != nil {
		return err
	}
	var locked *access.TooManyTries
	hash := ""
	switch err = s.sessions.Confirm(c.UserContext(), user, c.FormValue("old")); {
	case errors.Is(err, access.ErrWrongPassword):
		p.blame("old", "problem.password_wrong")
	case errors.As(err, &locked):
		p.blame("old", "signin.locked", locked.Until.In(p.Zone).Format("15:04:05"))
	case err != nil:
		return err
	case c.FormValue("password") != c.FormValue("again"):
		p.blame("again", "problem.password_differs")
	default:
		if hash, err = access.HashPassword(c.UserContext(), c.FormValue("password"), user.Email); err != nil && !p.blamed(err) {
			return err
		}
	}
	if len(p.Problems) > 0 {
		d, err := s.profileOf(c, p)
		if err != nil {
			return err
		}
		return s.again(c, p, "profile", d)
	}
	err = s.act(c, p, "user.password", user.ID, "", func() error { return s.DB.SetPassword(c.UserContext(), user.ID, hash, p.session.ID, p.Now) })
	if err != nil {
		return err
	}
	s.flash(c, "profile.password.changed")
	return s.redirect(c, "/profile")
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

func (s *server) endOtherSessions(c *fiber.Ctx, p *page) error {
	ended := 0
	err := s.act(c, p, "session.close", p.User.ID, "", func() (err error) {
		ended, err = s.DB.EndOtherSessions(c.UserContext(), p.User.ID, p.session.ID, p.Now)
		return err
	})
	if err != nil {
		return err
	}
	s.flash(c, "profile.ended.others", ended)
	return s.redirect(c, "/profile")
}
