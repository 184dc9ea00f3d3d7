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

// settling is how long an effect may be invisible at forgetful's provider.
const settling = time.Hour

// forgetful is a provider that does a repeated request twice: what became of an
// operation can only be read.
func forgetful() *paytest.Provider {
	return paytest.NewProvider().Change(func(d *sdk.Description) {
		for kind := range d.Repeats {
			d.Repeats[kind] = sdk.Repeat{KeyLifetime: 24 * time.Hour, Settling: settling}
		}
	})
}

// TestHeal_NotFoundBeforeTheSettlingTimeProvesNothing: an effect may be
// invisible for a while. Only after that "not found" means that it never came.
func TestHeal_NotFoundBeforeTheSettlingTimeProvesNothing(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{Provider: forgetful()})
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = paytest.Lost(e.Provider.Honest.Refund)
		s.GetRefund = paytest.Fails[sdk.GetRefundRequest, sdk.Refund](sdk.ErrNotFound)
	})
	visible, never := e.Checkout(paytest.FlowCharge), e.Checkout(paytest.FlowCharge)
	for _, o := range []*ledger.Order{visible, never} {
		a, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(4_000)})
		require.NoError(t, err)
		require.Equal(t, ledger.OutcomeUnknown, a.Operation.Outcome)
	}
	unknown := func(o *ledger.Order) bool { return e.Order(o.ID).Refunds[0].Status == ledger.RefundUnknown }
	for range 5 {
		e.After(10 * time.Minute)
		require.True(t, unknown(visible) && unknown(never))
		require.Equal(t, int64(6_000), e.Order(never.ID).Refundable, "it stays reserved")
	}
	require.NotEmpty(t, e.Provider.Calls("GetRefund"))

	// One of them appears, as late as it may; of the other nothing ever does.
	e.Provider.Script(func(s *paytest.Script) {
		s.GetRefund = nil
		s.GetPayment = nil
	})
	e.Provider.Honest.Edit(never.Attempts[0].ID, func(p *sdk.Payment) { p.Refunds.Items = nil })
	e.After(9 * time.Minute)
	require.False(t, unknown(visible))
	require.True(t, unknown(never), "59 minutes")
	for range 20 {
		e.After(time.Minute)
	}
	require.Equal(t, sdk.MovementSucceeded, e.Order(visible.ID).Refunds[0].Status)
	require.Equal(t, sdk.MovementFailed, e.Order(never.ID).Refunds[0].Status)
	require.Equal(t, "never_arrived", e.Order(never.ID).Refunds[0].Failure.Code)
	require.Equal(t, int64(10_000), e.Order(never.ID).Refundable)
	require.Len(t, e.Provider.Calls("Refund"), 2, "neither was sent again")
	e.Verified()
}

// TestHeal_CheckoutNotFoundBeforeTheSettlingTime: as with a refund.
func TestHeal_CheckoutNotFoundBeforeTheSettlingTime(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{Provider: forgetful()})
	e.Provider.Script(func(s *paytest.Script) {
		s.CreateCheckout = paytest.Lost(e.Provider.Honest.CreateCheckout)
		s.GetPayment = paytest.Fails[sdk.PaymentRequest, sdk.Payment](sdk.ErrNotFound)
	})
	o := e.Checkout(paytest.FlowCharge)
	for range 5 {
		e.After(10 * time.Minute)
		require.Equal(t, ledger.AttemptUnknown, e.Order(o.ID).Attempts[0].Status)
		require.Equal(t, ledger.OrderPending, e.Order(o.ID).Status)
	}
	_, err := e.Service.CheckoutAgain(t.Context(), e.Caller(), o.ID, payments.AgainInput{AttemptInput: payments.AttemptInput{Provider: paytest.Name, Flow: paytest.FlowCharge}})
	refused(t, err, "wrong_state")
	e.Provider.Script(func(s *paytest.Script) { s.GetPayment = nil })
	for range 30 {
		e.After(time.Minute)
	}
	require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
	require.Len(t, e.Provider.Calls("CreateCheckout"), 1)
	e.Verified()
}

// TestHeal_AnUnchangedPaymentBeforeTheSettlingTimeProvesNothing: a capture of
// which nothing is to be seen yet may be on its way.
func TestHeal_AnUnchangedPaymentBeforeTheSettlingTimeProvesNothing(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{Provider: forgetful()})
	o := e.Authorized()
	stale := e.Provider.Honest.Payment(o.Attempts[0].ID)
	e.Provider.Script(func(s *paytest.Script) {
		s.Capture = paytest.Lost(e.Provider.Honest.Capture)
		s.GetPayment = paytest.Changed(e.Provider.Honest.GetPayment, func(p *sdk.Payment) { *p = *stale })
	})
	a, err := e.Service.Capture(t.Context(), e.Caller(), o.ID, payments.CaptureInput{Amount: ledger.Minor(6_000)})
	require.NoError(t, err)
	require.Equal(t, ledger.OutcomeUnknown, a.Operation.Outcome)
	for range 5 {
		e.After(10 * time.Minute)
		require.NotNil(t, e.Order(o.ID).OpenOperation(o.Attempts[0].ID))
		for _, verb := range []func() error{
			func() error {
				_, err := e.Service.Capture(t.Context(), e.Caller(), o.ID, payments.CaptureInput{Amount: ledger.Minor(4_000)})
				return err
			},
			func() error {
				_, err := e.Service.Cancel(t.Context(), e.Caller(), o.ID, payments.CancelInput{})
				return err
			},
		} {
			refused(t, verb(), "operation_open")
		}
	}
	e.Provider.Script(func(s *paytest.Script) { s.GetPayment = nil })
	for range 30 {
		e.After(time.Minute)
	}
	o = e.Order(o.ID)
	require.Equal(t, int64(6_000), o.Captured)
	require.Equal(t, ledger.OutcomeSucceeded, operation(o, a.Operation.ID))
	require.Len(t, e.Provider.Calls("Capture"), 1)
	e.Verified()
}

// operation is how an operation of the order ended, as far as that is loaded;
// what was closed long ago is not, and succeeded or was declined.
func operation(o *ledger.Order, id string) ledger.Outcome {
	if op := o.Operation(id); op != nil {
		return op.Outcome
	}
	return ledger.OutcomeSucceeded
}

// TestHeal_AMismatchProvesThatItArrived: a repeat that the provider refuses for
// being another request. The first sending arrived, and never counts as lost.
func TestHeal_AMismatchProvesThatItArrived(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = paytest.Fails[sdk.RefundRequest, sdk.Refund](paytest.ErrBroken)
		s.GetRefund = paytest.Fails[sdk.GetRefundRequest, sdk.Refund](sdk.ErrNotFound)
	})
	_, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(4_000)})
	require.NoError(t, err)
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = paytest.Fails[sdk.RefundRequest, sdk.Refund](sdk.Mismatch("other parameters"))
	})
	for range 10 {
		e.After(time.Hour)
		o = e.Order(o.ID)
		require.Equal(t, ledger.RefundUnknown, o.Refunds[0].Status)
		require.Equal(t, int64(6_000), o.Refundable)
	}
	require.True(t, o.NeedsAttention, "a person has to find out")
	e.Verified()
}

// TestHeal_IsTheIdenticalRequestUnderItsOwnKey, while the provider remembers it
// for sure, and not a moment longer.
func TestHeal_IsTheIdenticalRequestUnderItsOwnKey(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = paytest.Lost(e.Provider.Honest.Refund)
		s.GetRefund = paytest.Fails[sdk.GetRefundRequest, sdk.Refund](paytest.ErrBroken)
	})
	_, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(4_000), Reason: "broken glass"})
	require.NoError(t, err)
	for range 22 {
		e.After(time.Hour)
	}
	sent := e.Provider.Calls("Refund")
	require.Greater(t, len(sent), 3)
	for _, again := range sent {
		require.Equal(t, sent[0].Key, again.Key)
		require.Equal(t, sent[0].Request, again.Request)
	}
	require.Len(t, e.Provider.Honest.Payment(o.Attempts[0].ID).Refunds.Items, 1)

	// The provider keeps keys for a day; an hour of that is the margin.
	e.After(time.Hour)
	last := len(e.Provider.Calls("Refund"))
	for range 10 {
		e.After(time.Hour)
	}
	require.Len(t, e.Provider.Calls("Refund"), last, "never again: it might be taken for a new one")
	require.Equal(t, ledger.RefundUnknown, e.Order(o.ID).Refunds[0].Status)
	e.Verified()
}

// TestHeal_IsDoneByOneHub: however many look at an operation at once, one of
// them sends it again.
func TestHeal_IsDoneByOneHub(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{Service: func(o *payments.Options) { o.CallTimeout = time.Minute }})
	second := e.Second()
	o := e.Checkout(paytest.FlowCharge)
	e.Provider.Script(func(s *paytest.Script) { s.Refund = paytest.Fails[sdk.RefundRequest, sdk.Refund](paytest.ErrBroken) })
	_, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(4_000)})
	require.NoError(t, err)
	held, arrived, release := paytest.Held(e.Provider.Honest.Refund)
	defer release()
	e.Provider.Script(func(s *paytest.Script) { s.Refund = held })

	const hubs = 12
	done := make(chan struct{}, hubs)
	for i := range hubs {
		service := []*payments.Service{e.Service, second.Service}[i%2]
		go func() {
			_ = service.Sync(t.Context(), o.Attempts[0].ID) // all but one leave it alone
			done <- struct{}{}
		}()
	}
	<-arrived
	for range hubs - 1 {
		<-done
	}
	require.Len(t, e.Provider.Calls("Refund"), 2)
	release()
	<-done
	require.Equal(t, sdk.MovementSucceeded, e.Order(o.ID).Refunds[0].Status)
	e.Verified()
}
