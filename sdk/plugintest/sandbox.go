package plugintest

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// Sandbox starts the provider's stand-in, to be reached at publicURL, which has
// no slash at its end. The settings are exam.json's.
type Sandbox func(publicURL string, settings sdk.Settings) (http.Handler, func() error, error)

func (x *exam) openSandbox() error {
	at := x.options.SandboxURL
	if x.options.Sandbox == nil {
		if u, err := url.Parse(at); err != nil || u.Host == "" {
			return errors.New("neither started nor running: set Options.Sandbox or Options.SandboxURL")
		}
		x.stand = standin.Client{BaseURL: strings.TrimSuffix(at, "/")}
		return nil
	}
	s, err := listen()
	if err != nil {
		return err
	}
	at = s.url + x.paper.Sandbox.Path
	x.known["sandbox_host"] = s.listener.Addr().String()
	settings, err := x.paper.settings(at, x.known)
	if err != nil {
		s.close()
		return err
	}
	handler, end, err := x.options.Sandbox(at, settings)
	if err != nil {
		s.close()
		return err
	}
	s.serve(handler)
	x.stand = standin.Client{BaseURL: at}
	x.closers = append(x.closers, s.close, func() {
		if end != nil {
			_ = end()
		}
	})
	return nil
}

// fetch gets what the settings need of the running stand-in.
func (x *exam) fetch(ctx context.Context) error {
	known, err := x.paper.fetch(ctx, x.stand.BaseURL)
	maps.Copy(x.known, known)
	return err
}
