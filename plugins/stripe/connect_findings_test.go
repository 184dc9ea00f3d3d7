package main

import (
	"testing"

	"github.com/stretchr/testify/require"
	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/plugins/stripe/sandbox"
	"github.com/superpayhub/superpay/sdk"
)

func TestConnect_TellsWhatTheKeyMayNot(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(o *sandbox.Options) { o.Lacks = []string{"rak_dispute_read", "rak_webhook_write"} })
	told := wrongs(s.connect(false), sdk.FindingPermission)
	require.Len(t, told, 1)
	require.Contains(t, told[0], "lacks the permission Disputes (read)")
	require.Contains(t, told[0], "rak_dispute_read")
	told = wrongs(s.repair(), sdk.FindingPermission)
	require.Len(t, told, 2)
	require.Contains(t, told[1], "rak_webhook_write")
	require.Empty(t, s.endpoints())

	s = newShop(t, func(o *sandbox.Options) { o.Lacks = []string{"rak_webhook_read"} })
	told = wrongs(s.repair(), sdk.FindingPermission)
	require.Len(t, told, 1)
	require.Contains(t, told[0], "Webhook Endpoints (write)")
}

func TestConnect_TellsOfAKeyThatIsRefused(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.settings["secret_key"] = "sk_test_" + leak
	out := s.connect(true)
	require.Len(t, out.Findings, 1)
	require.False(t, out.Findings[0].OK)
	require.Equal(t, sdk.FindingCredentials, out.Findings[0].Subject)
	require.Contains(t, out.Findings[0].Text, "https://dashboard.stripe.com/test/apikeys")
}

func TestConnect_NeedsAnAddressThatStripeCanCall(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.callback = ""
	require.Contains(t, wrongs(s.repair(), sdk.FindingEndpoint)[0], "HUB_SERVER__PUBLIC_URL")

	live := &connection{Provider: &Provider{settings: settings{mode: sdk.Live}, api: s.api}, callback: "http://hub.example/", repair: true}
	require.NoError(t, live.lookAtEndpoint(t.Context()))
	require.Contains(t, live.endpoint[0].Text, "only https in live mode")
	require.Zero(t, s.changes())

	s.callback = "gopher://hub"
	told := wrongs(s.repair(), sdk.FindingEndpoint)
	require.Contains(t, told[0], "Stripe refuses the endpoint for gopher://hub: Not a valid URL")
	require.Contains(t, told[1], "No endpoint at Stripe")
}

func TestConnect_ErrorsSayNoSecret(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 404, 429, 500, 503, 200} {
		f := newFake(t, say(status, errorBody(`"type":"invalid_request_error","message":"whsec_`+leak+`"`)))
		in := testSettings(f.URL)
		_, err := New().Connect(t.Context(), sdk.ConnectRequest{Settings: in, Callback: "https://hub.example/", Repair: true})
		require.Error(t, err, status)
		require.NotContains(t, err.Error(), leak)
		require.Len(t, f.seen(), 1)
	}
	for field, value := range map[string]string{
		"secret_key": "", "webhook_secret": "whsec_0123456789,", "webhook_endpoint": "whsec_" + leak,
	} {
		in := testSettings("https://api.stripe.com")
		in[field] = value
		_, err := New().Connect(t.Context(), sdk.ConnectRequest{Settings: in})
		var wrong *sdk.SettingsError
		require.ErrorAs(t, err, &wrong)
		require.Equal(t, field, wrong.Field)
		require.NotContains(t, err.Error(), leak)
	}
}

// TestConnect_OnOnesOwnMachine: with the real Stripe and a hub on this machine there
// is no endpoint to make; nothing is asked for it.
func TestConnect_OnOnesOwnMachine(t *testing.T) {
	t.Parallel()
	c := &connection{Provider: &Provider{settings: settings{apiURL: stripe.APIURL, mode: sdk.Test}}, callback: "http://localhost:58081/callback/stripe", repair: true}
	require.NoError(t, c.lookAtEndpoint(t.Context()))
	require.Len(t, c.endpoint, 1)
	require.True(t, c.endpoint[0].OK)
	require.Contains(t, c.endpoint[0].Text, "`stripe listen`")
	c.settings.mode = sdk.Live
	require.False(t, c.localOnly())
	c.settings.mode, c.callback = sdk.Test, "https://hub.example/callback/stripe"
	require.False(t, c.localOnly())
}
