// Package samples_test holds the samples of Stripe's documentation for what the sandbox
// serves, written for Stripe's current Go library. The test of the sandbox runs them.
package samples_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stripe/stripe-go/v85"
)

// served is the API version that the sandbox serves. The library has its own built in,
// and a client of an older account sends another by this header.
const served = "2023-10-16"

type pinned struct{ version string }

func (p pinned) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.version != "" {
		r.Header.Set("Stripe-Version", p.version)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// newClient is a client with a key that asks for a version; "" is the library's own.
func newClient(t *testing.T, key, version string) *stripe.Client {
	t.Helper()
	base := os.Getenv("SANDBOX_URL")
	if base == "" {
		t.Fatal("SANDBOX_URL is not set: run these samples through the tests of plugins/stripe/sandbox")
	}
	backends := stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL: stripe.String(base), HTTPClient: &http.Client{Transport: pinned{version}},
		LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull}, EnableTelemetry: stripe.Bool(false),
	})
	return stripe.NewClient(key, stripe.WithBackends(backends))
}

// client is the client of the samples.
func client(t *testing.T) *stripe.Client {
	t.Helper()
	return newClient(t, os.Getenv("SANDBOX_KEY"), served)
}

// must returns what a call answered, or ends the test.
func must[T any](answer T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s is %v, not %v", what, got, want)
	}
}

// all is every object of a list, page after page.
func all[T any](t *testing.T, list func(func(T, error) bool)) []T {
	t.Helper()
	var out []T
	for one, err := range list {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, one)
	}
	return out
}

// delivery is one call of a webhook.
type delivery struct {
	body      []byte
	signature string
}

// webhook is an address that Stripe can call.
func webhook(t *testing.T) (string, chan delivery) {
	t.Helper()
	calls := make(chan delivery, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		calls <- delivery{body, r.Header.Get("Stripe-Signature")}
	}))
	t.Cleanup(server.Close)
	return server.URL, calls
}

func background() context.Context { return context.Background() }
