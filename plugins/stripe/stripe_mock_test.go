package main

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
)

// accepted is every request that the plugin can send.
var accepted = []string{
	"200 DELETE /v1/webhook_endpoints/{id}", "200 GET /v1/balance_transactions",
	"200 GET /v1/charges", "200 GET /v1/charges/{id}",
	"200 GET /v1/checkout/sessions", "200 GET /v1/checkout/sessions/{id}", "200 GET /v1/disputes",
	"200 GET /v1/payment_intents", "200 GET /v1/payment_intents/{id}",
	"200 GET /v1/refunds", "200 GET /v1/refunds/{id}", "200 GET /v1/webhook_endpoints",
	"200 POST /v1/charges", "200 POST /v1/charges/{id}/capture", "200 POST /v1/checkout/sessions",
	"200 POST /v1/checkout/sessions/{id}/expire", "200 POST /v1/payment_intents", "200 POST /v1/payment_intents/{id}/cancel",
	"200 POST /v1/payment_intents/{id}/capture", "200 POST /v1/payment_intents/{id}/confirm", "200 POST /v1/refunds",
	"200 POST /v1/webhook_endpoints", "200 POST /v1/webhook_endpoints/{id}",
}

// Stripe's own mock checks every request against the specification of the
// pinned API version. It keeps no state, so only what is asked counts here.
func TestStripeMock_AcceptsEveryRequest(t *testing.T) {
	mock, err := url.Parse("http://" + startStripeMock(t))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var seen []string
	proxy := httputil.NewSingleHostReverseProxy(mock)
	proxy.ModifyResponse = func(r *http.Response) error {
		mu.Lock()
		defer mu.Unlock()
		parts := strings.Split(r.Request.URL.Path, "/")
		for i, p := range parts {
			if kind, _, _ := strings.Cut(p, "_"); i > 2 && slices.Contains([]string{"cs", "pi", "re", "ch", "we"}, kind) {
				parts[i] = "{id}"
			}
		}
		seen = append(seen, fmt.Sprintf("%d %s %s", r.StatusCode, r.Request.Method, strings.Join(parts, "/")))
		return nil
	}
	front := httptest.NewServer(proxy)
	defer front.Close()
	p := newTestProvider(t, front.URL)
	ctx := t.Context()

	hosted := checkoutRequest()
	hosted.CreatedAt = time.Now()
	hosted.ExpiresAt = hosted.CreatedAt.Add(time.Hour)
	embedded := checkoutRequest()
	embedded.Input["ui_mode"], embedded.CaptureMode = "embedded", sdk.CaptureManual
	for _, r := range []sdk.CheckoutRequest{hosted, embedded} {
		if _, err := p.CreateCheckout(ctx, r); err != nil {
			t.Errorf("create: %v", err)
		}
	}
	known := paymentRequest(sessionRef, intentRef)
	// What these return is made of fixtures; that they were accepted is checked below.
	p.GetPayment(ctx, known)
	p.GetPayment(ctx, paymentRequest())
	p.Capture(ctx, sdk.CaptureRequest{PaymentRequest: known, Key: "op_c", Capture: usd(100)})
	p.Cancel(ctx, sdk.CancelRequest{PaymentRequest: known, Key: "op_x"})
	p.cancelIntent(ctx, "pi_1", sdk.CancelRequest{PaymentRequest: known, Key: "op_x"})
	p.disputesOf(ctx, "pi_1", nil)
	p.GetRefund(ctx, sdk.GetRefundRequest{PaymentRequest: known, ProviderID: "re_1"})
	p.GetRefund(ctx, sdk.GetRefundRequest{PaymentRequest: known, RefundID: "ref_1", CaptureID: "ch_1"})
	p.GetRefund(ctx, sdk.GetRefundRequest{PaymentRequest: known, RefundID: "ref_1"})
	p.List(ctx, sdk.ListRequest{Since: testNow, Cursor: "checkout_session:cs_1", Limit: 10})
	for _, r := range []sdk.RefundRequest{
		{CaptureID: "ch_1", Reason: "requested_by_customer"}, {CaptureID: "py_1", Reason: "late"}, {},
	} {
		r.PaymentRequest, r.Key, r.RefundID, r.Refund = known, "op_r", "ref_1", usd(100)
		if _, err := p.Refund(ctx, r); err != nil {
			t.Errorf("refund: %v", err)
		}
	}

	askTokenFlows(t, p)
	askForEndpoints(t, p)

	slices.Sort(seen)
	if got := slices.Compact(seen); !slices.Equal(got, accepted) {
		t.Errorf("stripe-mock saw\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(accepted, "\n"))
	}
}

// askForEndpoints sends whatever Connect can send. The names of the events are
// checked with it.
func askForEndpoints(t *testing.T, p *Provider) {
	ctx := t.Context()
	c := &connection{Provider: p, callback: "https://hub.example/callback"}
	if err := c.lookAtPermissions(ctx); err != nil {
		t.Error(err)
	}
	e := &stripe.WebhookEndpoint{ID: "we_1", Metadata: map[string]string{ourMark: "1"}}
	c.endpoints(ctx)
	c.create(ctx, &callers{})
	c.update(ctx, e)
	c.clear(ctx, &callers{others: []*stripe.WebhookEndpoint{e}})
}

// askTokenFlows sends whatever the flows without a page of Stripe's can send.
func askTokenFlows(t *testing.T, p *Provider) {
	ctx := t.Context()
	for _, r := range []sdk.CheckoutRequest{
		checkoutOf("charge", "token", "tok_visa"),
		checkoutOf("apple_pay", "payment_method", "pm_card_visa"),
		checkoutOf("apple_pay", "finalize", "legacy", "payment_method", "pm_card_visa"),
	} { // the mock does not know confirmation tokens
		for _, r.CaptureMode = range []sdk.CaptureMode{sdk.CaptureAutomatic, sdk.CaptureManual} {
			if _, err := p.CreateCheckout(ctx, r); err != nil {
				t.Errorf("create by %s: %v", r.Flow, err)
			}
		}
	}
	for _, r := range []sdk.PaymentRequest{requestOf("charge", chargeRef), requestOf("apple_pay", intentRef)} {
		p.GetPayment(ctx, r)
		p.Capture(ctx, sdk.CaptureRequest{PaymentRequest: r, Key: "op_c", Capture: usd(100)})
		p.Cancel(ctx, sdk.CancelRequest{PaymentRequest: r, Key: "op_x"})
		p.Refund(ctx, sdk.RefundRequest{PaymentRequest: r, Key: "op_r", RefundID: "ref_1", Refund: usd(100)})
		p.List(ctx, sdk.ListRequest{Since: testNow, Cursor: r.Flow + ":ch_1", Limit: 10})
		r.Refs = nil
		p.GetPayment(ctx, r)
	}
	// Its PaymentIntents never await a confirmation, nor are its charges held.
	p.api.PaymentIntents.Confirm("pi_1", confirmParams(ctx, "op_f"))
	p.api.Refunds.New(releaseParams(ctx, "ch_1", sdk.CancelRequest{PaymentRequest: requestOf("charge"), Key: "op_x"}))
	p.disputesOf(ctx, "", &stripe.Charge{ID: "ch_1"})
}

func startStripeMock(t *testing.T) (addr string) {
	t.Helper()
	addr = freeAddr(t)
	cmd := exec.Command(stripeMock(t), "-strict-version-check", "-http-addr", addr, "-https-addr", freeAddr(t))
	if err := cmd.Start(); err != nil {
		t.Fatalf("start stripe-mock: %v", err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for range 200 {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return addr
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("stripe-mock does not listen")
	return ""
}

// stripeMock finds the program: STRIPE_MOCK, the PATH, or the tools module.
func stripeMock(t *testing.T) string {
	t.Helper()
	if path, err := exec.LookPath(cmp.Or(os.Getenv("STRIPE_MOCK"), "stripe-mock")); err == nil {
		return path
	}
	mod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatalf("go env GOMOD: %v", err)
	}
	tools := filepath.Join(filepath.Dir(strings.TrimSpace(string(mod))), ".ci", "tools", "go.mod")
	out, err := exec.Command("go", "tool", "-modfile="+tools, "-n", "stripe-mock").Output()
	if err != nil {
		t.Fatalf("stripe-mock is neither in STRIPE_MOCK, nor in the PATH, nor a tool of %s: %v", tools, err)
	}
	return strings.TrimSpace(string(out))
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
