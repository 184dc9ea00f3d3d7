package e2e

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// TestPayPal_ReadsThatLag: PayPal's reads may say less than its events for a while.
// What somebody did there meanwhile is on record once they have caught up, with the
// event's word for it, and the hub has nothing against it.
func TestPayPal_ReadsThatLag(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	client := ways[6]
	closed := client.checkout(h, false, nil)
	require.Equal(t, 201, closed.status, closed.raw)
	h.ask("GET", "/v1/orders/"+closed.ID, "", nil)
	given, inPart, charged, disputed := ways[5].pay(h, nil), ways[5].pay(h, nil), ways[5].pay(h, nil), ways[5].pay(h, nil)
	for _, path := range []string{"/v2/", "/v1/customer/"} {
		require.NoError(t, h.paypal.AddFault(t.Context(), standin.Fault{Method: "GET", Path: path, Action: standin.Stale, DelayMS: 4000}))
	}
	for _, o := range []answer{given, inPart, charged, disputed} { // a read from before, for the lag to show
		h.dueAgain(o)
	}
	h.waitFor("they are read", func() bool {
		return h.count(`SELECT count(*) FROM attempts WHERE due_at < now() OR leased_until IS NOT NULL`) == 0
	})
	press := func(o answer, button string, form url.Values) {
		t.Helper()
		h.post(h.paypal.BaseURL+"/dashboard/captures/"+o.ref("capture")+"/"+button, form)
	}

	press(given, "refund", url.Values{"amount": {"4.00"}})
	press(inPart, "reverse", url.Values{"amount": {"2.50"}, "reason": {"BUYER_COMPLAINT"}})
	press(charged, "reverse", nil)
	press(disputed, "dispute", nil)
	client.act(h, closed, false) // and the tab is closed before it tells the app

	a := h.when(given.ID, "refunded in part", func(a answer) bool { return a.Refunded == 400 })
	require.False(t, a.NeedsAttention, a.raw)
	reversed := func(o answer, sum int64) {
		t.Helper()
		a := h.when(o.ID, "reversed", func(a answer) bool { return a.Refunded == sum && a.NeedsAttention })
		require.Len(t, a.Attention, 1, a.raw)
		require.Equal(t, "reversed", a.Attention[0].Reason, a.raw)
	}
	reversed(inPart, 250)
	reversed(charged, 1050)
	h.when(disputed.ID, "disputed", func(a answer) bool { return a.Disputed == 1050 })
	h.until(closed.ID, "paid")
	require.Equal(t, map[string]int64{"provider:paypal": 650, "app": -650}, h.accounts(given))
	require.Empty(t, h.accounts(charged))
}
