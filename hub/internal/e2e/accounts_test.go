package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAccounts_TwoOfOneProvider: each has its own name, process, secrets and
// callback; what is proven to one is not believed at the other.
func TestAccounts_TwoOfOneProvider(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	form := url.Values{"url": {h.BaseURL + "/callback/stripe_eu"}, "enabled_events[]": {"*"}}
	req, err := http.NewRequest("POST", h.stripe.BaseURL+"/v1/webhook_endpoints", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+h.StripeSecretKey)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := browser.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	var endpoint struct{ Secret string }
	require.NoError(t, json.NewDecoder(res.Body).Decode(&endpoint))
	require.NotEmpty(t, endpoint.Secret)

	const eu = "HUB_PROVIDERS__STRIPE_EU__"
	h.KillHub(0)
	require.NoError(t, h.StartHub(t.Context(), 0, eu+"PLUGIN=stripe", eu+"SETTINGS__SECRET_KEY="+h.StripeSecretKey,
		eu+"SETTINGS__WEBHOOK_SECRET="+endpoint.Secret, eu+"SETTINGS__API_URL="+h.stripe.BaseURL))
	one, other := h.paid(nil), h.paid(map[string]any{"provider": "stripe_eu"})
	require.NotEqual(t, one.ID, other.ID)
	require.Equal(t, 2, h.count(`SELECT count(DISTINCT provider) FROM captures`))
	event := []byte(`{"id":"evt_x1","object":"event","api_version":"2023-10-16","type":"charge.pending","livemode":false,"data":{"object":{"id":"ch_x"}}}`)
	require.Equal(t, 422, h.callback(sign(endpoint.Secret, time.Now(), event), event), "the other account's secret proves nothing here")
	refund := h.ask("POST", "/v1/orders/"+other.ID+"/refunds", unique("key"), map[string]any{"amount": 50})
	require.Equal(t, 201, refund.status, refund.raw)
}

// TestApplePay_DomainAssociation is served at the root, where Apple looks.
func TestApplePay_DomainAssociation(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	const path = "/.well-known/apple-developer-merchantid-domain-association"
	require.Equal(t, 404, h.statusOf("GET", path))
	h.KillHub(0)
	require.NoError(t, h.StartHub(t.Context(), 0, "HUB_PROVIDERS__STRIPE__SETTINGS__APPLE_PAY_DOMAIN_ASSOCIATION=7B227073704964"))
	require.Equal(t, 200, h.statusOf("GET", path))
}
