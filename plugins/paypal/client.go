package main

import (
	"context"
	"errors"
	"net/http"
	"unicode/utf8"

	"github.com/superpayhub/superpay/sdk"
)

// clientFlow: the payer's browser creates and captures the order with PayPal's
// library, which needs the public client id only. So everything in such an
// order (amount, payee, custom_id) is the payer's choice, and what the browser
// reports proves nothing: the hub is told an order's id and reads it itself.
var clientFlow = sdk.Flow{
	Name: "client", Title: "PayPal in the browser", ExpiresAfter: approvalWindow,
	Confirm: []sdk.Field{{
		Name: "order_id", Title: "PayPal order id", Required: true, MaxLen: 36,
		Help: "What onApprove reports (data.orderID), whether or not the browser captured it.",
	}},
	CaptureModes: []sdk.CaptureMode{sdk.CaptureAutomatic},
	Currencies:   currencies,
	Capabilities: []sdk.Capability{sdk.CreatedByBrowser, sdk.CanConfirm, sdk.CanRefund, sdk.CanRefundPart},
}

// offerOrder asks PayPal nothing: it tells the browser what to create.
func (p *Provider) offerOrder(_ context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
	if p.settings.merchantID == "" {
		return nil, sdk.Rejected(sdk.Failure{
			Code:    sdk.FailureInvalidRequest,
			Message: "The flow client needs the setting merchant_id: without it nothing proves who was paid.",
		})
	}
	a, err := toWire(r.Amount)
	if err != nil {
		return nil, err
	}
	custom := customID(r.AttemptID, r.InstanceID)
	if r.AttemptID == "" || len(custom) > maxCustomID {
		return nil, sdk.NotSent("the attempt's id is unusable")
	}
	client := map[string]string{
		"client_id": p.settings.clientID, "merchant_id": p.settings.merchantID, "intent": intentCapture,
		"currency": a.Currency, "amount": a.Value, "custom_id": custom,
	}
	// Apps that do not pass it on can still be paid: it only helps a hub whose
	// database was restored to recognize the payment.
	if reference := referenceID(r); r.Digest != "" && utf8.RuneCountInString(reference) <= maxReferenceID {
		client["reference_id"] = reference
	}
	if d := truncate(r.Description, maxDescription); d != "" {
		client["description"] = d
	}
	return &sdk.Payment{
		AttemptID: r.AttemptID, InstanceID: r.InstanceID, Mode: p.settings.mode, Status: sdk.RequiresAction, Amount: r.Amount,
		NextAction: &sdk.NextAction{Type: sdk.ActionClient, Client: client},
	}, nil
}

// mismatch says what about an order is not the payment that was asked for.
func mismatch(what string) error {
	return sdk.Rejected(sdk.Failure{Code: sdk.FailureMismatch, Message: "This PayPal order is not the payment that was asked for: " + what + "."})
}

var unknownOrder = mismatch("PayPal does not know it")

// verify checks that an order is this attempt's, for this account. A wrong
// amount of one that is ours and was paid is no refusal: the money is there, so
// it is told as it is, and the hub compares. One that was not paid is refused.
func (p *Provider) verify(o *order, out *sdk.Payment, r sdk.PaymentRequest) error {
	if p.settings.merchantID == "" {
		return mismatch("no merchant id is configured")
	}
	if len(o.PurchaseUnits) != 1 {
		return mismatch("it has not exactly one purchase unit")
	}
	u := o.PurchaseUnits[0]
	attempt, instance := readCustomID(u.CustomID)
	switch {
	case o.Intent != intentCapture:
		return mismatch("its intent is another")
	case u.Payee.MerchantID != p.settings.merchantID:
		return mismatch("it pays another account")
	case len(u.Instruction.Fees) > 0:
		return mismatch("it pays a part to others")
	case r.AttemptID == "", attempt != r.AttemptID, instance != "" && instance != r.InstanceID:
		return mismatch("it was made for another payment")
	case !hasMoney(out.Status) && !r.Amount.IsZero() && !out.Amount.Equal(r.Amount): // a read is told none
		return mismatch("its amount is another")
	}
	return nil
}

// candidate reads and verifies an order that a client or callback named.
func (p *Provider) candidate(ctx context.Context, id string, r sdk.PaymentRequest) (*sdk.Payment, error) {
	o, err := p.fetchOrder(ctx, id)
	switch {
	case isMissing(err):
		return nil, unknownOrder
	case statusOf(err) == http.StatusForbidden: // PERMISSION_DENIED: another account's
		return nil, mismatch("it belongs to another account")
	}
	out, err := p.answer("read order", o, err)
	if err != nil {
		return nil, err
	}
	return out, p.verify(o, out, r)
}

// readCandidate answers only with an order that is this attempt's and has money.
// A browser may make several: one that was approved and left, or declined, is
// not the payment, for that would hide the next, unless the hub knows its money.
func (p *Provider) readCandidate(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
	id, err := p.orderID(ctx, r.Refs)
	if err != nil {
		return nil, err
	}
	out, err := p.candidate(ctx, id, r)
	if errors.Is(err, unknownOrder) && ref(r.Refs, kindCapture) != "" {
		out, err = p.forgotten(ctx, id, r)
	}
	if isRejected(err) {
		return nil, sdk.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	known := ref(r.Refs, kindOrder) == id && ref(r.Refs, kindCapture) != ""
	if !known && !hasMoney(out.Status) {
		return nil, sdk.ErrNotFound
	}
	if err := p.complete(ctx, out, r.Refs); err != nil {
		return nil, err
	}
	return out, nil
}

func hasMoney(s sdk.Status) bool { return s == sdk.Pending || s == sdk.Succeeded }

// confirmCandidate reads the order that the browser reports. Where the browser
// died between approval and capture, the server captures what it verified.
func (p *Provider) confirmCandidate(ctx context.Context, r sdk.ConfirmRequest) (*sdk.Payment, error) {
	id := r.Input["order_id"]
	if !idForm.MatchString(id) {
		return nil, sdk.Rejected(sdk.Failure{Code: sdk.FailureInvalidRequest, Message: "order_id is not an id of a PayPal order."})
	}
	out, err := p.candidate(ctx, id, r.PaymentRequest)
	if err != nil {
		return nil, unsent(err)
	}
	if out.Status == sdk.RequiresConfirmation {
		if out, err = p.take(ctx, id, intentCapture, r.Key); err != nil {
			return nil, err
		}
	}
	if hasMoney(out.Status) {
		return out, nil
	}
	// The browser may make another order for the same payment, so that this one
	// must not become its name.
	out.Refs, out.NextAction = nil, nil
	if out.Status != sdk.RequiresAction && out.Failure == nil {
		out.Failure = &sdk.Failure{Code: sdk.FailureExpired, ProviderCode: "VOIDED", Message: failureTexts[sdk.FailureExpired]}
	}
	out.Status = sdk.RequiresAction
	return out, nil
}

// unsent: what could not be read was not captured either.
func unsent(err error) error {
	var done *sdk.NotSentError
	if isRejected(err) || errors.As(err, &done) {
		return err
	}
	return sdk.NotSent(err.Error())
}
