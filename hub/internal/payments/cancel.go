package payments

import (
	"context"
	"errors"
	"slices"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// CancelInput names the attempt to cancel; the live one if it is empty.
type CancelInput struct {
	AttemptID string `json:"attempt_id"`
}

// Cancel asks to release approved money or to close an order nobody paid.
// Money that comes all the same wins: read the order's status.
func (s *Service) Cancel(ctx context.Context, c Caller, orderID string, in CancelInput) (Answer, error) {
	h := newFingerprint(sdk.OpCancel, orderID, in)
	return s.decide(ctx, c, orderID, h, func(o *ledger.Order) (ledger.Change, *ledger.Operation, error) {
		ask := s.ask(c, h, nil)
		id := in.AttemptID
		if id == "" {
			i := slices.IndexFunc(o.Attempts, (*ledger.Attempt).Closable)
			if i < 0 {
				return o.Cancel("", false, ask, s.env())
			}
			id = o.Attempts[i].ID
		}
		a, p, flow, err := s.flowOf(o, id)
		if err != nil {
			return ledger.Change{}, nil, err
		}
		ask = s.ask(c, h, p)
		change, op, err := o.Cancel(a.ID, flow.Can(sdk.CanCancel), ask, s.env())
		if err == nil && op.Open() {
			prepare(op, sdk.CancelRequest{PaymentRequest: s.paymentRequest(o, a), Key: op.ProviderKey()})
		}
		return change, op, err
	})
}

// cancelAttempt closes an earlier attempt before a new one starts. The order
// itself stays open.
func (s *Service) cancelAttempt(ctx context.Context, c Caller, o *ledger.Order, a *ledger.Attempt, ask ledger.Ask) (Answer, error) {
	change, op, err := o.CloseAttempt(a.ID, ask, s.env())
	if err != nil {
		return Answer{}, err
	}
	prepare(op, sdk.CancelRequest{PaymentRequest: s.paymentRequest(o, a), Key: op.ProviderKey()})
	held, op, err := s.begin(ctx, change, op)
	switch {
	case errors.Is(err, errStale), errors.Is(err, errTakenOver):
		return Answer{}, ledger.Conflictf("attempt_open", "attempt %s is being changed; read the order and try again", a.ID)
	case err != nil:
		return Answer{}, err
	}
	return s.run(ctx, held, op, c.RequestID)
}
