package providers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugin"
)

// Limits of what a plugin may say of a connection.
const (
	connectTime = 45 * time.Second // for all that it asks of the provider
	maxFindings = 50
	maxFinding  = 600 // bytes of a text
)

// Connect has the plugin look at the provider's side of the settings, in a process
// of its own: a provider that runs is not touched. Settings that Connect itself finds
// out may be missing; of what else is wrong with them the error tells, as Try's does.
// A plugin that is no sdk.Connector gives ErrNoConnect.
func (r *Registry) Connect(ctx context.Context, c Config, callback string, repair bool) (found *sdk.Connection, err error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.StartTimeout+connectTime)
	defer cancel()
	r.trying.Lock()
	defer r.trying.Unlock()
	p := newProvider(r, c, newRecord())
	defer p.cancel()
	p.log = p.log.With("trial", true)
	run, err := begin(ctx, p, func(context.Context, *process) error { return nil })
	if err != nil {
		return nil, err
	}
	defer run.end()
	d := run.client.Describe()
	if !d.Connects {
		return nil, fmt.Errorf("%w: plugin %s", ErrNoConnect, c.Plugin)
	}
	p.hideSecrets(d)
	wrong := checkSettings(d, c)
	wrong = slices.DeleteFunc(wrong, func(e *sdk.SettingsError) bool { return c.Settings[e.Field] == "" && fromConnect(d, e.Field) })
	if len(wrong) > 0 {
		return nil, wrong
	}
	found, err = run.client.Connect(plugin.Outgoing(ctx, "", ""), sdk.ConnectRequest{Settings: c.Settings, Callback: callback, Repair: repair})
	var its *sdk.SettingsError
	switch {
	case errors.As(err, &its):
		return nil, settingsErrors{its}
	case err != nil:
		return nil, err
	}
	if r.options.Hide != nil {
		for _, f := range d.Settings {
			if value := found.Settings[f.Name]; f.Secret && value != "" {
				r.options.Hide(append(strings.Split(value, ","), value)...)
			}
		}
	}
	return found, checkConnection(d, found)
}

// ErrNoConnect says that a plugin does not look after its provider's side.
var ErrNoConnect = errors.New("it does not look after what stands at the provider: make the webhook endpoint there by hand")

// checkConnection refuses what cannot be, and bounds what is kept.
func checkConnection(d sdk.Description, c *sdk.Connection) error {
	for name, value := range c.Settings {
		at := slices.IndexFunc(d.Settings, func(f sdk.Field) bool { return f.Name == name && f.FromConnect })
		switch {
		case at < 0:
			return fmt.Errorf("the plugin found a value for %q, which is no setting that it may find", name)
		case value == "" || len(value) > max(d.Settings[at].MaxLen, maxSetting):
			return fmt.Errorf("the plugin found a value for %s of %d bytes", name, len(value))
		}
	}
	c.Findings = c.Findings[:min(len(c.Findings), maxFindings)]
	for i := range c.Findings {
		f := &c.Findings[i]
		f.Text = strings.ToValidUTF8(f.Text[:min(len(f.Text), maxFinding)], "")
		switch f.Subject {
		case sdk.FindingCredentials, sdk.FindingPermission, sdk.FindingEndpoint:
		default:
			f.Subject = "other"
		}
	}
	return nil
}

// fromConnect reports whether Connect finds a setting out.
func fromConnect(d sdk.Description, field string) bool {
	return slices.ContainsFunc(d.Settings, func(f sdk.Field) bool { return f.Name == field && f.FromConnect })
}
