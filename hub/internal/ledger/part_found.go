package ledger

import (
	"cmp"
	"slices"

	"github.com/superpayhub/superpay/sdk"
)

// foundPart is a part of a refund that the database had forgotten and the provider
// told of, with its key at the provider.
type foundPart struct {
	refund *Refund
	key    string
}

// foundParts returns the parts that were carried out before of what is asked for
// now under the same key, in the order in which they were asked for. A part's key
// follows from the app's key and the capture, and the provider's metadata hold the
// hash of it.
func (o *Order) foundParts(ask Ask, env Env) (found []foundPart) {
	recovered := func(r *Refund) bool { return r.PartKey != "" && r.PartOf == "" && r.ProviderID != nil }
	if ask.IdempotencyKey == "" || !env.Secret.Known() || !slices.ContainsFunc(o.Refunds, recovered) {
		return nil
	}
	whole := env.Secret.ProviderKey(o.AppID, sdk.OpRefund, ask.IdempotencyKey)
	op := &Operation{DerivedKey: &whole}
	for _, c := range o.Captures {
		key := op.PartKey(c.ProviderID)
		hash := env.Secret.KeyHash(o.AppID, key)
		for _, r := range o.Refunds {
			if recovered(r) && r.PartKey == hash {
				found = append(found, foundPart{r, key})
			}
		}
	}
	return found
}

// askParts records the repeat of a refund in parts after the database had lost it.
// The parts that were found keep their status. What the requested amount has beyond
// them becomes further parts over other captures, which are sent like those of any
// refund in parts. Without a requested amount the refund is what was found.
func (o *Order) askParts(in NewRefund, found []foundPart, ask Ask, env Env) (Change, *Operation, error) {
	first := found[0].refund
	a := o.Attempt(first.AttemptID)
	if op := o.OpenOperation(a.ID); op != nil {
		return Change{}, nil, Conflictf("operation_open", "a %s of this payment is not settled yet; read the order and try again", op.Kind)
	}
	rest := in.Amount.Of(0)
	var done []string
	outcome, failure := OutcomeSucceeded, first.Failure
	for _, f := range found {
		rest -= f.refund.Amount
		done = append(done, f.refund.CaptureID)
		if f.refund.Status == sdk.MovementFailed {
			outcome, failure = OutcomeDeclined, f.refund.Failure
		}
	}
	if !in.Amount.IsAll() && rest < 0 || in.AttemptID != "" && in.AttemptID != a.ID || cmp.Or(in.Currency, o.Currency) != first.Currency {
		return Change{}, nil, Conflictf("idempotency_key_reused", "this Idempotency-Key was used with another request; use a new key for a new request")
	}
	var missing []share
	b := o.balance(a, first.Currency)
	if rest > 0 && outcome == OutcomeSucceeded {
		if left := b.refundableBy(ask.Operator); rest > left {
			return Change{}, nil, tooMuch(o, b, left)
		}
		var err error
		if missing, err = o.shares(a, b, rest, ask.Operator, done...); err != nil {
			return Change{}, nil, err
		}
	}
	d := start(o, env)
	lead := d.o.Refund(first.ID)
	op := d.operation(sdk.OpRefund, d.o.Attempt(a.ID), lead, ask)
	d.settle(op, News{Source: ask.Source, RequestID: ask.RequestID}, outcome, failure)
	for _, f := range found {
		part := d.o.Refund(f.refund.ID)
		part.PartKey = f.key
		if part != lead {
			part.PartOf = lead.ID
		}
	}
	for _, s := range missing {
		part := d.refundOf(a, b, s, in.Reason)
		part.PartOf, part.PartKey = lead.ID, op.PartKey(s.capture.ProviderID)
	}
	return d.finish(), op, nil
}
