package payments_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

// twoNames is a hub with two names of one account.
func twoNames(t *testing.T) *paytest.Env {
	t.Helper()
	p := paytest.NewProvider()
	return paytest.New(t, paytest.Options{Provider: p, Others: map[string]*paytest.Provider{"second": p}})
}

// TestAccount_UnderTwoNames: what the account's list and its callbacks tell under one
// name of payments made under the other is no money of nobody.
func TestAccount_UnderTwoNames(t *testing.T) {
	t.Parallel()
	e := twoNames(t)
	known, open := e.Checkout(paytest.FlowCharge), e.Checkout(paytest.FlowPage)
	e.Due()
	paid := e.Provider.Honest.Pay(open.Attempts[0].ID)
	e.Provider.Script(func(s *paytest.Script) {
		s.List = paytest.Answers[sdk.ListRequest](&sdk.ListPage{Payments: []sdk.Payment{*e.Provider.Honest.Payment(known.Attempts[0].ID), *paid}})
	})
	now := e.Clock.Now()
	require.NoError(t, e.DB.CameUp(t.Context(), "second", now, payments.ListOverlap))
	lists(e)
	require.Zero(t, e.Count(`SELECT count(*) FROM unmatched`))
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM schedules WHERE provider = 'second' AND not_ours > 0`))

	body := e.Fact("evt-second", open.Attempts[0].ID, true, *paid)
	_, err := e.CallbackOf("second", body)
	require.NoError(t, err)
	require.Equal(t, ledger.OrderOpen, e.Order(open.ID).Status, "what another name says proves nothing")
	e.Due()
	require.Equal(t, ledger.OrderPaid, e.Order(open.ID).Status, "by a read under its own name")
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM callbacks WHERE outcome = 'foreign' AND due_at IS NULL AND note LIKE '%on record with provider scripted%'`))
	e.Verified()
}

// TestAccount_OfAnotherIsNotOurs: money of another account under an attempt's name,
// with its metadata, is nobody's, and put before a person.
func TestAccount_OfAnotherIsNotOurs(t *testing.T) {
	t.Parallel()
	second := paytest.NewProvider()
	e := paytest.New(t, paytest.Options{Others: map[string]*paytest.Provider{"second": second}})
	o := e.Checkout(paytest.FlowCharge)
	second.Script(func(s *paytest.Script) {
		s.List = paytest.Answers[sdk.ListRequest](&sdk.ListPage{Payments: []sdk.Payment{*e.Provider.Honest.Payment(o.Attempts[0].ID)}})
	})
	require.NoError(t, e.DB.CameUp(t.Context(), "second", e.Clock.Now(), payments.ListOverlap))
	lists(e)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM unmatched WHERE provider = 'second'`))
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM attempts WHERE provider = $1`, paytest.Name))
	e.Verified()
}

// TestRename_WhatIsOnRecord: afterwards everything goes on under the new name, also
// what a hub was in the middle of.
func TestRename_WhatIsOnRecord(t *testing.T) {
	t.Parallel()
	e := twoNames(t)
	e.Provider.Script(func(s *paytest.Script) {
		s.CreateCheckout = paytest.Changed(e.Provider.Honest.CreateCheckout, func(p *sdk.Payment) {
			for i := range p.Captures.Items {
				p.Captures.Items[i].Fee = sdk.Money{Amount: 30, Currency: "USD", Exponent: 2}
			}
		})
	})
	paid, held, open, doubtful := e.Checkout(paytest.FlowCharge), e.Authorized(), e.Checkout(paytest.FlowPage), e.Checkout(paytest.FlowCharge)
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = paytest.Lost(e.Provider.Honest.Refund)
		s.GetRefund = paytest.Fails[sdk.GetRefundRequest, sdk.Refund](paytest.ErrBroken)
	})
	_, err := e.Service.Refund(t.Context(), e.Caller(), doubtful.ID, payments.RefundInput{Amount: ledger.Minor(4_000)})
	require.NoError(t, err)
	capture, arrived, release := paytest.Held(e.Provider.Honest.Capture)
	e.Provider.Script(func(s *paytest.Script) { *s = paytest.Script{Capture: capture} })
	done := make(chan error, 1)
	caller := e.Caller()
	go func() {
		_, err := e.Service.Capture(t.Context(), caller, held.ID, payments.CaptureInput{Amount: ledger.Minor(6_000)})
		done <- err
	}()
	<-arrived

	_, err = e.DB.RenameProvider(t.Context(), "nobody", "renamed", e.Clock.Now())
	require.ErrorIs(t, err, postgres.ErrNotFound)
	fence := `INSERT INTO fences (provider, id, state, mark, reason, who, at, checked, found, error, opened) VALUES ('second', 'f', 'closed', now(), '', '', now(), 0, 0, '', '')`
	_, err = e.SQL.Exec(fence)
	require.NoError(t, err)
	_, err = e.DB.RenameProvider(t.Context(), paytest.Name, "second", e.Clock.Now())
	require.ErrorIs(t, err, postgres.ErrMoneyOutClosed)
	_, err = e.SQL.Exec(`DELETE FROM fences`)
	require.NoError(t, err)
	version := e.Order(paid.ID).Version
	e.Clock.Advance(time.Minute)
	n, err := e.DB.RenameProvider(t.Context(), paytest.Name, "second", e.Clock.Now())
	require.NoError(t, err)
	require.Equal(t, version+1, e.Order(paid.ID).Version, "what was decided on it before is stale")
	require.Equal(t, int64(4), n)
	var unlisted int
	require.NoError(t, e.SQL.QueryRow(`SELECT count(*) FROM orders WHERE changed_about <> date_bin('10 seconds', updated_at, timestamptz '2000-01-01 00:00:00+00')`).Scan(&unlisted))
	require.Zero(t, unlisted, "lists of what changed would not find them")
	release()
	require.NoError(t, <-done, "its outcome is recorded under the new name")
	e.Provider.Script(func(s *paytest.Script) { *s = paytest.Script{} })
	_, err = e.DB.RenameProvider(t.Context(), "another", "second", e.Clock.Now())
	require.True(t, errors.Is(err, postgres.ErrHasOrders), err)

	for _, table := range []string{"orders", "attempts", "refs", "captures", "refunds"} {
		require.Zero(t, e.Count(`SELECT count(*) FROM `+table+` WHERE provider = $1`, paytest.Name), table)
	}
	require.Zero(t, e.Count(`SELECT count(*) FROM postings WHERE account LIKE '%:' || $1`, paytest.Name))
	require.Equal(t, int64(6_000), e.Order(held.ID).Captured)
	_, err = e.Service.Refund(t.Context(), e.Caller(), paid.ID, payments.RefundInput{Amount: ledger.All()})
	require.NoError(t, err)
	_, err = e.CallbackOf("second", e.Fact("evt-1", open.Attempts[0].ID, true, *e.Provider.Honest.Pay(open.Attempts[0].ID)))
	require.NoError(t, err)
	require.Equal(t, ledger.OrderPaid, e.Order(open.ID).Status)
	e.After(time.Minute)
	require.Equal(t, int64(4_000), e.Order(doubtful.ID).Refunded)
	require.Len(t, e.Provider.Honest.Payment(doubtful.Attempts[0].ID).Refunds.Items, 1)
	names, err := e.DB.NamesBut(t.Context(), []string{paytest.Name})
	require.NoError(t, err)
	require.Equal(t, []string{"second"}, names)
	e.Verified()
}
