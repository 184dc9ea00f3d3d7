package ledger

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/superpayhub/superpay/sdk"
)

// record keeps what a store would have of an order.
type record struct {
	Record
	env Env
}

// write adds a change, and checks that the record is consistent with it.
func (r *record) write(t require.TestingT, c Change) *Order {
	if c.Empty() {
		return r.Order
	}
	r.Order = c.Order
	for i := range c.Refs {
		r.Refs = append(r.Refs, &c.Refs[i])
	}
	for i := range c.Postings {
		r.Postings = append(r.Postings, &c.Postings[i])
	}
	raw, err := json.Marshal(c.Events)
	require.NoError(t, err)
	var events []*Event
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	require.NoError(t, d.Decode(&events))
	r.Events = append(r.Events, events...)
	require.Empty(t, Verify(r.Record), "after %s", raw)
	return r.Order
}

func recorded(t require.TestingT, mode sdk.CaptureMode) *record {
	r := &record{env: testEnv()}
	r.env.NewID = func(prefix string) string { return NewID(prefix, r.env.Now) }
	c, op := Create(&Order{AppID: "app_1", Reference: "r", Amount: 1000, Currency: "USD", Exponent: 2, ExpiresAt: t0.Add(time.Hour)},
		NewAttempt{Provider: "stripe", Plugin: "stripe", Flow: "f", Mode: sdk.Test, CaptureMode: mode}, Ask{Lease: time.Second}, r.env)
	r.write(t, c)
	r.write(t, Apply(r.Order, r.env, News{AttemptID: *op.AttemptID, Source: FromOperation, Operation: &Result{ID: op.ID}, Payment: &sdk.Payment{
		Refs: []sdk.Ref{{Kind: "session", Value: "cs_1"}}, Status: sdk.RequiresAction, Amount: usd(1000),
	}}))
	return r
}

// TestVerify_HasNoDoubtOfAnyLife: whatever a payment lives through, in whatever
// order its facts and reads come, and whatever is asked in between, the record is
// consistent after each change.
func TestVerify_HasNoDoubtOfAnyLife(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := lived(rt)
		r := recorded(rt, rapid.SampledFrom([]sdk.CaptureMode{sdk.CaptureManual, sdk.CaptureAutomatic}).Draw(rt, "mode"))
		steps := rapid.SliceOfN(rapid.IntRange(0, 2*len(h.steps)+9), 1, 30).Draw(rt, "steps")
		for n, step := range steps {
			at := r.Order.Attempts[len(r.Order.Attempts)-1].ID
			switch i := step - 2*len(h.steps); {
			case step < len(h.steps):
				r.write(rt, Apply(r.Order, r.env, callback(r.Order, h.steps[step].fact)))
			case i < 0:
				r.write(rt, Apply(r.Order, r.env, read(r.Order, h.steps[step-len(h.steps)].truth)))
			default:
				r.ask(rt, i, n, at)
			}
		}
	})
}

// ask does what an app, an operator or the hub itself may do next.
func (r *record) ask(t *rapid.T, what, n int, attemptID string) {
	ask := Ask{Lease: time.Second, Source: FromApp}
	var c Change
	var op *Operation
	var err error
	switch what {
	case 0:
		c, op, err = r.Order.AskRefund(NewRefund{Amount: Minor(100)}, ask, r.env)
	case 1:
		c, op, err = r.Order.Capture(attemptID, 0, ask, r.env)
	case 2:
		c, op, err = r.Order.Cancel("", n%2 == 0, ask, r.env)
	case 3:
		c, op, err = r.Order.Confirm("", ask, r.env)
	case 4:
		c, op, err = r.Order.Checkout(NewAttempt{Provider: "paypal", Flow: "f", Mode: sdk.Test, CaptureMode: sdk.CaptureAutomatic}, ask, r.env)
	case 5:
		c, err = r.Order.Resolve("", "ada", "looked", r.env)
	case 6:
		c = Apply(r.Order, r.env, News{AttemptID: attemptID, Source: FromRead, Begun: r.Order.Version, Gone: true})
	case 7:
		c = Apply(r.Order, r.env, News{AttemptID: attemptID, Source: FromHub, Raise: rapid.SampledFrom([]string{Exhausted, CallbackStuck}).Draw(t, "raise"), Callback: "cb_1"})
	case 8:
		r.env.Now = r.env.Now.Add(2 * time.Hour)
		c = Apply(r.Order, r.env, News{AttemptID: attemptID, Source: FromHub, Look: true})
	case 9:
		c = r.Order.RaiseDoubt([]Doubt{{Field: "x"}}, r.env)
		if n%2 == 0 {
			c = r.Order.ClearDoubt(r.env)
		}
	}
	if err != nil {
		return
	}
	r.write(t, c)
	if op == nil || !op.Open() {
		return
	}
	outcome := rapid.SampledFrom([]Outcome{"", OutcomeUnknown, OutcomeNotSent, OutcomeDeclined}).Draw(t, "outcome")
	answer := News{AttemptID: *op.AttemptID, Source: FromOperation, Operation: &Result{ID: op.ID, Outcome: outcome}}
	switch refund := r.Order.Refund(valueText(op.RefundID)); {
	case outcome != "":
	case refund != nil:
		answer.Refund = &sdk.Refund{ID: fmt.Sprint("re_own", n), CaptureID: refund.CaptureID, Status: rapid.SampledFrom(movementStatuses).Draw(t, "refunded"), Amount: usd(refund.Amount)}
	default:
		answer.Payment = &sdk.Payment{Status: rapid.SampledFrom(statuses).Draw(t, "answered"), Amount: usd(1000), Authorized: usd(900)}
	}
	r.write(t, Apply(r.Order, r.env, answer))
	if op := r.Order.Operation(op.ID); outcome == OutcomeNotSent && op.Outcome == OutcomeNotSent {
		if c, err := r.Order.Resume(r.env, op.ID, time.Second, nil); err == nil {
			r.write(t, c)
		}
	}
}

// TestDoubt_ChangesNothingElse: to raise a doubt covers nothing up, and to clear
// it lets the next one be raised anew.
func TestDoubt_ChangesNothingElse(t *testing.T) {
	r := recorded(t, sdk.CaptureAutomatic)
	r.Order.Captured, r.Order.Status = 1000, OrderPaid // as no hub would write it
	doubts := Verify(r.Record)
	require.Len(t, doubts, 3)
	c := r.Order.RaiseDoubt(doubts, r.env)
	require.Equal(t, int64(1000), c.Order.Captured)
	require.Equal(t, OrderPaid, c.Order.Status)
	require.True(t, c.Order.NeedsAttention)
	require.Equal(t, []any{r.Order.Version + 1, 1, 0, 0}, []any{c.Order.Version, len(c.Events), len(c.Postings), len(c.Attempts)})
	require.Equal(t, "attention."+LedgerDoubt, c.Events[0].Kind)
	require.Equal(t, []string{"orders.captured", "orders.status", "orders.status"}, c.Events[0].Data["fields"])

	again := c.Order.RaiseDoubt(doubts, r.env)
	require.True(t, again.Empty(), "it is told once")
	cleared := c.Order.ClearDoubt(r.env)
	require.False(t, cleared.Order.NeedsAttention)
	require.Equal(t, AttentionResolved, cleared.Events[0].Kind)
	again = cleared.Order.RaiseDoubt(doubts, r.env)
	require.False(t, again.Empty(), "and told anew when it comes back")
}

// TestVerify_FeeInFinerUnits: a provider may give its fee in more digits than the
// currency has. It is posted, corrected and undone so, and other digits than it
// gave are found.
func TestVerify_FeeInFinerUnits(t *testing.T) {
	r := recorded(t, sdk.CaptureAutomatic)
	said := func(status sdk.MovementStatus, fee sdk.Money) {
		p := captured("ch_1", 1000)
		p.Captures.Items[0].Status, p.Captures.Items[0].Fee = status, fee
		r.write(t, Apply(r.Order, r.env, read(r.Order, p)))
	}
	fine := sdk.Money{Amount: 295_123, Currency: "USD", Exponent: 4}
	said(sdk.MovementSucceeded, fine)
	said(sdk.MovementSucceeded, usd(29))
	said(sdk.MovementSucceeded, fine)
	require.Len(t, r.Postings, 2+5*2)
	for _, p := range r.Postings {
		was := p.Exponent
		p.Exponent = 3
		doubts := Verify(r.Record)
		require.NotEmpty(t, doubts, "%s of %s", p.Stage, p.Account)
		require.Equal(t, "postings.exponent", doubts[0].Field)
		p.Exponent = was
	}
}
