package payments

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// downAgain is when a callback is tried again whose provider is not up. That is
// no try.
const downAgain = 30 * time.Second

// Retry works once more on a callback that is due: one of no attempt, for the
// payment that it is about may have come on record since, one that could not be
// applied, or one that somebody wants replayed. The plugin judges it as on the
// day that it came. However that ends is on record.
func (s *Service) Retry(ctx context.Context, cb *ledger.Callback) error {
	var r sdk.CallbackRequest
	if cb.Raw == nil || json.Unmarshal(cb.Raw, &r) != nil {
		return s.putAside(ctx, cb, "its body cannot be read: it was erased, or none of the encryption keys fits")
	}
	cb.Raw = nil // it is on record
	p, ok := s.Providers.Get(cb.Provider)
	if !ok {
		return s.putAside(ctx, cb, "provider "+cb.Provider+" is no longer configured")
	}
	if !p.Up() {
		cb.Tries--
		cb.DueAt = s.now().Add(s.env().Scale(downAgain))
		return s.DB.StoreCallback(ctx, cb)
	}
	res, err := p.HandleCallback(providers.WithIDs(ctx, cb.ID, cb.OrderID), r)
	if err != nil {
		return s.putAside(ctx, cb, "the plugin could not check it: "+err.Error())
	}
	switch res.Verdict {
	case sdk.Genuine, sdk.Forged, sdk.NotOurs, sdk.CannotCheck:
	default:
		res.Verdict = sdk.CannotCheck // one that the hub does not know proves nothing
	}
	if !cb.Outcome.Kept() {
		cb.Verdict = res.Verdict // what is settled stays so
	}
	if res.Verdict != sdk.Genuine {
		return s.putAside(ctx, cb, "the plugin no longer takes it for genuine ("+string(res.Verdict)+"): "+res.Reason)
	}
	return s.keep(ctx, cb, res.Facts)
}

func (s *Service) putAside(ctx context.Context, cb *ledger.Callback, why string) error {
	s.fail(ctx, cb, cb.Outcome, why)
	return s.DB.StoreCallback(ctx, cb)
}

// fail says what becomes of a callback that could not be worked on. One that
// was settled before stays so; what is tried too often is parked, and its order
// needs a person.
func (s *Service) fail(ctx context.Context, cb *ledger.Callback, was ledger.CallbackOut, why string) {
	now := s.now()
	cb.UpdatedAt, cb.DueAt, cb.Note = now, time.Time{}, cut(why, maxNote)
	if was.Kept() {
		cb.Outcome, cb.Note = was, cut("replayed in vain: "+why, maxNote)
		return
	}
	if was != ledger.CallbackFailed {
		cb.Tries = 1
	}
	if cb.Outcome = ledger.CallbackFailed; cb.Tries <= len(failedAgain) {
		cb.DueAt = now.Add(s.env().Scale(failedAgain[max(cb.Tries, 1)-1]))
		return
	}
	cb.Outcome = ledger.CallbackParked
	if cb.OrderID == "" {
		return
	}
	if err := s.hear(ctx, cb, ledger.News{Raise: ledger.CallbackStuck}); err != nil {
		s.Logger.ErrorContext(ctx, "an order cannot be flagged for a callback that was given up", "order", cb.OrderID, "callback", cb.ID, "error", err)
	}
}

// maxAppReplays bounds what an app can write into a timeline.
const maxAppReplays = 20

// ReplayCallback has a callback judged and applied once more, at once, on
// somebody's behalf; an empty app is the hub itself. Repeating it is harmless.
// Conflict: its body was erased. Unavailable: its provider is down.
func (s *Service) ReplayCallback(ctx context.Context, appID, id, who, why string) (*ledger.Callback, error) {
	if err := s.ClockRight(); err != nil {
		return nil, err
	}
	cb, err := s.DB.Callback(ctx, appID, id)
	if err != nil {
		return nil, NotFound(err, "callback")
	}
	if appID != "" && len(cb.Replays) >= maxAppReplays {
		return nil, ledger.Conflictf("too_many_replays", "it was replayed %d times already; the operator can see why it does not help", len(cb.Replays))
	}
	if p, ok := s.Providers.Get(cb.Provider); ok && !p.Up() {
		return nil, down(p.Name())
	}
	// Should the hub die now, another goes on when the lease ends.
	if err := s.AskReplay(ctx, cb, who, why, s.now().Add(keepPatience+s.CallTimeout+storePatience)); err != nil {
		return nil, err
	}
	cb.Tries = 1
	if cb.Outcome == ledger.CallbackParked {
		cb.Outcome = ledger.CallbackFailed
	}
	if err := s.Retry(ctx, cb); err != nil {
		return nil, err
	}
	cb, err = s.DB.Callback(ctx, appID, id)
	return cb, NotFound(err, "callback")
}

// AskReplay records who wants a callback replayed and why, and has a hub do it
// when it is due.
func (s *Service) AskReplay(ctx context.Context, cb *ledger.Callback, who, why string, due time.Time) error {
	if err := checkText("why", why, 500, false); err != nil {
		return err
	}
	erased := ledger.Conflictf("callback_erased", "the callback's body was erased; read the order at the provider instead")
	if cb.Raw == nil {
		return erased
	}
	err := s.DB.ReplayCallback(ctx, cb.ID, ledger.Replay{At: s.now(), Who: who, Why: why}, due)
	if errors.Is(err, postgres.ErrNotFound) {
		return erased
	}
	return err
}

// maxNote bounds what is said of a callback, in bytes.
const maxNote = 500

// cut makes one short line of what others wrote.
func cut(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "") + "..."
	}
	return text
}
