package main

import (
	"context"
	"net/url"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// refund is Acmepay's.
type refund struct {
	ID        string            `json:"id"`
	CaptureID string            `json:"capture_id"`
	Status    string            `json:"status"`
	Amount    string            `json:"amount"`
	Currency  string            `json:"currency"`
	Metadata  map[string]string `json:"metadata"`
	Failure   string            `json:"failure"`
}

// Refund implements sdk.Refunder. The amount is always sent: many providers
// give back all that remains where it is left out.
func (p *Provider) Refund(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
	if err := p.ready(r.Flow, r.Key); err != nil {
		return nil, err
	}
	amount, err := toWire(r.Refund)
	if err != nil {
		return nil, err
	}
	in := map[string]any{
		"capture_id": r.CaptureID, "amount": amount, "reason": r.Reason,
		"metadata": r.HubMetadata(),
	}
	var got refund
	if err := p.client.post(ctx, "/v1/refunds", r.Key, in, &got); err != nil {
		return nil, err
	}
	return got.read()
}

// GetRefund implements sdk.Refunder: by Acmepay's id, else by ours among the
// payment's refunds.
func (p *Provider) GetRefund(ctx context.Context, r sdk.GetRefundRequest) (*sdk.Refund, error) {
	if r.ProviderID != "" {
		if err := p.ready(r.Flow, aRead); err != nil {
			return nil, err
		}
		var got refund
		if err := p.client.get(ctx, "/v1/refunds/"+url.PathEscape(r.ProviderID), &got); err != nil {
			return nil, err
		}
		return got.read()
	}
	of, err := p.GetPayment(ctx, r.PaymentRequest)
	if err != nil {
		return nil, err
	}
	for _, re := range of.Refunds.Items {
		if re.InstanceID == r.InstanceID && (re.RefundID == r.RefundID || r.FindKeyHash != "" && re.KeyHash == r.FindKeyHash) {
			return &re, nil
		}
	}
	return nil, sdk.ErrNotFound
}

var movements = map[string]sdk.MovementStatus{
	"pending": sdk.MovementPending, "done": sdk.MovementSucceeded, "failed": sdk.MovementFailed,
}

func (o refund) read() (*sdk.Refund, error) {
	status, known := movements[o.Status]
	amount, err := fromWire(o.Amount, o.Currency)
	if o.ID == "" || !known || err != nil {
		return nil, once.ErrUnreadable
	}
	out := &sdk.Refund{
		ID: o.ID, CaptureID: o.CaptureID, Status: status, Amount: amount,
	}
	out.ReadMetadata(o.Metadata)
	if o.Failure != "" {
		f := failure(o.Failure)
		out.Failure = &f
	}
	return out, nil
}
