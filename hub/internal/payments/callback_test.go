package payments_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// another is what another hub on the same account writes into its metadata.
const another = "hub_another"

// outcomes counts the lines of the inbox with an outcome.
func outcomes(e *paytest.Env, outcome ledger.CallbackOut) int {
	return e.Count(`SELECT count(*) FROM callbacks WHERE outcome = $1`, string(outcome))
}

// TestCallback_OfAnotherHubIsNotOurs: two hubs may share an account. What one of
// them wrote into the metadata is nothing to the other, whatever id it names.
func TestCallback_OfAnotherHubIsNotOurs(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowPage)
	attempt := o.Attempts[0].ID
	paid := *e.Provider.Honest.Payment(attempt)
	paid.Status, paid.Refs = sdk.Succeeded, []sdk.Ref{{Kind: "payment", Value: "pay-of-another-hub"}}
	paid.Captures.Items = []sdk.Capture{{ID: "cap-of-another-hub", Status: sdk.MovementSucceeded, Amount: paytest.USD(10_000)}}

	for name, instance := range map[string]string{"another hub's": another, "nobody's, though proven": ""} {
		fact := e.Fact("evt-"+name, attempt, true, paid)
		fact.Facts[0].Payment.InstanceID = instance
		_, err := e.Callback(fact)
		require.NoError(t, err, name)
		require.Equal(t, ledger.OrderOpen, e.Order(o.ID).Status, name)
		require.Empty(t, e.Order(o.ID).Captures, name)
	}
	require.Equal(t, 2, outcomes(e, ledger.CallbackUnmatched))

	fact := e.Fact("evt-hint", attempt, false, paid)
	fact.Facts[0].Payment.InstanceID = another
	_, err := e.Callback(fact)
	require.NoError(t, err)
	require.Equal(t, 3, outcomes(e, ledger.CallbackUnmatched), "nor is it a reason to read")
	require.Empty(t, e.Order(o.ID).Attempts[0].Candidates)

	// Found by the provider's name of the payment it is ours, whatever a hub that
	// does not know it wrote there: its ids are not compared with ours.
	fact = e.Fact("evt-ours", "att_of_another_hub", true, *e.Provider.Honest.Pay(attempt))
	fact.Facts[0].Payment.InstanceID = another
	_, err = e.Callback(fact)
	require.NoError(t, err)
	require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
	require.Empty(t, e.Order(o.ID).Attention)
	e.Verified()
}

// TestCallback_RefundOfAnotherHubIsNotOurs: a refund that another hub made of
// this payment does not settle one of ours that bears the same id.
func TestCallback_RefundOfAnotherHubIsNotOurs(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	attempt := o.Attempts[0].ID
	e.Provider.Script(func(s *paytest.Script) { s.Refund = paytest.Fails[sdk.RefundRequest, sdk.Refund](paytest.ErrBroken) })
	a, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(4_000)})
	require.NoError(t, err)
	require.Equal(t, ledger.RefundUnknown, a.Refund.Status)

	e.Clock.Advance(time.Millisecond) // refunds are in the order of their making
	p := *e.Provider.Honest.Payment(attempt)
	theirs := sdk.Refund{ID: "re-theirs", RefundID: a.Refund.ID, InstanceID: another, Status: sdk.MovementSucceeded, Amount: paytest.USD(4_000)}
	p.Refunds.Items = []sdk.Refund{theirs}
	e.Told(&p)
	after := e.Order(o.ID)
	require.Len(t, after.Refunds, 2)
	require.Equal(t, ledger.RefundUnknown, after.Refund(a.Refund.ID).Status, "what became of ours is as unknown as before")
	require.Equal(t, ledger.ByProvider, after.Refunds[1].Origin)
	require.NotNil(t, after.OpenOperation(attempt))
	require.Equal(t, int64(2_000), after.Refundable)

	ours := theirs
	ours.ID, ours.InstanceID = "re-ours", e.DB.InstanceID()
	p.Refunds.Items = []sdk.Refund{ours}
	e.Told(&p)
	after = e.Order(o.ID)
	require.Equal(t, sdk.MovementSucceeded, after.Refund(a.Refund.ID).Status)
	require.Nil(t, after.OpenOperation(attempt))
	e.Verified()
}

// TestCallback_OfAnotherProviderIsNotOfThisPayment: a provider speaks of its own
// payments alone, whatever attempt it names.
func TestCallback_OfAnotherProviderIsNotOfThisPayment(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{Others: map[string]*paytest.Provider{"other": paytest.NewProvider()}})
	o := e.Checkout(paytest.FlowPage)
	p := e.Provider.Honest.Pay(o.Attempts[0].ID)
	for _, proven := range []bool{true, false} {
		_, err := e.CallbackOf("other", e.Fact(fmt.Sprint("evt-", proven), o.Attempts[0].ID, proven, *p))
		require.NoError(t, err)
	}
	require.Equal(t, 2, outcomes(e, ledger.CallbackUnmatched))
	require.Equal(t, ledger.OrderOpen, e.Order(o.ID).Status)
	require.False(t, e.Order(o.ID).Attempts[0].ReadWanted)
	e.Verified()
}

// TestCallback_ReferenceMismatchIsSeen: a proven fact of this hub that is found
// by the provider's name of the payment, and names another attempt of ours.
func TestCallback_ReferenceMismatchIsSeen(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowPage)
	p := e.Provider.Honest.Pay(o.Attempts[0].ID)
	fact := e.Fact("evt-1", "att_that_nobody_has", true, *p)
	_, err := e.Callback(fact)
	require.NoError(t, err)
	o = e.Order(o.ID)
	require.Equal(t, ledger.OrderPending, o.Status, "its money does not count yet")
	require.Equal(t, ledger.ReferenceMismatch, o.Attention[0].Reason)
	e.Verified()
}

// TestCallback_UnprovenContentIsNotApplied: such a callback is a reason to read,
// and what counts is what the provider then says.
func TestCallback_UnprovenContentIsNotApplied(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowPage)
	attempt := o.Attempts[0].ID
	said := *e.Provider.Honest.Payment(attempt)
	said.Status = sdk.Succeeded
	said.Refs = append(said.Refs, sdk.Ref{Kind: "charge", Value: "ch-forged"})
	said.Opaque, said.Payer = []byte("forged"), &sdk.Payer{Email: "forged@example.com"}
	said.Captures.Items = []sdk.Capture{{ID: "cap-forged", Status: sdk.MovementSucceeded, Amount: paytest.USD(10_000)}}

	e.Hinted(&said)
	after := e.Order(o.ID)
	require.Equal(t, ledger.OrderOpen, after.Status)
	require.Empty(t, after.Captures)
	require.Len(t, after.Attempts[0].Refs, 1)
	require.True(t, after.Attempts[0].ReadWanted)
	require.Empty(t, e.Provider.Calls("GetPayment"), "the callback itself is not kept waiting")
	e.Due()
	require.NotEmpty(t, e.Provider.Calls("GetPayment"))
	after = e.Order(o.ID)
	require.Equal(t, ledger.OrderOpen, after.Status, "the provider knows of no money")
	require.Nil(t, after.Attempts[0].Payer)
	require.Len(t, after.Attempts[0].Refs, 1)
	require.Empty(t, after.Attention)

	// An unproven cancellation, refund or dispute takes nothing back, either.
	p := *e.Provider.Honest.Pay(attempt)
	e.Told(&p)
	require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
	p.Status = sdk.Canceled
	p.Refunds.Items = []sdk.Refund{{ID: "re-forged", Status: sdk.MovementSucceeded, Amount: paytest.USD(10_000)}}
	p.Disputes.Items = []sdk.Dispute{{ID: "dp-forged", Status: sdk.DisputeLost, FundsWithdrawn: true, Amount: paytest.USD(10_000)}}
	e.Hinted(&p)
	e.Due()
	after = e.Order(o.ID)
	require.Equal(t, ledger.OrderPaid, after.Status)
	require.Equal(t, int64(10_000), after.Refundable)
	e.Verified()
}

// TestCallback_OfAnotherMode: a provider that sends what is of another account or mode
// to the same address is not made to repeat it. It is on record and applied to nothing.
func TestCallback_OfAnotherMode(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowPage)
	theirs := e.Fact("evt-1", o.Attempts[0].ID, true, *e.Provider.Honest.Pay(o.Attempts[0].ID))
	theirs.Verdict, theirs.Reason = sdk.NotOurs, "of another mode"
	for range 3 {
		_, err := e.Callback(theirs)
		require.NoError(t, err)
	}
	e.Due()
	require.Equal(t, ledger.OrderOpen, e.Order(o.ID).Status)
	require.Empty(t, e.Provider.Calls("GetPayment"))
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM callbacks WHERE outcome = 'foreign' AND verdict = 'not_ours' AND order_id IS NULL AND note = 'of another mode'`))
	e.Verified()
}

// TestCallback_WhatIsNotGenuineLeavesNothing: forged, not checkable, or of a plugin
// that fails. The last two are to be sent again.
func TestCallback_WhatIsNotGenuineLeavesNothing(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowPage)
	p := e.Provider.Honest.Pay(o.Attempts[0].ID)
	for verdict, code := range map[sdk.Verdict]string{
		sdk.Forged: "callback_forged", sdk.CannotCheck: "provider_down", "something new": "provider_down",
	} {
		result := e.Fact("evt-"+string(verdict), o.Attempts[0].ID, true, *p)
		result.Verdict = verdict
		_, err := e.Callback(result)
		refused(t, err, code)
	}
	e.Provider.Script(func(s *paytest.Script) {
		s.HandleCallback = paytest.Fails[sdk.CallbackRequest, sdk.CallbackResult](errors.New("a bug of the plugin"))
	})
	_, err := e.Callback(e.Fact("evt-1", o.Attempts[0].ID, true, *p))
	refused(t, err, "provider_down")
	require.Zero(t, e.Count(`SELECT count(*) FROM callbacks`))
	require.Equal(t, ledger.OrderOpen, e.Order(o.ID).Status)
}

// TestCallback_TwiceIsOnce: an event that is on record is absorbed, whatever
// its repetition says; each event has a line of its own.
func TestCallback_TwiceIsOnce(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowPage)
	p := e.Provider.Honest.Pay(o.Attempts[0].ID)
	for range 3 {
		_, err := e.Callback(e.Fact("evt-paid", o.Attempts[0].ID, true, *p))
		require.NoError(t, err)
	}
	paid := e.Order(o.ID)
	require.Equal(t, ledger.OrderPaid, paid.Status)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM callbacks`))
	require.Equal(t, 1, outcomes(e, ledger.CallbackApplied))
	require.Equal(t, 2, e.Count(`SELECT count(*) FROM postings`))
	p.Captures.Items = append(p.Captures.Items, sdk.Capture{ID: "cap-other", Status: sdk.MovementSucceeded, Amount: paytest.USD(1)})
	_, err := e.Callback(e.Fact("evt-paid", o.Attempts[0].ID, true, *p))
	require.NoError(t, err)
	require.Len(t, e.Order(o.ID).Captures, 1)
	_, err = e.Callback(e.Fact("evt-other", o.Attempts[0].ID, true, *p))
	require.NoError(t, err)
	require.Len(t, e.Order(o.ID).Captures, 2)
	e.Verified()
}

// TestCallback_ThatCameFirstAndComesAgain is applied at once, on its own line.
func TestCallback_ThatCameFirstAndComesAgain(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	early := e.Fact("evt-early", "", true, sdk.Payment{
		Status: sdk.Succeeded, Refs: []sdk.Ref{{Kind: "payment", Value: "pay-1"}}, Amount: paytest.USD(10_000),
		Captures: sdk.Captures{Items: []sdk.Capture{{ID: "cap-early", Status: sdk.MovementSucceeded, Amount: paytest.USD(10_000)}}},
	})
	_, err := e.Callback(early)
	require.NoError(t, err)
	require.Equal(t, 1, outcomes(e, ledger.CallbackUnmatched))
	o := e.Checkout(paytest.FlowPage)
	_, err = e.Callback(early)
	require.NoError(t, err)
	require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM callbacks`))
	require.Equal(t, 1, outcomes(e, ledger.CallbackApplied))
	require.Equal(t, 2, e.Count(`SELECT count(*) FROM postings`))
	e.Verified()
}

// TestCallback_ThatCameFirstIsAppliedLater: a callback may come before the
// answer that names the payment. It is tried again, for an hour.
func TestCallback_ThatCameFirstIsAppliedLater(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	early := func(eventID, ref string) {
		result := e.Fact(eventID, "", true, sdk.Payment{
			Status: sdk.Succeeded, Refs: []sdk.Ref{{Kind: "payment", Value: ref}}, Amount: paytest.USD(10_000),
			Captures: sdk.Captures{Items: []sdk.Capture{{ID: "cap-" + ref, Status: sdk.MovementSucceeded, Amount: paytest.USD(10_000)}}},
		})
		_, err := e.Callback(result)
		require.NoError(t, err)
	}
	early("evt-early", "pay-1") // the name that the provider gives next
	early("evt-nobody", "pay-of-nobody")
	require.Equal(t, 2, outcomes(e, ledger.CallbackUnmatched))
	o := e.Checkout(paytest.FlowPage)
	require.Equal(t, ledger.OrderOpen, o.Status)
	e.After(3 * time.Second)
	require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
	require.Equal(t, 1, outcomes(e, ledger.CallbackApplied))
	for range 20 {
		e.After(5 * time.Minute)
	}
	require.Equal(t, 1, outcomes(e, ledger.CallbackForeign))
	require.Zero(t, outcomes(e, ledger.CallbackUnmatched))
	e.Verified()
}
