package payments

import (
	"context"
	"errors"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// giveUp is when the hub stops looking for the truth of an operation by
// itself and asks a person. It keeps reading all the same.
const giveUp = 72 * time.Hour

// errAway says that nothing can be found out about an operation now.
var errAway = errors.New("the provider is not up")

// heal finds out what became of an operation whose caller is gone: by the
// identical request under its own key while the provider remembers keys, and
// by reading the provider's truth where that does not tell, or is over.
func (s *Service) heal(ctx context.Context, o *ledger.Order, op *ledger.Operation, requestID string) (*ledger.Order, error) {
	a := o.Attempt(*op.AttemptID)
	p, ok := s.Providers.Get(a.Provider)
	if !ok || !p.Up() {
		if op.Outcome == ledger.OutcomeUnknown {
			return o, errAway
		}
		// Nothing can be asked now; only note that the first caller is gone.
		return s.apply(ctx, o, nil, ledger.News{
			AttemptID: a.ID, Source: ledger.FromHub, RequestID: requestID,
			Operation: &ledger.Result{ID: op.ID, Outcome: ledger.OutcomeUnknown},
		})
	}
	change, err := o.Repeat(s.env(), op.ID, s.lease+s.CallTimeout) // two calls, one after the other
	if err != nil {
		return o, err
	}
	mine, taken, err := s.begin(ctx, change, change.Order.Operation(op.ID))
	if s.cleared(ctx, o, op.AttemptID, err) {
		return s.healAgain(ctx, o.ID, op.ID, requestID)
	}
	var held *fencedError
	switch {
	case errors.As(err, &held):
		return o, err
	case errors.Is(err, errStale), errors.Is(err, errTakenOver): // another hub was faster
		return s.DB.Order(ctx, "", o.ID)
	case err != nil:
		return nil, err
	}
	return s.findOut(ctx, p, mine, taken, requestID)
}

// healAgain heals an operation after its payment was read, which may have told
// how it ended.
func (s *Service) healAgain(ctx context.Context, orderID, opID, requestID string) (*ledger.Order, error) {
	o, err := s.DB.Order(ctx, "", orderID)
	if err != nil {
		return nil, err
	}
	op := o.Operation(opID)
	if op == nil || !op.Open() || op.Leased(s.now()) {
		return o, nil
	}
	return s.heal(ctx, o, op, requestID)
}

// findOut asks what became of an operation whose lease this hub has taken.
func (s *Service) findOut(ctx context.Context, p *providers.Provider, o *ledger.Order, op *ledger.Operation, requestID string) (*ledger.Order, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*s.CallTimeout+4*time.Second)
	defer cancel()
	news := s.recover(ctx, p, o, op)
	news.RequestID = requestID
	if s.now().Sub(op.FirstSentAt) > giveUp {
		news.Raise = ledger.Exhausted
	}
	return s.record(ctx, o, news)
}

// recover asks what became of an operation: by repeating it, and by reading it
// if the repeat does not tell.
func (s *Service) recover(ctx context.Context, p *providers.Provider, o *ledger.Order, op *ledger.Operation) ledger.News {
	last := !s.repeatable(p, op)
	result := &ledger.Result{ID: op.ID}
	if !last {
		news := s.call(ctx, o, s.repeated(op))
		result.Arrived = news.Operation.Arrived
		told := news.Operation.Outcome != ledger.OutcomeUnknown && news.Operation.Outcome != ledger.OutcomeNotSent
		if told || !news.At.IsZero() { // a mismatch was read already
			return news
		}
	}
	news := ledger.News{AttemptID: *op.AttemptID, Source: ledger.FromRead, Operation: result}
	return s.truth(ctx, p, o, op, news, last)
}

// repeatable reports whether the provider still remembers the operation's key,
// with a margin for clocks.
func (s *Service) repeatable(p *providers.Provider, op *ledger.Operation) bool {
	r := p.Description().Repeats[op.Kind]
	margin := r.KeyLifetime / 24
	return r.Deduplicated && op.Request != nil && s.now().Before(op.FirstSentAt.Add(r.KeyLifetime-margin))
}

// truth reads what became of an operation. Not found means "never happened" only
// when it may not be repeated any more (last), its effect must have become
// visible by now, and the provider never said that it knows the key. If it did,
// what was made under the key may carry the names of an earlier request, which a
// restored database has forgotten: it is looked for by the key's hash as well.
func (s *Service) truth(ctx context.Context, p *providers.Provider, o *ledger.Order, op *ledger.Operation, n ledger.News, last bool) ledger.News {
	a := o.Attempt(*op.AttemptID)
	arrived := op.Arrived || n.Operation.Arrived
	request := s.readRequest(o, a)
	if arrived && (op.Kind == sdk.OpCreate || op.Kind == sdk.OpRefund) {
		request.FindKeyHash = s.DB.Secret().HashOf(o, op)
	}
	ctx, cancel := context.WithTimeout(ctx, s.CallTimeout)
	defer cancel()
	n.Begun = o.Version
	n.At, n.Lease = s.now(), a.LeasedUntil
	var err error
	settled := last && s.now().After(op.FirstSentAt.Add(p.Description().Repeats[op.Kind].Settling))
	if op.Kind == sdk.OpRefund {
		n.Refund, err = p.GetRefund(ctx, sdk.GetRefundRequest{
			PaymentRequest: request, RefundID: *op.RefundID, CaptureID: o.Refund(*op.RefundID).CaptureID,
		})
	} else {
		n.Payment, err = p.GetPayment(ctx, request)
		// Before its effect must be visible, an unchanged payment says nothing
		// about an operation that was to change it.
		if err == nil && !settled && !ledger.Concludes(op.Kind, n.Payment.Status) {
			if probe := ledger.Apply(o, s.env(), n); probe.Order.Attempt(a.ID).Status == a.Status {
				n.Operation.Outcome = ledger.OutcomeUnknown
			}
		}
	}
	if err == nil {
		if n = s.replayed(ctx, o, op, n); undecided(n) {
			n.Operation.Outcome = ledger.OutcomeUnknown
		}
		return n
	}
	switch {
	case errors.Is(err, sdk.ErrNotFound) && settled && !arrived:
		n.Payment, n.Refund, n.Begun = nil, nil, 0
		n.Operation.Outcome = ledger.OutcomeDeclined
		n.Operation.Failure = &sdk.Failure{Code: "never_arrived", Message: "the provider never received it"}
	default:
		n.Payment, n.Refund, n.Begun = nil, nil, 0
		n.Operation.Outcome = ledger.OutcomeUnknown
		if arrived && settled && errors.Is(err, sdk.ErrNotFound) {
			n.Raise = ledger.Exhausted
		}
	}
	return n
}
