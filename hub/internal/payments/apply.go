package payments

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// maxTries bounds the loops over a version that others keep moving.
const maxTries = 60

// apply is the one loop: decide on the order as known, write at its version,
// and if that moved, load and decide anew.
func (s *Service) apply(ctx context.Context, o *ledger.Order, cb *ledger.Callback, news ...ledger.News) (*ledger.Order, error) {
	for try := range maxTries {
		if cb != nil && o.Erased() {
			cb.Raw = nil // it names the payer
		}
		c := ledger.Apply(o, s.env(), news...)
		if c.Empty() {
			if cb != nil {
				cb.Outcome = eventOutcome(c, cb.ID, ledger.CallbackNoNews)
			}
			overtaken, err := s.DB.Look(ctx, c.Looks)
			if err != nil {
				return nil, err
			}
			if s.wake(c); overtaken {
				s.Kick() // it waits for nothing but the end of this
			}
			return o, nil
		}
		if cb != nil {
			cb.OrderID, cb.Outcome, cb.DueAt = o.ID, eventOutcome(c, cb.ID, applied(news)), time.Time{}
			c.Callbacks = []*ledger.Callback{cb}
		}
		written, err := s.commit(ctx, c)
		switch {
		case err == nil && written:
			if cb != nil {
				cb.Recorded = true
			}
			return c.Order, nil
		case err == nil && cb != nil:
			cb.Outcome = ledger.CallbackNoNews // until a later round changes something
		case errors.Is(err, postgres.ErrTaken):
			news = withoutClaims(news)
		case errors.Is(err, postgres.ErrHashUsed):
			news = slices.Clone(news)
			for i := range news {
				news[i].HashTaken = true
			}
		case errors.Is(err, postgres.ErrDuplicate) && cb != nil:
			return nil, err // the same event was kept by another request
		case err != nil && !errors.Is(err, postgres.ErrStale):
			return nil, err
		}
		if try > 2 {
			time.Sleep(time.Duration(rand.IntN(1+2*try)) * time.Millisecond)
		}
		if o, err = s.DB.Order(ctx, "", o.ID); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("order %s: changed by others %d times while it was written", o.ID, maxTries)
}

// withoutClaims drops what belongs to another payment: it is not recorded
// twice, but a person has to look.
func withoutClaims(news []ledger.News) []ledger.News {
	out := slices.Clone(news)
	for i := range out {
		out[i].Payment, out[i].Refund, out[i].Expect = nil, nil, nil
		out[i].Taken = true
		if op := out[i].Operation; op != nil && op.Outcome == "" {
			out[i].Operation = &ledger.Result{ID: op.ID, Outcome: ledger.OutcomeUnknown, Arrived: op.Arrived}
		}
	}
	return out
}

// commit records one change, and reports whether the order still was as decided
// on. The error outcome_not_recorded leaves that open; every other error says
// that nothing was recorded. fencedError: it is about to move
// money, and none may move now.
func (s *Service) commit(ctx context.Context, c ledger.Change) (bool, error) {
	written, err := s.write(ctx, c)
	return written.OrderID != "", err
}

// write records one change with the notice of it, and wakes the worker for what
// it leaves to do. Written is empty if the order was not as decided on.
func (s *Service) write(ctx context.Context, c ledger.Change) (postgres.Written, error) {
	c.Order.VersionFloor = s.DB.VersionFloor()
	if kind := c.NoticeType(); kind != "" && s.Render != nil {
		c.Notices = []ledger.Notice{s.notice(c.Order, kind, c.Order.UpdatedAt)}
	}
	if len(c.Settled) > 0 {
		if err := s.settle(ctx, &c); err != nil {
			return postgres.Written{}, err
		}
	}
	if c.MoneyOut = s.moneyOut(c); len(c.MoneyOut) > 0 {
		if err := s.waitForProbe(ctx); err != nil {
			return postgres.Written{}, err
		}
	}
	written, err := s.DB.Commit(ctx, c)
	if errors.Is(err, postgres.ErrUncertain) {
		s.Logger.ErrorContext(ctx, "it could not be found out whether a change is on record", "order", c.Order.ID, "error", err)
		return postgres.Written{}, unrecorded(c.Order)
	}
	if err != nil || written.OrderID == "" {
		return postgres.Written{}, s.held(err)
	}
	if written.Notices > 0 {
		s.Kick()
	}
	s.wake(c)
	return written, nil
}

// wake kicks the worker if a change left something to do soon.
func (s *Service) wake(c ledger.Change) {
	for _, a := range c.Attempts {
		s.kickAt(a.DueAt)
	}
	for _, l := range c.Looks {
		s.kickAt(l.DueAt)
	}
}

// kickAt wakes the worker at that moment, if it is soon: later than that, the
// worker looks by itself.
func (s *Service) kickAt(due time.Time) {
	switch wait := due.Sub(s.now()); {
	case due.IsZero() || wait > time.Second:
	case wait <= 0:
		s.Kick()
	default:
		time.AfterFunc(wait, s.Kick)
	}
}

// notice tells of an order as it is.
func (s *Service) notice(o *ledger.Order, kind string, at time.Time) ledger.Notice {
	return ledger.Notice{
		ID: ledger.NewID(postgres.NotificationID, at), AppID: o.AppID, OrderID: o.ID, Type: kind, Version: o.AppVersion(), At: at,
		Payload: fmt.Sprintf(`{"type":%q,"timestamp":%q,"data":%s}`, kind, at.Format(time.RFC3339Nano), s.Render(o)),
	}
}
