package payments_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// TestReversed_ByTheEventAlone: the provider shows what a bank took back as an
// ordinary refund, and only the event's type says what it is. A person is told,
// whatever comes first, the event or a read, and once.
func TestReversed_ByTheEventAlone(t *testing.T) {
	t.Parallel()
	for name, readFirst := range map[string]bool{"the event comes first": false, "a read comes first": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := paytest.New(t, paytest.Options{})
			o := e.Checkout(paytest.FlowCharge)
			attempt := o.Attempts[0].ID
			refund := e.Provider.Honest.Refunded(attempt, usd(2_500)).Refunds.Items[0].ID
			if readFirst {
				require.NoError(t, e.Service.Sync(t.Context(), attempt))
				require.Equal(t, int64(2_500), e.Order(o.ID).Refunded)
				require.Empty(t, reasons(e.Order(o.ID)), "it looks like one that the merchant made")
			} else {
				lagging(e, attempt, 30*time.Second)
			}
			said := sdk.Expectation{Kind: sdk.ExpectRefund, ID: refund, AtLeast: "succeeded", Reversed: true}
			for _, event := range []string{"evt-taken-back", "evt-taken-back-again"} {
				_, err := e.Callback(hinted(e, event, attempt, said))
				require.NoError(t, err)
			}
			until(e, 5*time.Second, 5*time.Minute, func() bool { return len(reasons(e.Order(o.ID))) > 0 })
			require.Equal(t, []string{ledger.Reversed}, reasons(e.Order(o.ID)))
			require.Equal(t, int64(2_500), e.Order(o.ID).Refunded)
			e.Verified()
		})
	}
}

// TestReversed_NotWhatTheHubGaveBack: nobody who can send a hint makes a refund
// of ours look like one that was taken back.
func TestReversed_NotWhatTheHubGaveBack(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	a, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(1_000)})
	require.NoError(t, err)
	said := sdk.Expectation{Kind: sdk.ExpectRefund, ID: *a.Order.Refunds[0].ProviderID, AtLeast: "succeeded", Reversed: true}
	_, err = e.Callback(hinted(e, "evt-forged", o.Attempts[0].ID, said))
	require.NoError(t, err)
	e.After(time.Minute)
	require.Empty(t, reasons(e.Order(o.ID)))
}

// promises makes reads say that the payment's capture is refunded, and list no
// refund until the clock has gone on by that.
func promises(e *paytest.Env, attemptID string, until time.Time) {
	e.Provider.Script(func(s *paytest.Script) {
		s.GetPayment = paytest.Changed(e.Provider.Honest.GetPayment, func(p *sdk.Payment) {
			if e.Clock.Now().Before(until) {
				p.Refunds = sdk.Refunds{}
				p.Expect = []sdk.Expectation{{Kind: sdk.ExpectRefunded, ID: p.Captures.Items[0].ID, Amount: usd(10_000)}}
			}
		})
	})
}

// TestPromised_RefundsThatAReadDoesNotList: a read says that all was given back and
// lists no refund. The hub reads on, in the steps of an event, until one is listed.
func TestPromised_RefundsThatAReadDoesNotList(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	attempt := o.Attempts[0].ID
	e.Provider.Honest.Refunded(attempt, usd(10_000))
	promises(e, attempt, e.Clock.Now().Add(40*time.Second))
	require.NoError(t, e.Service.Sync(t.Context(), attempt))
	took := until(e, time.Second, 5*time.Minute, func() bool { return e.Order(o.ID).Status == ledger.OrderRefunded })
	require.LessOrEqual(t, took, 50*time.Second)
	require.Empty(t, reasons(e.Order(o.ID)))
	e.Verified()
}

// TestPromised_NeverListed: a person is told, the hub does not read for ever, and
// what the person has looked at is not told again.
func TestPromised_NeverListed(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	attempt := o.Attempts[0].ID
	promises(e, attempt, e.Clock.Now().AddDate(1, 0, 0))
	require.NoError(t, e.Service.Sync(t.Context(), attempt))
	until(e, 5*time.Second, time.Hour, func() bool { return len(reasons(e.Order(o.ID))) > 0 })
	require.Equal(t, []string{ledger.EventNotConfirmed}, reasons(e.Order(o.ID)))
	require.Equal(t, o.Captures[0].ProviderID, e.Order(o.ID).Attention[0].MovementID, "which money it is about")
	require.LessOrEqual(t, len(e.Provider.Calls("GetPayment")), 22)

	_, err := e.Service.Resolve(t.Context(), o.ID, "", "alice", "it was given back in cash")
	require.NoError(t, err)
	e.After(time.Minute)
	before := len(e.Provider.Calls("GetPayment"))
	for range 10 {
		require.NoError(t, e.Service.Sync(t.Context(), attempt))
		e.After(time.Minute)
	}
	require.Empty(t, reasons(e.Order(o.ID)))
	require.LessOrEqual(t, len(e.Provider.Calls("GetPayment"))-before, 12)
	e.Verified()
}

// TestGone_APaidOrder: the provider no longer knows a payment that it was paid by. A
// person is told, but not while a read may still be behind.
func TestGone_APaidOrder(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	attempt := o.Attempts[0].ID
	e.Provider.Script(func(s *paytest.Script) {
		s.GetPayment = paytest.Fails[sdk.PaymentRequest, sdk.Payment](sdk.ErrNotFound)
	})
	require.NoError(t, e.Service.Sync(t.Context(), attempt))
	require.Empty(t, reasons(e.Order(o.ID)))
	e.After(24 * time.Hour)
	require.Equal(t, []string{ledger.MoneyMissing}, reasons(e.Order(o.ID)))
	require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
	e.Verified()
}

// TestGone_AnOrderThatNobodyPaid: a provider keeps an order that nobody pays for a
// time of its own, shorter than the hub's: then the link is dead, and another attempt
// may begin. Before that, one read that shows nothing proves nothing.
func TestGone_AnOrderThatNobodyPaid(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	e.Provider.Script(func(s *paytest.Script) {
		s.CreateCheckout = paytest.Changed(e.Provider.Honest.CreateCheckout, func(p *sdk.Payment) { p.ExpiresAt = e.Clock.Now().Add(3 * time.Hour) })
	})
	o := e.Checkout(paytest.FlowPage)
	attempt := o.Attempts[0].ID
	e.Provider.Script(func(s *paytest.Script) {
		*s = paytest.Script{GetPayment: paytest.Fails[sdk.PaymentRequest, sdk.Payment](sdk.ErrNotFound)}
	})
	for range 24 { // until reads are hours apart
		e.After(5 * time.Minute)
	}
	require.Equal(t, sdk.RequiresAction, e.Order(o.ID).Attempts[0].Status)
	require.NotNil(t, e.Order(o.ID).Attempts[0].NextAction)
	e.After(61 * time.Minute)
	require.Equal(t, sdk.Canceled, e.Order(o.ID).Attempts[0].Status, "of attempt %s", attempt)
	require.Nil(t, e.Order(o.ID).Attempts[0].NextAction)
	require.Equal(t, ledger.OrderOpen, e.Order(o.ID).Status, "until its own time is up")
	e.Verified()
}
