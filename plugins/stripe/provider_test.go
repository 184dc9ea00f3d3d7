package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

const (
	testKey    = "sk_test_superpay0001"
	testSecret = "whsec_superpaytestsecret0001"
	nextSecret = "whsec_superpaytestsecret0002"
)

var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// call is one request as the stand-in below saw it.
type call struct {
	Method, Path, Key, Body string
	Form                    url.Values
}

// fake answers as told and remembers what it was asked.
type fake struct {
	*httptest.Server
	mu    sync.Mutex
	calls []call
}

func newFake(t *testing.T, answer http.HandlerFunc) *fake {
	t.Helper()
	f := &fake{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body) + "&" + r.URL.RawQuery)
		f.mu.Lock()
		f.calls = append(f.calls, call{r.Method, r.URL.Path, r.Header.Get("Idempotency-Key"), string(body), form})
		f.mu.Unlock()
		r.Form = form
		answer(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fake) seen() []call {
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

func testSettings(apiURL string) sdk.Settings {
	return sdk.Settings{
		"secret_key": testKey, "webhook_secret": testSecret + ", " + nextSecret,
		"publishable_key": "pk_test_superpay0001", "api_url": apiURL,
	}
}

func newTestProvider(t *testing.T, apiURL string) *Provider {
	t.Helper()
	p := New()
	account, err := p.Configure(t.Context(), testSettings(apiURL))
	if err != nil {
		t.Fatal(err)
	}
	if account.Mode != sdk.Test {
		t.Fatalf("mode %q", account.Mode)
	}
	return p
}

func usd(amount int64) sdk.Money { return sdk.Money{Amount: amount, Currency: "USD", Exponent: 2} }

func checkoutRequest() sdk.CheckoutRequest {
	return sdk.CheckoutRequest{
		AttemptID: "att_1", InstanceID: "hub_1", OrderID: "ord_1", Key: "op_create_1",
		Flow: "checkout_session", Amount: usd(2500), CaptureMode: sdk.CaptureAutomatic,
		Input:     map[string]string{"ui_mode": "hosted"},
		URLs:      sdk.URLs{Return: "https://hub.example/return/att_1", Cancel: "https://hub.example/return/att_1?cancel=1"},
		CreatedAt: testNow, Description: "Two books",
		LineItems: []sdk.LineItem{{Name: "Book", Quantity: 2, Amount: 1000}, {Name: "Postage", Quantity: 1, Amount: 500}},
		Customer:  sdk.Customer{Email: "ada@example.com"},
		Metadata:  map[string]string{"basket": "7", "a": "1", "z": "2", "superpay_attempt": "att_evil", "m": "3"},
	}
}

func paymentRequest(refs ...sdk.Ref) sdk.PaymentRequest {
	return requestOf("checkout_session", refs...)
}

func requestOf(flow string, refs ...sdk.Ref) sdk.PaymentRequest {
	return sdk.PaymentRequest{
		AttemptID: "att_1", InstanceID: "hub_1", Flow: flow,
		Refs: refs, Amount: usd(2500), CreatedAt: testNow,
	}
}

// checkoutOf asks for a checkout by that flow; input is name, value, name, value.
func checkoutOf(flow string, input ...string) sdk.CheckoutRequest {
	r := checkoutRequest()
	r.Flow, r.Input = flow, map[string]string{}
	for i := 0; i < len(input); i += 2 {
		r.Input[input[i]] = input[i+1]
	}
	return r
}

var (
	sessionRef = sdk.Ref{Kind: kindSession, Value: "cs_test_1"}
	intentRef  = sdk.Ref{Kind: kindIntent, Value: "pi_1"}
	chargeRef  = sdk.Ref{Kind: kindCharge, Value: "ch_1"}
)

func TestDescribe_RowsOfferWhatTheySay(t *testing.T) {
	d := New().Describe()
	for _, f := range flows {
		if f.create == nil || f.read == nil {
			t.Errorf("%s: cannot create or read", f.Name)
		}
		if f.Can(sdk.CanCapture) != (f.capture != nil) || f.Can(sdk.CanCancel) != (f.cancel != nil) ||
			f.Can(sdk.CanConfirm) != (f.confirm != nil) {
			t.Errorf("%s: capabilities and functions differ", f.Name)
		}
		if _, ok := d.Flow(f.Name); !ok {
			t.Errorf("%s: not described", f.Name)
		}
	}
	for _, field := range d.Settings {
		if field.Public && field.Secret {
			t.Errorf("%s is public and secret", field.Name)
		}
		if strings.Contains(field.Name, "secret") && (!field.Secret || !field.Required) {
			t.Errorf("%s must be secret and required", field.Name)
		}
	}
	if r := d.Repeats[sdk.OpRefund]; !r.Deduplicated || r.KeyLifetime != 24*time.Hour || r.Settling == 0 {
		t.Errorf("repeats %+v", r)
	}
}

func TestEveryCall_RefusesWhatItCannotSendSafely(t *testing.T) {
	f := newFake(t, say(500, "{}"))
	p := newTestProvider(t, f.URL)
	ctx := t.Context()
	r := checkoutRequest()
	r.Key = ""
	_, errKey := p.CreateCheckout(ctx, r)
	r = checkoutRequest()
	r.Flow = "nope"
	_, errFlow := p.CreateCheckout(ctx, r)
	_, errCancel := p.Cancel(ctx, sdk.CancelRequest{PaymentRequest: paymentRequest(), Key: "k"})
	_, errRefund := p.Refund(ctx, sdk.RefundRequest{PaymentRequest: paymentRequest(), Key: "k", RefundID: "r", Refund: usd(1)})
	_, errUnset := New().CreateCheckout(ctx, checkoutRequest())
	for name, err := range map[string]error{
		"key": errKey, "flow": errFlow, "cancel": errCancel, "refund": errRefund, "not configured": errUnset,
	} {
		if class(err) != "not sent" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if calls := f.seen(); len(calls) != 0 {
		t.Errorf("something was sent: %+v", calls)
	}
}
