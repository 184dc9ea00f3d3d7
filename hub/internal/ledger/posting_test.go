package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/superpayhub/superpay/sdk"
)

// TestPostings_Balance: whatever facts come in whatever order, each group sums
// to zero, no stage is posted twice, and what is owed to the app is what was
// captured less what went back.
func TestPostings_Balance(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o, env := created(rt, sdk.CaptureAutomatic)
		var journal []Posting
		move := func(n News) {
			c := Apply(o, env, n)
			journal, o = append(journal, c.Postings...), c.Order
		}
		move(callback(o, captured("ch_1", 1000)))
		for range rapid.IntRange(1, 25).Draw(rt, "facts") {
			p := &sdk.Payment{}
			if rapid.Bool().Draw(rt, "refund") {
				p.Refunds.Items = []sdk.Refund{{
					ID:     rapid.SampledFrom([]string{"re_1", "re_2"}).Draw(rt, "id"),
					Status: rapid.SampledFrom(movementStatuses).Draw(rt, "status"),
					Amount: usd(rapid.SampledFrom([]int64{100, 250}).Draw(rt, "amount")),
				}}
			} else {
				p.Disputes.Items = []sdk.Dispute{{
					ID:             "dp_1",
					Status:         rapid.SampledFrom([]sdk.DisputeStatus{sdk.DisputeInquiry, sdk.DisputeOpen, sdk.DisputeWon, sdk.DisputeLost}).Draw(rt, "status"),
					FundsWithdrawn: rapid.Bool().Draw(rt, "withdrawn"),
					Amount:         usd(rapid.SampledFrom([]int64{1000, 400}).Draw(rt, "amount")),
				}}
			}
			if rapid.Bool().Draw(rt, "fresh") {
				move(read(o, p))
			} else {
				move(callback(o, p))
			}
		}
		accounts, groups, seen := map[string]int64{}, map[string]int64{}, map[string]bool{}
		for _, p := range journal {
			key := p.MovementID + " " + p.Stage
			require.False(rt, seen[key+p.Account], "posted twice: %s", key)
			seen[key+p.Account] = true
			accounts[p.Account] += p.Amount
			groups[key] += p.Amount
		}
		for key, sum := range groups {
			require.Zero(rt, sum, key)
		}
		var lost, frozen int64
		for _, d := range o.Disputes {
			if d.FundsWithdrawn && d.Status == sdk.DisputeLost {
				lost += d.Amount
			} else if d.FundsWithdrawn {
				frozen += d.Amount
			}
		}
		require.Equal(rt, o.Captured-o.Refunded-lost, -accounts["app:app_1"])
		require.Equal(rt, frozen, accounts["disputed:stripe"])
		require.Equal(rt, o.Captured-o.Refunded-lost-frozen, accounts["provider:stripe"])
	})
}

// TestFee is posted once it is known, in its own currency; another one undoes it
// first and needs a fresh read.
func TestFee(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	accounts := map[string]int64{}
	move := func(n News) {
		c := Apply(o, env, n)
		for _, p := range c.Postings {
			accounts[p.Account+" "+p.Currency] += p.Amount
		}
		o = c.Order
	}
	fee := func(amount int64) *sdk.Payment {
		p := captured("ch_1", 1000)
		p.Captures.Items[0].Fee = sdk.Money{Amount: amount, Currency: "EUR", Exponent: 2}
		return p
	}
	move(callback(o, captured("ch_1", 1000)))
	require.NotContains(t, accounts, "fees:stripe EUR")
	learnt := Apply(o, env, callback(o, fee(30)))
	require.Empty(t, learnt.NoticeType(), "no app sees it")
	move(callback(o, fee(30)))
	want := map[string]int64{"provider:stripe USD": 1000, "app:app_1 USD": -1000, "fees:stripe EUR": 30, "provider:stripe EUR": -30}
	require.Equal(t, want, accounts)
	again := Apply(o, env, callback(o, fee(30)), callback(o, captured("ch_1", 1000)))
	require.True(t, again.Empty(), "news that do not tell it take nothing back")
	move(callback(o, fee(35)))
	require.Equal(t, want, accounts)
	require.True(t, o.Attempts[0].ReadWanted)
	o = claimed(o, env)
	move(read(o, fee(35)))
	require.Equal(t, int64(35), accounts["fees:stripe EUR"])
	require.Equal(t, int64(-35), accounts["provider:stripe EUR"])
	require.False(t, o.NeedsAttention)

	// That of a dispute may be given back with the money.
	dispute := func(s sdk.DisputeStatus, withdrawn bool, fee int64) *sdk.Payment {
		return &sdk.Payment{Disputes: sdk.Disputes{Items: []sdk.Dispute{{
			ID: "dp_1", Status: s, Amount: usd(1000), FundsWithdrawn: withdrawn, Fee: sdk.Money{Amount: fee, Currency: "EUR", Exponent: 2},
		}}}}
	}
	move(callback(o, dispute(sdk.DisputeOpen, true, 1500)))
	require.Equal(t, int64(35+1500), accounts["fees:stripe EUR"])
	o = claimed(o, env)
	move(read(o, dispute(sdk.DisputeWon, false, 0)))
	require.Equal(t, int64(35), accounts["fees:stripe EUR"])
	require.Equal(t, int64(1000), accounts["provider:stripe USD"])
}
