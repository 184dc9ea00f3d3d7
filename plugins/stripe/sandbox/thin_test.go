package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/superpayhub/superpay/plugins/stripe/sandbox"
)

type delivery struct{ body, signature string }

// receiver is an address that keeps what it is sent.
func receiver(t *testing.T) (string, chan delivery) {
	got := make(chan delivery, 100)
	ts := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- delivery{string(body), r.Header.Get("Stripe-Signature")}
	}))
	t.Cleanup(ts.Close)
	return ts.URL, got
}

// next is the first delivery that was not seen yet.
func next(t *testing.T, got chan delivery) delivery {
	t.Helper()
	select {
	case came := <-got:
		return came
	case <-time.After(30 * time.Second):
		require.FailNow(t, "nothing was delivered")
		return delivery{}
	}
}

// v2 asks API v2, which speaks JSON, and decodes its answer.
func (s *stand) v2(method, path, body string) (int, map[string]any) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.base+path, strings.NewReader(body))
	require.NoError(s.t, err)
	req.Header.Set("Authorization", "Bearer "+testKey)
	resp, err := web.Do(req)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	var answer map[string]any
	require.NoError(s.t, json.NewDecoder(resp.Body).Decode(&answer))
	return resp.StatusCode, answer
}

func TestThinEvents_NameTheirObjectAndShowNothingOfIt(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	address, got := receiver(t)
	status, made := s.v2("POST", "/v2/core/event_destinations?", `{"name":"Hub","type":"webhook_endpoint","event_payload":"thin",
		"enabled_events":["v1.charge.succeeded"],"webhook_endpoint":{"url":"`+address+`"},"include":["webhook_endpoint.signing_secret"]}`)
	require.Equal(t, http.StatusOK, status, made)
	secret := made["webhook_endpoint"].(map[string]any)["signing_secret"].(string)

	pi := s.paid(hosted(1000, "usd"), good)
	came := next(t, got)
	require.NoError(t, webhook.ValidatePayload([]byte(came.body), came.signature, secret))
	var event map[string]any
	require.NoError(t, json.Unmarshal([]byte(came.body), &event))
	require.Equal(t, "v2.core.event", event["object"])
	require.Equal(t, "v1.charge.succeeded", event["type"])
	ch := pi.LatestCharge.ID
	require.Equal(t, map[string]any{"id": ch, "type": "charge", "url": "/v1/charges/" + ch}, event["related_object"])
	require.NotContains(t, came.body, "amount")
	require.Empty(t, got, "it asked for nothing else")

	status, read := s.v2("GET", "/v2/core/events/"+event["id"].(string), "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "request", read["reason"].(map[string]any)["type"])
	status, _ = s.v2("GET", "/v2/core/events/evt_test_none", "")
	require.Equal(t, http.StatusNotFound, status)

	id := made["id"].(string)
	_, shown := s.v2("GET", "/v2/core/event_destinations/"+id+"?include[0]=webhook_endpoint.url&include[1]=webhook_endpoint.signing_secret", "")
	require.Equal(t, map[string]any{"url": address, "signing_secret": nil}, shown["webhook_endpoint"], "the secret is shown once")
	_, err := s.api.WebhookEndpoints.Get(id, nil)
	require.Equal(t, http.StatusNotFound, stripeError(t, err).HTTPStatusCode, "it is none of API v1's")
	for it := s.api.WebhookEndpoints.List(nil); it.Next(); {
		require.NotEqual(t, id, it.WebhookEndpoint().ID)
	}
	status, _ = s.v2("DELETE", "/v2/core/event_destinations/"+id, "")
	require.Equal(t, http.StatusOK, status)
	s.paid(hosted(1000, "usd"), good)
	require.Empty(t, got)
	status, wrong := s.v2("POST", "/v2/core/event_destinations", `{"name":"Hub","enabled_events":["*"]}`)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, wrong["error"].(map[string]any)["message"], "webhook_endpoint[url]")
}

func TestThinEvents_GoToTheAddressOfTheOptions(t *testing.T) {
	t.Parallel()
	address, got := receiver(t)
	s := newStand(t, func(o *sandbox.Options) { o.ThinURL = address })
	s.paid(hosted(1000, "usd"), good)
	for range 4 {
		came := next(t, got)
		require.NoError(t, webhook.ValidatePayload([]byte(came.body), came.signature, testSecret))
		require.Contains(t, came.body, `"v2.core.event"`)
	}
	s.eventually("payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed")
}
