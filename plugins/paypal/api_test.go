package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

func errorsAs[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

// class names an outcome.
func class(err error) string {
	switch {
	case err == nil:
		return "done"
	case errorsAs[*sdk.RejectedError](err):
		return "rejected"
	case errorsAs[*sdk.NotSentError](err):
		return "not sent"
	case errorsAs[*sdk.MismatchError](err):
		return "mismatch"
	}
	return "unknown"
}

func TestOutcome_OfEveryKindOfAnswer(t *testing.T) {
	hang := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(5 * time.Second):
		}
	}
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "500")
		io.WriteString(w, `{"id":"5O19`)
	}
	reset := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for _, c := range []struct {
		name, want string
		answer     http.HandlerFunc
	}{
		{"400 named", "rejected", say(400, problemBody("INVALID_REQUEST", "INVALID_PARAMETER_VALUE"))},
		{"422", "rejected", say(422, problemBody("UNPROCESSABLE_ENTITY", "CURRENCY_NOT_SUPPORTED"))},
		{"422 in progress", "unknown", say(422, problemBody("UNPROCESSABLE_ENTITY", "ORDER_COMPLETION_IN_PROGRESS"))},
		{"422 key reused", "mismatch", say(422, problemBody("UNPROCESSABLE_ENTITY", "DUPLICATE_REQUEST_ID"))},
		{"404 named", "rejected", say(404, problemBody("RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID"))},
		{"404 of a proxy", "unknown", say(404, "<html>not here</html>")},
		{"400 empty", "unknown", say(400, "")},
		{"401 twice", "not sent", say(401, `{"error":"invalid_token"}`)},
		{"403", "not sent", say(403, problemBody("NOT_AUTHORIZED", "PERMISSION_DENIED"))},
		{"409", "unknown", say(409, problemBody("RESOURCE_CONFLICT", "PREVIOUS_REQUEST_IN_PROGRESS"))},
		{"429", "not sent", say(429, problemBody("RATE_LIMIT_REACHED", ""))},
		{"500", "unknown", say(500, problemBody("INTERNAL_SERVER_ERROR", ""))},
		{"502 html", "unknown", say(502, "<html>bad gateway</html>")},
		{"503 empty", "unknown", say(503, "")},
		{"redirect", "unknown", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Location", "/x"); w.WriteHeader(302) }},
		{"200 html", "unknown", say(200, "<html></html>")},
		{"200 empty", "unknown", say(200, "")},
		{"200 {}", "unknown", say(200, "{}")},
		{"201 no link", "unknown", say(201, `{"id":"5O190127TN364715T","status":"CREATED"}`)},
		{"201 odd id", "unknown", say(201, `{"id":"../x","status":"APPROVED"}`)},
		{"201 too large", "unknown", say(201, `{"id":"`+strings.Repeat("A", maxAnswer)+`"}`)},
		{"cut", "unknown", cut},
		{"reset", "unknown", reset},
		{"hang", "unknown", hang},
		{"done", "done", say(201, doc("PAYER_ACTION_REQUIRED", nil))},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, c.answer)
			ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
			defer cancel()
			_, err := newTestProvider(t, f).CreateCheckout(ctx, checkoutRequest("server"))
			if class(err) != c.want {
				t.Fatalf("%v is %s, want %s", err, class(err), c.want)
			}
			if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "token1")) {
				t.Errorf("tells too much: %v", err)
			}
			if n := len(f.seen()); n != 1 && c.name != "401 twice" {
				t.Errorf("sent %d times", n)
			}
		})
	}
}

func TestOutcome_NoConnectionAndNoTokenAreNotSent(t *testing.T) {
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	for name, base := range map[string]string{
		"down":    down.URL,
		"refused": tokenServer(t, 401, `{"error":"invalid_client","error_description":"secret-superpay"}`),
		"500":     tokenServer(t, 500, ""),
		"empty":   tokenServer(t, 200, "{}"),
		"html":    tokenServer(t, 200, "<html>"),
	} {
		p := New()
		if _, err := p.Configure(t.Context(), testSettings(base)); err != nil {
			t.Fatal(err)
		}
		_, err := p.CreateCheckout(t.Context(), checkoutRequest("server"))
		if class(err) != "not sent" || strings.Contains(err.Error(), "secret-superpay") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func tokenServer(t *testing.T, status int, body string) string {
	s := httptest.NewServer(say(status, body))
	t.Cleanup(s.Close)
	return s.URL
}

// A revoked token is renewed once by all its users together, and each request
// repeated under its own key with the same bytes.
func TestToken_RevokedIsRenewedOnce(t *testing.T) {
	var revoked sync.Map
	revoked.Store("Bearer token1", true)
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if _, bad := revoked.Load(r.Header.Get("Authorization")); bad {
			say(401, `{"error":"invalid_token"}`)(w, r)
			return
		}
		say(201, doc("PAYER_ACTION_REQUIRED", nil))(w, r)
	})
	p := newTestProvider(t, f)
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			if _, err := p.CreateCheckout(t.Context(), checkoutRequest("server")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if f.tokens != 2 {
		t.Errorf("%d tokens were fetched, want 2", f.tokens)
	}
	for _, c := range f.seen() {
		if c.Key != "op_1" || c.Body != f.seen()[0].Body {
			t.Fatalf("another request: %+v", c)
		}
	}
}

// A token that hangs holds nobody longer than its own deadline: neither who
// fetches it nor who waits for it.
func TestToken_HangingFetchIsBoundByEachDeadline(t *testing.T) {
	asked, end := make(chan struct{}, 10), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-end
	}))
	defer s.Close()
	defer close(end)
	p := New()
	if _, err := p.Configure(t.Context(), testSettings(s.URL)); err != nil {
		t.Fatal(err)
	}
	try := func(limit time.Duration) {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		began := time.Now()
		_, err := p.CreateCheckout(ctx, checkoutRequest("server"))
		if took := time.Since(began); class(err) != "not sent" || took > limit+500*time.Millisecond {
			t.Errorf("%v after %s, limit %s", err, took, limit)
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() { try(1500 * time.Millisecond) })
	<-asked
	for range 5 {
		wg.Go(func() { try(300 * time.Millisecond) })
	}
	wg.Wait()
}

// net/http repeats a request by itself on a kept connection that broke. A POST
// must leave once.
func TestTransport_SendsAPostOnce(t *testing.T) {
	n := 0
	var mu sync.Mutex
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if n++; n > 1 {
			panic(http.ErrAbortHandler)
		}
		say(201, doc("PAYER_ACTION_REQUIRED", nil))(w, r)
	})
	p := newTestProvider(t, f)
	if _, err := p.CreateCheckout(t.Context(), checkoutRequest("server")); err != nil {
		t.Fatal(err)
	}
	if _, err := p.CreateCheckout(t.Context(), checkoutRequest("server")); class(err) != "unknown" {
		t.Errorf("%v", err)
	}
	if got := len(f.seen()); got != 2 {
		t.Errorf("%d requests, want 2", got)
	}
}
