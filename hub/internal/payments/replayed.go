package payments

import (
	"context"
	"errors"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

// A provider may answer a key with what it made under it before, and not look at
// what is asked now. So an answer is about what it names, not about what was
// asked: after a database was restored, about what the hub has forgotten.

// replayed returns the news of an answer as far as they are about what was asked.
// Where the answer names something else that is on record, the payment or refund
// is taken out, and the outcome set or, where it is not known, left empty.
func (s *Service) replayed(ctx context.Context, o *ledger.Order, op *ledger.Operation, n ledger.News) ledger.News {
	switch {
	case n.Payment != nil && op.Kind == sdk.OpCreate && n.Payment.AttemptID != "" && n.Payment.AttemptID != *op.AttemptID:
		return s.replayedPayment(ctx, o, op, n)
	case n.Refund != nil && op.Kind == sdk.OpRefund:
		return s.replayedRefund(o, op, n)
	}
	return n
}

func (s *Service) replayedPayment(ctx context.Context, o *ledger.Order, op *ledger.Operation, n ledger.News) ledger.News {
	if n.Payment.InstanceID != s.DB.InstanceID() {
		return n // another hub's, or of nobody: recorded as it is, and flagged
	}
	said := *n.Payment
	if said.Reference == "" {
		said.Reference = o.Reference // a provider may have no room for it; the digest decides
	}
	claim, proven := s.paymentClaim(o.Attempt(*op.AttemptID).Provider, &said)
	sameKey := proven && claim.KeyHash != "" && claim.KeyHash == s.DB.Secret().HashOf(o, op) && claim.AppID == o.AppID
	named, err := s.DB.OrderOfAttempt(ctx, said.AttemptID)
	switch {
	case errors.Is(err, postgres.ErrNotFound) && sameKey && claim.Reference == o.Reference:
		n.Lost = &claim // it is what this very request made before the database forgot it
		return n
	case errors.Is(err, postgres.ErrNotFound) && !sameKey:
		return n // nobody knows it: recorded as it is, and flagged
	case errors.Is(err, postgres.ErrNotFound), err != nil:
		// The same key for another order that is not on record, or not to be had now.
		n.Payment = nil
		n.Operation.Outcome = ledger.OutcomeUnknown
		n.Operation.Arrived = n.Operation.Arrived || sameKey
		return n
	}
	n.Payment = nil
	_, err = s.apply(ctx, named, nil, ledger.News{AttemptID: said.AttemptID, Source: ledger.FromHub, Hint: true})
	if err != nil {
		s.Logger.WarnContext(ctx, "a payment that another operation's answer named is read later", "order", named.ID, "error", err)
	}
	if !sameKey {
		n.Raise = ledger.ReferenceMismatch
		return n
	}
	n.Operation.Outcome = ledger.OutcomeDeclined
	n.Operation.Rejected = true
	n.Operation.Failure = &sdk.Failure{Code: sdk.FailureDuplicate, Message: "this Idempotency-Key had already made a payment of order " + named.ID}
	return n
}

// replayedRefund lets an answer be about the refund that was asked for unless it
// names another one of the hub's that is on record.
func (s *Service) replayedRefund(o *ledger.Order, op *ledger.Operation, n ledger.News) ledger.News {
	if o.RefundAnswered(*op.RefundID, n.Refund) {
		return n
	}
	n.Refund = nil
	n.Hint = true
	n.Raise = ledger.RefundMismatch
	return n
}

// undecided reports whether an answer said nothing of what was asked.
func undecided(n ledger.News) bool {
	return n.Payment == nil && n.Refund == nil && n.Operation.Outcome == ""
}
