package payments

import (
	"context"
	"errors"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

const (
	// changedEvery is how often the orders that changed are looked for.
	changedEvery = 10 * time.Second
	// changedLag is how old a line of the timeline must be: those that are
	// committed later than that with an earlier id are found with all orders.
	changedLag = 20 * time.Second
	// changedBacklog is how far back changed orders are checked: after a longer
	// standstill they are found with all orders.
	changedBacklog = 24 * time.Hour
	// allEvery is how long after its beginning a pass over all orders is
	// followed by the next one, and allWithin how long it may take at most.
	allEvery  = 24 * time.Hour
	allWithin = 6 * 24 * time.Hour

	// The load of a check: after a slice it rests so many times as long as the
	// slice took, which is longer on a busy database.
	changedRest = 400
	allRest     = 800
	minRest     = 100 * time.Millisecond
	maxRest     = time.Minute
	// maxMarked bounds how many doubts mark orders: more of them are the fault of a
	// release or of the database, and marking each order would tell every app.
	maxMarked = 100
	// checkRetry is how long after a failure a slice is tried again.
	checkRetry = 30 * time.Second
)

// VerifyNext checks one slice of the ledger, if one is due and no other hub is at
// it. It reports which kind of check that was, empty for none, and how many orders
// it checked.
func (s *Service) VerifyNext(ctx context.Context, lease time.Duration) (kind string, orders int, err error) {
	if s.ClockRight() != nil { // what is due, and whose lease has ended, cannot be told
		return "", 0, nil
	}
	check, err := s.DB.ClaimCheck(ctx, s.now(), lease)
	if errors.Is(err, postgres.ErrNotFound) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, err
	}
	now, begun := s.now(), time.Now()
	if check.BeganAt == nil {
		check.BeganAt, check.Orders = &now, 0
	}
	c, before, err := s.checkSlice(ctx, &check)
	if err == nil {
		err = s.settleDoubts(ctx, c)
	}
	took := time.Since(begun)
	if err != nil {
		check.Error, check.DueAt = truncate(err.Error()), now.Add(s.env().Scale(checkRetry))
		return check.Kind, 0, errors.Join(err, s.DB.SaveCheck(ctx, check))
	}
	check.Cursor, check.Error = c.Next, ""
	check.Orders += int64(c.Orders)
	check.DueAt = s.now().Add(s.rest(ctx, check.Kind, took))
	if c.Done {
		err = s.endPass(ctx, &check, before)
	}
	return check.Kind, c.Orders, errors.Join(err, s.DB.SaveCheck(ctx, check))
}

// checkSlice does the next slice of a check. Before is until when changes are
// checked when it is done.
func (s *Service) checkSlice(ctx context.Context, check *postgres.Check) (c postgres.Checked, before time.Time, err error) {
	if check.Kind == postgres.CheckKindAll {
		c, err = s.DB.CheckAll(ctx, check.Cursor, postgres.CheckSlice)
		return c, *check.BeganAt, err
	}
	before = s.now().Add(-changedLag)
	if oldest := postgres.FirstCursor(before.Add(-changedBacklog)); check.Cursor < oldest {
		check.Cursor = oldest
		if check.CheckedTo.Unix() == 0 { // the first time: what is there already is checked with all orders
			check.Cursor = postgres.FirstCursor(before)
		}
	}
	c, err = s.DB.CheckChanged(ctx, check.Cursor, before, postgres.CheckSlice)
	return c, before, err
}

// endPass says when the next pass begins.
func (s *Service) endPass(ctx context.Context, check *postgres.Check, before time.Time) error {
	began := *check.BeganAt
	check.BeganAt, check.CheckedTo = nil, before
	if check.Kind == postgres.CheckKindChanged {
		check.DueAt = s.now().Add(s.env().Scale(changedEvery))
		return nil
	}
	check.Cursor = ""
	if next := began.Add(s.env().Scale(allEvery)); next.After(check.DueAt) {
		check.DueAt = next
	}
	return s.DB.DropDoubts(ctx, began)
}

// rest is how long the next slice waits: so that the check is a small part of
// what the database does, but a pass over all orders ends in time.
func (s *Service) rest(ctx context.Context, kind string, took time.Duration) time.Duration {
	if kind == postgres.CheckKindChanged {
		return min(max(took*changedRest, minRest), maxRest)
	}
	rest := min(max(took*allRest, minRest), maxRest)
	if orders, err := s.DB.OrdersAbout(ctx); err == nil && orders > 0 {
		rest = min(rest, time.Duration(float64(allWithin)*postgres.CheckSlice/float64(orders)))
	}
	return s.env().Scale(rest)
}

// settleDoubts keeps the doubts of a slice, and has their orders wait for a
// person; those that are consistent again wait no longer.
func (s *Service) settleDoubts(ctx context.Context, c postgres.Checked) error {
	fresh, err := s.DB.SaveDoubts(ctx, c, s.now())
	if err != nil || len(c.Doubts)+len(c.Cleared) == 0 {
		return err
	}
	_, all, err := s.DB.Checks(ctx)
	if err != nil {
		return err
	}
	if all > maxMarked {
		if len(fresh) > 0 {
			s.Logger.ErrorContext(ctx, "what is on record contradicts itself in many places; orders are not marked any more; `hub ledger verify` shows them",
				"doubts", all, "new", len(fresh), "one", fresh[0].String())
		}
	} else {
		s.markDoubts(ctx, c.Doubts, fresh)
	}
	for _, id := range c.Cleared {
		still, err := s.DB.Doubted(ctx, id)
		if err != nil {
			return err
		}
		if !still {
			s.mark(ctx, id, func(o *ledger.Order) ledger.Change { return o.ClearDoubt(s.env()) })
		}
	}
	return nil
}

func (s *Service) markDoubts(ctx context.Context, doubts, fresh []ledger.Doubt) {
	for _, d := range fresh {
		s.Logger.ErrorContext(ctx, "what is on record of an order contradicts itself; `hub ledger verify` shows it",
			"order", d.OrderID, "law", d.Law, "row", d.Row, "field", d.Field, "expected", d.Expected, "found", d.Found)
	}
	of := map[string][]ledger.Doubt{}
	for _, d := range doubts {
		of[d.OrderID] = append(of[d.OrderID], d)
	}
	for id, doubts := range of {
		s.mark(ctx, id, func(o *ledger.Order) ledger.Change { return o.RaiseDoubt(doubts, s.env()) })
	}
}

// mark writes what a doubt changes of its order. One order that cannot be marked
// does not hold up the check of the others.
func (s *Service) mark(ctx context.Context, orderID string, decide func(*ledger.Order) ledger.Change) {
	if err := s.decideDoubt(ctx, orderID, decide); err != nil {
		s.Logger.WarnContext(ctx, "an order was not marked as doubted, or as consistent again; the next check tries again", "order", orderID, "error", err)
	}
}

// decideDoubt writes what a doubt changes of its order. One that is gone, or
// cannot be read, cannot be marked: it is in the log and the metrics alone.
func (s *Service) decideDoubt(ctx context.Context, orderID string, decide func(*ledger.Order) ledger.Change) error {
	for range maxTries {
		o, err := s.DB.Order(ctx, "", orderID)
		if errors.Is(err, postgres.ErrNotFound) || postgres.Unreadable(err) {
			return nil
		}
		if err != nil {
			return err
		}
		change := decide(o)
		if change.Empty() {
			return nil
		}
		if written, err := s.commit(ctx, change); err != nil || written {
			return err
		}
	}
	return errStale
}
