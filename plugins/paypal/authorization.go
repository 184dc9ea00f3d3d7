package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/superpayhub/superpay/sdk"
)

type captureRequest struct {
	Amount *amount `json:"amount"`
	Final  bool    `json:"final_capture"` // "the remaining authorized amount is released"
}

// captureAuthorization takes what was authorised, once. The order reads as
// paid; what was not taken is released.
func (p *Provider) captureAuthorization(ctx context.Context, r sdk.CaptureRequest) (*sdk.Payment, error) {
	a, err := toWire(r.Capture)
	if err != nil {
		return nil, err
	}
	id, now, err := p.authorizationOf(ctx, r.PaymentRequest)
	switch {
	case err != nil:
		return nil, sdk.NotSent("the authorization could not be read: " + err.Error())
	case id == "" && now.Status == sdk.Succeeded:
		return now, nil
	case id == "":
		return nil, sdk.NotSent("there is no authorization")
	}
	c := &capture{}
	err = p.api.send(ctx, post("/v2/payments/authorizations/"+id+"/capture", r.Key, captureRequest{a, true}), c)
	var m sdk.Capture
	if err == nil {
		m, err = c.movement()
	}
	read := func() (*sdk.Payment, error) { return p.readOrder(ctx, r.PaymentRequest) }
	if err != nil {
		return truthAfter(outcome("capture authorization", err), read, func(s sdk.Status) bool { return s == sdk.RequiresCapture })
	}
	if m.Status == sdk.MovementFailed {
		now, err := reread(read) // what became of the authorization is not in the answer
		if err == nil && now.Failure == nil {
			now.Failure = declined()
		}
		return now, err
	}
	attempt, instance := readCustomID(c.CustomID)
	out := &sdk.Payment{
		AttemptID: attempt, InstanceID: instance, Refs: addRef(append([]sdk.Ref{}, r.Refs...), kindCapture, c.ID), Mode: p.settings.mode,
		Status: sdk.Succeeded, Captures: sdk.Captures{Items: []sdk.Capture{m}},
	}
	if m.Status == sdk.MovementPending {
		out.Status = sdk.Pending
	}
	return out, nil
}

// authorizationOf names the authorization, by what the hub knows or by a read.
func (p *Provider) authorizationOf(ctx context.Context, r sdk.PaymentRequest) (string, *sdk.Payment, error) {
	if id := ref(r.Refs, kindAuthorization); id != "" {
		return id, nil, nil
	}
	now, err := p.readOrder(ctx, r)
	if err != nil {
		return "", nil, err
	}
	return ref(now.Refs, kindAuthorization), now, nil
}

// cancelOrder releases what was authorised. An order that nobody approved, or
// that was not captured yet, cannot be closed: PayPal has no call for it. Its
// truth is returned; as long as nobody confirms it, it lapses by itself. One
// that PayPal has forgotten is closed.
func (p *Provider) cancelOrder(ctx context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
	id, now, err := p.authorizationOf(ctx, r.PaymentRequest)
	switch {
	case errors.Is(err, sdk.ErrNotFound):
		return &sdk.Payment{Refs: r.Refs, Mode: p.settings.mode, Status: sdk.Canceled}, nil
	case err != nil || id == "":
		return now, err
	}
	var answer bytes.Buffer
	err = p.api.send(ctx, post("/v2/payments/authorizations/"+id+"/void", r.Key, struct{}{}), &answer)
	read := func() (*sdk.Payment, error) { return p.readOrder(ctx, r.PaymentRequest) }
	if err != nil {
		return truthAfter(outcome("void authorization", err), read, func(s sdk.Status) bool { return s == sdk.RequiresCapture })
	}
	var a authorization
	if json.Unmarshal(answer.Bytes(), &a) != nil || a.Status != "VOIDED" {
		return reread(read) // 204 and nothing, where Prefer is not heeded, or nothing that proves it
	}
	return &sdk.Payment{
		Refs: addRef(append([]sdk.Ref{}, r.Refs...), kindAuthorization, id), Mode: p.settings.mode, Status: sdk.Canceled,
	}, nil
}
