package main

import (
	"cmp"
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// checkoutSession is Stripe's own payment page: hosted at Stripe, or embedded
// in the app's page. The page that the payer returns to settles nothing.
var checkoutSession = sdk.Flow{
	Name: "checkout_session", Title: "Stripe Checkout",
	Inputs: []sdk.Field{{
		Name: "ui_mode", Title: "Page", Options: []string{uiHosted, uiEmbedded}, Default: uiHosted,
		Help: "hosted: the payer is sent to Stripe. embedded: Stripe's form appears in the app's page.",
	}},
	CaptureModes: []sdk.CaptureMode{sdk.CaptureAutomatic, sdk.CaptureManual},
	Capabilities: []sdk.Capability{sdk.PayerActs, sdk.CanCancel, sdk.CanCapture, sdk.CanCapturePart, sdk.CanRefund, sdk.CanRefundPart},
}

const (
	uiHosted   = "hosted"
	uiEmbedded = "embedded"
)

// Stripe's limits.
const (
	maxLineItems     = 100
	maxQuantity      = 999_999
	maxMetadata      = 50
	maxMetadataKey   = 40
	maxMetadataValue = 500
	minOpen          = 30 * time.Minute // of a session, from its creation
	maxOpen          = 24 * time.Hour
)

func (p *Provider) createSession(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
	items, err := lineItems(r)
	if err != nil {
		return nil, err
	}
	expiry, err := sessionExpiry(r)
	if err != nil {
		return nil, err
	}
	// Metadata of a session is not copied to its PaymentIntent, whose events
	// come on their own, so both get it.
	metadata := metadataFor(r)
	params := &stripe.CheckoutSessionParams{
		Params:            post(ctx, r.Key),
		Mode:              stripe.String(string(stripe.CheckoutSessionModePayment)),
		LineItems:         items,
		ClientReferenceID: optional(r.AttemptID),
		CustomerEmail:     email(r.Customer),
		Metadata:          metadata,
		PaymentIntentData: &stripe.CheckoutSessionPaymentIntentDataParams{
			Description: optional(r.Description),
			Metadata:    metadata,
		},
	}
	if r.CaptureMode == sdk.CaptureManual {
		params.PaymentIntentData.CaptureMethod = stripe.String(string(stripe.PaymentIntentCaptureMethodManual))
	}
	if !expiry.IsZero() {
		params.ExpiresAt = stripe.Int64(expiry.Unix())
	}
	if r.Input["ui_mode"] == uiEmbedded { // takes no success_url and no cancel_url
		params.UIMode = stripe.String(uiEmbedded)
		params.ReturnURL = optional(r.URLs.Return)
	} else {
		params.SuccessURL = optional(r.URLs.Return)
		params.CancelURL = optional(r.URLs.Cancel)
	}
	s, err := p.api.CheckoutSessions.New(params)
	if isAbout(err, "expires_at") {
		return nil, sdk.NotSent("the session's expiry has come too close")
	}
	return p.sessionAnswer("create checkout session", s, err)
}

// sessionExpiry is when Stripe closes the session by itself, zero for Stripe's default:
// with the order, or after 35 minutes where that is too soon for Stripe. The session then
// outlives the order, and is expired by the hub, which cancels what can still be paid
// when an order's time is up. What no sending could make valid is rejected.
// It depends on the request alone: what passes here and is refused by Stripe was sent
// late, so that the refusal says nothing of an earlier sending. Time is the one thing
// that may differ between two sendings of the same bytes.
func sessionExpiry(r sdk.CheckoutRequest) (time.Time, error) {
	if r.ExpiresAt.IsZero() {
		return time.Time{}, nil
	}
	open := r.ExpiresAt.Sub(r.CreatedAt)
	if open <= 0 || open > maxOpen {
		return time.Time{}, sdk.Rejected(sdk.Failure{
			Code:    sdk.FailureInvalidRequest,
			Message: "Stripe keeps a checkout session open for 24 hours at most.",
		})
	}
	if open < minOpen+time.Minute {
		open = minOpen + 5*time.Minute
	}
	return r.CreatedAt.Add(open), nil
}

// lineItems shows the payer what is bought, if its lines add up to the amount
// in units that Stripe takes, else one line of the whole amount. What is asked
// for is the order's amount either way.
func lineItems(r sdk.CheckoutRequest) ([]*stripe.CheckoutSessionLineItemParams, error) {
	total, currency, err := toWire(r.Amount)
	if err != nil {
		return nil, err
	}
	line := func(name string, quantity, amount int64) *stripe.CheckoutSessionLineItemParams {
		return &stripe.CheckoutSessionLineItemParams{
			Quantity: &quantity,
			PriceData: &stripe.CheckoutSessionLineItemPriceDataParams{
				Currency:    &currency,
				UnitAmount:  &amount,
				ProductData: &stripe.CheckoutSessionLineItemPriceDataProductDataParams{Name: &name},
			},
		}
	}
	whole := []*stripe.CheckoutSessionLineItemParams{line(cmp.Or(r.Description, "Order"), 1, total)}
	if len(r.LineItems) > maxLineItems {
		return whole, nil
	}
	var items []*stripe.CheckoutSessionLineItemParams
	var sum int64
	for _, i := range r.LineItems {
		amount, _, err := toWire(sdk.Money{Amount: i.Amount, Currency: r.Amount.Currency, Exponent: r.Amount.Exponent})
		if err != nil || i.Name == "" || i.Quantity < 1 || i.Quantity > maxQuantity {
			return whole, nil
		}
		items = append(items, line(i.Name, i.Quantity, amount))
		sum += i.Quantity * amount
		if sum > total {
			return whole, nil
		}
	}
	if sum != total {
		return whole, nil
	}
	return items, nil
}

// metadataFor keeps the app's metadata as far as Stripe takes it, in the order
// of its keys; the hub has all of it. Keys with our prefix are ours alone.
func metadataFor(r sdk.CheckoutRequest) map[string]string {
	out := r.HubMetadata()
	out[metadataFlow] = r.Flow
	for _, k := range slices.Sorted(maps.Keys(r.Metadata)) {
		v := r.Metadata[k]
		switch {
		case len(out) == maxMetadata:
			return out
		case strings.HasPrefix(k, "superpay_"), strings.ContainsAny(k, "[]"):
		case k == "" || utf8.RuneCountInString(k) > maxMetadataKey:
		case v == "" || utf8.RuneCountInString(v) > maxMetadataValue: // an empty value means "unset"
		default:
			out[k] = v
		}
	}
	return out
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// emailForm is what Stripe takes for an address; it answers 400 email_invalid to others,
// and to some that look like it.
var emailForm = regexp.MustCompile(`^[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$`)

// email is a customer's address, unless Stripe might refuse the payment for it: a page
// without it asks the payer, and a receipt less is no reason to lose an order.
func email(c sdk.Customer) *string {
	local, _, _ := strings.Cut(c.Email, "@")
	if !emailForm.MatchString(c.Email) || strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		return nil
	}
	return &c.Email
}

// readSession reads a session with all that hangs on it.
func (p *Provider) readSession(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
	id := ref(r.Refs, kindSession)
	if id == "" {
		var err error
		if id, err = find(ctx, r, "checkout sessions", p.walkSessions); err != nil {
			return nil, err
		}
	}
	params := &stripe.CheckoutSessionParams{Params: get(ctx)}
	params.AddExpand("payment_intent.latest_charge.balance_transaction")
	s, err := p.api.CheckoutSessions.Get(id, params)
	if isMissing(err) {
		return nil, sdk.ErrNotFound
	}
	out, err := p.sessionAnswer("read checkout session", s, err)
	if err != nil {
		return nil, err
	}
	if err := p.complete(ctx, out, s.PaymentIntent); err != nil {
		return nil, err
	}
	return out, nil
}

// captureSession takes the money of a session that was paid with manual capture.
func (p *Provider) captureSession(ctx context.Context, r sdk.CaptureRequest) (*sdk.Payment, error) {
	read := func() (*sdk.Payment, error) { return p.readSession(ctx, r.PaymentRequest) }
	known := r.Refs
	if ref(known, kindIntent) == "" {
		now, err := read()
		if err != nil {
			return nil, sdk.NotSent("the session could not be read: " + err.Error())
		}
		known = now.Refs
	}
	id := ref(known, kindIntent)
	if id == "" {
		return nil, sdk.NotSent("the session has no payment intent yet")
	}
	out, err := p.captureIntent(ctx, id, r)
	if err != nil {
		return truthAfter(err, read, func(s sdk.Status) bool { return s != sdk.Succeeded })
	}
	return withRefs(known, out), nil
}

// cancelSession closes an open session, or releases the money of one that was
// paid with manual capture. Only an open session expires, and its PaymentIntent
// cannot be canceled before that; so expiry is tried first and Stripe decides
// the race with the payer.
func (p *Provider) cancelSession(ctx context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
	id := ref(r.Refs, kindSession)
	if id == "" {
		return nil, sdk.NotSent("no checkout session is known")
	}
	read := func() (*sdk.Payment, error) { return p.readSession(ctx, r.PaymentRequest) }
	s, err := p.api.CheckoutSessions.Expire(id, &stripe.CheckoutSessionExpireParams{Params: post(ctx, r.Key)})
	out, err := p.sessionAnswer("expire checkout session", s, err)
	if err == nil {
		return withRefs(r.Refs, out), nil
	}
	now, err := truthAfter(err, read, func(s sdk.Status) bool { return s == sdk.RequiresAction })
	if err != nil || now.Status != sdk.RequiresCapture {
		return now, err
	}
	out, err = p.cancelIntent(ctx, ref(now.Refs, kindIntent), r)
	if err != nil {
		return truthAfter(err, read, func(s sdk.Status) bool { return s == sdk.RequiresCapture })
	}
	return withRefs(now.Refs, out), nil
}

func (p *Provider) sessionAnswer(what string, s *stripe.CheckoutSession, err error) (*sdk.Payment, error) {
	if err == nil && (s.ID == "" || s.Status == "") { // the library takes {} for success
		err = once.ErrUnreadable
	}
	if err != nil {
		return nil, outcome(what, err)
	}
	out := fromSession(s)
	if s.Status == stripe.CheckoutSessionStatusOpen {
		out.NextAction = p.nextAction(s)
	}
	return out, nil
}

func (p *Provider) nextAction(s *stripe.CheckoutSession) *sdk.NextAction {
	if s.UIMode == stripe.CheckoutSessionUIModeEmbedded {
		return &sdk.NextAction{Type: sdk.ActionClient, Client: map[string]string{
			"client_secret":   s.ClientSecret,
			"publishable_key": p.settings.publishableKey,
			"session_id":      s.ID,
		}}
	}
	return &sdk.NextAction{Type: sdk.ActionRedirect, URL: s.URL}
}
