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
