package e2e

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// TestIdempotency_TwentyAtOnce: the same checkout from 20 clients at the same
// moment makes one order and one session.
func TestIdempotency_TwentyAtOnce(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	b := body(nil)
	var all sync.WaitGroup
	answers := make([]answer, 20)
	for i := range answers {
		all.Go(func() { answers[i], _ = h.try("POST", "/v1/checkouts", "one-key", b) })
	}
	all.Wait()
	id := ""
	for _, a := range answers {
		require.Contains(t, []int{201, 409}, a.status, a.raw)
		if a.status == 409 {
			require.Equal(t, "in_flight", a.Code, a.raw)
			require.NotEmpty(t, a.header.Get("Retry-After"))
			continue
		}
		require.True(t, id == "" || id == a.ID)
		id = a.ID
	}
	require.NotEmpty(t, id)
	require.Equal(t, id, h.ask("POST", "/v1/checkouts", "one-key", b).ID)
	require.Equal(t, 1, h.sessions())
	var page struct{ Data []order }
	decode(t, h.ask("GET", "/v1/orders", "", nil).raw, &page)
	require.Len(t, page.Data, 1)

	b["amount"] = 1051
	other := h.ask("POST", "/v1/checkouts", "one-key", b)
	require.Equal(t, 409, other.status)
	require.Equal(t, "idempotency_key_reused", other.Code)
	again := h.ask("POST", "/v1/checkouts", "other-key", b)
	require.Equal(t, 409, again.status)
	require.Equal(t, "reference_used", again.Code)
	require.Contains(t, again.raw, id)
	require.Equal(t, 409, h.ask("POST", "/v1/orders/"+id+"/cancel", "one-key", nil).status, "a key belongs to one operation")
}

// TestIdempotency_RefundsTogetherNeverExceed: many refunds at once, each with
// a key of its own, never give back more than was taken.
func TestIdempotency_RefundsTogetherNeverExceed(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.paid(nil)
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			a, err := h.try("POST", "/v1/orders/"+o.ID+"/refunds", unique("refund"), map[string]any{"amount": 400})
			if err == nil && a.status != 201 && a.status != 409 && a.status != 422 {
				t.Errorf("refund: %d %s", a.status, a.raw)
			}
		})
	}
	all.Wait()
	a := h.ask("GET", "/v1/orders/"+o.ID, "", nil)
	require.LessOrEqual(t, a.Refunded, int64(800))
	require.NotZero(t, a.Refunded)
}

// TestIdempotency_AnswersLost: whatever becomes of the answer, the effect is
// there once, and the same key tells.
func TestIdempotency_AnswersLost(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	for _, action := range []standin.Action{standin.DropAfter, standin.DropBefore, standin.Cut, standin.Empty, standin.HTML} {
		h.fault(standin.Fault{Method: "POST", Path: "/v1/checkout/sessions", Action: action, Times: 1})
		b, key := body(nil), unique("key")
		a := h.ask("POST", "/v1/checkouts", key, b)
		require.Equal(t, 202, a.status, "%s: %s", action, a.raw)
		require.Equal(t, "unknown", a.Attempts[0].Status)
		healed := h.when(a.ID, "healed", func(a answer) bool { return a.Attempts[0].Status == "requires_action" })
		same := h.ask("POST", "/v1/checkouts", key, b)
		require.Equal(t, 201, same.status, same.raw)
		require.Equal(t, healed.NextAction.URL, same.NextAction.URL)
		h.pay(same.NextAction.URL, visa)
		h.until(a.ID, "paid")

		h.fault(standin.Fault{Method: "POST", Path: "/v1/refunds", Action: action, Times: 1})
		refund := h.ask("POST", "/v1/orders/"+a.ID+"/refunds", key+"-refund", map[string]any{"amount": 300})
		if refund.status != 201 { // the provider's callback may know better before the answer is given up
			require.Equal(t, 202, refund.status, "%s: %s", action, refund.raw)
			require.Equal(t, "unknown", refund.Status)
		}
		require.Equal(t, int64(750), h.ask("GET", "/v1/orders/"+a.ID, "", nil).Refundable, "an unknown refund stays reserved")
		h.until(a.ID, "partially_refunded")
		require.Equal(t, 201, h.ask("POST", "/v1/orders/"+a.ID+"/refunds", key+"-refund", map[string]any{"amount": 300}).status)
	}
	require.Len(t, h.books().Captures, 5)
	require.Len(t, h.books().Refunds, 5)
	require.Equal(t, 5, h.sessions())
}
