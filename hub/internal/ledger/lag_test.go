package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk"
)

// TestLag_IsNoContradiction: a read that shows an earlier state soon after a later one
// was told just lags, as PayPal's do every day. It changes nothing, nobody is told, and
// the attempt is read again once the later state is settled; a read that still shows the
// earlier one then contradicts.
func TestLag_IsNoContradiction(t *testing.T) {
	refunded := func(s sdk.MovementStatus) *sdk.Payment {
		p := captured("ch_1", 1000)
		p.Refunds = sdk.Refunds{Complete: true, Items: []sdk.Refund{{ID: "re_1", Status: s, Amount: usd(400)}}}
		return p
	}
	pending := captured("ch_1", 1000)
	pending.Status, pending.Captures.Items[0].Status = "", sdk.MovementPending
	for name, x := range map[string]struct{ is, lags *sdk.Payment }{
		"a status":  {captured("ch_1", 1000), &sdk.Payment{Status: sdk.RequiresAction, Amount: usd(1000)}},
		"a capture": {captured("ch_1", 1000), pending},
		"a refund":  {refunded(sdk.MovementSucceeded), refunded(sdk.MovementPending)},
	} {
		t.Run(name, func(t *testing.T) {
			o, env := created(t, sdk.CaptureAutomatic)
			o = Apply(o, env, callback(o, x.is)).Order
			refunded := o.Refunded
			began := env.Now
			for range 3 {
				env.Now = env.Now.Add(20 * time.Second)
				o = claimed(o, env)
				c := Apply(o, env, readAt(o, env, x.lags))
				o = c.Order
				require.False(t, o.NeedsAttention, "%v", o.Attention)
				require.Equal(t, []int64{1000, refunded}, []int64{o.Captured, o.Refunded})
				require.WithinDuration(t, began.Add(defaultSettling), o.Attempts[0].DueAt, 2*time.Second, "%s", c.Events)
			}
			env.Now = began.Add(defaultSettling)
			o = claimed(o, env)
			o = Apply(o, env, readAt(o, env, x.lags)).Order
			require.True(t, hasReason(o, Contradiction))
			require.Equal(t, int64(1000), o.Captured)
		})
	}
}
