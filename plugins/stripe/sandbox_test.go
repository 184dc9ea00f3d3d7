package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/superpayhub/superpay/plugins/stripe/sandbox"
	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// house is the plugin in front of the stand-in, with its callbacks.
type house struct {
	*Provider
	t     *testing.T
	base  string
	mu    sync.Mutex
	facts []sdk.Fact
}

func newHouse(t *testing.T, change ...func(*sandbox.Options)) *house {
	t.Helper()
	h := &house{Provider: New(), t: t}
	hook := httptest.NewServer(http.HandlerFunc(h.callback))
	stand := httptest.NewUnstartedServer(nil)
	h.base = "http://" + stand.Listener.Addr().String() + "/stripe"
	opts := sandbox.Options{
		APIKey: testKey, WebhookSecret: testSecret, WebhookURL: hook.URL, PublicURL: h.base, RefundDelay: time.Hour,
	}
	for _, c := range change {
		c(&opts)
	}
	server, err := sandbox.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	stand.Config.Handler = server
	stand.Start()
	t.Cleanup(func() {
		stand.Close()
		server.Close()
		hook.Close()
	})
	if _, err := h.Configure(t.Context(), testSettings(h.base)); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) callback(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	in := sdk.CallbackRequest{ReceivedAt: time.Now(), Method: r.Method, Path: r.URL.Path, Body: body}
	for name, values := range r.Header {
		in.Headers = append(in.Headers, sdk.Header{Name: name, Value: values[0]})
	}
	out, err := h.HandleCallback(r.Context(), in)
	if err != nil || out.Verdict != sdk.Genuine {
		h.t.Errorf("%+v %v", out, err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.facts = append(h.facts, out.Facts...)
}

// waitFor waits for a fact that has what is looked for.
func (h *house) waitFor(what string, is func(sdk.Fact) bool) {
	h.t.Helper()
	for range 200 {
		h.mu.Lock()
		for _, f := range h.facts {
			if is(f) {
				h.mu.Unlock()
				return
			}
		}
		h.mu.Unlock()
		time.Sleep(20 * time.Millisecond)
	}
	h.t.Errorf("no callback told of %s", what)
}

func (h *house) checkout(key string, change ...func(*sdk.CheckoutRequest)) *sdk.Payment {
	h.t.Helper()
	r := checkoutRequest()
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

// pay fills in the hosted page.
func (h *house) pay(p *sdk.Payment, card string) {
	h.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.PostForm(h.base+"/pay/"+ref(p.Refs, kindSession), url.Values{"card_number": {card}, "email": {"ada@example.com"}})
	if err != nil {
		h.t.Fatal(err)
	}
	res.Body.Close()
}

func (h *house) read(refs ...sdk.Ref) *sdk.Payment {
	h.t.Helper()
	r := paymentRequest(refs...)
	r.CreatedAt = time.Now()
	p, err := h.GetPayment(h.t.Context(), r)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func TestSandbox_PaidAndRefunded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	p := h.checkout("op_1")
	if again := h.checkout("op_1"); again.Refs[0] != p.Refs[0] || again.NextAction.URL != p.NextAction.URL {
		t.Error("the same key made another session")
	}
	changed := checkoutRequest()
	changed.Key, changed.Amount = "op_1", usd(9900)
	if _, err := h.CreateCheckout(ctx, changed); class(err) != "mismatch" {
		t.Errorf("%v", err)
	}

	h.pay(p, "4000000000000002")
	if got := h.read(p.Refs...); got.Status != sdk.RequiresAction || got.Failure == nil || got.NextAction == nil {
		t.Errorf("a decline leaves it open: %+v", got)
	}
	h.pay(p, "4242424242424242")
	got := h.read() // by metadata alone
	if got.Status != sdk.Succeeded || got.Refs[0] != p.Refs[0] || !got.Captures.Complete || got.Captures.Items[0].Amount != usd(2500) {
		t.Fatalf("%+v", got)
	}
	capture := got.Captures.Items[0].ID
	h.waitFor("the capture", func(f sdk.Fact) bool {
		return f.Proven && f.Payment.AttemptID == "att_1" && len(f.Payment.Captures.Items) == 1 && f.Payment.Captures.Items[0].ID == capture
	})
	h.waitFor("the session", func(f sdk.Fact) bool { return f.Proven && ref(f.Payment.Refs, kindSession) == p.Refs[0].Value })

	refund := sdk.RefundRequest{
		PaymentRequest: paymentRequest(got.Refs...), Key: "op_2", RefundID: "ref_1", CaptureID: capture, Refund: usd(1000), Reason: "one book is torn",
	}
	first, err := h.Refund(ctx, refund)
	if err != nil || first.Status != sdk.MovementSucceeded || first.RefundID != "ref_1" || first.CaptureID != capture {
		t.Fatalf("%+v %v", first, err)
	}
	if again, err := h.Refund(ctx, refund); err != nil || again.ID != first.ID {
		t.Errorf("the same key refunded again: %+v %v", again, err)
	}
	if found, err := h.GetRefund(ctx, sdk.GetRefundRequest{PaymentRequest: refund.PaymentRequest, RefundID: "ref_1", CaptureID: capture}); err != nil || found.ID != first.ID {
		t.Errorf("%+v %v", found, err)
	}
	refund.Key, refund.RefundID, refund.Refund = "op_3", "ref_2", usd(1501)
	if _, err := h.Refund(ctx, refund); code(err) != sdk.FailureRefundExceedsBalance {
		t.Errorf("%v", err)
	}
	refund.Key, refund.Refund = "op_4", usd(1500)
	if _, err := h.Refund(ctx, refund); err != nil {
		t.Error(err)
	}
	if got := h.read(p.Refs...); !got.Refunds.Complete || len(got.Refunds.Items) != 2 {
		t.Errorf("%+v", got.Refunds)
	}
	refund.Key, refund.Refund = "op_5", usd(1)
	if _, err := h.Refund(ctx, refund); code(err) != sdk.FailureRefundExceedsBalance {
		t.Errorf("%v", err)
	}
	page, err := h.List(ctx, sdk.ListRequest{Since: time.Now().Add(-time.Hour)})
	if err != nil || len(page.Payments) != 1 || page.Payments[0].Captures.Items[0].ID != capture || page.Next != "charge:" {
		t.Errorf("%+v %v", page, err)
	}
}

func TestSandbox_AuthorisedAndCapturedInPart(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	manual := func(r *sdk.CheckoutRequest) { r.CaptureMode = sdk.CaptureManual }
	p := h.checkout("op_1", manual)
	h.pay(p, "4242424242424242")
	held := h.read(p.Refs...)
	if held.Status != sdk.RequiresCapture || held.Capturable != usd(2500) || len(held.Captures.Items) != 0 {
		t.Fatalf("%+v", held)
	}
	h.waitFor("the authorisation", func(f sdk.Fact) bool { return f.Payment.Status == sdk.RequiresCapture && f.Proven })
	capture := sdk.CaptureRequest{PaymentRequest: paymentRequest(p.Refs...), Key: "op_2", Capture: usd(2000)}
	for range 2 {
		got, err := h.Capture(t.Context(), capture)
		if err != nil || got.Status != sdk.Succeeded || got.Captures.Items[0].Amount != usd(2000) || got.Refs[0] != p.Refs[0] {
			t.Fatalf("%+v %v", got, err)
		}
	}
	capture.Key = "op_3"
	if got, err := h.Capture(t.Context(), capture); err != nil || got.Status != sdk.Succeeded {
		t.Errorf("already captured is the truth: %+v %v", got, err)
	}
	if got := h.read(p.Refs...); len(got.Refunds.Items) != 0 || !got.Refunds.Complete || got.Captures.Items[0].Amount != usd(2000) {
		t.Errorf("the released rest is no refund: %+v", got)
	}
	late := sdk.CancelRequest{PaymentRequest: paymentRequest(p.Refs...), Key: "op_4"}
	if got, err := h.Cancel(t.Context(), late); err != nil || got.Status != sdk.Succeeded {
		t.Errorf("%+v %v", got, err)
	}
}

func TestSandbox_Canceled(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	open := h.checkout("op_1")
	held := h.checkout("op_2", func(r *sdk.CheckoutRequest) { r.CaptureMode, r.AttemptID = sdk.CaptureManual, "att_2" })
	h.pay(held, "4242424242424242")
	for key, p := range map[string]*sdk.Payment{"op_3": open, "op_4": held} {
		for range 2 {
			got, err := h.Cancel(t.Context(), sdk.CancelRequest{PaymentRequest: paymentRequest(p.Refs...), Key: key})
			if err != nil || got.Status != sdk.Canceled || got.Refs[0] != p.Refs[0] {
				t.Fatalf("%+v %v", got, err)
			}
		}
		if got := h.read(p.Refs...); got.Status != sdk.Canceled || len(got.Captures.Items)+len(got.Refunds.Items) != 0 {
			t.Errorf("%+v", got)
		}
	}
	h.waitFor("the expiry", func(f sdk.Fact) bool {
		return f.Proven && f.Payment.Status == sdk.Canceled && f.Payment.AttemptID == "att_1"
	})
}

func TestSandbox_Disputed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.checkout("op_1", func(r *sdk.CheckoutRequest) { r.Input["ui_mode"] = "embedded" })
	if p.NextAction.Type != sdk.ActionClient || !strings.Contains(p.NextAction.Client["client_secret"], "_secret_") {
		t.Fatalf("%+v", p.NextAction)
	}
	h.pay(p, "4000000000000259")
	got := h.read(p.Refs...)
	if got.Status != sdk.Succeeded || len(got.Disputes.Items) != 1 || !got.Disputes.Complete {
		t.Fatalf("%+v", got)
	}
	if d := got.Disputes.Items[0]; d.CaptureID != got.Captures.Items[0].ID || d.Status != sdk.DisputeOpen || !d.FundsWithdrawn || d.Amount != usd(2500) {
		t.Errorf("%+v", d)
	}
	h.waitFor("the dispute", func(f sdk.Fact) bool {
		return f.Proven && len(f.Payment.Disputes.Items) == 1 && f.Payment.Disputes.Items[0].FundsWithdrawn
	})
}

func TestSandbox_LostAnswersAreHealedByTheSameKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	doors := standin.Client{BaseURL: h.base}
	lose := func(path string) {
		if err := doors.AddFault(t.Context(), standin.Fault{Method: "POST", Path: path, Action: standin.DropAfter, Times: 1}); err != nil {
			t.Fatal(err)
		}
	}
	lose("/v1/checkout/sessions")
	r := checkoutRequest()
	r.CreatedAt = time.Now()
	if _, err := h.CreateCheckout(t.Context(), r); class(err) != "unknown" {
		t.Fatalf("%v", err)
	}
	found := h.read() // it happened: the metadata shows it
	if p := h.checkout(r.Key); p.Refs[0] != found.Refs[0] {
		t.Errorf("%+v is not %+v", p.Refs, found.Refs)
	}
	h.pay(found, "4242424242424242")
	paid := h.read(found.Refs...)
	refund := sdk.RefundRequest{
		PaymentRequest: paymentRequest(paid.Refs...), Key: "op_2", RefundID: "ref_1", CaptureID: paid.Captures.Items[0].ID, Refund: usd(2500),
	}
	lose("/v1/refunds")
	if _, err := h.Refund(t.Context(), refund); class(err) != "unknown" {
		t.Fatalf("%v", err)
	}
	re, err := h.Refund(t.Context(), refund)
	if err != nil || re.Amount != usd(2500) {
		t.Fatalf("%+v %v", re, err)
	}
	books, err := doors.Books(t.Context())
	if err != nil || len(books.Refunds) != 1 || len(books.Captures) != 1 {
		t.Errorf("%+v %v", books, err)
	}
}
