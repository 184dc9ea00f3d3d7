package main

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	stripe "github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"

	"github.com/superpayhub/superpay/plugins/stripe/sandbox"
	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// shop is a hub that connects: the stand-in, the settings that it keeps, and the
// address that Stripe shall call.
type shop struct {
	*house
	api      *client.API // what a person does in the dashboard
	doors    standin.Client
	settings sdk.Settings
	callback string
	calls    chan sdk.CallbackRequest
}

func newShop(t *testing.T, change ...func(*sandbox.Options)) *shop {
	t.Helper()
	s := &shop{calls: make(chan sdk.CallbackRequest, 100)}
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.calls <- sdk.CallbackRequest{
			ReceivedAt: time.Now(), Method: r.Method, Path: r.URL.Path, Body: body,
			Headers: []sdk.Header{{Name: "Stripe-Signature", Value: r.Header.Get("Stripe-Signature")}},
		}
	}))
	s.house = newHouse(t, change...)
	t.Cleanup(hook.Close)
	s.callback = hook.URL + "/callbacks/stripe"
	s.doors = standin.Client{BaseURL: s.base}
	s.settings = sdk.Settings{"secret_key": testKey, "api_url": s.base}
	s.api = newClient(settings{secretKey: testKey, apiURL: s.base})
	return s
}

// connect is one call whose answer is kept, unless it is lost.
func (s *shop) connect(repair bool) *sdk.Connection {
	s.t.Helper()
	out, err := New().Connect(s.t.Context(), sdk.ConnectRequest{Settings: maps.Clone(s.settings), Callback: s.callback, Repair: repair})
	require.NoError(s.t, err)
	requireNoSecret(s.t, out, s.settings)
	return out
}

func (s *shop) repair() *sdk.Connection {
	s.t.Helper()
	out := s.connect(true)
	maps.Copy(s.settings, out.Settings)
	return out
}

// endpoints are all that Stripe has, newest first, but for the stand-in's own.
func (s *shop) endpoints() []*stripe.WebhookEndpoint {
	s.t.Helper()
	it := s.api.WebhookEndpoints.List(nil)
	var all []*stripe.WebhookEndpoint
	for it.Next() {
		if e := it.WebhookEndpoint(); e.ID != "we_default" {
			all = append(all, e)
		}
	}
	require.NoError(s.t, it.Err())
	return all
}

// byHand makes an endpoint as a person does.
func (s *shop) byHand(address, version string, events ...string) *stripe.WebhookEndpoint {
	s.t.Helper()
	e, err := s.api.WebhookEndpoints.New(&stripe.WebhookEndpointParams{
		URL: &address, APIVersion: optional(version), EnabledEvents: stripe.StringSlice(events),
	})
	require.NoError(s.t, err)
	return e
}

func (s *shop) changes() int {
	s.t.Helper()
	list, err := s.doors.Requests(s.t.Context())
	require.NoError(s.t, err)
	n := 0
	for _, r := range list {
		if r.Method != http.MethodGet {
			n++
		}
	}
	return n
}

// wrongs are the texts of what is not OK about a subject.
func wrongs(c *sdk.Connection, subject string) []string {
	var out []string
	for _, f := range c.Findings {
		if f.Subject == subject && !f.OK {
			out = append(out, f.Text)
		}
	}
	return out
}

func requireAllRight(t *testing.T, c *sdk.Connection) {
	t.Helper()
	require.Len(t, c.Findings, 3)
	for i, subject := range []string{sdk.FindingCredentials, sdk.FindingPermission, sdk.FindingEndpoint} {
		require.Equal(t, subject, c.Findings[i].Subject)
		require.True(t, c.Findings[i].OK, c.Findings[i].Text)
	}
}

func requireNoSecret(t *testing.T, c *sdk.Connection, all sdk.Settings) {
	t.Helper()
	held := []string{all["secret_key"], leak}
	for _, list := range []string{all["webhook_secret"], c.Settings["webhook_secret"]} {
		held = append(held, strings.Split(list, ",")...)
	}
	for _, f := range c.Findings {
		require.NotEmpty(t, f.Text)
		for _, secret := range held {
			if secret != "" {
				require.NotContains(t, f.Text, secret)
			}
		}
	}
}
