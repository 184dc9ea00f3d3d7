package payments_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/devpg/pgproxy"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// behindProxy is an environment whose hub reaches PostgreSQL through a proxy.
// Its own queries, and a second hub, do not: see direct.
func behindProxy(t *testing.T, o paytest.Options) (e *paytest.Env, proxy *pgproxy.Proxy, direct string) {
	t.Helper()
	direct = pgtest.Migrated(t)
	proxy, err := pgproxy.Start(direct)
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	o.DatabaseURL = proxy.URL()
	return paytest.New(t, o), proxy, direct
}

// lostVerb is one request of an app or an operator, on an order made for it.
type lostVerb struct {
	name, method string // the method of the provider that it calls
	order        func(*paytest.Env) *ledger.Order
	ask          func(context.Context, *paytest.Env, payments.Caller, *ledger.Order) (payments.Answer, error)
	status       ledger.OrderStatus // of the order afterwards
}

var refundVerb = lostVerb{
	"refund", "Refund", func(e *paytest.Env) *ledger.Order { return e.Checkout(paytest.FlowCharge) },
	func(ctx context.Context, e *paytest.Env, c payments.Caller, o *ledger.Order) (payments.Answer, error) {
		return e.Service.Refund(ctx, c, o.ID, payments.RefundInput{Amount: ledger.Minor(4_000)})
	}, ledger.OrderPartiallyRefunded,
}

var lostVerbs = []lostVerb{
	{
		"checkout", "CreateCheckout", func(*paytest.Env) *ledger.Order { return nil },
		func(ctx context.Context, e *paytest.Env, c payments.Caller, _ *ledger.Order) (payments.Answer, error) {
			in := e.Input(paytest.FlowCharge)
			in.Reference = "of " + c.IdempotencyKey
			return e.Service.Checkout(ctx, c, in)
		}, ledger.OrderPaid,
	},
	{
		"confirm", "Confirm", func(e *paytest.Env) *ledger.Order { return e.Checkout(paytest.FlowPage) },
		func(ctx context.Context, e *paytest.Env, c payments.Caller, o *ledger.Order) (payments.Answer, error) {
			return e.Service.Confirm(ctx, c, o.ID, payments.ConfirmInput{})
		}, ledger.OrderPaid,
	},
	{
		"capture", "Capture", (*paytest.Env).Authorized,
		func(ctx context.Context, e *paytest.Env, c payments.Caller, o *ledger.Order) (payments.Answer, error) {
			return e.Service.Capture(ctx, c, o.ID, payments.CaptureInput{Amount: ledger.All()})
		}, ledger.OrderPaid,
	},
	{
		"cancel", "Cancel", (*paytest.Env).Authorized,
		func(ctx context.Context, e *paytest.Env, c payments.Caller, o *ledger.Order) (payments.Answer, error) {
			return e.Service.Cancel(ctx, c, o.ID, payments.CancelInput{})
		}, ledger.OrderCanceled,
	},
	refundVerb,
	{
		"operator's refund", "Refund", func(e *paytest.Env) *ledger.Order { return e.Checkout(paytest.FlowCharge) },
		func(ctx context.Context, e *paytest.Env, c payments.Caller, o *ledger.Order) (payments.Answer, error) {
			c, err := e.Service.Operate(ctx, o.ID, c.IdempotencyKey, c.RequestID, ledger.Operator{Name: "li.wei@example.com", Why: "asked by phone"})
			if err != nil {
				return payments.Answer{}, err
			}
			return e.Service.Refund(ctx, c, o.ID, payments.RefundInput{Amount: ledger.Minor(4_000)})
		}, ledger.OrderPartiallyRefunded,
	},
}

// once fails the test unless the provider was asked exactly once more than
// before, and stays so: nothing is left behind that runs later.
func once(t *testing.T, e *paytest.Env, v lostVerb, before int, orderID, about string) {
	t.Helper()
	require.Len(t, e.Provider.Calls(v.method), before+1, about)
	require.Equal(t, v.status, e.Order(orderID).Status, about)
	require.Zero(t, e.Count(`SELECT count(*) FROM operations WHERE order_id = $1 AND outcome IN ('pending', 'unknown')`, orderID), about)
	e.After(10 * time.Minute)
	require.Len(t, e.Provider.Calls(v.method), before+1, about+": later")
	require.Equal(t, v.status, e.Order(orderID).Status, about+": later")
	e.Verified()
}

// TestLostAnswer_OfAVerb: the database's answer to the commit that records an
// operation, or to the one that records its outcome, is lost. The caller is
// answered as ever, by its first request, and the provider is asked once.
func TestLostAnswer_OfAVerb(t *testing.T) {
	t.Parallel()
	e, proxy, _ := behindProxy(t, paytest.Options{})
	for _, v := range lostVerbs {
		for _, moment := range pgproxy.Moments {
			for commit, skip := range map[string]int{"of the operation": 0, "of its outcome": 1} {
				about := v.name + ", " + moment.String() + ", " + commit
				o, c, before := v.order(e), e.Caller(), len(e.Provider.Calls(v.method))
				cut := proxy.Cut(pgproxy.Rule{Moment: moment, Match: pgproxy.Writes("operations"), Skip: skip, Reset: moment == pgproxy.Unanswered && skip == 1})
				a, err := v.ask(t.Context(), e, c, o)
				require.NoError(t, err, about)
				require.Equal(t, 1, cut.Hits(), about)
				require.Equal(t, ledger.OutcomeSucceeded, a.Operation.Outcome, about)
				require.Equal(t, v.status, a.Order.Status, about)
				once(t, e, v, before, a.Order.ID, about)
				again, err := v.ask(t.Context(), e, c, o)
				require.NoError(t, err, about)
				require.Equal(t, a.Operation.ID, again.Operation.ID, about)
				require.Len(t, e.Provider.Calls(v.method), before+1, about+": repeated")
			}
		}
	}
}

// TestLostAnswer_AnotherHubRecovers: while a hub waits for the answer to the
// commit of an operation, its lease ends, and another hub sends it. The first
// hub does not send it as well.
func TestLostAnswer_AnotherHubRecovers(t *testing.T) {
	t.Parallel()
	e, proxy, direct := behindProxy(t, paytest.Options{})
	other := paytest.New(t, paytest.Options{DatabaseURL: direct, Provider: e.Provider, Clock: e.Clock})
	for _, v := range lostVerbs {
		o, c, before := v.order(e), e.Caller(), len(e.Provider.Calls(v.method))
		cut := proxy.Cut(pgproxy.Rule{Moment: pgproxy.Unanswered, Match: pgproxy.Writes("operations"), Then: func() {
			if other.After(time.Minute) == 0 {
				t.Errorf("%s: the other hub found nothing to recover", v.name)
			}
		}})
		a, err := v.ask(t.Context(), e, c, o)
		require.NoError(t, err, v.name)
		require.Equal(t, 1, cut.Hits(), v.name)
		require.Equal(t, ledger.OutcomeSucceeded, a.Operation.Outcome, v.name)
		once(t, e, v, before, a.Order.ID, v.name)
	}
}

// TestLostAnswer_AnotherHubIsAtIt: another hub has taken the operation over and
// still waits for the provider. The first hub leaves it to that one, and does
// not tell its caller no.
func TestLostAnswer_AnotherHubIsAtIt(t *testing.T) {
	t.Parallel()
	e, proxy, direct := behindProxy(t, paytest.Options{})
	other := paytest.New(t, paytest.Options{DatabaseURL: direct, Provider: e.Provider, Clock: e.Clock})
	for _, v := range lostVerbs {
		o, c, before := v.order(e), e.Caller(), len(e.Provider.Calls(v.method))
		asked, answer := make(chan bool, 1), make(chan bool)
		e.Provider.Script(func(s *paytest.Script) {
			*s = during(e, func() int {
				asked <- true
				<-answer
				return 0
			})
		})
		var recovery sync.WaitGroup
		proxy.Cut(pgproxy.Rule{Moment: pgproxy.Unanswered, Match: pgproxy.Writes("operations"), Then: func() {
			recovery.Go(func() { other.After(time.Minute) })
			<-asked
		}})
		_, err := v.ask(t.Context(), e, c, o)
		refused(t, err, "outcome_not_recorded")
		e.Provider.Script(func(s *paytest.Script) { *s = paytest.Script{} })
		close(answer)
		recovery.Wait()
		a, err := v.ask(t.Context(), e, c, o)
		require.NoError(t, err, v.name)
		once(t, e, v, before, a.Order.ID, v.name)
	}
}

// TestLostAnswer_NobodyRecovered: the lease has ended, and nobody took the
// operation over: its caller takes a new lease and sends it.
func TestLostAnswer_NobodyRecovered(t *testing.T) {
	t.Parallel()
	e, proxy, direct := behindProxy(t, paytest.Options{})
	other := paytest.New(t, paytest.Options{DatabaseURL: direct, Provider: e.Provider, Clock: e.Clock})
	for _, v := range lostVerbs {
		o, c, before := v.order(e), e.Caller(), len(e.Provider.Calls(v.method))
		proxy.Cut(pgproxy.Rule{Moment: pgproxy.Unanswered, Match: pgproxy.Writes("operations"), Then: func() { e.Clock.Advance(time.Minute) }})
		// While the provider works on it, another hub finds the lease alive.
		e.Provider.Script(func(s *paytest.Script) { *s = during(e, other.Due) })
		a, err := v.ask(t.Context(), e, c, o)
		e.Provider.Script(func(s *paytest.Script) { *s = paytest.Script{} })
		require.NoError(t, err, v.name)
		once(t, e, v, before, a.Order.ID, v.name)
	}
}

// during has something done while the provider works on a request.
func during(e *paytest.Env, do func() int) paytest.Script {
	h := &e.Provider.Honest
	return paytest.Script{
		CreateCheckout: func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			do()
			return h.CreateCheckout(ctx, r)
		},
		Confirm: func(ctx context.Context, r sdk.ConfirmRequest) (*sdk.Payment, error) { do(); return h.Confirm(ctx, r) },
		Capture: func(ctx context.Context, r sdk.CaptureRequest) (*sdk.Payment, error) { do(); return h.Capture(ctx, r) },
		Cancel:  func(ctx context.Context, r sdk.CancelRequest) (*sdk.Payment, error) { do(); return h.Cancel(ctx, r) },
		Refund:  func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) { do(); return h.Refund(ctx, r) },
	}
}

// TestLostAnswer_OfACallback: an applied callback stays applied, is
// acknowledged, and is applied once.
func TestLostAnswer_OfACallback(t *testing.T) {
	t.Parallel()
	e, proxy, _ := behindProxy(t, paytest.Options{})
	for _, proven := range []bool{true, false} {
		for _, moment := range pgproxy.Moments {
			o := e.Checkout(paytest.FlowPage)
			event := "evt " + o.ID
			p := e.Provider.Honest.Pay(o.Attempts[0].ID)
			cut := proxy.Cut(pgproxy.Rule{Moment: moment, Match: pgproxy.Writes("callbacks")})
			_, err := e.Callback(e.Fact(event, o.Attempts[0].ID, proven, *p))
			require.NoError(t, err, moment)
			require.Equal(t, 1, cut.Hits(), moment)
			require.Equal(t, 1, e.Count(`SELECT count(*) FROM callbacks WHERE event_id = $1 AND outcome = 'applied' AND due_at IS NULL`, event), moment)
			e.Due()
			require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status, moment)
			require.Equal(t, 1, e.Count(`SELECT count(*) FROM events WHERE order_id = $1 AND kind = 'order.paid'`, o.ID), moment)
		}
	}
	e.Verified()
}

// TestLostAnswer_AnAppliedCallbackStaysApplied: it was applied, and the hub could
// not find that out: what it writes instead does not take that back.
func TestLostAnswer_AnAppliedCallbackStaysApplied(t *testing.T) {
	t.Parallel()
	e, proxy, _ := behindProxy(t, paytest.Options{})
	o := e.Checkout(paytest.FlowPage)
	p := e.Provider.Honest.Pay(o.Attempts[0].ID)
	proxy.Cut(pgproxy.Rule{Moment: pgproxy.Unanswered, Match: pgproxy.Writes("callbacks"), Then: func() {
		proxy.Cut(pgproxy.Rule{Moment: pgproxy.Before, Match: pgproxy.Writes("orders")})
		proxy.Cut(pgproxy.Rule{Moment: pgproxy.Before, Match: pgproxy.Contains(`^SELECT EXISTS \(SELECT FROM events`), Times: 3})
	}})
	_, err := e.Callback(e.Fact("evt-1", o.Attempts[0].ID, true, *p))
	require.NoError(t, err, "it is on record, to be tried again")
	applied := func() int { return e.Count(`SELECT count(*) FROM callbacks WHERE outcome = 'applied'`) }
	require.Equal(t, 1, applied())
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM callbacks WHERE due_at IS NOT NULL`))
	e.After(time.Minute)
	require.Equal(t, 1, applied())
	require.Zero(t, e.Count(`SELECT count(*) FROM callbacks WHERE due_at IS NOT NULL`))
	require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
	e.Verified()
}

// TestLostAnswer_TheOrderOfACallbackIsGone: the database goes back to before an
// order, between a callback's look-up of it and the callback's own line. The
// line hangs on no order that is not there.
func TestLostAnswer_TheOrderOfACallbackIsGone(t *testing.T) {
	t.Parallel()
	e, proxy, direct := behindProxy(t, paytest.Options{})
	restore := pgtest.Backup(t, direct)
	o := e.Checkout(paytest.FlowCharge)
	p := e.Provider.Honest.Payment(o.Attempts[0].ID)
	proxy.Cut(pgproxy.Rule{Moment: pgproxy.Before, Match: pgproxy.Writes("callbacks"), Then: restore})
	_, err := e.Callback(e.Fact("evt-1", o.Attempts[0].ID, true, *p))
	require.NoError(t, err)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM callbacks WHERE outcome = 'unmatched' AND order_id IS NULL AND due_at IS NOT NULL`))
	e.Verified()
}

// TestLostAnswer_TheReferenceIsGone: the database goes back to before an order, between
// the refusal of its reference for another one and the look-up of whose it is. The
// request is not told that the reference is used: it is not.
func TestLostAnswer_TheReferenceIsGone(t *testing.T) {
	t.Parallel()
	e, proxy, direct := behindProxy(t, paytest.Options{})
	restore := pgtest.Backup(t, direct)
	in := e.Input(paytest.FlowCharge)
	a, err := e.Service.Checkout(t.Context(), e.Caller(), in)
	require.NoError(t, err)
	_, err = e.Service.Checkout(t.Context(), e.Caller(), in)
	var used *ledger.Error
	require.ErrorAs(t, err, &used)
	require.Equal(t, []string{"reference_used", a.Order.ID}, []string{used.Code, used.OrderID})
	proxy.Cut(pgproxy.Rule{Moment: pgproxy.Before, Match: pgproxy.Contains(`record_send\(k\.p\)`), Then: restore})
	again := e.Caller()
	_, err = e.Service.Checkout(t.Context(), again, in)
	refused(t, err, "outcome_not_recorded")
	require.Len(t, e.Provider.Calls("CreateCheckout"), 1)
}

// TestLostAnswer_DatabaseAway: the answer is lost and the database cannot be
// asked. The caller is told that nobody knows, and its key finds out later.
func TestLostAnswer_DatabaseAway(t *testing.T) {
	t.Parallel()
	e, proxy, _ := behindProxy(t, paytest.Options{})
	for _, v := range lostVerbs {
		o, c, before := v.order(e), e.Caller(), len(e.Provider.Calls(v.method))
		proxy.Cut(pgproxy.Rule{Moment: pgproxy.Unanswered, Match: pgproxy.Writes("operations"), Then: func() {
			proxy.Cut(pgproxy.Rule{Moment: pgproxy.Before, Match: func(string) bool { return true }, Times: 1000})
		}})
		_, err := v.ask(t.Context(), e, c, o)
		proxy.Lift()
		refused(t, err, "outcome_not_recorded")
		require.Len(t, e.Provider.Calls(v.method), before, v.name+": nobody sent it")
		_, err = v.ask(t.Context(), e, c, o)
		refused(t, err, "in_flight")
		e.Clock.Advance(time.Minute)
		a, err := v.ask(t.Context(), e, c, o)
		require.NoError(t, err, v.name)
		once(t, e, v, before, a.Order.ID, v.name)
	}
}
