package main

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

const (
	metadataReason = "superpay_reason"
	maxRefunds     = 1000 // of one payment; a longer list is reported as not complete
	linesTimeout   = 3 * time.Second
)

// Refund implements sdk.Refunder. The amount is always sent: left out, Stripe
// gives back all that remains.
func (p *Provider) Refund(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
	if _, err := p.ready(r.Flow, r.Key); err != nil {
		return nil, err
	}
	ctx, done := once.Within(ctx)
	defer done()
	amount, _, err := toWire(r.Refund)
	if err != nil {
		return nil, err
	}
	params := &stripe.RefundParams{
		Params:   post(ctx, r.Key),
		Amount:   &amount,
		Metadata: r.HubMetadata(),
	}
	params.Charge, params.PaymentIntent = refunded(r.CaptureID, r.Refs)
	if params.Charge == nil && params.PaymentIntent == nil {
		return nil, sdk.NotSent("neither a charge nor a payment intent is known")
	}
	switch r.Reason {
	case "":
	case "duplicate", "fraudulent", "requested_by_customer":
		// Only the exact words: any other is a 400, and "fraudulent" puts the
		// payer's card and e-mail on Radar's block lists.
		params.Reason = &r.Reason
	default:
		params.Metadata[metadataReason] = truncate(r.Reason, maxMetadataValue)
	}
	re, err := p.api.Refunds.New(params)
	if err == nil && re.ID == "" {
		err = once.ErrUnreadable
	}
	if err != nil {
		return nil, refundOutcome(err)
	}
	out := fromRefund(re)
	out.Lines = p.refundLines(ctx, re.ID)
	return &out, nil
}

// refundLines reads how a refund that was just made stands in the balance. The request
// that makes it does not ask, for a key that may not read the balance would be refused,
// perhaps after the money went. Where this read fails a later one tells.
func (p *Provider) refundLines(ctx context.Context, id string) []sdk.Line {
	ctx, cancel := context.WithTimeout(ctx, linesTimeout)
	defer cancel()
	re, err := p.getRefund(ctx, id)
	if err != nil || re.ID != id {
		return nil
	}
	return fromRefund(re).Lines
}

// refunded names what is given back: the capture itself, or its PaymentIntent.
// Charges are ch_..., or py_... for methods other than cards.
func refunded(captureID string, refs []sdk.Ref) (charge, intent *string) {
	if strings.HasPrefix(captureID, "ch_") || strings.HasPrefix(captureID, "py_") {
		return &captureID, nil
	}
	if id := ref(refs, kindIntent); id != "" {
		return nil, &id
	}
	if id := ref(refs, kindCharge); id != "" {
		return &id, nil
	}
	return nil, nil
}

// refundOutcome knows that a refund's amount is refused for being more than is
// left: Stripe has a code only for "nothing left", else it names the parameter.
func refundOutcome(err error) error {
	out := outcome("create refund", err)
	var rejected *sdk.RejectedError
	if errors.As(out, &rejected) && isAbout(err, "amount") && rejected.Failure.ProviderCode != string(stripe.ErrorCodeAmountTooSmall) {
		rejected.Failure.Code = sdk.FailureRefundExceedsBalance
	}
	return out
}

// GetRefund implements sdk.Refunder.
func (p *Provider) GetRefund(ctx context.Context, r sdk.GetRefundRequest) (*sdk.Refund, error) {
	if _, err := p.ready(r.Flow, "a read needs none"); err != nil {
		return nil, err
	}
	ctx, done := once.Within(ctx)
	defer done()
	if r.ProviderID == "" {
		return p.findRefund(ctx, r)
	}
	re, err := p.getRefund(ctx, r.ProviderID)
	if isMissing(err) {
		return nil, sdk.ErrNotFound
	}
	if err == nil && re.ID == "" {
		err = once.ErrUnreadable
	}
	if err != nil {
		return nil, outcome("read refund", err)
	}
	out := fromRefund(re)
	return &out, nil
}

// getRefund reads a refund with its lines in the balance, or without them where the key
// may not read those.
func (p *Provider) getRefund(ctx context.Context, id string) (*stripe.Refund, error) {
	params := &stripe.RefundParams{Params: get(ctx)}
	params.AddExpand("balance_transaction")
	params.AddExpand("failure_balance_transaction")
	re, err := p.api.Refunds.Get(id, params)
	if isForbidden(err) {
		return p.api.Refunds.Get(id, &stripe.RefundParams{Params: get(ctx)})
	}
	return re, err
}

// findRefund looks for the hub's id, or the hash of the app's key, in the
// metadata of the payment's refunds.
func (p *Provider) findRefund(ctx context.Context, r sdk.GetRefundRequest) (*sdk.Refund, error) {
	params := &stripe.RefundListParams{}
	params.Charge, params.PaymentIntent = refunded(r.CaptureID, r.Refs)
	if r.RefundID == "" || params.Charge == nil && params.PaymentIntent == nil {
		return nil, sdk.NotSent("nothing to look for the refund by")
	}
	var found *sdk.Refund
	whole, err := p.walkRefunds(ctx, params, func(re *stripe.Refund) bool {
		ours := re.Metadata[sdk.MetadataInstance] == r.InstanceID
		if ours && (re.Metadata[sdk.MetadataRefund] == r.RefundID || r.FindKeyHash != "" && re.Metadata[sdk.MetadataKey] == r.FindKeyHash) {
			out := fromRefund(re)
			found = &out
		}
		return found == nil
	})
	switch {
	case err != nil:
		return nil, outcome("list refunds", err)
	case found != nil:
		return found, nil
	case !whole:
		return nil, errors.New("stripe: the payment has more refunds than are searched")
	}
	return nil, sdk.ErrNotFound
}

// refundsOf lists the refunds of a PaymentIntent, or of a charge without one,
// less the one by which Stripe shows the release of what a capture left over, whose
// lines are the capture's.
func (p *Provider) refundsOf(ctx context.Context, intent string, ch *stripe.Charge) (out sdk.Refunds, released []sdk.Line, err error) {
	params := &stripe.RefundListParams{PaymentIntent: optional(intent)}
	if intent == "" {
		params.Charge = &ch.ID
	}
	left := int64(0)
	if ch != nil && ch.Captured {
		left = ch.Amount - ch.AmountCaptured
	}
	whole, err := p.walkRefunds(ctx, params, func(re *stripe.Refund) bool {
		switch {
		case isRelease(re):
			out.LeftOut = append(out.LeftOut, re.ID)
			released = append(released, linesOf(sdk.LineCapture, re.BalanceTransaction)...)
		case left > 0 && re.Amount == left && re.BalanceTransaction == nil && mayBeRelease(re):
			left = 0
			out.LeftOut = append(out.LeftOut, re.ID)
		default:
			out.Items = append(out.Items, fromRefund(re))
		}
		return true
	})
	if err != nil {
		return sdk.Refunds{}, nil, outcome("list refunds", err)
	}
	out.Complete = whole
	return out, released, nil
}

// mayBeRelease reports whether a refund may be no more than the release of an
// authorisation ("any additional amount is automatically refunded", says
// Stripe's capture): the hub did not ask for it.
func mayBeRelease(re *stripe.Refund) bool {
	return re.Status == stripe.RefundStatusSucceeded && re.Metadata[sdk.MetadataRefund] == ""
}

// isRelease reports whether it is one by Stripe's word. The balance transaction
// must be expanded; a release that moved nothing in the balance has none, and
// is known by its amount only.
func isRelease(re *stripe.Refund) bool {
	bt := re.BalanceTransaction
	return re.Reason == stripe.RefundReasonExpiredUncapturedCharge ||
		bt != nil && bt.ReportingCategory == stripe.BalanceTransactionReportingCategoryPartialCaptureReversal
}

func (p *Provider) walkRefunds(ctx context.Context, params *stripe.RefundListParams, visit func(*stripe.Refund) bool) (bool, error) {
	params.Context, params.Limit = ctx, stripe.Int64(pageSize)
	params.AddExpand("data.balance_transaction") // it tells a release, too
	params.AddExpand("data.failure_balance_transaction")
	data := func(l stripe.ListContainer) []*stripe.Refund { return l.(*stripe.RefundList).Data }
	visited := false
	whole, err := walk(p.api.Refunds.List(params).Iter, data, maxRefunds, func(re *stripe.Refund) bool {
		visited = true
		return visit(re)
	})
	if isForbidden(err) && !visited { // the key may not read the balance
		params.Expand = nil
		return walk(p.api.Refunds.List(params).Iter, data, maxRefunds, visit)
	}
	return whole, err
}

// listRefunds returns one page of the refunds since then, newest first, each
// with the payment that it is of. What may be no more than the release of an
// authorisation names its payment only, which is known by its own lists.
func (p *Provider) listRefunds(ctx context.Context, since time.Time, after string, limit int) (*sdk.ListPage, error) {
	params := &stripe.RefundListParams{}
	params.Context, params.Limit, params.Single = ctx, stripe.Int64(int64(limit)), true
	params.StartingAfter = optional(after)
	params.CreatedRange = createdSince(since)
	params.AddExpand("data.balance_transaction") // it tells a release
	params.AddExpand("data.failure_balance_transaction")
	it := p.api.Refunds.List(params)
	list := it.RefundList()
	if it.Err() != nil || list.Data == nil {
		return nil, outcome("list refunds", cmp.Or(it.Err(), once.ErrUnreadable))
	}
	page := &sdk.ListPage{}
	for _, re := range list.Data {
		if re == nil || re.ID == "" {
			return nil, outcome("list refunds", once.ErrUnreadable)
		}
		if list.HasMore {
			page.Next = re.ID
		}
		if isRelease(re) || mayBeRelease(re) && re.BalanceTransaction == nil {
			continue
		}
		payment := movementOf(re.Metadata, re.PaymentIntent, re.Charge)
		payment.Refunds.Items = []sdk.Refund{fromRefund(re)}
		page.Payments = append(page.Payments, payment)
	}
	return page, nil
}

func fromRefund(re *stripe.Refund) sdk.Refund {
	out := sdk.Refund{
		ID:     re.ID,
		Status: sdk.MovementPending, // requires_action too: the payer has no money yet
		Amount: fromWire(re.Amount, re.Currency),
		At:     at(re.Created),
		Lines:  linesOf(sdk.LineRefund, re.BalanceTransaction, re.FailureBalanceTransaction),
	}
	out.ReadMetadata(re.Metadata)
	if re.Charge != nil {
		out.CaptureID = re.Charge.ID
	}
	switch re.Status {
	case stripe.RefundStatusSucceeded:
		out.Status = sdk.MovementSucceeded
	case stripe.RefundStatusFailed, stripe.RefundStatusCanceled:
		out.Status = sdk.MovementFailed
		out.Failure = refundFailure(re)
	}
	return out
}

// refundFailure says why money could not be given back. A lost or stolen card
// is not named: the failure is shown to apps.
func refundFailure(re *stripe.Refund) *sdk.Failure {
	reason := string(re.FailureReason)
	switch reason {
	case "expired_or_canceled_card":
		return &sdk.Failure{Code: sdk.FailureExpiredCard, ProviderCode: reason, Message: "The card has expired or was canceled."}
	case "insufficient_funds":
		return &sdk.Failure{Code: sdk.FailureInsufficientFunds, ProviderCode: reason, Message: "The balance was too low for the refund."}
	case "lost_or_stolen_card", "":
		reason = string(re.Status)
	}
	return &sdk.Failure{Code: sdk.FailureDeclined, ProviderCode: scrub(reason), Message: "The refund was not accepted."}
}
