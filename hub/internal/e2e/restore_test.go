package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
)

// TestRestore_RepeatsMoveMoneyOnce: the database is restored under a running hub,
// and the app repeats what it asked since, under the same keys. Stripe refuses
// the keys, PayPal answers with what they made: either way money moves once, and
// the hub's books agree with the provider's by the ids in the metadata.
func TestRestore_RepeatsMoveMoneyOnce(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *dev.Options) { o.Env = append(o.Env, "HUB_DATABASE__WATCH_HISTORY=false") }) // what the keys do by themselves
	for _, w := range []way{ways[0], ways[2], ways[5]} {
		t.Run(w.name, func(t *testing.T) {
			h := *h
			h.t = t
			before := w.pay(&h, nil)
			restore := pgtest.Backup(t, h.DatabaseURL)
			refundKey, checkoutKey := unique("key"), unique("key")
			refund := map[string]any{"amount": 400}
			checkout := body(map[string]any{"provider": w.provider, "flow": w.flow})
			if w.input != nil {
				checkout["input"] = w.input(&h, false)
			}
			refunds := func() answer { return h.persist("POST", "/v1/orders/"+before.ID+"/refunds", refundKey, refund) }
			checkouts := func() answer { return h.persist("POST", "/v1/checkouts", checkoutKey, checkout) }
			gone := refunds()
			require.Equal(t, 201, gone.status, gone.raw)
			first := checkouts()
			require.Equal(t, 201, first.status, first.raw)

			restore()
			require.Equal(t, 404, h.ask("GET", "/v1/orders/"+first.ID, "", nil).status)
			require.Less(t, refunds().status, 300)
			again := checkouts()
			require.Less(t, again.status, 300, again.raw)
			back := h.when(before.ID, "refunded once", func(a answer) bool { return a.Refunded == 400 && a.Refundable == 650 })
			require.Len(t, back.Refunds, 1, back.raw)
			require.False(t, back.NeedsAttention, back.raw)
			ready := h.when(again.ID, "known again", func(a answer) bool { return len(a.Attempts) > 1 && a.Status != "pending" })
			require.False(t, ready.NeedsAttention, ready.raw)
			live := ready
			for _, a := range ready.Attempts {
				if a.ID == first.Attempts[0].ID {
					live.Attempts = []attempt{a}
				}
			}
			require.Equal(t, first.Attempts[0].References[0], live.Attempts[0].References[0], "the provider's payment of the first time")
			w.finish(&h, live, false)
			done := h.until(again.ID, "paid")
			require.Equal(t, int64(1050), done.Captured)
			h.movedOnce(w, before, first)
		})
	}
}

// movedOnce requires that the provider made one refund of the order before and
// captured the money of the order first once.
func (h *house) movedOnce(w way, before, first answer) {
	h.t.Helper()
	books, err := w.stand(h).Books(h.t.Context())
	require.NoError(h.t, err)
	captured, refunded := 0, 0
	for _, c := range books.Captures {
		if c.Metadata["superpay_attempt"] == first.Attempts[0].ID {
			captured++
		}
	}
	for _, r := range books.Refunds {
		for _, ref := range before.Attempts[0].References {
			if r.PaymentID == ref.Value {
				refunded++
			}
		}
	}
	require.Equal(h.t, 1, captured)
	require.Equal(h.t, 1, refunded)
}

// TestRestore_KeysForgotten: the database is restored under a running hub, and the
// app repeats what it asked since when the provider has forgotten its keys: a day
// later at Stripe, 46 days at PayPal. The repeats wait until the provider's list
// was read, and are answered from it: money moves once.
func TestRestore_KeysForgotten(t *testing.T) {
	t.Parallel()
	for _, w := range []way{ways[0], ways[2], ways[5]} {
		t.Run(w.name, func(t *testing.T) {
			h := open(t, nil)
			before := w.pay(h, nil)
			h.quiet()
			restore := pgtest.Backup(t, h.DatabaseURL)
			refundKey, checkoutKey := unique("key"), unique("key")
			refund := map[string]any{"amount": 400}
			checkout := body(map[string]any{"provider": w.provider, "flow": w.flow})
			if w.input != nil {
				checkout["input"] = w.input(h, false)
			}
			gone := h.persist("POST", "/v1/orders/"+before.ID+"/refunds", refundKey, refund)
			require.Equal(t, 201, gone.status, gone.raw)
			first := h.persist("POST", "/v1/checkouts", checkoutKey, checkout)
			require.Equal(t, 201, first.status, first.raw)
			w.finish(h, first, false)
			require.Equal(t, int64(1050), h.until(first.ID, "paid").Captured)
			counted := h.count(`SELECT coalesce(max(n), 0) FROM witness`)
			require.Eventually(t, func() bool { return h.count(`SELECT coalesce(max(n), 0) FROM witness`) > counted }, 30*time.Second, 50*time.Millisecond)

			restore()
			require.NoError(t, h.stripe.SetClock(t.Context(), 25*time.Hour))
			require.NoError(t, h.paypal.SetClock(t.Context(), 46*24*time.Hour))
			a := h.persistPast(t, "history_lost", "POST", "/v1/orders/"+before.ID+"/refunds", refundKey, refund)
			require.Less(t, a.status, 300, a.raw)
			a = h.persistPast(t, "history_lost", "POST", "/v1/checkouts", checkoutKey, checkout)
			require.Less(t, a.status, 300, a.raw)
			require.Equal(t, first.ID, a.ID)
			require.Equal(t, int64(1050), h.until(first.ID, "paid").Captured)
			back := h.when(before.ID, "refunded once", func(a answer) bool { return a.Refunded == 400 && a.Refundable == 650 })
			require.Len(t, back.Refunds, 1, back.raw)
			h.movedOnce(w, before, first)
		})
	}
}
