package plugintest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// attempt is one payment in the making.
type attempt struct {
	*sheet
	which   *Case
	request sdk.CheckoutRequest
	payment *sdk.Payment // as last known; refs add up
	failure *sdk.Failure // the last one seen
	vars    map[string]string
	left    []Step      // of the payer's
	back    *sdk.Return // how the payer was last sent back, if with parameters
	mu      sync.Mutex
}

// attempt prepares a payment; nothing is sent to the plugin yet.
func (s *sheet) attempt(c *Case, change ...func(*sdk.CheckoutRequest)) *attempt {
	s.Helper()
	mode := sdk.CaptureAutomatic
	if !slices.Contains(s.flow.CaptureModes, mode) {
		mode = sdk.CaptureManual
	}
	a := &attempt{sheet: s, which: c, left: c.Payer, payment: &sdk.Payment{}}
	a.request = sdk.CheckoutRequest{
		AttemptID: s.id("att"), InstanceID: instance, OrderID: s.id("ord"), Key: s.id("op"), Flow: s.flow.Name,
		AppID: "app_exam", Reference: "INV 7:a", KeyHash: strings.Repeat("5a", 16), Digest: strings.Repeat("c3", 16),
		Amount: s.exam.paper.Amount, CaptureMode: mode, Input: map[string]string{},
		URLs:      sdk.URLs{Return: "https://shop.example/return", Cancel: "https://shop.example/cancel", Callback: s.mail.url},
		CreatedAt: time.Now().UTC().Truncate(time.Millisecond), Description: "Two books",
		Customer: sdk.Customer{Email: "ada@example.com", Name: "Ada Lovelace"},
		// Several, so that their order shows if it is left to chance.
		Metadata: map[string]string{"basket": "7", "channel": "web", "campaign": "may", "visit": "3", "zone": "b"},
	}
	a.request.ExpiresAt = a.request.CreatedAt.Add(6 * time.Hour).Truncate(time.Second) // a hub always says when
	for _, c := range change {
		c(&a.request)
	}
	r := a.request
	a.vars = map[string]string{
		"sandbox_url": s.stand.BaseURL, "attempt_id": r.AttemptID, "order_id": r.OrderID,
		"return_url": r.URLs.Return, "cancel_url": r.URLs.Cancel,
		"amount": r.Amount.Decimal(), "minor": fmt.Sprint(r.Amount.Amount), "currency": r.Amount.Currency,
	}
	for name, value := range s.settings {
		a.vars["settings."+name] = value
	}
	for i, step := range c.Before {
		a.press(fmt.Sprintf("before[%d]", i), step)
	}
	a.request.Input = a.input(s.flow.Inputs, c.Input)
	return a
}

// input fills in placeholders and, as the hub does, defaults.
func (a *attempt) input(fields []sdk.Field, given map[string]string) map[string]string {
	a.Helper()
	out := map[string]string{}
	for _, f := range fields {
		if f.Default != "" {
			out[f.Name] = f.Default
		}
	}
	for name, value := range given {
		if !slices.ContainsFunc(fields, func(f sdk.Field) bool { return f.Name == name }) {
			a.fatalf("exam.json gives flow %s the input %q, which the flow does not declare", a.flow.Name, name)
		}
		filled, err := fill(value, a.vars)
		a.must("exam.json: input "+name, err)
		out[name] = filled
	}
	return out
}

// create asks for the payment.
func (a *attempt) create() *attempt {
	a.Helper()
	ctx, cancel := a.within(patience)
	defer cancel()
	p, err := a.client.CreateCheckout(ctx, a.request)
	a.must("CreateCheckout", err)
	a.learn(p)
	if took := p.Status == sdk.Succeeded || p.Status == sdk.RequiresCapture || p.Status == sdk.Pending; took && a.flow.Can(sdk.PayerActs) {
		a.Errorf("flow %s says payer_acts, and CreateCheckout alone made the payment %q: the hub lets such checkouts through while money-out is closed", a.flow.Name, p.Status)
	}
	return a
}

// learn keeps what a payment tells, as the hub does: names add up, and what is
// left out is kept.
func (a *attempt) learn(p *sdk.Payment) {
	refs, opaque, next := a.payment.Refs, a.payment.Opaque, a.payment.NextAction
	for _, r := range p.Refs {
		if !slices.Contains(refs, r) {
			refs = append(refs, r)
		}
	}
	known := *p
	known.Refs = refs
	if len(known.Opaque) == 0 {
		known.Opaque = opaque
	}
	if known.NextAction == nil {
		known.NextAction = next
	}
	a.payment = &known
	a.keeps(p)
	if p.Failure != nil {
		a.failure = p.Failure
	}
	for _, r := range refs {
		a.vars["ref."+r.Kind] = r.Value
	}
	if n := known.NextAction; n != nil {
		a.vars["next_action.url"], a.vars["next_action.data"] = n.URL, n.Data
		for name, value := range n.Client {
			a.vars["next_action.client."+name] = value
		}
		for name, value := range n.Fields {
			a.vars["next_action.fields."+name] = value
		}
	}
}

// named is the payment as the hub names it.
func (a *attempt) named() sdk.PaymentRequest {
	return sdk.PaymentRequest{
		AttemptID: a.request.AttemptID, InstanceID: instance, Flow: a.flow.Name, Refs: a.payment.Refs,
		Amount: a.request.Amount, CreatedAt: a.request.CreatedAt, Opaque: a.payment.Opaque,
	}
}

// read asks for the provider's truth.
func (a *attempt) read() *sdk.Payment {
	a.Helper()
	ctx, cancel := a.within(patience)
	defer cancel()
	p, err := a.client.GetPayment(ctx, a.named())
	a.must("GetPayment", err)
	a.learn(p)
	return p
}

// walk takes the payer's steps, up to the first Confirm if so wished, and
// returns that one.
func (a *attempt) walk(toConfirm bool) (Step, bool) {
	a.Helper()
	for i := len(a.which.Payer) - len(a.left); len(a.left) > 0; i++ {
		step := a.left[0]
		a.left = a.left[1:]
		switch {
		case !step.confirms():
			a.press(fmt.Sprintf("payer[%d]", i), step)
		case toConfirm:
			return step, true
		default:
			ctx, cancel := a.within(patience)
			p, err := a.client.Confirm(ctx, a.confirmation(step))
			cancel()
			a.must("Confirm", err)
			a.learn(p)
		}
	}
	return Step{}, false
}

func (a *attempt) confirmation(step Step) sdk.ConfirmRequest {
	a.Helper()
	r := sdk.ConfirmRequest{
		PaymentRequest: a.named(), Key: a.id("op"), CaptureMode: a.request.CaptureMode,
		Input: a.input(a.flow.Confirm, step.Confirm), URLs: a.request.URLs,
	}
	if a.flow.Can(sdk.TakesReturn) {
		if a.back == nil {
			a.fatalf("flow %s takes the payer's return, and no step of exam.json before \"confirm\" is answered with a redirect to {{return_url}} with parameters", a.flow.Name)
		}
		r.Return = a.back
	}
	return r
}

// settle waits until the payment is as wanted. Who pays by a form is seen to
// have paid at once or a little later.
func (a *attempt) settle(want func(*sdk.Payment) bool) *sdk.Payment {
	a.Helper()
	for deadline := time.Now().Add(a.settling()); ; time.Sleep(30 * time.Millisecond) {
		p := a.read()
		if want(p) {
			return p
		}
		if time.Now().After(deadline) {
			a.fatalf("after the payer's steps of exam.json GetPayment says status %q, failure %+v, captures %+v: not what the case is about", p.Status, p.Failure, p.Captures.Items)
		}
	}
}

func has(status sdk.Status) func(*sdk.Payment) bool {
	return func(p *sdk.Payment) bool {
		return p.Status == status && (status != sdk.Succeeded || len(p.Captures.Items) > 0)
	}
}

// paid is a payment of a successful case, from nothing to the end.
func (s *sheet) paid(change ...func(*sdk.CheckoutRequest)) *attempt {
	s.Helper()
	a := s.attempt(s.paper.Success, change...).create()
	a.pay()
	return a
}

// pay lets the payer do all, and waits for the money, or for its approval.
func (a *attempt) pay() *sdk.Payment {
	a.Helper()
	a.walk(false)
	if a.request.CaptureMode == sdk.CaptureManual {
		return a.settle(has(sdk.RequiresCapture))
	}
	return a.settle(has(sdk.Succeeded))
}

func manually(r *sdk.CheckoutRequest) { r.CaptureMode = sdk.CaptureManual }

// capture is the one that a paid attempt has.
func (a *attempt) capture() sdk.Capture {
	a.Helper()
	if len(a.payment.Captures.Items) == 0 {
		a.fatalf("the payment succeeded and has no capture: %+v", a.payment)
	}
	return a.payment.Captures.Items[0]
}

// refund prepares a refund under a key and an id of its own.
func (a *attempt) refund(amount sdk.Money) sdk.RefundRequest {
	a.Helper()
	return sdk.RefundRequest{
		PaymentRequest: a.named(), Key: a.id("op"), RefundID: a.id("ref"), CaptureID: a.capture().ID,
		Refund: amount, Reason: "one book is torn",
	}
}
