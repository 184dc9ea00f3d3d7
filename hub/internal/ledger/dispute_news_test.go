package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk"
)

// disputed is a dispute of 10.00 with so many lines, of which the second gives 4.00 back.
func disputed(s sdk.DisputeStatus, lines int) *sdk.Payment {
	x := sdk.Dispute{ID: "dp_1", CaptureID: "ch_1", Status: s, Amount: usd(1000), FundsWithdrawn: true, Withdrawn: usd(1000)}
	all := []sdk.Line{line("txn_1", -1000, 1500, "USD"), line("txn_2", 400, 0, "USD")}
	x.Lines = all[:lines]
	if lines > 1 {
		x.Withdrawn = usd(600)
	}
	p := captured("ch_1", 1000)
	p.Refunds.Complete, p.Disputes = true, sdk.Disputes{Complete: true, Items: []sdk.Dispute{x}}
	return p
}

// TestDispute_LinesTellWhatIsNewer: the events of a dispute that is lost come in any
// order, with the same status and other sums. That with more lines of the balance is the
// newer one, and is believed without a read.
func TestDispute_LinesTellWhatIsNewer(t *testing.T) {
	closed, reinstated := disputed(sdk.DisputeLost, 1), disputed(sdk.DisputeLost, 2)
	for name, facts := range map[string][]*sdk.Payment{
		"in order": {disputed(sdk.DisputeOpen, 1), closed, reinstated}, "the last first": {reinstated, closed, disputed(sdk.DisputeOpen, 1)},
		"in between": {closed, reinstated, disputed(sdk.DisputeOpen, 1), closed},
	} {
		o, env := paid(t)
		for _, p := range facts {
			o = Apply(o, env, callback(o, p)).Order
		}
		require.Equal(t, int64(600), o.Disputed, name)
		require.Equal(t, sdk.DisputeLost, o.Disputes[0].Status, name)
		require.False(t, o.Attempts[0].ReadWanted, "%s: nothing is open", name)
	}
}

// TestDispute_AReadThatLagsTakesNothingBack: the read that follows a dispute's event
// shows it as it was before. What was proven stands, and is looked for again; a person
// is told if it does not show once it is settled.
func TestDispute_AReadThatLagsTakesNothingBack(t *testing.T) {
	o, env := paid(t)
	o = Apply(o, env, callback(o, disputed(sdk.DisputeLost, 2))).Order
	stale := func(p *sdk.Payment) Change {
		t.Helper()
		env.Now = env.Now.Add(time.Second)
		o = claimed(o, env)
		c := Apply(o, env, readAt(o, env, p))
		o = c.Order
		require.Equal(t, int64(600), o.Disputed)
		require.Equal(t, sdk.DisputeLost, o.Disputes[0].Status)
		require.Empty(t, c.Postings)
		return c
	}
	stale(disputed(sdk.DisputeOpen, 1))
	require.WithinDuration(t, env.Now.Add(defaultSettling), o.Attempts[0].DueAt, 2*time.Second)
	require.False(t, hasReason(o, EventNotConfirmed))
	env.Now = env.Now.Add(defaultSettling)
	stale(disputed(sdk.DisputeOpen, 1))
	require.True(t, hasReason(o, EventNotConfirmed))
	stale(disputed(sdk.DisputeLost, 2))
	require.False(t, hasReason(o, EventNotConfirmed))
}

// TestDispute_OpenedAgain: without lines a status that goes back is a lag as long as the
// last one is not settled, and then the truth.
func TestDispute_OpenedAgain(t *testing.T) {
	o, env := paid(t)
	o = Apply(o, env, callback(o, disputed(sdk.DisputeWon, 0))).Order
	env.Now = env.Now.Add(time.Second)
	o = claimed(o, env)
	o = Apply(o, env, readAt(o, env, disputed(sdk.DisputeOpen, 0))).Order
	require.Equal(t, sdk.DisputeWon, o.Disputes[0].Status)
	env.Now = env.Now.Add(defaultSettling)
	o = claimed(o, env)
	o = Apply(o, env, readAt(o, env, disputed(sdk.DisputeOpen, 0))).Order
	require.Equal(t, sdk.DisputeOpen, o.Disputes[0].Status)
}

// TestBooked_IsNoNewsForApps: how a refund is booked changes nothing that an app reads,
// its time neither, for nobody is told.
func TestBooked_IsNoNewsForApps(t *testing.T) {
	o, env := paid(t)
	p := captured("ch_1", 1000)
	p.Refunds.Items = []sdk.Refund{{ID: "re_1", Status: sdk.MovementSucceeded, Amount: usd(400)}}
	o = Apply(o, env, callback(o, p)).Order
	was := o.Refunds[0].UpdatedAt
	env.Now = env.Now.Add(time.Hour)
	p.Refunds.Items[0].Lines = []sdk.Line{line("txn_1", -368, -9, "EUR")}
	c := Apply(o, env, callback(o, p))
	require.NotEmpty(t, c.Postings)
	require.Empty(t, c.NoticeType())
	require.Equal(t, was, c.Order.Refunds[0].UpdatedAt)
}
