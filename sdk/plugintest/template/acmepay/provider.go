package main

import (
	"context"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

const version = "0.1.0"

// hostedPage is Acmepay's own payment page. Each way of paying is a sdk.Flow;
// with a second one, give this file a table and each flow a file of its own.
var hostedPage = sdk.Flow{
	Name: "hosted_page", Title: "Acmepay page",
	CaptureModes: []sdk.CaptureMode{sdk.CaptureAutomatic, sdk.CaptureManual},
	Currencies:   currencies(),
	Capabilities: []sdk.Capability{sdk.PayerActs, sdk.CanCapture, sdk.CanCapturePart, sdk.CanCancel, sdk.CanRefund, sdk.CanRefundPart},
}

// Provider is Acmepay behind the contract. It keeps its settings and its
// connections, nothing else.
type Provider struct {
	settings settings
	client   *client
}

var (
	_ sdk.Provider = (*Provider)(nil)
	_ sdk.Capturer = (*Provider)(nil)
	_ sdk.Canceler = (*Provider)(nil)
	_ sdk.Refunder = (*Provider)(nil)
	_ sdk.Lister   = (*Provider)(nil)
)

// New returns a provider that still has to be configured.
func New() *Provider { return &Provider{} }

// Describe implements sdk.Provider.
func (p *Provider) Describe() sdk.Description {
	// What the provider's documents say of its idempotency keys.
	repeat := sdk.Repeat{Deduplicated: true, KeyLifetime: 24 * time.Hour, Settling: time.Minute}
	return sdk.Description{
		Name: "acmepay", Title: "Acmepay", Version: version,
		Settings: settingsFields,
		Flows:    []sdk.Flow{hostedPage},
		Proof:    sdk.ProofSignedBody,
		Repeats: map[sdk.OperationKind]sdk.Repeat{
			sdk.OpCreate: repeat, sdk.OpCapture: repeat, sdk.OpCancel: repeat, sdk.OpRefund: repeat,
		},
	}
}

// Configure implements sdk.Provider. It asks nothing of the provider.
func (p *Provider) Configure(_ context.Context, in sdk.Settings) (sdk.Account, error) {
	s, err := parseSettings(in)
	if err != nil {
		return sdk.Account{}, err
	}
	p.settings, p.client = s, newClient(s)
	return sdk.Account{ID: s.account, Mode: s.mode}, nil
}

// ready refuses what could not be sent safely.
func (p *Provider) ready(flow, key string) error {
	switch {
	case p.client == nil:
		return sdk.NotSent("the provider is not configured")
	case flow != hostedPage.Name:
		return sdk.NotSent("there is no such flow")
	case key == "":
		return sdk.NotSent("there is no operation key")
	}
	return nil
}

// aRead stands where a key would: a read needs none.
const aRead = "a read"
