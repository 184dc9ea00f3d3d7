package e2e

import (
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// runs waits until the list of a provider's latest run has ended.
func (h *house) runs(provider, kind string) {
	h.t.Helper()
	require.Eventually(h.t, func() bool {
		return h.count(`SELECT count(*) FROM schedules WHERE provider = $1 AND kind = $2 AND since IS NULL AND tries = 0 AND (due_at IS NULL OR due_at > now())`, provider, kind) == 1
	}, 30*time.Second, 20*time.Millisecond, "the %s list of %s does not end", kind, provider)
}

// forget lets time pass over what the hub would look at by itself.
func (h *house) forget(o answer) {
	h.t.Helper()
	h.count(`WITH u AS (UPDATE attempts SET due_at = now() + interval '90 days', read_wanted = false WHERE order_id = $1 RETURNING 1) SELECT count(*) FROM u`, o.ID)
}

// listNow makes a provider's daily list due.
func (h *house) listNow(provider string) {
	h.t.Helper()
	h.count(`WITH u AS (UPDATE schedules SET due_at = now() WHERE provider = $1 AND kind = 'daily' RETURNING 1) SELECT count(*) FROM u`, provider)
	h.runs(provider, "daily")
}

// TestList: what happened at a provider while every callback was lost is found
// in its own list, by the day and when its plugin is back.
func TestList(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.runs("stripe", "daily")
	h.runs("paypal", "daily")
	refunded, paid := h.paid(nil), h.checkout(nil)
	held := h.checkout(map[string]any{"provider": "paypal", "flow": "server"})
	h.post(h.paypal.BaseURL+"/checkoutnow", url.Values{"token": {held.ref("order")}, "choice": {"approve"}})
	held = h.until(held.ID, "paid")
	h.quiet()
	h.withhold()
	require.NoError(t, h.paypal.AddFault(t.Context(), standin.Fault{Callback: "*", Action: standin.Withhold}))

	for _, o := range []answer{refunded, paid, held} {
		h.forget(o)
	}
	h.dashboard("charges/"+refunded.ref("charge")+"/refund", url.Values{"amount": {"4.00"}})
	h.pay(paid.NextAction.URL, visa)
	// The list breaks off between its pages, and goes on where it was.
	pages := func() (n int) {
		all, err := h.stripe.Requests(t.Context())
		require.NoError(t, err)
		for _, r := range all {
			if r.Method == "GET" && r.Path == "/v1/checkout/sessions" {
				n++
			}
		}
		return n
	}
	before := pages()
	h.fault(standin.Fault{Method: "GET", Path: "/v1/payment_intents", Action: standin.Status, StatusCode: 500, Times: 1})
	h.listNow("stripe")
	require.Equal(t, int64(400), h.until(refunded.ID, "partially_refunded").Refunded)
	h.until(paid.ID, "paid")
	require.Equal(t, before+1, pages(), "the page before is not read again")

	// What is known gives no more reason to read.
	require.Eventually(t, func() bool { return h.count(`SELECT count(*) FROM attempts WHERE read_wanted`) == 0 }, 30*time.Second, 20*time.Millisecond)
	version := h.ask("GET", "/v1/orders/"+paid.ID, "", nil).Version
	h.listNow("stripe")
	require.Zero(t, h.count(`SELECT news FROM schedules WHERE provider = 'stripe' AND kind = 'daily'`))
	require.Equal(t, version, h.ask("GET", "/v1/orders/"+paid.ID, "", nil).Version)

	// The plugin was away, and so was every callback of that time.
	h.post(h.paypal.BaseURL+"/dashboard/captures/"+held.ref("capture")+"/refund", url.Values{"amount": {"3.00"}})
	require.NoError(t, syscall.Kill(h.pluginPID("paypal"), syscall.SIGKILL))
	require.Equal(t, int64(300), h.until(held.ID, "partially_refunded").Refunded)
	h.runs("paypal", "outage")

	t.Run("of an order that is gone", func(t *testing.T) { h.lostMoney(t) })
	t.Run("of nobody, and of another hub on the same account", func(t *testing.T) { h.unmatchedMoney(t) })
}

// lostMoney is a payment whose order is gone from the database: its metadata prove
// that the hub made it, so it is on record again.
func (h *house) lostMoney(t *testing.T) {
	require.NoError(t, h.stripe.ClearFaults(t.Context()))
	lost := h.paid(nil)
	h.quiet() // or a write that is under way brings it back
	for _, table := range []string{"notifications", "postings", "events", "callbacks", "captures", "refs", "operations", "attempts"} {
		h.count(`WITH u AS (DELETE FROM `+table+` WHERE order_id = $1 RETURNING 1) SELECT count(*) FROM u`, lost.ID)
	}
	h.count(`WITH u AS (DELETE FROM orders WHERE id = $1 RETURNING 1) SELECT count(*) FROM u`, lost.ID)
	require.Equal(t, 404, h.ask("GET", "/v1/orders/"+lost.ID, "", nil).status)
	for try := 0; h.ask("GET", "/v1/orders/"+lost.ID, "", nil).status == 404 && try < 3; try++ { // a list may have begun before
		h.listNow("stripe")
	}
	require.Equal(t, int64(1050), h.until(lost.ID, "paid").Captured)
}

// unmatchedMoney are payments at PayPal under a hub's name that no hub signed: under
// this hub's, they are put before a person; another's must not alarm this.
func (h *house) unmatchedMoney(t *testing.T) {
	h.skipBalance = true
	var instance string
	require.NoError(t, h.query(`SELECT instance_id FROM hub`).Scan(&instance))
	payer := func(hub string) string {
		attempt := ledger.NewID(ledger.AttemptID, time.Now())
		h.post(h.paypal.BaseURL+"/client", url.Values{
			"client_id": {h.PayPal.ClientID}, "merchant_id": {h.PayPal.MerchantID}, "amount": {"7.00"}, "currency": {"USD"},
			"custom_id": {attempt + ":" + hub}, "choice": {"approve"}, "return": {"http://localhost:9/"},
		})
		return attempt
	}
	others, ours := payer("0000000000000000"), payer(instance) // the list that has the second has the first
	certain := func() int {
		return h.count(`SELECT count(*) FROM unmatched WHERE provider = 'paypal' AND attempt_id = $1 AND certain AND captured = 700 AND resolved_at IS NULL`, ours)
	}
	for try := 0; certain() == 0 && try < 3; try++ { // a list may have begun before
		h.listNow("paypal")
	}
	require.Equal(t, 1, certain())
	require.Zero(t, h.count(`SELECT count(*) FROM unmatched WHERE attempt_id = $1`, others))
	require.Contains(t, h.logs.String(), "money at a provider belongs to no attempt")

	unmatched := func() string {
		out, err := h.hubCommand("provider", "unmatched").CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	text := unmatched()
	require.Contains(t, text, ours, "nobody's payment is not shown")
	require.Contains(t, text, "7.00")
	var settled []string
	for _, line := range strings.Split(strings.TrimSpace(text), "\n")[1:] {
		settled = strings.Fields(line)
		out, err := h.hubCommand("provider", "resolve", settled[0], settled[1], settled[2], "--why", "test money").CombinedOutput()
		require.NoError(t, err, string(out))
	}
	h.listNow("paypal")
	require.NotContains(t, unmatched(), ours, "a person settled it")
	require.Error(t, h.hubCommand("provider", "resolve", settled[0], settled[1], settled[2], "--why", "again").Run())
	out, err := h.hubCommand("provider", "listed").CombinedOutput()
	require.NoError(t, err)
	require.Contains(t, string(out), "stripe")
}
