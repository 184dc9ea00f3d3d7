package payments_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

func fenceWithoutList(t *testing.T, b *backup) {
	e := b.began(paytest.Options{})
	e.Provider.Script(func(s *paytest.Script) {
		s.List = func(context.Context, sdk.ListRequest) (*sdk.ListPage, error) {
			return nil, sdk.Rejected(sdk.Failure{Code: sdk.FailureState, Message: "no lists here"})
		}
	})
	before, _, _ := lost(b, e)
	count(e)
	lists(e)
	eachOpens(t, e, before)
	e.Clock.Advance(10 * time.Minute)
	count(e)
	f := fence(e)
	require.Equal(t, postgres.FenceOpen, f.State)
	require.Contains(t, f.Opened, "not read to its end", "it says what was not checked")
	_, err := e.Service.Checkout(t.Context(), e.Caller(), e.Input(paytest.FlowCharge))
	require.NoError(t, err)
}

func eachOpens(t *testing.T, e *paytest.Env, before *ledger.Order) {
	t.Helper()
	require.Equal(t, postgres.FenceEach, fence(e).State)
	_, err := e.Service.Checkout(t.Context(), e.Caller(), e.Input(paytest.FlowCharge))
	refused(t, err, "history_lost")

	e.Provider.Script(func(s *paytest.Script) {
		s.GetPayment = func(context.Context, sdk.PaymentRequest) (*sdk.Payment, error) { return nil, context.DeadlineExceeded }
	})
	refunds := len(e.Provider.Calls("Refund"))
	refused(t, refund(e, "early", before.ID, 1_000), "history_lost")
	require.Len(t, e.Provider.Calls("Refund"), refunds, "a read that failed opens nothing")
	e.Provider.Script(func(s *paytest.Script) { s.GetPayment = nil })
	refused(t, refund(e, "too much", before.ID, 10_000), "refund_too_large")
	require.NoError(t, refund(e, "early", before.ID, 1_000))
	require.Equal(t, int64(5_000), e.Order(before.ID).Refunded, "what was lost and what is new")
	reads := len(e.Provider.Calls("GetPayment"))
	require.NoError(t, refund(e, "again", before.ID, 1_000))
	require.Len(t, e.Provider.Calls("GetPayment"), reads, "one read is enough")
}

func fenceForbidden(t *testing.T, b *backup) {
	e := b.began(paytest.Options{})
	e.Provider.Script(func(s *paytest.Script) {
		s.List = func(context.Context, sdk.ListRequest) (*sdk.ListPage, error) {
			return nil, sdk.Rejected(sdk.Failure{Code: sdk.FailureProviderCredentials, ProviderCode: "403", Message: "the key may not list"})
		}
	})
	before, _, _ := lost(b, e)
	count(e)
	require.True(t, page(e))
	eachOpens(t, e, before)
	require.Contains(t, fence(e).Error, "may not list")
	// The right is given, and the list goes on by itself.
	e.Provider.Script(func(s *paytest.Script) { s.List = nil })
	e.Clock.Advance(time.Minute)
	lists(e)
	require.Equal(t, postgres.FenceOpen, fence(e).State)
	require.Contains(t, fence(e).Opened, "list was read")
}

func fenceOfDown(t *testing.T, b *backup) {
	e := b.began(paytest.Options{})
	before, gone, _ := lost(b, e)
	p, _ := e.Registry.Get(paytest.Name)
	up := p.TakeDown()
	count(e)
	lists(e)
	require.Equal(t, postgres.FenceClosed, fence(e).State)
	refused(t, refund(e, "lost", before.ID, 4_000), "provider_down")
	up()
	refused(t, refund(e, "lost", before.ID, 4_000), "history_lost")
	lists(e)
	require.Equal(t, postgres.FenceOpen, fence(e).State)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM attempts WHERE id = $1 AND captured = 10000`, gone), "adopted")
}

func fenceNotSent(t *testing.T, b *backup) {
	e := b.began(paytest.Options{})
	before := e.Checkout(paytest.FlowCharge)
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = func(context.Context, sdk.RefundRequest) (*sdk.Refund, error) { return nil, sdk.NotSent("no wire") }
	})
	_ = refund(e, "resumed", before.ID, 4_000)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM operations WHERE outcome = 'not_sent'`))
	e.Provider.Script(func(s *paytest.Script) { s.Refund = nil })
	count(e)
	b.dump()
	e.Clock.Advance(time.Minute)
	count(e)
	require.NoError(t, refund(e, "resumed", before.ID, 4_000))
	b.restore()
	count(e)
	lists(e)
	require.Equal(t, postgres.FenceOpen, fence(e).State)

	// The provider forgets keys after a day, and payments never.
	e.Clock.Advance(25 * time.Hour)
	refunds := len(e.Provider.Calls("Refund"))
	require.NoError(t, refund(e, "resumed", before.ID, 4_000))
	require.Len(t, e.Provider.Calls("Refund"), refunds, "it is looked up, not sent again")
	require.Equal(t, int64(4_000), e.Order(before.ID).Refunded)
}

// fenceNotSentIsTold: what never left, as far as the backup knows, left afterwards.
// The provider tells of it before its app repeats it, which is answered from that.
func fenceNotSentIsTold(t *testing.T, b *backup) {
	e := b.began(paytest.Options{})
	paid := e.Checkout(paytest.FlowCharge)
	notSent := sdk.NotSent("no wire")
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = paytest.Fails[sdk.RefundRequest, sdk.Refund](notSent)
		s.CreateCheckout = paytest.Fails[sdk.CheckoutRequest, sdk.Payment](notSent)
	})
	in := e.Input(paytest.FlowCharge)
	checkout := func() (payments.Answer, error) { return e.Service.Checkout(t.Context(), e.Key("checkout"), in) }
	_, err := checkout()
	require.NoError(t, err)
	require.NoError(t, refund(e, "refund", paid.ID, 4_000))
	require.Equal(t, 2, e.Count(`SELECT count(*) FROM operations WHERE outcome = 'not_sent'`))
	e.Provider.Script(func(s *paytest.Script) { *s = paytest.Script{} })
	count(e)
	b.dump()
	e.Clock.Advance(time.Minute)
	count(e)
	_, err = checkout()
	require.NoError(t, err)
	require.NoError(t, refund(e, "refund", paid.ID, 4_000))
	b.restore()
	e.Clock.Advance(time.Second)
	count(e)
	lists(e)
	e.Due()
	require.Equal(t, postgres.FenceOpen, fence(e).State)
	require.Equal(t, int64(4_000), e.Order(paid.ID).Refunded)
	e.Verified()

	e.Clock.Advance(25 * time.Hour) // the provider has forgotten the keys
	sends := sent(e)
	a, err := checkout()
	require.NoError(t, err)
	require.Equal(t, ledger.OrderPaid, a.Order.Status)
	require.Equal(t, ledger.OutcomeSucceeded, a.Operation.Outcome)
	require.NoError(t, refund(e, "refund", paid.ID, 4_000))
	require.Equal(t, sends, sent(e))
	require.Len(t, e.Provider.Honest.Payment(paid.Attempts[0].ID).Refunds.Items, 1)
	require.Zero(t, e.Count(`SELECT count(*) FROM operations WHERE outcome = 'not_sent'`))
	e.Verified()
}

func fenceOfOwnWork(t *testing.T, b *backup) {
	e := b.began(paytest.Options{})
	approved, unknown := e.Checkout(paytest.FlowConfirm), e.Checkout(paytest.FlowCharge)
	soon := e.Input(paytest.FlowPage)
	soon.ExpiresAt = e.Clock.Now().Add(31 * time.Minute)
	e.Clock.Advance(29*time.Minute + 30*time.Second)
	a, err := e.Service.Checkout(t.Context(), e.Caller(), soon)
	require.NoError(t, err)
	late := a.Order
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = func(context.Context, sdk.RefundRequest) (*sdk.Refund, error) { return nil, context.DeadlineExceeded }
	})
	require.NoError(t, refund(e, "unknown", unknown.ID, 4_000))
	e.Provider.Script(func(s *paytest.Script) { s.Refund = nil })
	e.Provider.Honest.Edit(approved.Attempts[0].ID, func(p *sdk.Payment) { p.Status = sdk.RequiresConfirmation })
	lost(b, e)
	count(e)
	sends := sent(e)
	_, err = e.Callback(e.Fact("evt-1", approved.Attempts[0].ID, false, *e.Provider.Honest.Payment(approved.Attempts[0].ID)))
	require.NoError(t, err)
	e.Due()
	e.After(time.Minute)
	require.Equal(t, sends, sent(e))
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM operations WHERE outcome = 'unknown'`))
	require.Zero(t, e.Count(`SELECT count(*) FROM attempts WHERE failures > 0`), "to wait is no failure")
	require.Equal(t, ledger.OrderExpired, e.Order(late.ID).Status, "a cancel moves no money, and comes after a read")
	lists(e)
	require.Equal(t, postgres.FenceOpen, fence(e).State)
	e.After(time.Minute)
	require.Equal(t, ledger.OrderPaid, e.Order(approved.ID).Status, "it goes on by itself")
	require.Equal(t, int64(4_000), e.Order(unknown.ID).Refunded)
	e.Verified()
}

func fenceByHand(t *testing.T, b *backup) {
	e := b.began(paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	since := e.Clock.Now().Add(-3 * time.Hour)
	raised, err := payments.CloseMoneyOut(t.Context(), e.DB, []string{paytest.Name}, since, "ada", "the backup of 6:00 was restored", e.Clock.Now())
	require.NoError(t, err)
	require.Len(t, raised, 1)
	refused(t, refund(e, "mine", o.ID, 1_000), "history_lost")
	require.NoError(t, payments.OpenMoneyOut(t.Context(), e.DB, paytest.Name, "ada", "all was compared by hand", e.Clock.Now()))
	require.NoError(t, refund(e, "mine", o.ID, 1_000))
	require.Contains(t, fence(e).Opened, "all was compared by hand")
	refused(t, payments.OpenMoneyOut(t.Context(), e.DB, paytest.Name, "ada", "again", e.Clock.Now()), "not_found")
}

func fenceOfNotifications(t *testing.T, b *backup) {
	e := b.began(paytest.Options{Service: func(o *payments.Options) {
		o.Render = func(o *ledger.Order) []byte { return fmt.Appendf(nil, `{"refunded":%d}`, o.Refunded) }
	}})
	e.Listen()
	due := func() []postgres.Outgoing {
		out, err := e.DB.ClaimNotifications(t.Context(), e.Clock.Now(), 0, 10, 10, 10, []string{}, e.Service.Unread())
		require.NoError(t, err)
		return out
	}
	before, _, _ := lost(b, e)
	require.NotEmpty(t, due())
	count(e)
	disputed := e.Provider.Honest.Disputed(before.Attempts[0].ID, paytest.USD(100))
	_, err := e.Callback(e.Fact("evt-1", before.Attempts[0].ID, true, sdk.Payment{Disputes: sdk.Disputes{Items: disputed.Disputes.Items}}))
	require.NoError(t, err)
	require.Empty(t, due(), "of an order that has lost a refund")
	lists(e)
	e.Due()
	count(e)
	newest := postgres.Outgoing{}
	for _, n := range due() {
		if n.OrderID == before.ID && n.Version > newest.Version {
			newest = n
		}
	}
	require.Contains(t, newest.Payload, "4000")
}

// TestFence_ByHandWithoutWatching: a hub that does not watch its database keeps
// to a fence that a person raised, and opens it when the list was read.
func TestFence_ByHandWithoutWatching(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	require.NoError(t, e.DB.CameUp(t.Context(), paytest.Name, e.Clock.Now(), payments.ListOverlap))
	lists(e)
	o := e.Checkout(paytest.FlowCharge)
	_, err := payments.CloseMoneyOut(t.Context(), e.DB, []string{paytest.Name}, e.Clock.Now().Add(-time.Hour), "ada", "a backup was restored", e.Clock.Now())
	require.NoError(t, err)
	count(e)
	refused(t, refund(e, "mine", o.ID, 1_000), "history_lost")
	lists(e)
	count(e)
	require.Equal(t, postgres.FenceOpen, fence(e).State)
	require.NoError(t, refund(e, "mine", o.ID, 1_000))
}

func fenceOfAllAccounts(t *testing.T, b *backup) {
	e := b.began(paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	_, err := payments.CloseMoneyOut(t.Context(), e.DB, []string{"another"}, e.Clock.Now(), "ada", "only that one", e.Clock.Now())
	require.NoError(t, err)
	require.NoError(t, refund(e, "mine", o.ID, 1_000))
	_, err = e.Service.Checkout(t.Context(), e.Caller(), e.Input(paytest.FlowCharge))
	refused(t, err, "history_lost")
	e.Count(`WITH u AS (UPDATE app_providers SET provider = $1 RETURNING 1) SELECT count(*) FROM u`, paytest.Name)
	e.Checkout(paytest.FlowCharge) // the app cannot use the other one
}
