package payments_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

// TestOperate_SaysWhoAndWhy, on the order's timeline, too. A button that is
// pressed twice acts once, and its key is none of the app's.
func TestOperate_SaysWhoAndWhy(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	for _, by := range []ledger.Operator{
		{}, {Name: "alice"}, {Why: "because"}, {Name: " ", Why: "because"}, {Name: "alice", Why: strings.Repeat("x", 501)},
	} {
		_, err := e.Service.Operate(t.Context(), o.ID, "button", "req", by)
		refused(t, err, "invalid_request")
	}
	by := ledger.Operator{Name: "alice", Why: "broken glass"}
	_, err := e.Service.Operate(t.Context(), "ord_nobody", "button", "req", by)
	refused(t, err, "not_found")

	app, err := e.Service.Refund(t.Context(), e.Key("button"), o.ID, payments.RefundInput{Amount: 1_000})
	require.NoError(t, err)
	for range 2 {
		who, err := e.Service.Operate(t.Context(), o.ID, "button", "req", by)
		require.NoError(t, err)
		a, err := e.Service.Refund(t.Context(), who, o.ID, payments.RefundInput{Amount: 2_000})
		require.NoError(t, err)
		require.NotEqual(t, app.Refund.ID, a.Refund.ID)
	}
	require.Len(t, e.Provider.Calls("Refund"), 2)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM events WHERE kind = 'refund.started' AND source = 'operator' AND data->>'who' = 'alice' AND data->>'why' = 'broken glass'`))
	e.Verified()
}

// TestOperate_OverridesDisputesAndNothingElse.
func TestOperate_OverridesDisputesAndNothingElse(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	e.Told(e.Provider.Honest.Disputed(o.Attempts[0].ID, paytest.USD(7_000)))
	refund := func(override bool, amount int64) error {
		_, err := e.Service.Refund(t.Context(), e.Operator(o.ID, override), o.ID, payments.RefundInput{Amount: amount})
		return err
	}
	refused(t, refund(false, 3_001), "refund_too_large")
	refused(t, refund(true, 10_001), "refund_too_large")
	e.Provider.Script(func(s *paytest.Script) { // not settled yet, and reserved all the same
		s.Refund = paytest.Changed(e.Provider.Honest.Refund, func(r *sdk.Refund) { r.Status = sdk.MovementPending })
	})
	require.NoError(t, refund(true, 4_000))
	refused(t, refund(true, 6_001), "refund_too_large")
	require.NoError(t, refund(true, 0))
	calls := e.Provider.Calls("Refund")
	require.Len(t, calls, 2)
	require.Equal(t, paytest.USD(6_000), calls[1].Request.(sdk.RefundRequest).Refund)
	e.Verified()
}

// TestRefund_OfWhatWasSeen: who decided by a number that is no longer true is told.
func TestRefund_OfWhatWasSeen(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	seen := o.Refundable
	e.Told(e.Provider.Honest.Refunded(o.Attempts[0].ID, paytest.USD(1)))
	_, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{ExpectedRefundable: &seen})
	refused(t, err, "refundable_changed")
	for _, amount := range []int64{-1, 1_000_000_000_000} {
		_, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: amount})
		refused(t, err, "invalid_request")
	}
	_, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{AttemptID: "att_of_another"})
	refused(t, err, "not_found")
	require.Empty(t, e.Provider.Calls("Refund"))
	seen--
	_, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{ExpectedRefundable: &seen})
	require.NoError(t, err)
	require.Equal(t, paytest.USD(9_999), e.Provider.Calls("Refund")[0].Request.(sdk.RefundRequest).Refund)
	e.Verified()
}

// TestRefund_WhatTheFlowOffers: the plugin of a flow without refunds is not asked.
func TestRefund_WhatTheFlowOffers(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{Provider: paytest.NewProvider().Change(func(d *sdk.Description) {
		for i := range d.Flows {
			switch d.Flows[i].Name {
			case paytest.FlowCharge:
				d.Flows[i].Capabilities = []sdk.Capability{sdk.CanRefund, sdk.CanCapture} // whole alone
			case paytest.FlowPage:
				d.Flows[i].Capabilities = nil
			}
		}
	})})
	whole, none, held := e.Checkout(paytest.FlowCharge), e.Checkout(paytest.FlowPage), e.Authorized()
	e.Told(e.Provider.Honest.Pay(none.Attempts[0].ID))
	_, err := e.Service.Refund(t.Context(), e.Caller(), none.ID, payments.RefundInput{})
	refused(t, err, "not_offered")
	_, err = e.Service.Refund(t.Context(), e.Caller(), whole.ID, payments.RefundInput{Amount: 9_999})
	refused(t, err, "not_offered")
	_, err = e.Service.Capture(t.Context(), e.Caller(), held.ID, payments.CaptureInput{Amount: 9_999})
	refused(t, err, "not_offered")
	_, err = e.Service.Capture(t.Context(), e.Caller(), none.ID, payments.CaptureInput{})
	refused(t, err, "not_offered")
	_, err = e.Service.Confirm(t.Context(), e.Caller(), none.ID, payments.ConfirmInput{})
	refused(t, err, "not_offered")
	require.Empty(t, e.Provider.Calls("Refund", "Capture", "Confirm"))
	_, err = e.Service.Refund(t.Context(), e.Caller(), whole.ID, payments.RefundInput{Amount: 10_000})
	require.NoError(t, err)
	_, err = e.Service.Capture(t.Context(), e.Caller(), held.ID, payments.CaptureInput{Amount: 10_000})
	require.NoError(t, err)
}

// TestResolve_CountsTheMoneyThatAPersonLookedAt, and says so; one reason at a time
// where only one is named.
func TestResolve_CountsTheMoneyThatAPersonLookedAt(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	e.Provider.Script(func(s *paytest.Script) {
		s.CreateCheckout = paytest.Changed(e.Provider.Honest.CreateCheckout, func(p *sdk.Payment) {
			p.Mode, p.AttemptID = sdk.Live, "att_of_another"
		})
	})
	o := e.Checkout(paytest.FlowCharge)
	require.Equal(t, ledger.OrderPending, o.Status)
	require.Len(t, o.Attention, 2)
	_, err := e.Service.Resolve(t.Context(), o.ID, "", "alice", "")
	refused(t, err, "invalid_request")
	_, err = e.Service.Resolve(t.Context(), o.ID, ledger.Exhausted, "alice", "not the reason")
	require.ErrorContains(t, err, "nothing of order")
	_, err = e.Service.Resolve(t.Context(), "ord_nobody", "", "alice", "why")
	refused(t, err, "not_found")
	require.Equal(t, o.Version, e.Order(o.ID).Version)

	after, err := e.Service.Resolve(t.Context(), o.ID, ledger.ModeMismatch, "alice", "the account was switched")
	require.NoError(t, err)
	require.Equal(t, ledger.OrderPending, after.Status)
	require.True(t, after.NeedsAttention)
	after, err = e.Service.Resolve(t.Context(), o.ID, "", "alice", "the provider's mistake")
	require.NoError(t, err)
	require.Equal(t, ledger.OrderPaid, after.Status)
	require.False(t, after.NeedsAttention)
	require.Equal(t, 2, e.Count(`SELECT count(*) FROM events WHERE kind = 'attention.resolved' AND data->>'who' = 'alice'`))
	_, err = e.Service.Resolve(t.Context(), o.ID, "", "alice", "again")
	require.ErrorContains(t, err, "nothing of order")

	// The same reason of the same attempt is not raised again.
	p := e.Provider.Honest.Payment(o.Attempts[0].ID)
	p.Mode = sdk.Live
	e.Told(p)
	require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
	e.Verified()
}

// TestErase_ForgetsThePayer of a settled order, and nothing of the money.
func TestErase_ForgetsThePayer(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	in := e.Input(paytest.FlowCharge)
	in.Customer = sdk.Customer{Email: "payer@example.com", Name: "Paula Payer"}
	in.Description, in.Metadata = "for Paula", map[string]string{"name": "Paula"}
	a, err := e.Service.Checkout(t.Context(), e.Caller(), in)
	require.NoError(t, err)
	id, attempt := a.Order.ID, a.Order.Attempts[0].ID
	payer := &sdk.Payer{Email: "payer@example.com", Name: "Paula Payer"}
	e.Told(e.Provider.Honest.Edit(attempt, func(p *sdk.Payment) { p.Payer = payer }))
	require.Equal(t, payer, e.Order(id).Attempts[0].Payer)
	back := neverLeft(e)
	refund := e.Caller()
	a, err = e.Service.Refund(t.Context(), refund, id, payments.RefundInput{Amount: 1_000, Reason: "Paula is unhappy"})
	sentNot(t, a, err)
	back()

	_, forgotten, err := e.Service.Erase(t.Context(), id, "alice", "asked by the payer")
	require.NoError(t, err)
	require.Equal(t, 1, forgotten.Callbacks)
	o := e.Order(id)
	require.Equal(t, sdk.Customer{}, o.Customer)
	require.Empty(t, o.Description)
	require.Empty(t, o.Metadata)
	require.Nil(t, o.Attempts[0].Payer)
	require.Empty(t, o.Refunds[0].Reason)
	require.Equal(t, ledger.OrderPaid, o.Status)
	require.Equal(t, int64(10_000), o.Captured)
	require.Zero(t, e.Count(`SELECT count(*) FROM callbacks WHERE raw IS NOT NULL`))

	// Nothing of the payer is taken in again, and what never left goes without.
	e.Told(e.Provider.Honest.Edit(attempt, func(p *sdk.Payment) { p.Refs = append(p.Refs, sdk.Ref{Kind: "charge", Value: "ch-1"}) }))
	require.Len(t, e.Order(id).Attempts[0].Refs, 2)
	require.Nil(t, e.Order(id).Attempts[0].Payer)
	require.Zero(t, e.Count(`SELECT count(*) FROM callbacks WHERE raw IS NOT NULL`))
	_, err = e.Service.Refund(t.Context(), refund, id, payments.RefundInput{Amount: 1_000, Reason: "Paula is unhappy"})
	require.NoError(t, err)
	calls := e.Provider.Calls("Refund")
	require.Empty(t, calls[len(calls)-1].Request.(sdk.RefundRequest).Reason)
	version := e.Order(id).Version
	_, _, err = e.Service.Erase(t.Context(), id, "alice", "again")
	require.NoError(t, err)
	require.Equal(t, version, e.Order(id).Version)
	e.Verified()
}

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

// reasons are what an order needs attention for.
func reasons(o *ledger.Order) (out []string) {
	for _, x := range o.Attention {
		if x.ResolvedAt.IsZero() {
			out = append(out, x.Reason)
		}
	}
	return out
}

// TestReturn_AsksOnceAndProvesNothing: the payer's browser may come back as often
// as it likes, and say what it likes.
func TestReturn_AsksOnceAndProvesNothing(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowConfirm)
	attempt := o.Attempts[0].ID
	for range 5 {
		back, err := e.Service.Return(t.Context(), attempt)
		require.NoError(t, err)
		require.Equal(t, ledger.OrderOpen, back.Status)
	}
	require.Len(t, e.Provider.Calls("GetPayment"), 1)
	_, err := e.Service.Return(t.Context(), "att_nobody")
	refused(t, err, "not_found")

	// An approval is taken, a provider that is away keeps nobody waiting.
	e.Clock.Advance(3 * time.Second)
	e.Provider.Script(func(s *paytest.Script) {
		s.GetPayment = paytest.Fails[sdk.PaymentRequest, sdk.Payment](paytest.ErrBroken)
	})
	back, err := e.Service.Return(t.Context(), attempt)
	require.NoError(t, err)
	require.Equal(t, ledger.OrderOpen, back.Status)
	e.Provider.Script(func(s *paytest.Script) { s.GetPayment = nil })
	e.Provider.Honest.Approve(attempt)
	e.Clock.Advance(3 * time.Second)
	back, err = e.Service.Return(t.Context(), attempt)
	require.NoError(t, err)
	require.Equal(t, ledger.OrderPaid, back.Status)
	require.Len(t, e.Provider.Calls("Confirm"), 1)
	reads := len(e.Provider.Calls("GetPayment"))
	e.Clock.Advance(3 * time.Second)
	_, err = e.Service.Return(t.Context(), attempt)
	require.NoError(t, err)
	require.Len(t, e.Provider.Calls("GetPayment"), reads, "it is settled")
	e.Verified()
}

// TestExpiry_ClosesAtTheProvider what could still be paid; what is paid at that
// moment is paid.
func TestExpiry_ClosesAtTheProvider(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	open, paid, bare, held := e.Checkout(paytest.FlowPage), e.Checkout(paytest.FlowPage), e.Checkout(paytest.FlowBare), e.Authorized()
	e.Provider.Honest.Pay(paid.Attempts[0].ID) // its callback is lost
	e.After(23 * time.Hour)
	require.Empty(t, e.Provider.Calls("Cancel"))
	e.After(2 * time.Hour)
	require.Len(t, e.Provider.Calls("Cancel"), 1)
	require.Equal(t, open.Attempts[0].ID, e.Provider.Calls("Cancel")[0].Request.(sdk.CancelRequest).AttemptID)
	require.Equal(t, ledger.OrderExpired, e.Order(open.ID).Status)
	require.Equal(t, ledger.OrderPaid, e.Order(paid.ID).Status)
	require.Equal(t, ledger.OrderOpen, e.Order(bare.ID).Status, "it can still be paid, and cannot be closed")
	require.Equal(t, ledger.OrderAuthorized, e.Order(held.ID).Status)

	e.Told(e.Provider.Honest.Pay(open.Attempts[0].ID))
	e.Due()
	late := e.Order(open.ID)
	require.Equal(t, ledger.OrderPaid, late.Status)
	require.Contains(t, reasons(late), ledger.PaidAfterClose)
	e.Verified()
}
