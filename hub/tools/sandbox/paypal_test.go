package main

import (
	"encoding/json"
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

// What the flags say holds, and can be changed.
func TestPayPalRules_HoldAndCanBeChanged(t *testing.T) {
	t.Parallel()
	base := startSandbox(t, "--paypal-no-disputes")
	token := payPalToken(t, base)
	require.Equal(t, http.StatusForbidden, call(t, "GET", base+"/paypal/v1/customer/disputes", token, ""))
	require.Equal(t, http.StatusNoContent, call(t, "PUT", base+"/paypal/_sandbox/permissions", "", `{"disputes":true}`))
	require.Equal(t, http.StatusOK, call(t, "GET", base+"/paypal/v1/customer/disputes", token, ""))
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
