// Package paytest is a payment provider that obeys a test's script, and the
// payments service behind it on a real PostgreSQL. The provider is careless on
// purpose: it never refuses, compares or limits anything, so that a test in
// which something is refused proves that the hub refused it.
package paytest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/superpayhub/superpay/sdk"
)

// Flows of the scripted provider.
const (
	FlowPage    = "page"    // the payer pays on a page: requires_action until the test says otherwise
	FlowCharge  = "charge"  // money is taken, or held with manual capture, at checkout
	FlowConfirm = "confirm" // the payer approves and the server confirms; the hub may continue by itself
	FlowReturn  = "return"  // the payer brings back a result, without which the server cannot confirm
	FlowBare    = "bare"    // as page, without any optional capability
)

// Script replaces answers. A nil function leaves the provider's own answer,
// which Honest gives.
type Script struct {
	CreateCheckout func(context.Context, sdk.CheckoutRequest) (*sdk.Payment, error)
	GetPayment     func(context.Context, sdk.PaymentRequest) (*sdk.Payment, error)
	Confirm        func(context.Context, sdk.ConfirmRequest) (*sdk.Payment, error)
	Capture        func(context.Context, sdk.CaptureRequest) (*sdk.Payment, error)
	Cancel         func(context.Context, sdk.CancelRequest) (*sdk.Payment, error)
	Refund         func(context.Context, sdk.RefundRequest) (*sdk.Refund, error)
	GetRefund      func(context.Context, sdk.GetRefundRequest) (*sdk.Refund, error)
	List           func(context.Context, sdk.ListRequest) (*sdk.ListPage, error)
	HandleCallback func(context.Context, sdk.CallbackRequest) (*sdk.CallbackResult, error)
}

// Call is one call that reached the provider.
type Call struct {
	Method  string
	Key     string // the operation's key, where the call has one
	Request any    // the sdk request
}

// Provider is the scripted provider. It implements sdk.Provider and every
// optional interface, and keeps its payments in memory, by attempt id.
type Provider struct {
	Honest Honest

	mu          sync.Mutex
	description sdk.Description
	account     sdk.Account
	script      Script
	calls       []Call
}

// accounts counts those of all tests.
var accounts atomic.Int64

// NewProvider returns a provider with the four flows, in test mode, that is an account
// of its own.
func NewProvider() *Provider {
	p := &Provider{description: Description(), account: sdk.Account{ID: fmt.Sprint("acct_", accounts.Add(1)), Mode: sdk.Test}}
	p.Honest.payments = map[string]*sdk.Payment{}
	return p
}

// Script changes what the provider answers from now on.
func (p *Provider) Script(change func(*Script)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.script)
}

// Calls returns what reached the provider so far, of these methods or of all.
func (p *Provider) Calls(methods ...string) []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Call
	for _, c := range p.calls {
		if len(methods) == 0 || slices.Contains(methods, c.Method) {
			out = append(out, c)
		}
	}
	return out
}

// begin keeps a call and returns the script as it stands.
func (p *Provider) begin(method, key string, request any) Script {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, Call{method, key, request})
	return p.script
}

// Describe implements sdk.Provider.
func (p *Provider) Describe() sdk.Description { return p.description }

// Change edits the description before the provider is used.
func (p *Provider) Change(change func(*sdk.Description)) *Provider {
	change(&p.description)
	return p
}

// Configure implements sdk.Provider.
func (p *Provider) Configure(context.Context, sdk.Settings) (sdk.Account, error) {
	return p.account, nil
}

// CreateCheckout implements sdk.Provider.
func (p *Provider) CreateCheckout(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
	return either(ctx, p.begin("CreateCheckout", r.Key, r).CreateCheckout, p.Honest.CreateCheckout, r)
}

// GetPayment implements sdk.Provider.
func (p *Provider) GetPayment(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
	return either(ctx, p.begin("GetPayment", "", r).GetPayment, p.Honest.GetPayment, r)
}

// Confirm implements sdk.Confirmer.
func (p *Provider) Confirm(ctx context.Context, r sdk.ConfirmRequest) (*sdk.Payment, error) {
	return either(ctx, p.begin("Confirm", r.Key, r).Confirm, p.Honest.Confirm, r)
}

// Capture implements sdk.Capturer.
func (p *Provider) Capture(ctx context.Context, r sdk.CaptureRequest) (*sdk.Payment, error) {
	return either(ctx, p.begin("Capture", r.Key, r).Capture, p.Honest.Capture, r)
}

// Cancel implements sdk.Canceler.
func (p *Provider) Cancel(ctx context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
	return either(ctx, p.begin("Cancel", r.Key, r).Cancel, p.Honest.Cancel, r)
}

// Refund implements sdk.Refunder.
func (p *Provider) Refund(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
	return either(ctx, p.begin("Refund", r.Key, r).Refund, p.Honest.Refund, r)
}

// GetRefund implements sdk.Refunder.
func (p *Provider) GetRefund(ctx context.Context, r sdk.GetRefundRequest) (*sdk.Refund, error) {
	return either(ctx, p.begin("GetRefund", "", r).GetRefund, p.Honest.GetRefund, r)
}

// List implements sdk.Lister.
func (p *Provider) List(ctx context.Context, r sdk.ListRequest) (*sdk.ListPage, error) {
	return either(ctx, p.begin("List", "", r).List, p.Honest.List, r)
}

// signatureHeader holds what proves a callback of the scripted provider.
const signatureHeader = "Scripted-Signature"

// signature is of a body. It is no secret: who forges here is the script.
func signature(body []byte) string { return fmt.Sprintf("%x", sha256.Sum256(body)) }

// HandleCallback implements sdk.Provider.
func (p *Provider) HandleCallback(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
	return either(ctx, p.begin("HandleCallback", "", r).HandleCallback, p.Signed, r)
}

// Signed is HandleCallback unless the script says otherwise: the body is the result
// itself in JSON, signed, as Env.Callback sends it.
func (p *Provider) Signed(_ context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
	if r.Get(signatureHeader) != signature(r.Body) {
		return &sdk.CallbackResult{Verdict: sdk.Forged, Reason: "the signature is not of this body"}, nil
	}
	var result sdk.CallbackResult
	if err := json.Unmarshal(r.Body, &result); err != nil {
		return nil, fmt.Errorf("the body is no result: %w", err)
	}
	return &result, nil
}

func either[R, A any](ctx context.Context, scripted, honest func(context.Context, R) (*A, error), request R) (*A, error) {
	if scripted != nil {
		return scripted(ctx, request)
	}
	return honest(ctx, request)
}

// Description is what the scripted provider says of itself.
func Description() sdk.Description {
	all := []sdk.Capability{
		sdk.CanConfirm, sdk.CanCapture, sdk.CanCapturePart, sdk.CanCancel, sdk.CanRefund, sdk.CanRefundPart,
	}
	modes := []sdk.CaptureMode{sdk.CaptureAutomatic, sdk.CaptureManual}
	return sdk.Description{
		Name: "scripted", Version: "1", Title: "Scripted provider",
		Flows: []sdk.Flow{
			{Name: FlowPage, Title: "Page", CaptureModes: modes, Capabilities: append(slices.Clone(all), sdk.PayerActs)},
			{Name: FlowCharge, Title: "Charge", CaptureModes: modes, Capabilities: all},
			{Name: FlowConfirm, Title: "Confirm", CaptureModes: modes, Capabilities: append(slices.Clone(all), sdk.PayerActs, sdk.ContinuesItself)},
			{Name: FlowReturn, Title: "Return", CaptureModes: modes, Capabilities: append(slices.Clone(all), sdk.PayerActs, sdk.TakesReturn)},
			{Name: FlowBare, Title: "Bare", CaptureModes: modes[:1], Capabilities: []sdk.Capability{sdk.PayerActs}},
		},
		Repeats: Repeats(),
		Proof:   sdk.ProofSignedBody,
	}
}
