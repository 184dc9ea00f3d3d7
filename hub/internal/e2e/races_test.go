package e2e

import (
	"encoding/json"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/sdk"
)

// repeat is how often a race is run: REPEAT (1,000 with make races), or often
// enough to show a hole among all the other stories.
func repeat(t *testing.T) int {
	t.Helper()
	text := os.Getenv("REPEAT")
	if text == "" {
		return 40
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "REPEAT")
	return n
}

// What is waited for comes at once, but for a busy machine.
const patience, tick = 30 * time.Second, 100 * time.Millisecond

// times runs f(0) to f(n-1), four at a time.
func times(n int, f func(i int)) {
	var all sync.WaitGroup
	next := make(chan int)
	for range 4 {
		all.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
}

// at is the house, asked through that hub.
func (h *house) at(i int) *house {
	c := *h
	c.BaseURL = h.BaseURLs[i]
	return &c
}

// TestRaces: two hubs on one database, and two things at the same moment, many
// times over.
func TestRaces(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *dev.Options) {
		inRace(t, o)
		o.Hubs, o.CallTimeout, o.Env = 2, 25*time.Second, []string{"HUB_LOG__LEVEL=info"}
	})

	t.Run("two refunds of 60 on 100", func(t *testing.T) {
		n := repeat(t)
		times(n, func(int) {
			o, err := h.try("POST", "/v1/checkouts", unique("key"), body(map[string]any{
				"amount": 10000, "flow": "charge", "input": map[string]any{"token": "tok_visa"},
			}))
			if err != nil || o.status != 201 || o.Status != "paid" {
				t.Errorf("checkout: %v %s", err, o.raw)
				return
			}
			var answers [2]answer
			var both sync.WaitGroup
			for i := range answers {
				both.Go(func() {
					answers[i], _ = h.at(i).try("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{"amount": 6000})
				})
			}
			both.Wait()
			yes, no := answers[0], answers[1]
			if yes.status >= 400 {
				yes, no = no, yes
			}
			// 202: so busy a machine that the answer was given up; the books tell.
			// And it is the hub that says no, not the provider.
			if yes.status != 201 && yes.status != 202 || no.status != 409 && no.status != 422 || no.Code == "provider_rejected" {
				t.Errorf("two refunds: %d %s, %d %s", yes.status, yes.raw, no.status, no.raw)
			}
		})
		require.Eventually(t, func() bool {
			return h.count(`SELECT count(*) FROM orders WHERE refunded = 6000 AND status = 'partially_refunded'`) == n
		}, patience, tick)
		perPayment := map[string]int{}
		for _, r := range h.books().Refunds {
			perPayment[r.PaymentID]++
			require.Equal(t, 1, perPayment[r.PaymentID], "refunds of %s at the provider", r.PaymentID)
		}
		require.Len(t, perPayment, n)
		require.Equal(t, 2*n, h.count(`SELECT count(*) FROM postings p JOIN refunds r ON r.id = p.movement_id`), "a pair of lines for each refund")
	})

	t.Run("return page and callback", func(t *testing.T) {
		n := repeat(t)
		h.withhold()
		orders := make([]answer, n)
		times(n, func(i int) {
			var err error
			if orders[i], err = h.try("POST", "/v1/checkouts", unique("key"), body(map[string]any{"amount": 777})); err != nil || orders[i].NextAction == nil {
				t.Errorf("checkout: %v %s", err, orders[i].raw)
				return
			}
			h.pay(orders[i].NextAction.URL, visa)
		})
		require.False(t, t.Failed())
		events := h.settling()
		times(n, func(i int) {
			event := events[orders[i].Attempts[0].ID]
			heard := func() {
				if status := h.at(i%2).callback(sign(h.WebhookSecret, time.Now(), event), event); status != 200 {
					t.Errorf("callback: %d", status)
				}
			}
			back := func() { h.at(i / 2 % 2).visit(orders[i]) }
			switch i % 10 {
			case 0:
				heard()
				back()
			case 1:
				back()
				heard()
			default:
				var both sync.WaitGroup
				both.Go(heard)
				both.Go(back)
				both.Wait()
			}
		})
		const ours = ` FROM orders o WHERE o.amount = 777 `
		require.Eventually(t, func() bool {
			return h.count(`SELECT count(*)`+ours+`AND status = 'paid' AND captured = 777 AND NOT needs_attention`) == n
		}, patience, tick)
		require.Equal(t, n, h.count(`SELECT count(*) FROM captures WHERE amount = 777`), "one capture each")
		require.Equal(t, 2*n, h.count(`SELECT count(*) FROM postings WHERE stage LIKE '%.capture' AND order_id IN (SELECT id`+ours+`)`), "one pair of lines each")

		rows, err := h.db().Query(`SELECT lines, count(*), count(*) FILTER (WHERE source = 'callback') FROM (
			SELECT string_agg(kind, ' ' ORDER BY e.id) AS lines, max(source) FILTER (WHERE kind = 'capture.succeeded') AS source
			FROM events e WHERE kind <> 'capture.fee' AND order_id IN (SELECT id` + ours + `) GROUP BY order_id) t GROUP BY lines`)
		require.NoError(t, err)
		defer rows.Close()
		for rows.Next() {
			var lines string
			var orders, byCallback int
			require.NoError(t, rows.Scan(&lines, &orders, &byCallback))
			t.Logf("%d orders, %d of them settled by the callback: %s", orders, byCallback, lines)
			require.Equal(t, "order.created create.started payment.requires_action operation.succeeded capture.succeeded payment.succeeded order.paid", lines)
			require.NotZero(t, byCallback)
			require.Less(t, byCallback, orders, "no order was settled by the payer's return")
		}
		require.NoError(t, rows.Err())
	})
}

// settling returns the events that say that a payment succeeded, by attempt, as
// the provider would send them.
func (h *house) settling() map[string][]byte {
	h.t.Helper()
	out := map[string][]byte{}
	for after := ""; ; {
		page := h.stripeList("/v1/events?limit=100&type=payment_intent.succeeded" + after)
		for _, raw := range page {
			var e struct {
				ID   string
				Data struct {
					Object struct{ Metadata map[string]string }
				}
			}
			require.NoError(h.t, json.Unmarshal(raw, &e))
			out[e.Data.Object.Metadata[sdk.MetadataAttempt]] = raw
			after = "&starting_after=" + e.ID
		}
		if len(page) < 100 {
			return out
		}
	}
}
