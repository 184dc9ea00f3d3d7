package plugintest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/superpayhub/superpay/sdk"
)

// SettingsAt returns the settings that lead the plugin to the sandbox that runs at
// sandboxURL.
func (p *Paper) SettingsAt(ctx context.Context, sandboxURL string) (sdk.Settings, error) {
	known, err := p.fetch(ctx, sandboxURL)
	if err != nil {
		return nil, err
	}
	return p.settings(sandboxURL, known)
}

// fetch gets the placeholders that only the running sandbox knows.
func (p *Paper) fetch(ctx context.Context, sandboxURL string) (map[string]string, error) {
	u, err := url.Parse(sandboxURL)
	if err != nil {
		return nil, err
	}
	known := map[string]string{"sandbox_host": u.Host}
	for name, path := range p.Sandbox.Fetch {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, sandboxURL+path, nil)
		if err != nil {
			return nil, err
		}
		res, err := browser.Do(r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s answers %s, %w", path, res.Status, err)
		}
		known[name] = string(body)
	}
	return known, nil
}
