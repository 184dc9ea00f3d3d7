package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/plugins/stripe/sandbox"
	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// start begins a payment; input is name, value, name, value.
func (h *house) start(flow, key string, mode sdk.CaptureMode, input ...string) *sdk.Payment {
	h.t.Helper()
	r := checkoutOf(flow, input...)
	r.Key, r.CreatedAt, r.CaptureMode = key, time.Now(), mode
	p, err := h.CreateCheckout(h.t.Context(), r)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *house) readOf(flow string, p *sdk.Payment) *sdk.Payment {
	h.t.Helper()
	r := requestOf(flow, p.Refs...)
	r.CreatedAt, r.Opaque = time.Now(), p.Opaque
	got, err := h.GetPayment(h.t.Context(), r)
	if err != nil {
		h.t.Fatal(err)
	}
	return got
}

// authenticate is the payer in front of the stand-in's 3-D Secure page.
func (h *house) authenticate(p *sdk.Payment, result string) {
	h.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.PostForm(h.base+"/3ds/"+ref(p.Refs, kindIntent), url.Values{"result": {result}})
	if err != nil {
		h.t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode >= 400 && res.StatusCode != http.StatusPaymentRequired {
		h.t.Fatalf("3-D Secure: HTTP %d", res.StatusCode)
	}
}

// refundInTwo gives a payment of 25.00 back, and no more than that.
func (h *house) refundInTwo(flow string, p *sdk.Payment) {
	h.t.Helper()
	capture := p.Captures.Items[0].ID
	for key, amount := range map[string]int64{"op_r1": 1000, "op_r2": 1500} {
		r := sdk.RefundRequest{PaymentRequest: requestOf(flow, p.Refs...), Key: key, RefundID: key, CaptureID: capture, Refund: usd(amount)}
		if re, err := h.Refund(h.t.Context(), r); err != nil || re.CaptureID != capture || re.Status != sdk.MovementSucceeded {
			h.t.Fatalf("%+v %v", re, err)
		}
	}
	r := sdk.RefundRequest{PaymentRequest: requestOf(flow, p.Refs...), Key: "op_r3", RefundID: "op_r3", CaptureID: capture, Refund: usd(1)}
	if _, err := h.Refund(h.t.Context(), r); code(err) != sdk.FailureRefundExceedsBalance {
		h.t.Errorf("%v", err)
	}
	if got := h.readOf(flow, p); got.Status != sdk.Succeeded || !got.Refunds.Complete || len(got.Refunds.Items) != 2 {
		h.t.Errorf("%+v", got)
	}
}

func TestSandbox_ChargePaidAndRefunded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.start("charge", "op_1", sdk.CaptureAutomatic, "token", "tok_visa")
	if again := h.start("charge", "op_1", sdk.CaptureAutomatic, "token", "tok_visa"); again.Refs[0] != p.Refs[0] {
		t.Error("the same key made another charge")
	}
	if p.Status != sdk.Succeeded || p.Refs[0].Kind != kindCharge || p.Captures.Items[0].Amount != usd(2500) {
		t.Fatalf("%+v", p)
	}
	h.waitFor("the charge", func(f sdk.Fact) bool {
		return f.Proven && f.Payment.AttemptID == "att_1" && f.Payment.Refs[0] == p.Refs[0] && len(f.Payment.Captures.Items) == 1
	})
	if got := h.readOf("charge", &sdk.Payment{}); got.Refs[0] != p.Refs[0] { // by metadata alone
		t.Errorf("%+v", got)
	}
	h.refundInTwo("charge", p)
	page, err := h.List(t.Context(), sdk.ListRequest{Cursor: "charge:"})
	if err != nil || len(page.Payments) != 1 || page.Next != "payment_intent:" {
		t.Errorf("%+v %v", page, err)
	}
}

func TestSandbox_ChargeDeclined(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for token, want := range map[string]string{
		"tok_chargeDeclinedInsufficientFunds": sdk.FailureInsufficientFunds, "tok_chargeDeclinedStolenCard": sdk.FailureDeclined,
		"tok_authenticationRequired": sdk.FailureAuthentication, "tok_chargeDeclinedExpiredCard": sdk.FailureExpiredCard,
	} {
		p := h.start("charge", "op_"+token, sdk.CaptureAutomatic, "token", token)
		if p.Status != sdk.Failed || len(p.Refs) != 1 || p.Failure.Code != want {
			t.Fatalf("%s: %+v %+v", token, p, p.Failure)
		}
		if got := h.readOf("charge", p); got.Status != sdk.Failed || *got.Failure != *p.Failure {
			t.Errorf("%s: read %+v, answered %+v", token, got.Failure, p.Failure)
		}
		h.waitFor("the decline", func(f sdk.Fact) bool {
			return f.Proven && f.Payment.Refs[0] == p.Refs[0] && f.Payment.Status == sdk.Failed && *f.Payment.Failure == *p.Failure
		})
	}
	r := checkoutOf("charge", "token", "tok_"+leak)
	if _, err := h.CreateCheckout(t.Context(), r); class(err) != "rejected" || strings.Contains(err.Error(), leak) {
		t.Errorf("%v", err)
	}
}

func TestSandbox_HeldThenCapturedInPartOrReleased(t *testing.T) {
	t.Parallel()
	for i, input := range [][]string{
		{"charge", "token", "tok_visa"},
		{"apple_pay", "payment_method", "pm_card_visa"},
		{"charge", "token", "tok_visa"},
		{"apple_pay", "payment_method", "pm_card_visa"},
	} {
		flow, input := input[0], input[1:]
		t.Run(flow, func(t *testing.T) {
			h := newHouse(t, func(o *sandbox.Options) { o.BookReleases = i >= 2 })
			p := h.start(flow, "op_1", sdk.CaptureManual, input...)
			if p.Status != sdk.RequiresCapture || p.Authorized != usd(2500) || p.Capturable != usd(2500) || p.CaptureBefore.IsZero() {
				t.Fatalf("%+v", p)
			}
			capture := sdk.CaptureRequest{PaymentRequest: requestOf(flow, p.Refs...), Key: "op_2", Capture: usd(2000)}
			for _, capture.Key = range []string{"op_2", "op_2", "op_3"} {
				got, err := h.Capture(t.Context(), capture)
				if err != nil || got.Status != sdk.Succeeded || got.Captures.Items[0].Amount != usd(2000) || got.Refs[0] != p.Refs[0] {
					t.Fatalf("%+v %v", got, err)
				}
			}
			if got := h.readOf(flow, p); got.Captures.Items[0].Amount != usd(2000) || len(got.Refunds.Items) != 0 || !got.Refunds.Complete {
				t.Errorf("the released rest is no refund: %+v", got)
			}
			held := h.start(flow, "op_4", sdk.CaptureManual, input...)
			for range 2 {
				got, err := h.Cancel(t.Context(), sdk.CancelRequest{PaymentRequest: requestOf(flow, held.Refs...), Key: "op_5"})
				if err != nil || got.Status != sdk.Canceled || got.Refs[0] != held.Refs[0] {
					t.Fatalf("%+v %v", got, err)
				}
			}
			if got := h.readOf(flow, held); got.Status != sdk.Canceled || len(got.Captures.Items)+len(got.Refunds.Items) != 0 || !got.Refunds.Complete {
				t.Errorf("%+v", got)
			}
			late := sdk.CancelRequest{PaymentRequest: requestOf(flow, p.Refs...), Key: "op_6"}
			if got, err := h.Cancel(t.Context(), late); err != nil || got.Status != sdk.Succeeded {
				t.Errorf("%+v %v", got, err)
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			for _, f := range h.facts {
				if f.Proven && len(f.Payment.Refunds.Items) != 0 {
					t.Errorf("a release was told as a refund: %+v", f.Payment)
				}
			}
		})
	}
}

func TestSandbox_ApplePayWithoutAnyAction(t *testing.T) {
	t.Parallel()
	for _, finalize := range []string{finalizeServer, finalizeLegacy} {
		h := newHouse(t)
		pay := func(key, method string) *sdk.Payment {
			return h.start("apple_pay", key, sdk.CaptureAutomatic, "finalize", finalize, "payment_method", method)
		}
		p := pay("op_1", "pm_card_visa")
		if again := pay("op_1", "pm_card_visa"); p.Status != sdk.Succeeded || again.Refs[0] != p.Refs[0] {
			t.Fatalf("%s: %+v", finalize, p)
		}
		h.waitFor("the capture", func(f sdk.Fact) bool {
			return f.Proven && len(f.Payment.Captures.Items) == 1 && f.Payment.Captures.Items[0].ID == p.Captures.Items[0].ID
		})
		if got := h.readOf("apple_pay", &sdk.Payment{}); got.Refs[0] != p.Refs[0] { // by metadata alone
			t.Errorf("%+v", got)
		}
		h.refundInTwo("apple_pay", p)

		no := pay("op_2", "pm_card_chargeDeclinedInsufficientFunds")
		if no.Status != sdk.Failed || no.Failure.Code != sdk.FailureInsufficientFunds || no.Refs[0].Kind != kindIntent {
			t.Fatalf("%s: %+v", finalize, no)
		}
		if got := h.readOf("apple_pay", no); got.Status != sdk.Failed || *got.Failure != *no.Failure {
			t.Errorf("%s: %+v", finalize, got)
		}
		h.waitFor("the decline", func(f sdk.Fact) bool {
			return f.Payment.Refs[0] == no.Refs[0] && (f.Payment.Status == sdk.Failed || !f.Proven)
		})
	}
}

// A confirmation token is made in the payer's browser and serves once.
func TestSandbox_ApplePayByConfirmationToken(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ct, err := h.api.TestHelpersConfirmationTokens.New(&stripe.TestHelpersConfirmationTokenParams{
		Params: post(t.Context(), "k"), PaymentMethod: stripe.String("pm_card_visa"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if p := h.start("apple_pay", "op_1", sdk.CaptureAutomatic, "confirmation_token", ct.ID); p.Status != sdk.Succeeded || p.Refs[0].Kind != kindIntent {
			t.Fatalf("%+v", p)
		}
	}
	r := checkoutOf("apple_pay", "confirmation_token", ct.ID)
	r.Key = "op_2"
	if _, err := h.CreateCheckout(t.Context(), r); class(err) != "rejected" || strings.Contains(err.Error(), ct.ID) {
		t.Errorf("%v", err)
	}
}

func TestSandbox_ApplePayWithThreeDSecure(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		finalize, method, result string
		acted, ended             sdk.Status
	}{
		{finalizeServer, "pm_card_authenticationRequired", "complete", sdk.Succeeded, sdk.Succeeded},
		// The client holds the secret: it may try again.
		{finalizeServer, "pm_card_authenticationRequired", "fail", sdk.RequiresAction, sdk.RequiresAction},
		{finalizeServer, "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds", "complete", sdk.RequiresAction, sdk.RequiresAction},
		{finalizeLegacy, "pm_card_authenticationRequired", "complete", sdk.RequiresConfirmation, sdk.Succeeded},
		{finalizeLegacy, "pm_card_authenticationRequired", "fail", sdk.Failed, sdk.Failed},
		{finalizeLegacy, "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds", "complete", sdk.RequiresConfirmation, sdk.Failed},
	} {
		t.Run(c.finalize+" "+string(c.acted), func(t *testing.T) {
			h := newHouse(t)
			p := h.start("apple_pay", "op_1", sdk.CaptureAutomatic, "finalize", c.finalize, "payment_method", c.method)
			if p.Status != sdk.RequiresAction || p.NextAction.Type != sdk.ActionClient || !strings.Contains(p.NextAction.Client["client_secret"], "_secret_") {
				t.Fatalf("%+v", p)
			}
			h.authenticate(p, c.result)
			acted := h.readOf("apple_pay", p)
			if acted.Status != c.acted || (acted.Status == sdk.RequiresAction || acted.Status == sdk.Failed) != (acted.Failure != nil) {
				t.Fatalf("%+v %+v", acted, acted.Failure)
			}
			confirm := sdk.ConfirmRequest{PaymentRequest: requestOf("apple_pay", p.Refs...), Key: "op_2"}
			confirm.Opaque = p.Opaque
			for range 2 {
				got, err := h.Confirm(t.Context(), confirm)
				if err != nil || got.Status != c.ended || got.Refs[0] != p.Refs[0] {
					t.Fatalf("%+v %v", got, err)
				}
			}
			if got := h.readOf("apple_pay", p); got.Status != c.ended {
				t.Errorf("%+v", got)
			}
			if c.ended == sdk.Succeeded {
				h.waitFor("the capture", func(f sdk.Fact) bool { return f.Proven && len(f.Payment.Captures.Items) == 1 })
				return
			}
			got, err := h.Cancel(t.Context(), sdk.CancelRequest{PaymentRequest: requestOf("apple_pay", p.Refs...), Key: "op_3"})
			if err != nil || got.Status != sdk.Canceled {
				t.Errorf("%+v %v", got, err)
			}
		})
	}
}

func TestSandbox_LostChargeIsFoundAndHealed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	doors := standin.Client{BaseURL: h.base}
	fault := standin.Fault{Method: "POST", Path: "/v1/charges", Action: standin.DropAfter, Times: 1}
	if err := doors.AddFault(t.Context(), fault); err != nil {
		t.Fatal(err)
	}
	r := checkoutOf("charge", "token", "tok_visa")
	r.CreatedAt = time.Now()
	if _, err := h.CreateCheckout(t.Context(), r); class(err) != "unknown" {
		t.Fatalf("%v", err)
	}
	found := h.readOf("charge", &sdk.Payment{})
	if p, err := h.CreateCheckout(t.Context(), r); err != nil || p.Refs[0] != found.Refs[0] {
		t.Errorf("%+v %v", p, err)
	}
	if books, err := doors.Books(t.Context()); err != nil || len(books.Captures) != 1 {
		t.Errorf("%+v %v", books, err)
	}
}

// TestSandbox_NoPaymentIsLostForAnAddress: what Stripe would not take for an e-mail
// address is left out; the payment is made.
func TestSandbox_NoPaymentIsLostForAnAddress(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i, address := range []string{
		"jenny@", "jenny", "@example.com", "jenny@example", "jenny@example..com", ".jenny@example.com", "jenny.@example.com", "a b@example.com",
		"jenny@exam_ple.com", "jenny@example.com.", "Jenny <jenny@example.com>", "jenny@-example.com", "jen\"ny@example.com", "jénny@example.com",
	} {
		for flow, input := range map[string][]string{"checkout_session": nil, "charge": {"token", "tok_visa"}} {
			r := checkoutOf(flow, input...)
			r.Key, r.CreatedAt, r.Customer.Email = fmt.Sprint("op_", flow, i), time.Now(), address
			if _, err := h.CreateCheckout(t.Context(), r); err != nil {
				t.Errorf("%s, %q: %v", flow, address, err)
			}
			if got := email(r.Customer); got != nil {
				t.Errorf("%q is sent", address)
			}
		}
	}
	for _, address := range []string{"ada@example.com", "a.b+c@sub.example.co.uk", "o'neil@example.museum", "1@2.io"} {
		if got := email(sdk.Customer{Email: address}); got == nil || *got != address {
			t.Errorf("%q is not sent", address)
		}
	}
}
