package payments_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// comparing makes a provider refuse a known key with another request, as Stripe
// does. Without it the provider answers with what the key made, as PayPal does.
func comparing[R, A any](key func(R) string, do func(context.Context, R) (*A, error)) func(context.Context, R) (*A, error) {
	seen := map[string]R{}
	return func(ctx context.Context, r R) (*A, error) {
		if first, ok := seen[key(r)]; ok && !reflect.DeepEqual(first, r) {
			return nil, &sdk.MismatchError{}
		}
		seen[key(r)] = r
		return do(ctx, r)
	}
}

func compares(e *paytest.Env) {
	e.Provider.Script(func(s *paytest.Script) {
		s.CreateCheckout = comparing(func(r sdk.CheckoutRequest) string { return r.Key }, e.Provider.Honest.CreateCheckout)
		s.Refund = comparing(func(r sdk.RefundRequest) string { return r.Key }, e.Provider.Honest.Refund)
	})
}

// replaying are the two kinds of provider.
var replaying = map[string]func(*paytest.Env){"replays": func(*paytest.Env) {}, "compares": compares}

// TestReplay_ALostPaymentIsTakenOver: the app repeats a checkout that the
// database has forgotten. The payer is charged once, and the payment is known by
// the id in its metadata, so a callback finds it.
func TestReplay_ALostPaymentIsTakenOver(t *testing.T) {
	for name, provider := range replaying {
		for _, flow := range []string{paytest.FlowCharge, paytest.FlowPage} {
			t.Run(name+" "+flow, func(t *testing.T) {
				t.Parallel()
				e := paytest.New(t, paytest.Options{})
				provider(e)
				restore := pgtest.Backup(t, e.URL)
				in, c := e.Input(flow), e.Caller()
				first, err := e.Service.Checkout(t.Context(), c, in)
				require.NoError(t, err)
				restore()
				e.Clock.Advance(time.Hour)
				again, err := e.Service.Checkout(t.Context(), c, in)
				require.NoError(t, err)

				o := e.Order(again.Order.ID)
				lost := first.Order.Attempts[0]
				require.Len(t, o.Attempts, 2)
				require.Equal(t, lost.ID, o.Current().ID, "under the id that the provider's metadata name")
				require.Equal(t, lost.Status, o.Current().Status)
				require.Equal(t, first.Order.Status, o.Status)
				require.Equal(t, first.Order.Captured, o.Captured)
				require.False(t, o.NeedsAttention, "%+v", o.Attention)
				require.Equal(t, ledger.OutcomeSucceeded, again.Operation.Outcome)
				e.Provider.Honest.Edit(lost.ID, func(p *sdk.Payment) {
					if flow == paytest.FlowPage {
						p.Status = sdk.Succeeded
						p.Captures.Items = []sdk.Capture{{ID: "cap-x", Status: sdk.MovementSucceeded, Amount: p.Amount}}
					}
				})
				_, err = e.Callback(e.Fact("evt-1", lost.ID, false, sdk.Payment{}))
				require.NoError(t, err)
				e.Due()
				require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
				require.Equal(t, int64(10_000), e.Order(o.ID).Captured)
				page, err := e.Provider.List(t.Context(), sdk.ListRequest{})
				require.NoError(t, err)
				require.Len(t, page.Payments, 1)
				e.Verified()
			})
		}
	}
}

// TestReplay_AnArrivedRequestNeverEndsAsNeverArrived: the provider knows the key,
// and does not show what it made: then nobody knows, at any age, until it does.
func TestReplay_AnArrivedRequestNeverEndsAsNeverArrived(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	compares(e)
	hide := func(s *paytest.Script) {
		s.GetPayment = func(context.Context, sdk.PaymentRequest) (*sdk.Payment, error) { return nil, sdk.ErrNotFound }
	}
	restore := pgtest.Backup(t, e.URL)
	in, c := e.Input(paytest.FlowCharge), e.Caller()
	first, err := e.Service.Checkout(t.Context(), c, in)
	require.NoError(t, err)
	restore()
	e.Provider.Script(hide)
	a, err := e.Service.Checkout(t.Context(), c, in)
	require.NoError(t, err)
	require.Equal(t, ledger.OutcomeUnknown, a.Operation.Outcome)
	for _, later := range []time.Duration{time.Minute, 23 * time.Hour, 2 * time.Hour, 100 * time.Hour} {
		e.After(later)
		e.After(25 * time.Hour) // by which a read is due in any case
		o := e.Order(a.Order.ID)
		require.Equal(t, ledger.OutcomeUnknown, o.Operation(a.Operation.ID).Outcome, later)
		require.True(t, o.Operation(a.Operation.ID).Arrived)
		require.Equal(t, ledger.AttemptUnknown, o.Attempts[0].Status)
	}
	require.True(t, e.Order(a.Order.ID).NeedsAttention, "a person was told")
	_, err = e.Service.CheckoutAgain(t.Context(), e.Caller(), a.Order.ID, payments.AgainInput{AttemptInput: in.AttemptInput})
	refused(t, err, "wrong_state")

	e.Provider.Script(func(s *paytest.Script) { s.GetPayment = nil })
	require.NoError(t, e.Service.Sync(t.Context(), a.Order.Attempts[0].ID))
	o := e.Order(a.Order.ID)
	require.Equal(t, ledger.OrderPaid, o.Status)
	require.Equal(t, first.Order.Attempts[0].ID, o.Current().ID)
	e.Verified()
}

// TestReplay_ALostRefundIsBoundOnce: however the app's repeat and a read of the
// payment come after a restore, the money goes back once and nothing of it stays
// reserved.
func TestReplay_ALostRefundIsBoundOnce(t *testing.T) {
	keep := func(r sdk.Refund) sdk.Refund { return r }
	forget := func(r sdk.Refund) sdk.Refund {
		r.RefundID, r.InstanceID, r.KeyHash, r.Digest = "", "", "", ""
		return r
	}
	for name, provider := range replaying {
		for _, c := range []struct {
			name string
			read bool // before the repeat
			meta func(sdk.Refund) sdk.Refund
		}{{"repeat first", false, keep}, {"read first", true, keep}, {"no metadata", false, forget}, {"no metadata, read first", true, forget}} {
			if name == "compares" && !c.read && c.meta(sdk.Refund{RefundID: "x"}).RefundID == "" {
				continue // nothing tells what the key made: it stays unknown
			}
			t.Run(name+", "+c.name, func(t *testing.T) {
				t.Parallel()
				e := paytest.New(t, paytest.Options{})
				provider(e)
				o := e.Checkout(paytest.FlowCharge)
				restore := pgtest.Backup(t, e.URL)
				caller, in := e.Caller(), payments.RefundInput{Amount: ledger.Minor(4_000)}
				first, err := e.Service.Refund(t.Context(), caller, o.ID, in)
				require.NoError(t, err)
				require.Equal(t, sdk.MovementSucceeded, first.Refund.Status)
				e.Provider.Honest.Edit(o.Attempts[0].ID, func(p *sdk.Payment) { p.Refunds.Items[0] = c.meta(p.Refunds.Items[0]) })
				restore()
				if c.read {
					require.NoError(t, e.Service.Sync(t.Context(), o.Attempts[0].ID))
					require.Equal(t, int64(4_000), e.Order(o.ID).Refunded)
				}
				honest := e.Provider.Honest.Refund
				e.Provider.Script(func(s *paytest.Script) {
					if s.Refund != nil {
						honest = s.Refund
					}
					s.Refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
						answer, err := honest(ctx, r)
						if err == nil {
							*answer = c.meta(*answer)
						}
						return answer, err
					}
				})
				again, err := e.Service.Refund(t.Context(), caller, o.ID, in)
				if name == "compares" && c.meta(sdk.Refund{RefundID: "x"}).RefundID == "" {
					require.NoError(t, err)
					require.Equal(t, ledger.OutcomeUnknown, again.Operation.Outcome, "nothing tells whose it is: a person has to say")
					return
				}
				require.NoError(t, err)
				require.Equal(t, sdk.MovementSucceeded, again.Refund.Status)
				require.Equal(t, *first.Refund.ProviderID, *again.Refund.ProviderID)
				if c.read && c.meta(sdk.Refund{RefundID: "x"}).RefundID != "" {
					require.Equal(t, first.Refund.ID, again.Refund.ID, "the app's id of it is its id again")
					require.Equal(t, ledger.ByHub, again.Refund.Origin)
				}
				e.After(time.Hour)
				after := e.Order(o.ID)
				require.Equal(t, int64(4_000), after.Refunded)
				require.Zero(t, after.Attempts[0].Reserved)
				require.Equal(t, int64(6_000), after.Refundable)
				require.False(t, after.NeedsAttention, "%+v", after.Attention)
				require.Len(t, e.Provider.Honest.Payment(o.Attempts[0].ID).Refunds.Items, 1)
				once, err := e.Service.Refund(t.Context(), caller, o.ID, in)
				require.NoError(t, err)
				require.Equal(t, again.Refund.ID, once.Refund.ID)
				in.Amount = ledger.Minor(4_001)
				_, err = e.Service.Refund(t.Context(), caller, o.ID, in)
				refused(t, err, "idempotency_key_reused")
				e.Verified()
			})
		}
	}
}

// TestReplay_AnAnswerAboutAnotherRefundIsNotOurs: without any restore, a provider
// answers a refund with one that was made before. The new one was not made.
func TestReplay_AnAnswerAboutAnotherRefundIsNotOurs(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	first, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(1_000)})
	require.NoError(t, err)
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = func(context.Context, sdk.RefundRequest) (*sdk.Refund, error) {
			r := e.Provider.Honest.Payment(o.Attempts[0].ID).Refunds.Items[0]
			return &r, nil
		}
	})
	a, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(2_000)})
	require.NoError(t, err)
	require.Equal(t, ledger.OutcomeUnknown, a.Operation.Outcome, "it may have been made all the same")
	require.True(t, a.Order.NeedsAttention)
	require.Equal(t, ledger.RefundMismatch, a.Order.Attention[0].Reason)
	e.After(time.Minute) // past the time in which it must have become visible
	after := e.Order(o.ID)
	require.Equal(t, sdk.MovementFailed, after.Refund(a.Refund.ID).Status)
	require.Equal(t, "never_arrived", after.Refund(a.Refund.ID).Failure.Code)
	require.Equal(t, int64(1_000), after.Refunded)
	require.Zero(t, after.Attempts[0].Reserved)
	require.Equal(t, *first.Refund.ProviderID, *after.Refund(first.Refund.ID).ProviderID)
	e.Verified()
}

// TestReplay_AnAnswerAboutAnotherPaymentIsNotOurs: likewise of a checkout. The
// other order stays as it is, and the new one is not paid by it.
func TestReplay_AnAnswerAboutAnotherPaymentIsNotOurs(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	first := e.Checkout(paytest.FlowCharge)
	e.Provider.Script(func(s *paytest.Script) {
		s.CreateCheckout = func(context.Context, sdk.CheckoutRequest) (*sdk.Payment, error) {
			return e.Provider.Honest.Payment(first.Attempts[0].ID), nil
		}
	})
	o := e.Checkout(paytest.FlowCharge)
	require.Equal(t, ledger.OrderPending, o.Status)
	require.Equal(t, ledger.ReferenceMismatch, o.Attention[0].Reason)
	e.After(time.Minute)
	o = e.Order(o.ID)
	require.Equal(t, ledger.OrderOpen, o.Status)
	require.Equal(t, sdk.Failed, o.Attempts[0].Status)
	require.Zero(t, o.Captured)
	require.Empty(t, o.Attempts[0].Refs)
	require.Equal(t, ledger.OrderPaid, e.Order(first.ID).Status)
	require.False(t, e.Order(first.ID).NeedsAttention)
	e.Verified()
}

// TestReplay_APaymentOfAnUnknownName: an answer that names an attempt of ours
// that nobody knows, and proves nothing, is money all the same.
func TestReplay_APaymentOfAnUnknownName(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	e.Provider.Script(func(s *paytest.Script) {
		s.CreateCheckout = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			p, err := e.Provider.Honest.CreateCheckout(ctx, r)
			p.AttemptID = ledger.NewID(ledger.AttemptID, e.Clock.Now())
			return p, err
		}
	})
	o := e.Checkout(paytest.FlowCharge)
	require.Len(t, o.Attempts, 1)
	require.Equal(t, int64(10_000), o.Captured)
	require.True(t, o.NeedsAttention)
	require.NotEqual(t, ledger.OrderPaid, o.Status)
	e.Verified()
}

// TestReplay_TheSameKeyForAnotherOrder: after a restore the app uses the key for
// another request. The provider knows it: nothing moves, and the payment of the
// first request is not taken for this one's.
func TestReplay_TheSameKeyForAnotherOrder(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	restore := pgtest.Backup(t, e.URL)
	c := e.Caller()
	_, err := e.Service.Checkout(t.Context(), c, e.Input(paytest.FlowCharge))
	require.NoError(t, err)
	restore()
	lost := 0
	e.Provider.Script(func(s *paytest.Script) {
		s.CreateCheckout = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			if lost++; lost == 1 {
				return nil, errors.New("lost")
			}
			return e.Provider.Honest.CreateCheckout(ctx, r)
		}
	})
	a, err := e.Service.Checkout(t.Context(), c, e.Input(paytest.FlowCharge))
	require.NoError(t, err)
	require.Equal(t, ledger.OutcomeUnknown, a.Operation.Outcome)
	e.After(time.Minute)
	require.Greater(t, lost, 1, "it was repeated, and the provider knew the key")
	e.After(48 * time.Hour)
	o := e.Order(a.Order.ID)
	require.NotNil(t, o.OpenOperation(a.Order.Attempts[0].ID), "it ended: %+v", o.Attempts[0].Failure)
	require.Zero(t, o.Captured)
	e.Verified()
}

// TestVersions_NeverGoBackForApps: after the database went back, an order's
// version is greater than any that its app saw, in answers and notifications.
func TestVersions_NeverGoBackForApps(t *testing.T) {
	t.Parallel()
	var told []int64
	e := paytest.New(t, paytest.Options{Service: func(o *payments.Options) {
		o.Render = func(o *ledger.Order) []byte { told = append(told, o.AppVersion()); return []byte("{}") }
	}})
	o := e.Checkout(paytest.FlowCharge)
	restore := pgtest.Backup(t, e.URL)
	for range 3 {
		_, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(100)})
		require.NoError(t, err)
	}
	for range 2 { // restored twice in a row, each time with more changes before
		seen := told[len(told)-1]
		require.Equal(t, seen, e.Order(o.ID).AppVersion())
		restore()
		e.Clock.Advance(time.Second)
		mark := e.Clock.Now()
		e.Clock.Advance(time.Second)
		require.NoError(t, e.DB.RaiseVersions(t.Context(), mark, e.Clock.Now()))
		floor := e.DB.VersionFloor()
		require.NoError(t, e.DB.RaiseVersions(t.Context(), mark, e.Clock.Now().Add(time.Second)))
		require.Equal(t, floor, e.DB.VersionFloor(), "each hub says so, and each would tell by a floor of its own")
		require.Greater(t, e.Order(o.ID).AppVersion(), seen)
		require.Equal(t, e.Order(o.ID).AppVersion(), e.Second().Order(o.ID).AppVersion(), "a hub that starts knows")
		for range 20 {
			_, err := e.Service.Refund(t.Context(), e.Caller(), o.ID, payments.RefundInput{Amount: ledger.Minor(100)})
			require.NoError(t, err)
			require.Greater(t, told[len(told)-1], seen)
			seen = told[len(told)-1]
		}
	}
	created := e.Checkout(paytest.FlowCharge)
	require.Equal(t, e.Order(created.ID).AppVersion(), created.AppVersion())

	// And a key is looked for before it makes an order: it may be an older one.
	c := e.Caller()
	a, err := e.Service.Checkout(t.Context(), c, e.Input(paytest.FlowCharge))
	require.NoError(t, err)
	hash := e.DB.Secret().KeyHash(e.App.ID, c.IdempotencyKey)
	_, err = e.SQL.Exec(`UPDATE operations SET idempotency_key = NULL, key_hash = $2, request_hash = '' WHERE id = $1`, a.Operation.ID, hash)
	require.NoError(t, err)
	_, err = e.Service.Checkout(t.Context(), c, e.Input(paytest.FlowCharge))
	refused(t, err, "idempotency_key_reused")
	in := e.Input(paytest.FlowCharge)
	in.Reference = a.Order.Reference
	again, err := e.Service.Checkout(t.Context(), c, in)
	require.NoError(t, err)
	require.Equal(t, a.Order.ID, again.Order.ID)
}

// TestReplay_TheHashAloneProvesNothing: what names the key's hash without the
// hub's digest of this very amount may be written by whoever saw the hash. It is
// money that was taken, and a person is told.
func TestReplay_TheHashAloneProvesNothing(t *testing.T) {
	for name, forge := range map[string]func(*sdk.Payment){
		"another amount": func(p *sdk.Payment) { p.Amount.Amount = 100; p.Captures.Items[0].Amount.Amount = 100 },
		"no digest":      func(p *sdk.Payment) { p.Digest = "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := paytest.New(t, paytest.Options{})
			compares(e)
			restore := pgtest.Backup(t, e.URL)
			in, c := e.Input(paytest.FlowCharge), e.Caller()
			first, err := e.Service.Checkout(t.Context(), c, in)
			require.NoError(t, err)
			lost := first.Order.Attempts[0].ID
			forged := e.Provider.Honest.Edit(lost, forge)
			restore()
			a, err := e.Service.Checkout(t.Context(), c, in)
			require.NoError(t, err)
			o := e.Order(a.Order.ID)
			require.Len(t, o.Attempts, 1)
			require.Nil(t, o.Attempt(lost))
			require.True(t, o.NeedsAttention)
			require.NotEqual(t, ledger.OrderPaid, o.Status)
			require.Equal(t, forged.Captures.Items[0].Amount.Amount, o.Captured)
			e.Verified()
		})
	}
}

// TestReplay_TwoRefundsUnderOneKey: a provider made two refunds under one key,
// and the database has forgotten both. Both are recorded, one is known by the
// key, and a person is told.
func TestReplay_TwoRefundsUnderOneKey(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	attempt := o.Attempts[0].ID
	restore := pgtest.Backup(t, e.URL)
	c, in := e.Caller(), payments.RefundInput{Amount: ledger.Minor(1_000)}
	first, err := e.Service.Refund(t.Context(), c, o.ID, in)
	require.NoError(t, err)
	restore()
	require.NoError(t, e.Service.Sync(t.Context(), attempt))
	e.Provider.Honest.Edit(attempt, func(p *sdk.Payment) {
		twin := p.Refunds.Items[0]
		twin.ID = "re-twin"
		twin.RefundID = ledger.NewID(ledger.RefundID, e.Clock.Now())
		twin.Digest = e.DB.Secret().SignRefund(ledger.RefundClaim{
			InstanceID: twin.InstanceID, AttemptID: attempt, RefundID: twin.RefundID, KeyHash: twin.KeyHash, Amount: twin.Amount,
		})
		p.Refunds.Items = append(p.Refunds.Items, twin)
	})
	require.NoError(t, e.Service.Sync(t.Context(), attempt))
	after := e.Order(o.ID)
	require.Equal(t, int64(2_000), after.Refunded)
	require.True(t, after.NeedsAttention)
	again, err := e.Service.Refund(t.Context(), c, o.ID, in)
	require.NoError(t, err)
	require.Equal(t, first.Refund.ID, again.Refund.ID)
	e.Verified()
}

// TestReplay_ARefundIsFoundByAnyRead: the provider knows the key and cannot be
// asked for the refund; a read of the payment shows it, and it is the one that
// the app repeats.
func TestReplay_ARefundIsFoundByAnyRead(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	compares(e)
	o := e.Checkout(paytest.FlowCharge)
	restore := pgtest.Backup(t, e.URL)
	c, in := e.Caller(), payments.RefundInput{Amount: ledger.Minor(1_000)}
	first, err := e.Service.Refund(t.Context(), c, o.ID, in)
	require.NoError(t, err)
	restore()
	e.Provider.Script(func(s *paytest.Script) {
		s.GetRefund = func(context.Context, sdk.GetRefundRequest) (*sdk.Refund, error) { return nil, errors.New("not now") }
	})
	a, err := e.Service.Refund(t.Context(), c, o.ID, in)
	require.NoError(t, err)
	require.Equal(t, ledger.RefundUnknown, a.Refund.Status)
	p := *e.Provider.Honest.Payment(o.Attempts[0].ID)
	_, err = e.Callback(e.Fact("evt-1", o.Attempts[0].ID, true, p))
	require.NoError(t, err)
	after := e.Order(o.ID)
	require.Len(t, after.Refunds, 1)
	require.Equal(t, sdk.MovementSucceeded, after.Refund(a.Refund.ID).Status)
	require.Equal(t, *first.Refund.ProviderID, *after.Refund(a.Refund.ID).ProviderID)
	require.Nil(t, after.OpenOperation(o.Attempts[0].ID))
	require.Zero(t, after.Attempts[0].Reserved)
	e.Verified()
}

// TestReplay_ARefundIsClaimedWhateverTheOrderOfIDs: the row that takes a
// provider's id over may have been made by a hub whose clock is behind.
func TestReplay_ARefundIsClaimedWhateverTheOrderOfIDs(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	attempt := o.Attempts[0].ID
	restore := pgtest.Backup(t, e.URL)
	c, in := e.Caller(), payments.RefundInput{Amount: ledger.Minor(1_000)}
	_, err := e.Service.Refund(t.Context(), c, o.ID, in)
	require.NoError(t, err)
	nameless := func(r *sdk.Refund) { r.RefundID, r.KeyHash, r.Digest = "", "", "" }
	e.Provider.Honest.Edit(attempt, func(p *sdk.Payment) { nameless(&p.Refunds.Items[0]) })
	restore()
	require.NoError(t, e.Service.Sync(t.Context(), attempt))
	e.Clock.Advance(-time.Hour)
	sent := 0
	e.Provider.Script(func(s *paytest.Script) {
		s.Refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			if sent++; sent == 1 {
				return nil, errors.New("lost")
			}
			answer, err := e.Provider.Honest.Refund(ctx, r)
			nameless(answer)
			return answer, err
		}
	})
	_, err = e.Service.Refund(t.Context(), c, o.ID, in)
	require.NoError(t, err)
	e.Clock.Advance(time.Minute)
	a, err := e.Service.Refund(t.Context(), c, o.ID, in)
	require.NoError(t, err)
	require.Equal(t, sdk.MovementSucceeded, a.Refund.Status)
	after := e.Order(o.ID)
	require.Equal(t, int64(1_000), after.Refunded)
	require.Zero(t, after.Attempts[0].Reserved)
	require.False(t, after.NeedsAttention, "%+v", after.Attention)
	e.Verified()
}
