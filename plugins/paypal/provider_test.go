package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

const (
	testMerchant = "7DVPP5Q2RZJQY"
	testAttempt  = "att_01jq0000000000000000000000"
	testOrder    = "5O190127TN364715T"
	testCapture  = "2GG279541U471931P"
	testAuth     = "0VF52814937998046"
	testRefund   = "1JU08902781691411"
)

var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func testSettings(base string) sdk.Settings {
	return sdk.Settings{
		"mode": "test", "client_id": "client-superpay", "client_secret": "secret-superpay", "webhook_id": "8PT597110X687430LKGECATA",
		"merchant_id": testMerchant, "api_url": base,
	}
}

// seen is one request as the fake below saw it.
type seen struct{ Method, Path, Key, Prefer, Token, Body string }

// fake answers as told, hands out tokens, and remembers what it was asked.
type fake struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []seen
	tokens int
}

func newFake(t testing.TB, answer http.HandlerFunc) *fake {
	t.Helper()
	f := &fake{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/oauth2/token" {
			f.mu.Lock()
			f.tokens++
			n := f.tokens
			f.mu.Unlock()
			json.NewEncoder(w).Encode(map[string]any{"access_token": "token" + string(rune('0'+n)), "expires_in": 31668})
			return
		}
		body, _ := io.ReadAll(r.Body)
		f.mu.Lock()
		f.calls = append(f.calls, seen{
			r.Method, r.URL.RequestURI(), r.Header.Get("PayPal-Request-Id"), r.Header.Get("Prefer"),
			strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), string(body),
		})
		f.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fake) seen() []seen {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// say answers every request alike.
func say(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// routes answers by "METHOD /path"; an unknown one fails the test.
func routes(t *testing.T, table map[string]http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer, ok := table[r.Method+" "+r.URL.Path]
		if !ok {
			t.Errorf("unexpected request %s %s", r.Method, r.URL.Path)
			w.WriteHeader(http.StatusTeapot)
			return
		}
		answer(w, r)
	}
}

func problemBody(name, issue string) string {
	return `{"name":"` + name + `","message":"x","debug_id":"d1","details":[{"issue":"` + issue + `","description":"secret-ish"}],` +
		`"links":[{"href":"https://www.sandbox.paypal.com/checkoutnow?token=` + testOrder + `","rel":"redirect"}]}`
}

func newTestProvider(t *testing.T, f *fake) *Provider {
	t.Helper()
	p := New()
	if _, err := p.Configure(t.Context(), testSettings(f.URL)); err != nil {
		t.Fatal(err)
	}
	return p
}

// doc is an order as PayPal shows it; f may change it.
func doc(status string, f func(order map[string]any, unit map[string]any)) string {
	unit := map[string]any{
		"reference_id": "ord_1", "amount": map[string]any{"currency_code": "EUR", "value": "99.99"},
		"payee": map[string]any{"merchant_id": testMerchant, "email_address": "shop@example.com"}, "custom_id": testAttempt,
	}
	o := map[string]any{
		"id": testOrder, "intent": "CAPTURE", "status": status, "purchase_units": []any{unit},
		"payer": map[string]any{"email_address": "payer@example.com", "name": map[string]any{"given_name": "John", "surname": "Doe"}},
		"links": []any{map[string]any{"rel": "payer-action", "href": "https://www.sandbox.paypal.com/checkoutnow?token=" + testOrder}},
	}
	if f != nil {
		f(o, unit)
	}
	b, _ := json.Marshal(o)
	return string(b)
}

// paid is the payments of a unit whose capture has that status.
func paid(status string, extra ...any) map[string]any {
	return map[string]any{"captures": []any{map[string]any{
		"id": testCapture, "status": status, "amount": map[string]any{"currency_code": "EUR", "value": "99.99"},
		"create_time": "2026-03-01T05:00:00-07:00", "custom_id": testAttempt,
		"seller_receivable_breakdown": map[string]any{"paypal_fee": map[string]any{"currency_code": "EUR", "value": "3.79"}},
	}}, "refunds": extra}
}

func eur(cents int64) sdk.Money { return sdk.Money{Amount: cents, Currency: "EUR", Exponent: 2} }

func checkoutRequest(flow string) sdk.CheckoutRequest {
	return sdk.CheckoutRequest{
		AttemptID: testAttempt, InstanceID: "hub1", OrderID: "ord_1", Key: "op_1", Flow: flow, Amount: eur(9999),
		CaptureMode: sdk.CaptureAutomatic, Description: "Three books & more", CreatedAt: testNow,
		URLs: sdk.URLs{Return: "https://hub.example/return/1", Cancel: "https://hub.example/return/1?cancel=1"},
	}
}

func paymentRequest(flow string, refs ...sdk.Ref) sdk.PaymentRequest {
	return sdk.PaymentRequest{AttemptID: testAttempt, InstanceID: "hub1", Flow: flow, Refs: refs, Amount: eur(9999), CreatedAt: testNow}
}

func orderRef() sdk.Ref   { return sdk.Ref{Kind: kindOrder, Value: testOrder} }
func captureRef() sdk.Ref { return sdk.Ref{Kind: kindCapture, Value: testCapture} }

func TestDescribe_TellsWhatTheFlowsCan(t *testing.T) {
	d := New().Describe()
	server, _ := d.Flow("server")
	client, _ := d.Flow("client")
	if d.Name != "paypal" || len(d.Flows) != 2 || !server.Can(sdk.ContinuesItself) || !server.Can(sdk.CanCapturePart) ||
		!client.Can(sdk.CreatedByBrowser) || client.Can(sdk.CanCancel) || client.Can(sdk.ContinuesItself) {
		t.Errorf("%+v", d)
	}
	if len(server.Currencies) != 24 || !slices.Contains(server.Currencies, "JPY") {
		t.Errorf("currencies %v", server.Currencies)
	}
	if r := d.Repeats[sdk.OpConfirm]; r.KeyLifetime != 6*time.Hour || !r.Deduplicated {
		t.Errorf("confirm: %+v", r)
	}
	if r := d.Repeats[sdk.OpRefund]; r.KeyLifetime != 45*24*time.Hour {
		t.Errorf("refund: %+v", r)
	}
}

func TestProvider_RefusesWhatCannotBeSentSafely(t *testing.T) {
	f := newFake(t, say(200, "{}"))
	p := newTestProvider(t, f)
	r := checkoutRequest("server")
	for _, key := range []string{"", "a b", "a\nb", strings.Repeat("x", 109)} {
		r.Key = key
		if _, err := p.CreateCheckout(t.Context(), r); !isNotSent(err) {
			t.Errorf("key %q: %v", key, err)
		}
	}
	if _, err := New().CreateCheckout(t.Context(), checkoutRequest("server")); !isNotSent(err) {
		t.Errorf("not configured: %v", err)
	}
	if _, err := p.Cancel(t.Context(), sdk.CancelRequest{PaymentRequest: paymentRequest("client", orderRef()), Key: "op_1"}); !isNotSent(err) {
		t.Errorf("not offered: %v", err)
	}
	// An id that is a path is never put into an address.
	evil := sdk.Ref{Kind: kindOrder, Value: "../../v1/x?y#"}
	_, _ = p.GetPayment(t.Context(), paymentRequest("server", evil))
	_, _ = p.Confirm(t.Context(), sdk.ConfirmRequest{PaymentRequest: paymentRequest("server", evil), Key: "op_1"})
	_, _ = p.Confirm(t.Context(), sdk.ConfirmRequest{PaymentRequest: paymentRequest("client"), Key: "op_1", Input: map[string]string{"order_id": evil.Value}})
	_, _ = p.Refund(t.Context(), sdk.RefundRequest{PaymentRequest: paymentRequest("server"), Key: "op_1", RefundID: "ref_1", CaptureID: evil.Value, Refund: eur(1)})
	_, _ = p.GetRefund(t.Context(), sdk.GetRefundRequest{PaymentRequest: paymentRequest("server"), ProviderID: evil.Value})
	if calls := f.seen(); len(calls) > 0 {
		t.Errorf("sent %+v", calls)
	}
}

func isNotSent(err error) bool { return errorsAs[*sdk.NotSentError](err) }
