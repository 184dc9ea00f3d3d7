package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// TestPay_FromCheckoutToTheLastCent is the main job.
func TestPay_FromCheckoutToTheLastCent(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.paid(nil)
	require.Equal(t, int64(1050), o.Captured)
	require.Nil(t, o.NextAction)

	first := h.ask("POST", "/v1/orders/"+o.ID+"/refunds", "first", map[string]any{"amount": 400, "reason": "one was broken"})
	require.Equal(t, 201, first.status, first.raw)
	require.Equal(t, "succeeded", first.Status)
	again := h.ask("POST", "/v1/orders/"+o.ID+"/refunds", "first", map[string]any{"amount": 400, "reason": "one was broken"})
	require.Equal(t, first.ID, again.ID, "the same key answers with the same refund")
	require.Equal(t, "partially_refunded", h.ask("GET", "/v1/orders/"+o.ID, "", nil).Status)
	rest := h.ask("POST", "/v1/orders/"+o.ID+"/refunds", "rest", map[string]any{})
	require.Equal(t, 201, rest.status, rest.raw)
	require.Equal(t, int64(650), rest.Amount)
	require.Equal(t, "refunded", h.ask("GET", "/v1/orders/"+o.ID, "", nil).Status)
	third := h.ask("POST", "/v1/orders/"+o.ID+"/refunds", "third", map[string]any{"amount": 1})
	require.Equal(t, 422, third.status)
	require.Contains(t, third.raw, "0.00 USD can still be refunded")
	require.Len(t, h.books().Refunds, 2)
	require.Equal(t, rest.ID, h.ask("GET", "/v1/refunds/"+rest.ID, "", nil).ID)
}

// TestPay_ThePageAloneProvesNothing: whoever calls up the success page without
// paying gets nothing, and a payment without its callback is found by reading.
func TestPay_ThePageAloneProvesNothing(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.checkout(nil)
	back := func(query string) *url.URL {
		res, err := browser.Get(h.BaseURL + "/return/" + o.Attempts[0].ID + query)
		require.NoError(t, err)
		res.Body.Close()
		require.Equal(t, http.StatusSeeOther, res.StatusCode)
		u, err := url.Parse(res.Header.Get("Location"))
		require.NoError(t, err)
		require.Equal(t, o.ID, u.Query().Get("order_id"))
		return u
	}
	require.Equal(t, "open", back("").Query().Get("status"))
	require.Equal(t, "/cart", back("?cancel=1").Path)
	require.Equal(t, "open", back("?status=paid&payment_status=paid").Query().Get("status"))

	h.fault(standin.Fault{Callback: "*", Action: standin.Withhold})
	to := h.pay(o.NextAction.URL, visa)
	require.True(t, strings.HasPrefix(to, h.BaseURL+"/return/"), to)
	require.Equal(t, "open", h.ask("GET", "/v1/orders/"+o.ID, "", nil).Status, "nothing was heard and nothing was read yet")
	require.Eventually(t, func() bool { return back("").Query().Get("status") == "paid" }, 30*time.Second, 500*time.Millisecond,
		"the return is a good moment to read, if not more than once in two seconds")
	_, err := h.stripe.Release(t.Context(), standin.ReleaseOrder{Reverse: true})
	require.NoError(t, err)
	require.Equal(t, int64(1050), h.until(o.ID, "paid").Captured, "late callbacks change nothing")
}

// TestPay_DeclineLeavesTheOrderOpen, and the payer tries again.
func TestPay_DeclineLeavesTheOrderOpen(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.checkout(nil)
	h.pay(o.NextAction.URL, "4000000000009995")
	a := h.when(o.ID, "declined", func(a answer) bool { return a.Attempts[0].Failure != nil })
	require.Equal(t, "insufficient_funds", a.Attempts[0].Failure.Code, a.raw)
	require.Equal(t, "open", a.Status)
	h.pay(o.NextAction.URL, visa)
	a = h.until(o.ID, "paid")
	require.Nil(t, a.Attempts[0].Failure, a.raw)
}

// TestPay_ManualCapture holds, takes a part, releases the rest.
func TestPay_ManualCapture(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.paid(map[string]any{"capture": "manual"})
	require.Equal(t, int64(1050), o.Authorized)
	require.Equal(t, int64(0), o.Captured)
	more := h.ask("POST", "/v1/orders/"+o.ID+"/capture", unique("key"), map[string]any{"amount": 1051})
	require.Equal(t, 422, more.status, more.raw)
	a := h.ask("POST", "/v1/orders/"+o.ID+"/capture", "capture", map[string]any{"amount": 700})
	require.Equal(t, 200, a.status, a.raw)
	require.Equal(t, "paid", a.Status, a.raw)
	require.Equal(t, int64(700), a.Captured)
	require.False(t, a.NeedsAttention, a.raw)
	again := h.ask("POST", "/v1/orders/"+o.ID+"/capture", "capture", map[string]any{"amount": 700})
	require.Equal(t, 200, again.status)
	require.Equal(t, 409, h.ask("POST", "/v1/orders/"+o.ID+"/capture", unique("key"), map[string]any{}).status)
	time.Sleep(300 * time.Millisecond)
	require.Equal(t, int64(0), h.ask("GET", "/v1/orders/"+o.ID, "", nil).Refunded, "what was released is no refund")

	held := h.paid(map[string]any{"capture": "manual"})
	a = h.ask("POST", "/v1/orders/"+held.ID+"/cancel", "release", nil)
	require.Equal(t, 200, a.status, a.raw)
	require.Equal(t, "canceled", a.Status, a.raw)
}

// TestPay_CancelAndTryAgain: an order nobody paid is closed at the provider,
// and another attempt closes the one before it.
func TestPay_CancelAndTryAgain(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.checkout(nil)
	a := h.ask("POST", "/v1/orders/"+o.ID+"/cancel", "cancel", nil)
	require.Equal(t, 200, a.status, a.raw)
	require.Equal(t, "canceled", a.Status)
	require.Equal(t, 200, h.ask("POST", "/v1/orders/"+o.ID+"/cancel", "cancel", nil).status)
	res, err := browser.PostForm(o.NextAction.URL, url.Values{"card_number": {visa}})
	require.NoError(t, err)
	res.Body.Close()
	require.Equal(t, http.StatusGone, res.StatusCode, "the provider's page is closed")

	o = h.checkout(nil)
	pay := map[string]any{"provider": "stripe", "flow": "checkout_session"}
	a = h.ask("POST", "/v1/orders/"+o.ID+"/checkouts", "again", pay)
	require.Equal(t, 201, a.status, a.raw)
	require.Len(t, a.Attempts, 2)
	require.Equal(t, "canceled", a.Attempts[0].Status)
	require.NotEqual(t, o.NextAction.URL, a.NextAction.URL)
	same := h.ask("POST", "/v1/orders/"+o.ID+"/checkouts", "again", pay)
	require.Equal(t, a.NextAction.URL, same.NextAction.URL)
	h.pay(a.NextAction.URL, visa)
	h.until(o.ID, "paid")
	require.Equal(t, 409, h.ask("POST", "/v1/orders/"+o.ID+"/checkouts", unique("key"), pay).status)
	require.Equal(t, 409, h.ask("POST", "/v1/orders/"+o.ID+"/cancel", unique("key"), nil).status)
}

// TestPay_DelayedMethod: complete is not paid.
func TestPay_DelayedMethod(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.checkout(nil)
	res, err := browser.PostForm(o.NextAction.URL, url.Values{"method": {"delayed"}})
	require.NoError(t, err)
	res.Body.Close()
	a := h.until(o.ID, "pending")
	require.Equal(t, int64(0), a.Captured)
	require.Equal(t, 409, h.ask("POST", "/v1/orders/"+o.ID+"/checkouts", unique("key"), map[string]any{"provider": "stripe", "flow": "checkout_session"}).status)
	h.dashboard("payment_intents/"+a.ref("payment_intent")+"/succeed", nil)
	h.until(o.ID, "paid")
}

// TestPay_Embedded gives the client what Stripe's form needs.
func TestPay_Embedded(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.checkout(map[string]any{"input": map[string]any{"ui_mode": "embedded"}})
	require.Equal(t, 1, h.count(`SELECT count(*) FROM attempts WHERE position('secret' IN encode(next_action, 'escape')) = 0 AND length(next_action) > 50`), "what may hold secrets is encrypted")
	require.Equal(t, "client", o.NextAction.Type)
	require.NotEmpty(t, o.NextAction.Client["client_secret"])
	res, err := browser.PostForm(h.stripe.BaseURL+"/pay/"+o.ref("checkout_session"), url.Values{"card_number": {visa}})
	require.NoError(t, err)
	res.Body.Close()
	h.until(o.ID, "paid")
}

// TestPay_UnderABasePath: everything can be mounted below a path.
func TestPay_UnderABasePath(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *dev.Options) { o.BasePath = "/superpay" })
	require.True(t, strings.HasSuffix(h.BaseURL, "/superpay"))
	h.paid(nil)
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/static/superpay.css"} {
		res, err := http.Get(h.BaseURL + path)
		require.NoError(t, err)
		res.Body.Close()
		require.Equal(t, 200, res.StatusCode, path)
	}
}
