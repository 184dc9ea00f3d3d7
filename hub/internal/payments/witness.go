package payments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

const (
	countEvery = time.Second
	// probeLimit is how long money-out of a hub that starts waits for the newest
	// pages of the providers' lists, at most; movedLimit is the same where
	// PostgreSQL is another one than before, or has another history.
	probeLimit = 5 * time.Second
	movedLimit = 15 * time.Second
	probePages = 8
	// evidenceEvery bounds how often lists close money-out. What they show may be
	// a copy, made by whoever can read and write a provider's metadata.
	evidenceEvery = time.Hour
)

// Begin has the hub count from now on, and compares what the providers' newest
// pages show with what is on record. It returns at once: until the pages were
// read, or could not be in time, money-out waits. A start alone closes nothing.
func (s *Service) Begin(ctx context.Context) error {
	started, err := s.DB.StartWitness(ctx, s.now())
	if err != nil {
		return fmt.Errorf("count in the database: %w", err)
	}
	if err := s.Count(ctx); err != nil {
		return fmt.Errorf("count in the database: %w", err)
	}
	limit := probeLimit
	if started.Moved {
		limit = movedLimit
		s.Logger.WarnContext(ctx, "PostgreSQL is another one than before, or has another history: before money moves, the newest payments of each provider are compared with what is on record")
	}
	s.probing = make(chan struct{})
	go func() {
		defer close(s.probing)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
		defer cancel()
		s.probe(ctx)
	}()
	return nil
}

// Watch counts once a second until the context ends.
func (s *Service) Watch(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(countEvery):
		case <-s.countNow:
		}
		if err := s.Count(ctx); err != nil && ctx.Err() == nil {
			// The database is away, or a standby: that is no evidence.
			s.Logger.DebugContext(ctx, "the hub could not count in the database; it is tried again", "error", err)
		}
	}
}

// hurry has the next count come at once.
func (s *Service) hurry() {
	select {
	case s.countNow <- struct{}{}:
	default:
	}
}

// Count counts once, closes money-out where acknowledged writes are gone, and
// opens what has been closed for long enough.
func (s *Service) Count(ctx context.Context) error {
	counted, err := s.DB.Count(ctx, s.now())
	if err != nil {
		return err
	}
	if counted.Lost {
		return s.raise(ctx, postgres.Raise{
			Mark: counted.Mark, Reason: counted.Why, Since: counted.At, Witness: true,
		})
	}
	s.know(ctx, counted.Fences)
	return s.age(ctx, counted.Fences)
}

// Alarmed reports whether acknowledged writes are gone and nothing was done
// about it yet.
func (s *Service) Alarmed() bool { return s.DB.Alarmed() }

// raise closes money-out of the accounts, all of them if none is named.
func (s *Service) raise(ctx context.Context, r postgres.Raise) error {
	r.Now = s.now()
	r.Overlap = ListOverlap
	if r.Who == "" {
		r.Who = "hub"
	}
	if len(r.Providers) == 0 {
		for _, p := range s.Providers.All() {
			r.Providers = append(r.Providers, p.Name())
		}
	}
	raised, err := s.DB.RaiseFences(ctx, r)
	if err != nil {
		return fmt.Errorf("close money-out: %w", err)
	}
	// Orders have lost versions that apps were told of: what they are told from now
	// on must be newer.
	// The mark may be as old as a count before the copy was made.
	if err := s.DB.RaiseVersions(ctx, r.Mark.Add(countEvery), r.Now); err != nil {
		return fmt.Errorf("raise the versions that apps see: %w", err)
	}
	for _, f := range raised {
		s.fences.learn(f)
		s.Logger.ErrorContext(ctx, "history was lost: money-out is closed until the provider's list since then was read; `hub recover status` shows it",
			"provider", f.Provider, "since", f.Mark, "reason", f.Reason)
	}
	s.Kick()
	return nil
}

// know takes over the fences as they stand, and writes what was counted behind
// them.
func (s *Service) know(ctx context.Context, all []postgres.Fence) {
	f := &s.fences
	f.mu.Lock()
	f.known = map[string]postgres.Fence{}
	for _, fence := range all {
		f.known[fence.Provider] = fence
	}
	counts := f.counts
	f.counts = nil
	f.mu.Unlock()
	for name, c := range counts {
		if err := s.DB.CountFence(ctx, name, c.fence, c.checked, c.found); err != nil {
			s.Logger.DebugContext(ctx, "what was checked behind a fence is not counted", "provider", name, "error", err)
		}
	}
}

// age has no fence last: a list that takes long holds up no order that was read
// since, and after the limit all money may go out.
func (s *Service) age(ctx context.Context, all []postgres.Fence) error {
	var failed error
	for _, f := range all {
		age := s.now().Sub(f.At)
		switch {
		case f.Closed() && age >= s.env().Scale(fenceLimit):
			unchecked := "the provider's list since " + f.Mark.UTC().Format(time.RFC3339) + " was not read to its end"
			if f.Error != "" {
				unchecked += ": " + f.Error
			}
			opened, err := s.DB.OpenFence(ctx, f.Provider, f.ID, "the time was up; "+unchecked, s.now())
			failed = errors.Join(failed, err)
			if opened {
				s.Logger.ErrorContext(ctx, "money-out is open again though not everything was checked: compare the provider's payments with the hub's by hand",
					"provider", f.Provider, "since", f.Mark, "not_checked", unchecked)
			}
		case f.State == postgres.FenceClosed && age >= s.env().Scale(fenceList):
			failed = errors.Join(failed, s.loosen(ctx, f.Provider, "the list takes long"))
		}
	}
	return failed
}

// loosen lets an order's money out after a read of its own.
func (s *Service) loosen(ctx context.Context, provider, why string) error {
	loosened, err := s.DB.LoosenFence(ctx, provider, truncate(why))
	if loosened {
		s.Logger.WarnContext(ctx, "an order's money may go out after its payment was read", "provider", provider, "reason", why)
	}
	return err
}

// listedFence opens what waited for the end of a provider's list, and has apps
// told what they may not know.
func (s *Service) listedFence(ctx context.Context, l postgres.Schedule) error {
	opened, err := s.DB.EndFence(ctx, l, fmt.Sprintf("the provider's list was read: %d payments", l.Listed), s.now())
	if opened {
		s.Logger.WarnContext(ctx, "money-out is open again: what the provider knows was read", "provider", l.Provider, "payments", l.Listed, "news", l.News)
	}
	if err != nil {
		return err
	}
	return s.tellAgain(ctx, l.KnownTo)
}

// probe compares the newest pages of all providers with what is on record.
func (s *Service) probe(ctx context.Context) {
	done := make(chan struct{})
	var running int
	for _, p := range s.Providers.All() {
		if !p.Up() {
			continue
		}
		running++
		go func() {
			defer func() { done <- struct{}{} }()
			if err := s.probeOne(ctx, p); err != nil {
				s.Logger.InfoContext(ctx, "the newest payments of a provider could not be compared with what is on record", "provider", p.Name(), "error", err)
			}
		}()
	}
	for range running {
		<-done
	}
}

func (s *Service) probeOne(ctx context.Context, p *providers.Provider) error {
	since, err := s.DB.ListedSince(ctx, p.Name(), ListOverlap)
	if errors.Is(err, postgres.ErrNotFound) {
		return nil // it was never up, so nothing of it can be lost
	}
	cursor := ""
	for range probePages {
		if err != nil {
			return err
		}
		var page *sdk.ListPage
		if page, err = p.List(ctx, sdk.ListRequest{Since: since, Cursor: cursor, Limit: listPage}); err != nil {
			return err
		}
		for i := range page.Payments {
			found, err := s.evidence(ctx, p, &page.Payments[i], since.Add(ListOverlap))
			if err != nil || found {
				return err
			}
		}
		if page.Next == "" || page.Next == cursor {
			return nil
		}
		cursor = page.Next
	}
	return nil
}

// evidence closes money-out if a payment of a provider's list shows that history
// was lost: the metadata of it, or of a refund of it, prove that this hub made it,
// after the mark, and it is on no record. What was made before the mark is missing
// for another reason. Mark is when the provider was last seen up by a hub that
// wrote to this database.
func (s *Service) evidence(ctx context.Context, p *providers.Provider, payment *sdk.Payment, mark time.Time) (bool, error) {
	var attempts, refunds []string
	if made, ours := s.given(ledger.AttemptID, payment.AttemptID, payment.InstanceID); ours && made.After(mark) {
		if _, proven := s.paymentClaim(p.Name(), payment); proven {
			attempts = append(attempts, payment.AttemptID)
		}
	}
	for _, r := range payment.Refunds.Items {
		if made, ours := s.given(ledger.RefundID, r.RefundID, r.InstanceID); ours && made.After(mark) {
			if _, proven := s.DB.Secret().RefundClaim(payment.AttemptID, r); proven {
				refunds = append(refunds, r.RefundID)
			}
		}
	}
	if len(attempts)+len(refunds) == 0 {
		return false, nil
	}
	missing, err := s.DB.OffRecord(ctx, attempts, refunds)
	if err != nil || len(missing) == 0 {
		return false, err
	}
	reason := fmt.Sprintf("provider %s has %s, which this hub made and has no record of", p.Name(), missing[0])
	return true, s.raise(ctx, postgres.Raise{Mark: mark, Reason: reason, Since: s.now().Add(-s.env().Scale(evidenceEvery))})
}

// given reports whether an id in a provider's metadata is one that this hub gave,
// and when: ids tell. One of the future was not.
func (s *Service) given(prefix, id, instance string) (time.Time, bool) {
	if instance != s.DB.InstanceID() || !ledger.ValidID(prefix, id) {
		return time.Time{}, false
	}
	made := ledger.MadeAt(id)
	return made, !made.After(s.now().Add(time.Minute))
}

// CloseMoneyOut closes money-out of the providers' accounts on a person's behalf: a backup was restored while no hub ran, say. What
// happened since that time is read from the providers' lists.
func CloseMoneyOut(ctx context.Context, db *postgres.DB, names []string, since time.Time, who, why string, now time.Time) ([]postgres.Fence, error) {
	if err := checkText("why", why, 500, true); err != nil {
		return nil, err
	}
	if since.After(now) {
		return nil, ledger.Invalidf("since", "lies in the future")
	}
	return db.RaiseFences(ctx, postgres.Raise{Providers: names, Mark: since.UTC(), Reason: why, Who: who, Now: now, Overlap: ListOverlap, Since: now})
}

// OpenMoneyOut opens money-out of an account on a person's behalf.
func OpenMoneyOut(ctx context.Context, db *postgres.DB, provider, who, why string, now time.Time) error {
	if err := checkText("why", why, 500, true); err != nil {
		return err
	}
	opened, err := db.OpenFence(ctx, provider, "", who+": "+why, now)
	if err == nil && !opened {
		return ledger.ErrNotFound("account whose money-out is closed")
	}
	return err
}
