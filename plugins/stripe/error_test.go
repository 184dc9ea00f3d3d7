package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// class names the four ways in which a method ends.
func class(err error) string {
	var rejected *sdk.RejectedError
	var notSent *sdk.NotSentError
	var mismatch *sdk.MismatchError
	switch {
	case err == nil:
		return "done"
	case errors.As(err, &rejected):
		return "rejected"
	case errors.As(err, &notSent):
		return "not sent"
	case errors.As(err, &mismatch):
		return "mismatch"
	case errors.Is(err, sdk.ErrNotFound):
		return "not found"
	}
	return "unknown"
}

func code(err error) string {
	var rejected *sdk.RejectedError
	if errors.As(err, &rejected) {
		return rejected.Failure.Code
	}
	return ""
}

const leak = "LEAKLEAKLEAK"

func errorBody(fields string) string {
	return `{"error":{` + fields + `,"payment_intent":{"id":"pi_1","client_secret":"pi_1_secret_` + leak + `"}}}`
}

// classes are the answers that a POST may get, and what each of them proves.
var classes = []struct {
	name   string
	status int
	header string
	body   string
	class  string
	code   string
}{
	{"html 200", 200, "", "<html>pi_1_secret_" + leak + "</html>", "unknown", ""},
	{"cut 200", 200, "", `{"id":"cs_1","client_secret":"cs_1_secret_` + leak, "unknown", ""},
	{"empty 200", 200, "", "", "unknown", ""},
	{"no id", 200, "", "{}", "unknown", ""},
	{"null", 200, "", "null", "unknown", ""},
	{"redirect", 302, "", `{"id":"cs_1","status":"open"}`, "unknown", ""},
	{"html 502", 502, "", "<html>" + leak, "unknown", ""},
	{"500", 500, "", errorBody(`"type":"api_error","message":"` + leak + `"`), "unknown", ""},
	{"503", 503, "", errorBody(`"type":"api_error"`), "unknown", ""},
	{"400 of a proxy", 400, "", `{"message":"` + leak + `"}`, "unknown", ""},
	{"404 html", 404, "", "<html>" + leak, "unknown", ""},
	{"409", 409, "", errorBody(`"type":"idempotency_error","code":"idempotency_key_in_use"`), "unknown", ""},
	{"lock", 429, "", errorBody(`"type":"invalid_request_error","code":"lock_timeout"`), "unknown", ""},
	{"400 to be retried", 400, "true", errorBody(`"type":"invalid_request_error"`), "unknown", ""},
	{"rate limit", 429, "", errorBody(`"type":"invalid_request_error","code":"rate_limit"`), "not sent", ""},
	{"401", 401, "", errorBody(`"type":"invalid_request_error","message":"Invalid API Key provided: sk_test_` + leak + `"`), "not sent", ""},
	{"403", 403, "", errorBody(`"type":"invalid_request_error","message":"rk_test_` + leak + `"`), "not sent", ""},
	{"mismatch", 400, "", errorBody(`"type":"idempotency_error","message":"` + leak + `"`), "mismatch", ""},
	{"too small", 400, "", errorBody(`"type":"invalid_request_error","code":"amount_too_small","param":"amount","message":"Amount must be at least $0.50 usd"`), "rejected", sdk.FailureAmount},
	{"missing", 404, "", errorBody(`"type":"invalid_request_error","code":"resource_missing","message":"No such token: 'tok_` + leak + `'"`), "rejected", sdk.FailureInvalidRequest},
	{"state", 400, "", errorBody(`"type":"invalid_request_error","code":"payment_intent_unexpected_state"`), "rejected", sdk.FailureState},
	{"declined", 402, "", errorBody(`"type":"card_error","code":"card_declined","decline_code":"insufficient_funds"`), "rejected", sdk.FailureInsufficientFunds},
}

func TestPost_EveryAnswerProvesNoMoreThanItShould(t *testing.T) {
	for _, c := range classes {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
				if c.header != "" {
					w.Header().Set("Stripe-Should-Retry", c.header)
				}
				w.Header().Set("Location", "/elsewhere")
				say(c.status, c.body)(w, nil)
			})
			p := newTestProvider(t, f.URL)
			r := paymentRequest(sessionRef, intentRef)
			_, create := p.CreateCheckout(t.Context(), checkoutRequest())
			_, refund := p.Refund(t.Context(), sdk.RefundRequest{
				PaymentRequest: r, Key: "op_r", RefundID: "ref_1", CaptureID: "ch_1", Refund: usd(100),
			})
			_, token := p.CreateCheckout(t.Context(), checkoutOf("charge", "token", "tok_"+leak))
			_, apple := p.CreateCheckout(t.Context(), checkoutOf("apple_pay", "payment_method", "pm_"+leak))
			for what, err := range map[string]error{"create": create, "refund": refund, "charge": token, "apple pay": apple} {
				want := c.class
				if c.name == "declined" && (what == "charge" || what == "apple pay") {
					want = "done" // there, a decline is data
				}
				if class(err) != want {
					t.Errorf("%s: %s (%v), want %s", what, class(err), err, want)
				}
				if strings.Contains(fmt.Sprintf("%v %+v", err, errors.Unwrap(err)), leak) {
					t.Errorf("%s leaks: %v", what, err)
				}
			}
			if code(create) != c.code {
				t.Errorf("code %q, want %q", code(create), c.code)
			}
			_, read := p.GetPayment(t.Context(), r)
			for _, err := range []error{create, refund, read} {
				if err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, errors.Unwrap(err)), leak) {
					t.Errorf("leaks or succeeds: %v", err)
				}
			}
			if calls := f.seen(); len(calls) != 5 {
				t.Errorf("%d requests for 5 calls: the plugin must not retry", len(calls))
			}
		})
	}
}

func TestPost_NoConnectionIsNotSent(t *testing.T) {
	f := newFake(t, say(200, "{}"))
	p := newTestProvider(t, f.URL)
	f.Close()
	if _, err := p.CreateCheckout(t.Context(), checkoutRequest()); class(err) != "not sent" {
		t.Errorf("%s: %v", class(err), err)
	}
}

func TestPost_TimeoutIsUnknown(t *testing.T) {
	release := make(chan struct{})
	f := newFake(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	p := newTestProvider(t, f.URL)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := p.CreateCheckout(ctx, checkoutRequest())
	if class(err) != "unknown" || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%s: %v", class(err), err)
	}
	if ctx.Err() != nil {
		t.Error("the hub's deadline passed before the plugin answered")
	}
}

// net/http would repeat a request with an Idempotency-Key by itself when a kept
// connection breaks: a second sending that the hub knows nothing of, and whose
// dial error would hide that the first one arrived.
func TestPost_BrokenConnectionIsUnknownAndSentOnce(t *testing.T) {
	var broken atomic.Bool
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if !broken.Load() {
			say(500, "{}")(w, r)
			return
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		conn.Close()
	})
	p := newTestProvider(t, f.URL)
	known := paymentRequest(sessionRef, intentRef)
	p.CreateCheckout(t.Context(), checkoutRequest())
	p.Cancel(t.Context(), sdk.CancelRequest{PaymentRequest: known, Key: "op_x"})
	broken.Store(true)
	_, create := p.CreateCheckout(t.Context(), checkoutRequest())
	broken.Store(false)
	p.Cancel(t.Context(), sdk.CancelRequest{PaymentRequest: known, Key: "op_x"})
	broken.Store(true)
	_, cancel := p.Cancel(t.Context(), sdk.CancelRequest{PaymentRequest: known, Key: "op_x"})
	if class(create) != "unknown" || class(cancel) != "unknown" {
		t.Errorf("%v; %v", create, cancel)
	}
	if n := len(f.seen()); n != 5 {
		t.Errorf("5 calls made %d requests", n)
	}
}

func TestGet_AnswerThatIsTooLargeIsRefused(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"id":"cs_test_1","status":"open","url":"`)
		chunk := []byte(strings.Repeat("x", 1<<20))
		for range 9 {
			w.Write(chunk)
		}
		fmt.Fprint(w, `"}`)
	})
	_, err := newTestProvider(t, f.URL).GetPayment(t.Context(), paymentRequest(sessionRef))
	if class(err) != "unknown" || !errors.Is(err, once.ErrUnreadable) {
		t.Errorf("%v", err)
	}
}

func TestDecline_NeverAccusesThePayer(t *testing.T) {
	for _, reason := range []string{"lost_card", "stolen_card", "fraudulent", "pickup_card", "merchant_blacklist"} {
		f := decline("card_declined", reason)
		if f.Code != sdk.FailureDeclined || f.ProviderCode != "generic_decline" || strings.Contains(f.Message, reason) {
			t.Errorf("%s: %+v", reason, f)
		}
	}
	if f := decline("expired_card", ""); f.Code != sdk.FailureExpiredCard || f.ProviderCode != "expired_card" {
		t.Errorf("%+v", f)
	}
	if f := decline("card_declined", "do_not_honor"); f.Code != sdk.FailureDeclined || f.ProviderCode != "do_not_honor" {
		t.Errorf("%+v", f)
	}
}
