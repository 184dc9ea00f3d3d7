package main

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

const captureEvent = `{"id":"WH-58D329510W468432D-8HN650336L201105X","event_type":"PAYMENT.CAPTURE.COMPLETED","resource_type":"capture","resource":{
	"id":"` + testCapture + `","custom_id":"` + testAttempt + `","status":"COMPLETED","amount":{"currency_code":"EUR","value":"99.99"},
	"supplementary_data":{"related_ids":{"order_id":"` + testOrder + `"}}}}`

func setHeader(r sdk.CallbackRequest, name, value string) sdk.CallbackRequest {
	r.Headers = slices.Clone(r.Headers)
	for i := range r.Headers {
		if strings.EqualFold(r.Headers[i].Name, name) {
			r.Headers[i].Value = value
		}
	}
	return r
}

func TestCallback_SignedIsGenuineAndOnlyHints(t *testing.T) {
	authority := newCA(t)
	h := newHook(t, authority, authority.pem, nil, nil)
	for range 3 {
		out := h.judge(t, h.request(captureEvent))
		if out.Verdict != sdk.Genuine || out.EventID != "WH-58D329510W468432D-8HN650336L201105X" || out.Type != "PAYMENT.CAPTURE.COMPLETED" || len(out.Facts) != 1 {
			t.Fatalf("%+v", out)
		}
		f := out.Facts[0]
		if f.Proven || f.Payment.AttemptID != testAttempt || f.Payment.Status != "" || len(f.Payment.Captures.Items) != 0 ||
			!slices.Equal(f.Payment.Refs, []sdk.Ref{orderRef(), captureRef()}) {
			t.Errorf("%+v", f)
		}
	}
	if n := h.fetched.Load(); n != 1 {
		t.Errorf("the certificate was fetched %d times", n)
	}
	if len(h.api.seen()) != 0 {
		t.Error("PayPal was asked")
	}
}

// A body made to fit the CRC32 of another passes the signature, as PayPal's
// rule has it. It must move nothing by itself.
func TestCallback_CRCCollisionIsOnlyAHint(t *testing.T) {
	authority := newCA(t)
	h := newHook(t, authority, authority.pem, nil, nil)
	r := h.request(captureEvent)
	r.Body = collide(`{"id":"WH-FORGED-1","event_type":"PAYMENT.CAPTURE.COMPLETED","resource":{"id":"`+testCapture+`","custom_id":"`+testAttempt+
		`","status":"COMPLETED","amount":{"currency_code":"USD","value":"9999.00"}},"pad":"`, `"}`, crc32.ChecksumIEEE([]byte(captureEvent)))
	out := h.judge(t, r)
	if out.Verdict != sdk.Genuine || len(out.Facts) != 1 {
		t.Fatalf("%+v", out)
	}
	if f := out.Facts[0]; f.Proven || f.Payment.Status != "" || !f.Payment.Amount.IsZero() || len(f.Payment.Captures.Items) != 0 {
		t.Errorf("a forged body proves something: %+v", f)
	}
}

func TestCallback_ForgedIsRefusedWithoutAsking(t *testing.T) {
	authority := newCA(t)
	h := newHook(t, authority, authority.pem, nil, nil)
	good := h.request(captureEvent)
	twice := good
	twice.Headers = append(slices.Clone(good.Headers), sdk.Header{Name: "PAYPAL-CERT-URL", Value: h.certURL})
	late, early := good, good
	late.ReceivedAt, early.ReceivedAt = testNow.Add(4*24*time.Hour), testNow.Add(-time.Hour)
	body := func(b string) sdk.CallbackRequest { r := good; r.Body = []byte(b); return r }
	cases := map[string]sdk.CallbackRequest{
		"altered":         body(strings.Replace(captureEvent, "99.99", "99.98", 1)),
		"not JSON":        body("x"),
		"array":           h.request(`[1]`),
		"no id":           h.request(`{"event_type":"PAYMENT.CAPTURE.COMPLETED"}`),
		"no type":         h.request(`{"id":"WH-1"}`),
		"cut":             h.request(`{"id":"WH-1","event_type":"A"`),
		"two documents":   h.request(`{"id":"WH-1","event_type":"A"}{}`),
		"too large":       h.request(`{"id":"WH-1","event_type":"A","x":"` + strings.Repeat("x", maxEvent) + `"}`),
		"other signature": setHeader(good, "Paypal-Transmission-Sig", base64.StdEncoding.EncodeToString(make([]byte, 256))),
		"not base64":      setHeader(good, "Paypal-Transmission-Sig", "%%%"),
		"other id":        setHeader(good, "Paypal-Transmission-Id", "69cd13f0-d67a-11e5-baa3-778b53f4ae56"),
		"joined id":       setHeader(good, "Paypal-Transmission-Id", "a|b"),
		"other algorithm": setHeader(good, "Paypal-Auth-Algo", "SHA1withRSA"),
		"none":            setHeader(good, "Paypal-Auth-Algo", ""),
		"other time":      setHeader(good, "Paypal-Transmission-Time", testNow.Format(time.RFC3339)),
		"bad time":        setHeader(good, "Paypal-Transmission-Time", "yesterday"),
		"header twice":    twice,
		"too old":         late,
		"from tomorrow":   early,
		"foreign cert":    setHeader(good, "Paypal-Cert-Url", "https://evil.example/v1/notifications/certs/CERT-1"),
	}
	for name, r := range cases {
		if out := h.judge(t, r); out.Verdict != sdk.Forged || out.Ack.Status != 400 || len(out.Facts) != 0 {
			t.Errorf("%s: %+v", name, out)
		}
	}
	if len(h.api.seen()) != 0 {
		t.Error("PayPal was asked about a forgery")
	}
	if out := h.judge(t, good); out.Verdict != sdk.Genuine {
		t.Errorf("%+v", out)
	}
}

func TestCallback_CertificateAddressIsPinned(t *testing.T) {
	live, test := &certs{settings: settings{mode: sdk.Live}}, &certs{settings: settings{mode: sdk.Test, certHost: "127.0.0.1:8080"}}
	for _, c := range []struct {
		address    string
		live, test bool
	}{
		{"https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-7a8abba9", true, false},
		{"https://api-m.paypal.com/v1/notifications/certs/CERT-1", true, false},
		{"https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1", false, true},
		{"https://api-m.sandbox.paypal.com/v1/notifications/certs/CERT-1", false, true},
		{"http://127.0.0.1:8080/paypal/v1/notifications/certs/CERT-1", false, true},
		{"http://127.0.0.1:8080/v1/notifications/certs/CERT-1", false, true},
		{"http://127.0.0.1:8081/v1/notifications/certs/CERT-1", false, false},
		{"http://127.0.0.1:8080/x/CERT-1", false, false},
		{"http://api.paypal.com/v1/notifications/certs/CERT-1", false, false},
		{"https://api.paypal.com:443/v1/notifications/certs/CERT-1", false, false},
		{"https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1", false, false},
		{"https://evil@api.paypal.com/v1/notifications/certs/CERT-1", false, false},
		{"https://api.paypal.com/v1/notifications/certs/../../x", false, false},
		{"https://api.paypal.com/v1/notifications/certs/a/b", false, false},
		{"https://api.paypal.com/v1/notifications/certs/%2e%2e", false, false},
		{"https://api.paypal.com/v1/notifications/certs/", false, false},
		{"https://api.paypal.com/v1/notifications/certs/CERT-1?x=1", false, false},
		{"https://api.paypal.com/v1/notifications/certs/CERT-1#x", false, false},
		{"https://API.paypal.com\\@evil.example/v1/notifications/certs/CERT-1", false, false},
		{"", false, false},
	} {
		if got := live.isPinned(c.address); got != c.live {
			t.Errorf("live %s: %v", c.address, got)
		}
		if got := test.isPinned(c.address); got != c.test {
			t.Errorf("test %s: %v", c.address, got)
		}
	}
}

// What cannot be checked offline is asked of PayPal, byte by byte.
func TestCallback_FallsBackToPayPal(t *testing.T) {
	authority, other := newCA(t), newCA(t)
	short := newCA(t, func(c *x509.Certificate) { c.NotAfter = testNow.Add(-time.Hour) })
	stranger := newCA(t, func(c *x509.Certificate) { c.Subject.CommonName, c.DNSNames = "evil.example", []string{"evil.example"} })
	event := "{ \"id\":\"WH-1\", \"event_type\":\"CHECKOUT.ORDER.APPROVED\",\n \"summary\":\"a < b & c > d \u00e9\",\"resource\":{\"id\":\"" + testOrder + "\"} }"
	status := func(s string) http.HandlerFunc { return say(200, `{"verification_status":"`+s+`"}`) }
	for _, c := range []struct {
		name      string
		authority *ca
		trusted   string
		file      string
		verify    http.HandlerFunc
		offline   bool
		want      sdk.Verdict
	}{
		{"untrusted, PayPal says yes", authority, other.pem, "CERT-1", status("SUCCESS"), false, sdk.Genuine},
		{"untrusted, PayPal says no", authority, other.pem, "CERT-1", status("FAILURE"), false, sdk.Forged},
		{"untrusted, PayPal says nothing", authority, other.pem, "CERT-1", say(200, "{}"), false, sdk.CannotCheck},
		{"untrusted, PayPal is down", authority, other.pem, "CERT-1", say(503, ""), false, sdk.CannotCheck},
		{"untrusted, nobody is asked", authority, other.pem, "CERT-1", status("SUCCESS"), true, sdk.CannotCheck},
		{"expired", short, short.pem, "CERT-1", status("FAILURE"), false, sdk.Forged},
		{"another's name", stranger, stranger.pem, "CERT-1", status("FAILURE"), false, sdk.Forged},
		{"missing, so nobody is asked", authority, authority.pem, "CERT-2", status("SUCCESS"), true, sdk.Forged},
		{"too large", authority, authority.pem, "CERT-BIG", status("FAILURE"), true, sdk.CannotCheck},
		{"redirected", authority, authority.pem, "CERT-MOVED", status("FAILURE"), true, sdk.CannotCheck},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHook(t, c.authority, c.trusted, func(in sdk.Settings) {
				if c.offline {
					in["callback_check"] = checkOffline
				}
			}, c.verify)
			h.certURL = strings.Replace(h.certURL, "CERT-1", c.file, 1)
			out := h.judge(t, h.request(event))
			if out.Verdict != c.want {
				t.Fatalf("%+v", out)
			}
			calls := h.api.seen()
			if c.offline != (len(calls) == 0) {
				t.Fatalf("asked %d times", len(calls))
			}
			if !c.offline && (calls[0].Path != "/v1/notifications/verify-webhook-signature" || !strings.HasSuffix(calls[0].Body, `,"webhook_event":`+event+"}")) {
				t.Errorf("asked %+v", calls[0])
			}
		})
	}
}

// TestCallback_AFloodOfForgeries costs PayPal little, and the genuine go through (P12).
func TestCallback_AFloodOfForgeries(t *testing.T) {
	authority, other := newCA(t), newCA(t)
	t.Run("certificates that are not there", func(t *testing.T) {
		h := newHook(t, authority, authority.pem, nil, say(200, `{"verification_status":"FAILURE"}`))
		good := h.request(captureEvent)
		if out := h.judge(t, good); out.Verdict != sdk.Genuine {
			t.Fatalf("%+v", out)
		}
		for i := range 100 {
			h.judge(t, setHeader(good, "Paypal-Cert-Url", strings.Replace(h.certURL, "CERT-1", fmt.Sprint("CERT-X", i%50), 1)))
		}
		if n := h.fetched.Load(); n > asksAtMost+1 || len(h.api.seen()) > 0 {
			t.Errorf("%d certificates were fetched, and PayPal was asked %d times", n, len(h.api.seen()))
		}
		if out := h.judge(t, good); out.Verdict != sdk.Genuine {
			t.Errorf("a genuine one meanwhile: %+v", out)
		}
		later := setHeader(good, "Paypal-Cert-Url", strings.Replace(h.certURL, "CERT-1", "CERT-BIG", 1))
		if out := h.judge(t, later); out.Verdict != sdk.CannotCheck {
			t.Errorf("an unknown certificate beyond the budget: %+v", out)
		}
		later.ReceivedAt = good.ReceivedAt.Add(time.Minute)
		was := h.fetched.Load()
		h.judge(t, later)
		if h.fetched.Load() != was+1 {
			t.Error("a minute later it is looked at")
		}
	})
	t.Run("a certificate that is not trusted", func(t *testing.T) {
		h := newHook(t, authority, other.pem, nil, say(200, `{"verification_status":"FAILURE"}`))
		for range 100 {
			h.judge(t, h.request(captureEvent))
		}
		if n := len(h.api.seen()); n != asksAtMost || h.fetched.Load() != 1 {
			t.Errorf("PayPal was asked %d times, and %d certificates were fetched", n, h.fetched.Load())
		}
	})
	t.Run("genuine ones whose chain cannot be followed", func(t *testing.T) {
		h := newHook(t, authority, other.pem, nil, say(200, `{"verification_status":"SUCCESS"}`))
		for range 3 * asksAtMost {
			if out := h.judge(t, h.request(captureEvent)); out.Verdict != sdk.Genuine {
				t.Fatalf("%+v", out)
			}
		}
	})
}

func TestCallback_DeadlineAndNotConfigured(t *testing.T) {
	if out, err := New().HandleCallback(t.Context(), sdk.CallbackRequest{}); err != nil || out.Verdict != sdk.CannotCheck {
		t.Errorf("%+v %v", out, err)
	}
	authority := newCA(t)
	h := newHook(t, authority, authority.pem, nil, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if out, err := h.HandleCallback(ctx, h.request(captureEvent)); err != nil || out.Verdict != sdk.CannotCheck {
		t.Errorf("%+v %v", out, err)
	}
}

// BenchmarkCallback is signature, with the certificate at hand, and decoding.
func BenchmarkCallback(b *testing.B) {
	authority := newCA(b)
	h := newHook(b, authority, authority.pem, nil, nil)
	r := h.request(captureEvent)
	for b.Loop() {
		if out, err := h.HandleCallback(b.Context(), r); err != nil || out.Verdict != sdk.Genuine {
			b.Fatal(out, err)
		}
	}
}
