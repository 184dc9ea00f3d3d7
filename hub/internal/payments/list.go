package payments

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

const (
	// ListOverlap is how far a list reaches back before what is known: for
	// clocks that differ, lists that lag behind, and callbacks that were on their
	// way when the provider's process ended.
	ListOverlap = time.Hour

	listEvery = 24 * time.Hour
	listPage  = 100
	// fenceReads is how many payments of a page are read at once.
	fenceReads = 8
	// cursorPatience is how many failures in a row make a run begin anew: its
	// cursor may name what is gone.
	cursorPatience = 5
)

// Running are the names of the providers that are up.
func (s *Service) Running() []string {
	names := []string{}
	for _, p := range s.Providers.All() {
		if p.Up() {
			names = append(names, p.Name())
		}
	}
	return names
}

// List reads one page of what a provider knows, of a claimed schedule. The
// cursor is kept after each page, so that any hub goes on where one died.
func (s *Service) List(ctx context.Context, l postgres.Schedule) error {
	now := s.now()
	if l.Since == nil {
		since := l.KnownTo.Add(-ListOverlap)
		l.Since, l.BeganAt, l.Cursor = &since, &now, ""
		l.Listed, l.News, l.NotOurs = 0, 0, 0
	}
	if l.Kind == postgres.ListFence && l.BeganAt == nil {
		if err := s.DB.DueSince(ctx, l.Provider, now); err != nil {
			return err
		}
		l.BeganAt = &now
	}
	next, err := s.listPage(ctx, &l)
	if err != nil && l.Kind == postgres.ListFence {
		// The list may never end, so apps are told now of what they may not know.
		err = errors.Join(err, s.loosen(ctx, l.Provider, err.Error()), s.tellAgain(ctx, l.KnownTo))
	}
	due := now // the next page, at once
	switch {
	case errors.Is(err, errNoList):
		l.Error, l.Tries, due = err.Error(), 0, now.Add(s.env().Scale(listEvery))
		l.Since, l.BeganAt, err = nil, nil, nil
	case err != nil:
		l.Error, due = truncate(err.Error()), now.Add(ledger.Backoff(l.Tries, s.env()))
		if l.Tries%cursorPatience == 0 {
			l.Cursor = ""
		}
	case next != "":
		l.Cursor, l.Tries, l.Error = next, 0, ""
	default:
		s.Logger.InfoContext(ctx, "listed what a provider knows", "provider", l.Provider, "since", *l.Since, "kind", l.Kind,
			"payments", l.Listed, "news", l.News, "not_ours", l.NotOurs)
		if l.Kind == postgres.ListFence {
			if err := s.listedFence(ctx, l); err != nil {
				return err
			}
		}
		l.KnownTo, due = *l.BeganAt, now.Add(s.env().Scale(listEvery))
		l.Since, l.BeganAt, l.Cursor, l.Tries, l.Error = nil, nil, "", 0, ""
	}
	if l.DueAt = &due; l.Since == nil && l.Kind != postgres.ListDaily {
		l.DueAt = nil // until the next outage, or loss
	}
	err = errors.Join(err, s.DB.SaveSchedule(ctx, l))
	s.kickAt(due)
	return err
}

var errNoList = errors.New("the plugin lists nothing")

func truncate(s string) string { return s[:min(len(s), 300)] }

// listPage reads one page and looks at each payment. Next is empty at the end.
func (s *Service) listPage(ctx context.Context, l *postgres.Schedule) (next string, err error) {
	p, ok := s.Providers.Get(l.Provider)
	if !ok || !p.Up() {
		return "", errors.New("provider " + l.Provider + " is not up")
	}
	call, cancel := context.WithTimeout(ctx, s.CallTimeout)
	defer cancel()
	page, err := p.List(call, sdk.ListRequest{Since: *l.Since, Cursor: l.Cursor, Limit: listPage})
	err = s.readable(ctx, p, err)
	var rejected *sdk.RejectedError
	switch {
	case errors.As(err, &rejected) && rejected.Failure.Code == sdk.FailureState:
		return "", errNoList
	case err != nil:
		return "", err
	case page.Next != "" && page.Next == l.Cursor:
		return "", errors.New("the list does not move on")
	}
	news := []string{}
	for _, payment := range page.Payments {
		attempt, err := s.listed(ctx, p, &payment, l)
		if err != nil {
			return "", err
		}
		if attempt != "" {
			news = append(news, attempt)
		}
	}
	if l.Kind == postgres.ListFence {
		err = s.readAll(ctx, news)
	}
	return page.Next, err
}

// readAll reads what a page told of before money-out opens: the app's repeat of
// what was lost must find it on record.
func (s *Service) readAll(ctx context.Context, attempts []string) error {
	slices.Sort(attempts)
	var reads errgroup.Group // without a context of its own: all are read though one fails
	reads.SetLimit(fenceReads)
	for _, id := range slices.Compact(attempts) {
		reads.Go(func() error { return s.Sync(ctx, id) })
	}
	return reads.Wait()
}

// listed looks at one payment of a list. An attempt of ours that it tells
// something new of is returned and becomes due, for a read goes the way of all
// news. A payment that carries our name and is on no record is adopted, or put
// before a person.
func (s *Service) listed(ctx context.Context, p *providers.Provider, payment *sdk.Payment, l *postgres.Schedule) (attempt string, err error) {
	l.Listed++
	if l.Kind != postgres.ListFence { // else it is known that history was lost
		if _, err := s.evidence(ctx, p, payment, l.Since.Add(ListOverlap)); err != nil {
			return "", err
		}
	}
	ours := payment.InstanceID == s.DB.InstanceID()
	maybe := payment.InstanceID == "" && ledger.ValidID(ledger.AttemptID, payment.AttemptID)
	name := ""
	if ours || maybe {
		name = payment.AttemptID
	}
	heard, err := s.DB.OrderOfCallback(ctx, &ledger.Callback{Provider: p.Name()}, name, payment.Refs) // of no event
	if err != nil {
		return "", err
	}
	if heard.Order == nil {
		if !ours && !maybe {
			l.NotOurs++ // of the same account, made by somebody else
			return "", nil
		}
		other, same, err := s.anotherName(ctx, p.Name(), name)
		switch {
		case err != nil:
			return "", err
		case same:
			l.NotOurs++ // the list under that name tells of it
			return "", nil
		case other != "": // another account has no payment of this attempt, whatever its metadata say
			return "", s.unmatched(ctx, p, payment, ours, l)
		}
		return "", s.offRecord(ctx, p, payment, ours, l)
	}
	a := heard.Order.Attempt(heard.AttemptID)
	if a.Other(payment) {
		return "", s.unmatched(ctx, p, payment, ours, l)
	}
	if heard.Order.Knows(a, payment) {
		return "", nil
	}
	l.News++
	_, err = s.apply(ctx, heard.Order, nil, ledger.News{AttemptID: a.ID, Source: ledger.FromHub, Hint: true, Maybe: payment.Refs, Expect: listedMovements(payment)})
	return a.ID, err
}

// offRecord takes in a payment that is on no record though it carries this hub's
// name, or perhaps does: it is adopted if its metadata prove that the hub made it,
// and otherwise put before a person.
func (s *Service) offRecord(ctx context.Context, p *providers.Provider, payment *sdk.Payment, ours bool, l *postgres.Schedule) error {
	if l.Kind == postgres.ListFence && ours {
		s.fences.find(p.Name())
	}
	adopted, err := s.adopt(ctx, p, payment)
	if adopted {
		l.News++
	}
	if err != nil || adopted {
		return err
	}
	return s.unmatched(ctx, p, payment, ours, l)
}

// unmatched keeps money that is at the provider under our name and belongs to
// no attempt: of a database that was set back, say. What nobody paid is no money.
func (s *Service) unmatched(ctx context.Context, p *providers.Provider, payment *sdk.Payment, certain bool, l *postgres.Schedule) error {
	u := postgres.Unmatched{
		Provider: p.Name(), AttemptID: payment.AttemptID, Certain: certain, Status: string(payment.Status), Amount: payment.Amount.Amount,
		Currency: payment.Amount.Currency, Exponent: payment.Amount.Exponent, LastSeen: s.now(),
	}
	money := payment.Status == sdk.Pending || payment.Status == sdk.RequiresCapture || payment.Status == sdk.Succeeded
	for _, c := range payment.Captures.Items {
		if money = true; c.Status == sdk.MovementSucceeded {
			u.Captured += c.Amount.Amount
		}
	}
	for _, r := range payment.Refunds.Items {
		if r.Status == sdk.MovementSucceeded {
			u.Refunded += r.Amount.Amount
		}
	}
	if !money || len(payment.Refs) == 0 {
		return nil
	}
	// The last name goes deepest: a page's session and its payment share it.
	last := payment.Refs[len(payment.Refs)-1]
	u.Ref = last.Kind + " " + last.Value
	fresh, err := s.DB.AddUnmatched(ctx, u)
	if err != nil || !fresh {
		return err
	}
	l.News++
	s.Logger.ErrorContext(ctx, "money at a provider belongs to no attempt of this hub; `hub provider unmatched` shows it",
		"provider", u.Provider, "payment", u.Ref, "attempt", u.AttemptID, "captured", fmt.Sprint(u.Captured, " ", u.Currency))
	return nil
}
