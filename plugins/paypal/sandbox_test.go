package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

func TestSandbox_ServerPaidAndRefunded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.checkout("op_1")
	if again := h.checkout("op_1"); again.Refs[0] != p.Refs[0] {
		t.Error("the same key made another order")
	}
	if got, err := h.confirm("op_2", p, sdk.CaptureAutomatic); err != nil || got.Status != sdk.RequiresAction || got.Failure != nil {
		t.Fatalf("not approved yet: %+v %v", got, err)
	}
	h.approve(p, "instrument_declined")
	if got := h.read("server", p.Refs...); got.Status != sdk.RequiresConfirmation {
		t.Fatalf("%+v", got)
	}
	if f := h.hint("CHECKOUT.ORDER.APPROVED"); f.AttemptID != testAttempt || f.Refs[0] != p.Refs[0] {
		t.Errorf("%+v", f)
	}
	got, err := h.confirm("op_3", p, sdk.CaptureAutomatic)
	if err != nil || got.Status != sdk.RequiresAction || got.Failure.ProviderCode != "INSTRUMENT_DECLINED" || got.NextAction == nil {
		t.Fatalf("%+v %v", got, err)
	}
	h.approve(p, "approve")
	for range 2 { // a repeat answers with the same
		got, err = h.confirm("op_4", p, sdk.CaptureAutomatic)
		if err != nil || got.Status != sdk.Succeeded || got.Refs[0] != p.Refs[0] || !got.Captures.Items[0].Amount.Equal(eur(9999)) || got.AttemptID != testAttempt {
			t.Fatalf("%+v %v", got, err)
		}
	}
	if late, err := h.confirm("op_5", p, sdk.CaptureAutomatic); err != nil || late.Status != sdk.Succeeded {
		t.Errorf("already captured is the truth: %+v %v", late, err)
	}
	capture := got.Captures.Items[0].ID
	if f := h.hint("PAYMENT.CAPTURE.COMPLETED"); f.AttemptID != testAttempt || ref(f.Refs, kindCapture) != capture {
		t.Errorf("%+v", f)
	}
	refund := sdk.RefundRequest{PaymentRequest: paymentRequest("server", got.Refs...), Key: "op_6", RefundID: "ref_1", CaptureID: capture, Refund: eur(4000)}
	first, err := h.Refund(t.Context(), refund)
	if err != nil || first.Status != sdk.MovementSucceeded || first.CaptureID != capture {
		t.Fatalf("%+v %v", first, err)
	}
	if again, err := h.Refund(t.Context(), refund); err != nil || again.ID != first.ID {
		t.Errorf("the same key refunded again: %+v %v", again, err)
	}
	if found, err := h.GetRefund(t.Context(), sdk.GetRefundRequest{PaymentRequest: refund.PaymentRequest, RefundID: "ref_1"}); err != nil || found.ID != first.ID {
		t.Errorf("%+v %v", found, err)
	}
	refund.Key, refund.RefundID, refund.Refund = "op_7", "ref_2", eur(6000)
	if _, err := h.Refund(t.Context(), refund); class(err) != "rejected" {
		t.Errorf("%v", err)
	}
	h.press("/dashboard/captures/"+capture+"/refund", url.Values{"amount": {"9.99"}})
	all := h.read("server", got.Refs...)
	if len(all.Refunds.Items) != 2 || !all.Refunds.Complete || all.Refunds.Items[0].RefundID != "ref_1" || all.Refunds.Items[1].RefundID != "" {
		t.Errorf("%+v", all.Refunds)
	}
	h.hint("PAYMENT.CAPTURE.REFUNDED")
}

func TestSandbox_PendingDeniedAndDeclined(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.checkout("op_1")
	h.approve(p, "echeck")
	got, err := h.confirm("op_2", p, sdk.CaptureAutomatic)
	if err != nil || got.Status != sdk.Pending || got.Captures.Items[0].Status != sdk.MovementPending {
		t.Fatalf("%+v %v", got, err)
	}
	h.press("/dashboard/captures/"+got.Captures.Items[0].ID+"/deny", nil)
	if got = h.read("server", got.Refs...); got.Status != sdk.Failed || got.Failure == nil {
		t.Errorf("%+v", got)
	}
	h.hint("PAYMENT.CAPTURE.DENIED")

	p = h.checkout("op_3")
	h.approve(p, "capture_declined")
	if got, err = h.confirm("op_4", p, sdk.CaptureAutomatic); err != nil || got.Status != sdk.Failed {
		t.Errorf("a completed order is not a paid one: %+v %v", got, err)
	}
	forgotten := h.checkout("op_5")
	h.press("/dashboard/orders/"+forgotten.Refs[0].Value+"/expire", nil)
	if _, err := h.GetPayment(t.Context(), paymentRequest("server", forgotten.Refs...)); err != sdk.ErrNotFound {
		t.Errorf("%v", err)
	}
}

func TestSandbox_AuthorizedCapturedAndVoided(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	manual := func(r *sdk.CheckoutRequest) { r.CaptureMode = sdk.CaptureManual }
	hold := func(n string) *sdk.Payment {
		p := h.checkout("op_a"+n, manual)
		h.approve(p, "approve")
		for range 2 {
			held, err := h.confirm("op_b"+n, p, sdk.CaptureManual)
			if err != nil || held.Status != sdk.RequiresCapture || !held.Authorized.Equal(eur(9999)) || held.CaptureBefore.IsZero() || len(held.Refs) != 2 {
				t.Fatalf("%+v %v", held, err)
			}
			p = held
		}
		return p
	}
	p := hold("1")
	h.hint("PAYMENT.AUTHORIZATION.CREATED")
	capture := sdk.CaptureRequest{PaymentRequest: paymentRequest("server", p.Refs...), Key: "op_1", Capture: eur(5000)}
	for range 2 {
		got, err := h.Capture(t.Context(), capture)
		if err != nil || got.Status != sdk.Succeeded || !got.Captures.Items[0].Amount.Equal(eur(5000)) {
			t.Fatalf("%+v %v", got, err)
		}
	}
	capture.Key = "op_2"
	if got, err := h.Capture(t.Context(), capture); err != nil || got.Status != sdk.Succeeded {
		t.Errorf("already captured is the truth: %+v %v", got, err)
	}
	cancel := sdk.CancelRequest{PaymentRequest: paymentRequest("server", p.Refs...), Key: "op_3"}
	if got, err := h.Cancel(t.Context(), cancel); err != nil || got.Status != sdk.Succeeded {
		t.Errorf("too late is the truth: %+v %v", got, err)
	}
	p = hold("2")
	cancel = sdk.CancelRequest{PaymentRequest: paymentRequest("server", p.Refs[0]), Key: "op_4"} // the authorization is found
	for range 2 {
		if got, err := h.Cancel(t.Context(), cancel); err != nil || got.Status != sdk.Canceled {
			t.Fatalf("%+v %v", got, err)
		}
	}
	if got := h.read("server", p.Refs...); got.Status != sdk.Canceled {
		t.Errorf("%+v", got)
	}
	h.hint("PAYMENT.AUTHORIZATION.VOIDED")
}

// Captured in part at PayPal, the rest of an authorization is taken or released.
func TestSandbox_CapturedInPartThere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	inPart := func(n string) *sdk.Payment {
		t.Helper()
		p := h.checkout("op_a"+n, func(r *sdk.CheckoutRequest) { r.CaptureMode = sdk.CaptureManual })
		h.approve(p, "approve")
		held, err := h.confirm("op_b"+n, p, sdk.CaptureManual)
		if err != nil {
			t.Fatal(err)
		}
		h.press("/dashboard/authorizations/"+ref(held.Refs, kindAuthorization)+"/capture", url.Values{"amount": {"40.00"}, "rest": {"held"}})
		now := h.read("server", held.Refs...)
		if now.Status != sdk.RequiresCapture || !now.Capturable.Equal(eur(5999)) || !now.Captures.Items[0].Amount.Equal(eur(4000)) || now.CaptureBefore.IsZero() {
			t.Fatalf("%+v", now)
		}
		return now
	}
	p := inPart("1")
	got, err := h.Capture(t.Context(), sdk.CaptureRequest{PaymentRequest: paymentRequest("server", p.Refs...), Key: "op_1", Capture: eur(5999)})
	if err != nil || got.Status != sdk.Succeeded {
		t.Errorf("%+v %v", got, err)
	}
	if now := h.read("server", p.Refs...); now.Status != sdk.Succeeded || len(now.Captures.Items) != 2 || !now.Captures.Items[1].Amount.Equal(eur(5999)) {
		t.Errorf("%+v", now)
	}
	p = inPart("2")
	for range 2 {
		got, err = h.Cancel(t.Context(), sdk.CancelRequest{PaymentRequest: paymentRequest("server", p.Refs...), Key: "op_2"})
		if err != nil || got.Status != sdk.Succeeded || len(got.Captures.Items) != 1 || got.Capturable.Amount != 0 || len(got.Refunds.Items) != 0 {
			t.Errorf("%+v %v", got, err)
		}
	}
}

func TestSandbox_DisputedAndReversed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	pay := func(n string) *sdk.Payment {
		p := h.checkout("op_a" + n)
		h.approve(p, "approve")
		got, err := h.confirm("op_b"+n, p, sdk.CaptureAutomatic)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	p := pay("1")
	capture := p.Captures.Items[0].ID
	h.press("/dashboard/captures/"+capture+"/dispute", url.Values{"kind": {"chargeback"}})
	if f := h.hint("CUSTOMER.DISPUTE.CREATED"); ref(f.Refs, kindCapture) != capture {
		t.Errorf("%+v", f)
	}
	d := h.read("server", p.Refs...).Disputes
	if !d.Complete || len(d.Items) != 1 || d.Items[0].Status != sdk.DisputeOpen || !d.Items[0].FundsWithdrawn || d.Items[0].CaptureID != capture {
		t.Fatalf("%+v", d)
	}
	h.press("/dashboard/disputes/"+d.Items[0].ID+"/win", nil)
	if d = h.read("server", p.Refs...).Disputes; d.Items[0].Status != sdk.DisputeWon || d.Items[0].FundsWithdrawn {
		t.Errorf("%+v", d)
	}
	p = pay("2")
	h.press("/dashboard/captures/"+p.Captures.Items[0].ID+"/reverse", nil)
	if got := h.read("server", p.Refs...); len(got.Refunds.Items) != 1 || got.Refunds.Items[0].RefundID != "" || !got.Refunds.Items[0].Amount.Equal(eur(9999)) {
		t.Errorf("%+v", got.Refunds)
	}
	h.hint("PAYMENT.CAPTURE.REVERSED")
}

func TestSandbox_ClientHonestAndNot(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	offer, err := h.CreateCheckout(t.Context(), checkoutRequest("client"))
	if err != nil {
		t.Fatal(err)
	}
	tell := func(key, id string) (*sdk.Payment, error) {
		return h.Confirm(t.Context(), sdk.ConfirmRequest{PaymentRequest: paymentRequest("client"), Key: key, Input: map[string]string{"order_id": id}})
	}
	id := h.browser(offer, nil)
	for _, key := range []string{"op_1", "op_2"} {
		if got, err := tell(key, id); err != nil || got.Status != sdk.Succeeded || got.Refs[0] != (sdk.Ref{Kind: kindOrder, Value: id}) || !got.Amount.Equal(eur(9999)) {
			t.Errorf("%+v %v", got, err)
		}
	}
	f := h.hint("PAYMENT.CAPTURE.COMPLETED")
	for _, candidate := range f.Refs {
		if got := h.read("client", candidate); f.AttemptID != testAttempt || got.Status != sdk.Succeeded || got.Refs[0].Value != id {
			t.Errorf("by %+v: %+v", candidate, got)
		}
	}
	if got, err := tell("op_3", h.browser(offer, url.Values{"stop": {"approve"}})); err != nil || got.Status != sdk.Succeeded {
		t.Errorf("the browser died after approval: %+v %v", got, err)
	}
	for name, lies := range map[string]url.Values{
		"payee":   {"tamper_payee": {"RD465XN5VS364"}},
		"attempt": {"tamper_custom_id": {"att_other"}},
		"units":   {"units": {"2"}},
		"unpaid":  {"tamper_amount": {"1.00"}, "stop": {"approve"}},
	} {
		id := h.browser(offer, lies)
		if got, err := tell("op_"+name, id); class(err) != "rejected" || !strings.Contains(err.Error(), sdk.FailureMismatch) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
		if _, err := h.GetPayment(t.Context(), paymentRequest("client", sdk.Ref{Kind: kindOrder, Value: id})); err != sdk.ErrNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := tell("op_less", h.browser(offer, url.Values{"tamper_amount": {"1.00"}})); err != nil || !got.Amount.Equal(eur(100)) || got.Status != sdk.Succeeded {
		t.Errorf("what was paid is told as it is: %+v %v", got, err)
	}
	if _, err := tell("op_none", "5O190127TN364715T"); class(err) != "rejected" {
		t.Errorf("%v", err)
	}
}

func TestSandbox_LostAnswersAreHealedByTheSameKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	lose := func(path string, action standin.Action) {
		if err := h.doors.AddFault(t.Context(), standin.Fault{Method: "POST", Path: path, Action: action, Times: 1}); err != nil {
			t.Fatal(err)
		}
	}
	for i, action := range []standin.Action{standin.DropAfter, standin.Cut, standin.Empty, standin.HTML} {
		n := string(rune('a' + i))
		lose("/v2/checkout/orders", action)
		r := checkoutRequest("server")
		r.Key = "op_1" + n
		if _, err := h.CreateCheckout(t.Context(), r); class(err) != "unknown" {
			t.Fatalf("%s: %v", action, err)
		}
		p := h.checkout(r.Key)
		h.approve(p, "approve")
		lose("/v2/checkout/orders/", action)
		if _, err := h.confirm("op_2"+n, p, sdk.CaptureAutomatic); class(err) != "unknown" {
			t.Fatalf("%s: %v", action, err)
		}
		got, err := h.confirm("op_2"+n, p, sdk.CaptureAutomatic)
		if err != nil || got.Status != sdk.Succeeded || len(got.Captures.Items) != 1 {
			t.Fatalf("%s: %+v %v", action, got, err)
		}
		refund := sdk.RefundRequest{PaymentRequest: paymentRequest("server", got.Refs...), Key: "op_3" + n, RefundID: "ref_1", CaptureID: got.Captures.Items[0].ID, Refund: eur(9999)}
		lose("/v2/payments/captures", action)
		if _, err := h.Refund(t.Context(), refund); class(err) != "unknown" {
			t.Fatalf("%s: %v", action, err)
		}
		if re, err := h.Refund(t.Context(), refund); err != nil || !re.Amount.Equal(eur(9999)) {
			t.Fatalf("%s: %+v %v", action, re, err)
		}
		if got := h.read("server", got.Refs...); len(got.Refunds.Items) != 1 {
			t.Errorf("%s: %+v", action, got.Refunds)
		}
	}
}

// A token that PayPal revoked is noticed by a 401 and renewed.
func TestSandbox_RevokedToken(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.checkout("op_1")
	res, err := http.Post(h.base+standin.DoorPrefix+"tokens/revoke", "", nil)
	if err != nil || res.StatusCode != http.StatusNoContent {
		t.Fatal(res, err)
	}
	res.Body.Close()
	if got := h.read("server", p.Refs...); got.Status != sdk.RequiresAction || got.NextAction == nil {
		t.Errorf("%+v", got)
	}
}

// TestSandbox_PendingReasons: PayPal says why a capture waits; some reasons wait for
// the merchant to act there (P6).
func TestSandbox_PendingReasons(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for with, want := range map[string]string{
		"echeck": "ECHECK", "review": "PENDING_REVIEW", "manual": "RECEIVING_PREFERENCE_MANDATES_MANUAL_ACTION", "unilateral": "UNILATERAL",
	} {
		p := h.checkout("create_" + with)
		h.approve(p, with)
		paid, err := h.confirm("confirm_"+with, p, sdk.CaptureAutomatic)
		if err != nil {
			t.Fatal(err)
		}
		for what, got := range map[string]*sdk.Payment{"confirm": paid, "read": h.read("server", paid.Refs...)} {
			if len(got.Captures.Items) != 1 || got.Captures.Items[0].PendingReason != want {
				t.Errorf("%s, %s: %+v", with, what, got.Captures)
			}
		}
	}
}
