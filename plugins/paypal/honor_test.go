package main

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/superpayhub/superpay/plugins/paypal/sandbox"
	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// TestHonor_CapturedAfterIt: PayPal promises authorized money for three days. Later
// this buyer's would be declined, but for a new authorization, which the capture
// makes: one, however often its answers are lost.
func TestHonor_CapturedAfterIt(t *testing.T) {
	t.Parallel()
	began := time.Now().Add(-4 * 24 * time.Hour)
	var behind atomic.Int64
	behind.Store(int64(4 * 24 * time.Hour))
	h := newHouse(t, func(o *sandbox.Options) {
		o.Now = func() time.Time { return time.Now().Add(-time.Duration(behind.Load())) }
		o.WebhookURL = "" // they would be signed at a time long past
	})
	hold := func(n, way string) *sdk.Payment {
		t.Helper()
		p := h.checkout("op_a"+n, func(r *sdk.CheckoutRequest) { r.CaptureMode = sdk.CaptureManual })
		h.approve(p, way)
		held, err := h.confirm("op_b"+n, p, sdk.CaptureManual)
		if err != nil || held.Status != sdk.RequiresCapture {
			t.Fatalf("%+v %v", held, err)
		}
		if end := held.HonoredUntil.Sub(began); end < 71*time.Hour || end > 73*time.Hour || !held.HonoredUntil.Before(held.CaptureBefore) {
			t.Fatalf("honored until %s, to be captured before %s", held.HonoredUntil, held.CaptureBefore)
		}
		return held
	}
	capture := func(n string, p *sdk.Payment) (*sdk.Payment, error) {
		r := sdk.CaptureRequest{PaymentRequest: paymentRequest("server", p.Refs...), Key: "op_c" + n, Capture: eur(5000)}
		r.CreatedAt = began
		return h.Capture(t.Context(), r)
	}
	held, voided, again := hold("1", "gone_after_honor"), hold("2", "approve"), hold("3", "gone_after_honor")
	behind.Store(0)

	lose := func(after int) {
		t.Helper()
		f := standin.Fault{Method: "POST", Path: "/v2/payments/authorizations/", Action: standin.DropAfter, After: after, Times: 1}
		if err := h.doors.AddFault(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	lose(0)
	if _, err := capture("1", held); class(err) != "not sent" {
		t.Fatalf("the new authorization's answer is lost, nothing was captured: %v", err)
	}
	lose(1)
	if _, err := capture("1", held); class(err) != "unknown" {
		t.Fatalf("the capture's answer is lost: %v", err)
	}
	got, err := capture("1", held)
	if err != nil || got.Status != sdk.Succeeded || !got.Captures.Items[0].Amount.Equal(eur(5000)) {
		t.Fatalf("%+v %v", got, err)
	}
	now := h.read("server", got.Refs...)
	if now.Status != sdk.Succeeded || len(now.Captures.Items) != 1 || now.Captures.Items[0].ID != got.Captures.Items[0].ID {
		t.Errorf("%+v", now)
	}

	// A capture that failed is asked for anew, under another key: by what was authorized
	// then, for PayPal does it once.
	if err := h.doors.AddFault(t.Context(), standin.Fault{Method: "POST", Path: "/v2/payments/authorizations/", Action: standin.DropBefore, After: 1, Times: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err = capture("3", again); class(err) != "unknown" {
		t.Fatal(err)
	}
	if got, err = capture("4", h.read("server", again.Refs...)); err != nil || got.Status != sdk.Succeeded {
		t.Errorf("%+v %v", got, err)
	}

	got, err = h.Cancel(t.Context(), sdk.CancelRequest{PaymentRequest: paymentRequest("server", voided.Refs...), Key: "op_d2"})
	if err != nil || got.Status != sdk.Canceled {
		t.Errorf("%+v %v", got, err)
	}
}
