package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPayer_SeesTheHubsOwnPages where the app named none: what the order says,
// and nothing that came with the address.
func TestPayer_SeesTheHubsOwnPages(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	page := func(path string, accept ...string) (int, http.Header, string) {
		t.Helper()
		o := h.visitor()
		req, err := http.NewRequest("GET", h.BaseURL+path, nil)
		require.NoError(t, err)
		for _, a := range accept {
			req.Header.Set("Accept-Language", a)
		}
		a := o.send(req)
		return a.status, a.header, a.body
	}
	without := map[string]any{"return_url": nil, "cancel_url": nil}
	o := h.checkout(without)
	require.NotContains(t, o.raw, "return_url")
	back := "/return/" + o.Attempts[0].ID

	status, header, body := page(back + "?status=paid&order_id=x")
	require.Equal(t, 200, status)
	require.Contains(t, body, "Checking")
	require.Equal(t, "3; url=?n=1", header.Get("Refresh"))
	require.Contains(t, body, `10.50 <span class="currency">USD`)
	require.Contains(t, body, "shop")
	require.Contains(t, body, "TEST MODE")
	require.Equal(t, "no-referrer", header.Get("Referrer-Policy"))
	require.Contains(t, header.Get("Content-Security-Policy"), "script-src 'self'")
	require.Empty(t, header.Get("Set-Cookie"))
	_, header, body = page(back + "?n=10")
	require.Contains(t, body, "We will tell you")
	require.Empty(t, header.Get("Refresh"))
	_, _, body = page(back + "?cancel=1")
	require.Contains(t, body, "Not paid yet")
	require.Contains(t, body, o.NextAction.URL)

	require.Equal(t, h.BaseURL+back, h.pay(o.NextAction.URL, visa))
	h.until(o.ID, "paid")
	_, _, body = page(back, "zh-CN,zh;q=0.9,en;q=0.8")
	require.Contains(t, body, "支付成功")
	_, _, body = page(back + "?cancel=1")
	require.Contains(t, body, "Paid", "what the address says does not count")
	require.Equal(t, 200, h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{}).status/100*100)
	h.until(o.ID, "refunded")
	_, _, body = page(back)
	require.Contains(t, body, "Given back")

	o = h.checkout(without)
	require.Equal(t, 200, h.ask("POST", "/v1/orders/"+o.ID+"/cancel", unique("key"), nil).status)
	h.until(o.ID, "canceled")
	_, _, body = page("/return/" + o.Attempts[0].ID)
	require.Contains(t, body, "Nothing was taken")

	status, _, body = page("/return/att_01jd2v9q4x6m3k8n5p7r9s1t2w")
	require.Equal(t, 404, status)
	require.Contains(t, body, "This link is not known")
}
