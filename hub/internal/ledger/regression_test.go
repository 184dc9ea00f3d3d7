package ledger

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk"
)

// 1: a stale read wipes the read that a callback scheduled.
func TestRegression_StaleReadWipesScheduledRead(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	p := captured("ch_1", 1000)
	p.Refunds.Items = []sdk.Refund{{ID: "re_1", Status: sdk.MovementSucceeded, Amount: usd(300)}}
	o = Apply(o, env, callback(o, p)).Order
	began := o.Version // a read begins here and sees "succeeded"
	failed := &sdk.Payment{Refunds: sdk.Refunds{Items: []sdk.Refund{{ID: "re_1", Status: sdk.MovementFailed, Amount: usd(300)}}}}
	o = Apply(o, env, callback(o, failed)).Order
	require.Equal(t, env.Now, o.Attempts[0].DueAt, "refund.failed schedules a read")
	o = Apply(o, env, News{AttemptID: o.Attempts[0].ID, Source: FromRead, Begun: began, Payment: p}).Order
	require.False(t, o.Attempts[0].DueAt.IsZero(), "the scheduled read is gone for ever: refund stays 'succeeded' (%d refunded)", o.Refunded)
}

// 1b: so does any other proven fact.
func TestRegression_OtherFactWipesScheduledRead(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	p := captured("ch_1", 1000)
	p.Refunds.Items = []sdk.Refund{{ID: "re_1", Status: sdk.MovementSucceeded, Amount: usd(300)}}
	o = Apply(o, env, callback(o, p)).Order
	failed := &sdk.Payment{Refunds: sdk.Refunds{Items: []sdk.Refund{{ID: "re_1", Status: sdk.MovementFailed, Amount: usd(300)}}}}
	o = Apply(o, env, callback(o, failed)).Order
	require.Equal(t, env.Now, o.Attempts[0].DueAt)
	other := &sdk.Payment{Refunds: sdk.Refunds{Items: []sdk.Refund{{ID: "re_2", Status: sdk.MovementSucceeded, Amount: usd(100)}}}}
	o = Apply(o, env, callback(o, other)).Order
	require.False(t, o.Attempts[0].DueAt.IsZero(), "the scheduled read is gone")
}

// 2: resume of a not_sent create beside a live attempt.
func TestRegression_ResumeMakesTwoPayable(t *testing.T) {
	env := testEnv()
	o := &Order{AppID: "app_1", Reference: "r", Amount: 1000, Currency: "USD", Exponent: 2, ExpiresAt: t0.Add(time.Hour)}
	spec := NewAttempt{Provider: "stripe", Plugin: "stripe", Flow: "f", Mode: sdk.Test, CaptureMode: sdk.CaptureAutomatic}
	c, opA := Create(o, spec, Ask{IdempotencyKey: "A", Lease: time.Second}, env)
	o = Apply(c.Order, env, News{AttemptID: *opA.AttemptID, Operation: &Result{ID: opA.ID, Outcome: OutcomeNotSent}}).Order
	c, opB, err := o.Checkout(spec, Ask{IdempotencyKey: "B", Lease: time.Second}, env)
	require.NoError(t, err)
	o = Apply(c.Order, env, News{AttemptID: *opB.AttemptID, Operation: &Result{ID: opB.ID}, Payment: &sdk.Payment{Refs: []sdk.Ref{{Kind: "session", Value: "cs_B"}}, Status: sdk.RequiresAction}}).Order
	c, err = o.Resume(env, opA.ID, time.Second, nil) // the client repeats key A, as the 503 told it to
	live := 0
	if err == nil {
		for _, a := range c.Order.Attempts {
			if a.Live() && !a.Abandoned {
				live++
			}
		}
	}
	require.LessOrEqual(t, live, 1, "two attempts can be paid, none canceled, none abandoned")
}

// 3: authorised money that a 404 declares dead.
func TestRegression_AuthorisedMoneyGone(t *testing.T) {
	o, env := created(t, sdk.CaptureManual)
	o = Apply(o, env, callback(o, &sdk.Payment{Status: sdk.RequiresCapture, Authorized: usd(1000)})).Order
	require.Equal(t, OrderAuthorized, o.Status)
	env.Now = o.ExpiresAt.Add(time.Minute)
	o = Apply(o, env, News{AttemptID: o.Attempts[0].ID, Source: FromRead, Begun: o.Version, Gone: true}).Order
	require.True(t, o.NeedsAttention, "order %s, attempt %s, due %v: nobody told", o.Status, o.Attempts[0].Status, o.Attempts[0].DueAt)
}

// 4: a released authorisation blocks the hub's own continuing for ever.
func TestRegression_ReleasedAuthorisationBlocksContinue(t *testing.T) {
	o, env := created(t, sdk.CaptureManual)
	o = Apply(o, env, callback(o, &sdk.Payment{Status: sdk.RequiresCapture, Authorized: usd(1000)})).Order
	o = Apply(o, env, callback(o, &sdk.Payment{Status: sdk.Canceled})).Order
	require.Equal(t, OrderOpen, o.Status)
	c, op, err := o.Checkout(NewAttempt{Provider: "paypal", Flow: "server", Mode: sdk.Test}, Ask{Lease: time.Second}, env)
	require.NoError(t, err)
	o = Apply(c.Order, env, News{AttemptID: *op.AttemptID, Operation: &Result{ID: op.ID}, Payment: &sdk.Payment{Refs: []sdk.Ref{{Kind: "order", Value: "PP1"}}, Status: sdk.RequiresAction}}).Order
	o = Apply(o, env, News{AttemptID: *op.AttemptID, Source: FromRead, Begun: o.Version, Payment: &sdk.Payment{Status: sdk.RequiresConfirmation}}).Order
	require.True(t, o.Attempts[1].Approved)
	require.True(t, o.Continuable(o.Attempts[1]), "authorized of the dead attempt is still %d", o.Attempts[0].Authorized)
}

// 5: a refund's answer without our id in it is counted twice, and ours is stuck.
func TestRegression_RefundAnswerWithoutMetadata(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	o = Apply(o, env, callback(o, captured("ch_1", 1000))).Order
	c, op, err := o.AskRefund(NewRefund{Amount: Minor(400)}, Ask{Lease: time.Second}, env)
	require.NoError(t, err)
	o = Apply(c.Order, env, News{AttemptID: *op.AttemptID, Source: FromOperation, Operation: &Result{ID: op.ID}, Refund: &sdk.Refund{ID: "re_1", Status: sdk.MovementSucceeded, Amount: usd(400)}}).Order
	require.Len(t, o.Refunds, 1, "refunded %d reserved %d refundable %d, ours %s, op %s", o.Refunded, o.Attempts[0].Reserved, o.Refundable, o.Refunds[0].Status, o.Operations[len(o.Operations)-1].Outcome)
}

// 6: old reads make a new unknown operation wait an hour.
func TestRegression_HealingWaitsAnHour(t *testing.T) {
	o, env := created(t, sdk.CaptureManual)
	o = Apply(o, env, callback(o, &sdk.Payment{Status: sdk.RequiresCapture, Authorized: usd(1000)})).Order
	o.Attempts[0].Tries = 9 // the worker's claims of some days
	c, op, err := o.Capture("", 1000, Ask{Lease: time.Second}, env)
	require.NoError(t, err)
	o = Apply(c.Order, env, News{AttemptID: *op.AttemptID, Operation: &Result{ID: op.ID, Outcome: OutcomeUnknown}}).Order
	require.LessOrEqual(t, o.Attempts[0].DueAt.Sub(env.Now), time.Minute)
}

// 7: an unlisted movement status stays for ever, whatever a fresh read says.
func TestRegression_UnlistedMovementStatus(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	odd := captured("ch_1", 1000)
	odd.Captures.Items[0].Status = "in_review"
	o = Apply(o, env, callback(o, odd)).Order
	o = Apply(o, env, read(o, captured("ch_1", 1000))).Order
	require.Equal(t, OrderPaid, o.Status, "capture is %s, attention %v", o.Captures[0].Status, o.Attention)
}

// 8: the second refund that comes back is told to nobody once the first was resolved.
func TestRegression_SecondLateFailureNotTold(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	p := func(a, b sdk.MovementStatus) *sdk.Payment {
		p := captured("ch_1", 1000)
		p.Refunds.Items = []sdk.Refund{{ID: "re_1", Status: a, Amount: usd(300)}, {ID: "re_2", Status: b, Amount: usd(300)}}
		return p
	}
	o = Apply(o, env, read(o, p(sdk.MovementSucceeded, sdk.MovementSucceeded))).Order
	o = Apply(o, env, read(o, p(sdk.MovementFailed, sdk.MovementSucceeded))).Order
	require.True(t, o.NeedsAttention)
	for i := range o.Attention {
		o.Attention[i].ResolvedAt = env.Now
	}
	o = Apply(o, env, read(o, p(sdk.MovementFailed, sdk.MovementFailed))).Order
	require.True(t, o.NeedsAttention, "the second refund failed late and nobody is told")
}

// 9: after a reload from the database the same fact is "news".
func TestRegression_TimesFromTheDatabaseDiffer(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	p := &sdk.Payment{Status: sdk.RequiresAction, ExpiresAt: t0.Add(time.Hour)}
	o = Apply(o, env, callback(o, p)).Order
	// what row_to_json gives in a UTC session
	a := o.Attempts[0]
	var back time.Time
	require.NoError(t, json.Unmarshal([]byte(`"`+a.ExpiresAt.Format("2006-01-02T15:04:05")+`+00:00"`), &back))
	a.ExpiresAt = back
	c := Apply(o, env, callback(o, p))
	require.True(t, c.Empty(), "a repetition is no news")
}

// 10: a refund or dispute in another currency un-pays a paid order.
func TestRegression_ForeignDisputeUnpays(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	o = Apply(o, env, callback(o, captured("ch_1", 1000))).Order
	o = Apply(o, env, callback(o, &sdk.Payment{Disputes: sdk.Disputes{Items: []sdk.Dispute{{ID: "dp_1", Status: sdk.DisputeOpen, Amount: sdk.Money{Amount: 900, Currency: "EUR", Exponent: 2}, FundsWithdrawn: true}}}})).Order
	require.Equal(t, OrderPaid, o.Status, "%v refundable %d", o.Attention, o.Refundable)
}

// 11: a fresh read that says nothing new is not empty.
func TestRegression_ReadWithoutNewsWrites(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	p := &sdk.Payment{Status: sdk.RequiresAction}
	env.Now = env.Now.Add(time.Second)
	o = Apply(o, env, read(o, p)).Order
	v := o.Version
	env.Now = env.Now.Add(time.Millisecond)
	o = Apply(o, env, read(o, p)).Order
	require.Equal(t, v, o.Version)
}

// 12: a dispute merged over by a stale/unlisted rank; dispute that a late fact reopens funds
func TestRegression_DisputeEqualRankFundsFact(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	o = Apply(o, env, callback(o, captured("ch_1", 1000))).Order
	d := func(s sdk.DisputeStatus, gone bool) *sdk.Payment {
		return &sdk.Payment{Disputes: sdk.Disputes{Items: []sdk.Dispute{{ID: "dp_1", Status: s, Amount: usd(1000), FundsWithdrawn: gone}}}}
	}
	o = Apply(o, env, callback(o, d(sdk.DisputeWon, false))).Order
	o = Apply(o, env, callback(o, d(sdk.DisputeOpen, true))).Order // late created
	require.Equal(t, sdk.DisputeWon, o.Disputes[0].Status)
	require.Equal(t, int64(0), o.Disputed)
}

// TestDispute_LostLessWhatWasRefunded: all is withdrawn, of which a part was refunded
// before; when the dispute is lost, the provider gives that part back. What is lost
// for good is the rest, whatever comes late.
func TestDispute_LostLessWhatWasRefunded(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	p := captured("ch_1", 1000)
	p.Refunds.Items = []sdk.Refund{{ID: "re_1", CaptureID: "ch_1", Status: sdk.MovementSucceeded, Amount: usd(400)}}
	o = Apply(o, env, callback(o, p)).Order
	disputed := func(s sdk.DisputeStatus, withdrawn int64) *sdk.Payment {
		d := sdk.Dispute{ID: "dp_1", CaptureID: "ch_1", Status: s, Amount: usd(1000), FundsWithdrawn: withdrawn > 0, Withdrawn: usd(withdrawn)}
		return &sdk.Payment{Disputes: sdk.Disputes{Items: []sdk.Dispute{d}}}
	}
	posted := map[string]int64{}
	next := func(n News) {
		t.Helper()
		c := Apply(o, env, n)
		for _, l := range c.Postings {
			posted[l.Account] += l.Amount
		}
		o = c.Order
	}
	withoutFees := func() map[string]int64 {
		out := map[string]int64{}
		for account, amount := range posted {
			if amount != 0 {
				out[account] = amount
			}
		}
		return out
	}
	next(callback(o, disputed(sdk.DisputeOpen, 1000)))
	require.Equal(t, int64(1000), o.Disputed)
	require.Equal(t, map[string]int64{"disputed:stripe": 1000, "provider:stripe": -1000}, withoutFees())
	next(callback(o, disputed(sdk.DisputeLost, 1000)))
	next(read(o, disputed(sdk.DisputeLost, 600)))
	require.Equal(t, int64(600), o.Disputed)
	require.Equal(t, map[string]int64{"app:" + o.AppID: 600, "provider:stripe": -600}, withoutFees())
	require.Zero(t, o.Refundable)
	require.True(t, o.knowsDispute(o.Attempts[0], disputed(sdk.DisputeLost, 600).Disputes.Items[0]))
	require.False(t, o.knowsDispute(o.Attempts[0], disputed(sdk.DisputeLost, 500).Disputes.Items[0]))
	next(callback(o, disputed(sdk.DisputeLost, 1000))) // late: it asks for a read, and changes nothing
	require.Equal(t, int64(600), o.Disputed)
	next(read(o, disputed(sdk.DisputeLost, 600)))
	require.Equal(t, map[string]int64{"app:" + o.AppID: 600, "provider:stripe": -600}, withoutFees())

	o, env = created(t, sdk.CaptureAutomatic)
	o = Apply(o, env, callback(o, captured("ch_1", 1000))).Order
	o = Apply(o, env, callback(o, disputed(sdk.DisputeLost, 600))).Order
	held, is := o.took(o.Attempts[0])
	require.True(t, is, "a part of the money is there")
	require.Equal(t, usd(400), held)
}

// 13: resume of a capture on an attempt that was flagged meanwhile
func TestRegression_ResumeCaptureFlagged(t *testing.T) {
	o, env := created(t, sdk.CaptureManual)
	o = Apply(o, env, callback(o, &sdk.Payment{Status: sdk.RequiresCapture, Authorized: usd(1000)})).Order
	c, op, err := o.Capture("", 1000, Ask{Lease: time.Second}, env)
	require.NoError(t, err)
	o = Apply(c.Order, env, News{AttemptID: *op.AttemptID, Operation: &Result{ID: op.ID, Outcome: OutcomeNotSent}}).Order
	o = Apply(o, env, callback(o, &sdk.Payment{Amount: usd(1)})).Order
	require.True(t, o.flagged(o.Attempts[0].ID))
	_, err = o.Resume(env, op.ID, time.Second, nil)
	require.Error(t, err, "Capture refuses a flagged attempt, Resume does not")
}

// 14: second payment refunded
func TestRegression_SecondPaymentRefundedStatus(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	c, op, err := o.Checkout(NewAttempt{Provider: "stripe", Flow: "f", Mode: sdk.Test}, Ask{Lease: time.Second}, env)
	require.NoError(t, err)
	o = Apply(c.Order, env, News{AttemptID: *op.AttemptID, Operation: &Result{ID: op.ID}, Payment: &sdk.Payment{Status: sdk.RequiresAction}}).Order
	o = Apply(o, env, News{AttemptID: o.Attempts[0].ID, Payment: captured("ch_1", 1000)}).Order
	o = Apply(o, env, News{AttemptID: o.Attempts[1].ID, Payment: captured("ch_2", 1000)}).Order
	require.True(t, hasReason(o, SecondPayment))
	p := captured("ch_2", 1000)
	p.Refunds.Items = []sdk.Refund{{ID: "re_1", Status: sdk.MovementSucceeded, Amount: usd(1000)}}
	o = Apply(o, env, News{AttemptID: o.Attempts[1].ID, Payment: p}).Order
	require.Equal(t, OrderPaid, o.Status)
}

// 15: capture of a second attempt on a paid order
func TestRegression_CaptureOnPaidOrder(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	c, op, err := o.Checkout(NewAttempt{Provider: "stripe", Flow: "f", Mode: sdk.Test, CaptureMode: sdk.CaptureManual}, Ask{Lease: time.Second}, env)
	require.NoError(t, err)
	o = Apply(c.Order, env, News{AttemptID: *op.AttemptID, Operation: &Result{ID: op.ID}, Payment: &sdk.Payment{Status: sdk.RequiresAction}}).Order
	o = Apply(o, env, News{AttemptID: o.Attempts[0].ID, Payment: captured("ch_1", 1000)}).Order
	o = Apply(o, env, News{AttemptID: o.Attempts[1].ID, Payment: &sdk.Payment{Status: sdk.RequiresCapture, Authorized: usd(1000)}}).Order
	require.Equal(t, OrderPaid, o.Status)
	require.True(t, o.NeedsAttention, "money of a second attempt is held on a paid order and nobody is told")
	_, _, err = o.Capture("", 0, Ask{}, env)
	require.Error(t, err)
}

// 16: ten candidates that came to nothing keep the genuine one out.
func TestRegression_CandidatesFull(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	a := o.Attempts[0]
	a.Refs = []sdk.Ref{}
	for i := range 10 {
		o = Apply(o, env, News{AttemptID: a.ID, Source: FromCallback, Hint: true, Maybe: []sdk.Ref{{Kind: "order", Value: string(rune('A' + i))}}}).Order
		o = Apply(o, env, News{AttemptID: a.ID, Source: FromRead, Begun: o.Version, Gone: true}).Order
	}
	o = Apply(o, env, News{AttemptID: a.ID, Source: FromCallback, Hint: true, Maybe: []sdk.Ref{{Kind: "order", Value: "genuine"}}}).Order
	require.True(t, hasRef(o.Attempts[0].Candidates, sdk.Ref{Kind: "order", Value: "genuine"}))
}

// 17: a cancel that the provider refused, then a new checkout: its approval is never taken.
func TestRegression_RefusedCancelBlocksContinue(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	c, op, err := o.Cancel("", true, Ask{Lease: time.Second}, env)
	require.NoError(t, err)
	o = Apply(c.Order, env, News{AttemptID: *op.AttemptID, Operation: &Result{ID: op.ID, Outcome: OutcomeNotSent}}).Order // the app was told 503: nothing happened
	require.Equal(t, OrderOpen, o.Status)
	o = Apply(o, env, read(o, &sdk.Payment{Status: sdk.RequiresConfirmation})).Order
	require.True(t, o.Attempts[0].Approved)
	require.True(t, o.Continuable(o.Attempts[0]), "the app was told that nothing was done; the approval is never taken and nobody is told: %v", o.NeedsAttention)
}

// 18: the same, and the payer's decline then closes the order as canceled.
func TestRegression_RefusedCancelClosesOrder(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	c, op, err := o.Cancel("", true, Ask{Lease: time.Second}, env)
	require.NoError(t, err)
	o = Apply(c.Order, env, News{AttemptID: *op.AttemptID, Operation: &Result{ID: op.ID, Outcome: OutcomeDeclined, Rejected: true}}).Order // 422 provider_rejected
	o = Apply(o, env, callback(o, &sdk.Payment{Status: sdk.Failed})).Order
	require.Equal(t, OrderOpen, o.Status)
}

// 19: a confirmation that the hub began by itself never left: the approval is
// not forgotten, and the try does not count as a decline.
func TestRegression_UnsentConfirmForgetsApproval(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	o = Apply(o, env, read(o, &sdk.Payment{Status: sdk.RequiresConfirmation})).Order
	for range maxContinues + 1 {
		require.True(t, o.Continuable(o.Attempts[0]), "the payer approved, nobody takes it, and nobody is told")
		c, op, err := o.Confirm("", Ask{Source: FromHub, Lease: time.Second}, env)
		require.NoError(t, err)
		o = Apply(c.Order, env, News{AttemptID: *op.AttemptID, Operation: &Result{ID: op.ID, Outcome: OutcomeNotSent}}).Order
		require.False(t, o.Attempts[0].DueAt.IsZero())
	}
}
