package payments

import (
	"context"
	"encoding/json"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// Reading is a callback as it came, and what the plugin makes of it now.
type Reading struct {
	Request sdk.CallbackRequest
	Result  *sdk.CallbackResult // nil: see Why
	Why     string              // why the plugin says nothing: one of the words below
}

// Why a plugin says nothing of a callback.
const (
	ReaderGone   = "gone"   // its provider is no longer configured
	ReaderDown   = "down"   // its process is not up
	ReaderFailed = "failed" // it could not check it
)

// ReadCallback opens a callback's body and asks the plugin what it says. It
// applies nothing and writes nothing. Conflict: the body was erased.
func (s *Service) ReadCallback(ctx context.Context, cb *ledger.Callback) (Reading, error) {
	var r Reading
	if cb.Raw == nil || json.Unmarshal(cb.Raw, &r.Request) != nil {
		return r, ledger.Conflictf("callback_erased", "the callback's body was erased after its time, or none of the hub's encryption keys opens it")
	}
	p, ok := s.Providers.Get(cb.Provider)
	switch {
	case !ok:
		r.Why = ReaderGone
		return r, nil
	case !p.Up():
		r.Why = ReaderDown
		return r, nil
	}
	result, err := p.HandleCallback(providers.WithIDs(ctx, cb.ID, cb.OrderID), r.Request)
	if err != nil {
		s.Logger.WarnContext(ctx, "a callback that somebody looks at could not be checked", "callback", cb.ID, "error", err)
		r.Why = ReaderFailed
		return r, nil
	}
	r.Result = result
	return r, nil
}
