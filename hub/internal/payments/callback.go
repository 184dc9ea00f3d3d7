package payments

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// errForged is a verdict that is no acknowledgement.
var errForged = &ledger.Error{Kind: ledger.Invalid, Code: "callback_forged", Message: "the callback does not come from the provider, was altered, or is too old"}

// unmatchedFor is how long a genuine callback of no attempt is tried again
// before it is kept as foreign.
const unmatchedFor = time.Hour

// unmatchedAgain is when it is tried again: soon at first, for what it is about
// is often heard in the same moment.
var unmatchedAgain = []time.Duration{2 * time.Second, 10 * time.Second, time.Minute, 5 * time.Minute}

// failedAgain is when a callback that could not be applied is tried again. After
// the last of them, half a day later, it is parked for a person.
var failedAgain = []time.Duration{
	2 * time.Second, 10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour,
}

// Limits of what one callback may cost.
const (
	callbacksAtOnce  = 128             // of one provider: a flood of them does not take the hub's place from the others
	callbackPatience = 2 * time.Second // how long one waits for its turn
	keepPatience     = 8 * time.Second // how long it may take to apply it
	storePatience    = 4 * time.Second // and, if that fails, to put it aside
	maxFacts         = 100             // of one callback
	maxEventID       = 200             // bytes; a longer one is known by its hash
)

// Callback takes an inbound call of a provider: the plugin judges it, what it
// proves is applied, what it only hints at is read later. It is acknowledged
// when it is on record, and not before: what cannot be checked or stored is
// Unavailable, so that the provider sends it again. What is not genuine is only
// counted: one statement in five seconds, however many come (see forged.go).
func (s *Service) Callback(ctx context.Context, name string, r sdk.CallbackRequest) (sdk.Ack, sdk.Verdict, error) {
	p, ok := s.Providers.Get(name)
	if !ok {
		return sdk.Ack{}, "", ledger.ErrNotFound("provider")
	}
	if err := s.ClockRight(); err != nil { // else it would pass for too old, and never be sent again
		return sdk.Ack{}, sdk.CannotCheck, err
	}
	if !p.Up() {
		return sdk.Ack{}, sdk.CannotCheck, down(p.Name())
	}
	leave, ok := s.callers.enter(ctx, name)
	if !ok {
		return sdk.Ack{}, sdk.CannotCheck, sendAgain("more callbacks of this provider came at once than the hub works on")
	}
	defer leave()
	r.ReceivedAt = s.now()
	res, err := p.HandleCallback(ctx, r)
	var cannotBe *providers.UnreadableError
	if err != nil && !errors.As(err, &cannotBe) {
		s.Logger.WarnContext(ctx, "a callback could not be checked", "provider", name, "error", err)
		return sdk.Ack{}, sdk.CannotCheck, down(p.Name())
	}
	switch res.Verdict {
	case sdk.Genuine, sdk.NotOurs:
	case sdk.Forged:
		s.forged.add(s, name, res.Reason)
		return sdk.Ack{}, res.Verdict, errForged
	default:
		s.Logger.WarnContext(ctx, "a callback could not be checked", "provider", name, "reason", res.Reason)
		return sdk.Ack{}, sdk.CannotCheck, down(p.Name())
	}
	now := s.now()
	cb := &ledger.Callback{
		ID: ledger.NewID(ledger.CallbackID, now), Provider: name, EventID: res.EventID, Type: cut(res.Type, maxEventID), Verdict: res.Verdict,
		Note: cut(res.Reason, maxNote), ReceivedAt: now, UpdatedAt: now, Raw: encode(r),
	}
	switch {
	case cb.EventID == "":
		cb.EventID = cb.ID // nothing to know a repetition by; applying it twice is harmless
	case len(cb.EventID) > maxEventID:
		cb.EventID = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(cb.EventID)))
	}
	if cb.Verdict == sdk.NotOurs {
		err = s.keepNotOurs(ctx, cb)
	} else if cannotBe != nil {
		err = s.keepUnreadable(ctx, cb, res.Facts, cannotBe)
	} else {
		err = s.keep(ctx, cb, res.Facts)
	}
	if err != nil {
		s.Logger.ErrorContext(ctx, "a callback could not be stored; the provider is asked to send it again", "provider", name, "error", err)
		return sdk.Ack{}, res.Verdict, sendAgain("the callback could not be stored")
	}
	return res.Ack, res.Verdict, nil
}

// keepNotOurs records a callback of another account or mode, whose provider sends both
// to one address: nothing of it is applied, and refusing it would only have it sent
// again for days. Once the settings are right a person can have it replayed.
func (s *Service) keepNotOurs(ctx context.Context, cb *ledger.Callback) error {
	cb.Outcome = ledger.CallbackForeign
	if cb.Note == "" {
		cb.Note = "it is of another account or mode than this provider is configured for"
	}
	return s.DB.IgnoreCallback(ctx, cb)
}

// sendAgain asks a provider to repeat its call.
func sendAgain(why string) error {
	return &ledger.Error{Kind: ledger.Unavailable, Code: "unavailable", Message: why + "; send it again", RetryAfter: 5 * time.Second}
}

// keep applies a callback's facts and records it. The line of the inbox is
// written in the statement that makes its last change, so it is done only when
// the change is. Facts before the last may be applied again if the hub dies in
// between: that changes nothing. What cannot be applied is put aside, visibly,
// to be tried again: an error means that it is not on record.
func (s *Service) keep(ctx context.Context, cb *ledger.Callback, facts []sdk.Fact) error {
	was := cb.Outcome
	trying, cancel := context.WithTimeout(ctx, keepPatience)
	defer cancel()
	var err error
	for range 3 {
		err = s.tryKeep(trying, cb, was, facts)
		// The same event came on record at this moment, perhaps as unmatched, or the
		// database went back to before the callback's order: look again.
		if errors.Is(err, postgres.ErrNotFound) {
			cb.OrderID = ""
		} else if !errors.Is(err, postgres.ErrDuplicate) {
			break
		}
	}
	if err == nil {
		return nil
	}
	s.Logger.ErrorContext(ctx, "a callback could not be applied; it is put aside", "provider", cb.Provider, "callback", cb.ID, "event", cb.EventID, "error", err)
	s.fail(ctx, cb, was, "it could not be applied: "+err.Error())
	storing, cancel := context.WithTimeout(ctx, storePatience)
	defer cancel()
	if err := s.DB.StoreCallback(storing, cb); err != nil && !errors.Is(err, postgres.ErrDuplicate) {
		return err
	}
	return nil
}

// tryKeep is keep, once. ErrDuplicate: the event came on record meanwhile.
// ErrNotFound: the order went off it. A callback must not be lost for a bug that it meets, so that is an error, too.
func (s *Service) tryKeep(ctx context.Context, cb *ledger.Callback, was ledger.CallbackOut, facts []sdk.Fact) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.Logger.ErrorContext(ctx, "panic while a callback was applied", "callback", cb.ID, "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("the hub failed on it: %v", r)
		}
	}()
	cb.Outcome, cb.DueAt, cb.UpdatedAt = ledger.CallbackIgnored, time.Time{}, s.now()
	if len(facts) == 0 && was == "" {
		return s.DB.IgnoreCallback(ctx, cb)
	}
	if len(facts) > maxFacts {
		return fmt.Errorf("it says %d things, and the hub takes %d at most", len(facts), maxFacts)
	}
	var unmatched, recorded, again bool
	var elsewhere string
	for i, f := range facts {
		heard, err := s.DB.OrderOfCallback(ctx, cb, s.ours(f), f.Payment.Refs)
		if err != nil {
			return err
		}
		if heard.ID != "" && heard.ID != cb.ID {
			if heard.Outcome.Settled() {
				return nil // a repetition: absorbed by one look-up
			}
			cb.ID, was = heard.ID, heard.Outcome // what was of nobody, failed or is not confirmed may be by now
			again = true
		}
		if heard.Order == nil {
			name, err := s.readUnderAnotherName(ctx, cb.Provider, f)
			if err != nil {
				return err
			}
			if unmatched = unmatched || name == ""; name != "" {
				elsewhere = name
			}
			continue
		}
		cb.OrderID, cb.Outcome, cb.Note, cb.Recorded = heard.Order.ID, ledger.CallbackNoNews, "", false
		last, news := cb, s.news(f, heard.AttemptID)
		if i < len(facts)-1 || unmatched {
			last = nil
		} else {
			news.Callback = cb.ID
		}
		news.Event = cb.ID
		if _, err := s.apply(ctx, heard.Order, last, news); err != nil {
			return err
		}
		recorded = cb.Recorded
	}
	if recorded {
		return nil
	}
	if len(facts) == 0 && cb.OrderID != "" { // once it said something, and could not be applied
		if err := s.hear(ctx, cb, ledger.News{}); err != nil {
			return err
		}
	}
	if again && cb.Outcome == was && was.Kept() {
		return nil // sent once more, and not confirmed yet: it stands as it is
	}
	if unmatched {
		s.setAside(cb)
	} else if elsewhere != "" && cb.OrderID == "" {
		cb.Outcome, cb.Note = ledger.CallbackForeign, "its payment is on record with provider "+elsewhere+", and is read there"
	} else if was == ledger.CallbackApplied {
		cb.Outcome = was // replayed, and nothing was left to do
	}
	return s.DB.StoreCallback(ctx, cb)
}

// readUnderAnotherName has the payment of a fact read that is on record under another
// name of the provider's account, and returns that name. Empty: it is on no record.
func (s *Service) readUnderAnotherName(ctx context.Context, provider string, f sdk.Fact) (name string, err error) {
	attemptID := s.ours(f)
	if attemptID == "" {
		return "", nil
	}
	name, same, err := s.anotherName(ctx, provider, attemptID)
	if err != nil || !same {
		return "", err
	}
	o, err := s.DB.OrderOfAttempt(ctx, attemptID)
	if err != nil {
		return "", err
	}
	f.Proven = false // what is told of it is read, as ever
	_, err = s.apply(ctx, o, nil, s.news(f, attemptID))
	return name, err
}

// anotherName returns the name of another provider that an attempt is on record with,
// and whether that is of the same account: one that is not set up any more may be. The
// name is empty if there is none.
func (s *Service) anotherName(ctx context.Context, provider, attemptID string) (name string, same bool, err error) {
	name, err = s.DB.ProviderOfAttempt(ctx, attemptID)
	if errors.Is(err, postgres.ErrNotFound) || err == nil && name == provider {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	p, ok := s.Providers.Get(provider)
	other, known := s.Providers.Get(name)
	return name, !ok || !known || p.SameAccount(other), nil
}

// hear tells the order of a callback what the hub found out about it.
func (s *Service) hear(ctx context.Context, cb *ledger.Callback, n ledger.News) error {
	o, err := s.DB.Order(ctx, "", cb.OrderID)
	if err == nil {
		n.AttemptID, n.Source, n.Callback = o.Current().ID, ledger.FromHub, cb.ID
		_, err = s.apply(ctx, o, nil, n)
	}
	return err
}

// ours is the attempt that a fact names by what our server put into the
// provider's metadata. Another hub's word is not ours, and a proven fact must
// say whose it is.
func (s *Service) ours(f sdk.Fact) string {
	if id := f.Payment.InstanceID; id == s.DB.InstanceID() || id == "" && !f.Proven {
		return f.Payment.AttemptID
	}
	return ""
}

// setAside keeps a callback of no attempt for another look, and for good as
// foreign after an hour.
func (s *Service) setAside(cb *ledger.Callback) {
	now := s.now()
	if now.Sub(cb.ReceivedAt) > s.env().Scale(unmatchedFor) {
		cb.Outcome, cb.Note, cb.DueAt = ledger.CallbackForeign, "no attempt of ours had this payment within an hour", time.Time{}
		return
	}
	cb.Outcome, cb.Note, cb.DueAt = ledger.CallbackUnmatched, "no attempt of ours has this payment", now.Add(s.env().Scale(unmatchedAgain[min(cb.Tries, len(unmatchedAgain)-1)]))
}

// news turns a plugin's fact into news about our attempt. What its proof does
// not cover is only a reason to read.
func (s *Service) news(f sdk.Fact, attemptID string) ledger.News {
	n := ledger.News{AttemptID: attemptID, Source: ledger.FromCallback, Expect: f.Expect}
	if !f.Proven {
		n.Hint, n.Maybe = true, f.Payment.Refs
		return n
	}
	p := f.Payment
	if p.InstanceID != s.DB.InstanceID() {
		p.AttemptID = ""
	}
	for i := range p.Refunds.Items {
		if r := &p.Refunds.Items[i]; r.InstanceID != s.DB.InstanceID() {
			r.RefundID = ""
		}
	}
	n.Payment = &p
	return n
}
