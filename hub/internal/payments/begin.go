package payments

import (
	"context"
	"errors"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// start records an operation and runs it; what was recorded before under the
// same key answers instead.
func (s *Service) start(ctx context.Context, c Caller, f fingerprint, change ledger.Change, op *ledger.Operation) (Answer, error) {
	if !op.Open() { // nothing is to be asked
		written, err := s.commit(ctx, change)
		if err != nil || !written {
			return s.notStarted(ctx, c, f, change, err)
		}
		s.wake(change)
		return s.answer(ctx, c, change.Order, op)
	}
	o, op, err := s.begin(ctx, change, op)
	if err != nil {
		return s.notStarted(ctx, c, f, change, err)
	}
	return s.run(ctx, o, op, c.RequestID)
}

// notStarted answers for a change that was not recorded, or whose operation
// somebody else took over.
func (s *Service) notStarted(ctx context.Context, c Caller, f fingerprint, change ledger.Change, err error) (Answer, error) {
	switch {
	case errors.Is(err, postgres.ErrKeyUsed), errors.Is(err, postgres.ErrReferenceUsed):
		return s.replay(ctx, c, f, change.Order.Reference)
	case errors.Is(err, errTakenOver):
		a, err := s.replay(ctx, c, f, "")
		var waits *ledger.Error
		if errors.As(err, &waits) && waits.Code == ledger.CodeInFlight {
			err = unrecorded(change.Order) // this is the first request: nothing refuses it
		}
		return a, err
	case errors.Is(err, postgres.ErrLocked):
		// Only here is that true: of a repeat, or of a refund in parts, something may have been done.
		return Answer{}, &ledger.Error{
			Kind: ledger.Unavailable, Code: "order_locked", RetryAfter: time.Second,
			Message: "another program holds a lock on the order in the database: nothing was done, repeat the request with the same Idempotency-Key",
		}
	case err != nil && !errors.Is(err, postgres.ErrStale):
		return Answer{}, err
	}
	return Answer{}, errStale
}

// errTakenOver says that an operation is on record, and that somebody else
// sends it: another hub found its lease over.
var errTakenOver = errors.New("another caller took the operation over")

// begin records that an operation is about to be sent, and returns the order
// and the operation as they are on record, under a lease that outlives the call.
// op is the operation as change leaves it. Nobody may send on an error:
// errStale (nothing was recorded, the order has changed), errTakenOver, or what
// the store says.
func (s *Service) begin(ctx context.Context, change ledger.Change, op *ledger.Operation) (*ledger.Order, *ledger.Operation, error) {
	written, err := s.write(ctx, change)
	switch {
	case errors.Is(err, postgres.ErrStale):
		return nil, nil, errStale
	case err != nil:
		return nil, nil, err
	case written.OrderID == "":
		return nil, nil, errStale
	}
	if s.holds(op) {
		return change.Order, op, nil
	}
	return s.renew(ctx, change.Order, op)
}

// holds reports whether an operation may be sent right after it was recorded,
// which may have taken long: nobody can have taken it over yet, nor will while
// the call lasts.
func (s *Service) holds(op *ledger.Operation) bool {
	return op.Deadline.Sub(s.now()) >= s.CallTimeout
}

const (
	renewTries = 5
	renewTime  = 20 * time.Second
)

// renew takes a new lease of an operation that was recorded some time ago and
// not sent yet. It does so at the version that it finds, so that of two hubs
// only one goes on.
func (s *Service) renew(ctx context.Context, o *ledger.Order, op *ledger.Operation) (*ledger.Order, *ledger.Operation, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewTime)
	defer cancel()
	for range renewTries {
		change, err := o.Renew(s.env(), op, s.lease)
		if err != nil {
			return nil, nil, errTakenOver
		}
		written, err := s.write(ctx, change)
		if err != nil && !errors.Is(err, postgres.ErrStale) {
			return nil, nil, unrecorded(o)
		}
		if err == nil && written.OrderID != "" {
			o = change.Order
			op = o.Operation(op.ID)
			if s.holds(op) {
				return o, op, nil
			}
			continue
		}
		if o, err = s.DB.Order(ctx, "", o.ID); err != nil {
			return nil, nil, unrecorded(o)
		}
	}
	return nil, nil, unrecorded(o)
}

// unrecorded says that an operation was not sent by this request, and may be
// on record: then it is recovered when its lease ends, under its own key.
func unrecorded(o *ledger.Order) error {
	e := &ledger.Error{
		Kind: ledger.Unavailable, Code: "outcome_not_recorded", RetryAfter: 5 * time.Second,
		Message: "it is not known yet what becomes of the request; repeat it with the same Idempotency-Key",
	}
	if o != nil && o.Version > 1 {
		e.OrderID = o.ID
	}
	return e
}
