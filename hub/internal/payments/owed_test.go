package payments_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// lagging makes reads show the provider's payment as it was until the clock has
// gone on by that; then they show it as it is.
func lagging(e *paytest.Env, attemptID string, lag time.Duration) {
	old := e.Provider.Honest.Payment(attemptID)
	until := e.Clock.Now().Add(lag)
	e.Provider.Script(func(s *paytest.Script) {
		s.GetPayment = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			switch {
			case !e.Clock.Now().Before(until):
				return e.Provider.Honest.GetPayment(ctx, r)
			case old == nil:
				return nil, sdk.ErrNotFound
			}
			return old, nil
		}
	})
}

func usd(minor int64) sdk.Money { return sdk.Money{Amount: minor, Currency: "USD", Exponent: 2} }

// hinted is a callback that proves nothing and says what a read must show.
func hinted(e *paytest.Env, eventID, attemptID string, expect ...sdk.Expectation) sdk.CallbackResult {
	out := e.Fact(eventID, attemptID, false, sdk.Payment{})
	out.Facts[0].Expect = expect
	return out
}

func outcomeOf(e *paytest.Env, eventID string) (out string) {
	e.T.Helper()
	require.NoError(e.T, e.SQL.QueryRow(`SELECT outcome FROM callbacks WHERE event_id = $1`, eventID).Scan(&out))
	return out
}

// until lets the clock go on in small steps, with the work that is due, and
// returns when it holds.
func until(e *paytest.Env, step, limit time.Duration, holds func() bool) time.Duration {
	e.T.Helper()
	began := e.Clock.Now()
	for !holds() {
		require.Less(e.T, e.Clock.Now().Sub(began), limit)
		e.After(step)
	}
	return e.Clock.Now().Sub(began)
}

// news are the ways in which a provider changes a payment by itself, with the
// event that tells of it and how the record shows it.
var laggards = map[string]struct {
	change func(*sdk.Payment)
	expect sdk.Expectation
	shows  func(*ledger.Order) bool
}{
	"refund": {
		func(p *sdk.Payment) {
			p.Refunds.Items = append(p.Refunds.Items, sdk.Refund{ID: "re-out", CaptureID: p.Captures.Items[0].ID, Status: sdk.MovementSucceeded, Amount: usd(2_500)})
		},
		sdk.Expectation{Kind: sdk.ExpectRefund, ID: "re-out", AtLeast: "succeeded"},
		func(o *ledger.Order) bool { return o.Refunded == 2_500 && o.Status == ledger.OrderPartiallyRefunded },
	},
	"refund that the event does not name": {
		func(p *sdk.Payment) {
			p.Refunds.Items = append(p.Refunds.Items, sdk.Refund{ID: "re-out", CaptureID: "cap-2", Status: sdk.MovementSucceeded, Amount: usd(2_500)})
		},
		sdk.Expectation{Kind: sdk.ExpectRefunded, ID: "cap-2", Amount: usd(2_500)},
		func(o *ledger.Order) bool { return o.Refunded == 2_500 },
	},
	"reversal": {
		func(p *sdk.Payment) {
			p.Refunds.Items = append(p.Refunds.Items, sdk.Refund{ID: "re-bank", CaptureID: p.Captures.Items[0].ID, Status: sdk.MovementSucceeded, Amount: usd(10_000), Reversed: true})
		},
		sdk.Expectation{Kind: sdk.ExpectRefund, ID: "re-bank", AtLeast: "succeeded"},
		func(o *ledger.Order) bool {
			return o.Status == ledger.OrderRefunded && hasAttention(o, ledger.Reversed)
		},
	},
	"dispute": {
		func(p *sdk.Payment) {
			p.Disputes.Items = append(p.Disputes.Items, sdk.Dispute{ID: "dp-1", CaptureID: p.Captures.Items[0].ID, Status: sdk.DisputeOpen, FundsWithdrawn: true, Amount: usd(10_000)})
		},
		sdk.Expectation{Kind: sdk.ExpectDispute, ID: "dp-1", AtLeast: "open"},
		func(o *ledger.Order) bool { return o.Disputed == 10_000 },
	},
}

func hasAttention(o *ledger.Order, reason string) bool {
	for _, x := range o.Attention {
		if x.Reason == reason && x.ResolvedAt.IsZero() {
			return true
		}
	}
	return false
}

// TestOwed_ReadsThatLag: what happened at the provider is on record within two
// steps after its reads show it, with at most 20 reads.
func TestOwed_ReadsThatLag(t *testing.T) {
	t.Parallel()
	for name, x := range laggards {
		for _, lag := range []time.Duration{time.Second, 30 * time.Second, 5 * time.Minute} {
			t.Run(fmt.Sprint(name, " ", lag), func(t *testing.T) {
				t.Parallel()
				e := paytest.New(t, paytest.Options{})
				o := e.Checkout(paytest.FlowCharge)
				e.Due()
				attempt := o.Attempts[0].ID
				reads := len(e.Provider.Calls("GetPayment"))
				lagging(e, attempt, lag)
				e.Provider.Honest.Edit(attempt, x.change)
				_, err := e.Callback(hinted(e, "evt-1", attempt, x.expect))
				require.NoError(t, err)
				require.Equal(t, "owed", outcomeOf(e, "evt-1"))
				e.Due()
				require.Equal(t, "owed", outcomeOf(e, "evt-1"), "a read that shows nothing new does not settle it")
				step := 5 * time.Second
				if lag > time.Minute {
					step = time.Minute
				}
				took := until(e, max(time.Second, step/12), lag+2*step+time.Second, func() bool { return x.shows(e.Order(o.ID)) })
				require.LessOrEqual(t, took, lag+2*step)
				require.Equal(t, "applied", outcomeOf(e, "evt-1"))
				require.LessOrEqual(t, len(e.Provider.Calls("GetPayment"))-reads, 20)
				require.Empty(t, e.Order(o.ID).Attempts[0].Owed)
				require.Equal(t, 1, e.Count(`SELECT count(*) FROM events WHERE order_id = $1 AND kind = 'event.expected'`, o.ID))
				require.Equal(t, 1, e.Count(`SELECT count(*) FROM events WHERE order_id = $1 AND kind = 'event.confirmed'`, o.ID))
				require.False(t, hasAttention(e.Order(o.ID), ledger.EventNotConfirmed))
				e.Verified()
			})
		}
	}
}

// TestOwed_BrowserCaptureWithTheTabClosed: the payment is known by a candidate
// only, and reads do not find it yet.
func TestOwed_BrowserCaptureWithTheTabClosed(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	e.Provider.Script(func(s *paytest.Script) {
		s.CreateCheckout = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			p, err := e.Provider.Honest.CreateCheckout(ctx, r)
			p.Refs = nil // only the browser makes it
			return p, err
		}
	})
	o := e.Checkout(paytest.FlowPage)
	attempt := o.Attempts[0].ID
	paid := e.Provider.Honest.Pay(attempt)
	right := e.Clock.Now().Add(30 * time.Second)
	e.Provider.Script(func(s *paytest.Script) {
		s.GetPayment = func(_ context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			if len(r.Refs) == 1 && r.Refs[0].Value == "order-9" && !e.Clock.Now().Before(right) {
				p := *paid
				p.Refs = r.Refs
				return &p, nil
			}
			return nil, sdk.ErrNotFound // approved, and no money yet
		}
	})
	for i, expect := range []sdk.Expectation{
		{Kind: sdk.ExpectPayment, AtLeast: "requires_confirmation"},
		{Kind: sdk.ExpectCapture, ID: paid.Captures.Items[0].ID, AtLeast: "succeeded"},
	} {
		event := hinted(e, fmt.Sprint("evt-", i), attempt, expect)
		event.Facts[0].Payment.Refs = []sdk.Ref{{Kind: "order", Value: "order-9"}}
		_, err := e.Callback(event)
		require.NoError(t, err)
		e.Due()
	}
	require.Equal(t, ledger.OrderOpen, e.Order(o.ID).Status)
	until(e, time.Second, 45*time.Second, func() bool { return e.Order(o.ID).Status == ledger.OrderPaid })
	require.Equal(t, "applied", outcomeOf(e, "evt-0"))
	require.Equal(t, "applied", outcomeOf(e, "evt-1"))
}

// TestOwed_ProvenAndNeverConfirmed: a person is told, and told that it is over
// when a read agrees after all.
func TestOwed_ProvenAndNeverConfirmed(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	attempt := o.Attempts[0].ID
	a, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(4_000)})
	require.NoError(t, err)
	e.Due()
	// It takes something back, so that only a read may apply it.
	failed := e.Fact("evt-1", attempt, true, sdk.Payment{Refunds: sdk.Refunds{Items: []sdk.Refund{
		{ID: *a.Refund.ProviderID, CaptureID: a.Refund.CaptureID, Status: sdk.MovementFailed, Amount: usd(4_000)},
	}}})
	failed.Facts[0].Expect = []sdk.Expectation{{Kind: sdk.ExpectRefund, ID: *a.Refund.ProviderID, AtLeast: "failed"}}
	_, err = e.Callback(failed)
	require.NoError(t, err)
	until(e, time.Second, time.Minute, func() bool { return hasAttention(e.Order(o.ID), ledger.EventNotConfirmed) })
	require.Equal(t, "unconfirmed", outcomeOf(e, "evt-1"))
	at := e.Order(o.ID)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM callbacks WHERE id = $1`, at.Attention[0].CallbackID), "the flag names the callback")
	require.Equal(t, int64(4_000), at.Refunded, "and what the reads say stands")

	until(e, time.Minute, 20*time.Minute, func() bool { return e.Order(o.ID).Attempts[0].Owed[0].Steps >= 20 })
	reads := len(e.Provider.Calls("GetPayment"))
	for range 60 {
		e.After(time.Minute)
	}
	more := len(e.Provider.Calls("GetPayment")) - reads
	require.NotZero(t, more, "the ordinary schedule goes on")
	require.Less(t, more, 20, "which is no read each minute")
	e.Provider.Honest.Edit(attempt, func(p *sdk.Payment) { p.Refunds.Items[0].Status = sdk.MovementFailed })
	until(e, time.Hour, 7*time.Hour, func() bool { return e.Order(o.ID).Refunded == 0 })
	require.False(t, hasAttention(e.Order(o.ID), ledger.EventNotConfirmed), "it is taken back by itself")
	require.Equal(t, "applied", outcomeOf(e, "evt-1"))
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM events WHERE order_id = $1 AND kind = 'attention.resolved'`, o.ID))
	e.Verified()
}

// TestOwed_UnprovenJustEnds: what nobody proved raises nothing. The event sent
// once more is asked for once more.
func TestOwed_UnprovenJustEnds(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	attempt := o.Attempts[0].ID
	e.Due()
	reads := len(e.Provider.Calls("GetPayment"))
	event := hinted(e, "evt-1", attempt, sdk.Expectation{Kind: sdk.ExpectRefund, ID: "re-none", AtLeast: "succeeded"})
	_, err := e.Callback(event)
	require.NoError(t, err)
	until(e, 5*time.Second, 20*time.Minute, func() bool { return outcomeOf(e, "evt-1") == "unconfirmed" })
	require.LessOrEqual(t, len(e.Provider.Calls("GetPayment"))-reads, 20)
	require.False(t, e.Order(o.ID).NeedsAttention)
	require.Empty(t, e.Order(o.ID).Attempts[0].Owed)

	e.Provider.Honest.Edit(attempt, func(p *sdk.Payment) {
		p.Refunds.Items = []sdk.Refund{{ID: "re-none", CaptureID: p.Captures.Items[0].ID, Status: sdk.MovementSucceeded, Amount: usd(1)}}
	})
	_, err = e.Callback(event) // the provider's "resend"
	require.NoError(t, err)
	e.Due()
	require.Equal(t, "applied", outcomeOf(e, "evt-1"))
	require.Equal(t, int64(1), e.Order(o.ID).Refunded)
}

// TestOwed_SentAgain: an event that is not confirmed and comes once more counts:
// the reads come in short steps again.
func TestOwed_SentAgain(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	attempt := o.Attempts[0].ID
	e.Due()
	event := hinted(e, "evt-1", attempt, sdk.Expectation{Kind: sdk.ExpectRefund, ID: "re-out", AtLeast: "succeeded"})
	_, err := e.Callback(event)
	require.NoError(t, err)
	until(e, 5*time.Second, 20*time.Minute, func() bool { return e.Order(o.ID).Attempts[0].Owed[0].Steps == 15 })
	reads := len(e.Provider.Calls("GetPayment"))
	e.After(20 * time.Second)
	require.Len(t, e.Provider.Calls("GetPayment"), reads, "the steps are long by now")
	for range 100 {
		_, err = e.Callback(event)
		require.NoError(t, err)
	}
	e.Due()
	require.Len(t, e.Provider.Calls("GetPayment"), reads+1, "at once, and once")
	e.After(5 * time.Second)
	require.Len(t, e.Provider.Calls("GetPayment"), reads+2, "and in short steps from there")
	require.Equal(t, "owed", outcomeOf(e, "evt-1"))
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM callbacks`))
}

// TestOwed_AFlood: many events at once (EVENTS, 2,000 in CI) cost at most one read a
// step; what is on record already is not owed.
func TestOwed_AFlood(t *testing.T) {
	t.Parallel()
	events, _ := strconv.Atoi(os.Getenv("EVENTS"))
	if events == 0 {
		events = 2_000
	}
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	attempt := o.Attempts[0].ID
	e.Due()
	capture := o.Captures[0].ProviderID
	reads := len(e.Provider.Calls("GetPayment"))
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := worker; i < events; i += 8 {
				expect := sdk.Expectation{Kind: sdk.ExpectCapture, ID: capture, AtLeast: "succeeded"}
				if i%2 == 1 {
					expect = sdk.Expectation{Kind: sdk.ExpectRefund, ID: fmt.Sprint("re-", i%100), AtLeast: "succeeded"}
				}
				if _, err := e.Callback(hinted(e, fmt.Sprint("evt-", i), attempt, expect)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	e.Due()
	require.Len(t, e.Provider.Calls("GetPayment"), reads+1)
	require.Len(t, e.Order(o.ID).Attempts[0].Owed, 20)
	require.Equal(t, events/2, e.Count(`SELECT count(*) FROM callbacks WHERE outcome = 'no_news'`))
	e.After(5 * time.Second)
	require.Len(t, e.Provider.Calls("GetPayment"), reads+2, "and one for the next step of all of them")
}

// TestOwed_OurOwnAnswer: a refund that the provider said it made, and that its
// complete list does not show, needs a person, until it shows.
func TestOwed_OurOwnAnswer(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	attempt := o.Attempts[0].ID
	a, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(4_000)})
	require.NoError(t, err)
	require.Empty(t, e.Provider.Calls("GetPayment"), "an answer costs no read")
	kept := e.Provider.Honest.Payment(attempt).Refunds.Items
	e.Provider.Honest.Edit(attempt, func(p *sdk.Payment) { p.Refunds.Items = nil })
	require.NoError(t, e.Service.Sync(t.Context(), attempt))
	require.False(t, e.Order(o.ID).NeedsAttention, "before its settling time a list says nothing")
	e.Clock.Advance(10 * time.Second)
	e.Provider.Script(func(s *paytest.Script) {
		s.GetPayment = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			p, err := e.Provider.Honest.GetPayment(ctx, r)
			p.Refunds.Complete = false
			return p, err
		}
	})
	require.NoError(t, e.Service.Sync(t.Context(), attempt))
	require.False(t, e.Order(o.ID).NeedsAttention, "nor does one that is not complete")
	e.Provider.Script(func(s *paytest.Script) { s.GetPayment = nil })
	require.NoError(t, e.Service.Sync(t.Context(), attempt))
	after := e.Order(o.ID)
	require.True(t, hasAttention(after, ledger.EventNotConfirmed))
	require.Equal(t, a.Refund.ID, after.Attention[0].MovementID)
	require.Equal(t, int64(4_000), after.Refunded, "absence removes nothing")

	e.Provider.Honest.Edit(attempt, func(p *sdk.Payment) { p.Refunds.Items = kept })
	until(e, time.Minute, 10*time.Minute, func() bool { return !e.Order(o.ID).NeedsAttention })
	e.Verified()
}

// TestOwed_RefusalReadsAnew: a refusal that the record did not foresee proves it
// to be behind: it is read at once, and again while the reads lag.
func TestOwed_RefusalReadsAnew(t *testing.T) {
	t.Parallel()
	for _, code := range []string{sdk.FailureState, sdk.FailureRefundExceedsBalance, sdk.FailureAmount, sdk.FailureExpired, sdk.FailureDuplicate} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			e := paytest.New(t, paytest.Options{})
			o := e.Checkout(paytest.FlowCharge)
			attempt := o.Attempts[0].ID
			e.Due()
			lagging(e, attempt, 8*time.Second)
			e.Provider.Honest.Edit(attempt, laggards["refund"].change) // in the dashboard, its callback lost
			e.Provider.Script(func(s *paytest.Script) {
				s.Refund = func(context.Context, sdk.RefundRequest) (*sdk.Refund, error) {
					return nil, sdk.Rejected(sdk.Failure{Code: code, Message: "no"})
				}
			})
			a, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.All()})
			require.NoError(t, err)
			require.Equal(t, ledger.OutcomeDeclined, a.Operation.Outcome)
			until(e, time.Second, 20*time.Second, func() bool { return e.Order(o.ID).Refundable == 7_500 })
			require.False(t, e.Order(o.ID).NeedsAttention)
			require.Empty(t, e.Order(o.ID).Attempts[0].Owed)
		})
	}
}

// lostRefund is a refund of 40.00 whose POSTs all end in nothing, though the
// provider carried the first out if so told.
func lostRefund(e *paytest.Env, o *ledger.Order, arrived bool) payments.Answer {
	e.T.Helper()
	first := true
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			if arrived && first {
				_, _ = e.Provider.Honest.Refund(ctx, r)
			}
			first = false
			return nil, errors.New("HTTP 500")
		}
	})
	a, err := e.Service.Refund(e.T.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(4_000)})
	require.NoError(e.T, err)
	require.Equal(e.T, ledger.OutcomeUnknown, a.Operation.Outcome)
	return a
}

// TestOwed_UnknownRefundIsFoundByReading: it is recovered by reading as well as
// by repeating, and holds up no other refund.
func TestOwed_UnknownRefundIsFoundByReading(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	a := lostRefund(e, o, true)
	until(e, time.Second, 20*time.Second, func() bool { return e.Order(o.ID).Refund(a.Refund.ID).Status == sdk.MovementSucceeded })
	require.Nil(t, e.Order(o.ID).OpenOperation(o.Attempts[0].ID))
	require.Equal(t, int64(4_000), e.Order(o.ID).Refunded)
	e.Verified()
}

// TestOwed_UnknownRefundIsNotFoundYet: while a repeat may still bring it there,
// a read that does not find it closes nothing.
func TestOwed_UnknownRefundIsNotFoundYet(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	a := lostRefund(e, o, false)
	for range 20 {
		e.After(time.Minute)
	}
	require.Equal(t, ledger.RefundUnknown, e.Order(o.ID).Refund(a.Refund.ID).Status)
	require.NotEmpty(t, e.Provider.Calls("GetRefund"))
	e.Provider.Script(func(s *paytest.Script) { s.Refund = nil })
	until(e, time.Minute, 3*time.Hour, func() bool { return e.Order(o.ID).Refund(a.Refund.ID).Status == sdk.MovementSucceeded })
	keys := map[string]bool{}
	for _, c := range e.Provider.Calls("Refund") {
		keys[c.Key] = true
	}
	require.Len(t, keys, 1)
}

// TestOwed_UnknownRefundAndItsEvent: its proven event closes it at once, one
// that proves nothing by the read that it asks for.
func TestOwed_UnknownRefundAndItsEvent(t *testing.T) {
	t.Parallel()
	for _, proven := range []bool{true, false} {
		e := paytest.New(t, paytest.Options{})
		o := e.Checkout(paytest.FlowCharge)
		attempt := o.Attempts[0].ID
		a := lostRefund(e, o, true)
		e.Provider.Script(func(s *paytest.Script) {
			s.GetRefund = func(context.Context, sdk.GetRefundRequest) (*sdk.Refund, error) { return nil, errors.New("HTTP 500") }
		})
		made := e.Provider.Honest.Payment(attempt).Refunds.Items[0]
		event := hinted(e, "evt-1", attempt, sdk.Expectation{Kind: sdk.ExpectRefund, ID: made.ID, AtLeast: "succeeded"})
		if proven {
			event.Facts[0].Proven = true
			event.Facts[0].Payment.Refunds.Items = []sdk.Refund{made}
		}
		_, err := e.Callback(event)
		require.NoError(t, err)
		if !proven {
			e.Due()
		}
		require.Equal(t, sdk.MovementSucceeded, e.Order(o.ID).Refund(a.Refund.ID).Status, "proven: %v", proven)
		require.Nil(t, e.Order(o.ID).OpenOperation(attempt))
		require.Equal(t, "applied", outcomeOf(e, "evt-1"))
	}
}

// TestOwed_DashboardRefundBesideAnUnknownOne is found at once: what can still be
// refunded must be right while our own refund is not settled.
func TestOwed_DashboardRefundBesideAnUnknownOne(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	attempt := o.Attempts[0].ID
	lostRefund(e, o, false)
	e.Provider.Honest.Edit(attempt, laggards["refund"].change)
	_, err := e.Callback(hinted(e, "evt-1", attempt, laggards["refund"].expect))
	require.NoError(t, err)
	e.Due()
	require.Equal(t, int64(3_500), e.Order(o.ID).Refundable, "10000 less 4000 reserved less 2500")
	require.Equal(t, "applied", outcomeOf(e, "evt-1"))
	require.NotNil(t, e.Order(o.ID).OpenOperation(attempt), "ours is as unknown as before")
}

// TestOwed_WhileAnOperationStaysUnknown: the looks at an operation become rare, and an
// event that comes then is read for in its own steps all the same.
func TestOwed_WhileAnOperationStaysUnknown(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	attempt := o.Attempts[0].ID
	lostRefund(e, o, false)
	for range 20 {
		e.After(time.Hour)
	}
	require.Equal(t, time.Hour, next(e, o.ID))
	before := e.Provider.Honest.Payment(attempt)
	e.Provider.Honest.Edit(attempt, laggards["refund"].change)
	seen := e.Clock.Now().Add(30 * time.Second)
	e.Provider.Script(func(s *paytest.Script) {
		s.GetPayment = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			if e.Clock.Now().Before(seen) {
				return before, nil
			}
			return e.Provider.Honest.GetPayment(ctx, r)
		}
	})
	_, err := e.Callback(hinted(e, "evt-1", attempt, laggards["refund"].expect))
	require.NoError(t, err)
	took := until(e, time.Second, 3*time.Minute, func() bool { return e.Order(o.ID).Refunded == 2_500 })
	require.LessOrEqual(t, took, 2*time.Minute)
	require.NotNil(t, e.Order(o.ID).OpenOperation(attempt), "ours is as unknown as before")
}

// TestOwed_UnknownCaptureWhoseEventWasFaster: the event has moved the payment
// already, so that the read which ends the operation shows no change.
func TestOwed_UnknownCaptureWhoseEventWasFaster(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Authorized()
	attempt := o.Attempts[0].ID
	e.Provider.Script(func(s *paytest.Script) {
		s.Capture = func(ctx context.Context, r sdk.CaptureRequest) (*sdk.Payment, error) {
			_, _ = e.Provider.Honest.Capture(ctx, r)
			return nil, errors.New("HTTP 500")
		}
	})
	a, err := e.Service.Capture(t.Context(), e.Caller(), o.ID, payments.CaptureInput{Amount: ledger.All()})
	require.NoError(t, err)
	require.Equal(t, ledger.OutcomeUnknown, a.Operation.Outcome)
	_, err = e.Callback(e.Fact("evt-1", attempt, true, *e.Provider.Honest.Payment(attempt)))
	require.NoError(t, err)
	require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
	until(e, time.Second, 20*time.Second, func() bool { return e.Order(o.ID).OpenOperation(attempt) == nil })
	require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM operations WHERE id = $1 AND outcome = 'succeeded'`, a.Operation.ID))
}

// TestOwed_ProviderAwayIsNoStep: neither a failing read nor one that is refused
// for its rate uses up what an event is owed.
func TestOwed_ProviderAwayIsNoStep(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	attempt := o.Attempts[0].ID
	e.Due()
	e.Provider.Honest.Edit(attempt, laggards["refund"].change)
	e.Provider.Script(func(s *paytest.Script) {
		s.GetPayment = func(context.Context, sdk.PaymentRequest) (*sdk.Payment, error) {
			return nil, sdk.NotSent("rate limited")
		}
	})
	_, err := e.Callback(hinted(e, "evt-1", attempt, laggards["refund"].expect))
	require.NoError(t, err)
	for range 40 {
		e.After(30 * time.Second)
	}
	require.Zero(t, e.Order(o.ID).Attempts[0].Owed[0].Steps)
	require.Equal(t, "owed", outcomeOf(e, "evt-1"))
	e.Provider.Script(func(s *paytest.Script) { s.GetPayment = nil })
	until(e, time.Second, 2*time.Minute, func() bool { return e.Order(o.ID).Refunded == 2_500 })
}
