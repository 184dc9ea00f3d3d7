package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/superpayhub/superpay/sdk"
)

// held is what was captured, neither given back nor lost, by the hub's rows.
func (w *careless) held() map[string]int64 {
	out := map[string]int64{}
	for _, a := range w.o.Attempts {
		for currency, b := range w.rows(a) {
			out[currency] += max(0, b[0]-b[1]-b[3])
		}
	}
	return out
}

// rows are an attempt's captured, refunded, reserved, lost and frozen money by
// currency, counted once more.
func (w *careless) rows(a *Attempt) map[string][5]int64 {
	out := map[string][5]int64{}
	add := func(attemptID, currency string, at int, amount int64) {
		if attemptID == a.ID {
			b := out[currency]
			b[at] += amount
			out[currency] = b
		}
	}
	for _, c := range w.o.Captures {
		if c.Status == sdk.MovementSucceeded {
			add(c.AttemptID, c.Currency, 0, c.Amount)
		}
	}
	for _, r := range w.o.Refunds {
		switch r.Status {
		case sdk.MovementSucceeded:
			add(r.AttemptID, r.Currency, 1, r.Amount)
		case sdk.MovementPending, RefundUnknown:
			add(r.AttemptID, r.Currency, 2, r.Amount)
		}
	}
	for _, d := range w.o.Disputes {
		if d.FundsWithdrawn && d.Status == sdk.DisputeLost {
			add(d.AttemptID, d.Currency, 3, d.Gone())
		} else if d.FundsWithdrawn {
			add(d.AttemptID, d.Currency, 4, d.Gone())
		}
	}
	return out
}

// refund asks for money back and carries it out, part by part. The provider
// gives what a capture has left, and no more.
func (w *careless) refund(a *Attempt, in NewRefund) error {
	b := w.o.balance(a, in.Currency)
	c, op, err := w.o.AskRefund(in, Ask{Lease: time.Second}, *w.env)
	if err != nil {
		return err
	}
	asked := c.Order.RequestOf(c.Order.Refund(*op.RefundID))
	require.LessOrEqual(w.rt, asked.Amount, b.Captured-b.Refunded-b.Reserved-b.Disputed)
	require.Equal(w.rt, in.Currency, asked.Currency)
	for op != nil {
		w.commit(c)
		w.gives(op)
		c, op, _ = w.o.NextPart(a.ID, Ask{Lease: time.Second}, *w.env)
	}
	return nil
}

func (w *careless) gives(op *Operation) {
	r := w.o.Refund(*op.RefundID)
	p := w.payments[*op.AttemptID]
	for _, c := range p.Captures.Items {
		if c.ID != r.CaptureID {
			continue
		}
		require.Equal(w.rt, c.Amount.Currency, r.Currency, "given back in its own currency")
		if w.leftThere(p, c) >= r.Amount {
			given := sdk.Refund{ID: w.id("re"), RefundID: r.ID, CaptureID: c.ID, Status: sdk.MovementSucceeded, Amount: r.money()}
			p.Refunds.Items = append(p.Refunds.Items, given)
			w.answer(op, nil, &given)
			return
		}
	}
	w.apply(News{AttemptID: *op.AttemptID, Source: FromOperation, Operation: &Result{ID: op.ID, Outcome: OutcomeDeclined, Rejected: true}})
}

func (w *careless) someRefund() {
	a := w.attempt()
	balances := w.o.Balances(a)
	if len(balances) == 0 {
		return
	}
	b := rapid.SampledFrom(balances).Draw(w.rt, "balance")
	in := NewRefund{Amount: All(), AttemptID: a.ID, Currency: b.Currency}
	if b.Refundable() > 0 && rapid.Bool().Draw(w.rt, "part") {
		in.Amount = Minor(rapid.Int64Range(1, b.Refundable()).Draw(w.rt, "amount back"))
	}
	_ = w.refund(a, in)
}

// check holds after every step.
func (w *careless) check() {
	sums := map[string]int64{}
	for key, sum := range w.accounts {
		sums[key[1]] += sum
	}
	for currency, sum := range sums {
		require.Zero(w.rt, sum, "postings of %s", currency)
	}
	owed := map[string]int64{}
	holding := 0
	for _, a := range w.o.Attempts {
		took := false
		for currency, b := range w.rows(a) {
			owed[currency] += b[0] - b[1] - b[3]
			got := w.o.balance(a, currency)
			require.Equal(w.rt, max(0, b[0]-b[1]-b[2]-b[3]-b[4]), got.Refundable(), "refundable of %s", currency)
			took = took || b[0]-b[1]-b[3] > 0
		}
		if took {
			holding++
			require.NotContains(w.rt, []OrderStatus{OrderOpen, OrderCanceled, OrderExpired}, w.o.Status)
		}
	}
	if holding > 1 {
		require.True(w.rt, hasReason(w.o, SecondPayment), "two attempts hold money, and nobody is told")
	}
	for currency, want := range owed {
		account := "app:app_1"
		if currency != "USD" {
			account = "unmatched:p"
		}
		require.Equal(w.rt, -want, w.accounts[[2]string{account, currency}], "what is owed of %s", currency)
	}
}

// settle ends what is open, as the worker does.
func (w *careless) settle() {
	for range 6 {
		for _, a := range w.o.Attempts {
			w.hears(a, true)
			c, op, _ := w.o.NextPart(a.ID, Ask{Lease: time.Second}, *w.env)
			if op != nil {
				w.commit(c)
				w.gives(op)
			}
		}
	}
}

// TestMoney_WithACarelessProvider: whatever it takes, and however that is heard,
// no two attempts hold money unless the second was recorded against the hub's
// will and flagged; refundable is never more than what is left; the journal
// balances by currency; and all that was captured can be given back, in its own
// currency.
func TestMoney_WithACarelessProvider(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newCareless(rt)
		steps := map[string]func(){
			"payer": w.pays, "payer again": w.pays, "dashboard": w.dashboard, "checkout": w.checkout, "cancel": w.cancel, "refund": w.someRefund,
			"callback": func() { w.hears(w.attempt(), false) }, "read": func() { w.hears(w.attempt(), true) },
			"person": func() {
				if c, err := w.o.Resolve("", "ann", "looked at", *w.env); err == nil {
					w.commit(c)
				}
			},
		}
		names := []string{"payer", "payer again", "dashboard", "checkout", "cancel", "refund", "callback", "read", "callback ", "read ", "person"}
		steps["callback "], steps["read "] = steps["callback"], steps["read"]
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			steps[rapid.SampledFrom(names).Draw(rt, "step")]()
			w.check()
		}
		w.settle()
		w.check()
		for _, a := range w.o.Attempts {
			for _, b := range w.o.Balances(a) {
				for n := 0; w.o.balance(a, b.Currency).Refundable() > 0; n++ {
					require.Less(rt, n, 20, "%s cannot be given back", b.Currency)
					require.NoError(rt, w.refund(w.o.Attempt(a.ID), NewRefund{Amount: All(), AttemptID: a.ID, Currency: b.Currency}))
					w.settle()
					w.check()
				}
				left := w.rows(a)[b.Currency]
				require.LessOrEqual(rt, left[0]-left[1]-left[3]-left[4], int64(0), "%s stays at the provider", b.Currency)
			}
		}
	})
}
