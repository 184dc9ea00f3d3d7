package main

import (
	"net/url"
	"strings"
	"testing"

	"github.com/superpayhub/superpay/sdk"
)

// named is a checkout with all that a hub knows its payment again by.
func named(r *sdk.CheckoutRequest) {
	r.OrderID = "ord_" + strings.Repeat("1", 26)
	r.AppID = "app_" + strings.Repeat("2", 26)
	r.Reference = "INV:7/ü"
	r.KeyHash = strings.Repeat("4b", 16)
	r.Digest = strings.Repeat("d1", 16)
}

func namesOf(p *sdk.Payment) [6]string {
	return [6]string{p.AttemptID, p.OrderID, p.AppID, p.Reference, p.KeyHash, p.Digest}
}

// TestSandbox_KeepsWhatAHubKnowsItsPaymentBy: what the hub put there comes back
// with reads, lists and refunds, in both flows.
func TestSandbox_KeepsWhatAHubKnowsItsPaymentBy(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := checkoutRequest("server")
	named(&r)
	want := [6]string{r.AttemptID, r.OrderID, r.AppID, r.Reference, r.KeyHash, r.Digest}
	p := h.checkout("op_1", named)
	if namesOf(p) != want {
		t.Fatalf("%q", namesOf(p))
	}
	h.approve(p, "approve")
	taken, err := h.confirm("op_2", p, sdk.CaptureAutomatic)
	if err != nil || namesOf(taken) != want {
		t.Fatalf("%+v %v", taken, err)
	}
	refund := sdk.RefundRequest{
		PaymentRequest: paymentRequest("server", taken.Refs...), Key: "op_3", RefundID: "ref_" + strings.Repeat("3", 26),
		CaptureID: taken.Captures.Items[0].ID, Refund: eur(100), KeyHash: strings.Repeat("5c", 16), Digest: strings.Repeat("e2", 16),
	}
	refund.InstanceID = strings.Repeat("a", 16)
	re, err := h.Refund(t.Context(), refund)
	if err != nil || re.RefundID != refund.RefundID || re.KeyHash != refund.KeyHash || re.Digest != refund.Digest {
		t.Fatalf("%+v %v", re, err)
	}
	read := h.read("server", taken.Refs...)
	if namesOf(read) != want || read.Refunds.Items[0].KeyHash != refund.KeyHash || read.Refunds.Items[0].Digest != refund.Digest {
		t.Errorf("%+v", read)
	}
	lost := sdk.GetRefundRequest{PaymentRequest: refund.PaymentRequest, RefundID: "ref_other", CaptureID: refund.CaptureID}
	if _, err := h.GetRefund(t.Context(), lost); err != sdk.ErrNotFound {
		t.Errorf("%v", err)
	}
	lost.FindKeyHash = refund.KeyHash
	if found, err := h.GetRefund(t.Context(), lost); err != nil || found.ID != re.ID || found.RefundID != refund.RefundID {
		t.Errorf("by the key's hash: %+v %v", found, err)
	}

	r = checkoutRequest("client")
	named(&r)
	offer, err := h.CreateCheckout(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	id := h.browser(offer, url.Values{"choice": {"approve"}})
	got, err := h.Confirm(t.Context(), sdk.ConfirmRequest{PaymentRequest: paymentRequest("client"), Key: "op_4", Input: map[string]string{"order_id": id}})
	if err != nil || namesOf(got) != want {
		t.Errorf("%+v %v", got, err)
	}
}

// TestReferenceID_Fits: what PayPal has no room for is left out, never cut.
func TestReferenceID_Fits(t *testing.T) {
	r := checkoutRequest("server")
	named(&r)
	for length, kept := range map[int]bool{128: true, 129: false, 200: false} {
		r.Reference = strings.Repeat("é", length)
		var out sdk.Payment
		id := referenceID(r)
		if n := len([]rune(id)); n > maxReferenceID {
			t.Errorf("%d characters", n)
		}
		readReferenceID(&out, id)
		if out.Digest != r.Digest || (out.Reference == r.Reference) != kept || !kept && out.Reference != "" {
			t.Errorf("%d: %+v", length, out)
		}
	}
	r.Digest = ""
	if id := referenceID(r); id != r.OrderID {
		t.Errorf("as before: %q", id)
	}
}
