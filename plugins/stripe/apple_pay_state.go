package main

import (
	"cmp"
	"context"
	"time"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// clientHolds is the opaque data of an attempt whose client secret was given
// away.
const clientHolds = "client_secret"

func handedOver(opaque []byte) bool { return string(opaque) == clientHolds }

// fromApplePay tells what a PaymentIntent of this flow proves. A decline is the
// end of it, for nobody but our server could confirm it again and another
// payment method is another attempt; unless its client secret was handed over
// and Stripe takes a confirmation from the client ("manual: all payment attempts
// must be made using a secret key"). Then it can still be paid, and is open.
func fromApplePay(pi *stripe.PaymentIntent, handed bool) *sdk.Payment {
	p := fromIntent(pi)
	if pi.Status != stripe.PaymentIntentStatusRequiresPaymentMethod {
		return p
	}
	if p.Failure == nil { // "cleared if the PaymentIntent is later updated"
		p.Failure = decline("payment_intent_payment_attempt_failed", "")
	}
	if !handed || manual(pi) {
		p.Status = sdk.Failed
	}
	return p
}

func manual(pi *stripe.PaymentIntent) bool {
	return pi.ConfirmationMethod == stripe.PaymentIntentConfirmationMethodManual
}

// applePayAnswer reads an answer that holds a PaymentIntent, declines included.
func (p *Provider) applePayAnswer(what string, pi *stripe.PaymentIntent, err error, handed bool) (*sdk.Payment, error) {
	if se := declined(err); se != nil {
		out := &sdk.Payment{Mode: p.settings.mode, Status: sdk.Failed}
		if pi := se.PaymentIntent; pi != nil && pi.ID != "" && pi.Status != "" {
			out = fromApplePay(pi, handed)
		}
		out.Failure = failureOf(se)
		return out, nil
	}
	if _, err := intentAnswer(what, pi, err); err != nil {
		return nil, err
	}
	out := fromApplePay(pi, handed)
	if pi.Status == stripe.PaymentIntentStatusRequiresAction {
		p.handOver(out, pi)
	}
	return out, nil
}

// handOver says what the payer has to do. A redirect needs no client secret, so
// it keeps it, except in a legacy payment, which goes on in the client's hands.
func (p *Provider) handOver(out *sdk.Payment, pi *stripe.PaymentIntent) {
	kind, url := "", ""
	if next := pi.NextAction; next != nil {
		kind = string(next.Type)
		if next.RedirectToURL != nil {
			url = next.RedirectToURL.URL
		}
	}
	if url != "" && !manual(pi) {
		out.NextAction = &sdk.NextAction{Type: sdk.ActionRedirect, URL: url}
		return
	}
	client := map[string]string{
		"client_secret":   pi.ClientSecret,
		"publishable_key": p.settings.publishableKey,
		"payment_intent":  pi.ID,
		"next_action":     kind,
	}
	if url != "" {
		client["redirect_url"] = url
	}
	out.NextAction = &sdk.NextAction{Type: sdk.ActionClient, Client: client}
	out.Opaque = []byte(clientHolds)
}

// walkIntents is the lister of PaymentIntents.
func (p *Provider) walkIntents(ctx context.Context, created *stripe.RangeQueryParams, visit func(listed) bool) (bool, error) {
	params := &stripe.PaymentIntentListParams{CreatedRange: created}
	params.Context, params.Limit = ctx, stripe.Int64(pageSize)
	data := func(l stripe.ListContainer) []*stripe.PaymentIntent { return l.(*stripe.PaymentIntentList).Data }
	return walk(p.api.PaymentIntents.List(params).Iter, data, maxSearched, func(pi *stripe.PaymentIntent) bool {
		return visit(listed{pi.ID, pi.Created, pi.Metadata})
	})
}

// listIntents returns one page of the PaymentIntents since then, newest first.
// One of a session that is as young comes twice, under the same capture's id: a
// session may be older than the time asked for, and was paid after it.
func (p *Provider) listIntents(ctx context.Context, since time.Time, after string, limit int) (*sdk.ListPage, error) {
	params := &stripe.PaymentIntentListParams{}
	params.Context, params.Limit, params.Single = ctx, stripe.Int64(int64(limit)), true
	params.StartingAfter = optional(after)
	params.CreatedRange = createdSince(since)
	params.AddExpand("data.latest_charge")
	it := p.api.PaymentIntents.List(params)
	list := it.PaymentIntentList()
	if it.Err() != nil || list.Data == nil {
		return nil, outcome("list payment intents", cmp.Or(it.Err(), once.ErrUnreadable))
	}
	page := &sdk.ListPage{}
	for _, pi := range list.Data {
		if pi == nil || pi.ID == "" {
			return nil, outcome("list payment intents", once.ErrUnreadable)
		}
		if pi.Metadata[metadataFlow] == applePay.Name {
			page.Payments = append(page.Payments, *fromApplePay(pi, true)) // it may have been handed over
		} else {
			page.Payments = append(page.Payments, *fromIntent(pi))
		}
		if list.HasMore {
			page.Next = pi.ID
		}
	}
	return page, nil
}
