package console

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// route is one address of the console and who may use it.
type route struct {
	method, path string
	role         access.Role // the least that may; guest for those that need no session
	handle       func(c *fiber.Ctx, p *page) error
}

// What one address, behind which there may be many people, and one person may
// ask for in a second. Argon2 has limits of its own.
const (
	addressLimit = 100
	userLimit    = 50
)

var errTooMany = &ledger.Error{Kind: ledger.TooMany, Code: "too_many_requests", Message: "too many requests at once"}

// guest is the role of an address that everybody may use.
const guest access.Role = ""

// routes are all of them.
func (s *server) routes() []route {
	return slices.Concat(
		s.homeRoutes(),
		s.overviewRoutes(),
		s.providerRoutes(),
		s.signInRoutes(),
		s.oidcRoutes(),
		s.inboxRoutes(),
		s.outboxRoutes(),
		s.appRoutes(),
		s.peopleRoutes(),
		s.auditRoutes(),
		s.profileRoutes(),
		s.lookRoutes(),
		s.orderRoutes(),
	)
}

// guard is all that stands before a handler: whose request it is, whether the
// form was ours, whether the role suffices. Refusals of people who are signed
// in are audited.
func (s *server) guard(r route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if wait := s.addresses.Wait(c.IP(), s.Now()); wait > 0 {
			return s.fail(c, s.guestPage(c), errTooMany)
		}
		p, err := s.newPage(c)
		if err == nil {
			err = s.check(c, p, r)
		}
		if err == nil {
			err = r.handle(c, p)
		}
		if err != nil {
			return s.fail(c, p, err)
		}
		return nil
	}
}

func (s *server) check(c *fiber.Ctx, p *page, r route) error {
	if err := checkText(c); err != nil {
		return err
	}
	if p.User != nil && s.users.Wait(p.User.ID, s.Now()) > 0 {
		return errTooMany
	}
	if r.role != guest && p.User == nil {
		return errSignedOut
	}
	if c.Method() != fiber.MethodGet && c.Method() != fiber.MethodHead {
		if err := s.checkForm(c, p); err != nil {
			return s.refused(c, p, r, err, "form")
		}
	}
	if r.role != guest && !p.role().May(r.role) {
		return s.refused(c, p, r, &roleError{r.role}, "role")
	}
	return nil
}

// refused audits what somebody signed in was not allowed to do. What a viewer
// may not look at is as telling as what it may not do.
func (s *server) refused(c *fiber.Ctx, p *page, r route, err error, why string) error {
	if p.User == nil {
		return err
	}
	act := p.act(strings.ToLower(r.method)+" "+r.path, lastParam(c), "")
	act.Data = map[string]any{"refused": why, "needs": string(r.role), "role": p.User.Role}
	if noted := s.audit.Note(c.UserContext(), act, access.Refused); noted != nil {
		return noted
	}
	return err
}

// lastParam is what the address names: the id in it.
func lastParam(c *fiber.Ctx) string {
	names := c.Route().Params
	if len(names) == 0 {
		return ""
	}
	return c.Params(names[len(names)-1])
}

// checkText refuses what PostgreSQL cannot keep and no person types.
func checkText(c *fiber.Ctx) error {
	bad := false
	look := func(args *fasthttp.Args) {
		for k, v := range args.All() {
			bad = bad || !utf8.Valid(k) || !utf8.Valid(v) || bytes.IndexByte(k, 0) >= 0 || bytes.IndexByte(v, 0) >= 0
		}
	}
	look(c.Request().URI().QueryArgs())
	if c.Method() == fiber.MethodPost && isForm(c) {
		look(c.Request().PostArgs())
	}
	if bad || !utf8.ValidString(c.Path()) || strings.ContainsRune(c.Path(), 0) {
		return fiber.NewError(fiber.StatusBadRequest)
	}
	return nil
}

func isForm(c *fiber.Ctx) bool {
	kind, _, _ := strings.Cut(c.Get(fiber.HeaderContentType), ";")
	return strings.EqualFold(strings.TrimSpace(kind), fiber.MIMEApplicationForm) && c.Get(fiber.HeaderContentEncoding) == ""
}
