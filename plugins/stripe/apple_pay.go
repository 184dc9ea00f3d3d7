package main

import (
	"context"
	"regexp"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
)

// applePay is a PaymentIntent that the server makes and confirms with what the
// client's sheet brought. finalize says who ends it after the payer's action:
//
//	server  automatic confirmation: Stripe, by itself
//	legacy  manual confirmation: "requires your server to initiate each payment
//	        attempt with an explicit confirmation", so the hub, by Confirm
//
// The hub may confirm by itself: a legacy intent awaits confirmation only after
// the payer authenticated this very amount, nothing but the confirmation can
// follow, and Stripe forgets the authentication after a while. A payer who
// closed the app meanwhile has still paid as far as they know.
var applePay = sdk.Flow{
	Name: "apple_pay", Title: "Apple Pay",
	Inputs: []sdk.Field{
		{
			Name: "finalize", Title: "Who ends it", Options: []string{finalizeServer, finalizeLegacy}, Default: finalizeServer,
			Help: "server: the payment ends when the payer has acted. legacy: it is then confirmed a second time.",
		},
		{
			Name: "payment_method", Title: "Payment method", Secret: true,
			Help: "pm_... made of the PKPayment. Either this or confirmation_token.",
		},
		{
			Name: "confirmation_token", Title: "Confirmation token", Secret: true,
			Help: "ctoken_... of the payment sheet; not for legacy.",
		},
	},
	CaptureModes: []sdk.CaptureMode{sdk.CaptureAutomatic, sdk.CaptureManual},
	Capabilities: []sdk.Capability{
		sdk.CanConfirm, sdk.ContinuesItself, sdk.CanCancel, sdk.CanCapture, sdk.CanCapturePart, sdk.CanRefund, sdk.CanRefundPart,
	},
}

const (
	finalizeServer = "server"
	finalizeLegacy = "legacy"
)

var (
	methodForm       = regexp.MustCompile(`^pm_[A-Za-z0-9_]{1,200}$`)
	confirmationForm = regexp.MustCompile(`^ctoken_[A-Za-z0-9_]{1,200}$`)
)

// checkApplePay wants exactly one thing to pay with.
func checkApplePay(input map[string]string) error {
	method, token := input["payment_method"], input["confirmation_token"]
	switch {
	case input["finalize"] == finalizeLegacy && token != "":
		return badInput("confirmation_token", "is not for finalize=legacy; it takes payment_method")
	case method != "" && token != "":
		return badInput("confirmation_token", "and input.payment_method exclude each other")
	case token != "" && !confirmationForm.MatchString(token):
		return badInput("confirmation_token", "must be a confirmation token of Stripe's, ctoken_...")
	case token == "" && !methodForm.MatchString(method):
		return badInput("payment_method", "must be a payment method of Stripe's, pm_...")
	}
	return nil
}

func (p *Provider) createApplePay(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
	if err := checkApplePay(r.Input); err != nil {
		return nil, err
	}
	amount, currency, err := toWire(r.Amount)
	if err != nil {
		return nil, err
	}
	params := &stripe.PaymentIntentParams{
		Params:            post(ctx, r.Key),
		Amount:            &amount,
		Currency:          &currency,
		Confirm:           stripe.Bool(true),
		UseStripeSDK:      stripe.Bool(true), // the client's library handles what the payer has to do
		PaymentMethod:     optional(r.Input["payment_method"]),
		ConfirmationToken: optional(r.Input["confirmation_token"]),
		Description:       optional(r.Description),
		Metadata:          metadataFor(r),
	}
	if r.CaptureMode == sdk.CaptureManual {
		params.CaptureMethod = stripe.String(string(stripe.PaymentIntentCaptureMethodManual))
	}
	if r.Input["finalize"] == finalizeLegacy {
		// Automatic payment methods, the default of this API version, cannot be
		// confirmed manually: the types are named.
		params.ConfirmationMethod = stripe.String(string(stripe.PaymentIntentConfirmationMethodManual))
		params.PaymentMethodTypes = stripe.StringSlice([]string{"card"})
	} else {
		params.AutomaticPaymentMethods = &stripe.PaymentIntentAutomaticPaymentMethodsParams{Enabled: stripe.Bool(true)}
		params.ReturnURL = optional(r.URLs.Return) // which confirming them requires
	}
	params.AddExpand("latest_charge.balance_transaction")
	pi, err := p.api.PaymentIntents.New(params)
	return p.applePayAnswer("create payment intent", pi, err, false)
}

// readApplePay reads a PaymentIntent with all that hangs on it.
func (p *Provider) readApplePay(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
	id := ref(r.Refs, kindIntent)
	if id == "" {
		var err error
		if id, err = find(ctx, r, "payment intents", p.walkIntents); err != nil {
			return nil, err
		}
	}
	params := &stripe.PaymentIntentParams{Params: get(ctx)}
	params.AddExpand("latest_charge.balance_transaction")
	pi, err := p.api.PaymentIntents.Get(id, params)
	if isMissing(err) {
		return nil, sdk.ErrNotFound
	}
	out, err := p.applePayAnswer("read payment intent", pi, err, handedOver(r.Opaque))
	if err != nil {
		return nil, err
	}
	if err := p.complete(ctx, out, pi); err != nil {
		return nil, err
	}
	return out, nil
}

// confirmApplePay is the second confirmation of a legacy payment. Only what
// Stripe says awaits one is confirmed: with anything else there is nothing to
// do, and the answer is the truth. So is it to a repeat that comes after the
// first sending did its work.
func (p *Provider) confirmApplePay(ctx context.Context, r sdk.ConfirmRequest) (*sdk.Payment, error) {
	read := func() (*sdk.Payment, error) { return p.readApplePay(ctx, r.PaymentRequest) }
	now, err := read()
	if err != nil {
		return nil, sdk.NotSent("the payment intent could not be read: " + err.Error())
	}
	if now.Status != sdk.RequiresConfirmation {
		return withRefs(r.Refs, now), nil
	}
	pi, err := p.api.PaymentIntents.Confirm(ref(now.Refs, kindIntent), confirmParams(ctx, r.Key))
	out, err := p.applePayAnswer("confirm payment intent", pi, err, handedOver(r.Opaque))
	if err != nil {
		return truthAfter(err, read, func(s sdk.Status) bool { return s == sdk.RequiresConfirmation })
	}
	return withRefs(r.Refs, out), nil
}

func confirmParams(ctx context.Context, key string) *stripe.PaymentIntentConfirmParams {
	params := &stripe.PaymentIntentConfirmParams{Params: post(ctx, key), UseStripeSDK: stripe.Bool(true)}
	params.AddExpand("latest_charge.balance_transaction")
	return params
}

func (p *Provider) captureApplePay(ctx context.Context, r sdk.CaptureRequest) (*sdk.Payment, error) {
	id := ref(r.Refs, kindIntent)
	if id == "" {
		return nil, sdk.NotSent("no payment intent is known")
	}
	out, err := p.captureIntent(ctx, id, r)
	if err != nil {
		read := func() (*sdk.Payment, error) { return p.readApplePay(ctx, r.PaymentRequest) }
		return truthAfter(err, read, func(s sdk.Status) bool { return s != sdk.Succeeded })
	}
	return withRefs(r.Refs, out), nil
}

// cancelApplePay ends the intent. Stripe cancels it in any state but processing,
// succeeded and canceled; in those the truth is the answer.
func (p *Provider) cancelApplePay(ctx context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
	id := ref(r.Refs, kindIntent)
	if id == "" {
		return nil, sdk.NotSent("no payment intent is known")
	}
	out, err := p.cancelIntent(ctx, id, r)
	if err != nil {
		read := func() (*sdk.Payment, error) { return p.readApplePay(ctx, r.PaymentRequest) }
		return truthAfter(err, read, func(s sdk.Status) bool {
			return s == sdk.RequiresAction || s == sdk.RequiresConfirmation || s == sdk.RequiresCapture
		})
	}
	return withRefs(r.Refs, out), nil
}
