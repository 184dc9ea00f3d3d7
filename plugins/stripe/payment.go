package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// Kinds of the names by which Stripe knows a payment.
const (
	kindSession = "checkout_session"
	kindIntent  = "payment_intent"
	kindCharge  = "charge"
)

// metadataFlow tells by which flow a PaymentIntent was made: it does not say
// itself whether a Checkout Session is behind it.
const metadataFlow = "superpay_flow"

// ref returns the first value of that kind.
func ref(refs []sdk.Ref, kind string) string {
	for _, r := range refs {
		if r.Kind == kind {
			return r.Value
		}
	}
	return ""
}

// addRef appends a name that is there and new.
func addRef(refs []sdk.Ref, kind, value string) []sdk.Ref {
	r := sdk.Ref{Kind: kind, Value: value}
	if value == "" || slices.Contains(refs, r) {
		return refs
	}
	return append(refs, r)
}

// withRefs puts the names that the hub already has in front, so that Refs[0]
// stays what it was when the payment was created.
func withRefs(known []sdk.Ref, p *sdk.Payment) *sdk.Payment {
	all := slices.Clone(known)
	for _, r := range p.Refs {
		all = addRef(all, r.Kind, r.Value)
	}
	p.Refs = all
	return p
}

func mode(live bool) sdk.Mode {
	if live {
		return sdk.Live
	}
	return sdk.Test
}

func at(unix int64) time.Time {
	if unix == 0 {
		return time.Time{}
	}
	return time.Unix(unix, 0).UTC()
}

// fromIntent tells what a PaymentIntent proves. Its latest charge may be
// expanded or a mere id. Refunds and disputes are not in it.
func fromIntent(pi *stripe.PaymentIntent) *sdk.Payment {
	p := &sdk.Payment{
		Refs:     addRef(nil, kindIntent, pi.ID),
		Mode:     mode(pi.Livemode),
		Status:   sdk.Pending, // a status this version does not know
		Amount:   fromWire(pi.Amount, pi.Currency),
		Captures: sdk.Captures{Complete: true},
	}
	p.ReadMetadata(pi.Metadata)
	if pi.LatestCharge != nil {
		p.Refs = addRef(p.Refs, kindCharge, pi.LatestCharge.ID)
	}
	switch pi.Status {
	case stripe.PaymentIntentStatusRequiresPaymentMethod:
		p.Status = sdk.RequiresAction // a decline is not the end: the payer may try another card
		if pi.LastPaymentError != nil {
			p.Failure = failureOf(pi.LastPaymentError)
		}
	case stripe.PaymentIntentStatusRequiresAction:
		p.Status = sdk.RequiresAction
	case stripe.PaymentIntentStatusRequiresConfirmation:
		p.Status = sdk.RequiresConfirmation
	case stripe.PaymentIntentStatusRequiresCapture:
		p.Status = sdk.RequiresCapture
		p.Authorized = p.Amount
		p.Capturable = fromWire(pi.AmountCapturable, pi.Currency)
		p.CaptureBefore = captureBefore(pi.LatestCharge)
	case stripe.PaymentIntentStatusSucceeded:
		p.Status = sdk.Succeeded
		p.Captures = captureOf(pi)
	case stripe.PaymentIntentStatusCanceled:
		p.Status = sdk.Canceled
	}
	return p
}

// captureOf returns the one capture of a PaymentIntent that succeeded. Its id is
// the charge's, its amount what was received: the same in every event and read.
// The latest charge has been seen null just after success; then the list is
// incomplete and the hub reads again.
func captureOf(pi *stripe.PaymentIntent) sdk.Captures {
	ch := pi.LatestCharge
	if ch == nil || ch.ID == "" {
		return sdk.Captures{}
	}
	c := sdk.Capture{
		ID:     ch.ID,
		Status: sdk.MovementSucceeded,
		Amount: fromWire(pi.AmountReceived, pi.Currency),
		At:     at(ch.Created),
	}
	book(&c, ch, false)
	return sdk.Captures{Complete: true, Items: []sdk.Capture{c}}
}

// captureBefore is when a card's authorisation lapses, if the charge is
// expanded and says so.
func captureBefore(ch *stripe.Charge) time.Time {
	if ch == nil || ch.PaymentMethodDetails == nil || ch.PaymentMethodDetails.Card == nil {
		return time.Time{}
	}
	return at(ch.PaymentMethodDetails.Card.CaptureBefore)
}

// complete reads the lists that a PaymentIntent does not carry.
func (p *Provider) complete(ctx context.Context, out *sdk.Payment, pi *stripe.PaymentIntent) error {
	if pi == nil {
		pi = &stripe.PaymentIntent{}
	}
	return p.completeLists(ctx, out, pi.ID, pi.LatestCharge)
}

// completeLists reads what was given back and challenged of a PaymentIntent, or
// of a charge that has none.
//
// Refunds are always asked for once money was taken: amount_refunded leaves out
// pending and failed ones, and one call is cheap. Before that there are none:
// what Stripe shows as refunds then are releases of an authorisation. Disputes
// are asked for only where the charge says that there are some (inquiries
// included), or where there is no charge to ask.
func (p *Provider) completeLists(ctx context.Context, out *sdk.Payment, intent string, ch *stripe.Charge) error {
	if out.Status != sdk.Succeeded {
		out.Refunds.Complete, out.Disputes.Complete = true, true
		return nil
	}
	if intent == "" && (ch == nil || ch.ID == "") { // a list by nothing would be the whole account's
		return nil
	}
	var err error
	var released []sdk.Line
	if out.Refunds, released, err = p.refundsOf(ctx, intent, ch); err != nil {
		return err
	}
	if out.Refunds.Complete && len(out.Captures.Items) == 1 && ch != nil {
		book(&out.Captures.Items[0], ch, true, released...)
	}
	if ch != nil && ch.Status != "" && !ch.Disputed {
		out.Disputes.Complete = true
		return nil
	}
	out.Disputes, err = p.disputesOf(ctx, intent, ch)
	return err
}

// captureIntent takes the money. What it returns is built from the answer of
// the POST, for a read after it might fail and would turn a success into doubt.
func (p *Provider) captureIntent(ctx context.Context, id string, r sdk.CaptureRequest) (*sdk.Payment, error) {
	amount, _, err := toWire(r.Capture)
	if err != nil {
		return nil, err
	}
	params := &stripe.PaymentIntentCaptureParams{Params: post(ctx, r.Key), AmountToCapture: &amount}
	params.AddExpand("latest_charge.balance_transaction")
	pi, err := p.api.PaymentIntents.Capture(id, params)
	return intentAnswer("capture payment intent", pi, err)
}

// cancelIntent releases the money. Its key differs from the operation's own,
// which another endpoint may have used: Stripe binds a key to one endpoint.
func (p *Provider) cancelIntent(ctx context.Context, id string, r sdk.CancelRequest) (*sdk.Payment, error) {
	params := &stripe.PaymentIntentCancelParams{Params: post(ctx, r.Key+":pi")}
	params.AddExpand("latest_charge")
	pi, err := p.api.PaymentIntents.Cancel(id, params)
	return intentAnswer("cancel payment intent", pi, err)
}

func intentAnswer(what string, pi *stripe.PaymentIntent, err error) (*sdk.Payment, error) {
	if err == nil && (pi.ID == "" || pi.Status == "") { // the library takes {} for success
		err = once.ErrUnreadable
	}
	if err != nil {
		return nil, outcome(what, err)
	}
	return fromIntent(pi), nil
}

// truthAfter reads the payment after Stripe refused an operation, most often
// because it came too late. Where the payment is in a state for which stands
// says yes, the refusal explains nothing away and is returned itself.
func truthAfter(refused error, read func() (*sdk.Payment, error), stands func(sdk.Status) bool) (*sdk.Payment, error) {
	if !isRejected(refused) {
		return nil, refused
	}
	now, err := read()
	if errors.Is(err, sdk.ErrNotFound) {
		return nil, refused
	}
	if err != nil {
		// Not %w: a read that was never sent says nothing of the operation.
		return nil, fmt.Errorf("%v; and the payment could not be read: %v", refused, err)
	}
	if stands(now.Status) {
		return nil, refused
	}
	return now, nil
}
