package main

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

const version = "0.1.0"

// flow is one way of paying: what it offers, and what does it. What a flow
// does not offer is nil. A further flow is a file of its own and a row below.
type flow struct {
	sdk.Flow
	create  step[sdk.CheckoutRequest]
	read    step[sdk.PaymentRequest]
	confirm step[sdk.ConfirmRequest]
	capture step[sdk.CaptureRequest]
	cancel  step[sdk.CancelRequest]
}

// step is what a flow does at one of the provider's calls; nil: it does not offer it.
type step[R any] func(*Provider, context.Context, R) (*sdk.Payment, error)

var flows = []flow{
	{
		Flow:    serverFlow,
		create:  (*Provider).createOrder,
		read:    (*Provider).readOrder,
		confirm: (*Provider).confirmOrder,
		capture: (*Provider).captureAuthorization,
		cancel:  (*Provider).cancelOrder,
	},
	{
		Flow:    clientFlow,
		create:  (*Provider).offerOrder,
		read:    (*Provider).readCandidate,
		confirm: (*Provider).confirmCandidate,
	},
}

// Provider is PayPal behind the contract. It keeps its settings, connections,
// an access token and PayPal's signing certificates, nothing else.
type Provider struct {
	settings settings
	api      *api
	certs    *certs
	asks     budget // of verifications that PayPal is asked for
}

var (
	_ sdk.Provider  = (*Provider)(nil)
	_ sdk.Confirmer = (*Provider)(nil)
	_ sdk.Capturer  = (*Provider)(nil)
	_ sdk.Canceler  = (*Provider)(nil)
	_ sdk.Refunder  = (*Provider)(nil)
	_ sdk.Lister    = (*Provider)(nil)
	_ sdk.Connector = (*Provider)(nil)
)

// New returns a provider that still has to be configured.
func New() *Provider { return &Provider{} }

// Describe implements sdk.Provider.
func (p *Provider) Describe() sdk.Description {
	// "The server stores keys for 6 hours" (Orders v2) and "for 45 days"
	// (Payments v2), say PayPal's API documents of PayPal-Request-Id. What was
	// written may be missing from a read for a moment; two minutes is generous.
	orders := sdk.Repeat{Deduplicated: true, KeyLifetime: 6 * time.Hour, Settling: 2 * time.Minute}
	payments := sdk.Repeat{Deduplicated: true, KeyLifetime: 45 * 24 * time.Hour, Settling: 2 * time.Minute}
	d := sdk.Description{
		Name: "paypal", Title: "PayPal", Version: version,
		Settings: settingsFields,
		Proof:    sdk.ProofSecretAddress, // the signature covers a CRC32 of the body: see HandleCallback
		Repeats: map[sdk.OperationKind]sdk.Repeat{
			sdk.OpCreate: orders, sdk.OpConfirm: orders,
			sdk.OpCapture: payments, sdk.OpCancel: payments, sdk.OpRefund: payments,
		},
	}
	for _, f := range flows {
		d.Flows = append(d.Flows, f.Flow)
	}
	return d
}

// Configure implements sdk.Provider.
func (p *Provider) Configure(_ context.Context, in sdk.Settings) (sdk.Account, error) {
	s, err := parseSettings(in)
	if err != nil {
		return sdk.Account{}, err
	}
	transport := newTransport()
	p.settings, p.api, p.certs = s, newAPI(s, transport), newCerts(s, transport)
	return sdk.Account{ID: s.merchantID, Mode: s.mode}, nil
}

// CreateCheckout implements sdk.Provider.
func (p *Provider) CreateCheckout(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
	return run(ctx, p, r.Flow, r.Key, r, func(f *flow) step[sdk.CheckoutRequest] { return f.create })
}

// GetPayment implements sdk.Provider.
func (p *Provider) GetPayment(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
	return run(ctx, p, r.Flow, readKey, r, func(f *flow) step[sdk.PaymentRequest] { return f.read })
}

// Confirm implements sdk.Confirmer.
func (p *Provider) Confirm(ctx context.Context, r sdk.ConfirmRequest) (*sdk.Payment, error) {
	return run(ctx, p, r.Flow, r.Key, r, func(f *flow) step[sdk.ConfirmRequest] { return f.confirm })
}

// Capture implements sdk.Capturer.
func (p *Provider) Capture(ctx context.Context, r sdk.CaptureRequest) (*sdk.Payment, error) {
	return run(ctx, p, r.Flow, r.Key, r, func(f *flow) step[sdk.CaptureRequest] { return f.capture })
}

// Cancel implements sdk.Canceler.
func (p *Provider) Cancel(ctx context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
	return run(ctx, p, r.Flow, r.Key, r, func(f *flow) step[sdk.CancelRequest] { return f.cancel })
}

// run takes the step of the request's flow, within the time that the caller has.
func run[R any](ctx context.Context, p *Provider, name, key string, r R, of func(*flow) step[R]) (*sdk.Payment, error) {
	f, err := p.ready(name, key)
	if err != nil {
		return nil, err
	}
	do := of(f)
	if do == nil {
		return nil, notOffered
	}
	ctx, done := once.Within(ctx)
	defer done()
	return do(p, ctx, r)
}

var notOffered = sdk.NotSent("the flow does not offer this")

// readKey stands for the key of a read, which needs none.
const readKey = "read"

// keyForm is what PayPal-Request-Id takes: "length <= 108".
var keyForm = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,108}$`)

// ready finds the flow and refuses what could not be sent safely: without a
// PayPal-Request-Id, a repeat would pay twice.
func (p *Provider) ready(name, key string) (*flow, error) {
	if p.api == nil {
		return nil, sdk.NotSent("the provider is not configured")
	}
	if !keyForm.MatchString(key) {
		return nil, sdk.NotSent("the operation key is empty or unusable")
	}
	for i := range flows {
		if flows[i].Name == name {
			return &flows[i], nil
		}
	}
	return nil, sdk.NotSent(fmt.Sprintf("no flow %q", name))
}
