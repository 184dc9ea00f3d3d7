package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// startSandbox runs the sandbox with flags and returns its URL.
func startSandbox(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	ended := make(chan error, 1)
	env := map[string]string{
		"SANDBOX_STRIPE_KEY": "sk_test_1", "SANDBOX_STRIPE_WEBHOOK_SECRET": "whsec_1",
		"SANDBOX_PAYPAL_CLIENT_ID": "client", "SANDBOX_PAYPAL_SECRET": "secret",
	}
	go func() {
		err := run(ctx, args, func(name string) string { return env[name] }, write, slog.New(slog.DiscardHandler))
		_ = write.CloseWithError(err)
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	var where struct{ URL string }
	require.NoError(t, json.NewDecoder(read).Decode(&where))
	return where.URL
}

func ask(t *testing.T, method, address, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer sk_test_1")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(answer)
}

func TestSandbox_FlagsSetStripesTroubles(t *testing.T) {
	t.Parallel()
	url := startSandbox(t, "--stripe-list-status", "429", "--stripe-lacks", "rak_dispute_read,rak_webhook_write")
	status, body := ask(t, http.MethodGet, url+"/stripe/v1/charges", "")
	require.Equal(t, http.StatusTooManyRequests, status, body)
	status, body = ask(t, http.MethodGet, url+"/stripe/v1/disputes/dp_1", "")
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "rak_dispute_read")
	status, _ = ask(t, http.MethodGet, url+"/v1/charges/ch_none", "")
	require.Equal(t, http.StatusNotFound, status, "Stripe's libraries find it without a path, too")

	for _, wrong := range [][]string{{"--stripe-list-status", "200"}, {"--stripe-lacks", "charges"}, {"--stripe-fee-delay", "-1s"}} {
		o, err := parse(wrong, func(string) string { return "sk_test_1" })
		require.NoError(t, err)
		_, err = openStripe(o, "http://127.0.0.1:1", slog.New(slog.DiscardHandler))
		require.Error(t, err, wrong)
	}
}

// TestSandbox_HelpTellsWhatWorks runs each command of the help.
func TestSandbox_HelpTellsWhatWorks(t *testing.T) {
	t.Parallel()
	var help bytes.Buffer
	flags := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	flags.SetOutput(&help)
	usage(flags)
	commands := regexp.MustCompile(`curl (?:-X (\w+) )?URL(\S+)(?: -d '([^']*)')?`).FindAllStringSubmatch(help.String(), -1)
	require.Len(t, commands, 11)
	for _, command := range commands {
		method := command[1]
		if method == "" && command[3] != "" {
			method = http.MethodPost
		}
		status, body := ask(t, method, startSandbox(t)+command[2], command[3])
		require.Less(t, status, http.StatusMultipleChoices, "%s: %s", command[0], body)
	}
}
