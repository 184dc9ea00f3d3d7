package main

import (
	"context"
	"errors"
	"unicode/utf8"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// serverFlow: the server creates the order with our amount, the payer approves
// it at PayPal, and the server captures (or authorises) it. Approval is no
// money: if nobody confirms, it lapses.
var serverFlow = sdk.Flow{
	Name: "server", Title: "PayPal", ExpiresAfter: approvalWindow,
	CaptureModes: []sdk.CaptureMode{sdk.CaptureAutomatic, sdk.CaptureManual},
	Currencies:   currencies,
	Capabilities: []sdk.Capability{
		sdk.PayerActs, sdk.CanConfirm, sdk.ContinuesItself, sdk.CanCapture, sdk.CanCapturePart, sdk.CanCancel, sdk.CanRefund, sdk.CanRefundPart,
	},
}

// PayPal's limits, in characters.
const (
	maxDescription = 127
	maxReferenceID = 256
)

const (
	intentCapture   = "CAPTURE"
	intentAuthorize = "AUTHORIZE"
)

type orderRequest struct {
	Intent        string            `json:"intent"`
	PurchaseUnits []unitRequest     `json:"purchase_units"`
	PaymentSource map[string]wallet `json:"payment_source"`
}

// unitRequest has no invoice_id: PayPal wants it unique per account, so that a
// second attempt at an order would fail with DUPLICATE_INVOICE_ID at capture.
type unitRequest struct {
	ReferenceID string  `json:"reference_id,omitempty"`
	Amount      *amount `json:"amount"`
	CustomID    string  `json:"custom_id"`
	Description string  `json:"description,omitempty"`
}

type wallet struct {
	Experience experience `json:"experience_context"`
}

type experience struct {
	ReturnURL  string `json:"return_url"`
	CancelURL  string `json:"cancel_url"`
	UserAction string `json:"user_action"`
	Shipping   string `json:"shipping_preference"`
}

func (p *Provider) createOrder(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
	a, err := toWire(r.Amount)
	if err != nil {
		return nil, err
	}
	custom := customID(r.AttemptID, r.InstanceID)
	reference := referenceID(r)
	if r.AttemptID == "" || len(custom) > maxCustomID || utf8.RuneCountInString(reference) > maxReferenceID {
		return nil, sdk.NotSent("the attempt's or order's id is unusable")
	}
	body := orderRequest{
		Intent: intent(r.CaptureMode),
		PurchaseUnits: []unitRequest{{
			ReferenceID: reference, Amount: a, CustomID: custom, Description: truncate(r.Description, maxDescription),
		}},
		PaymentSource: map[string]wallet{"paypal": {experience{
			ReturnURL: r.URLs.Return, CancelURL: r.URLs.Cancel, UserAction: "PAY_NOW", Shipping: "NO_SHIPPING",
		}}},
	}
	o := &order{}
	err = p.api.send(ctx, post("/v2/checkout/orders", r.Key, body), o)
	out, err := p.answer("create order", o, err)
	if err != nil {
		return nil, err
	}
	if !idForm.MatchString(o.ID) || out.Status == sdk.RequiresAction && out.NextAction == nil {
		return nil, outcome("create order", once.ErrUnreadable) // nothing could be done with it
	}
	return out, nil
}

func intent(m sdk.CaptureMode) string {
	if m == sdk.CaptureManual {
		return intentAuthorize
	}
	return intentCapture
}

func (p *Provider) answer(what string, o *order, err error) (*sdk.Payment, error) {
	var out *sdk.Payment
	if err == nil {
		out, err = p.payment(o)
	}
	if err != nil {
		return nil, outcome(what, err)
	}
	return out, nil
}

// readOrder reads an order with all that hangs on it. Without an id there is
// nothing to look for: PayPal lists no orders. "Not found" is harmless then:
// the payer cannot have approved an order whose address nobody was told.
func (p *Provider) readOrder(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
	id, err := p.orderID(ctx, r.Refs)
	if err != nil {
		return nil, err
	}
	o, err := p.fetchOrder(ctx, id)
	var out *sdk.Payment
	if isMissing(err) {
		out, err = p.forgotten(ctx, id, r)
	} else {
		out, err = p.answer("read order", o, err)
	}
	if err != nil {
		return nil, err
	}
	if err := p.complete(ctx, out, r.Refs); err != nil {
		return nil, err
	}
	return out, nil
}

// forgotten tells of an order that PayPal does not show what its known captures
// prove: they have a life of their own. ErrNotFound if none is known or shown. It
// may have lapsed, but never Canceled: that would end at once, before its settling
// time, a capture whose answer was lost.
func (p *Provider) forgotten(ctx context.Context, id string, r sdk.PaymentRequest) (*sdk.Payment, error) {
	o := &order{ID: id, Status: "COMPLETED", PurchaseUnits: []purchaseUnit{{}}}
	u := &o.PurchaseUnits[0]
	for _, known := range r.Refs {
		if known.Kind != kindCapture || !idForm.MatchString(known.Value) || len(u.Payments.Captures) == maxDisputed {
			continue
		}
		c := capture{}
		err := p.api.send(ctx, get("/v2/payments/captures/"+known.Value), &c)
		if isMissing(err) {
			continue
		}
		if err == nil && c.ID != known.Value {
			err = once.ErrUnreadable
		}
		if err != nil {
			return nil, outcome("read capture", err)
		}
		u.CustomID = c.CustomID
		u.Payments.Captures = append(u.Payments.Captures, c)
	}
	if len(u.Payments.Captures) == 0 {
		return nil, sdk.ErrNotFound
	}
	out, err := p.answer("read captures", o, nil)
	if err == nil {
		out.Captures.Complete = false // the order may have more
	}
	return out, err
}

func (p *Provider) confirmOrder(ctx context.Context, r sdk.ConfirmRequest) (*sdk.Payment, error) {
	id := ref(r.Refs, kindOrder)
	if id == "" {
		return nil, sdk.NotSent("no PayPal order is known")
	}
	// Until it is captured an order can be patched, by whoever holds the browser's
	// token as well: what would be taken is read first.
	o, err := p.fetchOrder(ctx, id)
	if !isMissing(err) {
		before, err := p.answer("read order", o, err)
		if err != nil {
			return nil, unsent(err)
		}
		open := before.Status == sdk.RequiresAction || before.Status == sdk.RequiresConfirmation
		if open && !before.Amount.Equal(r.Amount) {
			return nil, mismatch("its amount is another")
		}
	}
	return p.take(ctx, id, intent(r.CaptureMode), r.Key)
}

// take captures or authorises an approved order. A repeat under the same key
// answers with what the first one did.
func (p *Provider) take(ctx context.Context, id, intent, key string) (*sdk.Payment, error) {
	verb := "/capture"
	if intent == intentAuthorize {
		verb = "/authorize"
	}
	o := &order{}
	err := p.api.send(ctx, post("/v2/checkout/orders/"+id+verb, key, struct{}{}), o)
	if err == nil && o.ID != id {
		err = once.ErrUnreadable
	}
	if out := p.undecided(id, err); out != nil {
		return out, nil
	}
	out, outcomeErr := p.answer("take order", o, err)
	if outcomeErr == nil {
		return out, nil
	}
	if isIssue(err, "ORDER_ALREADY_CAPTURED", "ORDER_ALREADY_AUTHORIZED", "ORDER_COMPLETED_OR_VOIDED", "MAX_AUTHORIZATION_COUNT_EXCEEDED") {
		read := func() (*sdk.Payment, error) {
			now, err := p.fetchOrder(ctx, id)
			return p.answer("read order", now, err)
		}
		return truthAfter(outcomeErr, read, func(s sdk.Status) bool { return s == sdk.RequiresAction || s == sdk.RequiresConfirmation })
	}
	return nil, outcomeErr
}

// undecided reads the refusals that leave the order to the payer: nothing was
// taken, and the payer can still pay (INSTRUMENT_DECLINED: "the buyer may
// choose another funding source"), or not any more.
func (p *Provider) undecided(id string, err error) *sdk.Payment {
	out := &sdk.Payment{Refs: addRef(nil, kindOrder, id), Mode: p.settings.mode, Status: sdk.RequiresAction}
	var why *problem
	switch {
	case isIssue(err, "ORDER_NOT_APPROVED"):
		return out // nothing happened: no failure, so that the approval still counts when it comes
	case isIssue(err, "INSTRUMENT_DECLINED", "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING", "PAYER_ACTION_REQUIRED"):
	case isIssue(err, "ORDER_EXPIRED"):
		out.Status = sdk.Canceled
	default:
		return nil
	}
	if errors.As(err, &why) {
		out.Failure = failureOf(why)
		if out.Status == sdk.RequiresAction {
			out.NextAction = p.redirect(id, why.Links)
		}
	}
	return out
}

// truncate cuts to that many characters, never inside one.
func truncate(s string, limit int) string {
	n := 0
	for i := range s {
		if n == limit {
			return s[:i]
		}
		n++
	}
	return s
}
