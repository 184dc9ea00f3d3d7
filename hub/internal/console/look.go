package console

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

func (s *server) lookRoutes() []route {
	return []route{{fiber.MethodPost, "/look", guest, s.look}}
}

// guestLook is how somebody signed out wants to see the console: as chosen in
// this browser before, or as the browser says.
func (s *server) guestLook(c *fiber.Ctx) (lang, theme string) {
	lang, theme, _ = strings.Cut(c.Cookies(s.cookies.look), ".")
	if _, ok := languages[lang]; !ok {
		lang = "en"
		for _, wanted := range strings.Split(c.Get(fiber.HeaderAcceptLanguage), ",") {
			code := strings.ToLower(strings.TrimSpace(wanted))
			if strings.HasPrefix(code, "zh") {
				lang = "zh"
			}
			if code != "" {
				break // the first one is the reader's own
			}
		}
	}
	if theme != "light" && theme != "dark" {
		theme = ""
	}
	return lang, theme
}

// look switches language or theme, for this browser and for the user.
func (s *server) look(c *fiber.Ctx, p *page) error {
	if lang := c.FormValue("lang"); languages[lang].html != "" {
		p.Lang = lang
	}
	switch theme := c.FormValue("theme"); theme {
	case "light", "dark":
		p.Theme = theme
	case "auto":
		p.Theme = ""
	}
	s.setCookie(c, s.cookies.look, p.Lang+"."+p.Theme, 365*24*time.Hour)
	if p.User != nil {
		p.User.Lang, p.User.Theme = p.Lang, p.Theme
		if err := s.DB.SetLook(c.UserContext(), *p.User); err != nil {
			return err
		}
	}
	back := c.FormValue("back")
	if !s.local(back) {
		back = s.base
	}
	return c.Redirect(back, fiber.StatusSeeOther)
}

// NextTheme is what the switch leads to.
func (p *page) NextTheme() string {
	switch p.Theme {
	case "":
		return "light"
	case "light":
		return "dark"
	}
	return "auto"
}

// ThemeName is what the theme is called: auto, light or dark.
func (p *page) ThemeName() string {
	if p.Theme == "" {
		return "auto"
	}
	return p.Theme
}

// OtherLang is the language that the switch leads to.
func (p *page) OtherLang() string {
	if p.Lang == "en" {
		return "zh"
	}
	return "en"
}

// OtherLangName is that language's own name.
func (p *page) OtherLangName() string { return languages[p.OtherLang()].name }

// OtherLangHTML is that language as HTML names it.
func (p *page) OtherLangHTML() string { return languages[p.OtherLang()].html }
