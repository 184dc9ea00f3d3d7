package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76/client"

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
		Flow:    checkoutSession,
		create:  (*Provider).createSession,
		read:    (*Provider).readSession,
		capture: (*Provider).captureSession,
		cancel:  (*Provider).cancelSession,
	},
	{
		Flow:    tokenCharge,
		create:  (*Provider).createCharge,
		read:    (*Provider).readCharge,
		capture: (*Provider).captureCharge,
		cancel:  (*Provider).cancelCharge,
	},
	{
		Flow:    applePay,
		create:  (*Provider).createApplePay,
		read:    (*Provider).readApplePay,
		confirm: (*Provider).confirmApplePay,
		capture: (*Provider).captureApplePay,
		cancel:  (*Provider).cancelApplePay,
	},
}

// Provider is Stripe behind the contract. It keeps its settings and its
// connections, nothing else.
type Provider struct {
	settings settings
	api      *client.API
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
	// Stripe keeps a key for at least 24 hours (docs.stripe.com/api/idempotent_requests).
	// Lists may lag a little behind writes; two minutes is generous.
	repeat := sdk.Repeat{Deduplicated: true, KeyLifetime: keyLifetime, Settling: 2 * time.Minute}
	d := sdk.Description{
		Name: "stripe", Title: "Stripe", Version: version,
		Settings: settingsFields,
		Proof:    sdk.ProofSignedBody,
		Repeats: map[sdk.OperationKind]sdk.Repeat{
			sdk.OpCreate: repeat, sdk.OpConfirm: repeat, sdk.OpCapture: repeat, sdk.OpCancel: repeat, sdk.OpRefund: repeat,
		},
	}
	for _, f := range flows {
		d.Flows = append(d.Flows, f.Flow)
	}
	return d
}

const keyLifetime = 24 * time.Hour

// Configure implements sdk.Provider. Stripe's account id cannot be told from a
// key, so the account has none.
func (p *Provider) Configure(_ context.Context, in sdk.Settings) (sdk.Account, error) {
	s, err := parseSettings(in)
	if err != nil {
		return sdk.Account{}, err
	}
	p.settings, p.api = s, newClient(s)
	return sdk.Account{Mode: s.mode}, nil
}

// CreateCheckout implements sdk.Provider.
func (p *Provider) CreateCheckout(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
	return run(ctx, p, r.Flow, r.Key, r, func(f *flow) step[sdk.CheckoutRequest] { return f.create })
}

// GetPayment implements sdk.Provider.
func (p *Provider) GetPayment(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
	return run(ctx, p, r.Flow, "a read needs none", r, func(f *flow) step[sdk.PaymentRequest] { return f.read })
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

// maxKey leaves room for the suffix of a second POST; Stripe takes 255 characters.
const maxKey = 250

// ready finds the flow and refuses what could not be sent safely. An empty key
// would make the library invent one, and a repeat would pay twice.
func (p *Provider) ready(name, key string) (*flow, error) {
	if p.api == nil {
		return nil, sdk.NotSent("the provider is not configured")
	}
	if key == "" || len(key) > maxKey || key != strings.TrimSpace(key) {
		return nil, sdk.NotSent("the operation key is empty or unusable")
	}
	for i := range flows {
		if flows[i].Name == name {
			return &flows[i], nil
		}
	}
	return nil, sdk.NotSent(fmt.Sprintf("no flow %q", name))
}
