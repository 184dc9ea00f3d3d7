package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk"
)

// TestAuthorized_IsWhatIsStillHeld: what the provider says can be captured, else
// what was authorised less what was captured, also where only the capture is
// told.
func TestAuthorized_IsWhatIsStillHeld(t *testing.T) {
	held := func() (*Order, Env) {
		o, env := created(t, sdk.CaptureManual)
		return Apply(o, env, callback(o, &sdk.Payment{Status: sdk.RequiresCapture, Authorized: usd(1000), Capturable: usd(1000)})).Order, env
	}
	taken := sdk.Captures{Items: []sdk.Capture{{ID: "ch_1", Status: sdk.MovementSucceeded, Amount: usd(400)}}}
	for name, x := range map[string]struct {
		said sdk.Payment
		want int64
	}{
		"told":          {sdk.Payment{Status: sdk.RequiresCapture, Authorized: usd(1000), Capturable: usd(500), Captures: taken}, 500},
		"not told":      {sdk.Payment{Status: sdk.RequiresCapture, Authorized: usd(1000), Captures: taken}, 600},
		"a capture":     {sdk.Payment{Captures: taken}, 600},
		"without money": {sdk.Payment{Status: sdk.RequiresCapture}, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			o, env := held()
			o = Apply(o, env, callback(o, &x.said)).Order
			require.Equal(t, x.want, o.Authorized)
			require.Equal(t, OrderAuthorized, o.Status)
			_, _, err := o.Capture("", x.want+1, Ask{}, env)
			require.ErrorContains(t, err, "amount_too_large")
		})
	}
}

// TestConfirm_NotWhileMoneyIsHeld: nobody is charged again, by the hub or by the
// app, while a provider has money of an earlier attempt.
func TestConfirm_NotWhileMoneyIsHeld(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	c, op, err := o.Checkout(NewAttempt{Provider: "paypal", Flow: "server", Mode: sdk.Test}, Ask{Lease: time.Second}, env)
	require.NoError(t, err)
	o = Apply(c.Order, env, News{AttemptID: *op.AttemptID, Operation: &Result{ID: op.ID}, Payment: &sdk.Payment{Status: sdk.RequiresConfirmation}}).Order
	second := o.Attempts[1]
	c, op, err = o.Confirm(second.ID, Ask{Lease: time.Second}, env)
	require.NoError(t, err)
	unsent := Apply(c.Order, env, News{AttemptID: second.ID, Operation: &Result{ID: op.ID, Outcome: OutcomeNotSent}}).Order
	foreign := &sdk.Payment{Status: sdk.Succeeded, Captures: sdk.Captures{Items: []sdk.Capture{{
		ID: "ch_1", Status: sdk.MovementSucceeded, Amount: sdk.Money{Amount: 900, Currency: "EUR", Exponent: 2},
	}}}}
	o = Apply(o, env, callback(o, foreign)).Order
	require.Equal(t, o.Attempts[0], o.Current(), "nobody is sent to pay again")
	require.False(t, o.Continuable(o.Attempts[1]))
	_, _, err = o.Confirm(second.ID, Ask{}, env)
	require.ErrorContains(t, err, "already_paid")
	unsent = Apply(unsent, env, callback(unsent, foreign)).Order
	_, err = unsent.Resume(env, op.ID, time.Second, nil)
	require.ErrorContains(t, err, "already_paid")
}

// TestPaidAfterClose_NotForWhatWentBackBefore: an order expires after all that
// did not fit was given back; that is no news later.
func TestPaidAfterClose_NotForWhatWentBackBefore(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	p := captured("ch_1", 900)
	o = Apply(o, env, callback(o, p)).Order
	require.Equal(t, OrderPending, o.Status)
	p.Refunds.Items = []sdk.Refund{{ID: "re_1", Status: sdk.MovementSucceeded, Amount: usd(900)}}
	o = Apply(o, env, callback(o, p)).Order
	require.Equal(t, OrderOpen, o.Status)
	env.Now = o.ExpiresAt.Add(time.Minute)
	for range 2 {
		o = Apply(o, env, read(o, p)).Order
		require.Equal(t, OrderExpired, o.Status)
	}
	require.False(t, hasReason(o, PaidAfterClose))
}

// TestKnows_AnotherAmountIsNews: a list that tells another amount under a known
// id is a reason to read.
func TestKnows_AnotherAmountIsNews(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	o = Apply(o, env, callback(o, captured("ch_1", 1000))).Order
	require.True(t, o.Knows(o.Attempts[0], captured("ch_1", 1000)))
	require.False(t, o.Knows(o.Attempts[0], captured("ch_1", 999)))
}

// TestDispute_OfAnotherCurrencyIsUndone: the journal undoes what was posted in
// the currency in which it was.
func TestDispute_OfAnotherCurrencyIsUndone(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	sums := map[string]int64{}
	for _, m := range []sdk.Money{usd(500), {Amount: 400, Currency: "EUR", Exponent: 2}} {
		p := captured("ch_1", 1000)
		p.Disputes = sdk.Disputes{Complete: true, Items: []sdk.Dispute{{ID: "dp_1", Status: sdk.DisputeLost, FundsWithdrawn: true, Amount: m}}}
		c := Apply(o, env, read(o, p))
		for _, x := range c.Postings {
			sums[x.Account+" "+x.Currency] += x.Amount
		}
		o = c.Order
	}
	for name, sum := range sums {
		if sum == 0 {
			delete(sums, name)
		}
	}
	require.Equal(t, map[string]int64{"provider:stripe USD": 1000, "app:app_1 USD": -1000, "unmatched:stripe EUR": 400, "provider:stripe EUR": -400}, sums)
}
