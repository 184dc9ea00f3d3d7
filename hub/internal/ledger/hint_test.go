package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk"
)

// TestHint_ManyMakeOneReadAndNoneIsLost: what comes before the read begins is
// covered by it; what comes after makes one more, and no more than one.
func TestHint_ManyMakeOneReadAndNoneIsLost(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	hint := func() Change {
		env.Now = env.Now.Add(time.Millisecond)
		return Apply(o, env, News{AttemptID: o.Attempts[0].ID, Source: FromCallback, Hint: true})
	}
	said := &sdk.Payment{Status: sdk.RequiresAction}
	first := hint()
	require.False(t, first.Empty())
	o = first.Order
	bystander := read(o, said) // of the payer's return, say; it began before the next word
	again := hint()
	require.True(t, again.Empty() && len(again.Looks) == 0, "the read that is due covers it")
	o = Apply(o, env, bystander).Order
	require.True(t, o.Attempts[0].ReadWanted, "it may have begun before the second word")
	require.False(t, o.Attempts[0].DueAt.After(env.Now))

	o = claimed(o, env)
	under := read(o, said)
	late := hint()
	require.False(t, late.Empty(), "the read under way may have missed it")
	o = late.Order
	require.False(t, o.Attempts[0].DueAt.After(env.Now))
	require.False(t, o.Attempts[0].LeasedUntil.IsZero(), "nobody reads beside the first")
	more := hint()
	require.True(t, more.Empty() && len(more.Looks) == 0, "one more read is enough for all")
	ended := Apply(o, env, under)
	require.True(t, ended.Empty(), "a stale read takes no wish back")
	require.Len(t, ended.Looks, 1)
	require.Equal(t, o.Attempts[0].LeasedUntil, ended.Looks[0].Lease, "but it ends the lease")
	require.False(t, ended.Looks[0].DueAt.After(env.Now))
	o = ended.Order

	o = claimed(o, env)
	o = Apply(o, env, read(o, said)).Order
	require.False(t, o.Attempts[0].ReadWanted)
	require.True(t, o.Attempts[0].LeasedUntil.IsZero())
	require.True(t, o.Attempts[0].DueAt.After(env.Now))
}

// claimed is the order when a worker has its attempt: no new version.
func claimed(o *Order, env Env) *Order {
	o = o.clone()
	o.Attempts[0].DueAt, o.Attempts[0].LeasedUntil = env.Now.Add(30*time.Second), env.Now.Add(30*time.Second)
	return o
}

// TestHint_TwoReadsEnd: of two reads at the same time, the one that lands stale
// does not take the other's lease, nor ask for a third.
func TestHint_TwoReadsEnd(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	said := &sdk.Payment{Status: sdk.RequiresAction}
	hint := News{AttemptID: o.Attempts[0].ID, Source: FromCallback, Hint: true}
	o = claimed(Apply(o, env, hint).Order, env)
	first := read(o, said)
	o = Apply(o, env, hint).Order
	o.Attempts[0].LeasedUntil = time.Time{} // that was decided before the claim
	env.Now = env.Now.Add(time.Second)
	o = claimed(o, env)
	second := read(o, said)
	late := Apply(o, env, first)
	require.True(t, late.Empty() && len(late.Looks) == 0, "it leaves all to the second")
	o = Apply(o, env, second).Order
	require.False(t, o.Attempts[0].ReadWanted)
	require.True(t, o.Attempts[0].LeasedUntil.IsZero())
}
