package payments_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// refused requires the hub's own refusal, by its code.
func refused(t *testing.T, err error, code string) {
	t.Helper()
	var e *ledger.Error
	require.True(t, errors.As(err, &e), "want %s, got %v", code, err)
	require.Equal(t, code, e.Code, e.Message)
}

// TestRefund_NeverExceedsCaptured: the provider would give back anything.
func TestRefund_NeverExceedsCaptured(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	require.Equal(t, ledger.OrderPaid, o.Status)

	_, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(10_001)})
	refused(t, err, "refund_too_large")
	a, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(6_000)})
	require.NoError(t, err)
	require.Equal(t, sdk.MovementSucceeded, a.Refund.Status)
	_, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(4_001)})
	refused(t, err, "refund_too_large")
	_, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.All()})
	require.NoError(t, err)
	require.Equal(t, ledger.OrderRefunded, e.Order(o.ID).Status)
	require.Len(t, e.Provider.Calls("Refund"), 2)
	e.Verified()
}

// TestRefund_NeverTakesDisputedMoney: what a bank may take back is not given
// back as well.
func TestRefund_NeverTakesDisputedMoney(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	attempt := o.Attempts[0].ID
	p := e.Provider.Honest.Edit(attempt, func(p *sdk.Payment) {
		p.Disputes.Items = []sdk.Dispute{{
			ID: "dp-1", CaptureID: p.Captures.Items[0].ID, Status: sdk.DisputeOpen, FundsWithdrawn: true,
			Amount: sdk.Money{Amount: 7_000, Currency: "USD", Exponent: 2},
		}}
	})
	_, err := e.Callback(e.Fact("evt-1", attempt, true, *p))
	require.NoError(t, err)

	_, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(3_001)})
	refused(t, err, "refund_too_large")
	a, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.All()})
	require.NoError(t, err)
	require.Equal(t, int64(3_000), a.Refund.Amount)
	e.Verified()
}

// TestRefund_OfWhatWasSeen: who decided by a number that is no longer true is told.
func TestRefund_OfWhatWasSeen(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	seen := o.Refundable
	e.Told(e.Provider.Honest.Refunded(o.Attempts[0].ID, paytest.USD(1)))
	_, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.All(), ExpectedRefundable: &seen})
	refused(t, err, "refundable_changed")
	for _, amount := range []int64{-1, 1_000_000_000_000} {
		_, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(amount)})
		refused(t, err, "invalid_request")
	}
	_, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.All(), AttemptID: "att_of_another"})
	refused(t, err, "not_found")
	require.Empty(t, e.Provider.Calls("Refund"))
	seen--
	_, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.All(), ExpectedRefundable: &seen})
	require.NoError(t, err)
	require.Equal(t, paytest.USD(9_999), e.Provider.Calls("Refund")[0].Request.(sdk.RefundRequest).Refund)
	e.Verified()
}

// TestRefund_OfNoNamedCapture: what went back, or what the payer's bank took, is
// counted also where the provider does not say of which capture it was.
func TestRefund_OfNoNamedCapture(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*sdk.Payment){
		"refund": func(p *sdk.Payment) {
			p.Refunds.Items = []sdk.Refund{{ID: "re-elsewhere", Status: sdk.MovementSucceeded, Amount: paytest.USD(3_000)}}
		},
		"dispute": func(p *sdk.Payment) {
			p.Disputes.Items = []sdk.Dispute{{ID: "dp-1", Status: sdk.DisputeOpen, FundsWithdrawn: true, Amount: paytest.USD(3_000)}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := paytest.New(t, paytest.Options{})
			o := e.Checkout(paytest.FlowCharge)
			e.Told(e.Provider.Honest.Edit(o.Attempts[0].ID, change))
			refund := func(amount ledger.Amount) error {
				_, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: amount})
				return err
			}
			refused(t, refund(ledger.Minor(7_001)), "refund_too_large")
			require.Empty(t, e.Provider.Calls("Refund"))
			require.NoError(t, refund(ledger.All()))
			require.Equal(t, paytest.USD(7_000), e.Provider.Calls("Refund")[0].Request.(sdk.RefundRequest).Refund)
			e.Verified()
		})
	}
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
	_, err := e.Service.Refund(t.Context(), e.Caller(), none.ID, payments.RefundInput{Amount: ledger.All()})
	refused(t, err, "not_offered")
	_, err = e.Service.Refund(t.Context(), e.Caller(), whole.ID, payments.RefundInput{Amount: ledger.Minor(9_999)})
	refused(t, err, "not_offered")
	_, err = e.Service.Capture(t.Context(), e.Caller(), held.ID, payments.CaptureInput{Amount: ledger.Minor(9_999)})
	refused(t, err, "not_offered")
	_, err = e.Service.Capture(t.Context(), e.Caller(), none.ID, payments.CaptureInput{Amount: ledger.All()})
	refused(t, err, "not_offered")
	_, err = e.Service.Confirm(t.Context(), e.Caller(), none.ID, payments.ConfirmInput{})
	refused(t, err, "not_offered")
	require.Empty(t, e.Provider.Calls("Refund", "Capture", "Confirm"))
	_, err = e.Service.Refund(t.Context(), e.Caller(), whole.ID, payments.RefundInput{Amount: ledger.Minor(10_000)})
	require.NoError(t, err)
	_, err = e.Service.Capture(t.Context(), e.Caller(), held.ID, payments.CaptureInput{Amount: ledger.Minor(10_000)})
	require.NoError(t, err)
}

// TestRefund_ARefusedOneIsReadFirst: an answer says that a refund failed which did
// not. Who is told that asks for the money again, under another key.
func TestRefund_ARefusedOneIsReadFirst(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = paytest.Changed(e.Provider.Honest.Refund, func(r *sdk.Refund) { r.Status = sdk.MovementFailed })
	})
	a, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(400)})
	require.NoError(t, err)
	require.Equal(t, sdk.MovementSucceeded, a.Refund.Status)
	require.Equal(t, int64(400), e.Order(o.ID).Refunded)

	// One that did fail is told as failed, with the provider's name of it.
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			made, err := e.Provider.Honest.Refund(ctx, r)
			e.Provider.Honest.Edit(o.Attempts[0].ID, func(p *sdk.Payment) {
				p.Refunds.Items[len(p.Refunds.Items)-1].Status = sdk.MovementFailed
			})
			made.Status = sdk.MovementFailed
			return made, err
		}
	})
	a, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(500)})
	require.NoError(t, err)
	require.Equal(t, sdk.MovementFailed, a.Refund.Status)
	require.NotNil(t, a.Refund.ProviderID)
	require.Equal(t, int64(400), e.Order(o.ID).Refunded)
	require.Len(t, e.Provider.Calls("Refund"), 2, "neither was asked for again")

	// One that no read shows for hours has a name at the provider all the same.
	var hidden sdk.Refund
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			made, err := e.Provider.Honest.Refund(ctx, r)
			hidden = *made
			e.Provider.Honest.Edit(o.Attempts[0].ID, func(p *sdk.Payment) {
				p.Refunds.Items = slices.DeleteFunc(p.Refunds.Items, func(x sdk.Refund) bool { return x.ID == made.ID })
			})
			made.Status = sdk.MovementFailed
			return made, err
		}
	})
	a, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(600)})
	require.NoError(t, err)
	for range 30 {
		require.Equal(t, ledger.RefundUnknown, e.Order(o.ID).Refund(a.Refund.ID).Status)
		e.After(time.Hour)
	}
	require.True(t, e.Order(o.ID).NeedsAttention)
	e.Provider.Honest.Edit(o.Attempts[0].ID, func(p *sdk.Payment) { p.Refunds.Items = append(p.Refunds.Items, hidden) })
	require.NoError(t, e.Service.Sync(t.Context(), o.Attempts[0].ID))
	require.Equal(t, int64(1_000), e.Order(o.ID).Refunded)
	e.Verified()
}
