package plugintest

import (
	"errors"
	"maps"

	"github.com/superpayhub/superpay/sdk"
)

// refuses demands that a process does not take the settings, because of that
// field. One process is asked all: it never was configured.
func (s *sheet) refuses(p *process, field, what string, settings sdk.Settings) {
	s.Helper()
	ctx, cancel := s.within(patience)
	defer cancel()
	_, err := p.client.Configure(ctx, settings)
	var wrong *sdk.SettingsError
	switch {
	case err == nil:
		s.Errorf("%s: Configure took it", what)
	case !errors.As(err, &wrong):
		s.Errorf("%s: Configure answers %v, not an *sdk.SettingsError", what, err)
	case wrong.Field != field || wrong.Reason == "":
		s.Errorf("%s: the SettingsError names the field %q, want %q, and gives the reason %q", what, wrong.Field, field, wrong.Reason)
	}
}

func settingsRequired(s *sheet) {
	p, err := s.launch()
	s.must("a fresh process", err)
	defer p.kill()
	for _, f := range s.description.Settings {
		if !f.Required {
			continue
		}
		without := maps.Clone(s.settings)
		delete(without, f.Name)
		s.refuses(p, f.Name, "without "+f.Name, without)
		without[f.Name] = " "
		s.refuses(p, f.Name, "with an empty "+f.Name, without)
	}
}

func settingsWrong(s *sheet) {
	if len(s.exam.paper.WrongSettings) == 0 {
		s.Errorf("exam.json lists no wrong_settings")
	}
	p, err := s.launch()
	s.must("a fresh process", err)
	defer p.kill()
	for _, field := range sorted(s.exam.paper.WrongSettings) {
		for _, value := range s.exam.paper.WrongSettings[field] {
			wrong := maps.Clone(s.settings)
			wrong[field] = value
			s.refuses(p, field, "with a wrong "+field, wrong)
		}
	}
}

// settingsOffline configures a process whose provider is nowhere.
func settingsOffline(s *sheet) { s.another("http://" + nowhere) }

// another returns a second process, configured for a provider at that address.
// It lives as long as the exam: a process is dear.
func (s *sheet) another(sandboxURL string) *process {
	s.Helper()
	if p := s.others[sandboxURL]; p != nil {
		return p
	}
	p := s.fresh(sandboxURL)
	s.closers = append(s.closers, p.kill)
	s.others[sandboxURL] = p
	return p
}

// fresh returns a process that has done nothing yet, for its caller to kill.
func (s *sheet) fresh(sandboxURL string) *process {
	s.Helper()
	settings, err := s.exam.paper.settings(sandboxURL, s.known)
	s.must("settings", err)
	p, err := s.launch()
	s.must("a second process", err)
	ctx, cancel := s.within(patience)
	defer cancel()
	if _, err = p.client.Configure(ctx, settings); err != nil {
		p.kill()
		s.must("Configure", err)
	}
	return p
}

// nowhere refuses connections: port 1 is reserved, and nobody's.
const nowhere = "127.0.0.1:1"
