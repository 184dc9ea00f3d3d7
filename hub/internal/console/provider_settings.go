package console

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// settingField is a field of the form that a plugin's description makes. The
// value of a secret is never in it.
type settingField struct {
	sdk.Field
	Value  string
	Set    bool
	SetAt  time.Time
	Origin string    // where it is set, if it cannot be changed here
	Until  time.Time // until when a former value counts beside the newest; zero: there is none
	Found  bool      // the plugin can find it out where it is left empty
}

// Overlaps are how long a former value may count, in hours.
func (settingField) Overlaps() []int { return overlaps }

// Key is its name in the form.
func (f settingField) Key() string { return "s_" + f.Name }

// Long fields take several lines.
func (f settingField) Long() bool { return f.MaxLen > 1000 && !f.Secret }

// fieldsOf are a provider's fields as they stand.
func (s *server) fieldsOf(ctx context.Context, p *providers.Provider, kept postgres.KeptProvider) ([]settingField, error) {
	c, d := p.Config(), p.Description()
	if len(d.Settings) == 0 {
		var err error
		if d, err = s.Providers.Describe(ctx, c.Plugin); err != nil {
			return nil, err
		}
	}
	values := map[string]string(c.Settings)
	if c.Kept {
		values = kept.Settings
	}
	return fields(d, values, kept, c.Origins), nil
}

func fields(d sdk.Description, values map[string]string, kept postgres.KeptProvider, origins map[string]string) []settingField {
	var out []settingField
	for _, f := range d.Settings {
		one := settingField{Field: f, Found: f.FromConnect && f.Required && d.Connects, Set: values[f.Name] != "", SetAt: kept.SetAt[f.Name], Until: kept.Former[f.Name], Origin: origins[f.Name]}
		if !f.Secret {
			one.Value = values[f.Name]
		}
		out = append(out, one)
	}
	return out
}

// readSettings is what the form says over what is kept: a secret that was left
// empty stays, and one that is replaced may count on for a while. It returns the names
// of what is different.
func readSettings(c *fiber.Ctx, form []settingField, k *postgres.KeptProvider, now time.Time) (changed []string) {
	settings, setAt, former := map[string]string{}, map[string]time.Time{}, map[string]time.Time{}
	maps.Copy(setAt, k.SetAt)
	maps.Copy(former, k.Former)
	for i := range form {
		f := &form[i]
		was := k.Settings[f.Name]
		value := strings.TrimSpace(strings.ReplaceAll(c.FormValue(f.Key()), "\r\n", "\n"))
		if f.Secret && value == "" && c.FormValue("clear_"+f.Name) == "" {
			value = was
		}
		if !f.Secret {
			f.Value = value
		}
		if value != was {
			setAt[f.Name] = now
			changed = append(changed, f.Name)
			delete(former, f.Name)
			hours, err := strconv.Atoi(c.FormValue("keep_" + f.Name))
			if f.Several && was != "" && value != "" && err == nil && hours > 0 && slices.Contains(overlaps, hours) {
				value += "," + was
				former[f.Name] = now.Add(time.Duration(hours) * time.Hour)
			}
		}
		if value != "" {
			settings[f.Name] = value
		}
	}
	k.Settings, k.SetAt, k.Former = settings, setAt, former
	return changed
}

// complete has the plugin find out what it can and the person left empty, which is in
// k then: it makes the endpoint at the provider. It reports whether it did.
func (s *server) complete(c *fiber.Ctx, p *page, k *postgres.KeptProvider, form []settingField) (bool, error) {
	missing := func(settings map[string]string) (names []string) {
		for _, f := range form {
			if f.Found && settings[f.Name] == "" {
				names = append(names, f.Name)
			}
		}
		return names
	}
	if len(missing(k.Settings)) == 0 {
		return false, nil
	}
	s.hideSettings(*k, form)
	config := providers.Config{Name: k.Name, Plugin: k.Plugin, Settings: k.Settings, Kept: true}
	settings, findings, err := s.Connect.Complete(c.UserContext(), config)
	switch {
	case err != nil:
		return false, err
	case len(missing(settings)) > 0:
		return false, &notMadeError{findings}
	}
	for name := range settings {
		if k.Settings[name] != settings[name] {
			k.SetAt[name] = p.Now
		}
	}
	k.Settings = settings
	return true, nil
}

// tidy connects a provider once more that has just been kept: what an earlier try
// made at the provider, and nobody kept, goes.
func (s *server) tidy(name, who string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := s.Connect.Repair(ctx, name, who); err != nil {
		s.Logger.Warn("what stands at the provider was not looked at", "provider", name, "error", s.Scrub(err.Error()))
	}
}

func (s *server) hideSettings(k postgres.KeptProvider, form []settingField) {
	for _, f := range form {
		if f.Secret {
			s.Hide(append(strings.Split(k.Settings[f.Name], ","), k.Settings[f.Name])...)
		}
	}
}

// try has the plugin check settings in a process of their own, and ask the provider
// with them unless a person wants it otherwise, before they replace what is in force.
func (s *server) try(c *fiber.Ctx, k postgres.KeptProvider, form []settingField) (sdk.Account, error) {
	s.hideSettings(k, form)
	config := providers.Config{Name: k.Name, Plugin: k.Plugin, Settings: k.Settings, Kept: true}
	return s.Providers.Try(c.UserContext(), config, c.FormValue("unasked") != "1")
}

// notMadeError is why a plugin could not find out what was left empty.
type notMadeError struct{ findings []sdk.Finding }

func (e *notMadeError) Error() string { return "the endpoint at the provider was not made" }

// blameSettings notes what a trial found, and reports whether it was that.
func (s *server) blameSettings(p *page, err error, form []settingField) bool {
	var trial *trialError
	if !errors.As(err, &trial) {
		return false
	}
	wrong := providers.Wrong(trial.err)
	for _, f := range form {
		if reason := wrong[f.Name]; reason != "" {
			p.Problems = append(p.Problems, problem{f.Key(), f.Title + ": " + s.Scrub(reason)})
			delete(wrong, f.Name)
		}
	}
	for _, field := range slices.Sorted(maps.Keys(wrong)) {
		p.Problems = append(p.Problems, problem{"settings", field + ": " + s.Scrub(wrong[field])})
	}
	var refused *providers.NotTakenError
	var notMade *notMadeError
	switch {
	case errors.As(err, &notMade):
		for _, f := range notMade.findings {
			if !f.OK {
				p.Problems = append(p.Problems, problem{"settings", s.Scrub(f.Text)})
			}
		}
	case errors.As(err, &refused):
		p.Problems = append(p.Problems, problem{"unasked", p.T("provider.not_taken", s.Scrub(refused.Error()))})
	case len(p.Problems) == 0:
		p.Problems = append(p.Problems, problem{"settings", p.T("provider.refused", s.Scrub(trial.err.Error()))})
	}
	return true
}

// trialError is why settings were not taken.
type trialError struct{ err error }

func (e *trialError) Error() string { return "the plugin refused the settings" }
func (e *trialError) Unwrap() error { return e.err }

func (s *server) saveSettings(c *fiber.Ctx, p *page) error {
	found, d, k, err := s.providerOf(c, p)
	if err != nil {
		return err
	}
	if !d.Kept {
		return errNotKept(found)
	}
	if d.Trouble != "" {
		return ledger.Conflictf("plugin_down", "the plugin cannot be asked for its settings: %s", d.Trouble)
	}
	if c.FormValue("version") != strconv.FormatInt(k.Version, 10) {
		return changedMeanwhile(postgres.ErrNotFound)
	}
	changed := readSettings(c, d.Fields, &k, p.Now)
	why := p.why(c)
	var account sdk.Account
	var made bool
	if len(p.Problems) == 0 {
		act := p.act("provider.settings", d.Name, why)
		act.Data = map[string]any{"changed": changed}
		err = s.audit.Do(c.UserContext(), act, func() error {
			if made, err = s.complete(c, p, &k, d.Fields); err == nil {
				account, err = s.try(c, k, d.Fields)
			}
			if err != nil {
				return &trialError{err}
			}
			k.UpdatedAt, k.UpdatedBy = p.Now, p.User.Email
			if err := changedMeanwhile(s.DB.ChangeProvider(c.UserContext(), k)); err != nil {
				return err
			}
			return s.Changed(c.UserContext())
		})
		if err == nil {
			if made {
				go s.tidy(d.Name, p.User.Email)
			}
			s.flash(c, "provider.saved", accountText(p, account))
			return s.redirect(c, "/providers/"+d.Name)
		}
		if !s.blameSettings(p, err, d.Fields) {
			return err
		}
	}
	return s.again(c, p, "provider", d)
}

// accountText names the account that settings lead to.
func accountText(p *page, a sdk.Account) string {
	text := p.T("mode." + string(a.Mode))
	if a.ID != "" {
		text += ", " + a.ID
	}
	return text
}

type newProviderData struct {
	Name, Plugin, Why string
	Plugins           []string
	Fields            []settingField // once the plugin is chosen
	Apps              []appChoice
}

type appChoice struct {
	ID, Name string
	All      bool // it may use every provider anyway
	Chosen   bool
}

func (s *server) newProviderOf(c *fiber.Ctx, p *page) (d newProviderData, err error) {
	p.Title, p.Screen = p.T("provider.new"), "providers"
	d = newProviderData{Name: strings.TrimSpace(c.FormValue("name")), Plugin: c.FormValue("plugin"), Why: c.FormValue("why"), Plugins: s.Providers.Plugins()}
	if d.Plugin == "" {
		return d, nil
	}
	description, err := s.Providers.Describe(c.UserContext(), d.Plugin)
	if err != nil {
		p.Problems = append(p.Problems, problem{"plugin", s.Scrub(err.Error())})
		d.Plugin = ""
		return d, nil
	}
	d.Fields = fields(description, nil, postgres.KeptProvider{}, nil)
	apps, err := s.DB.Apps(c.UserContext())
	chosen := c.Request().PostArgs().PeekMulti("app")
	for _, a := range apps {
		d.Apps = append(d.Apps, appChoice{a.ID, a.Name, slices.Contains(a.Providers, "*"), slices.ContainsFunc(chosen, func(id []byte) bool { return string(id) == a.ID })})
	}
	return d, err
}

func (s *server) newProviderPage(c *fiber.Ctx, p *page) error {
	d, err := s.newProviderOf(c, p)
	if err != nil {
		return err
	}
	return s.render(c, p, "provider_new", d)
}

func (s *server) newProvider(c *fiber.Ctx, p *page) error {
	d, err := s.newProviderOf(c, p)
	if err != nil {
		return err
	}
	k := postgres.KeptProvider{Name: d.Name, Plugin: d.Plugin, Enabled: true, UpdatedAt: p.Now, UpdatedBy: p.User.Email}
	changed := readSettings(c, d.Fields, &k, p.Now)
	why := p.why(c)
	switch _, taken := s.Providers.Get(k.Name); {
	case !providers.ValidName(k.Name):
		p.blame("name", "problem.provider_name")
	case taken:
		p.blame("name", "problem.provider_taken")
	}
	var granted []string
	for _, a := range d.Apps {
		if a.Chosen && !a.All {
			granted = append(granted, a.ID)
		}
	}
	if len(p.Problems) == 0 && d.Plugin != "" {
		act := p.act("provider.create", d.Name, why)
		act.Data = map[string]any{"plugin": d.Plugin, "settings": changed, "apps": granted}
		var account sdk.Account
		var made bool
		err = s.audit.Do(c.UserContext(), act, func() error {
			if made, err = s.complete(c, p, &k, d.Fields); err == nil {
				account, err = s.try(c, k, d.Fields)
			}
			if err != nil {
				return &trialError{err}
			}
			if err := s.DB.AddProvider(c.UserContext(), k, granted); err != nil {
				return err
			}
			return s.Changed(c.UserContext())
		})
		switch {
		case err == nil:
			if made {
				go s.tidy(d.Name, p.User.Email)
			}
			s.flash(c, "provider.created", accountText(p, account))
			return s.redirect(c, "/providers/"+d.Name)
		case errors.Is(err, postgres.ErrDuplicate):
			p.blame("name", "problem.provider_taken")
		case !s.blameSettings(p, err, d.Fields):
			return err
		}
	}
	return s.again(c, p, "provider_new", d)
}
