package payments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// Verdicts of a callback that are not an acknowledgement.
var (
	errForged = &ledger.Error{Kind: ledger.Invalid, Code: "callback_forged", Message: "the callback does not come from the provider, was altered, or is too old"}
	errOther  = &ledger.Error{Kind: ledger.Invalid, Code: "callback_not_ours", Message: "the callback is of another account or mode than this provider is configured for"}
)

// unmatchedFor is how long a genuine callback of no attempt is tried again
// before it is kept as foreign.
const unmatchedFor = time.Hour

// unmatchedAgain is when it is tried again: soon at first, for what it is about
// is often heard in the same moment.
var unmatchedAgain = []time.Duration{2 * time.Second, 10 * time.Second, time.Minute, 5 * time.Minute}

// Callback takes an inbound call of a provider: the plugin judges it, what it
// proves is applied, what it only hints at is read later. It is acknowledged
// when it is on record, and not before.
func (s *Service) Callback(ctx context.Context, name string, r sdk.CallbackRequest) (sdk.Ack, sdk.Verdict, error) {
	p, ok := s.Providers.Get(name)
	if !ok {
		return sdk.Ack{}, "", ledger.ErrNotFound("provider")
	}
	if !p.Up() {
		return sdk.Ack{}, sdk.CannotCheck, down(p)
	}
	r.ReceivedAt = s.now()
	res, err := p.HandleCallback(ctx, r)
	if err != nil {
		s.Logger.WarnContext(ctx, "a callback could not be checked", "provider", name, "error", err)
		return sdk.Ack{}, sdk.CannotCheck, down(p)
	}
	switch res.Verdict {
	case sdk.Genuine:
	case sdk.Forged:
		return sdk.Ack{}, res.Verdict, errForged
	case sdk.NotOurs:
		return sdk.Ack{}, res.Verdict, errOther
	default:
		return sdk.Ack{}, sdk.CannotCheck, down(p)
	}
	now := s.now()
	cb := &ledger.Callback{
		ID: ledger.NewID(ledger.CallbackID, now), Provider: name, EventID: res.EventID, Type: res.Type,
		Outcome: ledger.CallbackIgnored, Note: res.Reason, ReceivedAt: now, UpdatedAt: now, Raw: encode(r),
	}
	if cb.EventID == "" {
		cb.EventID = cb.ID // nothing to know a repetition by; applying it twice is harmless
	}
	if err := s.keep(ctx, cb, res.Facts); err != nil {
		return sdk.Ack{}, res.Verdict, err
	}
	return res.Ack, res.Verdict, nil
}

// keep applies a callback's facts and records it. The line of the inbox is
// written in the statement that makes its last change, so it is done only when
// the change is. Facts before the last may be applied again if the hub dies in
// between: that changes nothing.
func (s *Service) keep(ctx context.Context, cb *ledger.Callback, facts []sdk.Fact) (err error) {
	for range 3 {
		if err = s.tryKeep(ctx, cb, facts); !errors.Is(err, postgres.ErrDuplicate) {
			return err
		}
		// The same event came on record at this moment, perhaps as unmatched:
		// look again.
	}
	return fmt.Errorf("the callback %s could not be recorded beside its repetitions: %w", cb.EventID, err)
}

// tryKeep is keep, once. ErrDuplicate: the event came on record meanwhile.
func (s *Service) tryKeep(ctx context.Context, cb *ledger.Callback, facts []sdk.Fact) error {
	var unmatched, recorded bool
	for i, f := range facts {
		heard, err := s.DB.OrderOfCallback(ctx, cb.Provider, cb.EventID, s.ours(f), f.Payment.Refs)
		if err != nil {
			return err
		}
		if heard.ID != "" && heard.ID != cb.ID {
			if heard.Outcome != ledger.CallbackUnmatched && heard.Outcome != ledger.CallbackForeign {
				return nil // a repetition: absorbed by one look-up
			}
			cb.ID = heard.ID // what was of nobody may be ours by now
		}
		if heard.Order == nil {
			unmatched = true
			continue
		}
		cb.OrderID, cb.Outcome, cb.DueAt, cb.Note = heard.Order.ID, ledger.CallbackNoNews, time.Time{}, ""
		last := cb
		if i < len(facts)-1 || unmatched {
			last = nil
		}
		after, err := s.apply(ctx, heard.Order, last, s.news(f, heard.AttemptID))
		if err != nil {
			return err
		}
		recorded = last != nil && cb.Outcome == ledger.CallbackApplied && after != heard.Order
	}
	if recorded {
		return nil
	}
	if unmatched {
		s.setAside(cb)
	}
	err := s.DB.StoreCallback(ctx, cb)
	if len(facts) == 0 && errors.Is(err, postgres.ErrDuplicate) {
		return nil // a repetition of what means nothing
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
	cb.UpdatedAt = now
	if now.Sub(cb.ReceivedAt) > s.env().Scale(unmatchedFor) {
		cb.Outcome, cb.Note, cb.DueAt = ledger.CallbackForeign, "no attempt of ours had this payment within an hour", time.Time{}
		return
	}
	cb.Outcome, cb.Note, cb.DueAt = ledger.CallbackUnmatched, "no attempt of ours has this payment", now.Add(s.env().Scale(unmatchedAgain[min(cb.Tries, len(unmatchedAgain)-1)]))
}

// news turns a plugin's fact into news about our attempt. What its proof does
// not cover is only a reason to read.
func (s *Service) news(f sdk.Fact, attemptID string) ledger.News {
	n := ledger.News{AttemptID: attemptID, Source: ledger.FromCallback}
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

// Retry looks again at a callback of no attempt: the payment it is about may
// have come on record since.
func (s *Service) Retry(ctx context.Context, cb *ledger.Callback) error {
	var r sdk.CallbackRequest
	if err := json.Unmarshal(cb.Raw, &r); err != nil {
		return fmt.Errorf("callback %s: %w", cb.ID, err)
	}
	p, ok := s.Providers.Get(cb.Provider)
	if !ok {
		s.setAside(cb)
		return s.DB.StoreCallback(ctx, cb)
	}
	if !p.Up() {
		return nil // its lease ends by itself
	}
	res, err := p.HandleCallback(providers.WithIDs(ctx, cb.ID, ""), r)
	if err != nil {
		return err
	}
	return s.keep(ctx, cb, res.Facts)
}
