package once

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/superpayhub/superpay/sdk"
)

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A dial error proves nothing once a connection was handed out: net/http may
// have written to that one before.
func TestTransport_DialErrorAfterAConnection(t *testing.T) {
	dial := &net.OpError{Op: "dial", Err: errors.New("refused")}
	for _, connected := range []bool{false, true} {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", "http://x", strings.NewReader("{}"))
		_, err := Transport{Provider: "x", Base: tripper(func(r *http.Request) (*http.Response, error) {
			if r.GetBody != nil {
				t.Error("net/http could repeat it")
			}
			if connected {
				httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
			}
			return nil, dial
		})}.RoundTrip(req)
		var early *sdk.NotSentError
		if errors.As(err, &early) == connected {
			t.Errorf("connected %v: %v", connected, err)
		}
	}
}

// A kept connection that breaks makes net/http send a POST with an
// Idempotency-Key again, unless it is stopped from it.
func TestClient_SendsOnceAndFollowsNothing(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/break":
			panic(http.ErrAbortHandler)
		case "/elsewhere":
			http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
		case "/long":
			_, _ = w.Write(make([]byte, 100))
		}
	}))
	defer server.Close()
	pool := Pool()
	client := Client(Transport{Provider: "x", MaxAnswer: 10, Base: pool})
	post := func(path string) error {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", server.URL+path, strings.NewReader("{}"))
		req.Header.Set("Idempotency-Key", "k")
		asked.Store(0)
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		_, err = io.ReadAll(res.Body)
		return err
	}
	for path, want := range map[string]string{
		"/": "", "/break": "the connection broke", "/elsewhere": ErrUnreadable.Error(),
		"/long": ErrUnreadable.Error() + ": more than 10 bytes",
	} {
		if err := post("/"); err != nil { // keeps a connection open
			t.Fatal(err)
		}
		err := post(path)
		if got := ""; err != nil {
			if got = Cause(err).Error(); got != want {
				t.Errorf("%s: %q, want %q (%v)", path, got, want, err)
			}
		} else if want != "" {
			t.Errorf("%s: no error", path)
		}
		if asked.Load() != 1 {
			t.Errorf("%s: sent %d times", path, asked.Load())
		}
	}
	server.Close()
	pool.CloseIdleConnections()
	var early *sdk.NotSentError
	if err := post("/"); !errors.As(err, &early) {
		t.Errorf("nobody there: %v", err)
	}
}
