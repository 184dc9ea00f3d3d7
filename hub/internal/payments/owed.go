package payments

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

// settling is how long the effect of such an operation may be missing from a
// provider's reads, as its plugin declares; 0 if it does not.
func (s *Service) settling(provider string, kind sdk.OperationKind) time.Duration {
	p, ok := s.Providers.Get(provider)
	if !ok {
		return 0
	}
	return p.Description().Repeats[kind].Settling
}

// syncOpen is Sync of an attempt that has an open operation. One under way is
// left alone: its end makes the attempt due. One whose caller is gone is
// recovered, after the read that something asked for: that does not wait for
// what may stay unknown for days. It returns the order if a read ended the operation.
func (s *Service) syncOpen(ctx context.Context, o *ledger.Order, a *ledger.Attempt) (*ledger.Order, error) {
	op := o.OpenOperation(a.ID)
	if op.Leased(s.now()) {
		return nil, &leasedError{op.Deadline}
	}
	var readErr error
	if a.ReadWanted || o.Owes(a) {
		var after *ledger.Order
		after, readErr = s.read(ctx, o, a, s.CallTimeout)
		if readErr == nil {
			o = after
		}
		if op = o.OpenOperation(a.ID); op == nil {
			return o, nil
		}
	}
	_, err := s.heal(ctx, o, op, "")
	return nil, errors.Join(readErr, err)
}

// eventOutcome is what a decision makes of the callback that it is about: owed
// as long as no source shows what it says, otherwise as given.
func eventOutcome(c ledger.Change, callbackID string, otherwise ledger.CallbackOut) ledger.CallbackOut {
	if owed := c.Order.EventOutcome(callbackID); owed != "" {
		return owed
	}
	if c.Full {
		return ledger.CallbackUnconfirmed // it can be sent again
	}
	return otherwise
}

// listedMovements are what a provider's list shows of a payment, and a read must
// show, too: one may be behind the other.
func listedMovements(p *sdk.Payment) (out []sdk.Expectation) {
	for _, c := range p.Captures.Items {
		out = append(out, sdk.Expectation{Kind: sdk.ExpectCapture, ID: c.ID, AtLeast: string(c.Status)})
	}
	for _, r := range p.Refunds.Items {
		out = append(out, sdk.Expectation{Kind: sdk.ExpectRefund, ID: r.ID, AtLeast: string(r.Status)})
	}
	for _, d := range p.Disputes.Items {
		out = append(out, sdk.Expectation{Kind: sdk.ExpectDispute, ID: d.ID, AtLeast: string(d.Status)})
	}
	return out
}

// applied is the outcome of news that changed an order. Where all that they name
// was on record, they changed no more than when it is read.
func applied(news []ledger.News) ledger.CallbackOut {
	for _, n := range news {
		if !n.Hint || len(n.Expect) == 0 {
			return ledger.CallbackApplied
		}
	}
	return ledger.CallbackNoNews
}

// settle adds the inbox lines of earlier events that a change confirms or gives
// up, to be written in its statement.
func (s *Service) settle(ctx context.Context, c *ledger.Change) error {
	outcomes := map[string]ledger.CallbackOut{}
	for _, x := range c.Settled {
		if !slices.ContainsFunc(c.Callbacks, func(cb *ledger.Callback) bool { return cb.ID == x.ID }) {
			outcomes[x.ID] = x.Outcome
		}
	}
	ids := make([]string, 0, len(outcomes))
	for id := range outcomes {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil
	}
	lines, err := s.DB.Callbacks(ctx, postgres.CallbackFilter{IDs: ids, Limit: len(ids)})
	if err != nil {
		return err
	}
	for _, cb := range lines {
		if cb.Outcome == ledger.CallbackOwed || cb.Outcome == ledger.CallbackUnconfirmed {
			cb.Outcome, cb.UpdatedAt = outcomes[cb.ID], s.now()
			c.Callbacks = append(c.Callbacks, cb)
		}
	}
	return nil
}
