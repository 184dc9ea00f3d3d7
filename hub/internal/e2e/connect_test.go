package e2e

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// atStripe asks the stand-in's API as a person with the account's key does.
func (h *house) atStripe(method, path, body string) string {
	h.t.Helper()
	req, err := http.NewRequest(method, h.SandboxURL+"/stripe"+path, strings.NewReader(body))
	require.NoError(h.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if strings.HasPrefix(body, "{") {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Authorization", "Bearer "+h.StripeSecretKey)
	res, err := http.DefaultClient.Do(req)
	require.NoError(h.t, err)
	defer res.Body.Close()
	var out bytes.Buffer
	_, err = out.ReadFrom(res.Body)
	require.NoError(h.t, err)
	require.Less(h.t, res.StatusCode, 300, out.String())
	return out.String()
}

// TestConnect: who sets a provider up knows nothing of webhooks, and the hub makes
// the endpoint there, keeps its secret, and mends it.
func TestConnect(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	db := h.database()
	o := h.admin()
	endpoints := func() int {
		return strings.Count(h.atStripe("GET", "/v1/webhook_endpoints?limit=100", ""), `/callback/stripe_two"`)
	}
	genuine := func(name string) int {
		return h.count(`SELECT count(*) FROM callbacks WHERE provider = $1 AND verdict = 'genuine'`, name)
	}

	t.Run("the endpoint is made when the provider is set up", func(t *testing.T) {
		a := o.get("/providers/new?plugin=stripe&name=stripe_two")
		require.Contains(t, a.body, "Leave it empty, and the hub makes the webhook endpoint")
		// What an earlier try made there, and the hub died before it kept the secret.
		h.atStripe("POST", "/v1/webhook_endpoints", "api_version=2023-10-16&enabled_events[]=charge.succeeded&metadata[superpay_endpoint]=1&url="+
			url.QueryEscape(h.BaseURL+"/callback/stripe_two"))
		a = o.post("/providers/new", h.settings(url.Values{"s_webhook_secret": {""}}))
		require.Equal(t, 303, a.status, a.body)
		h.waitFor("what was left over is gone", func() bool { return endpoints() == 1 })
		h.waitFor("the hub looks by itself", func() bool {
			return strings.Contains(o.get("/providers/stripe_two").body, "calls "+h.BaseURL+"/callback/stripe_two")
		})
		require.Equal(t, "paid", h.paid(map[string]any{"provider": "stripe_two"}).Status)
		h.waitFor("its events are genuine", func() bool { return genuine("stripe_two") > 0 })
		require.Zero(t, h.count(`SELECT count(*) FROM providers WHERE position('whsec_'::bytea IN settings) > 0`), "sealed at rest")

		a = o.post("/providers/new", url.Values{
			"plugin": {"paypal"}, "name": {"paypal_two"}, "s_mode": {"test"}, "s_client_id": {h.PayPal.ClientID}, "s_client_secret": {h.PayPal.Secret},
			"s_api_url": {h.SandboxURL + "/paypal"}, "s_callback_check": {"auto"}, "why": {"a second account"},
		})
		require.Equal(t, 303, a.status, a.body)
		h.waitFor("the hub looks by itself", func() bool {
			return strings.Contains(o.get("/providers/paypal_two").body, "calls the hub at "+h.BaseURL+"/callback/paypal_two")
		})
	})

	t.Run("a command looks, and mends", func(t *testing.T) {
		out, err := h.operator("provider", "connect", "stripe_two", "--check")
		require.NoError(t, err, out)
		require.Regexp(t, `(?m)^ok +endpoint `, out)
		id := one(t, db, `SELECT (regexp_match(findings::text, 'we_\w+'))[1] FROM provider_checks WHERE provider = 'stripe_two'`)
		h.atStripe("DELETE", "/v1/webhook_endpoints/"+id, "")
		out, err = h.operator("provider", "connect", "stripe_two", "--check")
		require.Error(t, err)
		require.Regexp(t, `(?m)^WRONG +endpoint .*`+id+` of the settings is not at Stripe`, out)
		require.Contains(t, o.get("/providers/stripe_two").body, "is not at Stripe")

		out, err = h.operator("provider", "connect", "stripe_two")
		require.NoError(t, err, out)
		require.Contains(t, out, "Stored, encrypted: webhook_endpoint, webhook_secret")
		require.NotContains(t, out, "whsec_")
		before := genuine("stripe_two")
		h.waitFor("the running hub has the new secret", func() bool {
			require.Equal(t, "paid", h.paid(map[string]any{"provider": "stripe_two"}).Status)
			return genuine("stripe_two") > before
		})
		out, err = h.operator("provider", "connect", "stripe_two")
		require.NoError(t, err, out)
		require.NotContains(t, out, "Stored", "what is right stays")
		require.Equal(t, 1, endpoints())
	})

	t.Run("a provider of the environment: what to put there is printed", func(t *testing.T) {
		h.atStripe("POST", "/v1/webhook_endpoints/we_default", "url=https://elsewhere.example/")
		defer h.atStripe("POST", "/v1/webhook_endpoints/we_default", "url="+url.QueryEscape(h.BaseURL+"/callback/stripe"))
		out, err := h.operator("provider", "connect", "stripe")
		require.NoError(t, err, out)
		require.Regexp(t, `HUB_PROVIDERS__STRIPE__SETTINGS__WEBHOOK_SECRET=whsec_\w+,whsec_`, out)
		a := o.post("/providers/stripe/connect", nil)
		require.Equal(t, 409, a.status, "the console cannot write there")
	})

	t.Run("what is missing is said", func(t *testing.T) {
		h.atStripe("PUT", "/_sandbox/permissions", `{"lacks":["rak_dispute_read"]}`)
		defer h.atStripe("PUT", "/_sandbox/permissions", `{"lacks":[]}`)
		a := o.post("/providers/stripe_two/check", nil)
		require.Equal(t, 303, a.status, a.body)
		require.Contains(t, o.get("/providers/stripe_two").body, "lacks the permission Disputes")
	})

	t.Run("refused callbacks are counted", func(t *testing.T) {
		refused := func() int {
			return h.count(`SELECT coalesce(sum(n), 0) FROM forged_callbacks WHERE provider = 'stripe_two'`)
		}
		before := refused()
		event := []byte(`{"id":"evt_x","object":"event","type":"product.created","data":{"object":{}}}`)
		for range 3 {
			require.Equal(t, 422, h.callbackOf("stripe_two", sign("whsec_wrong", time.Now(), event), event))
		}
		h.waitFor("they are on record", func() bool { return refused() >= before+3 })
		require.Contains(t, o.get("/providers/stripe_two").body, "Refused callbacks")
	})
}
