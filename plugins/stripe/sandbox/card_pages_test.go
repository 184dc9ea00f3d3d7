package sandbox_test

import (
	"net/http"
	"net/url"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v76"
)

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(data)
}

// given returns what a page gave to the address it led back to.
func given(t *testing.T, to, name string) string {
	t.Helper()
	u, err := url.Parse(to)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:9", u.Host)
	require.Equal(t, "kept", u.Query().Get("x"))
	require.NotEmpty(t, u.Query().Get(name), to)
	return u.Query().Get(name)
}

func TestPages_ApplePaySheet(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	sheet := "/apple-pay?amount=1050&currency=usd&return=" + url.QueryEscape("http://127.0.0.1:9/shop?x=kept")
	_, html := s.raw("GET", sheet, nil, nil)
	require.Contains(t, html, "10.50 USD")
	require.Contains(t, html, "Pay with passcode")
	require.NotContains(t, html, "<script")

	_, to, _ := s.post(sheet, "result", "pay", "card_number", good)
	pm := given(t, to, "payment_method")
	pi := s.newIntent(legacy(pm))
	require.EqualValues(t, "succeeded", pi.Status)
	require.EqualValues(t, "apple_pay", s.getIntent(pi.ID).LatestCharge.PaymentMethodDetails.Card.Wallet.Type)
	_, to, _ = s.post(sheet+"&kind=confirmation_token", "result", "pay", "card_number", secure)
	require.EqualValues(t, "requires_action", s.newIntent(deferred(given(t, to, "confirmation_token"))).Status)
	_, to, _ = s.post(sheet, "result", "cancel")
	require.Equal(t, "1", given(t, to, "canceled"))
	status, _, _ := s.post(sheet, "result", "pay", "card_number", "4111111111111111")
	require.Equal(t, http.StatusPaymentRequired, status)
	status, _, html = s.post("/apple-pay", "result", "pay", "card_number", good)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, html, "payment_method=pm_")
}

func TestPages_TokenForm(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	form := "/token-form?return=" + url.QueryEscape("http://127.0.0.1:9/shop?x=kept")
	_, html := s.raw("GET", form, nil, nil)
	require.Contains(t, html, "4000 0000 0000 9995")
	_, to, _ := s.post(form, "card_number", good, "expiry", "11 / 30", "name", "Ada")
	ch := s.charge(chargeParams(given(t, to, "token"), 1000))
	require.Equal(t, "Ada", ch.BillingDetails.Name)
	require.EqualValues(t, 2030, ch.PaymentMethodDetails.Card.ExpYear)
	_, to, _ = s.post(form, "card_number", good, "pick", "4000 0000 0000 9995")
	_, err := s.api.Charges.New(chargeParams(given(t, to, "token"), 1000))
	require.EqualValues(t, "insufficient_funds", stripeError(t, err).DeclineCode)
	status, _, html := s.post(form, "card_number", good, "expiry", "13 / 30")
	require.Equal(t, http.StatusPaymentRequired, status)
	require.Contains(t, html, "expiration month is invalid")
}

func TestPages_LeadNobodyAway(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	pi := s.newIntent(legacy("pm_card_authenticationRequired"))
	for _, evil := range []string{"http://evil.test/", "javascript:alert(1)", "//evil.test", "http://localhost@evil.test/", "/relative", "http://a@localhost/"} {
		for _, path := range []string{"/apple-pay", "/token-form", "/3ds/" + pi.ID} {
			status, to, _ := s.post(path+"?return="+url.QueryEscape(evil), "card_number", good, "result", "complete")
			require.Equal(t, http.StatusBadRequest, status, evil)
			require.Empty(t, to)
		}
	}
	for _, ok := range []string{"http://localhost:8080/a", "http://[::1]/", "https://127.0.0.1/"} {
		status, _, _ := s.post("/token-form?return="+url.QueryEscape(ok), "card_number", good)
		require.Equal(t, http.StatusSeeOther, status)
	}
	for _, path := range []string{"/apple-pay", "/token-form", "/3ds/" + pi.ID} {
		resp, _ := s.raw("POST", path, map[string]string{"Sec-Fetch-Site": "cross-site"}, nil)
		require.Equal(t, http.StatusForbidden, resp.StatusCode)
	}
	require.EqualValues(t, stripe.PaymentIntentStatusRequiresAction, s.getIntent(pi.ID).Status)
}
