package payments_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// paidAs is an order of 100.00 USD for which the provider took these amounts.
func paidAs(e *paytest.Env, amounts ...sdk.Money) *ledger.Order {
	e.T.Helper()
	o := e.Checkout(paytest.FlowPage)
	attempt := o.Attempts[0].ID
	p := e.Provider.Honest.Edit(attempt, func(p *sdk.Payment) {
		p.Status, p.NextAction = sdk.Succeeded, nil
		for i, m := range amounts {
			p.Captures.Items = append(p.Captures.Items, sdk.Capture{
				ID: attempt + "-" + string(rune('a'+i)), Status: sdk.MovementSucceeded, Amount: m,
			})
		}
	})
	_, err := e.Callback(e.Fact("evt-"+attempt, attempt, true, *p))
	require.NoError(e.T, err)
	return e.Order(o.ID)
}

func again() payments.AgainInput {
	return payments.AgainInput{AttemptInput: payments.AttemptInput{Provider: paytest.Name, Flow: paytest.FlowPage}}
}

// TestMoney_OfAnotherCurrency: money that was taken in another currency keeps
// the order pending; nobody is charged again, nothing is called off, and all of
// it can be given back, by its own name.
func TestMoney_OfAnotherCurrency(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := paidAs(e, paytest.EUR(9_000))
	require.Equal(t, ledger.OrderPending, o.Status)
	require.True(t, o.NeedsAttention)

	_, err := e.Service.CheckoutAgain(t.Context(), e.Caller(), o.ID, again())
	refused(t, err, "money_held")
	var held *ledger.Error
	require.ErrorAs(t, err, &held)
	require.Equal(t, paytest.EUR(9_000), held.Held)
	require.Equal(t, o.Attempts[0].ID, held.AttemptID)
	_, err = e.Service.Cancel(t.Context(), e.Caller(), o.ID, payments.CancelInput{})
	refused(t, err, "money_held")
	_, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.All()})
	refused(t, err, "currency_required")
	_, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.All(), Currency: "USD"})
	refused(t, err, "nothing_to_refund")
	_, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Currency: "EUR", Amount: ledger.Minor(9_001)})
	refused(t, err, "refund_too_large")

	a, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Currency: "EUR", Amount: ledger.Minor(4_000)})
	require.NoError(t, err)
	require.Equal(t, "EUR", a.Refund.Currency)
	require.Equal(t, ledger.OrderPending, a.Order.Status)
	e.Verified()
	a, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.All(), Currency: "EUR"})
	require.NoError(t, err)
	require.Equal(t, int64(5_000), a.Refund.Amount)
	require.Equal(t, ledger.OrderOpen, a.Order.Status, "all of it went back")
	for _, c := range e.Provider.Calls("Refund") {
		require.Equal(t, "EUR", c.Request.(sdk.RefundRequest).Refund.Currency)
	}
	require.Zero(t, e.Count(`SELECT count(*) FROM (SELECT account FROM postings WHERE order_id = $1 GROUP BY account HAVING sum(amount) <> 0) x`, o.ID))
	e.Verified()

	// Settled by a person or not, what went back never counts.
	o, err = e.Service.Resolve(t.Context(), o.ID, "", "ann", "given back")
	require.NoError(t, err)
	require.Equal(t, ledger.OrderOpen, o.Status)
	a, err = e.Service.CheckoutAgain(t.Context(), e.Caller(), o.ID, payments.AgainInput{AttemptInput: payments.AttemptInput{Provider: paytest.Name, Flow: paytest.FlowCharge}})
	require.NoError(t, err)
	require.Equal(t, ledger.OrderPaid, a.Order.Status)
	require.False(t, a.Order.NeedsAttention)
	e.Verified()
}

// TestMoney_ThatDoesNotFitIsAccepted: a person takes it as payment; the order is
// paid, and says that it was accepted.
func TestMoney_ThatDoesNotFitIsAccepted(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	for name, m := range map[string]sdk.Money{"currency": paytest.EUR(9_000), "amount": paytest.USD(9_000)} {
		t.Run(name, func(t *testing.T) {
			o := paidAs(e, m)
			require.Equal(t, ledger.OrderPending, o.Status)
			o, err := e.Service.Resolve(t.Context(), o.ID, "", "ann", "the rest came by bank")
			require.NoError(t, err)
			require.Equal(t, ledger.OrderPaid, o.Status)
			require.False(t, o.NeedsAttention)
			require.Len(t, o.Accepted(), 1)
			require.Equal(t, 1, e.Count(`SELECT count(*) FROM events WHERE order_id = $1 AND kind = 'payment.accepted' AND data->>'who' = 'ann' AND data->>'currency' = $2`, o.ID, m.Currency))
			require.Len(t, e.Order(o.ID).Accepted(), 1, "the database keeps it")

			a, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(1_000), Currency: m.Currency})
			require.NoError(t, err)
			require.Equal(t, ledger.OrderPartiallyRefunded, a.Order.Status)
			a, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.All(), Currency: m.Currency})
			require.NoError(t, err)
			require.Equal(t, ledger.OrderRefunded, a.Order.Status)
			e.Verified()
		})
	}
}

// TestMoney_EveryMismatchIsHeld: of whatever kind the mismatch is.
func TestMoney_EveryMismatchIsHeld(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	for name, change := range map[string]func(*sdk.Payment){
		"amount":   func(p *sdk.Payment) { p.Captures.Items[0].Amount = paytest.USD(9_000) },
		"currency": func(p *sdk.Payment) { p.Captures.Items[0].Amount = paytest.EUR(10_000) },
		"pending": func(p *sdk.Payment) {
			p.Captures.Items[0].Amount, p.Captures.Items[0].Status = paytest.EUR(1), sdk.MovementPending
		},
		"mode":      func(p *sdk.Payment) { p.Mode = sdk.Live },
		"reference": func(p *sdk.Payment) { p.Refs[0].Value += "-other" },
	} {
		t.Run(name, func(t *testing.T) {
			o := e.Checkout(paytest.FlowPage)
			attempt := o.Attempts[0].ID
			e.Provider.Honest.Pay(attempt)
			p := e.Provider.Honest.Edit(attempt, change)
			_, err := e.Callback(e.Fact("evt-"+attempt, attempt, true, *p))
			require.NoError(t, err)
			require.Equal(t, ledger.OrderPending, e.Order(o.ID).Status)
			_, err = e.Service.CheckoutAgain(t.Context(), e.Caller(), o.ID, again())
			refused(t, err, "money_held")
			if name != "pending" {
				_, err = e.Service.Cancel(t.Context(), e.Caller(), o.ID, payments.CancelInput{})
				refused(t, err, "money_held")
			}
			e.Clock.Advance(48 * time.Hour)
			e.Due()
			require.Equal(t, ledger.OrderPending, e.Order(o.ID).Status, "it does not expire with money")
		})
	}
}

// TestMoney_WrongAmountIsCorrectedByARead: a later, right amount under the same
// id replaces the wrong one, in the journal too, and ends what was said of it.
func TestMoney_WrongAmountIsCorrectedByARead(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowPage)
	attempt := o.Attempts[0].ID
	e.Provider.Honest.Pay(attempt)
	wrong := *e.Provider.Honest.Payment(attempt)
	wrong.Captures.Items[0].Amount = paytest.USD(1_000_000)
	_, err := e.Callback(e.Fact("evt-1", attempt, true, wrong))
	require.NoError(t, err)
	require.Equal(t, ledger.OrderPending, e.Order(o.ID).Status)
	e.Verified()

	o, err = e.Service.SyncOrder(t.Context(), o.ID)
	require.NoError(t, err)
	require.Equal(t, ledger.OrderPaid, o.Status)
	require.Equal(t, int64(10_000), o.Refundable)
	require.False(t, o.NeedsAttention)
	require.Equal(t, 6, e.Count(`SELECT count(*) FROM postings WHERE order_id = $1`, o.ID), "posted, undone, posted")
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM events WHERE order_id = $1 AND kind = 'capture.corrected'`, o.ID))
	e.Verified()

	// Of a refund as well.
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			refund, err := e.Provider.Honest.Refund(ctx, r)
			refund.Amount = paytest.USD(400)
			return refund, err
		}
	})
	_, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(4_000)})
	require.NoError(t, err)
	require.True(t, e.Order(o.ID).NeedsAttention)
	o, err = e.Service.SyncOrder(t.Context(), o.ID)
	require.NoError(t, err)
	require.Equal(t, int64(4_000), o.Refunded)
	require.False(t, o.NeedsAttention)
	e.Verified()
}

// TestMoney_CorrectedByAPerson: guarded by what they saw, with a reason, and
// the journal undoes what was posted.
func TestMoney_CorrectedByAPerson(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := paidAs(e, paytest.USD(1_000_000))
	ann := ledger.Operator{Name: "ann", Why: "seen in the dashboard"}
	c := o.Captures[0]
	_, err := e.Service.Correct(t.Context(), o.ID, ledger.Correction{MovementID: c.ID, Was: 1_000_000, Is: paytest.USD(10_000)}, ledger.Operator{Name: "ann"})
	refused(t, err, "invalid_request")
	_, err = e.Service.Correct(t.Context(), o.ID, ledger.Correction{MovementID: c.ID, Was: 5, Is: paytest.USD(10_000)}, ann)
	refused(t, err, "wrong_state")
	_, err = e.Service.Correct(t.Context(), o.ID, ledger.Correction{MovementID: c.ID, Was: 1_000_000, Is: paytest.USD(-1)}, ann)
	refused(t, err, "invalid_request")
	o, err = e.Service.Correct(t.Context(), o.ID, ledger.Correction{MovementID: c.ID, Was: 1_000_000, Is: paytest.USD(10_000)}, ann)
	require.NoError(t, err)
	require.Equal(t, int64(10_000), o.Captured)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM events WHERE order_id = $1 AND kind = 'capture.corrected' AND data->>'who' = 'ann'`, o.ID))
	e.Verified()

	// A movement from before amounts were checked: it is undone altogether.
	a, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(4_000)})
	require.NoError(t, err)
	o, err = e.Service.Correct(t.Context(), o.ID, ledger.Correction{MovementID: a.Refund.ID, Was: 4_000, Void: true}, ann)
	require.NoError(t, err)
	require.Equal(t, int64(10_000), o.Refundable)
	e.Verified()

	// A refund whose answer is lost for good, and that a person sees there.
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = func(context.Context, sdk.RefundRequest) (*sdk.Refund, error) { return nil, errors.New("lost") }
	})
	a, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(3_000)})
	require.NoError(t, err)
	_, err = e.Service.Correct(t.Context(), o.ID, ledger.Correction{MovementID: a.Refund.ID, Was: 3_000, Is: paytest.USD(3_000)}, ann)
	refused(t, err, "wrong_state")
	o, err = e.Service.Correct(t.Context(), o.ID, ledger.Correction{MovementID: a.Refund.ID, Was: 3_000, Is: paytest.USD(3_000), ProviderID: "re-seen"}, ann)
	require.NoError(t, err)
	require.Equal(t, int64(3_000), o.Refunded)
	require.Nil(t, o.OpenOperation(o.Attempts[0].ID))
	e.Verified()
}

// TestMoney_PaidAfterACancelWasAsked: a payment that was on its way settles all
// the same. Money wins, and a person is told.
func TestMoney_PaidAfterACancelWasAsked(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	for _, flow := range []string{paytest.FlowPage, paytest.FlowBare} {
		for _, settles := range []bool{true, false} {
			o := e.Checkout(flow)
			attempt := o.Attempts[0].ID
			p := e.Provider.Honest.Edit(attempt, func(p *sdk.Payment) { p.Status = sdk.Pending })
			_, err := e.Callback(e.Fact("evt-1-"+attempt, attempt, true, *p))
			require.NoError(t, err)
			e.Provider.Script(func(s *paytest.Script) {
				s.Cancel = func(_ context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
					return e.Provider.Honest.Payment(r.AttemptID), nil // too late
				}
			})
			a, err := e.Service.Cancel(t.Context(), e.Caller(), o.ID, payments.CancelInput{})
			require.NoError(t, err)
			require.Equal(t, ledger.OrderPending, a.Order.Status)
			if !settles {
				_, err = e.Callback(e.Fact("evt-2-"+attempt, attempt, true, sdk.Payment{Status: sdk.Failed}))
				require.NoError(t, err)
				require.Equal(t, ledger.OrderCanceled, e.Order(o.ID).Status)
				continue
			}
			_, err = e.Callback(e.Fact("evt-2-"+attempt, attempt, true, *e.Provider.Honest.Pay(attempt)))
			require.NoError(t, err)
			after := e.Order(o.ID)
			require.Equal(t, ledger.OrderPaid, after.Status)
			require.True(t, after.NeedsAttention)
			require.Equal(t, ledger.PaidAfterClose, after.Attention[0].Reason)
			e.Verified()
		}
	}
}

// inPart is an order of which the provider captured 40.00 and holds 60.00.
func inPart(e *paytest.Env) *ledger.Order {
	e.T.Helper()
	o := e.Authorized()
	attempt := o.Attempts[0].ID
	p := e.Provider.Honest.Edit(attempt, func(p *sdk.Payment) {
		p.Capturable = paytest.USD(6_000)
		p.Captures.Items = []sdk.Capture{{ID: "cap-" + attempt, Status: sdk.MovementSucceeded, Amount: paytest.USD(4_000)}}
	})
	_, err := e.Callback(e.Fact("evt-"+attempt, attempt, true, *p))
	require.NoError(e.T, err)
	o = e.Order(o.ID)
	require.Equal(e.T, ledger.OrderAuthorized, o.Status)
	require.Equal(e.T, []int64{4_000, 4_000, 6_000}, []int64{o.Captured, o.Refundable, o.Authorized})
	return o
}

// TestMoney_CapturedInPart: while the provider holds the rest, it can be taken
// or released.
func TestMoney_CapturedInPart(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	t.Run("the rest is taken", func(t *testing.T) {
		o := inPart(e)
		_, err := e.Service.Capture(t.Context(), e.Caller(), o.ID, payments.CaptureInput{Amount: ledger.Minor(6_001)})
		refused(t, err, "amount_too_large")
		a, err := e.Service.Capture(t.Context(), e.Caller(), o.ID, payments.CaptureInput{Amount: ledger.All()})
		require.NoError(t, err)
		require.Equal(t, ledger.OrderPaid, a.Order.Status)
		require.Equal(t, int64(10_000), a.Order.Captured)
		require.False(t, a.Order.NeedsAttention)
	})
	t.Run("some of the rest is taken, and more stays held", func(t *testing.T) {
		o := inPart(e)
		e.Provider.Script(func(s *paytest.Script) {
			s.Capture = func(ctx context.Context, r sdk.CaptureRequest) (*sdk.Payment, error) {
				p, err := e.Provider.Honest.Capture(ctx, r)
				p.Status, p.Capturable = sdk.RequiresCapture, paytest.USD(3_000)
				return p, err
			}
		})
		a, err := e.Service.Capture(t.Context(), e.Caller(), o.ID, payments.CaptureInput{Amount: ledger.Minor(3_000)})
		require.NoError(t, err)
		require.Equal(t, ledger.OutcomeSucceeded, a.Operation.Outcome)
		require.Equal(t, ledger.OrderAuthorized, a.Order.Status)
		require.Equal(t, []int64{7_000, 3_000}, []int64{a.Order.Captured, a.Order.Authorized})
		e.Provider.Script(func(s *paytest.Script) { s.Capture = nil })
	})
	t.Run("the rest is released", func(t *testing.T) {
		o := inPart(e)
		a, err := e.Service.Cancel(t.Context(), e.Caller(), o.ID, payments.CancelInput{})
		require.NoError(t, err)
		require.Equal(t, ledger.OrderPaid, a.Order.Status)
		require.Equal(t, []int64{4_000, 0}, []int64{a.Order.Captured, a.Order.Authorized})
		require.False(t, a.Order.NeedsAttention)
		_, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.All()})
		require.NoError(t, err)
	})
	e.Verified()
}
