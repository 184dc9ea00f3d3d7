package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

func TestConnect_MakesAnEndpointWhoseEventsAreGenuine(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	looked := s.connect(false)
	require.Empty(t, looked.Settings)
	require.Contains(t, wrongs(looked, sdk.FindingEndpoint)[0], "No endpoint at Stripe calls "+s.callback)
	require.Zero(t, s.changes(), "without Repair nothing is changed")

	requireAllRight(t, s.repair())
	made := s.endpoints()
	require.Len(t, made, 1)
	require.Equal(t, made[0].ID, s.settings["webhook_endpoint"])
	require.Equal(t, stripe.APIVersion, made[0].APIVersion)
	require.Equal(t, endpointEvents(), made[0].EnabledEvents)
	require.Equal(t, s.callback, made[0].URL)

	before := s.changes()
	again := s.repair()
	requireAllRight(t, again)
	require.Empty(t, again.Settings)
	require.Equal(t, before, s.changes(), "a repeat changes nothing")

	p := New()
	_, err := p.Configure(t.Context(), s.settings)
	require.NoError(t, err)
	s.pay(s.checkout("op_1"), "4242424242424242")
	var facts []sdk.Fact
	for len(facts) == 0 || len(facts[0].Payment.Captures.Items) == 0 {
		select {
		case call := <-s.calls:
			require.True(t, bytes.Contains(call.Body, []byte(`"event"`)))
			out, err := p.HandleCallback(t.Context(), call)
			require.NoError(t, err)
			require.Equal(t, sdk.Genuine, out.Verdict, out.Reason)
			facts = out.Facts
		case <-time.After(20 * time.Second):
			t.Fatal("the capture's event did not arrive at the endpoint")
		}
	}
	require.True(t, facts[0].Proven)
}

func TestConnect_LostAnswerLeavesNothingTwice(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.connect(true) // the answer is lost
	first := s.endpoints()[0].ID
	looked := s.connect(false)
	require.Contains(t, wrongs(looked, sdk.FindingEndpoint)[0], first)

	require.NoError(t, s.doors.AddFault(t.Context(), standin.Fault{Method: "POST", Path: "/v1/webhook_endpoints", Action: standin.DropAfter, Times: 1}))
	_, err := New().Connect(t.Context(), sdk.ConnectRequest{Settings: s.settings, Callback: s.callback, Repair: true})
	require.ErrorContains(t, err, "create a webhook endpoint")

	twice := s.repair()
	require.Len(t, s.endpoints(), 3, "none is deleted before the hub has the secret of the new one")
	require.Len(t, wrongs(twice, sdk.FindingEndpoint), 2)
	requireAllRight(t, s.repair())
	left := s.endpoints()
	require.Len(t, left, 1)
	require.Equal(t, s.settings["webhook_endpoint"], left[0].ID)
	require.NotEqual(t, first, left[0].ID)
}

func TestConnect_MendsWhatStripeLetsOneChange(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change stripe.WebhookEndpointParams
		says   string
	}{
		"address":         {stripe.WebhookEndpointParams{URL: stripe.String("https://old.example/hub")}, "calls another address"},
		"disabled":        {stripe.WebhookEndpointParams{Disabled: stripe.Bool(true)}, "is disabled"},
		"missing events":  {stripe.WebhookEndpointParams{EnabledEvents: stripe.StringSlice([]string{"charge.failed"})}, "charge.captured, charge.dispute.closed"},
		"needless events": {stripe.WebhookEndpointParams{EnabledEvents: stripe.StringSlice(append(endpointEvents(), "invoice.paid"))}, "reads: invoice.paid"},
		"all events":      {stripe.WebhookEndpointParams{EnabledEvents: stripe.StringSlice([]string{"*"})}, "sends all events"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.repair()
			id := s.settings["webhook_endpoint"]
			_, err := s.api.WebhookEndpoints.Update(id, &c.change)
			require.NoError(t, err)
			before := s.changes()
			looked := s.connect(false)
			last := looked.Findings[len(looked.Findings)-1]
			require.Contains(t, last.Text, c.says)
			require.Contains(t, last.Text, "`hub provider connect` mends this")
			require.Equal(t, name == "all events", last.OK)
			require.Equal(t, before, s.changes())

			mended := s.repair()
			requireAllRight(t, mended)
			require.Empty(t, mended.Settings)
			require.Len(t, s.endpoints(), 1)
			require.Equal(t, before+1, s.changes())
			requireAllRight(t, s.connect(false))
		})
	}
}

func TestConnect_ReplacesAnotherVersion(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	old := s.byHand("https://old.example/hub", "2022-11-15", "*")
	_, err := s.api.WebhookEndpoints.Update(old.ID, &stripe.WebhookEndpointParams{Metadata: map[string]string{ourMark: "1"}})
	require.NoError(t, err)
	s.settings["webhook_endpoint"] = old.ID
	s.settings["webhook_secret"] = old.Secret + ", " + testSecret + "," + nextSecret
	require.Contains(t, strings.Join(wrongs(s.connect(false), sdk.FindingEndpoint), "\n"), "has API version 2022-11-15 and not "+stripe.APIVersion)

	replaced := s.repair()
	require.NotEqual(t, old.ID, s.settings["webhook_endpoint"])
	secrets := strings.Split(s.settings["webhook_secret"], ",")
	require.Equal(t, []string{old.Secret, testSecret}, secrets[1:], "the new one first, the oldest dropped")
	require.Contains(t, wrongs(replaced, sdk.FindingEndpoint)[0], old.ID)
	require.Len(t, s.endpoints(), 2)
	s.connect(false)
	require.Len(t, s.endpoints(), 2)
	requireAllRight(t, s.repair())
	require.Len(t, s.endpoints(), 1)
}

func TestConnect_ReplacesAnEndpointWhoseSecretIsLost(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.repair()
	lost := s.settings["webhook_endpoint"]
	delete(s.settings, "webhook_secret")
	require.Contains(t, wrongs(s.connect(false), sdk.FindingEndpoint)[0], lost+" calls "+s.callback+", and its signing secret is not in the settings")
	s.repair()
	require.Len(t, s.endpoints(), 2)
	requireAllRight(t, s.repair())
	require.Len(t, s.endpoints(), 1)
	require.NotEqual(t, lost, s.endpoints()[0].ID)
}

func TestConnect_LeavesAloneWhatItDidNotMake(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	strange := s.byHand(s.callback, "", "charge.succeeded")
	elsewhere := s.byHand("https://elsewhere.example/", "", "*")
	for range 3 {
		told := wrongs(s.repair(), sdk.FindingEndpoint)
		require.Len(t, told, 1)
		require.Contains(t, told[0], strange.ID)
		require.Contains(t, told[0], "Delete it at https://dashboard.stripe.com/test/webhooks")
	}
	kept := s.endpoints()
	require.Len(t, kept, 3)
	require.Equal(t, []string{elsewhere.ID, strange.ID}, []string{kept[1].ID, kept[2].ID})
	require.Equal(t, []string{"charge.succeeded"}, kept[2].EnabledEvents)
}

// TestConnect_TakesOverAnEndpointMadeByHand: a person made it in the dashboard, with
// the version that is wanted, and put its secret into the settings.
func TestConnect_TakesOverAnEndpointMadeByHand(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	made := s.byHand(s.callback, stripe.APIVersion, "charge.succeeded")
	s.settings["webhook_secret"] = made.Secret
	orphan := s.byHand(s.callback, stripe.APIVersion, "*")
	_, err := s.api.WebhookEndpoints.Update(orphan.ID, &stripe.WebhookEndpointParams{Metadata: map[string]string{ourMark: "1"}})
	require.NoError(t, err)
	require.Contains(t, wrongs(s.repair(), sdk.FindingEndpoint)[0], orphan.ID)
	require.Equal(t, made.ID, s.settings["webhook_endpoint"])
	requireAllRight(t, s.repair())
	require.Equal(t, made.Secret, s.settings["webhook_secret"])
	require.Len(t, s.endpoints(), 1)

	_, err = s.api.WebhookEndpoints.Del(made.ID, nil)
	require.NoError(t, err)
	require.Contains(t, wrongs(s.connect(false), sdk.FindingEndpoint)[0], "is not at Stripe")
	requireAllRight(t, s.repair())
	require.NotEqual(t, made.ID, s.settings["webhook_endpoint"])
}
