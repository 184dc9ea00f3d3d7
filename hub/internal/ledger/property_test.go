package ledger

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/superpayhub/superpay/sdk"
)

// moment is one thing that happens at a provider: the fact that it may send, and
// what a read tells from then on.
type moment struct{ fact, truth *sdk.Payment }

// history is a random life of one payment, as its provider saw it.
type history struct {
	now   sdk.Payment
	steps []moment
}

// then adds a step. A fact is about one thing; what it does not carry is not read.
func (h *history) then(fact *sdk.Payment) {
	truth := h.now
	truth.Captures = sdk.Captures{Complete: true, Items: slices.Clone(h.now.Captures.Items)}
	truth.Refunds = sdk.Refunds{Complete: true, Items: slices.Clone(h.now.Refunds.Items)}
	truth.Disputes = sdk.Disputes{Complete: true, Items: slices.Clone(h.now.Disputes.Items)}
	h.steps = append(h.steps, moment{fact, &truth})
}

func (h *history) status(s sdk.Status) {
	h.now.Status = s
	h.then(&sdk.Payment{Status: s})
}

func (h *history) capture(i int, s sdk.MovementStatus, amount int64) {
	c := sdk.Capture{ID: fmt.Sprint("ch_", i), Status: s, Amount: usd(amount)}
	h.now.Captures.Items = append(h.now.Captures.Items[:i], c)
	h.then(&sdk.Payment{Captures: sdk.Captures{Items: []sdk.Capture{c}}})
}

func (h *history) refund(i int, s sdk.MovementStatus) {
	r := sdk.Refund{ID: fmt.Sprint("re_", i), CaptureID: "ch_0", Status: s, Amount: usd(100)}
	h.now.Refunds.Items = append(h.now.Refunds.Items[:i], r)
	h.then(&sdk.Payment{Refunds: sdk.Refunds{Items: []sdk.Refund{r}}})
}

func (h *history) dispute(i int, s sdk.DisputeStatus, withdrawn bool) {
	d := sdk.Dispute{ID: fmt.Sprint("dp_", i), CaptureID: "ch_0", Status: s, FundsWithdrawn: withdrawn, Amount: usd(200)}
	h.now.Disputes.Items = append(h.now.Disputes.Items[:i], d)
	h.then(&sdk.Payment{Disputes: sdk.Disputes{Items: []sdk.Dispute{d}}})
}

// lived draws a life: an approval that may be declined first, a hold or a
// charge, one or two captures, refunds that succeed, fail or come back, and
// disputes that are withdrawn, won, reinstated or lost.
func lived(rt *rapid.T) *history {
	h := &history{now: sdk.Payment{Amount: usd(1000)}}
	path := rapid.SampledFrom([][]sdk.Status{
		{sdk.RequiresAction, sdk.Succeeded},
		{sdk.RequiresAction, sdk.RequiresConfirmation, sdk.RequiresAction, sdk.RequiresConfirmation, sdk.Succeeded},
		{sdk.Pending, sdk.Succeeded},
		{sdk.RequiresCapture, sdk.Succeeded},
		{sdk.RequiresCapture, sdk.Pending, sdk.Succeeded},
		{sdk.Pending, sdk.Failed, sdk.RequiresAction, sdk.Succeeded},
		{sdk.Canceled, sdk.Succeeded},
		{sdk.RequiresAction, sdk.Failed},
		{sdk.RequiresCapture, sdk.Canceled},
	}).Draw(rt, "path")
	for _, s := range path {
		if s == sdk.Succeeded {
			for i, amount := range rapid.SampledFrom([][]int64{{1000}, {700, 300}}).Draw(rt, "captures") {
				for _, s := range rapid.SampledFrom([][]sdk.MovementStatus{{sdk.MovementSucceeded}, {sdk.MovementPending, sdk.MovementSucceeded}}).Draw(rt, "capture") {
					h.capture(i, s, amount)
				}
			}
		}
		h.status(s)
	}
	if h.now.Status != sdk.Succeeded {
		return h
	}
	for i := range rapid.IntRange(0, 3).Draw(rt, "refunds") {
		for _, s := range rapid.SampledFrom([][]sdk.MovementStatus{
			{sdk.MovementSucceeded},
			{sdk.MovementPending, sdk.MovementSucceeded},
			{sdk.MovementPending, sdk.MovementFailed},
			{sdk.MovementSucceeded, sdk.MovementFailed},
			{sdk.MovementPending, sdk.MovementFailed, sdk.MovementSucceeded},
		}).Draw(rt, "refund") {
			h.refund(i, s)
		}
	}
	for i := range rapid.IntRange(0, 2).Draw(rt, "disputes") {
		switch rapid.IntRange(0, 3).Draw(rt, "dispute") {
		case 0:
			h.dispute(i, sdk.DisputeInquiry, false)
			h.dispute(i, sdk.DisputeClosed, false)
		case 1:
			h.dispute(i, sdk.DisputeOpen, false)
			h.dispute(i, sdk.DisputeOpen, true)
			h.dispute(i, sdk.DisputeLost, true)
		case 2:
			h.dispute(i, sdk.DisputeInquiry, false)
			h.dispute(i, sdk.DisputeOpen, true)
			h.dispute(i, sdk.DisputeWon, true)
			h.dispute(i, sdk.DisputeWon, false)
		case 3:
			h.dispute(i, sdk.DisputeOpen, true)
			h.dispute(i, sdk.DisputeLost, true)
			h.dispute(i, sdk.DisputeWon, false)
		}
	}
	return h
}

// story is an order that hears of a history.
type story struct {
	*history
	o        *Order
	env      Env
	accounts map[string]int64
	newest   int // of the steps heard of or read
}

func (h *history) told(t require.TestingT) *story {
	o, env := created(t, sdk.CaptureManual)
	return &story{history: h, o: o, env: env, accounts: map[string]int64{}}
}

func (s *story) take(n News) {
	c := Apply(s.o, s.env, n)
	for _, p := range c.Postings {
		s.accounts[p.Account] += p.Amount
	}
	s.o = c.Order
}

func (s *story) hear(i int) {
	s.newest = max(s.newest, i)
	s.take(callback(s.o, s.steps[i].fact))
}

// end makes the reads that are still asked for, and no other, and tells where
// the order and each account ended, in words.
func (s *story) end() string {
	for range 3 {
		if s.o.Unsettled(s.o.Attempts[0]) {
			s.take(read(s.o, s.steps[len(s.steps)-1].truth))
		}
	}
	var out []string
	for _, c := range s.o.Captures {
		out = append(out, fmt.Sprintln(c.ProviderID, c.Status, c.Amount))
	}
	for _, r := range s.o.Refunds {
		out = append(out, fmt.Sprintln(*r.ProviderID, r.Status, r.Amount))
	}
	for _, d := range s.o.Disputes {
		out = append(out, fmt.Sprintln(d.ProviderID, d.Status, d.FundsWithdrawn, d.Amount))
	}
	slices.Sort(out)
	for name, sum := range s.accounts {
		if sum == 0 {
			delete(s.accounts, name) // whether it was touched on the way does not matter
		}
	}
	o := s.o
	return fmt.Sprintln(o.Status, o.Attempts[0].Status, o.Captured, o.Refunded, o.Disputed, o.Refundable, s.accounts) + fmt.Sprint(out)
}

// TestFacts_AnyOrderEndsTheSame: whatever a payment lives through, and however
// its facts arrive (late, twice, in any order, between the beginning of a read
// and its end), the order ends where one complete read would have brought it.
func TestFacts_AnyOrderEndsTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := lived(rt)
		last := len(h.steps) - 1
		plain := h.told(rt)
		plain.take(read(plain.o, h.steps[last].truth))
		want := plain.end()

		all := make([]int, len(h.steps))
		for i := range all {
			all[i] = i
		}
		order := rapid.Permutation(slices.Concat(all, rapid.SliceOf(rapid.SampledFrom(all)).Draw(rt, "repeats"))).Draw(rt, "order")
		s := h.told(rt)
		var under *News // a read under way
		for _, i := range order {
			if under == nil && rapid.Bool().Draw(rt, "begin a read") {
				s.newest = rapid.IntRange(s.newest, last).Draw(rt, "of")
				n := read(s.o, h.steps[s.newest].truth)
				under = &n
			}
			s.hear(i)
			if under != nil && rapid.Bool().Draw(rt, "end it") {
				s.take(*under)
				under = nil
			}
		}
		if under != nil {
			s.take(*under)
		}
		require.Equal(rt, want, s.end())
	})
}

// TestRead_BegunBeforeAFactIsNotFreshAfterIt: while a wanted read is under way,
// something else is said that only a read may settle. What lands knows nothing
// of it, so the read stays wanted.
func TestRead_BegunBeforeAFactIsNotFreshAfterIt(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	refunds := func(first, second sdk.MovementStatus) *sdk.Payment {
		p := captured("ch_1", 1000)
		p.Refunds = sdk.Refunds{Complete: true, Items: []sdk.Refund{
			{ID: "re_1", Status: first, Amount: usd(100)}, {ID: "re_2", Status: second, Amount: usd(200)},
		}}
		return p
	}
	o = Apply(o, env, read(o, refunds(sdk.MovementSucceeded, sdk.MovementSucceeded))).Order
	require.Equal(t, int64(300), o.Refunded)
	o = Apply(o, env, callback(o, refunds(sdk.MovementFailed, sdk.MovementSucceeded))).Order
	o = claimed(o, env)
	underWay := read(o, refunds(sdk.MovementFailed, sdk.MovementSucceeded))
	o = Apply(o, env, callback(o, refunds(sdk.MovementFailed, sdk.MovementFailed))).Order
	o = Apply(o, env, underWay).Order
	require.True(t, o.Attempts[0].ReadWanted)
	o = claimed(o, env)
	o = Apply(o, env, read(o, refunds(sdk.MovementFailed, sdk.MovementFailed))).Order
	require.Equal(t, int64(0), o.Refunded)
	require.False(t, o.Attempts[0].ReadWanted)
}

// TestRefund_StaleSnapshotTakesNothingBack: a snapshot that began before a
// refund's callback and lands after it shows the refund not at all, pending, or
// failed before it was tried again.
func TestRefund_StaleSnapshotTakesNothingBack(t *testing.T) {
	for name, items := range map[string][]sdk.Refund{
		"absent":  nil,
		"pending": {{ID: "re_1", Status: sdk.MovementPending, Amount: usd(300)}},
		"failed":  {{ID: "re_1", Status: sdk.MovementFailed, Amount: usd(300)}},
	} {
		t.Run(name, func(t *testing.T) {
			o, env := created(t, sdk.CaptureAutomatic)
			o = Apply(o, env, callback(o, captured("ch_1", 1000))).Order
			snapshot := captured("ch_1", 1000)
			snapshot.Refunds = sdk.Refunds{Complete: true, Items: items}
			underWay := read(o, snapshot)
			o = Apply(o, env, callback(o, &sdk.Payment{Refunds: sdk.Refunds{Items: []sdk.Refund{{ID: "re_1", Status: sdk.MovementSucceeded, Amount: usd(300)}}}})).Order
			c := Apply(o, env, underWay)
			require.Equal(t, int64(300), c.Order.Refunded)
			require.Equal(t, OrderPartiallyRefunded, c.Order.Status)
			require.Empty(t, c.Postings)
			require.False(t, c.Order.NeedsAttention)
		})
	}
}
