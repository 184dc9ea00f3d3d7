package api

import (
	"errors"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// back sends a payer who comes back from a provider on to the app, or shows the
// hub's own page if the app named none. The page proves nothing; it is only a
// good moment to read.
func (s *server) back(c *fiber.Ctx) error {
	id := c.Params("attempt_id")
	if !ledger.ValidID(ledger.AttemptID, id) {
		return s.PayerPage(c, nil, "")
	}
	o, err := s.Payments.Return(c.UserContext(), id)
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
	q := u.Query()
	q.Set("order_id", o.ID)
	q.Set("status", string(o.Status))
	u.RawQuery = q.Encode()
	return c.Redirect(u.String(), fiber.StatusSeeOther)
}
