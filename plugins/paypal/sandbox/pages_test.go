package sandbox_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/plugins/paypal/sandbox"
)

// play is the shop's page in the client flow, told to charge 10 USD.
func (s *stand) play(pairs ...string) (int, string, string) {
	s.t.Helper()
	all := append([]string{
		"client_id", clientID, "amount", "10.00", "currency", "USD", "custom_id", "att_1", "merchant_id", merchant,
		"return", "http://127.0.0.1:9/back?x=1", "choice", "approve",
	}, pairs...)
	return s.post("/client", all...)
}

// played returns the order that an honest or dishonest page reports.
func (s *stand) played(pairs ...string) reply {
	s.t.Helper()
	status, to, body := s.play(pairs...)
	require.Equal(s.t, http.StatusSeeOther, status, body)
	u, err := url.Parse(to)
	require.NoError(s.t, err)
	require.Equal(s.t, "1", u.Query().Get("x"))
	return s.ask("GET", "/v2/checkout/orders/"+u.Query().Get("order_id"), "")
}

func TestClientPage_PaysByItself(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	o := s.played()
	require.Equal(t, "COMPLETED", o.Status)
	require.Equal(t, "COMPLETED", o.Units[0].Payments.Captures[0].Status)
	require.Equal(t, "att_1", o.Units[0].CustomID)
	require.Equal(t, merchant, o.Units[0].Payee.MerchantID)
	s.eventually("CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED")
}

func TestClientPage_Tampers(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	require.Equal(t, "0.01", s.played("tamper_amount", "0.01").Units[0].Payments.Captures[0].Amount.Value)
	require.Equal(t, "JPY", s.played("tamper_amount", "10", "tamper_currency", "JPY").Units[0].Amount.Currency)
	require.Equal(t, "att_9", s.played("tamper_custom_id", "att_9").Units[0].CustomID)
	require.Equal(t, "APPROVED", s.played("stop", "approve").Status)
	require.Len(t, s.played("units", "2").Units, 2)
	before := s.server.Books()
	foreign := s.played("tamper_payee", "QTHERMERCHANT")
	require.Equal(t, "QTHERMERCHANT", foreign.Units[0].Payee.MerchantID)
	require.Equal(t, before, s.server.Books(), "it is not our money")
	paid := foreign.Units[0].Payments.Captures[0].ID
	require.Equal(t, http.StatusForbidden, s.ask("POST", "/v2/payments/captures/"+paid+"/refund", "").status)
	require.Equal(t, foreign.ID, s.played("reuse_order", foreign.ID).ID)
}

func TestClientPage_DeclinedMayTryAgain(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	status, _, page := s.play("choice", "instrument_declined")
	require.Equal(t, http.StatusPaymentRequired, status)
	require.Contains(t, page, "INSTRUMENT_DECLINED")
	id := s.server.Books().Payments[0].ID
	require.Contains(t, page, id)
	require.Equal(t, id, s.played("order_id", id).ID)
	require.Len(t, s.server.Books().Payments, 1)
}

func TestClientPage_LetsOnlyTheAppInAndLeadsOnlyHome(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	status, _, _ := s.play("client_id", "other")
	require.Equal(t, http.StatusUnauthorized, status)
	for _, to := range []string{"http://evil.test/", "javascript:alert(1)", "", "//127.0.0.1/x"} {
		status, _, _ = s.play("return", to)
		require.Equal(t, http.StatusBadRequest, status, to)
	}
	status, _, page := s.play("tamper_currency", "XXX")
	require.Equal(t, http.StatusPaymentRequired, status)
	require.Contains(t, page, "INVALID_CURRENCY_CODE")
}

func TestPages_Show(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	open := s.create("CAPTURE", "10", "USD").ID
	paid := s.paid("10", "USD", "echeck")
	order := s.ask("GET", "/v2/payments/captures/"+paid.ID, "").Related.IDs.Order
	s.press("captures/" + paid.ID + "/settle")
	s.press("captures/"+paid.ID+"/refund", "amount", "3")
	s.press("captures/"+paid.ID+"/dispute", "kind", "chargeback")
	auth := s.approved("AUTHORIZE", "5", "USD", "approve")
	require.Equal(t, http.StatusCreated, s.ask("POST", "/v2/checkout/orders/"+auth+"/authorize", "").status)
	for path, want := range map[string]string{
		"/checkoutnow?token=" + open: "10.00 USD", "/checkoutnow?token=" + order: "approved this already",
		"/dashboard": open, "/dashboard/orders/" + order: "DISPUTE_OPEN", "/dashboard/orders/" + auth: "Void", "/": "Orders",
		"/client?client_id=" + clientID + "&amount=3&currency=EUR&return=http://localhost/": "3 EUR",
	} {
		resp, err := http.Get(s.base + path)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, resp.StatusCode, path)
		if want == "DISPUTE_OPEN" {
			want = "disputes/" + s.server.Books().Disputes[0].ID + "/win"
		}
		require.Contains(t, string(body), want, path)
	}
	resp, err := http.Get(s.base + "/checkoutnow?token=NONE")
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusNotFound, resp.StatusCode)
}

func TestPages_RefuseButtonsPressedFromElsewhere(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	paid := s.paid("10", "USD", "approve")
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "http://evil.test"}} {
		for _, path := range []string{"/dashboard/captures/" + paid.ID + "/refund", "/checkoutnow", "/client", "/_sandbox/tokens/revoke"} {
			require.Equal(t, http.StatusForbidden, s.ask("POST", path, "", header...).status, path)
		}
	}
	req, err := http.NewRequest("POST", s.base+"/dashboard/captures/"+paid.ID+"/refund", nil)
	require.NoError(t, err)
	req.Host = "rebound.test"
	resp, err := web.Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusMisdirectedRequest, resp.StatusCode)
	require.Empty(t, s.server.Books().Refunds)
}

func TestNew_RefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	good := sandbox.Options{ClientID: "a", ClientSecret: "b", MerchantID: merchant, WebhookID: webhook, PublicURL: "http://localhost/paypal"}
	for _, change := range []func(*sandbox.Options){
		func(o *sandbox.Options) { o.ClientSecret = "" },
		func(o *sandbox.Options) { o.MerchantID = "merchant" },
		func(o *sandbox.Options) { o.WebhookID = "" },
		func(o *sandbox.Options) { o.PublicURL = "/paypal" },
		func(o *sandbox.Options) { o.Disable = []string{"everything"} },
	} {
		opts := good
		change(&opts)
		_, err := sandbox.New(opts)
		require.Error(t, err)
	}
}

func TestDashboard_LeadsBackToTheShopOnly(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	o := s.played()
	shop := "?return=" + url.QueryEscape("http://127.0.0.1:9/order/1")
	_, to, _ := s.post("/dashboard/captures/" + o.Units[0].Payments.Captures[0].ID + "/refund" + shop)
	require.Contains(t, to, "/dashboard/orders/"+o.ID+shop)
	for _, path := range []string{"/dashboard", "/dashboard/orders/" + o.ID} {
		for back, led := range map[string]bool{"http://127.0.0.1:9/order/1": true, "http://evil.test/": false, "javascript:alert(1)": false} {
			resp, err := http.Get(s.base + path + "?return=" + url.QueryEscape(back))
			require.NoError(t, err)
			html, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, led, strings.Contains(string(html), "Back to the shop"), back)
			require.Contains(t, string(html), `>refunded<`)
		}
	}
}
