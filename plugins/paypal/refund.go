package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// refundRequest has no note_to_payer: an app's reason may not be meant for the
// payer. Its custom_id lets the hub find a refund whose answer was lost.
type refundRequest struct {
	Amount   *amount `json:"amount"`
	CustomID string  `json:"custom_id,omitempty"`
}

// Refund implements sdk.Refunder. The amount is always sent: left out, PayPal
// gives back all that remains.
func (p *Provider) Refund(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
	if _, err := p.ready(r.Flow, r.Key); err != nil {
		return nil, err
	}
	ctx, done := once.Within(ctx)
	defer done()
	a, err := toWire(r.Refund)
	if err != nil {
		return nil, err
	}
	custom := refundCustomID(r)
	if !idForm.MatchString(r.CaptureID) || len(custom) > maxCustomID {
		return nil, sdk.NotSent("the capture's or refund's id is unusable")
	}
	re := &refund{}
	err = p.api.send(ctx, post("/v2/payments/captures/"+r.CaptureID+"/refund", r.Key, refundRequest{a, custom}), re)
	if isIssue(err, "CAPTURE_FULLY_REFUNDED", "REFUND_AMOUNT_EXCEEDED") {
		// Perhaps by this very refund, if PayPal has forgotten the key.
		if found, _ := p.findRefund(ctx, sdk.GetRefundRequest{PaymentRequest: r.PaymentRequest, RefundID: r.RefundID, CaptureID: r.CaptureID}); found != nil {
			return found, nil
		}
	}
	var out sdk.Refund
	if err == nil {
		out, err = re.movement()
	}
	if err != nil {
		return nil, outcome("create refund", err)
	}
	if out.RefundID == r.AttemptID { // the payment's own
		unnamed(&out)
	}
	if out.CaptureID == "" {
		out.CaptureID = r.CaptureID // the address that was asked
	}
	if out.Amount.IsZero() {
		// "return=minimal" has no amount, and says nothing of which refund it is:
		// PayPal may have answered with one that it made before under this key.
		return p.readRefund(ctx, out.ID, r.AttemptID)
	}
	return &out, nil
}

// readRefund reads a refund by PayPal's id after it was asked for: that the read
// fails says nothing of the refund.
func (p *Provider) readRefund(ctx context.Context, id, attemptID string) (*sdk.Refund, error) {
	if !idForm.MatchString(id) {
		return nil, outcome("create refund", once.ErrUnreadable)
	}
	re := &refund{}
	if err := p.api.send(ctx, get("/v2/payments/refunds/"+id), re); err != nil {
		return nil, fmt.Errorf("the refund could not be read: %v", err)
	}
	out, err := re.movement()
	if err != nil || out.ID != id || out.Amount.IsZero() {
		return nil, outcome("create refund", once.ErrUnreadable)
	}
	if out.RefundID == attemptID {
		unnamed(&out)
	}
	return &out, nil
}

// GetRefund implements sdk.Refunder.
func (p *Provider) GetRefund(ctx context.Context, r sdk.GetRefundRequest) (*sdk.Refund, error) {
	if _, err := p.ready(r.Flow, readKey); err != nil {
		return nil, err
	}
	ctx, done := once.Within(ctx)
	defer done()
	if r.ProviderID == "" {
		return p.findRefund(ctx, r)
	}
	if !idForm.MatchString(r.ProviderID) {
		return nil, sdk.NotSent("the refund's id is unusable")
	}
	re := &refund{}
	err := p.api.send(ctx, get("/v2/payments/refunds/"+r.ProviderID), re)
	if isMissing(err) {
		return nil, sdk.ErrNotFound
	}
	var out sdk.Refund
	if err == nil {
		out, err = re.movement()
	}
	if err == nil && (out.ID != r.ProviderID || out.Amount.IsZero()) {
		err = once.ErrUnreadable
	}
	if err != nil {
		return nil, outcome("read refund", err)
	}
	if out.RefundID == r.AttemptID {
		unnamed(&out) // made at PayPal, which passes the payment's custom_id on
	}
	return &out, nil
}

// findRefund looks for the hub's id, or the hash of the app's key, among the
// refunds of the order: PayPal has no list of refunds.
func (p *Provider) findRefund(ctx context.Context, r sdk.GetRefundRequest) (*sdk.Refund, error) {
	refs := r.Refs
	if ref(refs, kindOrder) == "" && ref(refs, kindCapture) == "" {
		refs = addRef(nil, kindCapture, r.CaptureID)
	}
	id, err := p.orderID(ctx, refs)
	if r.RefundID == "" || errors.Is(err, sdk.ErrNotFound) {
		return nil, sdk.NotSent("nothing to look for the refund by")
	}
	if err != nil {
		return nil, err
	}
	o, err := p.fetchOrder(ctx, id)
	if isMissing(err) {
		return nil, sdk.NotSent("PayPal does not show the order of the refund")
	}
	out, err := p.answer("read order", o, err)
	if err != nil {
		return nil, err
	}
	for i, re := range out.Refunds.Items {
		if re.RefundID == r.RefundID || r.FindKeyHash != "" && re.KeyHash == r.FindKeyHash && re.InstanceID == r.InstanceID {
			return &out.Refunds.Items[i], nil
		}
	}
	if !out.Captures.Complete || len(out.Captures.Items) == 0 { // an order that was refunded shows its capture
		return nil, outcome("find refund", once.ErrUnreadable)
	}
	return nil, sdk.ErrNotFound
}
