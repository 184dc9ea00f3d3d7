package providers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugin"
)

// maxSetting is the length of a setting that does not say its own, in bytes.
const maxSetting = 500

// settingsErrors are all that is wrong with a provider's settings, so that it
// is mended in one go. They hold no value.
type settingsErrors []*sdk.SettingsError

func (e settingsErrors) Error() string {
	texts := make([]string, len(e))
	for i, one := range e {
		texts[i] = one.Error()
	}
	return strings.Join(texts, "; ")
}

// configure hands the plugin its settings. What its description tells of them
// is checked here; the plugin is asked all the same, as it knows more, but
// names one field at a time.
func configure(ctx context.Context, client *plugin.Client, c Config) (sdk.Account, error) {
	wrong := checkSettings(client.Describe(), c)
	account, err := client.Configure(ctx, c.Settings)
	var its *sdk.SettingsError
	switch {
	case errors.As(err, &its):
		if !slices.ContainsFunc(wrong, func(e *sdk.SettingsError) bool { return e.Field == its.Field }) {
			wrong = append(wrong, its)
		}
	case err != nil && len(wrong) == 0:
		return account, err
	}
	if len(wrong) == 0 {
		if account.Mode != "" && account.Mode != sdk.Live && account.Mode != sdk.Test {
			return sdk.Account{}, fmt.Errorf("the plugin says that the account's mode is %q; it must be %s or %s", account.Mode, sdk.Live, sdk.Test)
		}
		return account, nil
	}
	slices.SortStableFunc(wrong, func(a, b *sdk.SettingsError) int { return strings.Compare(a.Field, b.Field) })
	return sdk.Account{}, wrong
}

// missing says what to do about a setting that is not there.
func (c Config) missing(field string) string {
	if c.Kept {
		return "is missing"
	}
	return fmt.Sprintf("is missing: set HUB_PROVIDERS__%s__SETTINGS__%s", strings.ToUpper(c.Name), strings.ToUpper(field))
}

// hideSecrets tells what the plugin calls secret, and each of several that are
// joined by commas, to who keeps the log.
func (p *Provider) hideSecrets(d sdk.Description) {
	for _, f := range d.Settings {
		if value := p.config.Settings[f.Name]; f.Secret && p.registry.options.Hide != nil {
			p.registry.options.Hide(append(strings.Split(value, ","), value)...)
		}
	}
}

// checkSettings holds the settings against the fields that the plugin declares.
func checkSettings(d sdk.Description, c Config) settingsErrors {
	var wrong settingsErrors
	note := func(field, format string, args ...any) {
		wrong = append(wrong, &sdk.SettingsError{Field: field, Reason: fmt.Sprintf(format, args...)})
	}
	var known []string
	for _, f := range d.Settings {
		known = append(known, f.Name)
		value, limit := strings.TrimSpace(c.Settings[f.Name]), f.MaxLen
		if limit == 0 {
			limit = maxSetting
		}
		switch {
		case value == "" && f.Required && f.FromConnect && d.Connects:
			note(f.Name, "%s; or let `hub provider connect %s` make the endpoint and find it", c.missing(f.Name), c.Name)
		case value == "" && f.Required:
			note(f.Name, "%s", c.missing(f.Name))
		case len(value) > limit:
			note(f.Name, "is longer than %d bytes", limit)
		case value != "" && len(f.Options) > 0 && !slices.Contains(f.Options, value):
			note(f.Name, "must be one of %s", strings.Join(f.Options, ", "))
		}
	}
	for name := range maps.Keys(c.Settings) {
		if !slices.Contains(known, name) {
			note(name, "is none of plugin %s: it has %s", d.Name, strings.Join(known, ", "))
		}
	}
	return wrong
}
