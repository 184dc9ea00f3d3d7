package console

import (
	"errors"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// endpointStatus is how an endpoint fares.
func endpointStatus(e postgres.Endpoint) string {
	switch {
	case e.DisabledAt != nil:
		return "disabled"
	case e.FailingSince != nil:
		return "failing"
	}
	return "enabled"
}

// newEndpoint adds an address and shows its secret once.
func (s *server) newEndpoint(c *fiber.Ctx, p *page) error {
	d, err := s.appOf(c, p)
	if err != nil {
		return err
	}
	act := p.act("endpoint.create", d.ID, "")
	act.Data = map[string]any{"app": d.Name, "url": maskURL(d.Address)}
	var e postgres.Endpoint
	err = s.audit.Do(c.UserContext(), act, func() (err error) {
		e, err = s.Sender.AddEndpoint(c.UserContext(), d.ID, d.Address, p.sentOnce(c))
		return err
	})
	var refused *ledger.Error
	if errors.As(err, &refused) {
		p.blame("url", "problem.endpoint", refused.Message)
		return s.again(c, p, "app", d)
	}
	if err != nil {
		return err
	}
	return s.showOnce(c, p, shownSecret{App: d.ID, AppName: d.Name, Kind: "endpoint", Secret: e.Secret, Address: maskURL(e.URL)})
}

// rotateEndpoint gives an endpoint a new secret, shown once; those before it sign
// beside it for a while.
func (s *server) rotateEndpoint(c *fiber.Ctx, p *page) error {
	d, err := s.appOf(c, p)
	if err != nil {
		return err
	}
	id, overlap := c.Params("endpoint"), p.overlap(c)
	if len(p.Problems) > 0 {
		return s.again(c, p, "app", d)
	}
	var e postgres.Endpoint
	err = s.act(c, p, "endpoint.rotate", id, "", func() (err error) {
		e, err = s.Sender.RotateEndpoint(c.UserContext(), d.ID, id, overlap, p.sentOnce(c))
		return err
	})
	if err != nil {
		return err
	}
	return s.showOnce(c, p, shownSecret{App: d.ID, AppName: d.Name, Kind: "endpoint", Secret: e.Secret, Address: maskURL(e.URL)})
}

func (s *server) disableEndpoint(c *fiber.Ctx, p *page) error {
	app, id := c.Params("id"), c.Params("endpoint")
	err := s.act(c, p, "endpoint.disable", id, "", func() error {
		err := s.DB.DisableEndpoint(c.UserContext(), app, id, "disabled by "+p.User.Email, p.Now)
		return ended(err, "endpoint_ended", p.T("endpoint.ended"))
	})
	if err != nil {
		return err
	}
	s.flash(c, "endpoint.disabled")
	return s.redirect(c, "/apps/"+app)
}

func (s *server) enableEndpoint(c *fiber.Ctx, p *page) error {
	app, id := c.Params("id"), c.Params("endpoint")
	err := s.act(c, p, "endpoint.enable", id, "", func() error { return s.Sender.EnableEndpoint(c.UserContext(), app, id) })
	if err != nil {
		return err
	}
	s.Payments.Kick()
	s.flash(c, "endpoint.enabled")
	return s.redirect(c, "/apps/"+app)
}
