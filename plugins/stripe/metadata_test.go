package main

import (
	"strings"
	"testing"
	"time"

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

func namesOf(p sdk.Payment) [6]string {
	return [6]string{p.AttemptID, p.OrderID, p.AppID, p.Reference, p.KeyHash, p.Digest}
}

// TestSandbox_KeepsWhatAHubKnowsItsPaymentBy: what the hub put there comes back
// with reads, lists, events and refunds, and the hash of the app's key finds what
// the attempt's id does not.
func TestSandbox_KeepsWhatAHubKnowsItsPaymentBy(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := checkoutRequest()
	named(&r)
	want := namesOf(sdk.Payment{AttemptID: r.AttemptID, OrderID: r.OrderID, AppID: r.AppID, Reference: r.Reference, KeyHash: r.KeyHash, Digest: r.Digest})
	p := h.checkout("op_1", named)
	if namesOf(*p) != want {
		t.Fatalf("%q", namesOf(*p))
	}
	h.pay(p, "4242424242424242")
	paid := h.read(p.Refs...)
	if namesOf(*paid) != want {
		t.Fatalf("%q", namesOf(*paid))
	}
	h.waitFor("the capture", func(f sdk.Fact) bool { return len(f.Payment.Captures.Items) == 1 && namesOf(f.Payment) == want })
	refund := sdk.RefundRequest{
		PaymentRequest: paymentRequest(paid.Refs...), Key: "op_3", RefundID: "ref_1", CaptureID: paid.Captures.Items[0].ID, Refund: usd(100),
		KeyHash: strings.Repeat("5c", 16), Digest: strings.Repeat("e2", 16),
	}
	re, err := h.Refund(t.Context(), refund)
	if err != nil || re.RefundID != "ref_1" || re.KeyHash != refund.KeyHash || re.Digest != refund.Digest {
		t.Fatalf("%+v %v", re, err)
	}
	if read := h.read(paid.Refs...); read.Refunds.Items[0].KeyHash != refund.KeyHash || read.Refunds.Items[0].Digest != refund.Digest {
		t.Errorf("%+v", read.Refunds)
	}
	for _, cursor := range []string{"checkout_session:", "charge:", "payment_intent:"} {
		page, err := h.List(t.Context(), sdk.ListRequest{Since: time.Now().Add(-time.Hour), Cursor: cursor})
		if err != nil || cursor != "charge:" && len(page.Payments) != 1 {
			t.Fatalf("%s: %+v %v", cursor, page, err)
		}
		for _, listed := range page.Payments {
			if namesOf(listed) != want {
				t.Errorf("%s: %q", cursor, namesOf(listed))
			}
		}
	}
	page, err := h.List(t.Context(), sdk.ListRequest{Since: time.Now().Add(-time.Hour), Cursor: "refund:"})
	if err != nil || len(page.Payments) != 1 || page.Payments[0].AttemptID != r.AttemptID || page.Payments[0].Digest != "" || page.Payments[0].Refunds.Items[0].Digest != refund.Digest {
		t.Errorf("a refund's digest is not its payment's: %+v %v", page, err)
	}

	another := paymentRequest()
	another.AttemptID, another.CreatedAt = "att_of_the_repeat", time.Now().Add(20*time.Hour)
	if _, err := h.GetPayment(t.Context(), another); err != sdk.ErrNotFound {
		t.Errorf("%v", err)
	}
	another.FindKeyHash = r.KeyHash
	if found, err := h.GetPayment(t.Context(), another); err != nil || namesOf(*found) != want {
		t.Errorf("by the key's hash: %+v %v", found, err)
	}
	lost := sdk.GetRefundRequest{PaymentRequest: paymentRequest(paid.Refs...), RefundID: "ref_of_the_repeat", CaptureID: refund.CaptureID}
	lost.FindKeyHash = refund.KeyHash
	if found, err := h.GetRefund(t.Context(), lost); err != nil || found.ID != re.ID || found.RefundID != "ref_1" {
		t.Errorf("by the key's hash: %+v %v", found, err)
	}
}

// TestSandbox_EveryFlowKeepsIt: charges and PaymentIntents, too.
func TestSandbox_EveryFlowKeepsIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, r := range []sdk.CheckoutRequest{
		checkoutOf("charge", "token", "tok_visa"),
		checkoutOf("apple_pay", "finalize", "server", "payment_method", "pm_card_visa"),
	} {
		named(&r)
		r.Key = "op_" + r.Flow
		p, err := h.CreateCheckout(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		read := h.readOf(r.Flow, p)
		if namesOf(*p) != namesOf(*read) || read.Digest != r.Digest || read.Reference != r.Reference || read.AppID != r.AppID || read.KeyHash != r.KeyHash {
			t.Errorf("%s: %q %q", r.Flow, namesOf(*p), namesOf(*read))
		}
	}
}
