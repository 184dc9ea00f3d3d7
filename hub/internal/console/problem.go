package console

import (
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// problem is what is wrong with a field of a form: it stands at the field, and
// in the summary above the heading, which leads there.
type problem struct{ Field, Text string }

// blame notes what is wrong with a field, by a key of the texts.
func (p *page) blame(field, key string, args ...any) {
	p.Problems = append(p.Problems, problem{field, p.T(key, args...)})
}

// blamed notes an error that blames a field, and reports whether it was one:
// the form is then shown again, with what was typed.
func (p *page) blamed(err error) bool {
	var e *ledger.Error
	if !errors.As(err, &e) || e.Param == "" || e.Kind != ledger.Invalid && e.Kind != ledger.Conflict {
		return false
	}
	text := e.Message
	if hasText("problem." + e.Code) {
		text = p.T("problem." + e.Code)
	}
	p.Problems = append(p.Problems, problem{e.Param, text})
	return true
}

// Problem is what is wrong with a field, or "".
func (p *page) Problem(field string) string {
	for _, x := range p.Problems {
		if x.Field == field {
			return x.Text
		}
	}
	return ""
}

// again shows a form that was sent with what is wrong with it.
func (s *server) again(c *fiber.Ctx, p *page, screen string, data any) error {
	p.Title = p.T("error.prefix", p.Title)
	c.Status(fiber.StatusUnprocessableEntity)
	return s.render(c, p, screen, data)
}

// whyLength bounds a reason, in bytes.
const whyLength = 500

// why reads the reason that an action asks for.
func (p *page) why(c *fiber.Ctx) string {
	why := strings.TrimSpace(c.FormValue("why"))
	switch {
	case why == "":
		p.blame("why", "problem.why_missing")
	case len(why) > whyLength:
		p.blame("why", "problem.why_long", whyLength)
	}
	return why
}
