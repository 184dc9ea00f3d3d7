package plugintest

import (
	"maps"
	"slices"

	"github.com/superpayhub/superpay/sdk"
)

// live are the settings of a live account; nil if exam.json has none.
func (s *sheet) live() sdk.Settings {
	s.Helper()
	if len(s.exam.paper.LiveSettings) == 0 {
		return nil
	}
	settings := maps.Clone(s.settings)
	for name, value := range s.exam.paper.LiveSettings {
		filled, err := fill(value, s.known)
		s.must("exam.json: live_settings: "+name, err)
		settings[name] = filled
	}
	maps.DeleteFunc(settings, func(_, value string) bool { return value == "" })
	return settings
}

// configured returns a process with other settings than exam.json's.
func (s *sheet) configured(settings sdk.Settings) (*process, sdk.Account) {
	s.Helper()
	p, err := s.launch()
	s.must("a second process", err)
	ctx, cancel := s.within(patience)
	defer cancel()
	account, err := p.client.Configure(ctx, settings)
	if err != nil {
		p.kill()
		s.must("Configure with live_settings", err)
	}
	return p, account
}

// liveIsLive: real money is never called play money.
func liveIsLive(s *sheet) {
	settings := s.live()
	if settings == nil {
		s.Logf("exam.json has no live_settings: whether a live key is told from a test key is not known")
		return
	}
	p, account := s.configured(settings)
	defer p.kill()
	if s.account.Mode != sdk.Test || account.Mode != sdk.Live {
		s.Errorf("the account of exam.json's settings is %q, and that of its live_settings %q; want test and live", s.account.Mode, account.Mode)
	}
}

// callbackOtherMode: a live account believes no callback about play money.
func callbackOtherMode(s *sheet) {
	settings := s.live()
	if settings == nil {
		return
	}
	calls := s.gather().calls
	p, _ := s.configured(settings)
	defer p.kill()
	for _, c := range calls {
		ctx, cancel := s.within(patience)
		res, err := p.client.HandleCallback(ctx, c)
		cancel()
		s.must("HandleCallback with live_settings", err)
		if res.Verdict == sdk.Genuine && slices.ContainsFunc(res.Facts, func(f sdk.Fact) bool { return f.Proven || f.Payment.Mode == sdk.Test }) {
			s.Errorf("event %s is of a test account, and for a live one it is genuine and says %+v; want not_ours", res.Type, res.Facts)
		}
	}
}
