package plugintest

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/superpayhub/superpay/sdk"
)

// connects has the plugin look at the provider's side of the settings, make the
// endpoint there, and look again: what was made once is found.
func connects(s *sheet) {
	found := slices.DeleteFunc(slices.Clone(s.description.Settings), func(f sdk.Field) bool { return !f.FromConnect })
	if !s.description.Connects {
		for _, f := range found {
			s.Errorf("setting %s says FromConnect, and the plugin has no Connect", f.Name)
		}
		return
	}
	p := s.fresh(s.wire.url)
	defer p.kill()
	settings := maps.Clone(s.settings)
	looked := s.connect(p, settings, false)
	if len(looked.Settings) > 0 {
		s.Errorf("Connect that only looks returns settings to be kept: %v", sorted(looked.Settings))
	}
	for _, f := range found {
		delete(settings, f.Name)
	}
	made := s.connect(p, settings, true)
	for _, f := range found {
		if f.Required && made.Settings[f.Name] == "" {
			s.Errorf("Connect with Repair does not find %s out, which says FromConnect and is required: %+v", f.Name, made.Findings)
		}
	}
	for _, name := range sorted(made.Settings) {
		if !slices.ContainsFunc(found, func(f sdk.Field) bool { return f.Name == name }) {
			s.Errorf("Connect returns the setting %s, which does not say FromConnect", name)
		}
	}
	maps.Copy(settings, made.Settings)
	if again := s.connect(p, settings, true); len(again.Settings) > 0 {
		s.Errorf("Connect is repeated with what it returned, and returns other settings: %v", sorted(again.Settings))
	}
	lost := s.fresh("http://" + nowhere)
	defer lost.kill()
	ctx, cancel := s.within(patience)
	defer cancel()
	away, err := s.exam.paper.settings("http://"+nowhere, s.known)
	s.must("settings", err)
	if c, err := lost.client.Connect(ctx, sdk.ConnectRequest{Settings: away, Callback: connectedTo}); err == nil {
		s.Errorf("the provider is nowhere, and Connect finds %+v: it is an error", c.Findings)
	}
}

// connectedTo is where the endpoint that the exam has made calls: nobody listens.
const connectedTo = "http://" + nowhere + "/callback/exam"

// connect demands an answer that people can read, and that tells no secret.
func (s *sheet) connect(p *process, settings sdk.Settings, repair bool) *sdk.Connection {
	s.Helper()
	ctx, cancel := s.within(patience)
	defer cancel()
	c, err := p.client.Connect(ctx, sdk.ConnectRequest{Settings: settings, Callback: connectedTo, Repair: repair})
	var wrong *sdk.SettingsError
	if errors.As(err, &wrong) {
		s.fatalf("Connect blames %s, where only what it finds out itself is missing: %v", wrong.Field, err)
	}
	s.must("Connect", err)
	if len(c.Findings) == 0 {
		s.Errorf("Connect says nothing of what it looked at")
	}
	for _, f := range c.Findings {
		if strings.TrimSpace(f.Text) == "" || f.Subject == "" {
			s.Errorf("a finding without words: %+v", f)
		}
		for _, field := range s.description.Settings {
			for _, values := range []sdk.Settings{settings, c.Settings} {
				if value := values[field.Name]; field.Secret && value != "" && strings.Contains(f.Text, value) {
					s.Errorf("a finding quotes the secret %s", field.Name)
				}
			}
		}
	}
	return c
}
