package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/superpayhub/superpay/plugins/paypal/sandbox"
	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// house is the plugin in front of the stand-in, with its callbacks.
type house struct {
	*Provider
	t     *testing.T
	base  string
	hook  string       // where it takes callbacks
	in    sdk.Settings // that it is configured with
	doors standin.Client
	mu    sync.Mutex
	hints map[string]sdk.Payment // by event type
}

func newHouse(t *testing.T, change ...func(*sandbox.Options)) *house {
	t.Helper()
	h := &house{Provider: New(), t: t, hints: map[string]sdk.Payment{}}
	hook := httptest.NewServer(http.HandlerFunc(h.callback))
	stand := httptest.NewUnstartedServer(nil)
	h.base = "http://" + stand.Listener.Addr().String() + "/paypal"
	h.doors = standin.Client{BaseURL: h.base}
	in := testSettings(h.base)
	opts := sandbox.Options{
		ClientID: in["client_id"], ClientSecret: in["client_secret"], MerchantID: testMerchant, WebhookID: in["webhook_id"],
		WebhookURL: hook.URL, PublicURL: h.base, Strict: true,
	}
	for _, c := range change {
		c(&opts)
	}
	server, err := sandbox.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	in["callback_certs"], in["callback_cert_host"], in["callback_check"] = string(server.CA()), stand.Listener.Addr().String(), checkOffline
	if _, err := h.Configure(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	h.hook, h.in = hook.URL, in
	stand.Config.Handler = server
	stand.Start()
	t.Cleanup(func() {
		stand.Close()
		server.Close()
		hook.Close()
	})
	return h
}

func (h *house) callback(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	in := sdk.CallbackRequest{ReceivedAt: time.Now(), Method: r.Method, Path: r.URL.Path, Body: body}
	for name, values := range r.Header {
		in.Headers = append(in.Headers, sdk.Header{Name: name, Value: values[0]})
	}
	out, err := h.HandleCallback(r.Context(), in)
	if err != nil || out.Verdict != sdk.Genuine || len(out.Facts) != 1 || out.Facts[0].Proven {
		h.t.Errorf("%+v %v", out, err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hints[out.Type] = out.Facts[0].Payment
}

// hint waits for a callback of that type.
func (h *house) hint(kind string) sdk.Payment {
	h.t.Helper()
	for range 200 {
		h.mu.Lock()
		p, ok := h.hints[kind]
		h.mu.Unlock()
		if ok {
			return p
		}
		time.Sleep(20 * time.Millisecond)
	}
	h.t.Fatalf("no callback %s", kind)
	return sdk.Payment{}
}

func (h *house) checkout(key string, change ...func(*sdk.CheckoutRequest)) *sdk.Payment {
	h.t.Helper()
	r := checkoutRequest("server")
	r.Key, r.CreatedAt = key, time.Now()
	for _, c := range change {
		c(&r)
	}
	p, err := h.CreateCheckout(h.t.Context(), r)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// press posts a form to one of the stand-in's pages and tells where it leads.
func (h *house) press(path string, form url.Values) string {
	h.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.PostForm(h.base+path, form)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusSeeOther {
		h.t.Fatalf("%s: %d %s", path, res.StatusCode, body)
	}
	return res.Header.Get("Location")
}

func (h *house) approve(p *sdk.Payment, with string) {
	h.t.Helper()
	h.press("/checkoutnow", url.Values{"token": {ref(p.Refs, kindOrder)}, "choice": {with}})
}

func (h *house) read(flow string, refs ...sdk.Ref) *sdk.Payment {
	h.t.Helper()
	p, err := h.GetPayment(h.t.Context(), paymentRequest(flow, refs...))
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *house) confirm(key string, p *sdk.Payment, mode sdk.CaptureMode) (*sdk.Payment, error) {
	return h.Confirm(h.t.Context(), sdk.ConfirmRequest{PaymentRequest: paymentRequest("server", p.Refs...), Key: key, CaptureMode: mode})
}

// browser plays the shop's page with what the hub told it, and maybe lies.
func (h *house) browser(offer *sdk.Payment, lies url.Values) string {
	h.t.Helper()
	form := url.Values{"return": {"http://localhost/done"}, "choice": {"approve"}}
	for _, k := range []string{"client_id", "amount", "currency", "custom_id", "reference_id", "merchant_id"} {
		form.Set(k, offer.NextAction.Client[k])
	}
	for k, v := range lies {
		form[k] = v
	}
	to, _ := url.Parse(h.press("/client", form))
	return to.Query().Get("order_id")
}
