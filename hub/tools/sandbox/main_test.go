package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSandbox_ListensSaysWhereAndEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	read, write := io.Pipe()
	ended := make(chan error, 1)
	env := map[string]string{"SANDBOX_STRIPE_KEY": "sk_test_1", "SANDBOX_STRIPE_WEBHOOK_SECRET": "whsec_1"}
	go func() {
		ended <- run(ctx, []string{"--state-dir", t.TempDir(), "--with-parent"}, func(name string) string { return env[name] },
			write, slog.New(slog.DiscardHandler))
	}()
	var where struct{ Addr, URL string }
	require.NoError(t, json.NewDecoder(read).Decode(&where))
	for _, path := range []string{"/", "/stripe/dashboard", "/stripe/_sandbox/books"} {
		resp, err := http.Get(where.URL + path)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, http.StatusOK, resp.StatusCode, path)
	}
	cancel()
	require.NoError(t, <-ended)
}

func TestSandbox_OffersPayPalWithItsRootCertificate(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	read, write := io.Pipe()
	ended := make(chan error, 1)
	dir := t.TempDir()
	env := map[string]string{
		"SANDBOX_STRIPE_KEY": "sk_test_1", "SANDBOX_STRIPE_WEBHOOK_SECRET": "whsec_1",
		"SANDBOX_PAYPAL_CLIENT_ID": "client", "SANDBOX_PAYPAL_SECRET": "secret",
	}
	go func() {
		ended <- run(ctx, []string{"--state-dir", dir}, func(name string) string { return env[name] }, write, slog.New(slog.DiscardHandler))
	}()
	var where struct {
		URL string
		CA  string `json:"paypal_ca"`
	}
	require.NoError(t, json.NewDecoder(read).Decode(&where))
	resp, err := http.Get(where.URL + "/paypal/_sandbox/ca")
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, where.CA, string(body))
	block, _ := pem.Decode(body)
	require.NotNil(t, block)
	file, err := os.ReadFile(filepath.Join(dir, "paypal-ca.pem"))
	require.NoError(t, err)
	require.Equal(t, where.CA, string(file))
	cancel()
	require.NoError(t, <-ended)
}

func TestSandbox_RefusesToBeReachable(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:0"} {
		_, err := listen(t.Context(), addr)
		require.Error(t, err, addr)
	}
}
