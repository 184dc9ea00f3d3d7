package console

import (
	"errors"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/notifications"
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
	if why := s.Sender.CheckURL(d.Address); why != "" {
		p.blame("url", "problem.url", why)
		return s.again(c, p, "app", d)
	}
	e := postgres.Endpoint{ID: ledger.NewID("whe", p.Now), AppID: d.ID, URL: d.Address, Secret: notifications.NewSecret(), CreatedAt: p.Now}
	act := p.act("endpoint.create", e.ID, "")
	act.Data = map[string]any{"app": d.Name, "url": maskURL(e.URL)}
	err = s.audit.Do(c.UserContext(), act, func() error { return s.DB.AddEndpoint(c.UserContext(), e, notifications.MaxEndpoints) })
	if errors.Is(err, postgres.ErrDuplicate) {
		p.blame("url", "problem.endpoints", notifications.MaxEndpoints)
		return s.again(c, p, "app", d)
	}
	if err != nil {
		return err
	}
	return s.showOnce(c, p, shownSecret{App: d.ID, AppName: d.Name, Kind: "endpoint", Secret: e.Secret, Address: maskURL(e.URL)})
}

// rotateEndpoint gives an endpoint a new secret, shown once; the old one signs
// beside it for a while.
func (s *server) rotateEndpoint(c *fiber.Ctx, p *page) error {
	d, err := s.appOf(c, p)
	if err != nil {
		return err
	}
	id, secret, overlap := c.Params("endpoint"), notifications.NewSecret(), p.overlap(c)
	if len(p.Problems) > 0 {
		return s.again(c, p, "app", d)
	}
	err = s.act(c, p, "endpoint.rotate", id, "", func() error {
		return s.DB.RotateEndpoint(c.UserContext(), d.ID, id, secret, p.Now.Add(overlap))
	})
	if err != nil {
		return err
	}
	e, err := s.DB.Endpoint(c.UserContext(), d.ID, id)
	if err != nil {
		return err
	}
	return s.showOnce(c, p, shownSecret{App: d.ID, AppName: d.Name, Kind: "endpoint", Secret: secret, Address: maskURL(e.URL)})
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
	err := s.act(c, p, "endpoint.enable", id, "", func() error { return s.DB.EnableEndpoint(c.UserContext(), app, id) })
	if err != nil {
		return err
	}
	s.Payments.Kick()
	s.flash(c, "endpoint.enabled")
	return s.redirect(c, "/apps/"+app)
}
