package chaos

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// past is a campaign whose database was copied at 1 o'clock and came back at 3.
func past() *campaign {
	c := &campaign{copied: time.Unix(1, 0), restored: time.Unix(3, 0), listed: map[string]bool{"att_listed": true}}
	c.wentBack.Store(true)
	return c
}

// TestPast_WhatMayBeLost: only what was asked before the database came back and
// was not answered before it was copied.
func TestPast_WhatMayBeLost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		asked, told int64 // told 0: never
		lost        bool
	}{
		"told before the copy":                {0, 1, false},
		"told after the copy":                 {0, 2, true},
		"never told":                          {0, 0, true},
		"asked after the copy, told in time":  {2, 2, true},
		"asked before it came back, told now": {2, 4, true},
		"asked after it came back":            {3, 4, false},
	} {
		a := &ask{verb: "cancel", at: time.Unix(c.asked, 0)}
		if c.told > 0 {
			a.told = time.Unix(c.told, 0)
		}
		require.Equal(t, c.lost, past().lost(a), name)
		require.False(t, (&campaign{}).lost(a), "%s, and the database never went back", name)
		require.Equal(t, c.lost, (&order{c: past(), asks: []*ask{a}}).lostAny("cancel"), name)
		require.False(t, (&order{c: past(), asks: []*ask{a}}).lostAny("refund"), name)
	}
}

// TestPast_WhatMayBeGone: an order is accounted for only if no provider has money
// of it, or a person is told of that money.
func TestPast_WhatMayBeGone(t *testing.T) {
	t.Parallel()
	of := func(status string) map[string]*theirs {
		taken := &theirs{captures: []standin.Entry{{Status: status}}}
		return map[string]*theirs{"att_listed": taken, "att_nobody_knows": taken}
	}
	held := map[string]*theirs{"att_nobody_knows": {payments: []standin.Entry{{Status: "requires_capture"}}}}
	gone := func(attempt string) *order { return &order{gone: true, seen: map[string]bool{attempt: true}} }
	require.True(t, past().forgotten(gone("att_listed"), of("succeeded")))
	require.True(t, past().forgotten(gone("att_nobody_knows"), of("failed")))
	require.True(t, past().forgotten(gone("att_without_money"), of("succeeded")))
	require.False(t, past().forgotten(gone("att_nobody_knows"), of("succeeded")))
	require.False(t, past().forgotten(gone("att_nobody_knows"), held))
	require.False(t, past().forgotten(&order{}, nil), "it was not looked for")
}

// TestPast_WhatTheJudgeAccepts: of what the database forgot, a refund that the
// provider never got may be missing, and the repeat of a capture may be refused.
func TestPast_WhatTheJudgeAccepts(t *testing.T) {
	t.Parallel()
	for at, findings := range map[int64]int{2: 0, 4: 2} { // asked before the database came back, and after it
		asks := []*ask{
			{verb: "refund", id: "ref_1", at: time.Unix(at, 0), final: answer{status: 201}},
			{verb: "capture", at: time.Unix(at, 0), final: answer{status: 409}},
		}
		check := &trial{r: &Report{}, o: &order{c: past(), asks: asks}, v: &view{Captured: 100}}
		check.asked(nil)
		check.contradicted()
		require.Len(t, check.r.Findings, findings)
	}
}

// TestPast_Refusals: the repeat of a lost checkout may be refused for the order that
// it had made; that of a lost refund may not be refused.
func TestPast_Refusals(t *testing.T) {
	t.Parallel()
	o := &order{last: view{ID: "ord_1"}}
	refused := answer{status: 409, view: view{}}
	refused.Code, refused.OrderID = "reference_used", "ord_1"
	require.True(t, o.known(&ask{verb: "checkout"}, refused))
	refused.OrderID = "ord_2"
	require.False(t, o.known(&ask{verb: "checkout"}, refused))
	require.False(t, o.known(&ask{verb: "refund"}, refused))
	require.True(t, o.known(&ask{verb: "cancel"}, refused))
}
