package console

import "github.com/gofiber/fiber/v2"

func (s *server) homeRoutes() []route {
	return []route{{fiber.MethodGet, "/", guest, s.home}}
}

// home leads to the first screen that the reader has.
func (s *server) home(c *fiber.Ctx, p *page) error {
	if p.User == nil {
		return errSignedOut
	}
	if len(p.nav) == 0 {
		return s.redirect(c, "/profile")
	}
	return c.Redirect(p.nav[0].URL, fiber.StatusSeeOther)
}
