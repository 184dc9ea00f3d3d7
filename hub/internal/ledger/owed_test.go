package ledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk"
)

// told is an event that says that a read must show this.
func told(o *Order, event string, proven bool, expect ...sdk.Expectation) News {
	n := News{AttemptID: o.Attempts[0].ID, Source: FromCallback, Event: event, Expect: expect, Hint: !proven}
	if proven {
		n.Payment = &sdk.Payment{}
	}
	return n
}

// readAt is a read that began at the environment's time.
func readAt(o *Order, env Env, p *sdk.Payment) News {
	n := read(o, p)
	n.At = env.Now
	return n
}

func paid(t *testing.T) (*Order, Env) {
	o, env := created(t, sdk.CaptureAutomatic)
	p := captured("ch_1", 1000)
	p.Refunds.Complete, p.Disputes.Complete = true, true
	o = Apply(o, env, readAt(o, env, p)).Order
	return o, env
}

func refundExpected(id, atLeast string) sdk.Expectation {
	return sdk.Expectation{Kind: sdk.ExpectRefund, ID: id, AtLeast: atLeast}
}

// TestOwed_Met: any source will do that shows at least what the event said.
func TestOwed_Met(t *testing.T) {
	with := func(s sdk.MovementStatus, d sdk.DisputeStatus, cur sdk.Status) *Order {
		o, env := paid(t)
		p := &sdk.Payment{
			Refunds:  sdk.Refunds{Items: []sdk.Refund{{ID: "re_1", CaptureID: "ch_1", Status: s, Amount: usd(300)}}},
			Disputes: sdk.Disputes{Items: []sdk.Dispute{{ID: "dp_1", Status: d, Amount: usd(100)}}},
		}
		o = Apply(o, env, callback(o, p)).Order
		o.Attempts[0].Status = cur
		return o
	}
	for name, x := range map[string]struct {
		o    *Order
		e    sdk.Expectation
		owed bool
	}{
		"pending, and more was said":        {with("pending", "open", "succeeded"), refundExpected("re_1", "succeeded"), true},
		"as said":                           {with("succeeded", "open", "succeeded"), refundExpected("re_1", "succeeded"), false},
		"later than said":                   {with("succeeded", "open", "succeeded"), refundExpected("re_1", "pending"), false},
		"it succeeded, and is said to fail": {with("succeeded", "open", "succeeded"), refundExpected("re_1", "failed"), true},
		"another refund":                    {with("succeeded", "open", "succeeded"), refundExpected("re_2", "pending"), true},
		"refunds in all":                    {with("pending", "open", "succeeded"), sdk.Expectation{Kind: sdk.ExpectRefunded, ID: "ch_1", Amount: usd(300)}, false},
		"more refunds in all":               {with("succeeded", "open", "succeeded"), sdk.Expectation{Kind: sdk.ExpectRefunded, ID: "ch_1", Amount: usd(301)}, true},
		"refunds that failed":               {with("failed", "open", "succeeded"), sdk.Expectation{Kind: sdk.ExpectRefunded, ID: "ch_1", Amount: usd(300)}, true},
		"the dispute moved on":              {with("pending", "won", "succeeded"), sdk.Expectation{Kind: sdk.ExpectDispute, ID: "dp_1", AtLeast: "open"}, false},
		"the dispute is to move on":         {with("pending", "open", "succeeded"), sdk.Expectation{Kind: sdk.ExpectDispute, ID: "dp_1", AtLeast: "lost"}, true},
		"a capture":                         {with("pending", "open", "succeeded"), sdk.Expectation{Kind: sdk.ExpectCapture, ID: "ch_1", AtLeast: "succeeded"}, false},
		"another capture":                   {with("pending", "open", "succeeded"), sdk.Expectation{Kind: sdk.ExpectCapture, ID: "ch_2", AtLeast: "pending"}, true},
		"not approved yet":                  {with("pending", "open", "requires_action"), sdk.Expectation{Kind: sdk.ExpectPayment, AtLeast: "requires_confirmation"}, true},
		"further than approved":             {with("pending", "open", "pending"), sdk.Expectation{Kind: sdk.ExpectPayment, AtLeast: "requires_confirmation"}, false},
		"ended, and said to be held":        {with("pending", "open", "canceled"), sdk.Expectation{Kind: sdk.ExpectPayment, AtLeast: "requires_capture"}, false},
		"ended, and said to be paid":        {with("pending", "open", "canceled"), sdk.Expectation{Kind: sdk.ExpectPayment, AtLeast: "succeeded"}, true},
		"paid, and said to be over":         {with("pending", "open", "succeeded"), sdk.Expectation{Kind: sdk.ExpectPayment, AtLeast: "canceled"}, false},
		"of a kind that nobody knows":       {with("pending", "open", "succeeded"), sdk.Expectation{Kind: "mood", ID: "x"}, false},
		"an id without end":                 {with("pending", "open", "succeeded"), refundExpected(string(make([]byte, 300)), "pending"), false},
		"another currency":                  {with("pending", "open", "succeeded"), sdk.Expectation{Kind: sdk.ExpectRefunded, Amount: sdk.Money{Amount: 1, Currency: "EUR", Exponent: 2}}, false},
	} {
		for _, proven := range []bool{true, false} {
			c := Apply(x.o, testEnv(), told(x.o, "cb_1", proven, x.e))
			a := c.Order.Attempts[0]
			require.Equal(t, x.owed, len(a.Owed) == 1, "%s: %v", name, a.Owed)
			if x.owed {
				require.Equal(t, CallbackOwed, c.Order.EventOutcome("cb_1"), name)
				require.Equal(t, proven, a.Owed[0].Proven, name)
				require.True(t, a.ReadWanted && !a.DueAt.After(testEnv().Now), "%s: read at once", name)
			}
		}
	}
}

// TestOwed_Steps: at most 20 reads, 5 s apart in the first minute, a minute
// after it; one due time for all events of an attempt.
func TestOwed_Steps(t *testing.T) {
	o, env := paid(t)
	began := env.Now
	stale := captured("ch_1", 1000)
	stale.Refunds.Complete, stale.Disputes.Complete = true, true
	o = Apply(o, env, told(o, "cb_1", false, refundExpected("re_1", "succeeded"))).Order
	env.Now = env.Now.Add(2 * time.Second)
	var at []time.Duration
	for range 19 {
		o = claimed(o, env)
		c := Apply(o, env, readAt(o, env, stale))
		require.NotEqual(t, "order.updated", c.NoticeType(), "an app is told nothing of it")
		o = c.Order
		at = append(at, env.Now.Sub(began))
		require.Len(t, o.Attempts[0].Owed, 1)
		env.Now = o.Attempts[0].DueAt
	}
	require.Equal(t, 7*time.Second, at[1])
	require.Equal(t, 62*time.Second, at[12], "%v", at)
	require.Equal(t, 122*time.Second, at[13], "%v", at)
	o = claimed(o, env)
	c := Apply(o, env, readAt(o, env, stale))
	require.Empty(t, c.Order.Attempts[0].Owed, "the twentieth read is the last")
	require.Equal(t, []SettledCallback{{"cb_1", CallbackUnconfirmed}}, c.Settled)
	require.False(t, c.Order.NeedsAttention)
}

// TestOwed_OnlyAReadAfterSettlingDisagrees, and not one that began before.
func TestOwed_OnlyAReadAfterSettlingDisagrees(t *testing.T) {
	o, env := paid(t)
	env.Settling = func(provider string, kind sdk.OperationKind) time.Duration {
		require.Equal(t, "stripe", provider)
		if kind == sdk.OpRefund {
			return time.Minute
		}
		return time.Hour
	}
	stale := captured("ch_1", 1000)
	stale.Refunds.Complete = true
	o = Apply(o, env, told(o, "cb_1", true, refundExpected("re_1", "succeeded"))).Order
	before := readAt(o, env, stale)
	before.At = env.Now.Add(-time.Second)
	o = Apply(o, env, before).Order
	require.Zero(t, o.Attempts[0].Owed[0].Steps, "it began before the event was heard")
	other := readAt(o, env, nil)
	other.Refund = &sdk.Refund{ID: "re_9", Status: sdk.MovementPending, Amount: usd(1)}
	require.Zero(t, Apply(o, env, other).Order.Attempts[0].Owed[0].Steps, "it was a read of another thing")
	late := readAt(o, env, stale)
	late.At = env.Now.Add(59 * time.Second)
	env.Now = env.Now.Add(2 * time.Minute)
	o = Apply(o, env, late).Order
	require.False(t, hasReason(o, EventNotConfirmed), "it began before the settling time was over")
	partial := *stale
	partial.Refunds.Complete = false
	o = Apply(o, env, readAt(o, env, &partial)).Order
	require.False(t, hasReason(o, EventNotConfirmed), "its list is not complete")
	c := Apply(o, env, readAt(o, env, stale))
	require.True(t, hasReason(c.Order, EventNotConfirmed))
	require.Equal(t, []SettledCallback{{"cb_1", CallbackUnconfirmed}}, c.Settled)
	require.Equal(t, "cb_1", c.Order.Attention[0].CallbackID)

	// A person settles it: nothing is read for it any more, nor said again.
	r, err := c.Order.Resolve("", "anna", "a mistake of theirs", env)
	require.NoError(t, err)
	o = Apply(r.Order, env, readAt(r.Order, env, stale)).Order
	require.Empty(t, o.Attempts[0].Owed)
	require.False(t, o.NeedsAttention)
}

// TestOwed_LeftOut: what the provider lists as a refund and is none is no
// refund that is missing.
func TestOwed_LeftOut(t *testing.T) {
	o, env := paid(t)
	o = Apply(o, env, told(o, "cb_1", false, refundExpected("re_1", "succeeded"))).Order
	p := captured("ch_1", 1000)
	p.Refunds = sdk.Refunds{Complete: true, LeftOut: []string{"re_1"}}
	c := Apply(o, env, readAt(o, env, p))
	require.Empty(t, c.Order.Attempts[0].Owed)
	require.Equal(t, []SettledCallback{{"cb_1", CallbackNoNews}}, c.Settled)

	o, env = created(t, sdk.CaptureManual)
	o = Apply(o, env, told(o, "cb_1", false, refundExpected("re_1", "succeeded"))).Order
	released := &sdk.Payment{Status: sdk.Canceled, Captures: sdk.Captures{Complete: true}, Refunds: sdk.Refunds{Complete: true}}
	o = Apply(o, env, readAt(o, env, released)).Order
	require.Empty(t, o.Attempts[0].Owed, "nothing was taken, so that nothing was given back")
}

// TestOwed_IsBounded: 20 an attempt; what comes more makes it read all the same.
func TestOwed_IsBounded(t *testing.T) {
	o, env := paid(t)
	for i := range 30 {
		c := Apply(o, env, told(o, fmt.Sprint("cb_", i), false, refundExpected(fmt.Sprint("re_", i), "succeeded")))
		require.Equal(t, i >= 20, c.Full)
		o = c.Order
	}
	require.Len(t, o.Attempts[0].Owed, 20)
	stale := captured("ch_1", 1000)
	o = claimed(o, env)
	o = Apply(o, env, readAt(o, env, stale)).Order
	require.False(t, o.Attempts[0].ReadWanted)
	require.Equal(t, env.Now.Add(5*time.Second), o.Attempts[0].DueAt, "one due time for all")
	c := Apply(o, env, told(o, "cb_more", false, refundExpected("re_more", "succeeded")))
	require.True(t, c.Order.Attempts[0].ReadWanted)
	require.Equal(t, env.Now.Add(5*time.Second), c.Order.Attempts[0].DueAt)
}

// TestOwed_SentAgainIsBounded: each time begins the steps anew, ten times.
func TestOwed_SentAgainIsBounded(t *testing.T) {
	o, env := paid(t)
	event := refundExpected("re_1", "succeeded")
	o = Apply(o, env, told(o, "cb_1", false, event)).Order
	stale := captured("ch_1", 1000)
	o = claimed(o, env)
	o = Apply(o, env, readAt(o, env, stale)).Order
	for range 15 {
		o = Apply(o, env, told(o, "cb_1", false, event)).Order
	}
	require.Equal(t, 10, o.Attempts[0].Owed[0].Resent)
	o = claimed(o, env)
	o = Apply(o, env, readAt(o, env, stale)).Order
	c := Apply(o, env, told(o, "cb_1", false, event))
	require.True(t, c.Empty() && len(c.Looks) == 0, "absorbed")
	require.Equal(t, CallbackOwed, c.Order.EventOutcome("cb_1"))
}

// TestOwed_CandidatesAreKept while something is owed: each may be the payment
// that a read does not find yet.
func TestOwed_CandidatesAreKept(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	o.Attempts[0].Refs = nil
	n := told(o, "cb_1", false, sdk.Expectation{Kind: sdk.ExpectCapture, ID: "cap_1", AtLeast: "succeeded"})
	n.Maybe = []sdk.Ref{{Kind: "order", Value: "A"}}
	o = Apply(o, env, n).Order
	gone := News{AttemptID: o.Attempts[0].ID, Source: FromRead, Begun: o.Version, At: env.Now, Gone: true}
	o = Apply(o, env, gone).Order
	require.Len(t, o.Attempts[0].Candidates, 1)
	for range 40 {
		o = claimed(o, env)
		gone.Begun, gone.At, gone.Lease = o.Version, env.Now, o.Attempts[0].LeasedUntil
		o = Apply(o, env, gone).Order
		env.Now = env.Now.Add(time.Minute)
	}
	require.Empty(t, o.Attempts[0].Owed)
	require.Empty(t, o.Attempts[0].Candidates)
}

// TestProvesStale: a refusal of what was never made proves nothing, nor does a
// decline.
func TestProvesStale(t *testing.T) {
	require.True(t, ProvesStale(sdk.OpRefund, &sdk.Failure{Code: sdk.FailureRefundExceedsBalance}))
	require.True(t, ProvesStale(sdk.OpCapture, &sdk.Failure{Code: sdk.FailureExpired}))
	require.False(t, ProvesStale(sdk.OpCreate, &sdk.Failure{Code: sdk.FailureAmount}))
	require.False(t, ProvesStale(sdk.OpConfirm, &sdk.Failure{Code: sdk.FailureDeclined}))
	require.False(t, ProvesStale(sdk.OpRefund, nil))
}

// TestOwed_SaidByOthers: another event that says the same asks for no read of
// its own, and the fourth is not kept.
func TestOwed_SaidByOthers(t *testing.T) {
	o, env := paid(t)
	event := refundExpected("re_1", "succeeded")
	o = Apply(o, env, told(o, "cb_1", false, event)).Order
	o = claimed(o, env)
	o = Apply(o, env, readAt(o, env, captured("ch_1", 1000))).Order
	for i := range 5 {
		env.Now = env.Now.Add(time.Millisecond)
		c := Apply(o, env, told(o, fmt.Sprint("cb_other_", i), false, event))
		require.False(t, c.Full)
		require.True(t, c.Order.Attempts[0].DueAt.After(env.Now), "it waits for the next step")
		require.Equal(t, i >= 2, c.Empty(), "and adds nothing")
		o = c.Order
	}
	require.Len(t, o.Attempts[0].Owed, 3)
}

// TestOwed_RefundThatFailedSince: an event says how much was refunded in all. A refund
// that fails before it is read was counted in that; one that had failed before was not.
func TestOwed_RefundThatFailedSince(t *testing.T) {
	failed := captured("ch_1", 1000)
	failed.Disputes.Complete = true
	failed.Refunds = sdk.Refunds{Complete: true, Items: []sdk.Refund{{ID: "re_1", CaptureID: "ch_1", Status: sdk.MovementFailed, Amount: usd(300)}}}
	said := sdk.Expectation{Kind: sdk.ExpectRefunded, ID: "ch_1", Amount: usd(300)}
	for name, before := range map[string]bool{"it had failed before": true, "it fails after": false} {
		o, env := paid(t)
		step := func(n func() News) {
			env.Now = env.Now.Add(10 * time.Second)
			o = claimed(o, env)
			o = Apply(o, env, n()).Order
		}
		read := func() News { return readAt(o, env, failed) }
		event := func() News { return told(o, "cb_1", true, said) }
		if before {
			step(read)
		}
		step(event)
		step(read)
		step(read)
		require.Equal(t, before, len(o.Attempts[0].Owed) == 1, name)
	}
}
