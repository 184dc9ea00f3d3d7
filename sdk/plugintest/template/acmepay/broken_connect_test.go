package main

import (
	"context"
	"crypto/rand"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugin"
	"github.com/superpayhub/superpay/sdk/plugintest"
)

// connecting is Acmepay as if it told a signing secret to whoever asks for one.
type connecting struct {
	*Provider
	connect connect
}

type connect func(context.Context, sdk.ConnectRequest) (*sdk.Connection, error)

func (p *connecting) Describe() sdk.Description { return foundByConnect(p.Provider.Describe()) }

func (p *connecting) Connect(ctx context.Context, r sdk.ConnectRequest) (*sdk.Connection, error) {
	return p.connect(ctx, r)
}

func foundByConnect(d sdk.Description) sdk.Description {
	d.Settings = slices.Clone(d.Settings)
	for i := range d.Settings {
		d.Settings[i].FromConnect = d.Settings[i].FromConnect || d.Settings[i].Name == "signing_secret"
	}
	return d
}

// found looks at Acmepay, and tells the secret to who has none and wants one.
func found(ctx context.Context, r sdk.ConnectRequest) (*sdk.Connection, error) {
	const secret = "sign_examsigning0002"
	settings := sdk.Settings{"signing_secret": secret}
	maps.Copy(settings, r.Settings)
	p := New()
	if _, err := p.Configure(ctx, settings); err != nil {
		return nil, err
	}
	if _, err := p.List(ctx, sdk.ListRequest{Since: time.Now(), Limit: 1}); err != nil {
		return nil, err
	}
	c := &sdk.Connection{Findings: []sdk.Finding{{Subject: sdk.FindingCredentials, OK: true, Text: "Acmepay takes the key."}}}
	if r.Repair && r.Settings["signing_secret"] == "" {
		c.Settings = sdk.Settings{"signing_secret": secret}
	}
	return c, nil
}

// otherwise is found with another answer.
func otherwise(change func(sdk.ConnectRequest, *sdk.Connection)) connect {
	return func(ctx context.Context, r sdk.ConnectRequest) (*sdk.Connection, error) {
		c, err := found(ctx, r)
		if err == nil {
			change(r, c)
		}
		return c, err
	}
}

const connects = "connects"

// connectors are such plugins; all but the first are broken.
var connectors = map[string]connect{
	connects: found,
	"connects, changes where it may only look": otherwise(func(_ sdk.ConnectRequest, c *sdk.Connection) {
		c.Settings = sdk.Settings{"signing_secret": "sign_examsigning0002"}
	}),
	"connects, makes it anew each time": otherwise(func(r sdk.ConnectRequest, c *sdk.Connection) {
		if r.Repair {
			c.Settings = sdk.Settings{"signing_secret": "sign_" + rand.Text()}
		}
	}),
	"connects, finds nothing": otherwise(func(_ sdk.ConnectRequest, c *sdk.Connection) { c.Settings = nil }),
	"connects, finds another setting": otherwise(func(r sdk.ConnectRequest, c *sdk.Connection) {
		if c.Settings != nil {
			c.Settings["account"] = "acct_found"
		}
	}),
	"connects, quotes the key": otherwise(func(r sdk.ConnectRequest, c *sdk.Connection) {
		c.Findings[0].Text += " It is " + r.Settings["api_key"] + "."
	}),
	"connects, says nothing":  otherwise(func(_ sdk.ConnectRequest, c *sdk.Connection) { c.Findings = nil }),
	"connects, without words": otherwise(func(_ sdk.ConnectRequest, c *sdk.Connection) { c.Findings[0].Text = " " }),
	"connects, blames a person for what it finds out": func(ctx context.Context, r sdk.ConnectRequest) (*sdk.Connection, error) {
		if r.Settings["signing_secret"] == "" {
			return nil, wrong("signing_secret", "is missing")
		}
		return found(ctx, r)
	},
	"connects, takes silence for an answer": func(ctx context.Context, r sdk.ConnectRequest) (*sdk.Connection, error) {
		c, err := found(ctx, r)
		if err != nil {
			return &sdk.Connection{Findings: []sdk.Finding{{Subject: sdk.FindingEndpoint, Text: "There is no endpoint."}}}, nil
		}
		return c, nil
	},
}

// promising says that a setting is found, and has nothing that finds it.
type promising struct{ *Provider }

func (p promising) Describe() sdk.Description { return foundByConnect(p.Provider.Describe()) }

const promises = "connects, only by word"

func init() {
	does, ok := connectors[os.Getenv(breakEnv)]
	switch {
	case ok:
		plugintest.ServeIfStarted(func() { plugin.Serve(&connecting{New(), does}) })
	case os.Getenv(breakEnv) == promises:
		plugintest.ServeIfStarted(func() { plugin.Serve(promising{New()}) })
	}
}

// TestExam_OfConnect: a plugin that looks after its provider's side passes, and one
// that does it carelessly does not.
func TestExam_OfConnect(t *testing.T) {
	for _, name := range append(slices.Collect(maps.Keys(connectors)), promises) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := plugintest.NewReport(t.Context(), nil)
			report.Run("exam", func(r *plugintest.Report) {
				plugintest.Run(r, plugintest.Options{Sandbox: stand, Env: []string{breakEnv + "=" + name}, Only: []string{"connect"}, Settle: time.Second})
			})
			exam := report.Parts[0]
			if len(exam.Findings) > 0 || len(exam.Parts) != 1 {
				t.Fatalf("the exam did not take place: %q, %d rules", exam.Findings, len(exam.Parts))
			}
			if exam.Parts[0].Failed() != (name != connects) {
				t.Errorf("%s", exam.Parts[0].Name)
			}
		})
	}
}
