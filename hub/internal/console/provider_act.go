package console

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/connect"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// testProvider asks the provider something that changes nothing there: what is
// newest, and of that nothing.
func (s *server) testProvider(c *fiber.Ctx, p *page) error {
	found, d, _, err := s.providerOf(c, p)
	if err != nil {
		return err
	}
	began := time.Now()
	err = s.act(c, p, "provider.test", d.Name, "", func() error {
		_, err := found.List(c.UserContext(), sdk.ListRequest{Since: p.Now, Limit: 1})
		return err
	})
	took := int(time.Since(began).Milliseconds())
	var rejected *sdk.RejectedError
	switch {
	case err == nil:
		s.flash(c, "provider.test.ok", took)
	case errors.As(err, &rejected) && rejected.Failure.Code == sdk.FailureState:
		s.flash(c, "provider.test.process", took) // it has no list: its process answered
	default:
		said := s.Scrub(err.Error())
		s.flash(c, "provider.test.failed", cutText(said, min(len(said), 400)))
	}
	return s.redirect(c, "/providers/"+d.Name)
}

// checkProvider looks at what stands at the provider, and changes nothing there.
func (s *server) checkProvider(c *fiber.Ctx, p *page) error {
	return s.connected(c, p, "provider.check", s.Connect.Look)
}

// connectProvider also makes it right.
func (s *server) connectProvider(c *fiber.Ctx, p *page) error {
	return s.connected(c, p, "provider.connect", s.Connect.Repair)
}

func (s *server) connected(c *fiber.Ctx, p *page, action string, do func(context.Context, string, string) (connect.Result, error)) error {
	found, d, _, err := s.providerOf(c, p)
	if err != nil {
		return err
	}
	if action == "provider.connect" && !d.Kept {
		return errNotKept(found)
	}
	var result connect.Result
	err = s.act(c, p, action, d.Name, "", func() error {
		result, err = do(c.UserContext(), d.Name, p.User.Email)
		return err
	})
	switch {
	case err != nil:
		said := s.Scrub(err.Error())
		s.flash(c, "provider.test.failed", cutText(said, min(len(said), 400)))
	case len(result.Stored) > 0:
		s.flash(c, "provider.connected", strings.Join(result.Stored, ", "))
	case result.OK():
		s.flash(c, "provider.check.ok")
	default:
		s.flash(c, "provider.check.wrong")
	}
	return s.redirect(c, "/providers/"+d.Name+"#setup")
}

// toProvider does something to a provider, with a reason.
func (s *server) toProvider(c *fiber.Ctx, p *page, action, done string, do func(*providers.Provider, postgres.KeptProvider) error) error {
	found, d, kept, err := s.providerOf(c, p)
	if err != nil {
		return err
	}
	why := p.why(c)
	if len(p.Problems) > 0 {
		return s.again(c, p, "provider", d)
	}
	if err := s.act(c, p, action, d.Name, why, func() error { return do(found, kept) }); err != nil {
		return err
	}
	s.flash(c, done)
	if _, ok := s.Providers.Get(d.Name); !ok {
		return s.redirect(c, "/providers")
	}
	return s.redirect(c, "/providers/"+d.Name)
}

// errDown says what came of a start that an operator asked for.
func (s *server) errDown(err error) error {
	if err == nil {
		return nil
	}
	return &ledger.Error{Kind: ledger.Conflict, Code: "provider_down", Message: s.Scrub(err.Error())}
}

func (s *server) restartProvider(c *fiber.Ctx, p *page) error {
	return s.toProvider(c, p, "provider.restart", "provider.restarted", func(found *providers.Provider, _ postgres.KeptProvider) error {
		ctx, cancel := context.WithTimeout(c.UserContext(), 30*time.Second)
		defer cancel()
		return s.errDown(found.Restart(ctx))
	})
}

func (s *server) restartEverywhere(c *fiber.Ctx, p *page) error {
	return s.toProvider(c, p, "provider.restart_all", "provider.restarted_all", func(found *providers.Provider, _ postgres.KeptProvider) error {
		if err := s.DB.AskRestart(c.UserContext(), found.Name(), p.User.Email, p.Now); err != nil {
			return err
		}
		return s.Changed(c.UserContext())
	})
}

// errNotKept is why a provider of the file or the environment cannot be changed here.
func errNotKept(p *providers.Provider) error {
	return ledger.Conflictf("not_kept", "%s is set up in %s: change it there, and restart the hub", p.Name(), p.Config().Origins[""])
}

func (s *server) enableProvider(c *fiber.Ctx, p *page) error {
	return s.toProvider(c, p, "provider.enable", "provider.enabled", s.switched(c, p, true))
}

func (s *server) disableProvider(c *fiber.Ctx, p *page) error {
	return s.toProvider(c, p, "provider.disable", "provider.disabled", s.switched(c, p, false))
}

func (s *server) switched(c *fiber.Ctx, p *page, on bool) func(*providers.Provider, postgres.KeptProvider) error {
	return func(found *providers.Provider, k postgres.KeptProvider) error {
		if !found.Config().Kept {
			return errNotKept(found)
		}
		k.Enabled, k.UpdatedAt, k.UpdatedBy = on, p.Now, p.User.Email
		if err := changedMeanwhile(s.DB.ChangeProvider(c.UserContext(), k)); err != nil {
			return err
		}
		return s.Changed(c.UserContext())
	}
}

func changedMeanwhile(err error) error {
	if errors.Is(err, postgres.ErrNotFound) {
		return ledger.Conflictf("changed", "somebody changed this provider meanwhile: look at how it stands now")
	}
	return err
}

func (s *server) removeProvider(c *fiber.Ctx, p *page) error {
	return s.toProvider(c, p, "provider.remove", "provider.removed", func(found *providers.Provider, k postgres.KeptProvider) error {
		switch {
		case !found.Config().Kept:
			return errNotKept(found)
		case k.Enabled:
			return ledger.Conflictf("enabled", "disable it first: what is under way with it is then left to be looked at")
		}
		if err := changedMeanwhile(s.DB.RemoveProvider(c.UserContext(), k.Name)); err != nil {
			return err
		}
		return s.Changed(c.UserContext())
	})
}
