package console

import (
	"errors"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// syncOrder asks the provider how it stands.
func (s *server) syncOrder(c *fiber.Ctx, p *page) error {
	id := c.Params("id")
	before, err := s.DB.Order(c.UserContext(), "", id)
	if err != nil {
		return err
	}
	var after *ledger.Order
	err = s.act(c, p, "order.sync", id, "", func() (err error) {
		after, err = s.Payments.SyncOrder(c.UserContext(), id)
		return err
	})
	var told *ledger.Error
	switch {
	case errors.As(err, &told) && told.Kind != ledger.NotFound:
		s.flash(c, "sync.failed", visible(told.Message))
	case notFound(err):
		return err
	case err != nil:
		s.Logger.WarnContext(c.UserContext(), "an operator's sync failed", "order", id, "error", err)
		s.flash(c, "sync.failed", p.T("sync.later"))
	case after.Version == before.Version:
		s.flash(c, "sync.same")
	default:
		s.flash(c, "sync.news")
	}
	return s.redirect(c, "/orders/"+id)
}
