package main

import (
	"context"
	"regexp"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// tokenCharge is Stripe's oldest way to pay: a token that the client made is
// charged at once. A charge cannot ask for 3-D Secure; the bank that wants it
// declines with authentication_required.
var tokenCharge = sdk.Flow{
	Name: "charge", Title: "Card token",
	Inputs: []sdk.Field{{
		Name: "token", Title: "Token", Required: true, Secret: true,
		Help: "tok_... as the client got it from Stripe. It can be used once: after a decline, another attempt brings another token.",
	}},
	CaptureModes: []sdk.CaptureMode{sdk.CaptureAutomatic, sdk.CaptureManual},
	Capabilities: []sdk.Capability{sdk.CanCancel, sdk.CanCapture, sdk.CanCapturePart, sdk.CanRefund, sdk.CanRefundPart},
}

var tokenForm = regexp.MustCompile(`^(tok|src)_[A-Za-z0-9_]{1,200}$`)

func (p *Provider) createCharge(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
	token := r.Input["token"]
	if !tokenForm.MatchString(token) {
		return nil, badInput("token", "must be a token of Stripe's, tok_... or src_...")
	}
	amount, currency, err := toWire(r.Amount)
	if err != nil {
		return nil, err
	}
	params := &stripe.ChargeParams{
		Params:       post(ctx, r.Key),
		Amount:       &amount,
		Currency:     &currency,
		Capture:      stripe.Bool(r.CaptureMode != sdk.CaptureManual),
		Description:  optional(r.Description),
		ReceiptEmail: email(r.Customer),
		Metadata:     metadataFor(r),
		Source:       &stripe.PaymentSourceSourceParams{Token: &token},
	}
	params.AddExpand("balance_transaction")
	ch, err := p.api.Charges.New(params)
	if se := declined(err); se != nil { // final: a token can be used once
		return &sdk.Payment{
			Refs: addRef(nil, kindCharge, se.ChargeID), Mode: p.settings.mode, Status: sdk.Failed, Failure: failureOf(se),
		}, nil
	}
	return chargeAnswer("create charge", ch, err)
}

// readCharge reads a charge with its refunds and disputes.
func (p *Provider) readCharge(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
	id := ref(r.Refs, kindCharge)
	if id == "" {
		var err error
		if id, err = find(ctx, r, "charges", p.walkCharges); err != nil {
			return nil, err
		}
	}
	params := &stripe.ChargeParams{Params: get(ctx)}
	params.AddExpand("balance_transaction")
	ch, err := p.api.Charges.Get(id, params)
	if isMissing(err) {
		return nil, sdk.ErrNotFound
	}
	out, err := chargeAnswer("read charge", asked(ch, id), err)
	if err != nil {
		return nil, err
	}
	if err := p.completeLists(ctx, out, "", ch); err != nil {
		return nil, err
	}
	return out, nil
}

func (p *Provider) captureCharge(ctx context.Context, r sdk.CaptureRequest) (*sdk.Payment, error) {
	id := ref(r.Refs, kindCharge)
	if id == "" {
		return nil, sdk.NotSent("no charge is known")
	}
	amount, _, err := toWire(r.Capture)
	if err != nil {
		return nil, err
	}
	params := &stripe.ChargeCaptureParams{Params: post(ctx, r.Key), Amount: &amount}
	params.AddExpand("balance_transaction")
	ch, err := p.api.Charges.Capture(id, params)
	out, err := chargeAnswer("capture charge", asked(ch, id), err)
	if err != nil {
		read := func() (*sdk.Payment, error) { return p.readCharge(ctx, r.PaymentRequest) }
		return truthAfter(err, read, func(s sdk.Status) bool { return s != sdk.Succeeded })
	}
	return withRefs(r.Refs, out), nil
}

// cancelCharge releases what a charge holds: "refunding an uncaptured charge
// releases the hold". The same request would give back a captured charge's
// money, so the charge is read first; should it be captured in the moment
// between, the answer shows the refund for what it is.
func (p *Provider) cancelCharge(ctx context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
	id := ref(r.Refs, kindCharge)
	if id == "" {
		return nil, sdk.NotSent("no charge is known")
	}
	read := func() (*sdk.Payment, error) { return p.readCharge(ctx, r.PaymentRequest) }
	now, err := read()
	if err != nil {
		return nil, sdk.NotSent("the charge could not be read: " + err.Error())
	}
	if now.Status != sdk.RequiresCapture {
		return withRefs(r.Refs, now), nil
	}
	re, err := p.api.Refunds.New(releaseParams(ctx, id, r))
	if err == nil && (re.ID == "" || re.Charge == nil || re.Charge.Status == "") {
		err = once.ErrUnreadable
	}
	if err != nil {
		return truthAfter(outcome("release charge", err), read, func(s sdk.Status) bool { return s == sdk.RequiresCapture })
	}
	out := withRefs(r.Refs, fromCharge(re.Charge))
	if out.Status == sdk.Succeeded {
		out.Refunds.Items = []sdk.Refund{fromRefund(re)}
	}
	return out, nil
}

// releaseParams name no amount and no refund of the hub's: a hold is released
// whole, and nobody is given money back.
func releaseParams(ctx context.Context, id string, r sdk.CancelRequest) *stripe.RefundParams {
	params := &stripe.RefundParams{
		Params: post(ctx, r.Key), Charge: &id,
		Metadata: map[string]string{sdk.MetadataAttempt: r.AttemptID, sdk.MetadataInstance: r.InstanceID},
	}
	params.AddExpand("charge")
	return params
}

// asked is a charge that was asked for, unless the answer is another one's: then it is
// as unreadable as none.
func asked(ch *stripe.Charge, id string) *stripe.Charge {
	if ch != nil && ch.ID != id {
		return &stripe.Charge{}
	}
	return ch
}

func chargeAnswer(what string, ch *stripe.Charge, err error) (*sdk.Payment, error) {
	if err == nil && (ch.ID == "" || ch.Status == "") { // the library takes {} for success
		err = once.ErrUnreadable
	}
	if err != nil {
		return nil, outcome(what, err)
	}
	return fromCharge(ch), nil
}

// alone reports whether a charge is a payment itself: PaymentIntents make
// charges too.
func alone(ch *stripe.Charge) bool { return ch.PaymentIntent == nil || ch.PaymentIntent.ID == "" }

// fromCharge tells what a charge proves. Refunds and disputes are not in it.
func fromCharge(ch *stripe.Charge) *sdk.Payment {
	p := &sdk.Payment{
		Refs:     addRef(nil, kindCharge, ch.ID),
		Mode:     mode(ch.Livemode),
		Status:   sdk.Pending, // a status this version does not know, too
		Amount:   fromWire(ch.Amount, ch.Currency),
		Captures: sdk.Captures{Complete: true},
	}
	p.ReadMetadata(ch.Metadata)
	switch {
	case ch.Status == stripe.ChargeStatusFailed:
		p.Status, p.Failure = sdk.Failed, chargeFailure(ch)
	case ch.Status != stripe.ChargeStatusSucceeded:
	case ch.Captured:
		p.Status = sdk.Succeeded
		p.Captures.Items = []sdk.Capture{{
			ID: ch.ID, Status: sdk.MovementSucceeded, Amount: fromWire(ch.AmountCaptured, ch.Currency), At: at(ch.Created),
		}}
		book(&p.Captures.Items[0], ch, false)
	case ch.Refunded: // released by us, or expired: "marked as refunded", says Stripe
		p.Status = sdk.Canceled
	default:
		p.Status = sdk.RequiresCapture
		p.Authorized, p.Capturable = p.Amount, p.Amount
		p.CaptureBefore = captureBefore(ch)
	}
	return p
}

// chargeFailure says of a failed charge what the 402 said: the outcome's reason
// is the decline code, unless Stripe itself blocked the payment, where it names
// a rule of Radar's and the 402 says "fraudulent".
func chargeFailure(ch *stripe.Charge) *sdk.Failure {
	reason := ""
	if ch.Outcome != nil {
		reason = ch.Outcome.Reason
		if ch.Outcome.Type == "blocked" {
			reason = "fraudulent"
		}
	}
	return decline(ch.FailureCode, reason)
}
