package payments_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/api"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// TestNotifications_CarryNoNextAction: a notification may be logged by whoever
// receives it, and a next action holds what only the paying client may see.
func TestNotifications_CarryNoNextAction(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{Service: func(o *payments.Options) { o.Render = api.Render }})
	e.Listen()
	e.Provider.Script(func(s *paytest.Script) {
		s.CreateCheckout = paytest.Changed(e.Provider.Honest.CreateCheckout, func(p *sdk.Payment) {
			p.NextAction = &sdk.NextAction{Type: sdk.ActionClient, Client: map[string]string{"client_secret": "for the payer's client alone"}}
		})
	})
	o := e.Checkout(paytest.FlowPage)
	require.NotNil(t, e.Order(o.ID).Attempts[0].NextAction)
	e.Told(e.Provider.Honest.Edit(o.Attempts[0].ID, func(p *sdk.Payment) {
		p.NextAction = nil
		p.Failure = &sdk.Failure{Code: sdk.FailureDeclined}
	}))
	require.NotNil(t, e.Order(o.ID).Attempts[0].NextAction, "it can still be paid")
	payloads := e.Notified(o.ID)
	require.NotEmpty(t, payloads)
	for _, payload := range payloads {
		require.NotContains(t, payload, "for the payer's client alone")
		require.NotContains(t, payload, "next_action")
		require.Contains(t, payload, o.ID)
	}
}

// TestNotifications_TellEachVersionOnce with the order as it stands at it.
func TestNotifications_TellEachVersionOnce(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{Service: func(o *payments.Options) { o.Render = api.Render }})
	e.Listen()
	o := e.Checkout(paytest.FlowPage)
	e.Told(e.Provider.Honest.Pay(o.Attempts[0].ID))
	_, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.All()})
	require.NoError(t, err)
	var last struct {
		Type string
		Data struct {
			Status  string
			Version int64
		}
	}
	seen := map[int64]bool{}
	for _, payload := range e.Notified(o.ID) {
		require.NoError(t, json.Unmarshal([]byte(payload), &last))
		require.False(t, seen[last.Data.Version])
		seen[last.Data.Version] = true
	}
	require.Equal(t, "order.refunded", last.Type)
	require.Equal(t, "refunded", last.Data.Status)
	require.Equal(t, e.Order(o.ID).Version, last.Data.Version)
}

// TestNotifications_OneForEachRefund: not of its beginning, and with the status in
// which it leaves the order, also where an earlier one left it in the same. One that
// is under way is told of when its provider has taken it.
func TestNotifications_OneForEachRefund(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{Service: func(o *payments.Options) { o.Render = api.Render }})
	e.Listen()
	o := e.Checkout(paytest.FlowCharge)
	for _, amount := range []ledger.Amount{ledger.Minor(2_000), ledger.Minor(2_000), ledger.All()} {
		_, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: amount})
		require.NoError(t, err)
	}
	require.Equal(t, []string{"order.paid", "order.partially_refunded", "order.partially_refunded", "order.refunded"}, types(t, e.Notified(o.ID)))

	slow := e.Checkout(paytest.FlowCharge)
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = paytest.Changed(e.Provider.Honest.Refund, func(r *sdk.Refund) { r.Status = sdk.MovementPending })
	})
	_, err := e.Service.Refund(t.Context(), e.Caller(), slow.ID, payments.RefundInput{Amount: ledger.All()})
	require.NoError(t, err)
	require.Equal(t, []string{"order.paid", "order.updated"}, types(t, e.Notified(slow.ID)))
	e.Told(e.Provider.Honest.Payment(slow.Attempts[0].ID))
	require.Equal(t, []string{"order.paid", "order.updated", "order.refunded"}, types(t, e.Notified(slow.ID)))
}

// types are those of notifications.
func types(t *testing.T, payloads []string) (types []string) {
	t.Helper()
	for _, payload := range payloads {
		var n struct{ Type string }
		require.NoError(t, json.Unmarshal([]byte(payload), &n))
		types = append(types, n.Type)
	}
	return types
}

// TestNotifications_AsItReads: what one read shows at once is told in the sequence
// in which it is read from then on.
func TestNotifications_AsItReads(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{Service: func(o *payments.Options) { o.Render = api.Render }})
	e.Listen()
	o := e.Checkout(paytest.FlowCharge)
	for range 7 {
		e.Provider.Honest.Refunded(o.Attempts[0].ID, paytest.USD(100))
	}
	e.Told(e.Provider.Honest.Refunded(o.Attempts[0].ID, paytest.USD(100)))
	now := e.Order(o.ID)
	require.Len(t, now.Refunds, 8)
	payloads := e.Notified(o.ID)
	at := -1
	for _, r := range now.Refunds {
		next := strings.Index(payloads[len(payloads)-1], r.ID)
		require.Greater(t, next, at)
		at = next
	}
}

// TestNotifications_TellWhateverAnAppReads: what a provider tells of a payment
// beside its money is notified as well, so that the newest notification says what
// the order reads. An ordinary payment is notified as often as it moves.
func TestNotifications_TellWhateverAnAppReads(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{Service: func(o *payments.Options) { o.Render = api.Render }})
	e.Listen()
	newest := func(id string) string {
		var last struct{ Data json.RawMessage }
		all := e.Notified(id)
		require.NoError(t, json.Unmarshal([]byte(all[len(all)-1]), &last))
		return string(last.Data)
	}
	o := e.Authorized()
	attempt := o.Attempts[0].ID
	for name, change := range map[string]func(p *sdk.Payment){
		"capture_before": func(p *sdk.Payment) { p.CaptureBefore = e.Clock.Now().AddDate(0, 0, 30) },
		"references":     func(p *sdk.Payment) { p.Refs = append(p.Refs, sdk.Ref{Kind: "charge", Value: "ch_1"}) },
		"authorized":     func(p *sdk.Payment) { p.Capturable = paytest.USD(9_000) },
	} {
		before := e.Order(o.ID).Version
		for range 2 {
			e.Told(e.Provider.Honest.Edit(attempt, change))
			change = func(*sdk.Payment) {} // the repetition is no news
		}
		now := e.Order(o.ID)
		require.Equal(t, before+1, now.Version, name)
		require.JSONEq(t, string(api.Render(now)), newest(o.ID), name)
	}
	_, err := e.Service.Capture(t.Context(), e.Caller(), o.ID, payments.CaptureInput{Amount: ledger.All()})
	require.NoError(t, err)
	require.JSONEq(t, string(api.Render(e.Order(o.ID))), newest(o.ID))

	o = e.Checkout(paytest.FlowPage)
	e.Told(e.Provider.Honest.Pay(o.Attempts[0].ID))
	require.Len(t, e.Notified(o.ID), 2, "it can be paid, and it is paid")
	require.Len(t, e.Notified(e.Checkout(paytest.FlowCharge).ID), 1)
	e.Verified()
}
