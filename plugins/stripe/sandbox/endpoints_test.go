package sandbox_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/superpayhub/superpay/plugins/stripe/sandbox"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

func endpointOf(address string, events ...string) *stripe.WebhookEndpointParams {
	return &stripe.WebhookEndpointParams{
		URL: &address, EnabledEvents: stripe.StringSlice(events), APIVersion: stripe.String("2023-10-16"),
		Description: stripe.String("Payments"), Metadata: map[string]string{"a": "1"},
	}
}

func TestWebhookEndpoint_IsChangedListedAndDeleted(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	var ids []string
	for _, name := range []string{"a", "b", "c"} {
		we, err := s.api.WebhookEndpoints.New(endpointOf("https://hub.example/"+name, "*"))
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(we.Secret, "whsec_"))
		require.Equal(t, "enabled", we.Status)
		ids = append([]string{we.ID}, ids...)
	}
	changed, err := s.api.WebhookEndpoints.Update(ids[0], &stripe.WebhookEndpointParams{
		Disabled: stripe.Bool(true), URL: stripe.String("https://hub.example/d"), EnabledEvents: stripe.StringSlice([]string{"charge.failed"}),
		Metadata: map[string]string{"b": "2"},
	})
	require.NoError(t, err)
	got, err := s.api.WebhookEndpoints.Get(ids[0], nil)
	require.NoError(t, err)
	for _, we := range []*stripe.WebhookEndpoint{changed, got} {
		require.Equal(t, "disabled", we.Status)
		require.Equal(t, "https://hub.example/d", we.URL)
		require.Equal(t, []string{"charge.failed"}, we.EnabledEvents)
		require.Equal(t, map[string]string{"a": "1", "b": "2"}, we.Metadata)
		require.Equal(t, "Payments", we.Description)
		require.Empty(t, we.Secret, "it is shown once")
	}
	_, err = s.api.WebhookEndpoints.Update(ids[0], &stripe.WebhookEndpointParams{APIVersion: stripe.String("2022-11-15")})
	require.ErrorContains(t, err, "api_version", "an endpoint keeps its version")

	params := &stripe.WebhookEndpointListParams{}
	params.Limit = stripe.Int64(2) // the library reads on
	it := s.api.WebhookEndpoints.List(params)
	var listed []string
	for it.Next() {
		listed = append(listed, it.WebhookEndpoint().ID)
	}
	require.NoError(t, it.Err())
	require.Equal(t, append(ids, "we_default"), listed)

	gone, err := s.api.WebhookEndpoints.Del(ids[1], nil)
	require.NoError(t, err)
	require.True(t, gone.Deleted)
	_, err = s.api.WebhookEndpoints.Get(ids[1], nil)
	var se *stripe.Error
	require.True(t, errors.As(err, &se))
	require.Equal(t, http.StatusNotFound, se.HTTPStatusCode)
	_, err = s.api.WebhookEndpoints.New(endpointOf("https://hub.example/e"))
	require.ErrorContains(t, err, "enabled_events")
}

func TestWebhookEndpoint_OutlivesARestartAndStopsWhenDisabled(t *testing.T) {
	t.Parallel()
	bodies, signatures := make(chan []byte, 10), make(chan string, 10)
	second := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies <- body
		signatures <- r.Header.Get("Stripe-Signature")
	}))
	defer second.Close()
	file := filepath.Join(t.TempDir(), "state.json")
	keep := func(o *sandbox.Options) { o.StateFile = file }
	first := newStand(t, keep)
	gone, err := first.api.WebhookEndpoints.New(endpointOf(second.URL, "*"))
	require.NoError(t, err)
	we, err := first.api.WebhookEndpoints.New(endpointOf(second.URL, "charge.succeeded"))
	require.NoError(t, err)
	_, err = first.api.WebhookEndpoints.Del(gone.ID, nil)
	require.NoError(t, err)
	require.NoError(t, first.server.Close())

	s := newStand(t, keep)
	s.paid(hosted(1000, "usd"), good)
	event, err := webhook.ConstructEvent(<-bodies, <-signatures, we.Secret)
	require.NoError(t, err)
	require.EqualValues(t, "charge.succeeded", event.Type)
	_, err = s.api.WebhookEndpoints.Update(we.ID, &stripe.WebhookEndpointParams{Disabled: stripe.Bool(true)})
	require.NoError(t, err)
	s.paid(hosted(1000, "usd"), good)
	sent, err := s.doors.Callbacks(t.Context())
	require.NoError(t, err)
	sent = slices.DeleteFunc(sent, func(c standin.Callback) bool { return c.Endpoint != we.ID })
	require.Len(t, sent, 1, "a disabled endpoint is sent nothing")
}

func TestPermissions_WhatTheKeyLacksIsRefusedByName(t *testing.T) {
	t.Parallel()
	s := newStand(t, func(o *sandbox.Options) { o.Lacks = []string{"rak_charge_read", "rak_webhook_write"} })
	lacked := func(err error, name string) {
		t.Helper()
		var se *stripe.Error
		require.True(t, errors.As(err, &se), "%v", err)
		require.Equal(t, http.StatusForbidden, se.HTTPStatusCode)
		require.EqualValues(t, "more_permissions_required", se.Code)
		require.Contains(t, se.Msg, "'"+name+"'")
		require.NotContains(t, se.Msg, testKey)
	}
	lacked(s.api.Charges.List(nil).Err(), "rak_charge_read")
	_, err := s.api.Charges.New(&stripe.ChargeParams{Amount: stripe.Int64(100), Currency: stripe.String("usd")})
	lacked(err, "rak_charge_write")
	require.NoError(t, s.api.WebhookEndpoints.List(nil).Err())
	_, err = s.api.WebhookEndpoints.New(endpointOf("https://hub.example/", "*"))
	lacked(err, "rak_webhook_write")

	req, _ := http.NewRequest("PUT", s.base+"/_sandbox/permissions", strings.NewReader(`{"lacks":[]}`))
	resp, err := web.Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	require.NoError(t, s.api.Charges.List(nil).Err())

	_, err = sandbox.New(sandbox.Options{APIKey: testKey, WebhookSecret: testSecret, PublicURL: s.base, Lacks: []string{"charges"}})
	require.ErrorContains(t, err, "rak_charge_read")
}

func TestBalanceTransactions_AreThoseOfChargesRefundsAndDisputes(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	pi := s.paid(hosted(1000, "usd"), good)
	_, err := s.api.Refunds.New(refundOf(pi, 400))
	require.NoError(t, err)
	it := s.api.BalanceTransactions.List(nil)
	var amounts []int64
	for it.Next() {
		amounts = append(amounts, it.BalanceTransaction().Amount)
	}
	require.NoError(t, it.Err())
	require.ElementsMatch(t, []int64{1000, -400}, amounts)
}
