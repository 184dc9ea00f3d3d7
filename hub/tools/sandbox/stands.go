package main

import (
	"embed"
	"io/fs"
	"log/slog"
	"net/http"

	stripe "github.com/superpayhub/superpay/plugins/stripe/sandbox"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// stand is one provider's stand-in, mounted at its path.
type stand struct {
	Name, Title string
	API         string // base URL for a plugin's settings
	Dashboard   string
	handler     http.Handler
	close       func() error
	says        map[string]string // told in the first line on stdout
	bare        []string          // paths also served without the stand-in's: the provider's own libraries take no base URL with a path
}

// openStands starts every stand-in; another provider is one more entry. If one
// cannot start, those before it are closed.
func openStands(o options, base string, logger *slog.Logger) ([]stand, error) {
	all := []func(options, string, *slog.Logger) (stand, error){openStripe}
	if o.paypal.wanted() {
		all = append(all, openPayPal)
	}
	var stands []stand
	for _, open := range all {
		s, err := open(o, base, logger)
		if err != nil {
			for _, opened := range stands {
				_ = opened.close() // the first error is the one that matters
			}
			return nil, err
		}
		stands = append(stands, s)
	}
	return stands, nil
}

func openStripe(o options, base string, logger *slog.Logger) (stand, error) {
	url := base + "/stripe"
	server, err := stripe.New(stripe.Options{
		APIKey: o.stripeKey, WebhookSecret: o.stripeSecret, WebhookURL: o.stripeWebhookURL, PublicURL: url,
		StateFile: stateFile(o.stateDir, "stripe"), Logger: logger.With("stand-in", "stripe"), Disable: o.disable, BookReleases: true,
		ThinURL: o.stripe.thinURL, Lacks: o.stripe.lacking(), Knobs: o.stripe.knobs,
	})
	if err != nil {
		return stand{}, err
	}
	return stand{
		Name: "stripe", Title: "Stripe", API: url, Dashboard: url + "/dashboard", handler: server, close: server.Close,
		bare: []string{"/v1/", "/v2/"},
	}, nil
}

//go:embed pages/*.html
var embedded embed.FS

// route mounts the stand-ins and the index below the path of the public URL.
func route(stands []stand, prefix string) (http.Handler, error) {
	files, err := fs.Sub(embedded, "pages")
	if err != nil {
		return nil, err
	}
	pages, err := standin.ParsePages(files)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for _, s := range stands {
		mux.Handle(prefix+"/"+s.Name+"/", s.handler)
		for _, path := range s.bare {
			mux.Handle(path, s.handler)
		}
	}
	mux.HandleFunc("GET "+prefix+"/{$}", func(w http.ResponseWriter, _ *http.Request) {
		pages.Render(w, http.StatusOK, "index", standin.Page{Title: "Sandbox", Provider: "every provider", Data: stands})
	})
	return mux, nil
}
