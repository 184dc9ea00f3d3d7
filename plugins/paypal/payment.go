package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// Kinds of the names by which PayPal knows a payment.
const (
	kindOrder         = "order"
	kindAuthorization = "authorization"
	kindCapture       = "capture"
)

// ref returns the first value of that kind that can be an id of PayPal's.
func ref(refs []sdk.Ref, kind string) string {
	for _, r := range refs {
		if r.Kind == kind && idForm.MatchString(r.Value) {
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

// isPayerPage reports whether a payer may be sent there.
func (p *Provider) isPayerPage(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && p.settings.mode == sdk.Test && isLoopback(u.Hostname())
}

// fetchOrder reads an order with all that hangs on it.
func (p *Provider) fetchOrder(ctx context.Context, id string) (*order, error) {
	o := &order{}
	err := p.api.send(ctx, get("/v2/checkout/orders/"+id), o)
	if err == nil && o.ID != id {
		err = once.ErrUnreadable
	}
	return o, err
}

// orderID names the order of a payment. Callbacks about a capture may name
// nothing else; the capture tells its order.
func (p *Provider) orderID(ctx context.Context, refs []sdk.Ref) (string, error) {
	if id := ref(refs, kindOrder); id != "" {
		return id, nil
	}
	id := ref(refs, kindCapture)
	if id == "" {
		return "", sdk.ErrNotFound
	}
	c := &capture{}
	switch err := p.api.send(ctx, get("/v2/payments/captures/"+id), c); {
	case isMissing(err):
		return "", sdk.ErrNotFound
	case err != nil:
		return "", outcome("read capture", err)
	}
	if id = c.Supplementary.Related.Order; !idForm.MatchString(id) {
		return "", outcome("find the order of a capture", once.ErrUnreadable)
	}
	return id, nil
}

// payment tells what an order proves.
func (p *Provider) payment(o *order) (*sdk.Payment, error) {
	out := &sdk.Payment{
		Refs: addRef(nil, kindOrder, o.ID), Mode: p.settings.mode, Payer: payerOf(o),
		Captures: sdk.Captures{Complete: len(o.PurchaseUnits) > 0}, // a minimal answer has none
	}
	var err error
	if o.ID == "" || o.Status == "" {
		return nil, once.ErrUnreadable
	}
	if len(o.PurchaseUnits) == 1 {
		out.AttemptID, out.InstanceID = readCustomID(o.PurchaseUnits[0].CustomID)
		readReferenceID(out, o.PurchaseUnits[0].ReferenceID)
		if out.Amount, err = o.PurchaseUnits[0].Amount.money(); err != nil {
			return nil, err
		}
	}
	for _, u := range o.PurchaseUnits {
		if err := addMovements(out, u); err != nil {
			return nil, err
		}
	}
	p.stand(out, o)
	return out, nil
}

func addMovements(out *sdk.Payment, u purchaseUnit) error {
	for _, a := range u.Payments.Authorizations {
		out.Refs = addRef(out.Refs, kindAuthorization, a.ID)
	}
	for _, c := range u.Payments.Captures {
		m, err := c.movement()
		if err != nil {
			return err
		}
		out.Refs = addRef(out.Refs, kindCapture, c.ID)
		out.Captures.Items = append(out.Captures.Items, m)
	}
	for _, r := range u.Payments.Refunds {
		m, err := r.movement()
		if err != nil || m.Amount.IsZero() {
			return once.ErrUnreadable
		}
		if m.CaptureID == "" && len(u.Payments.Captures) == 1 {
			m.CaptureID = u.Payments.Captures[0].ID
		}
		if r.CustomID == u.CustomID {
			unnamed(&m) // made at PayPal, which passes the payment's on
		}
		out.Refunds.Items = append(out.Refunds.Items, m)
	}
	for _, c := range u.Payments.Captures {
		if c.Details.Reason == "CHARGEBACK" {
			markReversal(out.Refunds.Items, c.ID)
		}
		expectRefunds(out, c)
	}
	return nil
}

// expectRefunds says so where a capture calls itself refunded and the refunds
// that are listed do not sum up to that.
func expectRefunds(out *sdk.Payment, c capture) {
	least, err := c.Amount.money()
	switch {
	case err != nil:
		return
	case c.Status == "PARTIALLY_REFUNDED":
		least.Amount = 1 // it does not say how much
	case c.Status != "REFUNDED":
		return
	}
	listed := int64(0)
	for _, r := range out.Refunds.Items {
		if r.CaptureID == c.ID && r.Status != sdk.MovementFailed {
			listed += r.Amount.Amount
		}
	}
	if listed < least.Amount {
		out.Expect = append(out.Expect, sdk.Expectation{Kind: sdk.ExpectRefunded, ID: c.ID, Amount: least})
	}
}

// markReversal finds the refund by which "the captured funds were reversed in
// response to the payer disputing this captured payment with the issuer". It
// looks like one that the merchant made, and is the last: it takes all that is
// left.
func markReversal(refunds []sdk.Refund, captureID string) {
	var last *sdk.Refund
	for i := range refunds {
		r := &refunds[i]
		if r.CaptureID == captureID && r.RefundID == "" && (last == nil || !r.At.Before(last.At)) {
			last = r
		}
	}
	if last != nil {
		last.Reversed = true
	}
}

// approvalWindow is how long PayPal keeps an order that the payer has not come to
// approve; afterwards it does not know it any more. One who came in time may take as
// long again, so this is the first time at which the order can be gone.
const approvalWindow = 3 * time.Hour

// stand finds the payment's status. Money comes first, for "COMPLETED: the
// intent of the order was completed and a payments resource was created. Check
// the payment status in purchase_units[].payments before fulfilling": it may be
// authorised only, pending, or declined.
func (p *Provider) stand(out *sdk.Payment, o *order) {
	has := func(s sdk.MovementStatus) bool {
		return slices.ContainsFunc(out.Captures.Items, func(c sdk.Capture) bool { return c.Status == s })
	}
	switch {
	case has(sdk.MovementSucceeded) && standHeld(out, o):
	case has(sdk.MovementSucceeded):
		out.Status = sdk.Succeeded
	case has(sdk.MovementPending):
		out.Status = sdk.Pending
	case standAuthorized(out, o):
	case o.Status == "CREATED", o.Status == "SAVED", o.Status == "PAYER_ACTION_REQUIRED":
		out.Status = sdk.RequiresAction
		out.NextAction = p.redirect(o.ID, o.Links)
		if at := o.Created.Time; !at.IsZero() {
			out.ExpiresAt = at.Add(approvalWindow)
		}
	case o.Status == "APPROVED":
		out.Status = sdk.RequiresConfirmation
	case o.Status == "VOIDED":
		out.Status = sdk.Canceled
	case has(sdk.MovementFailed):
		out.Status = sdk.Failed
	default:
		out.Status = sdk.Pending // COMPLETED with nothing to show, or a status this version does not know
	}
	if out.Status == sdk.Failed && out.Failure == nil {
		out.Failure = declined()
	}
}

// declined is what PayPal says of a capture that failed: no more than that.
func declined() *sdk.Failure {
	return &sdk.Failure{Code: sdk.FailureDeclined, ProviderCode: "DECLINED", Message: failureTexts[sdk.FailureDeclined]}
}

// redirect sends the payer to PayPal. An app that shows PayPal's own buttons
// hands them the order instead.
func (p *Provider) redirect(orderID string, links []link) *sdk.NextAction {
	to := p.payerLink(links)
	if to == "" {
		return nil
	}
	return &sdk.NextAction{Type: sdk.ActionRedirect, URL: to, Client: map[string]string{
		"client_id": p.settings.clientID, "order_id": orderID,
	}}
}

func payerOf(o *order) *sdk.Payer {
	for _, p := range []*payer{o.Payer, o.PaymentSource.PayPal} {
		if p != nil && p.Email != "" {
			name := strings.TrimSpace(p.Name.Given + " " + p.Name.Surname)
			return &sdk.Payer{Email: p.Email, Name: name, Country: p.Address.Country}
		}
	}
	return nil
}

// truthAfter reads the payment after PayPal refused an operation, most often
// because it came too late. Where the payment is in a state for which stands
// says yes, the refusal explains nothing away and is returned itself.
func truthAfter(refused error, read func() (*sdk.Payment, error), stands func(sdk.Status) bool) (*sdk.Payment, error) {
	if !isRejected(refused) {
		return nil, refused
	}
	now, err := reread(read)
	if errors.Is(err, sdk.ErrNotFound) {
		return nil, refused
	}
	if err != nil {
		return nil, fmt.Errorf("%v; and then: %w", refused, err)
	}
	if stands(now.Status) {
		return nil, refused
	}
	return now, nil
}

// reread reads the payment after an operation was sent. That a read was never
// sent, or refused, says nothing of the operation: such errors lose their mark.
func reread(read func() (*sdk.Payment, error)) (*sdk.Payment, error) {
	now, err := read()
	if err != nil && !errors.Is(err, sdk.ErrNotFound) {
		return nil, fmt.Errorf("the payment could not be read: %v", err)
	}
	return now, err
}
