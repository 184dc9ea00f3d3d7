package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

func (s *server) providerRoutes() []route {
	return []route{
		{fiber.MethodGet, "/providers", access.Viewer, s.providers},
		{fiber.MethodGet, "/providers/new", access.Admin, s.newProviderPage},
		{fiber.MethodPost, "/providers/new", access.Admin, s.newProvider},
		{fiber.MethodGet, "/providers/:name", access.Viewer, s.provider},
		{fiber.MethodPost, "/providers/:name/test", access.Operator, s.testProvider},
		{fiber.MethodPost, "/providers/:name/check", access.Operator, s.checkProvider},
		{fiber.MethodPost, "/providers/:name/connect", access.Admin, s.connectProvider},
		{fiber.MethodPost, "/providers/:name/settings", access.Admin, s.saveSettings},
		{fiber.MethodPost, "/providers/:name/restart", access.Admin, s.restartProvider},
		{fiber.MethodPost, "/providers/:name/restart-all", access.Admin, s.restartEverywhere},
		{fiber.MethodPost, "/providers/:name/enable", access.Admin, s.enableProvider},
		{fiber.MethodPost, "/providers/:name/disable", access.Admin, s.disableProvider},
		{fiber.MethodPost, "/providers/:name/remove", access.Admin, s.removeProvider},
	}
}

// providerCard is how a provider stands on this hub.
type providerCard struct {
	Name, Title, Plugin string
	Status              string
	State               providers.State
	Health              providers.Health
	Flows               []sdk.Flow
	CallbackURL         string
	LastCallback        time.Time
	Fence               *postgres.Fence // whose money-out is closed; nil if it is open
	Kept                bool
	Origin              string // of one that is not kept: a file or a variable
}

func (s *server) card(p *providers.Provider) providerCard {
	c, d := p.Config(), p.Description()
	card := providerCard{
		Name: c.Name, Title: d.Title, Plugin: c.Plugin, State: p.State(), Health: p.Health(), Flows: d.Flows,
		CallbackURL: s.PublicURL + "/callback/" + c.Name, Kept: c.Kept, Origin: c.Origins[""],
	}
	card.State.Reason, card.State.LastError = s.Scrub(card.State.Reason), s.Scrub(card.State.LastError)
	if card.Status = card.State.Status; card.Status == providers.StatusUp && card.Health.Degraded {
		card.Status = "degraded"
	}
	return card
}

// cards are all, what is wrong first.
func (s *server) cards(ctx context.Context) ([]providerCard, error) {
	var names []string
	cards := []providerCard{}
	for _, p := range s.Providers.All() {
		names, cards = append(names, p.Name()), append(cards, s.card(p))
	}
	last, err := s.DB.LastCallbacks(ctx, names)
	for i := range cards {
		cards[i].LastCallback = last[cards[i].Name]
		cards[i].Fence = s.fenceOf(cards[i].Name)
	}
	worst := []string{providers.StatusDown, "degraded", providers.StatusStarting, providers.StatusUp, providers.StatusDisabled}
	slices.SortStableFunc(cards, func(a, b providerCard) int {
		return slices.Index(worst, a.Status) - slices.Index(worst, b.Status)
	})
	return cards, err
}

// fenceOf is the fence of a provider whose money-out is closed, or nil.
func (s *server) fenceOf(provider string) *postgres.Fence {
	f, ok := s.Payments.Fences()[provider]
	if !ok || !f.Closed() {
		return nil
	}
	f.Reason = s.Scrub(f.Reason)
	f.Error = s.Scrub(f.Error)
	return &f
}

// Percent is the share of calls without an answer.
func (c providerCard) Percent() int {
	if c.Health.Calls == 0 {
		return 0
	}
	return 100 * c.Health.Failed / c.Health.Calls
}

// HalfHours counts those of the past day that were up, degraded or down.
func (c providerCard) HalfHours(status string) int {
	n := 0
	for _, one := range c.Health.Past {
		if one == status {
			n++
		}
	}
	return n
}

func (s *server) providers(c *fiber.Ctx, p *page) error {
	cards, err := s.cards(c.UserContext())
	if err != nil {
		return err
	}
	p.Title, p.Screen, p.Wide = p.T("nav.providers"), "providers", true
	return s.render(c, p, "providers", cards)
}

type providerData struct {
	providerCard
	Fields  []settingField
	Version int64 // of what is kept, as the form shows it
	By      string
	At      time.Time
	Stale   int64 // a newer version that this hub does not run with, or 0
	Apps    []string
	Why     string
	Trouble string // why its settings cannot be shown

	Connects bool                    // its plugin looks after what stands at the provider
	Check    *postgres.ProviderCheck // what it found there; nil: it never looked
	Forged   []postgres.ForgedCallbacks
}

// providerOf loads who the address names, and what is kept of it.
func (s *server) providerOf(c *fiber.Ctx, p *page) (*providers.Provider, providerData, postgres.KeptProvider, error) {
	var kept postgres.KeptProvider
	found, ok := s.Providers.Get(c.Params("name"))
	if !ok {
		return nil, providerData{}, kept, fiber.ErrNotFound
	}
	d := providerData{providerCard: s.card(found), Why: c.FormValue("why")}
	p.Title, p.Screen = d.Name, "providers"
	last, err := s.DB.LastCallbacks(c.UserContext(), []string{d.Name})
	if err != nil {
		return nil, d, kept, err
	}
	d.LastCallback = last[d.Name]
	d.Fence = s.fenceOf(d.Name)
	d.Connects = found.Description().Connects
	check, err := s.DB.ProviderCheck(c.UserContext(), d.Name)
	if err == nil {
		d.Check = &check
	} else if !errors.Is(err, postgres.ErrNotFound) {
		return nil, d, kept, err
	}
	if d.Forged, err = s.DB.Forged(c.UserContext(), d.Name); err != nil {
		return nil, d, kept, err
	}
	if d.Apps, err = s.appsThatMayUse(c.UserContext(), d.Name); err != nil {
		return nil, d, kept, err
	}
	if d.Kept {
		if kept, err = s.keptProvider(c.UserContext(), d.Name); err != nil {
			return nil, d, kept, err
		}
		d.Version, d.By, d.At = kept.Version, kept.UpdatedBy, kept.UpdatedAt
		if found.Config().Version < kept.Version {
			d.Stale = kept.Version
		}
	}
	if p.May("admin") {
		if d.Fields, err = s.fieldsOf(c.UserContext(), found, kept); err != nil {
			d.Trouble = s.Scrub(err.Error())
		}
	}
	return found, d, kept, nil
}

func (s *server) keptProvider(ctx context.Context, name string) (postgres.KeptProvider, error) {
	all, err := s.DB.KeptProviders(ctx)
	if err != nil {
		return postgres.KeptProvider{}, err
	}
	i := slices.IndexFunc(all, func(k postgres.KeptProvider) bool { return k.Name == name })
	if i < 0 {
		return postgres.KeptProvider{}, postgres.ErrNotFound
	}
	return all[i], nil
}

func (s *server) appsThatMayUse(ctx context.Context, provider string) (names []string, err error) {
	apps, err := s.DB.Apps(ctx)
	for _, a := range apps {
		if slices.Contains(a.Providers, "*") || slices.Contains(a.Providers, provider) {
			names = append(names, a.Name)
		}
	}
	return names, err
}

func (s *server) provider(c *fiber.Ctx, p *page) error {
	_, d, _, err := s.providerOf(c, p)
	if err != nil {
		return err
	}
	return s.render(c, p, "provider", d)
}

// PendingReason returns, in the reader's language, what a person can do about a
// capture that is pending for this reason; empty for a reason without a text.
func (p *page) PendingReason(code string) string {
	if key := "pendingreason." + code; hasText(key) {
		return p.T(key)
	}
	return ""
}

// Word is a code of a plugin in words, or as it is.
func (p *page) Word(noun string, code any) string {
	said := fmt.Sprint(code)
	if key := noun + "." + said; hasText(key) {
		return p.T(key)
	}
	return strings.ReplaceAll(said, "_", " ")
}

// bar is a half hour of the past day, as it is drawn.
type bar struct {
	Class   string
	X, Y, H int
}

// Bars are those of the past day.
func (c providerCard) Bars() []bar {
	var out []bar
	for i, status := range c.Health.Past {
		b := bar{status, 6 * i, 0, 24}
		switch status {
		case "":
			b.Class, b.Y, b.H = "gap", 23, 1
		case "degraded":
			b.Y, b.H = 12, 12
		case providers.StatusDown:
			b.Y, b.H = 18, 6
		}
		out = append(out, b)
	}
	return out
}
