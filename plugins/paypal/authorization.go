package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

type captureRequest struct {
	Amount *amount `json:"amount"`
	Final  bool    `json:"final_capture"` // "the remaining authorized amount is released"
}

// honorPeriod is for how long PayPal promises the money of an authorization: "PayPal
// honors 100% of authorized funds for three days". Later a capture may be refused,
// until the authorization expires after 29 days, unless it is authorized again.
const honorPeriod = 3 * 24 * time.Hour

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
	id, err = p.reauthorized(ctx, r, id, a)
	if err != nil {
		return nil, err
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
		AttemptID: attempt, InstanceID: instance, Refs: captureRefs(r.Refs, id, c.ID), Mode: p.settings.mode,
		Status: sdk.Succeeded, Captures: sdk.Captures{Items: []sdk.Capture{m}},
	}
	if m.Status == sdk.MovementPending {
		out.Status = sdk.Pending
	}
	return out, nil
}

func captureRefs(known []sdk.Ref, authorization, capture string) []sdk.Ref {
	refs := addRef(append([]sdk.Ref{}, known...), kindAuthorization, authorization)
	return addRef(refs, kindCapture, capture)
}

// reauthorized names the authorization to capture from. Past the honor period what is
// to be captured is authorized again first, under a key of its own: repeated, PayPal
// answers with the same one. Where PayPal refuses that, it also decides on the capture.
// A sending that got lost on the way to here captured nothing.
func (p *Provider) reauthorized(ctx context.Context, r sdk.CaptureRequest, first string, a *amount) (string, error) {
	last := first
	for _, known := range r.Refs {
		if known.Kind == kindAuthorization && idForm.MatchString(known.Value) {
			last = known.Value
		}
	}
	if time.Since(r.CreatedAt) < honorPeriod { // no authorization of it is older
		return last, nil
	}
	var held authorization
	if err := p.api.send(ctx, get("/v2/payments/authorizations/"+last), &held); err != nil {
		return "", sdk.NotSent("the authorization could not be read: " + err.Error())
	}
	if held.Status != "CREATED" || time.Since(held.Created.Time) < honorPeriod {
		return last, nil
	}
	if held.Amount != nil {
		a = held.Amount // all that is held: a capture that is refused can be asked for anew, and be larger
	}
	var again authorization
	err := p.api.send(ctx, post("/v2/payments/authorizations/"+first+"/reauthorize", r.Key+":r", reauthorizeRequest{a}), &again)
	switch status := statusOf(err); {
	case status == http.StatusBadRequest, status == http.StatusForbidden, status == http.StatusNotFound, status == http.StatusUnprocessableEntity:
		return last, nil
	case err != nil || !idForm.MatchString(again.ID):
		return "", sdk.NotSent("the money could not be authorized again: " + outcome("reauthorize", cmp.Or(err, once.ErrUnreadable)).Error())
	case again.Status == "DENIED", again.Status == "PENDING", again.Status == "VOIDED":
		return last, nil
	}
	return again.ID, nil // captured already, it answers the repeated capture as it did
}

type reauthorizeRequest struct {
	Amount *amount `json:"amount"`
}

// authorizationOf names the first authorization, by what the hub knows or by a read:
// "A reauthorization cannot be voided. Please void the original parent authorization."
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
	if json.Unmarshal(answer.Bytes(), &a) != nil || a.Status != "VOIDED" || ref(r.Refs, kindCapture) != "" {
		return reread(read) // 204 and nothing, where Prefer is not heeded, or nothing that proves it, or a part was captured
	}
	return &sdk.Payment{
		Refs: addRef(append([]sdk.Ref{}, r.Refs...), kindAuthorization, id), Mode: p.settings.mode, Status: sdk.Canceled,
	}, nil
}

// standAuthorized looks at the authorisation, if there is one. One that was
// captured says nothing beside its capture.
func standAuthorized(out *sdk.Payment, o *order) bool {
	for _, u := range o.PurchaseUnits {
		for _, a := range u.Payments.Authorizations {
			m, err := a.Amount.money()
			switch a.Status {
			case "CREATED":
				out.Status = sdk.RequiresCapture
				out.CaptureBefore, out.HonoredUntil = a.Expiration.Time, honoredUntil(u.Payments.Authorizations)
				if err == nil {
					out.Authorized, out.Capturable = m, m
				}
			case "PENDING":
				out.Status = sdk.Pending
			case "VOIDED":
				out.Status = sdk.Canceled
			case "DENIED":
				out.Status = sdk.Failed
			default:
				continue
			}
			return true
		}
	}
	return false
}

// standHeld looks for the rest of an authorisation that was captured in part, and not
// for good: somebody did so at PayPal, for the hub's captures release the rest. It can
// be captured or released as long as the authorisation lasts.
func standHeld(out *sdk.Payment, o *order) bool {
	for _, u := range o.PurchaseUnits {
		for _, a := range u.Payments.Authorizations {
			rest, err := a.Amount.money()
			final := slices.ContainsFunc(u.Payments.Captures, func(c capture) bool { return c.Final && c.Status != "DECLINED" && c.Status != "FAILED" })
			if a.Status != "PARTIALLY_CAPTURED" || final || err != nil || !a.Expiration.After(time.Now()) {
				continue
			}
			for _, c := range out.Captures.Items {
				taken, err := c.Amount.Rescale(rest.Exponent)
				if err != nil || taken.Currency != rest.Currency {
					return false
				}
				if c.Status != sdk.MovementFailed {
					rest.Amount -= taken.Amount
				}
			}
			if rest.Amount <= 0 {
				return false
			}
			out.Status, out.CaptureBefore, out.Capturable = sdk.RequiresCapture, a.Expiration.Time, rest
			out.Authorized, _ = a.Amount.money()
			return true
		}
	}
	return false
}

// honoredUntil is until when PayPal promises the money: of the newest authorization.
func honoredUntil(all []authorization) (until time.Time) {
	for _, a := range all {
		if end := a.Created.Add(honorPeriod); !a.Created.IsZero() && end.After(until) && end.Before(a.Expiration.Time) {
			until = end
		}
	}
	return until
}
