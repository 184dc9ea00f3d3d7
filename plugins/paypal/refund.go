package main

import (
	"context"
	"errors"

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
	custom := customID(r.RefundID, r.InstanceID)
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
	out.RefundID, out.InstanceID = r.RefundID, r.InstanceID
	if out.CaptureID == "" {
		out.CaptureID = r.CaptureID
	}
	if out.Amount.IsZero() { // "return=minimal" has none
		out.Amount = r.Refund
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
	if out.RefundID != r.RefundID {
		out.RefundID, out.InstanceID = "", "" // made at PayPal, which passes the payment's custom_id on
	}
	return &out, nil
}

// findRefund looks for the hub's id among the refunds of the order: PayPal has
// no list of refunds.
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
		if re.RefundID == r.RefundID {
			return &out.Refunds.Items[i], nil
		}
	}
	if !out.Captures.Complete || len(out.Captures.Items) == 0 { // an order that was refunded shows its capture
		return nil, outcome("find refund", once.ErrUnreadable)
	}
	return nil, sdk.ErrNotFound
}
