package ledger

import (
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/superpayhub/superpay/sdk"
)

// careless is a provider that takes what it likes: other currencies, other
// amounts, twice, late, in parts. It never forgets a movement.
type careless struct {
	rt       *rapid.T
	o        *Order
	record   record // checked after each change
	env      *Env
	payments map[string]*sdk.Payment // by attempt
	ids      int
	accounts map[[2]string]int64 // by account and currency
}

func newCareless(rt *rapid.T) *careless {
	env := testEnv()
	w := &careless{rt: rt, env: &env, payments: map[string]*sdk.Payment{}, accounts: map[[2]string]int64{}}
	env.NewID = func(prefix string) string { return NewID(prefix, env.Now) }
	o := &Order{AppID: "app_1", Reference: "r", Amount: 1000, Currency: "USD", Exponent: 2, ExpiresAt: t0.Add(24 * time.Hour)}
	mode := rapid.SampledFrom([]sdk.CaptureMode{sdk.CaptureAutomatic, sdk.CaptureManual}).Draw(rt, "mode")
	c, op := Create(o, NewAttempt{Provider: "p", Flow: "f", Mode: sdk.Test, CaptureMode: mode}, Ask{Lease: time.Second}, env)
	w.commit(c)
	w.begin(op)
	return w
}

func (w *careless) id(kind string) string {
	w.ids++
	return fmt.Sprint(kind, "_", w.ids)
}

func (w *careless) commit(c Change) {
	for _, p := range c.Postings {
		w.accounts[[2]string{p.Account, p.Currency}] += p.Amount
	}
	w.record.env = *w.env
	w.o = w.record.write(w.rt, c)
	w.env.Now = w.env.Now.Add(time.Second)
}

func (w *careless) apply(n News) { w.commit(Apply(w.o, *w.env, n)) }

// begin answers the operation that creates an attempt, or loses the answer.
func (w *careless) begin(op *Operation) {
	p := &sdk.Payment{
		Status: sdk.RequiresAction, Amount: usd(1000), Refs: []sdk.Ref{{Kind: "pay", Value: w.id("pay")}},
		Captures: sdk.Captures{Complete: true}, Refunds: sdk.Refunds{Complete: true}, Disputes: sdk.Disputes{Complete: true},
	}
	w.payments[*op.AttemptID] = p
	w.answer(op, p, nil)
}

func (w *careless) answer(op *Operation, p *sdk.Payment, r *sdk.Refund) {
	n := News{AttemptID: *op.AttemptID, Source: FromOperation, Operation: &Result{ID: op.ID}, Payment: copyOf(p), Refund: r}
	if rapid.IntRange(0, 4).Draw(w.rt, "lost") == 0 {
		n.Payment, n.Refund, n.Operation.Outcome = nil, nil, OutcomeUnknown
	}
	w.apply(n)
}

func copyOf(p *sdk.Payment) *sdk.Payment {
	if p == nil {
		return nil
	}
	c := *p
	c.Captures.Items = slices.Clone(p.Captures.Items)
	c.Refunds.Items = slices.Clone(p.Refunds.Items)
	c.Disputes.Items = slices.Clone(p.Disputes.Items)
	return &c
}

func (w *careless) attempt() *Attempt {
	return rapid.SampledFrom(w.o.Attempts).Draw(w.rt, "attempt")
}

// pays has the payer pay, whatever the hub thinks of the attempt.
func (w *careless) pays() {
	p := w.payments[w.attempt().ID]
	if p.Status == sdk.Canceled || p.Status == sdk.Failed || len(p.Captures.Items) > 3 {
		return
	}
	currency := rapid.SampledFrom([]string{"USD", "USD", "EUR", "JPY"}).Draw(w.rt, "currency")
	exponent, _ := sdk.Exponent(currency)
	amount := rapid.SampledFrom([]int64{1000, 1000, 400, 1}).Draw(w.rt, "amount")
	status := rapid.SampledFrom([]sdk.MovementStatus{sdk.MovementSucceeded, sdk.MovementSucceeded, sdk.MovementPending}).Draw(w.rt, "capture")
	p.Captures.Items = append(p.Captures.Items, sdk.Capture{
		ID: w.id("ch"), Status: status, Amount: sdk.Money{Amount: amount, Currency: currency, Exponent: exponent},
		PendingReason: rapid.SampledFrom([]string{"", "ECHECK"}).Draw(w.rt, "reason"),
	})
	switch rapid.IntRange(0, 3).Draw(w.rt, "then") {
	case 0:
		p.Status, p.Authorized, p.Capturable = sdk.RequiresCapture, usd(1000), usd(600)
	default:
		p.Status = sdk.Succeeded
	}
	for i := range p.Captures.Items {
		c := &p.Captures.Items[i]
		if c.Status == sdk.MovementPending && rapid.Bool().Draw(w.rt, "reviewed") {
			c.PendingReason = "PENDING_REVIEW"
		}
		if c.Status == sdk.MovementPending && rapid.Bool().Draw(w.rt, "settles") {
			c.Status = rapid.SampledFrom([]sdk.MovementStatus{sdk.MovementSucceeded, sdk.MovementFailed}).Draw(w.rt, "how")
		}
	}
}

// dashboard gives money back, or disputes it, behind the hub's back.
func (w *careless) dashboard() {
	p := w.payments[w.attempt().ID]
	for _, c := range p.Captures.Items {
		left := w.leftThere(p, c)
		if c.Status != sdk.MovementSucceeded || left == 0 {
			continue
		}
		m := c.Amount
		if rapid.Bool().Draw(w.rt, "dispute") {
			m.Amount = left
			status := rapid.SampledFrom([]sdk.DisputeStatus{sdk.DisputeOpen, sdk.DisputeLost}).Draw(w.rt, "status")
			d := sdk.Dispute{ID: w.id("dp"), CaptureID: c.ID, Status: status, FundsWithdrawn: true, Amount: m}
			if rapid.Bool().Draw(w.rt, "a part of it") {
				d.Withdrawn = m
				d.Withdrawn.Amount = rapid.Int64Range(1, left).Draw(w.rt, "withdrawn")
			}
			p.Disputes.Items = append(p.Disputes.Items, d)
			return
		}
		m.Amount = rapid.Int64Range(1, left).Draw(w.rt, "back")
		p.Refunds.Items = append(p.Refunds.Items, sdk.Refund{ID: w.id("re"), CaptureID: c.ID, Status: sdk.MovementSucceeded, Amount: m})
		return
	}
}

func (w *careless) leftThere(p *sdk.Payment, c sdk.Capture) int64 {
	left := c.Amount.Amount
	for _, r := range p.Refunds.Items {
		if r.CaptureID == c.ID && r.Status != sdk.MovementFailed {
			left -= r.Amount.Amount
		}
	}
	for _, d := range p.Disputes.Items {
		switch {
		case d.CaptureID != c.ID || !d.FundsWithdrawn:
		case d.Withdrawn.Currency != "":
			left -= d.Withdrawn.Amount
		default:
			left -= d.Amount.Amount
		}
	}
	return max(0, left)
}

// hears tells the hub, by a callback or by a read, which heals what is open.
func (w *careless) hears(a *Attempt, read bool) {
	n := News{AttemptID: a.ID, Source: FromCallback, Payment: copyOf(w.payments[a.ID])}
	if !read {
		w.apply(n)
		return
	}
	n.Source, n.Begun = FromRead, w.o.Version
	if op := w.o.OpenOperation(a.ID); op != nil {
		n.Operation = &Result{ID: op.ID}
		if op.Kind == sdk.OpRefund {
			w.closeRefund(op)
			return
		}
	}
	w.apply(n)
}

// closeRefund finds out what became of a refund: the provider has it, or never
// had it.
func (w *careless) closeRefund(op *Operation) {
	n := News{AttemptID: *op.AttemptID, Source: FromOperation, Operation: &Result{ID: op.ID}}
	for _, r := range w.payments[*op.AttemptID].Refunds.Items {
		if r.RefundID == *op.RefundID {
			n.Refund = &r
			w.apply(n)
			return
		}
	}
	n.Operation.Outcome = OutcomeDeclined
	w.apply(n)
}

// checkout tries another attempt. It may only be let in while nobody holds
// money, as far as the hub has heard.
func (w *careless) checkout() {
	for _, a := range w.o.Attempts {
		if a.Live() && !a.Abandoned && rapid.Bool().Draw(w.rt, "close first") {
			c, op, err := w.o.CloseAttempt(a.ID, Ask{Lease: time.Second}, *w.env)
			if err == nil {
				w.commit(c)
				w.cancels(op)
			}
		}
	}
	c, op, err := w.o.Checkout(NewAttempt{Provider: "p", Flow: "f", Mode: sdk.Test}, Ask{Lease: time.Second}, *w.env)
	if err != nil {
		return
	}
	for currency, held := range w.held() {
		require.Zero(w.rt, held, "a second attempt while %s is held; order %s", currency, w.o.Status)
	}
	w.commit(c)
	w.begin(op)
}

func (w *careless) cancels(op *Operation) {
	p := w.payments[*op.AttemptID]
	if len(p.Captures.Items) == 0 || p.Status == sdk.RequiresCapture {
		p.Status = sdk.Canceled
	}
	w.answer(op, p, nil)
}

func (w *careless) cancel() {
	target := ""
	if rapid.Bool().Draw(w.rt, "named") {
		target = w.attempt().ID
	}
	c, op, err := w.o.Cancel(target, true, Ask{Lease: time.Second}, *w.env)
	if err != nil {
		return
	}
	releases := op.AttemptID != nil && w.o.Attempt(*op.AttemptID).Status == sdk.RequiresCapture
	for currency, held := range w.held() {
		require.True(w.rt, held == 0 || releases, "canceled while %s is held", currency)
	}
	w.commit(c)
	if op.Open() {
		w.cancels(op)
	}
}
