package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

const sessionsPath = "/v1/checkout/sessions"

// posted counts how often a session was asked for.
func (h *house) posted() (n int) {
	h.t.Helper()
	all, err := h.stripe.Requests(h.t.Context())
	require.NoError(h.t, err)
	for _, r := range all {
		if r.Method == "POST" && r.Path == sessionsPath {
			n++
		}
	}
	return n
}

// lost makes an order whose checkout is answered by nothing, and then Stripe
// answers with errors only.
func (h *house) lost(first standin.Action) answer {
	h.t.Helper()
	h.fault(standin.Fault{Method: "POST", Path: sessionsPath, Action: first, Times: 1})
	h.fault(standin.Fault{Path: sessionsPath, Action: standin.Status, StatusCode: 500})
	a := h.ask("POST", "/v1/checkouts", unique("key"), body(nil))
	require.Equal(h.t, 202, a.status, a.raw)
	return a
}

// backdate makes the order's operation older than it is.
func (h *house) backdate(o answer, by string) {
	h.t.Helper()
	tx, err := h.db().Begin()
	require.NoError(h.t, err)
	_, err = tx.Exec(`UPDATE orders SET version = version + 1 WHERE id = $1`, o.ID) // first, as the hub does
	require.NoError(h.t, err)
	_, err = tx.Exec(`UPDATE operations SET first_sent_at = first_sent_at - $2::interval WHERE order_id = $1`, o.ID, by)
	require.NoError(h.t, err)
	require.NoError(h.t, tx.Commit())
}

// tried waits until the hub looked that often for what became of the order.
func (h *house) tried(o answer, times int) {
	h.t.Helper()
	sends := func() int { return h.count(`SELECT max(sends) FROM operations WHERE order_id = $1`, o.ID) }
	until := sends() + times
	require.Eventually(h.t, func() bool { return sends() >= until }, 30*time.Second, 10*time.Millisecond)
}

func (h *house) requests(o answer) int {
	return h.count(`SELECT count(*) FROM operations WHERE order_id = $1 AND request IS NOT NULL`, o.ID)
}

// TestHealing is about operations whose answer never came, to their end.
func TestHealing(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *dev.Options) { o.TimeScale = 100 })

	t.Run("a key that the provider may have forgotten is not used again", func(t *testing.T) {
		for first, want := range map[standin.Action]string{standin.DropAfter: "requires_action", standin.DropBefore: "failed"} {
			sessions := h.sessions()
			o := h.lost(first)
			h.tried(o, 1)
			require.Equal(t, 1, h.requests(o), "kept for the identical repeat")
			require.Zero(t, h.count(`SELECT count(*) FROM operations WHERE order_id = $1 AND position(convert_to('localhost', 'UTF8') IN request) > 0`, o.ID), "and sealed")
			h.backdate(o, "23 hours 30 minutes") // Stripe keeps keys for 24
			h.tried(o, 2)
			posted := h.posted()
			h.tried(o, 2)
			require.Equal(t, posted, h.posted(), "only read")
			require.NoError(t, h.stripe.ClearFaults(t.Context()))
			h.dueAgain(o) // on a slow machine it was tried often by now, and the next time is far
			a := h.when(o.ID, want, func(a answer) bool { return a.Attempts[0].Status == want })
			require.Equal(t, posted, h.posted())
			require.Zero(t, h.requests(o), "erased with the last doubt")
			if first == standin.DropBefore {
				require.Equal(t, "never_arrived", a.Attempts[0].Failure.Code)
				require.Equal(t, "open", a.Status, "another attempt can be made")
				require.Equal(t, sessions, h.sessions())
				continue
			}
			require.Equal(t, sessions+1, h.sessions())
			h.pay(a.NextAction.URL, visa)
			h.until(o.ID, "paid")
		}
	})
	t.Run("a key that was used for something else proves that the first sending arrived", func(t *testing.T) {
		sessions, posted := h.sessions(), h.posted()
		h.fault(standin.Fault{Method: "POST", Path: sessionsPath, Action: standin.DropAfter, Times: 1})
		h.fault(standin.Fault{
			Method: "POST", Path: sessionsPath, Action: standin.Status, StatusCode: 400,
			Body: `{"error":{"type":"idempotency_error","message":"Keys for idempotent requests can only be used with the same parameters they were first used with."}}`,
		})
		h.fault(standin.Fault{Method: "GET", Path: sessionsPath, Action: standin.Status, StatusCode: 500, Times: 3})
		o := h.ask("POST", "/v1/checkouts", unique("key"), body(nil))
		require.Equal(t, 202, o.status, o.raw)
		a := h.when(o.ID, "found", func(a answer) bool { return a.Attempts[0].Status == "requires_action" })
		require.Greater(t, h.posted(), posted+1, "it was repeated, and refused")
		require.NoError(t, h.stripe.ClearFaults(t.Context()))
		require.Equal(t, sessions+1, h.sessions())
		h.pay(a.NextAction.URL, visa)
		h.until(o.ID, "paid")
	})
	t.Run("what cannot be found out is put before a person", func(t *testing.T) { h.givenUp() })
}

// givenUp is an operation of which nothing can be learnt for three days. A
// person says so, and nothing is asked in its place while it may have happened.
func (h *house) givenUp() {
	o := h.lost(standin.DropAfter)
	h.tried(o, 1)
	h.backdate(o, "73 hours")
	a := h.when(o.ID, "given up", func(a answer) bool { return a.NeedsAttention })
	require.Equal(h.t, ledger.Exhausted, a.Attention[0].Reason)
	require.Equal(h.t, "unknown", a.Attempts[0].Status)
	again := h.ask("POST", "/v1/orders/"+o.ID+"/checkouts", unique("key"), map[string]any{"provider": "stripe", "flow": "checkout_session"})
	require.Contains(h.t, []int{409, 202}, again.status, again.raw)
	require.Len(h.t, h.ask("GET", "/v1/orders/"+o.ID, "", nil).Attempts, 1)

	require.Error(h.t, h.hubCommand("order", "resolve", o.ID).Run(), "without a reason")
	require.Error(h.t, h.hubCommand("order", "resolve", o.ID, "--reason", "in_dispute", "--why", "x").Run(), "of what nobody said")
	out, err := h.hubCommand("order", "resolve", o.ID, "--reason", ledger.Exhausted, "--why", "Stripe says they are down").CombinedOutput()
	require.NoError(h.t, err, string(out))
	h.tried(o, 2)
	require.False(h.t, h.ask("GET", "/v1/orders/"+o.ID, "", nil).NeedsAttention, "a person knows, and is not told again")
	require.Equal(h.t, 1, h.count(`SELECT count(*) FROM events WHERE order_id = $1 AND kind = 'attention.resolved'
		AND source = 'operator' AND data->>'why' = 'Stripe says they are down' AND data->>'who' <> ''`, o.ID))
	require.NoError(h.t, h.stripe.ClearFaults(h.t.Context()))
	said, err := h.operator("order", "sync", o.ID) // the hub asks seldom by now
	require.NoError(h.t, err, said)
	a = h.when(o.ID, "found after all", func(a answer) bool { return a.Attempts[0].Status == "requires_action" })
	h.pay(a.NextAction.URL, visa)
	h.until(o.ID, "paid")
}

// TestHealing_ProviderAway: while nothing can be found out, what is unknown is
// still said to be unknown, and not that nothing was done.
func TestHealing_ProviderAway(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *dev.Options) { o.TimeScale = 100 })
	h.fault(standin.Fault{Method: "POST", Path: "/v1/checkout/sessions", Action: standin.DropAfter, Times: 1000})
	b := body(nil)
	a := h.ask("POST", "/v1/checkouts", "A", b)
	require.Equal(t, 202, a.status, a.raw)
	h.KillHub(0)
	require.NoError(t, h.StartHub(t.Context(), 0, "HUB_PROVIDERS__STRIPE__SETTINGS__WEBHOOK_SECRET="))
	require.Contains(t, h.ask("GET", "/v1/providers", "", nil).raw, `"status":"down"`)
	again := h.ask("POST", "/v1/checkouts", "A", b)
	require.Equal(t, 202, again.status, again.raw)
	require.Equal(t, a.ID, again.ID)
	other := h.ask("POST", "/v1/orders/"+a.ID+"/cancel", "B", nil)
	require.Equal(t, 503, other.status, other.raw)
	require.Contains(t, other.raw, `"provider_down"`)
	require.NoError(t, h.stripe.ClearFaults(t.Context()))
	h.KillHub(0)
	require.NoError(t, h.StartHub(t.Context(), 0))
	h.until(a.ID, "open")
	h.when(a.ID, "healed", func(x answer) bool { return x.Attempts[0].Status == "requires_action" })
}
