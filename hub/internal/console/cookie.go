package console

import (
	"crypto/rand"
	"time"

	"github.com/gofiber/fiber/v2"
)

// cookieNames carry the promises that browsers hold cookies to: __Host- ones
// come from this very host, over https.
type cookieNames struct {
	session, device, guest, flash, look, journey string
	path                                         string
}

func namesOf(secure bool, basePath string) cookieNames {
	prefix, path := "", basePath+"/console"
	switch {
	case secure && basePath == "":
		prefix, path = "__Host-", "/" // the prefix asks for that path
	case secure:
		prefix = "__Secure-"
	}
	return cookieNames{
		session: prefix + "superpay_session", device: prefix + "superpay_device", guest: prefix + "superpay_guest",
		flash: prefix + "superpay_flash", look: prefix + "superpay_look", journey: prefix + "superpay_journey", path: path,
	}
}

// setCookie keeps a value that no script can read. life 0 ends with the browser.
func (s *server) setCookie(c *fiber.Ctx, name, value string, life time.Duration) {
	c.Cookie(&fiber.Cookie{
		Name: name, Value: value, Path: s.cookies.path, MaxAge: int(life.Seconds()), Secure: s.secure, HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode,
	})
}

func (s *server) dropCookie(c *fiber.Ctx, name string) {
	c.Cookie(&fiber.Cookie{
		Name: name, Path: s.cookies.path, Expires: time.Unix(0, 0), Secure: s.secure, HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode,
	})
}

// guestSecret stands in for the session in the forms of who has none.
func (s *server) guestSecret(c *fiber.Ctx) string {
	if secret := c.Cookies(s.cookies.guest); len(secret) == 26 {
		return secret
	}
	secret := rand.Text()
	s.setCookie(c, s.cookies.guest, secret, 0)
	return secret
}
