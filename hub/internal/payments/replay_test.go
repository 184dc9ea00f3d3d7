package payments_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

// TestReplay_WorksOnACallbackOnceMore, at most so often for an app, while its
// body is there; one that is settled stays so whatever comes of it.
func TestReplay_WorksOnACallbackOnceMore(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowPage)
	p := e.Provider.Honest.Pay(o.Attempts[0].ID)

	// The plugin fails on it for a day: it waits for a person, and so does its order.
	e.Hinted(e.Provider.Honest.Payment(o.Attempts[0].ID)) // the order is known by it
	_, err := e.SQL.ExecContext(t.Context(), `UPDATE callbacks SET outcome = 'failed', due_at = $1, tries = 0`, e.Clock.Now())
	require.NoError(t, err)
	e.Provider.Script(func(s *paytest.Script) {
		s.HandleCallback = paytest.Fails[sdk.CallbackRequest, sdk.CallbackResult](errors.New("a bug of the plugin"))
		s.GetPayment = paytest.Fails[sdk.PaymentRequest, sdk.Payment](paytest.ErrBroken)
	})
	for range 20 {
		e.After(6 * time.Hour / 4)
	}
	require.Equal(t, 1, outcomes(e, ledger.CallbackParked))
	require.Contains(t, reasons(e.Order(o.ID)), ledger.CallbackStuck)
	e.Provider.Script(func(s *paytest.Script) { *s = paytest.Script{} })

	all, err := e.DB.Callbacks(t.Context(), postgres.CallbackFilter{AppID: e.App.ID, Limit: 10})
	require.NoError(t, err)
	id := all[0].ID
	cb, err := e.Service.ReplayCallback(t.Context(), "", id, "alice", "the plugin is mended")
	require.NoError(t, err)
	require.True(t, cb.Outcome.Settled())
	require.NotContains(t, reasons(e.Order(o.ID)), ledger.CallbackStuck)
	e.Due()
	require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)

	// Again and again: nothing doubles, and an app cannot go on for ever.
	for range 19 {
		_, err = e.Service.ReplayCallback(t.Context(), e.App.ID, id, "app", "")
		require.NoError(t, err)
	}
	_, err = e.Service.ReplayCallback(t.Context(), e.App.ID, id, "app", "")
	refused(t, err, "too_many_replays")
	_, err = e.Service.ReplayCallback(t.Context(), "app_2", id, "app", "")
	refused(t, err, "not_found")
	require.Equal(t, p.Captures.Items[0].Amount.Amount, e.Order(o.ID).Captured)

	// One that the plugin no longer takes for genuine changes nothing.
	e.Provider.Script(func(s *paytest.Script) {
		s.HandleCallback = func(context.Context, sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			more := *e.Provider.Honest.Payment(o.Attempts[0].ID)
			more.Captures.Items = append(more.Captures.Items, sdk.Capture{ID: "cap-forged", Status: sdk.MovementSucceeded, Amount: paytest.USD(1)})
			forged := e.Fact("evt-forged", o.Attempts[0].ID, true, more)
			forged.Verdict = sdk.Forged
			return &forged, nil
		}
	})
	cb, err = e.Service.ReplayCallback(t.Context(), "", id, "alice", "")
	require.NoError(t, err)
	require.True(t, cb.Outcome.Settled())
	require.Equal(t, sdk.Genuine, cb.Verdict)
	require.Len(t, e.Order(o.ID).Captures, 1)

	_, _, err = e.Service.Erase(t.Context(), o.ID, "alice", "asked by the payer")
	require.NoError(t, err)
	_, err = e.Service.ReplayCallback(t.Context(), "", id, "alice", "")
	refused(t, err, "callback_erased")
	e.Verified()
}
