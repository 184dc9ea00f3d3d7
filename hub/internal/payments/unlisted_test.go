package payments_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// TestUnlisted_ACaptureUnderAnotherName: an answer names a capture that the provider
// does not have, and a callback the one that it has. The hub looks again when the
// first must be listed, and not with the next day's check, and tells a person.
func TestUnlisted_ACaptureUnderAnotherName(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Authorized()
	attempt := o.Attempts[0].ID
	e.Provider.Script(func(s *paytest.Script) {
		s.Capture = paytest.Changed(e.Provider.Honest.Capture, func(p *sdk.Payment) {
			p.Captures.Items = slices.Clone(p.Captures.Items)
			p.Captures.Items[0].ID += "-of-nobody"
		})
	})
	_, err := e.Service.Capture(t.Context(), e.Caller(), o.ID, payments.CaptureInput{Amount: ledger.Minor(2_000)})
	require.NoError(t, err)
	e.Told(e.Provider.Honest.Payment(attempt))
	require.NoError(t, e.Service.Sync(t.Context(), attempt))
	after := e.Order(o.ID)
	require.Len(t, after.Captures, 2)
	waited := time.Duration(0)
	for ; !e.Order(o.ID).NeedsAttention && waited < 10*time.Minute; waited += 10 * time.Second {
		e.After(10 * time.Second)
	}
	require.Less(t, waited, 5*time.Minute)
	require.Equal(t, ledger.EventNotConfirmed, e.Order(o.ID).Attention[0].Reason)
}
