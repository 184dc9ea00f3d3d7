package payments

import (
	"context"
	"errors"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// ask is what an operation of this caller carries.
func (s *Service) ask(c Caller, f fingerprint, p *providers.Provider) ledger.Ask {
	a := ledger.Ask{IdempotencyKey: c.IdempotencyKey, RequestHash: f.hash, RequestID: c.RequestID, Source: ledger.FromApp, Lease: s.lease, Operator: c.Operator}
	if c.Operator != nil {
		a.Source = ledger.FromOperator
	}
	if p != nil {
		a.PluginVersion = p.State().Version
	}
	return a
}

// errStale asks the verb to load the order and decide again.
var errStale = errors.New("the order changed while this was decided")

// decide loads an order, decides and starts, as often as others move the order
// meanwhile. What was asked before is answered from the record, whatever the
// order's state forbids now. The key is looked up after the order is loaded: a
// key that is recorded later moves the order, and the start finds that out; a
// key looked up earlier may have come back since with a restored payment.
func (s *Service) decide(ctx context.Context, c Caller, orderID string, asked fingerprint,
	f func(*ledger.Order) (ledger.Change, *ledger.Operation, error),
) (Answer, error) {
	if err := s.ClockRight(); err != nil {
		return Answer{}, err
	}
	read := false
	for range maxTries {
		loaded, err := s.DB.Order(ctx, c.App.ID, orderID)
		if err != nil {
			return Answer{}, NotFound(err, "order")
		}
		a, known, err := s.onRecord(ctx, c, asked)
		if known || err != nil {
			return a, err
		}
		o, err := s.healed(ctx, loaded, c.RequestID)
		if err != nil {
			return Answer{}, err
		}
		if o != loaded { // this may be the repeat of what was found out
			if a, known, err = s.onRecord(ctx, c, asked); known || err != nil {
				return a, err
			}
		}
		change, op, err := f(o)
		if err != nil {
			return Answer{}, err
		}
		a, err = s.start(ctx, c, asked, change, op)
		if !read && s.cleared(ctx, o, op.AttemptID, err) {
			read = true
			continue
		}
		if !errors.Is(err, errStale) {
			return a, err
		}
	}
	return Answer{}, ledger.Conflictf("busy", "the order is being changed by others; try again")
}

// onRecord answers a request whose key is on record, and tells whether it is.
func (s *Service) onRecord(ctx context.Context, c Caller, asked fingerprint) (Answer, bool, error) {
	_, _, err := s.DB.OrderOfKey(ctx, c.App.ID, c.IdempotencyKey)
	if errors.Is(err, postgres.ErrNotFound) {
		return Answer{}, false, nil
	}
	if err != nil {
		return Answer{}, false, err
	}
	a, err := s.replay(ctx, c, asked, "")
	return a, true, err
}

// healed first finds out about operations whose callers are gone.
func (s *Service) healed(ctx context.Context, o *ledger.Order, requestID string) (*ledger.Order, error) {
	for _, a := range o.Attempts {
		if op := o.OpenOperation(a.ID); op != nil && !op.Leased(s.now()) {
			healed, err := s.heal(ctx, o, op, requestID)
			if errors.Is(err, errAway) { // of what is asked now, nothing was done
				if _, ok := s.Providers.Get(a.Provider); !ok {
					return nil, gone(a.Provider)
				}
				return nil, down(a.Provider)
			}
			return healed, err
		}
	}
	return o, nil
}

// replay answers a request whose key or reference is on record.
func (s *Service) replay(ctx context.Context, c Caller, f fingerprint, reference string) (Answer, error) {
	op, o, err := s.DB.OrderOfKey(ctx, c.App.ID, c.IdempotencyKey)
	if errors.Is(err, postgres.ErrNotFound) && reference != "" {
		return Answer{}, s.referenceUsed(ctx, c, reference)
	}
	if err != nil {
		return Answer{}, err
	}
	if !f.asked(o, op) {
		e := ledger.Conflictf("idempotency_key_reused", "this Idempotency-Key was used with another request; use a new key for a new request")
		e.OrderID = op.OrderID
		return Answer{}, e
	}
	if current := o.Operation(op.ID); current != nil {
		op = current
	}
	switch {
	case op.Leased(s.now()):
		return Answer{}, ledger.InFlight(op, s.now())
	case op.Open():
		healed, err := s.heal(ctx, o, op, c.RequestID)
		var held *fencedError
		if err != nil && !errors.Is(err, errAway) && !errors.As(err, &held) { // else it is as unknown as before
			return Answer{}, err
		}
		o = healed
	case op.Outcome == ledger.OutcomeNotSent:
		return s.resume(ctx, c, f, o, op)
	}
	return s.answer(ctx, c, o, op)
}

// referenceUsed refuses a reference that is on record. If it is not, the database went
// back to before it just now, and nobody knows what becomes of the request.
func (s *Service) referenceUsed(ctx context.Context, c Caller, reference string) error {
	other, err := s.DB.OrderOfReference(ctx, c.App.ID, reference)
	if errors.Is(err, postgres.ErrNotFound) {
		return unrecorded(nil)
	}
	if err != nil {
		return err
	}
	e := ledger.Conflictf("reference_used", "the reference belongs to another order of this app; use a new one, or POST /v1/orders/{id}/checkouts to try again")
	e.Param, e.OrderID = "reference", other.ID
	return e
}

// resume sends an operation again that never left. One that may have been sent
// since by what was lost is unknown, and found out about as such.
func (s *Service) resume(ctx context.Context, c Caller, f fingerprint, o *ledger.Order, op *ledger.Operation) (Answer, error) {
	p, ok := s.Providers.Get(o.Attempt(*op.AttemptID).Provider)
	if ok && !p.Up() {
		return Answer{}, down(p.Name())
	}
	doubtful := ok && s.doubtful(p.Name(), op)
	again, lease := o.Resume, s.lease
	if doubtful {
		again = o.ResumeUnknown
		lease += s.CallTimeout // two calls, one after the other
	}
	change, err := again(s.env(), op.ID, lease, c.Operator)
	if err != nil {
		return Answer{}, err
	}
	if op.Kind == sdk.OpCapture { // less may be authorized by now than when it was asked for
		r, err := asked[sdk.CaptureRequest](op)
		if err != nil {
			return Answer{}, err
		}
		if err := o.Covers(o.Attempt(*op.AttemptID), r.Capture.Amount); err != nil {
			return Answer{}, err
		}
	}
	held, mine, err := s.begin(ctx, change, change.Order.Operation(op.ID))
	if s.cleared(ctx, o, op.AttemptID, err) {
		return s.replay(ctx, c, f, "")
	}
	switch {
	case errors.Is(err, errStale):
		return Answer{}, ledger.InFlight(op, s.now())
	case errors.Is(err, errTakenOver):
		return Answer{}, unrecorded(change.Order)
	case err != nil:
		return Answer{}, err
	}
	if !doubtful {
		return s.run(ctx, held, mine, c.RequestID)
	}
	if held, err = s.findOut(ctx, p, held, mine, c.RequestID); err != nil {
		return Answer{}, err
	}
	return s.answer(ctx, c, held, mine)
}

// run calls the provider for an operation on record and applies its answer.
// The client may go away meanwhile; the operation does not.
func (s *Service) run(ctx context.Context, o *ledger.Order, op *ledger.Operation, requestID string) (Answer, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.CallTimeout+4*time.Second)
	defer cancel()
	s.CrashAt("recorded")
	news := s.call(ctx, o, op)
	s.CrashAt("answered")
	if op.Kind == sdk.OpConfirm && op.Sends == 1 {
		// Not a repeat's memory, but what the provider says now: it may take
		// back an approval that was declined.
		news.Begun = o.Version
	}
	news.RequestID = requestID
	after, err := s.record(ctx, o, news)
	if err != nil {
		s.Logger.ErrorContext(ctx, "the answer of an operation could not be recorded; it heals when its lease ends",
			"order", o.ID, "operation", op.ID, "error", err)
		return Answer{}, &ledger.Error{
			Kind: ledger.Unavailable, Code: "outcome_not_recorded", OrderID: o.ID, RetryAfter: 5 * time.Second,
			Message: "the request was recorded but its outcome could not be; repeat it with the same Idempotency-Key",
		}
	}
	return s.answer(ctx, Caller{RequestID: requestID, App: postgres.App{ID: o.AppID}}, after, op)
}

// record applies an answer, patiently: the database may be away for a moment.
func (s *Service) record(ctx context.Context, o *ledger.Order, news ledger.News) (*ledger.Order, error) {
	for wait := 50 * time.Millisecond; ; wait *= 2 {
		after, err := s.apply(ctx, o, nil, news)
		if err == nil || wait > 2*time.Second {
			return after, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(wait):
		}
	}
}

// answer puts the operation and its refund, as they stand, beside the order.
func (s *Service) answer(ctx context.Context, c Caller, o *ledger.Order, op *ledger.Operation) (Answer, error) {
	a := Answer{Order: o, Operation: op}
	if now := o.Operation(op.ID); now != nil {
		a.Operation = now
	} else if op.Open() && op.IdempotencyKey != nil {
		// Somebody else closed it meanwhile.
		closed, fresh, err := s.DB.OrderOfKey(ctx, o.AppID, *op.IdempotencyKey)
		if err != nil {
			s.Logger.ErrorContext(ctx, "an operation that has ended could not be read", "order", o.ID, "operation", op.ID, "error", err)
			return a, unrecorded(o)
		}
		a.Operation, a.Order = closed, fresh
	}
	if op.RefundID != nil {
		a.Refund = a.Order.Refund(*op.RefundID)
	}
	return a, nil
}
