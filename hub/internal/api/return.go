package api

import (
	"bytes"
	"errors"
	"mime"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// back sends a payer who comes back from a provider on to the app, or shows the
// hub's own page if the app named none. The page proves nothing; it is only a
// good moment to read.
func (s *server) back(c *fiber.Ctx) error {
	id := c.Params("attempt_id")
	if !ledger.ValidID(ledger.AttemptID, id) {
		return s.PayerPage(c, nil, "")
	}
	o, err := s.Payments.Return(c.UserContext(), id, broughtBack(c))
	var told *ledger.Error
	if errors.As(err, &told) && told.Kind == ledger.NotFound {
		return s.PayerPage(c, nil, "")
	}
	if err != nil {
		return err
	}
	to := o.ReturnURL
	if c.Query("cancel") == "1" && o.CancelURL != "" {
		to = o.CancelURL
	}
	if to == "" {
		return s.PayerPage(c, o, id)
	}
	u, err := url.Parse(to)
	if err != nil {
		return err
	}
	u.RawQuery = withResult(u.RawQuery, o)
	return c.Redirect(u.String(), fiber.StatusSeeOther)
}

// maxReturn is the size of the largest form, in bytes, that is taken from a payer's
// browser. The result of a 3-D Secure challenge has some 10 kB.
const maxReturn = 64 << 10

// broughtBack returns the query and the form of the payer's request, unchanged. A body
// that is not a form, or larger than maxReturn, is left out, and the payer is
// redirected all the same: they may have paid.
func broughtBack(c *fiber.Ctx) sdk.Return {
	brought := sdk.Return{Method: fiber.MethodGet, Query: string(c.Request().URI().QueryString())}
	if c.Method() != fiber.MethodPost {
		return brought
	}
	brought.Method = fiber.MethodPost
	kind, _, _ := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if body := c.Request().Body(); kind == fiber.MIMEApplicationForm && len(body) <= maxReturn {
		brought.Body = bytes.Clone(body)
	}
	return brought
}

// withResult adds order_id and status to an app's own query, which stays byte by byte
// as it is: it may be signed. Parameters of its own with these names are dropped.
func withResult(query string, o *ledger.Order) string {
	var parts []string
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		if part != "" && name != "order_id" && name != "status" {
			parts = append(parts, part)
		}
	}
	return strings.Join(append(parts, "order_id="+o.ID, "status="+string(o.Status)), "&")
}
