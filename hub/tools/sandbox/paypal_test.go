package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	paypal "github.com/superpayhub/superpay/plugins/paypal/sandbox"
)

func TestPayPalRules_ComeByFlags(t *testing.T) {
	t.Parallel()
	noEnv := func(string) string { return "" }
	o, err := parse([]string{
		"--paypal-no-disputes", "--paypal-refunds", "pending", "--paypal-keep-fees", "--paypal-read-lag", "5s",
		"--paypal-platform", "--paypal-strict",
	}, noEnv)
	require.NoError(t, err)
	require.Equal(t, paypalRules{
		noDisputes: true, platform: true, strict: true, readLag: 5 * time.Second,
		refunds: paypal.RefundRules{Status: "PENDING", KeepFees: true},
	}, o.paypalRules)
}

func TestUsage_TellsOfEveryFlagAndDoor(t *testing.T) {
	t.Parallel()
	flags := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	(&paypalRules{}).flags(flags)
	var out bytes.Buffer
	flags.SetOutput(&out)
	usage(flags)
	for _, want := range []string{"-paypal-no-disputes", "-paypal-refunds completed", "_sandbox/permissions", "_sandbox/clock"} {
		require.Contains(t, out.String(), want)
	}
}

// What the flags say holds, and the doors of the help are there.
func TestPayPalRules_HoldAndCanBeChanged(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	read, write := io.Pipe()
	ended := make(chan error, 1)
	env := map[string]string{
		"SANDBOX_STRIPE_KEY": "sk_test_1", "SANDBOX_STRIPE_WEBHOOK_SECRET": "whsec_1",
		"SANDBOX_PAYPAL_CLIENT_ID": "client", "SANDBOX_PAYPAL_SECRET": "secret",
	}
	go func() {
		ended <- run(ctx, []string{"--paypal-no-disputes"}, func(name string) string { return env[name] }, write, slog.New(slog.DiscardHandler))
	}()
	var where struct{ URL string }
	require.NoError(t, json.NewDecoder(read).Decode(&where))
	token := payPalToken(t, where.URL)
	require.Equal(t, http.StatusForbidden, call(t, "GET", where.URL+"/paypal/v1/customer/disputes", token, ""))
	require.Equal(t, http.StatusNoContent, call(t, "PUT", where.URL+"/paypal/_sandbox/permissions", "", `{"disputes":true}`))
	require.Equal(t, http.StatusOK, call(t, "GET", where.URL+"/paypal/v1/customer/disputes", token, ""))
	for line := range strings.Lines(doors) {
		words := strings.Fields(line)
		if len(words) < 2 || !strings.HasPrefix(words[1], "_sandbox/") {
			continue
		}
		status := call(t, words[0], where.URL+"/paypal/"+words[1], "", "")
		require.NotContains(t, []int{http.StatusNotFound, http.StatusMethodNotAllowed}, status, line)
	}
	cancel()
	require.NoError(t, <-ended)
}

func payPalToken(t *testing.T, base string) string {
	t.Helper()
	req, err := http.NewRequest("POST", base+"/paypal/v1/oauth2/token", strings.NewReader(url.Values{"grant_type": {"client_credentials"}}.Encode()))
	require.NoError(t, err)
	req.SetBasicAuth("client", "secret")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	var out struct {
		Token string `json:"access_token"`
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&out))
	return out.Token
}

func call(t *testing.T, method, address, token, body string) int {
	t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	require.NoError(t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	return resp.StatusCode
}
