package ledger

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/superpayhub/superpay/sdk"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func testEnv() Env {
	n := 0
	return Env{Now: t0, NewID: func(p string) string { n++; return fmt.Sprintf("%s_%026d", p, n) }}
}

// created is an order of 10.00 USD whose checkout was answered.
func created(t require.TestingT, mode sdk.CaptureMode) (*Order, Env) {
	env := testEnv()
	o := &Order{AppID: "app_1", Reference: "r", Amount: 1000, Currency: "USD", Exponent: 2, ExpiresAt: t0.Add(time.Hour)}
	c, op := Create(o, NewAttempt{Provider: "stripe", Plugin: "stripe", Flow: "f", Mode: sdk.Test, CaptureMode: mode}, Ask{Lease: time.Second}, env)
	require.Equal(t, int64(1), c.Order.Version)
	c = Apply(c.Order, env, News{AttemptID: *op.AttemptID, Source: FromOperation, Operation: &Result{ID: op.ID}, Payment: &sdk.Payment{
		Refs: []sdk.Ref{{Kind: "session", Value: "cs_1"}}, Status: sdk.RequiresAction, Amount: usd(1000),
		NextAction: &sdk.NextAction{Type: sdk.ActionRedirect, URL: "https://pay.example"},
	}})
	require.Equal(t, OutcomeSucceeded, c.Order.Operations[0].Outcome)
	require.Equal(t, OrderOpen, c.Order.Status)
	return c.Order, env
}

func usd(n int64) sdk.Money { return sdk.Money{Amount: n, Currency: "USD", Exponent: 2} }

func captured(id string, n int64) *sdk.Payment {
	return &sdk.Payment{Status: sdk.Succeeded, Amount: usd(1000), Captures: sdk.Captures{
		Complete: true, Items: []sdk.Capture{{ID: id, Status: sdk.MovementSucceeded, Amount: usd(n)}},
	}}
}

func callback(o *Order, p *sdk.Payment) News {
	return News{AttemptID: o.Attempts[0].ID, Source: FromCallback, Payment: p}
}

func read(o *Order, p *sdk.Payment) News {
	a := o.Attempts[0]
	return News{AttemptID: a.ID, Source: FromRead, Begun: o.Version, Lease: a.LeasedUntil, Payment: p}
}

func TestPaid_OnlyByIdentifiedMoney(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	c := Apply(o, env, callback(o, &sdk.Payment{Status: sdk.Succeeded}))
	require.Equal(t, OrderOpen, c.Order.Status, "succeeded without money is only a reason to read")
	require.Equal(t, env.Now, c.Order.Attempts[0].DueAt)

	c = Apply(o, env, read(o, &sdk.Payment{Status: sdk.Succeeded, Captures: sdk.Captures{Complete: true}}))
	require.NotEqual(t, OrderPaid, c.Order.Status)
	require.True(t, c.Order.NeedsAttention)

	c = Apply(o, env, callback(o, captured("ch_1", 1000)))
	require.Equal(t, OrderPaid, c.Order.Status)
	require.Equal(t, int64(1000), c.Order.Captured)
	again := Apply(c.Order, env, callback(o, captured("ch_1", 1000)))
	require.True(t, again.Empty(), "a repetition is no news")
}

func TestMismatch_IsRecordedAndNeverPaid(t *testing.T) {
	for name, p := range map[string]*sdk.Payment{
		"less":            captured("ch_1", 900),
		"more":            captured("ch_1", 1100),
		"other currency":  {Status: sdk.Succeeded, Captures: sdk.Captures{Complete: true, Items: []sdk.Capture{{ID: "ch_1", Status: sdk.MovementSucceeded, Amount: sdk.Money{Amount: 1000, Currency: "EUR", Exponent: 2}}}}},
		"other payment":   {AttemptID: "att_other", Status: sdk.Succeeded, Captures: captured("ch_1", 1000).Captures},
		"other reference": {Refs: []sdk.Ref{{Kind: "session", Value: "cs_2"}}, Status: sdk.Succeeded, Captures: captured("ch_1", 1000).Captures},
		"other mode":      {Mode: sdk.Live, Status: sdk.Succeeded, Captures: captured("ch_1", 1000).Captures},
		"other amount":    {Amount: usd(1), Status: sdk.Succeeded, Captures: captured("ch_1", 1000).Captures},
	} {
		t.Run(name, func(t *testing.T) {
			o, env := created(t, sdk.CaptureAutomatic)
			c := Apply(o, env, read(o, p))
			require.NotContains(t, []OrderStatus{OrderPaid, OrderRefunded, OrderPartiallyRefunded}, c.Order.Status)
			require.True(t, c.Order.NeedsAttention)
			require.Len(t, c.Order.Captures, 1, "the money is on record all the same")
		})
	}
}

func TestRefund_NeverExceedsCaptured(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	o = Apply(o, env, callback(o, captured("ch_1", 1000))).Order
	c, op, err := o.AskRefund(NewRefund{Amount: Minor(600)}, Ask{Lease: time.Second}, env)
	require.NoError(t, err)
	_, _, err = c.Order.AskRefund(NewRefund{Amount: Minor(400)}, Ask{}, env)
	require.ErrorContains(t, err, "operation_open")
	// Unknown keeps the reservation.
	o = Apply(c.Order, env, News{AttemptID: *op.AttemptID, Source: FromOperation, Operation: &Result{ID: op.ID, Outcome: OutcomeUnknown}}).Order
	require.Equal(t, int64(400), o.Refundable)
	// A read finds the refund by our id in its metadata; the operation closes.
	p := captured("ch_1", 1000)
	p.Refunds = sdk.Refunds{Complete: true, Items: []sdk.Refund{{ID: "re_1", RefundID: *op.RefundID, Status: sdk.MovementSucceeded, Amount: usd(600)}}}
	o = Apply(o, env, read(o, p)).Order
	require.Nil(t, o.OpenOperation(o.Attempts[0].ID))
	require.Equal(t, OrderPartiallyRefunded, o.Status)
	_, _, err = o.AskRefund(NewRefund{Amount: Minor(401)}, Ask{}, env)
	require.ErrorContains(t, err, "4.00 USD can still be refunded")
	// One made in the dashboard counts once, and blocks ours.
	p.Refunds.Items = append(p.Refunds.Items, sdk.Refund{ID: "re_2", Status: sdk.MovementSucceeded, Amount: usd(400)})
	o = Apply(o, env, callback(o, p), callback(o, p)).Order
	require.Equal(t, OrderRefunded, o.Status)
	require.Len(t, o.Refunds, 2)
	_, _, err = o.AskRefund(NewRefund{Amount: All()}, Ask{}, env)
	require.ErrorContains(t, err, "refund_too_large")
}

func TestStaleReadTakesNothingBack(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	began := o.Version
	o = Apply(o, env, callback(o, captured("ch_1", 1000))).Order
	stale := News{AttemptID: o.Attempts[0].ID, Source: FromRead, Begun: began, Payment: &sdk.Payment{Status: sdk.RequiresAction, Captures: sdk.Captures{Complete: true}}}
	c := Apply(o, env, stale)
	require.Equal(t, OrderPaid, c.Order.Status)
	require.Equal(t, int64(1000), c.Order.Captured)
	require.False(t, c.Order.NeedsAttention)
}

func TestPaidAfterCancelWins(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	c, op, err := o.Cancel("", true, Ask{Lease: time.Second}, env)
	require.NoError(t, err)
	require.Equal(t, OrderOpen, c.Order.Status, "a cancel is a request")
	o = Apply(c.Order, env, News{AttemptID: *op.AttemptID, Operation: &Result{ID: op.ID}, Payment: &sdk.Payment{Status: sdk.Canceled}}).Order
	require.Equal(t, OrderCanceled, o.Status)
	o = Apply(o, env, callback(o, captured("ch_1", 1000))).Order
	require.Equal(t, OrderPaid, o.Status)
	require.True(t, o.NeedsAttention)
	require.Equal(t, env.Now, o.Attempts[0].DueAt, "the attempt's own status moves by a read")
}

func TestUnknown_IsNotClosedByARepeatThatWasNotSent(t *testing.T) {
	o, env := created(t, sdk.CaptureManual)
	o = Apply(o, env, callback(o, &sdk.Payment{Status: sdk.RequiresCapture, Authorized: usd(1000)})).Order
	require.Equal(t, OrderAuthorized, o.Status)
	c, op, err := o.Capture("", 700, Ask{Lease: time.Second}, env)
	require.NoError(t, err)
	o = Apply(c.Order, env, News{AttemptID: *op.AttemptID, Operation: &Result{ID: op.ID, Outcome: OutcomeUnknown}}).Order
	c, err = o.Repeat(env, op.ID, time.Second)
	require.NoError(t, err)
	o = Apply(c.Order, env, News{AttemptID: *op.AttemptID, Operation: &Result{ID: op.ID, Outcome: OutcomeNotSent}}).Order
	require.Equal(t, OutcomeUnknown, o.Operation(op.ID).Outcome)
	_, _, err = o.Capture("", 700, Ask{}, env)
	require.ErrorContains(t, err, "operation_open")
}

// TestApply_OrderAndRepetitionDoNotMatter: facts that take nothing back end in
// the same state, however they arrive.
func TestApply_OrderAndRepetitionDoNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o, env := created(rt, sdk.CaptureAutomatic)
		facts := []*sdk.Payment{
			{Status: sdk.RequiresAction},
			{Status: sdk.Pending},
			captured("ch_1", 1000),
			{Refs: []sdk.Ref{{Kind: "session", Value: "cs_1"}}, Status: sdk.Succeeded},
			{Refunds: sdk.Refunds{Items: []sdk.Refund{{ID: "re_1", Status: sdk.MovementPending, Amount: usd(300)}}}},
			{Refunds: sdk.Refunds{Items: []sdk.Refund{{ID: "re_1", Status: sdk.MovementSucceeded, Amount: usd(300)}}}},
			{Refunds: sdk.Refunds{Items: []sdk.Refund{{ID: "re_2", Status: sdk.MovementSucceeded, Amount: usd(200)}}}},
		}
		seq := rapid.Permutation(slices.Concat(facts, rapid.SliceOf(rapid.SampledFrom(facts)).Draw(rt, "repeats"))).Draw(rt, "order")
		for _, p := range seq {
			o = Apply(o, env, callback(o, p)).Order
		}
		require.Equal(rt, OrderPartiallyRefunded, o.Status)
		require.Equal(rt, int64(1000), o.Captured)
		require.Equal(rt, int64(500), o.Refunded)
		require.Equal(rt, int64(500), o.Refundable)
		require.Equal(rt, sdk.Succeeded, o.Attempts[0].Status)
		require.False(rt, o.NeedsAttention)
	})
}
