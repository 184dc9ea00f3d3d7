package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/superpayhub/superpay/plugins/stripe/sandbox"
	"github.com/superpayhub/superpay/sdk"
)

// sums adds up what lines did to the balance.
func sums(lines []sdk.Line) (gross, fee int64, currency string) {
	for _, l := range lines {
		gross += l.Gross.Amount
		fee += l.Fee.Amount
		currency = l.Gross.Currency
	}
	return gross, fee, currency
}

// TestLines_OfAnotherBalance: an account with a balance in euros is paid in dollars.
// Captures, in part too, refunds, a refund that failed, and a dispute that is lost
// after a refund: each is told as the balance shows it.
func TestLines_OfAnotherBalance(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *sandbox.Options) {
		o.BalanceCurrency, o.BookReleases, o.RefundDelay = "eur", true, 50*time.Millisecond
	})
	want := func(what string, lines []sdk.Line, gross, fee int64) {
		t.Helper()
		if g, f, currency := sums(lines); g != gross || f != fee || currency != "EUR" {
			t.Errorf("%s: %d less %d %s, want %d less %d EUR: %+v", what, g, f, currency, gross, fee, lines)
		}
	}
	refund := func(p *sdk.Payment, key string, amount int64) *sdk.Refund {
		t.Helper()
		r, err := h.Refund(t.Context(), sdk.RefundRequest{PaymentRequest: paymentRequest(h.read(p.Refs...).Refs...), Key: key, RefundID: key, Refund: usd(amount)})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}

	paid := h.checkout("op_1")
	h.pay(paid, "4242424242424242")
	now := h.read(paid.Refs...)
	want("a capture", now.Captures.Items[0].Lines, 2300, 93)
	if at := now.Captures.Items[0].Lines[0].AvailableAt; time.Until(at) < 24*time.Hour {
		t.Errorf("the money is there from %s", at)
	}
	want("a refund's answer", refund(paid, "ref_1", 1000).Lines, -920, 0)
	h.press("/dashboard/charges/" + now.Captures.Items[0].ID + "/dispute")
	dispute := h.read(paid.Refs...).Disputes.Items[0]
	want("a dispute", dispute.Lines, -2300, 1380)
	h.press("/dashboard/disputes/" + dispute.ID + "/lose")
	now = h.read(paid.Refs...)
	want("a refund's read", now.Refunds.Items[0].Lines, -920, 0)
	want("a dispute lost after it", now.Disputes.Items[0].Lines, -2300+920, 1380)
	if w := now.Disputes.Items[0].Withdrawn; w != usd(1500) {
		t.Errorf("withdrawn is %s", w)
	}

	bounces := h.checkout("op_2", func(r *sdk.CheckoutRequest) { r.AttemptID = "att_2" })
	h.pay(bounces, "4000000000005126")
	refund(bounces, "ref_2", 500)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		now = h.read(bounces.Refs...)
		if now.Refunds.Items[0].Status == sdk.MovementFailed {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not fail: %+v", now.Refunds.Items[0])
		}
	}
	want("a refund that failed", now.Refunds.Items[0].Lines, 0, 0)

	held := h.checkout("op_3", func(r *sdk.CheckoutRequest) { r.CaptureMode, r.AttemptID = sdk.CaptureManual, "att_3" })
	h.pay(held, "4242424242424242")
	took, err := h.Capture(t.Context(), sdk.CaptureRequest{PaymentRequest: paymentRequest(held.Refs...), Key: "op_4", Capture: usd(2000)})
	if err != nil || len(took.Captures.Items[0].Lines) != 0 || took.Captures.Items[0].Fee.IsZero() {
		t.Errorf("the answer of a capture in part shows the fee, and not what is given back: %+v %v", took, err)
	}
	want("a capture in part", h.read(held.Refs...).Captures.Items[0].Lines, 1840, 80)
}

// press presses a button of the sandbox's.
func (h *house) press(path string) {
	h.t.Helper()
	res, err := http.Post(h.base+path, "application/x-www-form-urlencoded", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 400 {
		h.t.Fatalf("POST %s: %s", path, res.Status)
	}
}
