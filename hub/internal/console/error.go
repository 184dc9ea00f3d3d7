package console

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// errSignedOut leads to the sign-in page, and back.
var errSignedOut = errors.New("signed out")

// roleError says which role is missing.
type roleError struct{ needs access.Role }

func (e *roleError) Error() string { return "needs the role " + string(e.needs) }

// trouble is what the error page says.
type trouble struct {
	Status  int
	Kind    string // of the texts: error.<kind>.title and .says
	Message string // in the hub's own words, if it has some
	Needs   string // the role
	Sent    bool   // a form was sent, so it has to be said what became of it
}

// kindOf are the kinds of the errors that the ledger and the verbs tell.
var kindOf = map[ledger.Kind]trouble{
	ledger.Invalid:      {Status: http.StatusUnprocessableEntity, Kind: "refused"},
	ledger.Conflict:     {Status: http.StatusConflict, Kind: "conflict"},
	ledger.NotFound:     {Status: http.StatusNotFound, Kind: "missing"},
	ledger.Unauthorized: {Status: http.StatusForbidden, Kind: "refused"},
	ledger.Forbidden:    {Status: http.StatusForbidden, Kind: "refused"},
	ledger.TooMany:      {Status: http.StatusTooManyRequests, Kind: "busy"},
	ledger.Rejected:     {Status: http.StatusUnprocessableEntity, Kind: "refused"},
	ledger.Unavailable:  {Status: http.StatusServiceUnavailable, Kind: "busy"},
}

// troubleOf maps errors outward, once.
func troubleOf(err error) trouble {
	var role *roleError
	var told *ledger.Error
	var http *fiber.Error
	switch {
	case errors.As(err, &role):
		return trouble{Status: fiber.StatusForbidden, Kind: "role", Needs: string(role.needs)}
	case errors.Is(err, errForm):
		return trouble{Status: fiber.StatusForbidden, Kind: "form"}
	case errors.Is(err, postgres.ErrNotFound):
		return trouble{Status: fiber.StatusNotFound, Kind: "missing"}
	case errors.As(err, &told):
		t := kindOf[told.Kind]
		if t.Kind != "missing" {
			t.Message = told.Message
		}
		return t
	case errors.As(err, &http) && http.Code == fiber.StatusNotFound:
		return trouble{Status: fiber.StatusNotFound, Kind: "missing"}
	case errors.As(err, &http) && http.Code < 500:
		return trouble{Status: http.Code, Kind: "request"}
	}
	return trouble{Status: fiber.StatusInternalServerError, Kind: "broken"}
}

// fail answers with a page that says what is wrong and what to do. Where not
// even that can be made, because the database is away, with the one made at
// the start.
func (s *server) fail(c *fiber.Ctx, p *page, err error) error {
	if errors.Is(err, errSignedOut) {
		return s.askToSignIn(c, p)
	}
	if errors.Is(err, errForm) && p.User == nil {
		c.Status(fiber.StatusForbidden)
		return s.showSignIn(c, p, signInForm{Old: true})
	}
	t := troubleOf(err)
	t.Sent = c.Method() == fiber.MethodPost
	if t.Status >= 500 {
		s.Logger.ErrorContext(c.UserContext(), "a page of the console failed", "path", c.Route().Path, "error", err)
		if s.DB.Ping(c.UserContext()) != nil {
			c.Set(fiber.HeaderRetryAfter, "5")
			c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
			return c.Status(fiber.StatusServiceUnavailable).Send(s.gone[p.Lang])
		}
	}
	p.Title, p.Screen = p.T("error."+t.Kind+".title"), ""
	c.Status(t.Status)
	if t.Status == fiber.StatusServiceUnavailable || t.Status == fiber.StatusTooManyRequests {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(5))
	}
	return s.render(c, p, "error", t)
}

// askToSignIn sends who is signed out to the form, and says that a form of
// theirs was not sent.
func (s *server) askToSignIn(c *fiber.Ctx, p *page) error {
	to := s.url("/sign-in")
	if c.Method() == fiber.MethodGet && c.Path() != s.base {
		to += "?back=" + url.QueryEscape(c.OriginalURL())
	}
	switch {
	case c.Get("HX-Request") == "true":
		c.Set("HX-Redirect", to) // the whole page goes there
		return c.SendStatus(fiber.StatusUnauthorized)
	case c.Method() == fiber.MethodGet:
		return c.Redirect(to, fiber.StatusSeeOther)
	}
	c.Status(fiber.StatusUnauthorized)
	return s.showSignIn(c, p, signInForm{NothingSent: true})
}

// prepareGone makes the pages for when the database is away.
func (s *server) prepareGone() (map[string][]byte, error) {
	pages := map[string][]byte{}
	for lang := range languages {
		p := &page{Lang: lang, Zone: time.UTC, Now: s.Now(), base: s.base, Title: text(lang, "error.gone.title")}
		var out bytes.Buffer
		if err := s.templates[lang]["gone"].ExecuteTemplate(&out, "bare", p); err != nil {
			return nil, err
		}
		pages[lang] = out.Bytes()
	}
	return pages, nil
}
