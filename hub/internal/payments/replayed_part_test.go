package payments_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// TestReplay_ALostRefundInParts: a refund over two captures was carried out, whole
// or its first part, and the database has forgotten it. However the app's repeat
// and a read come after that, each part goes back once, what was missing follows,
// and the app is answered with one refund.
func TestReplay_ALostRefundInParts(t *testing.T) {
	for name, provider := range replaying {
		for _, c := range []struct {
			name             string
			read, one, again bool // read before the repeat; only one part was done; read between the parts of the repeat
		}{{name: "repeat first"}, {name: "read first", read: true}, {name: "one part, repeat first", one: true}, {name: "one part, read first", read: true, one: true}, {name: "read in between", again: true}} {
			t.Run(name+", "+c.name, func(t *testing.T) {
				t.Parallel()
				e := paytest.New(t, paytest.Options{})
				provider(e)
				o := paidAs(e, paytest.USD(4_000), paytest.USD(6_000))
				attempt := o.Attempts[0].ID
				restore := pgtest.Backup(t, e.URL)
				caller, in := e.Caller(), payments.RefundInput{Amount: ledger.Minor(10_000)}
				var honest func(context.Context, sdk.RefundRequest) (*sdk.Refund, error)
				e.Provider.Script(func(s *paytest.Script) {
					if honest = s.Refund; honest == nil {
						honest = e.Provider.Honest.Refund
					}
					s.Refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
						if c.one && len(e.Provider.Honest.Payment(attempt).Refunds.Items) == 1 {
							return nil, notSent
						}
						return honest(ctx, r)
					}
				})
				first, err := e.Service.Refund(t.Context(), caller, o.ID, in)
				require.NoError(t, err)
				restore()
				e.Provider.Script(func(s *paytest.Script) {
					s.Refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
						if c.again {
							c.again = false
							e.Told(e.Provider.Honest.Payment(attempt))
						}
						return honest(ctx, r)
					}
				})
				if c.read {
					require.NoError(t, e.Service.Sync(t.Context(), attempt))
				}
				again, err := e.Service.Refund(t.Context(), caller, o.ID, in)
				require.NoError(t, err)
				if c.read {
					require.Equal(t, first.Refund.ID, again.Refund.ID, "the app's id of it is its id again")
				}
				e.After(time.Hour)
				after := e.Order(o.ID)
				require.Equal(t, ledger.OrderRefunded, after.Status)
				require.Equal(t, int64(10_000), after.Refunded)
				require.Zero(t, after.Attempts[0].Reserved)
				require.False(t, after.NeedsAttention, "%+v", after.Attention)
				require.Len(t, after.Requests(), 1, "the app sees one refund")
				whole := after.Requests()[0]
				require.Equal(t, []any{int64(10_000), int64(10_000), sdk.MovementSucceeded}, []any{whole.Amount, whole.Refunded, whole.Status})
				require.Equal(t, again.Refund.ID, whole.ID)
				require.Len(t, e.Provider.Honest.Payment(attempt).Refunds.Items, 2)
				once, err := e.Service.Refund(t.Context(), caller, o.ID, in)
				require.NoError(t, err)
				require.Equal(t, again.Refund.ID, once.Refund.ID)
				in.Amount = ledger.Minor(9_999)
				_, err = e.Service.Refund(t.Context(), caller, o.ID, in)
				refused(t, err, "idempotency_key_reused")
				e.Verified()
			})
		}
	}
}

// TestReplay_AFoundPartIsNotAskedForMore: the part's key at the provider stands for
// what was asked under it, and for nothing more of the same capture.
func TestReplay_AFoundPartIsNotAskedForMore(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := paidAs(e, paytest.USD(5_000), paytest.USD(5_000))
	restore := pgtest.Backup(t, e.URL)
	caller := e.Caller()
	_, err := e.Service.Refund(t.Context(), caller, o.ID, payments.RefundInput{Amount: ledger.Minor(7_000)})
	require.NoError(t, err)
	restore()
	require.NoError(t, e.Service.Sync(t.Context(), o.Attempts[0].ID))
	before := len(e.Provider.Calls("Refund"))
	for amount, code := range map[int64]string{8_000: "refund_too_large", 6_999: "idempotency_key_reused"} {
		_, err = e.Service.Refund(t.Context(), caller, o.ID, payments.RefundInput{Amount: ledger.Minor(amount)})
		refused(t, err, code)
	}
	a, err := e.Service.Refund(t.Context(), caller, o.ID, payments.RefundInput{Amount: ledger.All()})
	require.NoError(t, err)
	require.Equal(t, int64(7_000), a.Order.RequestOf(a.Refund).Amount, "all that is known to have been asked for")
	require.Len(t, e.Provider.Calls("Refund"), before)
	require.Equal(t, int64(3_000), a.Order.Refundable)
	e.Verified()
}
