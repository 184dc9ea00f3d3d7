package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// payment is Acmepay's.
type payment struct {
	ID        string            `json:"id"`
	Status    string            `json:"status"`
	Amount    string            `json:"amount"`
	Currency  string            `json:"currency"`
	Live      bool              `json:"live"`
	Metadata  map[string]string `json:"metadata"`
	PageURL   string            `json:"page_url"`
	ExpiresAt int64             `json:"expires_at"`
	CaptureID string            `json:"capture_id"`
	Captured  string            `json:"captured"`
	PaidIn    string            `json:"captured_currency"` // where it is not Currency
	Failure   string            `json:"failure"`
	Refunds   []refund          `json:"refunds"`
	Disputes  []dispute         `json:"disputes"`
}

const kindPayment = "payment"

// CreateCheckout implements sdk.Provider.
func (p *Provider) CreateCheckout(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
	if err := p.ready(r.Flow, r.Key); err != nil {
		return nil, err
	}
	amount, err := toWire(r.Amount)
	if err != nil {
		return nil, err
	}
	metadata := r.HubMetadata()
	for k, v := range r.Metadata {
		metadata[k] = v
	}
	in := map[string]any{
		"amount": amount, "currency": r.Amount.Currency, "manual_capture": r.CaptureMode == sdk.CaptureManual,
		"description": r.Description, "return_url": r.URLs.Return, "cancel_url": r.URLs.Cancel, "metadata": metadata,
	}
	if !r.ExpiresAt.IsZero() {
		in["expires_at"] = r.ExpiresAt.Unix()
	}
	return p.ask(ctx, "/v1/payments", r.Key, in)
}

// Capture implements sdk.Capturer.
func (p *Provider) Capture(ctx context.Context, r sdk.CaptureRequest) (*sdk.Payment, error) {
	id, err := p.named(r.PaymentRequest, r.Key)
	if err != nil {
		return nil, err
	}
	amount, err := toWire(r.Capture)
	if err != nil {
		return nil, err
	}
	return p.ask(ctx, "/v1/payments/"+id+"/capture", r.Key, map[string]any{"amount": amount})
}

// Cancel implements sdk.Canceler. Acmepay answers with the payment as it is
// where it comes too late.
func (p *Provider) Cancel(ctx context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
	id, err := p.named(r.PaymentRequest, r.Key)
	if err != nil {
		return nil, err
	}
	return p.ask(ctx, "/v1/payments/"+id+"/cancel", r.Key, map[string]any{})
}

// GetPayment implements sdk.Provider.
func (p *Provider) GetPayment(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
	if err := p.ready(r.Flow, aRead); err != nil {
		return nil, err
	}
	if len(r.Refs) > 0 {
		var got payment
		if err := p.client.get(ctx, "/v1/payments/"+url.PathEscape(r.Refs[0].Value), &got); err != nil {
			return nil, err
		}
		return got.read()
	}
	search := []string{sdk.MetadataAttempt + ":" + r.AttemptID}
	if r.FindKeyHash != "" {
		search = append(search, sdk.MetadataKey+":"+r.FindKeyHash)
	}
	for _, what := range search {
		if got, err := p.find(ctx, r, what); got != nil || err != nil {
			return got, err
		}
	}
	return nil, sdk.ErrNotFound
}

// find reads the pages of a search until the payment is on one. Another hub's may have
// the same attempt id. It returns nil if no page has it.
func (p *Provider) find(ctx context.Context, r sdk.PaymentRequest, what string) (*sdk.Payment, error) {
	query := url.Values{"metadata": {what}}
	for {
		var found list
		if err := p.client.get(ctx, "/v1/payments?"+query.Encode(), &found); err != nil {
			return nil, err
		}
		if found.Data == nil { // {} is no empty list
			return nil, once.ErrUnreadable
		}
		for _, got := range found.Data {
			if r.Finds(got.Metadata) {
				return got.read()
			}
		}
		if !found.More || len(found.Data) == 0 {
			return nil, nil
		}
		query.Set("after", found.Data[len(found.Data)-1].ID)
	}
}

type list struct {
	Data []payment `json:"data"`
	More bool      `json:"more"`
}

// List implements sdk.Lister. The cursor is the last id of the page before.
func (p *Provider) List(ctx context.Context, r sdk.ListRequest) (*sdk.ListPage, error) {
	if err := p.ready(hostedPage.Name, aRead); err != nil {
		return nil, err
	}
	query := url.Values{"since": {fmt.Sprint(r.Since.Unix())}, "after": {r.Cursor}, "limit": {fmt.Sprint(max(r.Limit, 1))}}
	var got list
	if err := p.client.get(ctx, "/v1/payments?"+query.Encode(), &got); err != nil {
		return nil, err
	}
	if got.Data == nil {
		return nil, once.ErrUnreadable
	}
	page := &sdk.ListPage{}
	for _, one := range got.Data {
		read, err := one.read()
		if err != nil {
			return nil, err
		}
		page.Payments = append(page.Payments, *read)
		if got.More {
			page.Next = one.ID
		}
	}
	return page, nil
}

// named returns the payment's id at Acmepay.
func (p *Provider) named(r sdk.PaymentRequest, key string) (string, error) {
	if err := p.ready(r.Flow, key); err != nil {
		return "", err
	}
	if len(r.Refs) == 0 {
		return "", sdk.NotSent("the payment has no id yet")
	}
	return url.PathEscape(r.Refs[0].Value), nil
}

func (p *Provider) ask(ctx context.Context, path, key string, in map[string]any) (*sdk.Payment, error) {
	var got payment
	if err := p.client.post(ctx, path, key, in, &got); err != nil {
		return nil, err
	}
	return got.read()
}

var statuses = map[string]sdk.Status{
	"open": sdk.RequiresAction, "waiting": sdk.Pending, "held": sdk.RequiresCapture, "paid": sdk.Succeeded, "canceled": sdk.Canceled,
}

// read tells a payment of Acmepay's in the contract's words. 200 is not enough:
// it must have an id, a known status and amounts.
func (o payment) read() (*sdk.Payment, error) {
	status, known := statuses[o.Status]
	amount, err := fromWire(o.Amount, o.Currency)
	if o.ID == "" || !known || err != nil {
		return nil, once.ErrUnreadable
	}
	out := &sdk.Payment{
		Refs: []sdk.Ref{{Kind: kindPayment, Value: o.ID}}, Mode: sdk.Test, Status: status, Amount: amount,
		Captures: sdk.Captures{Complete: true}, Refunds: sdk.Refunds{Complete: true}, Disputes: sdk.Disputes{Complete: true},
	}
	out.ReadMetadata(o.Metadata)
	if o.Live {
		out.Mode = sdk.Live
	}
	if o.ExpiresAt != 0 {
		out.ExpiresAt = time.Unix(o.ExpiresAt, 0).UTC()
	}
	if o.Failure != "" {
		f := failure(o.Failure)
		out.Failure = &f
	}
	switch status {
	case sdk.RequiresAction:
		out.NextAction = &sdk.NextAction{Type: sdk.ActionRedirect, URL: o.PageURL}
	case sdk.RequiresCapture:
		out.Authorized, out.Capturable = amount, amount
	case sdk.Succeeded:
		captured, err := fromWire(o.Captured, cmp.Or(o.PaidIn, o.Currency))
		if err != nil || o.CaptureID == "" {
			return nil, once.ErrUnreadable
		}
		out.Captures.Items = []sdk.Capture{{ID: o.CaptureID, Status: sdk.MovementSucceeded, Amount: captured}}
	}
	for _, re := range o.Refunds {
		item, err := re.read()
		if err != nil {
			return nil, err
		}
		out.Refunds.Items = append(out.Refunds.Items, *item)
	}
	for _, d := range o.Disputes {
		item, err := d.read()
		if err != nil {
			return nil, err
		}
		out.Disputes.Items = append(out.Disputes.Items, *item)
	}
	return out, nil
}
