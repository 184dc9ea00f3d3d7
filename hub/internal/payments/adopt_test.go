package payments_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/api"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgproxy"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// TestAdopt_AnOrderComesBack: what the database has lost and the provider lists is
// on record again under the same ids, with all money, and the app's repeat is
// answered from it without a call of the provider.
func TestAdopt_AnOrderComesBack(t *testing.T) {
	for name, c := range map[string]struct {
		flow   string
		mode   sdk.CaptureMode
		after  func(e *paytest.Env, attemptID string)
		status ledger.OrderStatus
	}{
		"charged":       {paytest.FlowCharge, sdk.CaptureAutomatic, nil, ledger.OrderPaid},
		"held":          {paytest.FlowCharge, sdk.CaptureManual, nil, ledger.OrderAuthorized},
		"an open page":  {paytest.FlowPage, sdk.CaptureManual, nil, ledger.OrderOpen},
		"a page paid":   {paytest.FlowPage, sdk.CaptureAutomatic, func(e *paytest.Env, id string) { e.Provider.Honest.Pay(id) }, ledger.OrderPaid},
		"paid and back": {paytest.FlowCharge, sdk.CaptureAutomatic, func(e *paytest.Env, id string) { e.Provider.Honest.Refunded(id, paytest.USD(4_000)) }, ledger.OrderPartiallyRefunded},
		"declined": {paytest.FlowPage, sdk.CaptureAutomatic, func(e *paytest.Env, id string) {
			e.Provider.Honest.Edit(id, func(p *sdk.Payment) {
				p.Status = sdk.Failed
				p.Failure = &sdk.Failure{Code: sdk.FailureDeclined}
			})
		}, ledger.OrderOpen},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := paytest.New(t, paytest.Options{Service: func(o *payments.Options) { o.Render = api.Render }})
			e.Listen()
			restore := pgtest.Backup(t, e.URL)
			caller, in := e.Caller(), e.Input(c.flow)
			in.Capture = c.mode
			a, err := e.Service.Checkout(t.Context(), caller, in)
			require.NoError(t, err)
			told := a.Order
			if c.after != nil {
				c.after(e, told.Attempts[0].ID)
				require.NoError(t, e.Service.Sync(t.Context(), told.Attempts[0].ID))
			}
			told = e.Order(told.ID)
			restore()
			e.Clock.Advance(time.Minute)
			list(t, e)

			o := e.Order(told.ID)
			require.Equal(t, c.status, o.Status)
			require.Equal(t, told.Attempts[0].ID, o.Attempts[0].ID)
			require.Equal(t, told.Attempts[0].Flow, o.Attempts[0].Flow)
			require.Equal(t, c.mode, o.Attempts[0].CaptureMode)
			require.Equal(t, told.Reference, o.Reference)
			require.Equal(t, [4]int64{told.Amount, told.Captured, told.Refunded, told.Authorized}, [4]int64{o.Amount, o.Captured, o.Refunded, o.Authorized})
			require.Greater(t, o.AppVersion(), told.AppVersion(), "apps take the newest version")
			notified := e.Notified(o.ID)
			require.NotEmpty(t, notified)
			var newest struct {
				Data struct {
					Status  ledger.OrderStatus
					Version int64
				}
			}
			require.NoError(t, json.Unmarshal([]byte(notified[len(notified)-1]), &newest))
			require.Equal(t, c.status, newest.Data.Status)
			require.Greater(t, newest.Data.Version, told.AppVersion())
			require.False(t, o.NeedsAttention, "%+v", o.Attention)
			require.Zero(t, e.Count(`SELECT count(*) FROM unmatched`))

			calls := len(e.Moves())
			again, err := e.Service.Checkout(t.Context(), caller, in)
			require.NoError(t, err)
			require.Equal(t, o.ID, again.Order.ID)
			other := in
			other.Amount++
			_, err = e.Service.Checkout(t.Context(), caller, other)
			refused(t, err, "idempotency_key_reused")
			_, err = e.Service.Checkout(t.Context(), e.Caller(), in)
			refused(t, err, "reference_used")
			require.Len(t, e.Moves(), calls)
			list(t, e)
			require.Equal(t, o.Version, e.Order(o.ID).Version, "the next list tells nothing new")
			e.Verified()
		})
	}
}

// TestAdopt_WhileItsAnswerIsOnTheWay: the database goes back while the provider is
// asked, and the payment is adopted before its answer comes. The order that the
// answer was asked for is at the same version, and is another one.
func TestAdopt_WhileItsAnswerIsOnTheWay(t *testing.T) {
	t.Parallel()
	for _, flow := range []string{paytest.FlowCharge, paytest.FlowPage} {
		e := paytest.New(t, paytest.Options{Service: func(o *payments.Options) { o.Render = api.Render }})
		e.Listen()
		restore := pgtest.Backup(t, e.URL)
		e.Provider.Script(func(s *paytest.Script) {
			s.CreateCheckout = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
				p, err := e.Provider.Honest.CreateCheckout(ctx, r)
				restore()
				e.Clock.Advance(time.Second)
				listOnly(t, e)
				return p, err
			}
		})
		a, err := e.Service.Checkout(t.Context(), e.Caller(), e.Input(flow))
		require.NoError(t, err)
		e.Due()
		o := e.Order(a.Order.ID)
		require.False(t, o.NeedsAttention, "%+v", o.Attention)
		require.Equal(t, 1, e.Count(`SELECT count(*) FROM events WHERE order_id = $1 AND kind = 'payment.recovered'`, o.ID), "its timeline goes on from there")
		require.Equal(t, a.Order.Status, o.Status)
		require.Equal(t, map[string]ledger.OrderStatus{paytest.FlowCharge: ledger.OrderPaid, paytest.FlowPage: ledger.OrderOpen}[flow], o.Status)
		e.Verified()
	}
}

// TestAdopt_IntoTheOrderThatHasTheReference: the app asked again under a new key
// before the lost payment was found. Only one of the two can be paid.
func TestAdopt_IntoTheOrderThatHasTheReference(t *testing.T) {
	for name, paid := range map[string]bool{"the lost page was paid": true, "the lost page is open": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := paytest.New(t, paytest.Options{})
			restore := pgtest.Backup(t, e.URL)
			in := e.Input(paytest.FlowPage)
			first, err := e.Service.Checkout(t.Context(), e.Caller(), in)
			require.NoError(t, err)
			lost := first.Order.Attempts[0].ID
			if paid {
				e.Provider.Honest.Pay(lost)
			}
			restore()
			e.Clock.Advance(time.Minute)
			second, err := e.Service.Checkout(t.Context(), e.Key("new"), in)
			require.NoError(t, err)
			fresh := second.Order.Attempts[0].ID
			list(t, e)

			o := e.Order(second.Order.ID)
			require.Len(t, o.Attempts, 2)
			closed, kept := lost, fresh
			if paid {
				closed, kept = fresh, lost
				require.Equal(t, ledger.OrderPaid, o.Status)
				require.Equal(t, int64(10_000), o.Captured)
			} else {
				require.Equal(t, ledger.OrderOpen, o.Status)
			}
			require.Equal(t, kept, o.Current().ID)
			require.Equal(t, sdk.Canceled, o.Attempt(closed).Status)
			require.Equal(t, sdk.Canceled, e.Provider.Honest.Payment(closed).Status, "nobody can pay it any more")
			require.False(t, o.NeedsAttention, "%+v", o.Attention)
			_, err = e.DB.Order(t.Context(), "", first.Order.ID)
			require.Error(t, err, "the reference is the other order's")
			e.Verified()
		})
	}
}

// TestAdopt_BothWerePaid: the second payment is on record, flagged, and can be
// given back.
func TestAdopt_BothWerePaid(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	restore := pgtest.Backup(t, e.URL)
	in := e.Input(paytest.FlowCharge)
	first, err := e.Service.Checkout(t.Context(), e.Caller(), in)
	require.NoError(t, err)
	restore()
	e.Clock.Advance(time.Minute)
	second, err := e.Service.Checkout(t.Context(), e.Key("new"), in)
	require.NoError(t, err)
	list(t, e)
	o := e.Order(second.Order.ID)
	require.Equal(t, int64(20_000), o.Captured)
	require.Equal(t, ledger.SecondPayment, o.Attention[0].Reason)
	_, err = e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.All(), AttemptID: first.Order.Attempts[0].ID})
	require.NoError(t, err)
	require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
	e.Verified()
}

// TestAdopt_AFurtherAttempt of an order that is on record goes to that order.
func TestAdopt_AFurtherAttempt(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowPage)
	restore := pgtest.Backup(t, e.URL)
	caller, in := e.Caller(), payments.AgainInput{AttemptInput: payments.AttemptInput{Provider: paytest.Name, Flow: paytest.FlowCharge}}
	a, err := e.Service.CheckoutAgain(t.Context(), caller, o.ID, in)
	require.NoError(t, err)
	restore()
	e.Clock.Advance(time.Minute)
	list(t, e)
	now := e.Order(o.ID)
	require.Equal(t, ledger.OrderPaid, now.Status)
	require.Equal(t, a.Order.Current().ID, now.Current().ID)
	calls := len(e.Moves())
	again, err := e.Service.CheckoutAgain(t.Context(), caller, o.ID, in)
	require.NoError(t, err)
	require.Equal(t, now.ID, again.Order.ID)
	require.Len(t, e.Moves(), calls)
	e.Verified()
}

// TestAdopt_OfAnAppThatIsGone: the app was made after the backup, too.
func TestAdopt_OfAnAppThatIsGone(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	restore := pgtest.Backup(t, e.URL)
	app, err := e.DB.EnsureApp(t.Context(), "app_2", "other", []string{"*"}, e.Clock.Now())
	require.NoError(t, err)
	caller := e.Caller()
	caller.App = app
	a, err := e.Service.Checkout(t.Context(), caller, e.Input(paytest.FlowCharge))
	require.NoError(t, err)
	restore()
	e.Clock.Advance(time.Minute)
	list(t, e)
	require.Zero(t, e.Count(`SELECT count(*) FROM orders`))
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM unmatched WHERE resolved_at IS NULL AND attempt_id = $1`, a.Order.Attempts[0].ID))
}

// TestAdopt_WithoutItsReference: the provider had no room for the reference, which
// the digest covers. The order on record has it.
func TestAdopt_WithoutItsReference(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowPage)
	restore := pgtest.Backup(t, e.URL)
	a, err := e.Service.CheckoutAgain(t.Context(), e.Caller(), o.ID, payments.AgainInput{AttemptInput: payments.AttemptInput{Provider: paytest.Name, Flow: paytest.FlowCharge}})
	require.NoError(t, err)
	lost := e.Checkout(paytest.FlowCharge)
	restore()
	for _, id := range []string{a.Order.Current().ID, lost.Attempts[0].ID} {
		e.Provider.Honest.Edit(id, func(p *sdk.Payment) { p.Reference = "" })
	}
	e.Clock.Advance(time.Minute)
	list(t, e)
	require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM orders`), "of the other one nobody knows the reference")
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM unmatched WHERE resolved_at IS NULL AND attempt_id = $1`, lost.Attempts[0].ID))
	e.Verified()
}

// TestAdopt_NoRoom: the order has all the attempts that it may have by now; the
// lost one is for a person.
func TestAdopt_NoRoom(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowPage)
	again := func() {
		_, err := e.Service.CheckoutAgain(t.Context(), e.Caller(), o.ID, payments.AgainInput{AttemptInput: payments.AttemptInput{Provider: paytest.Name, Flow: paytest.FlowPage}})
		require.NoError(t, err)
	}
	for range ledger.MaxAttempts - 2 {
		again()
	}
	restore := pgtest.Backup(t, e.URL)
	again()
	lost := e.Order(o.ID).Current().ID
	e.Provider.Honest.Pay(lost)
	restore()
	again()
	e.Clock.Advance(time.Minute)
	list(t, e)
	require.Len(t, e.Order(o.ID).Attempts, ledger.MaxAttempts)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM unmatched WHERE resolved_at IS NULL AND attempt_id = $1`, lost))
}

// TestAdopt_ARepeatUnderWay: the app repeats the lost request under its key, and
// the provider's answer is lost. The listed payment is what it asked for.
func TestAdopt_ARepeatUnderWay(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	restore := pgtest.Backup(t, e.URL)
	caller, in := e.Caller(), e.Input(paytest.FlowCharge)
	first, err := e.Service.Checkout(t.Context(), caller, in)
	require.NoError(t, err)
	restore()
	e.Clock.Advance(time.Minute)
	e.Provider.Script(func(s *paytest.Script) {
		s.CreateCheckout = func(context.Context, sdk.CheckoutRequest) (*sdk.Payment, error) { return nil, fmt.Errorf("lost") }
	})
	second, err := e.Service.Checkout(t.Context(), caller, in)
	require.NoError(t, err)
	require.Equal(t, ledger.OutcomeUnknown, second.Operation.Outcome)
	list(t, e)
	o := e.Order(second.Order.ID)
	require.Equal(t, ledger.OrderPaid, o.Status)
	require.Equal(t, first.Order.Attempts[0].ID, o.Current().ID)
	require.Equal(t, int64(10_000), o.Captured)
	require.Equal(t, sdk.Failed, o.Attempt(second.Order.Attempts[0].ID).Status)
	e.Verified()
}

// TestAdopt_ARepeatAnsweredMeanwhile: the repeat is answered while the adoption that
// takes it for open is recorded. The payment keeps its own attempt.
func TestAdopt_ARepeatAnsweredMeanwhile(t *testing.T) {
	t.Parallel()
	e, proxy, direct := behindProxy(t, paytest.Options{})
	other := paytest.New(t, paytest.Options{DatabaseURL: direct, Provider: e.Provider, Clock: e.Clock})
	restore := pgtest.Backup(t, direct)
	caller, in := e.Caller(), e.Input(paytest.FlowPage)
	first, err := other.Service.Checkout(t.Context(), caller, in)
	require.NoError(t, err)
	lost := first.Order.Attempts[0].ID
	e.Provider.Honest.Pay(lost)
	restore()
	e.Clock.Advance(time.Minute)
	asked, answer, answered := make(chan struct{}), make(chan struct{}), make(chan struct{})
	e.Provider.Script(func(s *paytest.Script) {
		s.CreateCheckout = func(_ context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			close(asked)
			<-answer
			return &sdk.Payment{ // another page: this provider has forgotten the key
				AttemptID: r.AttemptID, InstanceID: r.InstanceID, Refs: []sdk.Ref{{Kind: "payment", Value: "another page"}}, Mode: sdk.Test,
				Status: sdk.RequiresAction, Amount: r.Amount, NextAction: &sdk.NextAction{Type: sdk.ActionRedirect, URL: "https://pay.example/"},
			}, nil
		}
	})
	var second payments.Answer
	go func() {
		defer close(answered)
		second, err = other.Service.Checkout(t.Context(), caller, in)
	}()
	<-asked
	cut := proxy.Cut(pgproxy.Rule{Moment: pgproxy.Before, Match: pgproxy.Writes("orders"), Then: func() {
		close(answer)
		<-answered
	}})
	list(t, e)
	require.Equal(t, 1, cut.Hits())
	require.NoError(t, err)
	require.Equal(t, ledger.OutcomeSucceeded, second.Operation.Outcome)
	o := e.Order(second.Order.ID)
	require.Len(t, o.Attempts, 2)
	require.Equal(t, int64(10_000), o.Captured)
	require.Equal(t, lost, o.Captures[0].AttemptID)
	require.Equal(t, ledger.OrderPaid, o.Status)
	require.False(t, o.NeedsAttention, "%+v", o.Attention)
	e.Verified()
}

// TestAdopt_RefundsToo: a lost refund of a lost payment is known by its own id,
// and its repeat moves no money.
func TestAdopt_RefundsToo(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	restore := pgtest.Backup(t, e.URL)
	paid := e.Checkout(paytest.FlowCharge)
	key := e.Caller()
	back, err := e.Service.Refund(t.Context(), key, paid.ID, payments.RefundInput{Amount: ledger.Minor(4_000)})
	require.NoError(t, err)
	restore()
	e.Clock.Advance(48 * time.Hour) // longer than the provider remembers keys
	list(t, e)
	o := e.Order(paid.ID)
	require.Equal(t, ledger.OrderPartiallyRefunded, o.Status)
	require.Equal(t, back.Refund.ID, o.Refunds[0].ID)
	require.Equal(t, ledger.ByHub, o.Refunds[0].Origin)
	calls := len(e.Moves())
	again, err := e.Service.Refund(t.Context(), key, paid.ID, payments.RefundInput{Amount: ledger.Minor(4_000)})
	require.NoError(t, err)
	require.Equal(t, back.Refund.ID, again.Refund.ID)
	require.Len(t, e.Moves(), calls)
	e.Verified()
}

// TestAdopt_WhatIsNotProvenIsForAPerson: nothing is adopted on the word of
// metadata that the hub did not sign for this amount.
func TestAdopt_WhatIsNotProvenIsForAPerson(t *testing.T) {
	for name, change := range map[string]func(*sdk.Payment){
		"another amount": func(p *sdk.Payment) { p.Amount.Amount = 1 },
		"another app":    func(p *sdk.Payment) { p.AppID = "app_2" },
		"no digest":      func(p *sdk.Payment) { p.Digest = "" }, // of an earlier version
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := paytest.New(t, paytest.Options{})
			restore := pgtest.Backup(t, e.URL)
			o := e.Checkout(paytest.FlowCharge)
			restore()
			whole := *e.Provider.Honest.Payment(o.Attempts[0].ID)
			e.Provider.Honest.Edit(o.Attempts[0].ID, change)
			e.Clock.Advance(time.Minute)
			list(t, e)
			require.Zero(t, e.Count(`SELECT count(*) FROM orders`))
			require.Equal(t, 1, e.Count(`SELECT count(*) FROM unmatched WHERE resolved_at IS NULL AND certain`))
			require.Zero(t, e.Count(`SELECT count(*) FROM fences`), "it is no evidence either")

			e.Provider.Honest.Edit(o.Attempts[0].ID, func(p *sdk.Payment) { *p = whole })
			list(t, e)
			require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
			require.Zero(t, e.Count(`SELECT count(*) FROM unmatched WHERE resolved_at IS NULL`), "nobody has to look any more")
		})
	}
}

// resigned changes the metadata of a payment as the hub would have written them.
func resigned(e *paytest.Env, a *ledger.Attempt, change func(*sdk.Payment)) {
	e.Provider.Honest.Edit(a.ID, func(p *sdk.Payment) {
		change(p)
		p.Digest = e.DB.Secret().SignPayment(ledger.PaymentClaim{
			InstanceID: p.InstanceID, AppID: p.AppID, OrderID: p.OrderID, AttemptID: p.AttemptID, Reference: p.Reference, KeyHash: p.KeyHash,
			Flow: a.Flow, CaptureMode: a.CaptureMode, Amount: p.Amount,
		})
	})
}

// TestAdopt_TwoPaymentsUnderOneKey: the provider had forgotten the key. Both
// payments are on record again; the app's repeat is answered with one of them.
func TestAdopt_TwoPaymentsUnderOneKey(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	restore := pgtest.Backup(t, e.URL)
	first, second := e.Checkout(paytest.FlowCharge), e.Checkout(paytest.FlowCharge)
	restore()
	key := e.Provider.Honest.Payment(first.Attempts[0].ID).KeyHash
	require.NotEmpty(t, key)
	resigned(e, second.Attempts[0], func(p *sdk.Payment) { p.KeyHash = key })
	e.Clock.Advance(time.Minute)
	list(t, e)
	for _, o := range []*ledger.Order{first, second} {
		require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
	}
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM operations WHERE key_hash = $1`, key))
	e.Verified()
}

// TestAdopt_NotIntoTheOrderOfAnotherApp: a payment that names another app's order
// is for a person, also if the hub wrote it.
func TestAdopt_NotIntoTheOrderOfAnotherApp(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	_, err := e.DB.EnsureApp(t.Context(), "app_2", "other", []string{"*"}, e.Clock.Now())
	require.NoError(t, err)
	kept := e.Checkout(paytest.FlowCharge)
	restore := pgtest.Backup(t, e.URL)
	lost := e.Checkout(paytest.FlowCharge)
	restore()
	resigned(e, lost.Attempts[0], func(p *sdk.Payment) { p.AppID, p.OrderID = "app_2", kept.ID })
	e.Clock.Advance(time.Minute)
	list(t, e)
	require.Len(t, e.Order(kept.ID).Attempts, 1)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM orders`))
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM unmatched WHERE resolved_at IS NULL AND attempt_id = $1`, lost.Attempts[0].ID))
}

// TestAdopt_WhatTheBrowserMade counts only after a read with the checks of its
// flow: the payer may have written the metadata into a payment to somebody else.
func TestAdopt_WhatTheBrowserMade(t *testing.T) {
	for name, honest := range map[string]bool{"of this merchant": true, "of somebody else": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			provider := paytest.NewProvider().Change(func(d *sdk.Description) {
				for i := range d.Flows {
					if d.Flows[i].Name == paytest.FlowPage {
						d.Flows[i].Capabilities = append(d.Flows[i].Capabilities, sdk.CreatedByBrowser)
					}
				}
			})
			e := paytest.New(t, paytest.Options{Provider: provider})
			restore := pgtest.Backup(t, e.URL)
			o := e.Checkout(paytest.FlowPage)
			id := o.Attempts[0].ID
			e.Provider.Honest.Pay(id)
			restore()
			if !honest {
				e.Provider.Script(func(s *paytest.Script) {
					s.GetPayment = func(context.Context, sdk.PaymentRequest) (*sdk.Payment, error) { return nil, sdk.ErrNotFound }
				})
			}
			e.Clock.Advance(time.Minute)
			list(t, e)
			now := e.Order(o.ID)
			if honest {
				require.Equal(t, ledger.OrderPaid, now.Status)
				require.NotEmpty(t, now.Attempts[0].Refs)
			} else {
				require.Equal(t, ledger.OrderOpen, now.Status)
				require.Empty(t, now.Captures)
				require.Empty(t, now.Attempts[0].Refs)
			}
			e.Verified()
		})
	}
}
