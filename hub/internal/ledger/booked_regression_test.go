package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk"
)

// TestDispute_WithoutLinesAfterSome: PayPal resolves a claim by a refund to the buyer. The
// read says no line any more and that nothing is withdrawn, which is believed: money goes
// out once.
func TestDispute_WithoutLinesAfterSome(t *testing.T) {
	o, env := paid(t)
	o = claimed(o, env)
	o = Apply(o, env, readAt(o, env, disputed(sdk.DisputeOpen, 1))).Order
	require.Equal(t, int64(1000), o.Disputed)
	p := captured("ch_1", 1000)
	p.Refunds = sdk.Refunds{Complete: true, Items: []sdk.Refund{{ID: "re_1", CaptureID: "ch_1", Status: sdk.MovementSucceeded, Amount: usd(1000)}}}
	p.Disputes = sdk.Disputes{Complete: true, Items: []sdk.Dispute{{ID: "dp_1", CaptureID: "ch_1", Status: sdk.DisputeLost, Amount: usd(1000)}}}
	env.Now = env.Now.Add(48 * time.Hour)
	o = claimed(o, env)
	o = Apply(o, env, readAt(o, env, p)).Order
	require.Equal(t, []int64{0, 1000}, []int64{o.Disputed, o.Refunded})
	require.Equal(t, sdk.DisputeLost, o.Disputes[0].Status)
}

// TestDispute_FromBeforeLines: of a dispute that was recorded before lines were, the first
// read brings them and no news for the app.
func TestDispute_FromBeforeLines(t *testing.T) {
	o, env := paid(t)
	o = claimed(o, env)
	o = Apply(o, env, readAt(o, env, disputed(sdk.DisputeLost, 2))).Order
	o.Disputes[0].Lines, o.Disputes[0].Booked = 0, Booked{}
	was := o.Disputes[0].UpdatedAt
	env.Now = env.Now.Add(24 * time.Hour)
	o = claimed(o, env)
	c := Apply(o, env, readAt(o, env, disputed(sdk.DisputeLost, 2)))
	require.Empty(t, c.NoticeType(), "%v", c.Events)
	require.Equal(t, 2, c.Order.Disputes[0].Lines)
	require.Equal(t, was, c.Order.Disputes[0].UpdatedAt)
	require.NotNil(t, c.Order.Disputes[0].Gross)
}

// TestBooked_WhatCannotBeSummedUp tells the fee, if the plugin says one beside it.
func TestBooked_WhatCannotBeSummedUp(t *testing.T) {
	fee := sdk.Money{Amount: 1400, Currency: "EUR", Exponent: 2}
	want := Booked{Fee: 1400, FeeCurrency: "EUR", FeeExponent: 2}
	require.Equal(t, want, bookedOf(fee, []sdk.Line{line("1", -1000, 0, "USD"), {ID: "2", Gross: sdk.Money{Currency: "EUR", Exponent: 2}, Fee: fee}}))
	require.Equal(t, want, bookedOf(fee, []sdk.Line{{ID: "x"}}))
	fine := line("1", 1000, 0, "USD")
	fine.AvailableAt = fine.AvailableAt.Add(7)
	require.Zero(t, bookedOf(fee, []sdk.Line{fine}).AvailableAt.Nanosecond()%1000, "as the database keeps it, or each read would be news")
}

// TestBooked_OfACorrectedCurrency: a person's correction changes whether the money was
// changed at all, and the record stays consistent.
func TestBooked_OfACorrectedCurrency(t *testing.T) {
	for _, balance := range []string{"EUR", "USD"} {
		r := recorded(t, sdk.CaptureAutomatic)
		p := captured("ch_1", 1000)
		p.Captures.Items[0].Lines = []sdk.Line{line("txn_1", 920, 57, balance)}
		r.write(t, Apply(r.Order, r.env, read(r.Order, p)))
		c, err := r.Order.Correct(Correction{MovementID: "ch_1", Was: 1000, Is: sdk.Money{Amount: 1000, Currency: "EUR", Exponent: 2}}, Operator{}, r.env)
		require.NoError(t, err)
		r.write(t, c)
	}
}

// TestBooked_OfARefundThatIsOursAfterAll: a read records our refund as made at the provider,
// and then its answer names it: what the provider kept of it goes with its name.
func TestBooked_OfARefundThatIsOursAfterAll(t *testing.T) {
	for _, answered := range []bool{true, false} {
		r := recorded(t, sdk.CaptureAutomatic)
		p := captured("ch_1", 1000)
		r.write(t, Apply(r.Order, r.env, read(r.Order, p)))
		c, op, err := r.Order.AskRefund(NewRefund{Amount: Minor(400)}, Ask{Lease: time.Second, Source: FromApp}, r.env)
		require.NoError(t, err)
		r.write(t, c)
		p.Refunds.Items = []sdk.Refund{{ID: "re_1", CaptureID: "ch_1", Status: sdk.MovementSucceeded, Amount: usd(400), Lines: []sdk.Line{line("txn_2", -400, -11, "USD")}}}
		r.write(t, Apply(r.Order, r.env, read(r.Order, p)))
		x := sdk.Refund{ID: "re_1", RefundID: *op.RefundID, CaptureID: "ch_1", Status: sdk.MovementSucceeded, Amount: usd(400)}
		if answered {
			x.Lines = p.Refunds.Items[0].Lines
		}
		r.write(t, Apply(r.Order, r.env, News{AttemptID: *op.AttemptID, Source: FromOperation, Operation: &Result{ID: op.ID}, Refund: &x}))
		require.Equal(t, int64(-11), r.balances()["fees:stripe USD"])
	}
}

// TestLag_AReadThatLandsLate: it began while the later state was settling, and lands after
// that: it says nothing, so there is another soon.
func TestLag_AReadThatLandsLate(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	o = Apply(o, env, callback(o, captured("ch_1", 1000))).Order
	env.Now = env.Now.Add(defaultSettling - time.Second)
	o = claimed(o, env)
	n := readAt(o, env, &sdk.Payment{Status: sdk.RequiresAction, Amount: usd(1000)})
	env.Now = env.Now.Add(2 * time.Second)
	o = Apply(o, env, n).Order
	require.False(t, o.NeedsAttention)
	require.WithinDuration(t, env.Now.Add(stepSoon), o.Attempts[0].DueAt, time.Second)
}

// TestBooked_OfACurrencyThatWasWrong: an answer names another currency than the money has,
// and the next read corrects it: then nothing was changed into the balance's after all.
func TestBooked_OfACurrencyThatWasWrong(t *testing.T) {
	r := recorded(t, sdk.CaptureAutomatic)
	p := captured("ch_1", 1000)
	p.Captures.Items[0].Lines = []sdk.Line{line("txn_1", 1000, 57, "USD")}
	wrong := captured("ch_1", 1000)
	wrong.Captures.Items[0].Lines = p.Captures.Items[0].Lines
	wrong.Captures.Items[0].Amount.Currency, wrong.Amount.Currency = "CHF", "CHF"
	for _, said := range []*sdk.Payment{wrong, p, wrong, p} {
		r.write(t, Apply(r.Order, r.env, read(r.Order, said)))
	}
	require.Equal(t, map[string]int64{"provider:stripe USD": 943, "fees:stripe USD": 57, "app:app_1 USD": -1000}, r.balances())
}
