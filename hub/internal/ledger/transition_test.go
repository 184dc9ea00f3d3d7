package ledger

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk"
)

// law is the state machine of an attempt once more, spelled out by a person:
// rows are what it is, columns what a provider says. f: any fact moves it;
// r: only a fresh read; =: no news; s: late news, and from a read a
// contradiction; c: a contradiction; -: both are dead, no difference.
const law = `
                       action confirm pending capture success failed canceled
created                f      f       f       f       f       f      f
unknown                f      f       f       f       f       f      f
requires_action        =      f       f       f       f       f      f
requires_confirmation  r      =       f       f       f       f      f
pending                r      r       =       f       f       f      f
requires_capture       s      s       r       =       f       f      f
succeeded              s      s       s       s       =       c      c
failed                 r      r       r       r       r       =      -
canceled               r      r       r       r       r       -      =
`

var letters = map[string]Mark{"f": Fact, "r": Read, "=": Same, "s": Stale, "c": Clash, "-": Never}

// TestTransitions_EveryPair walks every pair of status and news, as a fact and
// as a fresh read, and compares what happens with the law.
func TestTransitions_EveryPair(t *testing.T) {
	require.Empty(t, breaches(t))
}

// TestTransitions_TheLawBites: whichever cell of the table is changed, to
// whatever lets more or less through, the walk above finds it.
func TestTransitions_TheLawBites(t *testing.T) {
	for from, row := range attemptEdges {
		for i, right := range row {
			for _, wrong := range []Mark{Fact, Read, Stale, Clash, Same} {
				if wrong == right || right == Never && wrong == Same || right == Same && (wrong == Fact) {
					continue
				}
				row[i] = wrong
				require.NotEmpty(t, breaches(t), "%s -> %s may be %s instead of %s", from, statuses[i], wrong, right)
				row[i] = right
			}
		}
	}
}

// breaches walks the table as it is and tells where it departs from the law.
func breaches(t *testing.T) (out []string) {
	rows := strings.Split(strings.TrimSpace(law), "\n")[1:]
	require.Len(t, attemptEdges, len(rows), "a row of the table that the law does not know")
	for _, row := range rows {
		cells := strings.Fields(row)
		for i, to := range statuses {
			for _, fresh := range []bool{false, true} {
				if what := breach(t, sdk.Status(cells[0]), to, letters[cells[i+1]], fresh); what != "" {
					out = append(out, cells[0]+" -> "+string(to)+": "+what)
				}
			}
		}
	}
	return out
}

// breach walks one edge and says how that departs from its mark.
func breach(t *testing.T, from, to sdk.Status, mark Mark, fresh bool) string {
	o, env := created(t, sdk.CaptureManual)
	o.Attempts[0].Status = from
	if from == sdk.Succeeded {
		o.Captures = []*Capture{{ID: "cap_1", AttemptID: o.Attempts[0].ID, Provider: "stripe", ProviderID: "ch_1", Status: sdk.MovementSucceeded, Amount: 1000, Currency: "USD", Exponent: 2}}
		o = Apply(o, env, News{AttemptID: o.Attempts[0].ID, Hint: true}).Order
	}
	o.Attempts[0].DueAt = env.Now.Add(time.Hour)
	p := &sdk.Payment{Status: to}
	if to == sdk.Succeeded {
		p = captured("ch_1", 1000)
	}
	n := callback(o, p)
	if fresh {
		n = read(o, p)
	}
	got := Apply(o, env, n).Order
	a := got.Attempts[0]
	want := from
	if mark == Fact || mark == Read && fresh || mark == Same {
		want = to
	}
	switch {
	case a.Status != want:
		return "it moved to " + string(a.Status)
	case hasReason(got, Contradiction) != (fresh && (mark == Clash || mark == Stale)):
		return "attention is wrong"
	case !fresh && (mark == Read || mark == Clash) != a.DueAt.Equal(env.Now):
		return "the read it schedules is wrong"
	}
	return ""
}

func hasReason(o *Order, reason string) bool {
	for _, x := range o.Attention {
		if x.Reason == reason {
			return true
		}
	}
	return false
}

func TestUnlistedStatus_IsReadAgainAndMovesNothing(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	c := Apply(o, env, callback(o, &sdk.Payment{Status: "brand_new"}))
	require.Equal(t, sdk.RequiresAction, c.Order.Attempts[0].Status)
	require.Equal(t, env.Now, c.Order.Attempts[0].DueAt)
	c = Apply(o, env, read(o, &sdk.Payment{Status: "brand_new"}))
	require.False(t, c.Order.NeedsAttention)
}

// TestMovements_Tables pins the machines of captures and refunds.
func TestMovements_Tables(t *testing.T) {
	require.Equal(t, map[sdk.MovementStatus][]Mark{
		sdk.MovementPending: {Same, Fact, Fact}, sdk.MovementSucceeded: {Stale, Same, Clash}, sdk.MovementFailed: {Stale, Read, Same},
	}, captureEdges)
	require.Equal(t, map[sdk.MovementStatus][]Mark{
		RefundUnknown: {Fact, Fact, Fact}, sdk.MovementPending: {Same, Fact, Fact},
		sdk.MovementSucceeded: {Stale, Same, Read}, sdk.MovementFailed: {Stale, Read, Same},
	}, refundEdges)
}

func TestRefund_ThatFailsLaterNeedsAFreshRead(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	p := captured("ch_1", 1000)
	p.Refunds.Items = []sdk.Refund{{ID: "re_1", Status: sdk.MovementSucceeded, Amount: usd(300)}}
	o = Apply(o, env, callback(o, p)).Order
	require.Equal(t, int64(300), o.Refunded)
	failed := &sdk.Payment{Refunds: sdk.Refunds{Items: []sdk.Refund{{ID: "re_1", Status: sdk.MovementFailed, Amount: usd(300)}}}}
	o = Apply(o, env, callback(o, failed)).Order
	require.Equal(t, int64(300), o.Refunded, "a fact only schedules the read")
	require.Equal(t, env.Now, o.Attempts[0].DueAt)
	o = Apply(o, env, read(o, failed)).Order
	require.Equal(t, int64(0), o.Refunded)
	require.Equal(t, OrderPaid, o.Status)
	require.True(t, hasReason(o, RefundFailedLate))
}
