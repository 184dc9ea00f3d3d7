package sandbox_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPages_RefuseButtonsPressedFromElsewhere(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	cs := s.create(hosted(1000, "usd"))
	for _, header := range []map[string]string{{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil.test"}} {
		for _, path := range []string{"/dashboard/checkout/sessions/" + cs.ID + "/expire", "/pay/" + cs.ID, "/_sandbox/faults"} {
			resp, _ := s.raw("POST", path, header, nil)
			require.Equal(t, http.StatusForbidden, resp.StatusCode)
		}
	}
	req, err := http.NewRequest("POST", s.base+"/dashboard/checkout/sessions/"+cs.ID+"/expire", nil)
	require.NoError(t, err)
	req.Host = "rebound.test"
	resp, err := web.Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusMisdirectedRequest, resp.StatusCode)
	got, err := s.api.CheckoutSessions.Get(cs.ID, nil)
	require.NoError(t, err)
	require.EqualValues(t, "open", got.Status)
}

func TestPages_KeepWhatThePayerTyped(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	cs := s.create(hosted(1000, "usd"))
	past := time.Now().AddDate(0, 0, -32).UTC().Format("01 / 06")
	for _, expiry := range []string{"12 / 20", past, "13 / 34"} {
		status, _, html := s.post("/pay/"+cs.ID, "card_number", good, "expiry", expiry, "name", "Ada")
		require.Equal(t, http.StatusPaymentRequired, status, expiry)
		require.Contains(t, html, "Your card&#39;s expiration")
		require.Contains(t, html, `value="`+expiry+`"`)
	}
	_, _, html := s.post("/pay/"+cs.ID, "card_number", "4000 0000 0000 9995", "name", "Ada L", "email", "ada@example.com", "cvc", "987")
	for _, want := range []string{"insufficient funds", "4000 0000 0000 9995\"", `value="Ada L"`, `value="ada@example.com"`, `value="987"`} {
		require.Contains(t, html, want)
	}
	_, html = s.raw("GET", "/pay/"+cs.ID+"?card=5555+5555+5555+4444", nil, nil)
	require.Contains(t, html, `name="card_number" inputmode="numeric" autocomplete="off" value="5555 5555 5555 4444"`)
	require.Contains(t, html, "?card=4000")
}

func TestPages_DashboardLeadsBackToTheShopOnly(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	shop := "?return=" + url.QueryEscape("http://127.0.0.1:9/order/1?a=b")
	ch := s.charge(chargeParams("tok_visa", 1000))
	status, to, _ := s.post("/dashboard/charges/"+ch.ID+"/refund"+shop, "amount", "4")
	require.Equal(t, http.StatusSeeOther, status)
	require.True(t, strings.HasSuffix(to, "/dashboard/payments/"+ch.ID+shop), to)
	for _, path := range []string{"/dashboard", "/dashboard/payments/" + ch.ID} {
		_, html := s.raw("GET", path+shop, nil, nil)
		require.Contains(t, html, `href="http://127.0.0.1:9/order/1?a=b">Back to the shop`)
		require.Contains(t, html, "partially refunded")
		_, html = s.raw("GET", path+"?return="+url.QueryEscape("http://evil.test/"), nil, nil)
		require.NotContains(t, html, "evil.test")
	}
	_, _, html := s.post("/dashboard/charges/"+ch.ID+"/refund"+shop, "amount", "400")
	require.Contains(t, html, ">Back</a>")
}
