package e2e

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

func decode(t *testing.T, raw string, to any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(raw), to), raw)
}

// sign signs a body as Stripe does.
func sign(secret string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.%s", at.Unix(), body)
	return fmt.Sprintf("t=%d,v1=%s", at.Unix(), hex.EncodeToString(mac.Sum(nil)))
}

func (h *house) callback(signature string, body []byte) int {
	return h.callbackOf("stripe", signature, body)
}

// callbackOf calls as the provider of that name.
func (h *house) callbackOf(name, signature string, body []byte) int {
	req, _ := http.NewRequest("POST", h.BaseURL+"/callback/"+name, bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	if signature != "" {
		req.Header.Set("Stripe-Signature", signature)
	}
	res, err := browser.Do(req)
	if err != nil {
		h.t.Error(err)
		return 0
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// withheld pays an order whose callbacks do not come, and returns the event of
// that type as the provider would send it.
func (h *house) withheld(o answer, event string) []byte {
	h.t.Helper()
	h.fault(standin.Fault{Callback: "*", Action: standin.Withhold})
	h.pay(o.NextAction.URL, visa)
	for _, e := range h.stripeList("/v1/events?limit=100") {
		if bytes.Contains(e, []byte(`"`+event+`"`)) && bytes.Contains(e, []byte(o.Attempts[0].ID)) {
			return e
		}
	}
	h.t.Fatalf("no %s among the callbacks", event)
	return nil
}

// TestCallback_FiftyTimesAtOnce changes the order once.
func TestCallback_FiftyTimesAtOnce(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.checkout(nil)
	event := h.withheld(o, "payment_intent.succeeded")
	signature := sign(h.secrets()["stripe webhook secret"], time.Now(), event)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if status := h.callback(signature, event); status != 200 {
				t.Errorf("status %d", status)
			}
		})
	}
	all.Wait()
	a := h.until(o.ID, "paid")
	require.Equal(t, o.Version+1, a.Version, "one change")
	require.Equal(t, int64(1050), a.Captured)
	require.Equal(t, 1, strings.Count(h.ask("GET", "/v1/orders/"+o.ID+"/events", "", nil).raw, `"order.paid"`))
	require.Equal(t, 1, h.count(`SELECT count(*) FROM callbacks`))
}

// TestCallback_ForgedIsRefusedAndNothingIsStored.
func TestCallback_ForgedIsRefusedAndNothingIsStored(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.checkout(nil)
	event := h.withheld(o, "payment_intent.succeeded")
	secret := h.secrets()["stripe webhook secret"]
	now := time.Now()
	altered := bytes.Replace(event, []byte("1050"), []byte("1051"), 1)
	for name, c := range map[string]struct {
		signature string
		body      []byte
	}{
		"wrong secret":     {sign("whsec_of_somebody_else_entirely", now, event), event},
		"empty secret":     {sign("", now, event), event},
		"missing":          {"", event},
		"stale":            {sign(secret, now.Add(-6*time.Minute), event), event},
		"future":           {sign(secret, now.Add(6*time.Minute), event), event},
		"one byte changed": {sign(secret, now, event), altered},
		"no scheme":        {fmt.Sprintf("t=%d", now.Unix()), event},
		"nonsense":         {"v1=,t=,;", event},
		"two times":        {fmt.Sprintf("t=%d,", now.Unix()) + sign(secret, now.Add(-time.Hour), event), event},
		"empty body":       {sign(secret, now, event), nil},
	} {
		status := h.callback(c.signature, c.body)
		require.True(t, status >= 400 && status < 500, "%s: %d", name, status)
	}
	require.Equal(t, "open", h.ask("GET", "/v1/orders/"+o.ID, "", nil).Status)
	require.Equal(t, 0, h.count(`SELECT count(*) FROM callbacks`))
	require.GreaterOrEqual(t, h.metric(`superpay_callbacks_total{provider="stripe",verdict="forged"}`), 10.0)
	require.Equal(t, 200, h.callback(sign(secret, now, event), event), "the genuine one")
	h.until(o.ID, "paid")
}

// TestCallback_OfAnotherVersionIsOnlyAReasonToRead: a signed event whose shape
// is not the pinned one's is not believed, but the provider is asked.
func TestCallback_OfAnotherVersionIsOnlyAReasonToRead(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.checkout(nil)
	event := h.withheld(o, "payment_intent.succeeded")
	event = bytes.Replace(event, []byte("2023-10-16"), []byte("2025-03-31.basil"), 1)
	event = bytes.ReplaceAll(event, []byte("1050"), []byte("9999"))
	h.fault(standin.Fault{Method: "GET", Path: "/v1/checkout/sessions", Action: standin.Status, StatusCode: 500, Times: 1})
	require.Equal(t, 200, h.callback(sign(h.secrets()["stripe webhook secret"], time.Now(), event), event))
	require.NotEqual(t, "paid", h.ask("GET", "/v1/orders/"+o.ID, "", nil).Status)
	h.dueAgain(o)
	a := h.until(o.ID, "paid")
	require.Equal(t, int64(1050), a.Captured, "what the read says, not what the event said")
	require.False(t, a.NeedsAttention)
}

// TestCallback_OfNobodyIsKept: a genuine event of a payment we do not know is
// acknowledged and kept, and bound later if it turns out to be ours.
func TestCallback_OfNobodyIsKept(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	event := []byte(`{"id":"evt_foreign_1","object":"event","api_version":"2023-10-16","created":1712700008,"livemode":false,"pending_webhooks":1,"type":"payment_intent.succeeded","request":{"id":null},"data":{"object":{"id":"pi_foreign_1","object":"payment_intent","amount":2000,"amount_received":2000,"currency":"usd","status":"succeeded","latest_charge":"ch_foreign_1","livemode":false,"metadata":{}}}}`)
	secret := h.secrets()["stripe webhook secret"]
	require.Equal(t, 200, h.callback(sign(secret, time.Now(), event), event))
	require.Equal(t, 200, h.callback(sign(secret, time.Now(), event), event))
	require.Equal(t, 1, h.count(`SELECT count(*) FROM callbacks WHERE outcome = 'unmatched' AND due_at IS NOT NULL`))
	nothing := []byte(`{"id":"evt_nothing_1","object":"event","api_version":"2023-10-16","livemode":false,"type":"customer.created","data":{"object":{"id":"cus_1"}}}`)
	for range 2 {
		require.Equal(t, 200, h.callback(sign(secret, time.Now(), nothing), nothing), "what means nothing is acknowledged, repeated or not")
	}
	live := bytes.Replace(event, []byte(`"livemode":false,"pending`), []byte(`"livemode":true,"pending`), 1)
	require.Equal(t, 200, h.callback(sign(secret, time.Now(), live), live), "of another mode: on record, and not sent again")
	require.Equal(t, 404, h.statusOf("POST", "/callback/nobody"))
}

// TestCallback_AnyOrder: late, repeated and reversed callbacks end in the same state.
func TestCallback_AnyOrder(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.fault(standin.Fault{Callback: "*", Action: standin.Withhold})
	o := h.checkout(nil)
	h.pay(o.NextAction.URL, "4000000000000002")
	h.pay(o.NextAction.URL, visa)
	for _, order := range []standin.ReleaseOrder{{Reverse: true}, {Seed: 7}} {
		list, err := h.stripe.Callbacks(t.Context())
		require.NoError(t, err)
		for _, cb := range list {
			_ = h.stripe.Resend(t.Context(), cb.ID)
		}
		_, err = h.stripe.Release(t.Context(), order)
		require.NoError(t, err)
	}
	h.until(o.ID, "paid")
	time.Sleep(500 * time.Millisecond)
	a := h.until(o.ID, "paid")
	require.False(t, a.NeedsAttention, a.raw)
	require.Equal(t, int64(1050), a.Captured)
}

// TestCallback_ThinEvents: they name an object and show nothing of it. What it belongs
// to is read.
func TestCallback_ThinEvents(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	thin := func(event, kind string, object []byte) {
		var named struct{ ID string }
		require.NoError(t, json.Unmarshal(object, &named))
		body := fmt.Appendf(nil, `{"id":"evt_thin_%s","object":"v2.core.event","type":"v1.%s","livemode":false,"created":"2026-11-29T05:00:00Z","related_object":{"id":%q,"type":%q,"url":"/"}}`,
			named.ID, event, named.ID, kind)
		require.Equal(t, 200, h.callback(sign(h.secrets()["stripe webhook secret"], time.Now(), body), body))
	}
	o := h.checkout(nil)
	h.withheld(o, "payment_intent.succeeded")
	thin("payment_intent.succeeded", "payment_intent", h.stripeList("/v1/payment_intents?limit=1")[0])
	paid := h.until(o.ID, "paid")
	require.Equal(t, int64(1050), paid.Captured)
	h.dashboard("charges/"+paid.ref("charge")+"/refund", url.Values{"amount": {"4.00"}})
	thin("refund.created", "refund", h.stripeList("/v1/refunds?limit=1")[0])
	require.Equal(t, int64(400), h.until(o.ID, "partially_refunded").Refunded)
}
