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

// list reads what the provider lists, as the worker does, and does what that
// makes due.
func list(t *testing.T, e *paytest.Env) {
	t.Helper()
	listOnly(t, e)
	e.Due()
}

// listOnly is list without the reads that follow.
func listOnly(t *testing.T, e *paytest.Env) {
	t.Helper()
	require.NoError(t, e.DB.CameUp(t.Context(), paytest.Name, e.Clock.Now(), payments.ListOverlap))
	due, err := e.DB.ClaimSchedules(t.Context(), e.Clock.Now(), 30, []string{paytest.Name})
	require.NoError(t, err)
	require.NotEmpty(t, due)
	for _, l := range due {
		require.NoError(t, e.Service.List(t.Context(), l))
	}
}

// TestList_FindsWhatNoCallbackTold: a payment, a refund and a dispute of ours
// whose callbacks were lost are read. What the list itself says is not believed.
func TestList_FindsWhatNoCallbackTold(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	paid, untrue, settled := e.Checkout(paytest.FlowPage), e.Checkout(paytest.FlowPage), e.Checkout(paytest.FlowCharge)
	e.Provider.Honest.Pay(paid.Attempts[0].ID)
	e.Provider.Honest.Refunded(paid.Attempts[0].ID, paytest.USD(3_000))
	e.Provider.Honest.Disputed(paid.Attempts[0].ID, paytest.USD(2_000))
	lie := *e.Provider.Honest.Payment(untrue.Attempts[0].ID)
	lie.Status = sdk.Succeeded
	lie.Captures.Items = []sdk.Capture{{ID: "cap-untrue", Status: sdk.MovementSucceeded, Amount: paytest.USD(10_000)}}
	e.Provider.Script(func(s *paytest.Script) {
		s.List = paytest.Changed(e.Provider.Honest.List, func(page *sdk.ListPage) { page.Payments = append(page.Payments, lie) })
	})
	list(t, e)
	o := e.Order(paid.ID)
	require.Equal(t, ledger.OrderPartiallyRefunded, o.Status)
	require.Equal(t, int64(5_000), o.Refundable)
	require.Equal(t, ledger.OrderOpen, e.Order(untrue.ID).Status)
	require.Empty(t, e.Order(untrue.ID).Captures)
	for _, c := range e.Provider.Calls("GetPayment") {
		require.NotEqual(t, settled.Attempts[0].ID, c.Request.(sdk.PaymentRequest).AttemptID, "nothing new was listed of it")
	}
	e.Verified()
}

// TestList_OfAnotherHubIsNotOurs, whatever it names; what carries this hub's
// name and no attempt of its is put before a person.
func TestList_OfAnotherHubIsNotOurs(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowPage)
	other := func(instance, attempt, ref string) sdk.Payment {
		return sdk.Payment{
			InstanceID: instance, AttemptID: attempt, Status: sdk.Succeeded, Refs: []sdk.Ref{{Kind: "payment", Value: ref}}, Amount: paytest.USD(10_000),
			Captures: sdk.Captures{Items: []sdk.Capture{{ID: "cap-" + ref, Status: sdk.MovementSucceeded, Amount: paytest.USD(10_000)}}},
		}
	}
	lost := ledger.NewID(ledger.AttemptID, e.Clock.Now())
	e.Provider.Script(func(s *paytest.Script) {
		s.List = paytest.Changed(e.Provider.Honest.List, func(page *sdk.ListPage) {
			page.Payments = append(page.Payments, other(another, o.Attempts[0].ID, "theirs"), other("", "their own name", "shop"), other(e.DB.InstanceID(), lost, "lost"))
		})
	})
	e.Clock.Advance(time.Second)
	list(t, e)
	require.Empty(t, e.Provider.Calls("GetPayment"))
	require.Empty(t, e.Order(o.ID).Captures)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM unmatched`))
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM unmatched WHERE attempt_id = $1 AND certain AND captured = 10000`, lost))
	require.Equal(t, 2, e.Count(`SELECT max(not_ours) FROM schedules`))
}
