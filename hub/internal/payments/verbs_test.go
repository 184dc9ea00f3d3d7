package payments_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// walk is every verb in every state of an order with one attempt (the last
// states have more). A cell is what the verb does: the method that reaches the
// provider, ok where nothing has to be asked, or the code of the refusal. With a
// refusal nothing reaches the provider.
const walk = `
                          | confirm               | capture               | cancel                | refund                | override              | again                 | repeat                | erase                 | resolve               | sync                  | return
created, under way        | operation_open        | operation_open        | operation_open        | nothing_to_refund     | nothing_to_refund     | attempt_open          | in_flight             | wrong_state           | error                 | error                 | ok
unknown                   | operation_open        | operation_open        | operation_open        | nothing_to_refund     | nothing_to_refund     | wrong_state           | ok                    | wrong_state           | error                 | ok                    | ok
requires_action           | Confirm               | wrong_state           | Cancel                | nothing_to_refund     | nothing_to_refund     | Cancel+CreateCheckout | ok                    | wrong_state           | error                 | ok                    | ok
requires_confirmation     | Confirm               | wrong_state           | Cancel                | nothing_to_refund     | nothing_to_refund     | Cancel+CreateCheckout | ok                    | wrong_state           | error                 | ok                    | ok
pending                   | ok                    | wrong_state           | Cancel                | nothing_to_refund     | nothing_to_refund     | wrong_state           | ok                    | wrong_state           | error                 | ok                    | ok
authorized                | ok                    | Capture               | Cancel                | nothing_to_refund     | nothing_to_refund     | wrong_state           | ok                    | wrong_state           | error                 | ok                    | ok
authorized, flagged       | ok                    | needs_attention       | Cancel                | nothing_to_refund     | nothing_to_refund     | money_held            | ok                    | wrong_state           | ok                    | ok                    | ok
capture unknown           | operation_open        | operation_open        | operation_open        | nothing_to_refund     | nothing_to_refund     | wrong_state           | ok                    | wrong_state           | error                 | ok                    | ok
paid                      | ok                    | wrong_state           | wrong_state           | Refund                | Refund                | wrong_state           | ok                    | ok                    | error                 | ok                    | ok
captured in part          | ok                    | wrong_state           | wrong_state           | Refund                | Refund                | wrong_state           | ok                    | ok                    | error                 | ok                    | ok
partially refunded        | ok                    | wrong_state           | wrong_state           | Refund                | Refund                | wrong_state           | ok                    | ok                    | error                 | ok                    | ok
refund under way          | operation_open        | operation_open        | wrong_state           | operation_open        | operation_open        | wrong_state           | ok                    | operation_open        | error                 | error                 | ok
refund unknown            | operation_open        | operation_open        | wrong_state           | operation_open        | operation_open        | wrong_state           | ok                    | operation_open        | error                 | ok                    | ok
refunded                  | ok                    | wrong_state           | wrong_state           | refund_too_large      | refund_too_large      | wrong_state           | ok                    | ok                    | error                 | ok                    | ok
disputed                  | ok                    | wrong_state           | wrong_state           | refund_too_large      | Refund                | wrong_state           | ok                    | ok                    | ok                    | ok                    | ok
failed                    | wrong_state           | wrong_state           | ok                    | nothing_to_refund     | nothing_to_refund     | CreateCheckout        | ok                    | wrong_state           | error                 | ok                    | ok
not sent                  | wrong_state           | wrong_state           | ok                    | nothing_to_refund     | nothing_to_refund     | CreateCheckout        | ok                    | wrong_state           | error                 | ok                    | ok
canceled                  | wrong_state           | wrong_state           | wrong_state           | nothing_to_refund     | nothing_to_refund     | wrong_state           | ok                    | ok                    | error                 | ok                    | ok
abandoned                 | attempt_abandoned     | wrong_state           | wrong_state           | nothing_to_refund     | nothing_to_refund     | wrong_state           | ok                    | ok                    | error                 | ok                    | ok
authorized, abandoned     | wrong_state           | attempt_abandoned     | ok                    | nothing_to_refund     | nothing_to_refund     | wrong_state           | ok                    | wrong_state           | error                 | ok                    | ok
paid after cancel         | wrong_state           | wrong_state           | wrong_state           | Refund                | Refund                | wrong_state           | ok                    | ok                    | ok                    | ok                    | ok
paid twice                | wrong_state           | wrong_state           | wrong_state           | Refund                | Refund                | wrong_state           | ok                    | ok                    | ok                    | ok                    | ok
action, provider down     | provider_down         | provider_down         | provider_down         | nothing_to_refund     | nothing_to_refund     | provider_down         | ok                    | wrong_state           | error                 | error                 | ok
authorized, provider down | provider_down         | provider_down         | provider_down         | nothing_to_refund     | nothing_to_refund     | provider_down         | ok                    | wrong_state           | error                 | error                 | ok
paid, provider down       | provider_down         | provider_down         | wrong_state           | provider_down         | provider_down         | provider_down         | ok                    | ok                    | error                 | error                 | ok
expired                   | wrong_state           | wrong_state           | wrong_state           | nothing_to_refund     | nothing_to_refund     | wrong_state           | ok                    | ok                    | error                 | ok                    | ok
`

// verb asks something of an order, and returns what the hub answered.
type verb struct {
	name string
	ask  func(e *paytest.Env, w *walked) error
}

// heard are what a provider may say of an order in a state. A cell is the order's
// status then, once what was scheduled is done; ! is for attention.
const heard = `
                          | paid                  | authorized            | canceled              | failed                | canceled, untrue      | refunded              | disputed
created, under way        | -                     | -                     | -                     | -                     | -                     | -                     | -
unknown                   | -                     | -                     | -                     | -                     | -                     | -                     | -
requires_action           | paid                  | authorized            | open                  | open                  | open                  | open                  | open
requires_confirmation     | paid                  | authorized            | open                  | open                  | open                  | open                  | open
pending                   | paid                  | authorized            | open                  | open                  | pending               | pending               | pending
authorized                | paid                  | authorized            | open                  | open                  | authorized            | authorized            | authorized
authorized, flagged       | pending!              | pending!              | open!                 | open!                 | pending!              | pending!              | pending!
capture unknown           | pending!              | paid                  | paid                  | paid                  | paid                  | paid                  | paid
paid                      | paid                  | paid                  | paid!                 | paid!                 | paid                  | partially_refunded    | paid!
captured in part          | paid                  | paid                  | paid!                 | paid!                 | paid                  | partially_refunded    | paid!
partially refunded        | partially_refunded    | partially_refunded    | partially_refunded!   | partially_refunded!   | partially_refunded    | partially_refunded    | partially_refunded!
refund under way          | partially_refunded    | partially_refunded    | partially_refunded!   | partially_refunded!   | partially_refunded    | partially_refunded    | partially_refunded!
refund unknown            | partially_refunded    | partially_refunded    | partially_refunded!   | partially_refunded!   | partially_refunded    | partially_refunded    | partially_refunded!
refunded                  | refunded              | refunded              | refunded!             | refunded!             | refunded              | refunded!             | refunded!
disputed                  | paid!                 | paid!                 | paid!                 | paid!                 | paid!                 | partially_refunded!   | paid!
failed                    | paid                  | authorized            | open                  | open                  | open                  | open                  | open
not sent                  | -                     | -                     | -                     | -                     | -                     | -                     | -
canceled                  | paid!                 | authorized!           | canceled              | canceled              | canceled              | canceled              | canceled
abandoned                 | paid!                 | authorized!           | canceled              | canceled              | canceled              | canceled              | canceled
authorized, abandoned     | paid!                 | authorized            | canceled              | canceled              | authorized            | authorized            | authorized
paid after cancel         | paid!                 | paid!                 | paid!                 | paid!                 | paid!                 | partially_refunded!   | paid!
paid twice                | paid!                 | paid!                 | paid!                 | paid!                 | paid!                 | paid!                 | paid!
action, provider down     | -                     | -                     | -                     | -                     | -                     | -                     | -
authorized, provider down | -                     | -                     | -                     | -                     | -                     | -                     | -
paid, provider down       | -                     | -                     | -                     | -                     | -                     | -                     | -
expired                   | paid!                 | authorized!           | expired               | expired               | expired               | expired               | expired
`

var verbs = []verb{
	{"confirm", func(e *paytest.Env, w *walked) error {
		_, err := e.Service.Confirm(e.T.Context(), e.Caller(), w.id, payments.ConfirmInput{})
		return err
	}},
	{"capture", func(e *paytest.Env, w *walked) error {
		_, err := e.Service.Capture(e.T.Context(), e.Caller(), w.id, payments.CaptureInput{Amount: ledger.All()})
		return err
	}},
	{"cancel", func(e *paytest.Env, w *walked) error {
		_, err := e.Service.Cancel(e.T.Context(), e.Caller(), w.id, payments.CancelInput{})
		return err
	}},
	{"refund", func(e *paytest.Env, w *walked) error {
		_, err := e.Service.Refund(e.T.Context(), e.Caller(), w.id, payments.RefundInput{Amount: ledger.All()})
		return err
	}},
	{"override", func(e *paytest.Env, w *walked) error {
		_, err := e.Service.Refund(e.T.Context(), e.Operator(w.id, true), w.id, payments.RefundInput{Amount: ledger.All()})
		return err
	}},
	{"again", func(e *paytest.Env, w *walked) error {
		_, err := e.Service.CheckoutAgain(e.T.Context(), e.Caller(), w.id, payments.AgainInput{AttemptInput: payments.AttemptInput{Provider: paytest.Name, Flow: paytest.FlowPage}})
		return err
	}},
	{"repeat", func(e *paytest.Env, w *walked) error {
		_, err := e.Service.Checkout(e.T.Context(), w.caller, w.input)
		return err
	}},
	{"erase", func(e *paytest.Env, w *walked) error {
		_, _, err := e.Service.Erase(e.T.Context(), w.id, "alice", "asked by the payer")
		return err
	}},
	{"resolve", func(e *paytest.Env, w *walked) error {
		_, err := e.Service.Resolve(e.T.Context(), w.id, "", "alice", "looked at it")
		return err
	}},
	{"sync", func(e *paytest.Env, w *walked) error {
		_, err := e.Service.SyncOrder(e.T.Context(), w.id)
		return err
	}},
	{"return", func(e *paytest.Env, w *walked) error {
		_, err := e.Service.Return(e.T.Context(), e.Order(w.id).Attempts[0].ID, sdk.Return{})
		return err
	}},
}

// said are what a provider may say.
var said = []struct {
	name string
	tell func(e *paytest.Env, attempt string)
}{
	{"paid", func(e *paytest.Env, attempt string) {
		p := e.Provider.Honest.Payment(attempt)
		if len(p.Captures.Items) == 0 {
			p = e.Provider.Honest.Pay(attempt)
		}
		e.Told(p)
	}},
	{"authorized", func(e *paytest.Env, attempt string) {
		p := e.Provider.Honest.Payment(attempt)
		if len(p.Captures.Items) == 0 {
			p = e.Provider.Honest.Authorize(attempt)
		}
		e.Told(p)
	}},
	{"canceled", func(e *paytest.Env, attempt string) { e.Told(e.Provider.Honest.Decide(attempt, sdk.Canceled)) }},
	{"failed", func(e *paytest.Env, attempt string) { e.Told(e.Provider.Honest.Decide(attempt, sdk.Failed)) }},
	{"canceled, untrue", func(e *paytest.Env, attempt string) {
		if p := e.Provider.Honest.Payment(attempt); len(p.Captures.Items) > 0 {
			p.Status = sdk.Canceled
			e.Told(p)
		}
	}},
	{"refunded", func(e *paytest.Env, attempt string) {
		if p := e.Provider.Honest.Payment(attempt); len(p.Captures.Items) > 0 {
			e.Told(e.Provider.Honest.Refunded(attempt, paytest.USD(3_000)))
		}
	}},
	{"disputed", func(e *paytest.Env, attempt string) {
		if p := e.Provider.Honest.Payment(attempt); len(p.Captures.Items) > 0 {
			e.Told(e.Provider.Honest.Disputed(attempt, paytest.USD(3_000)))
		}
	}},
}

// keysOf are the provider keys of all that could move money, with its method.
func keysOf(e *paytest.Env) map[string]string {
	keys := map[string]string{}
	for _, c := range e.Moves() {
		keys[c.Key] = c.Method
	}
	return keys
}

// step asks one verb of a fresh order in a state, and returns the cell.
func step(e *paytest.Env, s state, v verb) string {
	e.Provider.Script(func(s *paytest.Script) { *s = paytest.Script{} })
	w := s.reach(e)
	defer w.release()
	before := keysOf(e)
	err := v.ask(e, w)
	var reached []string
	for key, method := range keysOf(e) {
		if before[key] == "" { // else it is the repetition of what was unknown
			reached = append(reached, method)
		}
	}
	slices.Sort(reached)
	cell := strings.Join(reached, "+")
	var refusal *ledger.Error
	switch {
	case errors.As(err, &refusal) && cell == "":
		cell = refusal.Code
	case err != nil:
		cell = strings.TrimSpace("error " + cell)
	case cell == "":
		cell = "ok"
	}
	return cell
}

// hear tells the hub something of a fresh order in a state, and returns the cell.
func hear(e *paytest.Env, s state, tell func(*paytest.Env, string)) string {
	e.Provider.Script(func(s *paytest.Script) { *s = paytest.Script{} })
	w := s.reach(e)
	attempt := e.Order(w.id).Attempts[0].ID
	if e.Provider.Honest.Payment(attempt) == nil {
		w.release()
		return "-"
	}
	e.Provider.Script(func(s *paytest.Script) { *s = paytest.Script{} })
	tell(e, attempt)
	w.release()
	for range 3 {
		e.After(40 * time.Second) // longer than a worker's lease
	}
	o := e.Order(w.id)
	cell := string(o.Status)
	if o.NeedsAttention {
		cell += "!"
	}
	return cell
}

// grid writes a cell for each state and column.
func grid(columns []string, cell func(s state, column int) string) string {
	rows := []string{"", fmt.Sprintf("%-25s", "")}
	for _, c := range columns {
		rows[1] += fmt.Sprintf(" | %-21s", c)
	}
	for _, s := range states {
		row := fmt.Sprintf("%-25s", s.name)
		for i := range columns {
			row += fmt.Sprintf(" | %-21s", cell(s, i))
		}
		rows = append(rows, row)
	}
	for i := range rows {
		rows[i] = strings.TrimRight(rows[i], " ")
	}
	return strings.Join(rows, "\n") + "\n"
}

// walking is the environment of the walks: calls may be held for long, and the
// bare flow can do everything but cancel.
func walking(t *testing.T) *paytest.Env {
	provider := paytest.NewProvider().Change(func(d *sdk.Description) {
		for i := range d.Flows {
			if d.Flows[i].Name == paytest.FlowBare {
				d.Flows[i].CaptureModes = []sdk.CaptureMode{sdk.CaptureAutomatic, sdk.CaptureManual}
				d.Flows[i].Capabilities = []sdk.Capability{sdk.CanConfirm, sdk.CanCapture, sdk.CanCapturePart, sdk.CanRefund, sdk.CanRefundPart}
			}
		}
	})
	return paytest.New(t, paytest.Options{Provider: provider, Service: func(o *payments.Options) { o.CallTimeout = time.Minute }})
}

// TestVerbs_InEveryState walks every verb in every state.
func TestVerbs_InEveryState(t *testing.T) {
	t.Parallel()
	e := walking(t)
	var names []string
	for _, v := range verbs {
		names = append(names, v.name)
	}
	require.Equal(t, walk, grid(names, func(s state, i int) string { return step(e, s, verbs[i]) }))
	e.Verified()
}

// TestCallback_InEveryState has the hub hear everything in every state.
func TestCallback_InEveryState(t *testing.T) {
	t.Parallel()
	e := walking(t)
	var names []string
	for _, s := range said {
		names = append(names, s.name)
	}
	require.Equal(t, heard, grid(names, func(s state, i int) string {
		if strings.HasSuffix(s.name, "provider down") {
			return "-"
		}
		return hear(e, s, said[i].tell)
	}))
	e.Verified()
}
