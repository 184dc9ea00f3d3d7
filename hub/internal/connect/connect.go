// Package connect looks after the providers' side of the settings: it has the
// plugins check credentials, permissions and webhook endpoint there, keeps what they
// found, and stores what they made. The console and `hub provider connect` are its
// front ends.
package connect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// ByHub is recorded as the person who looked, where the hub looked by itself.
const ByHub = "hub"

// checkAge is the age of a check after which the hub checks again when a provider
// comes up.
const checkAge = 24 * time.Hour

// formerTime is how long the hub accepts an old webhook secret beside the new one:
// callbacks that were signed with the old one may still arrive, or be sent again.
const formerTime = 3 * 24 * time.Hour

// Service is the use case.
type Service struct {
	DB        *postgres.DB
	Providers *providers.Registry
	PublicURL string // the hub's own; empty: it was not told
	Logger    *slog.Logger
	Scrub     func(string) string
	Now       func() time.Time
	Changed   func(context.Context) error // brings changed settings in force; nil: the hubs see by themselves
}

// Result is what a check (Look) or a repair (Repair) found at the provider, and which
// settings it changed.
type Result struct {
	Findings []sdk.Finding
	Stored   []string          // names of the settings that are in force from now on
	ByHand   map[string]string // settings that only a person can put where the others are, secrets among them
}

// OK reports whether nothing is wrong.
func (r Result) OK() bool {
	return !slices.ContainsFunc(r.Findings, func(f sdk.Finding) bool { return !f.OK })
}

// Callback is where a provider has to call the hub.
func (s *Service) Callback(name string) string {
	if s.PublicURL == "" {
		return ""
	}
	return s.PublicURL + "/callback/" + name
}

// Look has a provider's plugin look at what stands there, and changes nothing.
func (s *Service) Look(ctx context.Context, name, who string) (Result, error) {
	config, _, err := s.config(ctx, name)
	if err != nil {
		return Result{}, err
	}
	found, err := s.ask(ctx, config, false, who)
	return Result{Findings: found.Findings}, err
}

// Repair has it made right what the plugin may make right: above all the endpoint by
// which the provider calls the hub. Settings that come of it are stored, if the hub
// keeps the provider's settings; else they are the person's to store. Whoever does it
// again, because the answer was lost or the hub died, gets to the same end.
func (s *Service) Repair(ctx context.Context, name, who string) (Result, error) {
	config, kept, err := s.config(ctx, name)
	if err != nil {
		return Result{}, err
	}
	found, err := s.ask(ctx, config, true, who)
	if err != nil || len(found.Settings) == 0 {
		return Result{Findings: found.Findings}, err
	}
	if kept == nil {
		return Result{Findings: found.Findings, ByHand: found.Settings}, nil
	}
	kept.Settings, kept.UpdatedAt, kept.UpdatedBy = merged(kept.Settings, found.Settings), s.Now(), who
	kept.SetAt = maps.Clone(kept.SetAt)
	if kept.SetAt == nil {
		kept.SetAt = map[string]time.Time{}
	}
	kept.Former = maps.Clone(kept.Former)
	for field, value := range found.Settings {
		kept.SetAt[field] = kept.UpdatedAt
		delete(kept.Former, field)
		if was := config.Settings[field]; was != "" && strings.HasSuffix(value, ","+was) {
			if kept.Former == nil {
				kept.Former = map[string]time.Time{}
			}
			kept.Former[field] = kept.UpdatedAt.Add(formerTime)
		}
	}
	if err := s.DB.ChangeProvider(ctx, *kept); errors.Is(err, postgres.ErrNotFound) {
		return Result{}, ledger.Conflictf("changed", "somebody changed this provider meanwhile: connect it again")
	} else if err != nil {
		return Result{}, err
	}
	result := Result{Stored: slices.Sorted(maps.Keys(found.Settings))}
	if s.Changed != nil {
		if err := s.Changed(ctx); err != nil {
			return result, err
		}
	}
	// Once more: what was replaced can go, now that nobody needs it.
	config.Settings = kept.Settings
	found, err = s.ask(ctx, config, true, who)
	result.Findings = found.Findings
	return result, err
}

// Complete fills in what a provider's plugin finds out of settings that a person has
// just entered, and nobody kept yet: it makes the endpoint. Missing stays what could
// not be made; the findings say why.
func (s *Service) Complete(ctx context.Context, c providers.Config) (sdk.Settings, []sdk.Finding, error) {
	found, err := s.Providers.Connect(ctx, c, s.Callback(c.Name), true)
	if err != nil {
		return nil, nil, err
	}
	return merged(c.Settings, found.Settings), found.Findings, nil
}

// CameUp looks at a provider that came up, if no hub has looked since yesterday or
// since its settings were changed. What is wrong is logged.
func (s *Service) CameUp(ctx context.Context, name string) error {
	_, kept, err := s.config(ctx, name) // a provider that is new is not in the registry yet
	if err != nil {
		return err
	}
	now := s.Now()
	since := now.Add(-checkAge)
	if kept != nil && kept.UpdatedAt.After(since) {
		since = kept.UpdatedAt
	}
	mine, err := s.DB.ClaimProviderCheck(ctx, name, now, since)
	if err != nil || !mine {
		return err
	}
	result, err := s.Look(ctx, name, ByHub)
	if errors.Is(err, providers.ErrNoConnect) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, f := range result.Findings {
		if !f.OK {
			s.Logger.WarnContext(ctx, "a provider is not set up as it should be; `hub provider connect` and its page in the console tell more",
				"provider", name, "about", f.Subject, "found", s.Scrub(f.Text))
		}
	}
	return nil
}

// config returns the current settings of a provider. kept is its row in the database,
// and nil if the settings come from a file or the environment. ErrNotFound.
func (s *Service) config(ctx context.Context, name string) (providers.Config, *postgres.KeptProvider, error) {
	all, err := s.DB.KeptProviders(ctx)
	if err != nil {
		return providers.Config{}, nil, err
	}
	for _, k := range all {
		if k.Name == name {
			return providers.Config{Name: k.Name, Plugin: k.Plugin, Settings: sdk.Settings(k.Settings), Kept: true, Version: k.Version}, &k, nil
		}
	}
	p, ok := s.Providers.Get(name)
	if !ok {
		return providers.Config{}, nil, ledger.ErrNotFound("provider")
	}
	return p.Config(), nil, nil
}

// ask asks the plugin, and keeps what it found.
func (s *Service) ask(ctx context.Context, c providers.Config, repair bool, who string) (sdk.Connection, error) {
	found, err := s.Providers.Connect(ctx, c, s.Callback(c.Name), repair)
	if errors.Is(err, providers.ErrNoConnect) {
		return sdk.Connection{}, err
	}
	check := postgres.ProviderCheck{Provider: c.Name, At: s.Now(), By: who, Findings: []sdk.Finding{}}
	if err != nil {
		check.Error = s.Scrub(err.Error())
		return sdk.Connection{}, errors.Join(fmt.Errorf("%s could not be looked at: %s", c.Name, check.Error), s.DB.KeepProviderCheck(ctx, check))
	}
	for i := range found.Findings {
		found.Findings[i].Text = s.Scrub(found.Findings[i].Text)
	}
	check.Findings = append(check.Findings, found.Findings...)
	return *found, s.DB.KeepProviderCheck(ctx, check)
}

// merged is settings with others over them.
func merged(settings, over map[string]string) map[string]string {
	all := maps.Clone(settings)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, over)
	return all
}
