package main

import (
	"encoding/json"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

func TestCreateOrder_ShapeAndDeterminism(t *testing.T) {
	f := newFake(t, say(201, doc("PAYER_ACTION_REQUIRED", nil)))
	p := newTestProvider(t, f)
	var out *sdk.Payment
	for range 2 {
		var err error
		if out, err = p.CreateCheckout(t.Context(), checkoutRequest("server")); err != nil {
			t.Fatal(err)
		}
	}
	calls := f.seen()
	if calls[0] != calls[1] {
		t.Errorf("not the same bytes:\n%+v\n%+v", calls[0], calls[1])
	}
	want := `{"intent":"CAPTURE","purchase_units":[{"reference_id":"ord_1","amount":{"currency_code":"EUR","value":"99.99"},` +
		`"custom_id":"` + testAttempt + `:hub1","description":"Three books & more"}],"payment_source":{"paypal":{"experience_context":{` +
		`"return_url":"https://hub.example/return/1","cancel_url":"https://hub.example/return/1?cancel=1","user_action":"PAY_NOW","shipping_preference":"NO_SHIPPING"}}}}`
	if got := calls[0]; !sameJSON(got.Body, want) || got.Method != "POST" || got.Path != "/v2/checkout/orders" || got.Key != "op_1" || got.Prefer != "return=representation" {
		t.Errorf("sent %+v", got)
	}
	if out.Status != sdk.RequiresAction || out.Refs[0] != orderRef() || out.AttemptID != testAttempt || !out.Amount.Equal(eur(9999)) ||
		out.NextAction.URL != "https://www.sandbox.paypal.com/checkoutnow?token="+testOrder || out.NextAction.Client["order_id"] != testOrder {
		t.Errorf("%+v", out)
	}

	r := checkoutRequest("server")
	r.CaptureMode = sdk.CaptureManual
	if _, err := p.CreateCheckout(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	var sent orderRequest
	_ = json.Unmarshal([]byte(f.seen()[2].Body), &sent)
	if sent.Intent != "AUTHORIZE" {
		t.Errorf("manual: %+v", sent)
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// The payer is only sent to https, or to this machine in test mode; both names
// of the link are PayPal's.
func TestPayerLink(t *testing.T) {
	test, live := New(), New()
	test.settings.mode, live.settings.mode = sdk.Test, sdk.Live
	for _, c := range []struct {
		rel, href  string
		test, live bool
	}{
		{"approve", "https://www.paypal.com/checkoutnow?token=1", true, true},
		{"payer-action", "https://www.paypal.com/checkoutnow?token=1", true, true},
		{"payer-action", "http://127.0.0.1:80/checkoutnow?token=1", true, false},
		{"payer-action", "http://evil.example/", false, false},
		{"payer-action", "javascript:alert(1)", false, false},
		{"self", "https://api-m.paypal.com/v2/checkout/orders/1", false, false},
	} {
		links := []link{{Href: c.href, Rel: c.rel}}
		if got := test.payerLink(links) != ""; got != c.test {
			t.Errorf("test %+v: %v", c, got)
		}
		if got := live.payerLink(links) != ""; got != c.live {
			t.Errorf("live %+v: %v", c, got)
		}
	}
}

func TestReadOrder_EveryState(t *testing.T) {
	authorized := func(status string) func(o, u map[string]any) {
		return func(o, u map[string]any) {
			o["intent"] = "AUTHORIZE"
			u["payments"] = map[string]any{"authorizations": []any{map[string]any{
				"id": testAuth, "status": status, "amount": map[string]any{"currency_code": "EUR", "value": "99.99"}, "expiration_time": "2026-03-30T12:00:00Z",
			}}}
		}
	}
	captured := func(status string) func(o, u map[string]any) {
		return func(_, u map[string]any) { u["payments"] = paid(status) }
	}
	for _, c := range []struct {
		name, status string
		change       func(o, u map[string]any)
		want         sdk.Status
	}{
		{"created", "CREATED", nil, sdk.RequiresAction},
		{"saved", "SAVED", nil, sdk.RequiresAction},
		{"payer action", "PAYER_ACTION_REQUIRED", nil, sdk.RequiresAction},
		{"approved", "APPROVED", nil, sdk.RequiresConfirmation},
		{"voided", "VOIDED", nil, sdk.Canceled},
		{"new status", "PENDING_APPROVAL", nil, sdk.Pending},
		{"completed and nothing to show", "COMPLETED", nil, sdk.Pending},
		{"authorized, capture pending", "COMPLETED", func(o, u map[string]any) {
			authorized("CREATED")(o, u)
			u["payments"].(map[string]any)["captures"] = paid("PENDING")["captures"]
		}, sdk.Pending},
		{"captured", "COMPLETED", captured("COMPLETED"), sdk.Succeeded},
		{"fee without a value", "COMPLETED", func(o, u map[string]any) {
			captured("COMPLETED")(o, u)
			c := u["payments"].(map[string]any)["captures"].([]any)[0].(map[string]any)
			c["seller_receivable_breakdown"] = map[string]any{"paypal_fee": map[string]any{"currency_code": "EUR"}}
		}, sdk.Succeeded},
		{"refunded", "COMPLETED", captured("REFUNDED"), sdk.Succeeded},
		{"refunded in part", "COMPLETED", captured("PARTIALLY_REFUNDED"), sdk.Succeeded},
		{"capture pending", "COMPLETED", captured("PENDING"), sdk.Pending},
		{"capture declined", "COMPLETED", captured("DECLINED"), sdk.Failed},
		{"capture failed", "COMPLETED", captured("FAILED"), sdk.Failed},
		{"declined, payer may retry", "APPROVED", captured("DECLINED"), sdk.RequiresConfirmation},
		{"authorized", "COMPLETED", authorized("CREATED"), sdk.RequiresCapture},
		{"authorization pending", "COMPLETED", authorized("PENDING"), sdk.Pending},
		{"authorization voided", "COMPLETED", authorized("VOIDED"), sdk.Canceled},
		{"authorization denied", "COMPLETED", authorized("DENIED"), sdk.Failed},
	} {
		f := newFake(t, say(200, doc(c.status, c.change)))
		out, err := newTestProvider(t, f).GetPayment(t.Context(), paymentRequest("server", orderRef()))
		if err != nil || out.Status != c.want || out.Refs[0] != orderRef() || !out.Captures.Complete {
			t.Errorf("%s: %+v %v", c.name, out, err)
			continue
		}
		if (c.want == sdk.Failed) != (out.Failure != nil) {
			t.Errorf("%s: failure %+v", c.name, out.Failure)
		}
		if c.want == sdk.RequiresCapture && (!out.Authorized.Equal(eur(9999)) || !out.CaptureBefore.Equal(time.Date(2026, 3, 30, 12, 0, 0, 0, time.UTC))) {
			t.Errorf("%s: %+v", c.name, out)
		}
		if c.name == "captured" {
			m := out.Captures.Items[0]
			if m.ID != testCapture || !m.Amount.Equal(eur(9999)) || len(m.Lines) != 1 || !m.Lines[0].Fee.Equal(eur(379)) || !m.Lines[0].Gross.Equal(eur(9999)) || !m.At.Equal(testNow) || out.Payer.Name != "John Doe" {
				t.Errorf("%+v", m)
			}
		}
	}
}

// TestReadOrder_SaysWhose: of an order that was made before hubs named
// themselves, no hub is told.
func TestReadOrder_SaysWhose(t *testing.T) {
	for custom, hub := range map[string]string{testAttempt: "", testAttempt + ":hub1": "hub1", testAttempt + ":hub2": "hub2"} {
		f := newFake(t, say(200, doc("COMPLETED", func(_, u map[string]any) {
			u["custom_id"] = custom
			u["payments"] = paid("PARTIALLY_REFUNDED", refundDoc("COMPLETED", "ref_1:hub1"), refundDoc("COMPLETED", custom))
		})))
		out, err := newTestProvider(t, f).GetPayment(t.Context(), paymentRequest("server", orderRef()))
		if err != nil || out.AttemptID != testAttempt || out.InstanceID != hub {
			t.Errorf("%s: %+v %v", custom, out, err)
		}
		if r := out.Refunds.Items; r[0].RefundID != "ref_1" || r[0].InstanceID != "hub1" || r[1].RefundID != "" || r[1].InstanceID != "" {
			t.Errorf("%s: %+v", custom, r)
		}
	}
}

func TestReadOrder_NotFound(t *testing.T) {
	f := newFake(t, say(404, problemBody("RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")))
	p := newTestProvider(t, f)
	if _, err := p.GetPayment(t.Context(), paymentRequest("server", orderRef())); err != sdk.ErrNotFound {
		t.Error(err)
	}
	if _, err := p.GetPayment(t.Context(), paymentRequest("server")); err != sdk.ErrNotFound || len(f.seen()) != 1 {
		t.Error(err)
	}
	f = newFake(t, say(404, "<html>"))
	if _, err := newTestProvider(t, f).GetPayment(t.Context(), paymentRequest("server", orderRef())); class(err) != "unknown" || err == sdk.ErrNotFound {
		t.Error(err)
	}
}

// TestReadOrder_Forgotten: an order that PayPal does not show is not found, however old
// it is and whatever is known of it: a capture whose answer was lost may be there.
func TestReadOrder_Forgotten(t *testing.T) {
	p := newTestProvider(t, newFake(t, say(404, problemBody("RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID"))))
	for _, r := range []sdk.PaymentRequest{
		paymentRequest("server", orderRef()), paymentRequest("client", orderRef()),
		paymentRequest("server", orderRef(), captureRef()), paymentRequest("server", orderRef(), sdk.Ref{Kind: kindAuthorization, Value: "AUTH1"}),
	} {
		r.CreatedAt = time.Now().AddDate(0, 0, -1)
		if out, err := p.GetPayment(t.Context(), r); err != sdk.ErrNotFound {
			t.Errorf("%s %v: %+v %v", r.Flow, r.Refs, out, err)
		}
	}
}

// TestReadOrder_CapturesOutliveIt: where PayPal does not show an order any more, its
// captures still tell of the money.
func TestReadOrder_CapturesOutliveIt(t *testing.T) {
	capture := func(status string) http.HandlerFunc {
		c := paid(status)["captures"].([]any)[0]
		raw, _ := json.Marshal(c)
		return say(200, string(raw))
	}
	for status, refunded := range map[string]int64{"COMPLETED": 0, "PARTIALLY_REFUNDED": 1, "REFUNDED": 9999} {
		f := newFake(t, routes(t, map[string]http.HandlerFunc{
			"GET /v2/checkout/orders/" + testOrder:     say(404, problemBody("RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")),
			"GET /v2/payments/captures/" + testCapture: capture(status),
			"GET /v1/customer/disputes":                say(200, `{"items":[]}`),
		}))
		p := newTestProvider(t, f)
		if out, err := p.GetPayment(t.Context(), paymentRequest("client", orderRef(), captureRef())); err != nil || out.Status != sdk.Succeeded || len(out.Captures.Items) != 1 {
			t.Fatalf("%s: %+v %v", status, out, err)
		}
		out, err := p.GetPayment(t.Context(), paymentRequest("server", orderRef(), captureRef()))
		if err != nil || out.Status != sdk.Succeeded || out.AttemptID != testAttempt || len(out.Captures.Items) != 1 || !out.Captures.Items[0].Amount.Equal(eur(9999)) {
			t.Fatalf("%s: %+v %v", status, out, err)
		}
		if out.Captures.Complete || out.Refunds.Complete || (len(out.Expect) > 0) != (refunded > 0) {
			t.Errorf("%s: %+v", status, out)
		}
		if refunded > 0 && out.Expect[0] != (sdk.Expectation{Kind: sdk.ExpectRefunded, ID: testCapture, Amount: eur(refunded)}) {
			t.Errorf("%s: %+v", status, out.Expect)
		}
	}
}

func TestConfirmOrder_EveryAnswer(t *testing.T) {
	const capturePath = "POST /v2/checkout/orders/" + testOrder + "/capture"
	const readPath = "GET /v2/checkout/orders/" + testOrder
	issue := func(i string) http.HandlerFunc { return say(422, problemBody("UNPROCESSABLE_ENTITY", i)) }
	done := doc("COMPLETED", func(_, u map[string]any) { u["payments"] = paid("COMPLETED") })
	for _, c := range []struct {
		name         string
		answer, read http.HandlerFunc
		class        string
		status       sdk.Status
		failure      string
	}{
		{"captured", say(201, done), nil, "done", sdk.Succeeded, ""},
		{"pending", say(201, doc("COMPLETED", func(_, u map[string]any) { u["payments"] = paid("PENDING") })), nil, "done", sdk.Pending, ""},
		{"declined capture", say(201, doc("COMPLETED", func(_, u map[string]any) { u["payments"] = paid("DECLINED") })), nil, "done", sdk.Failed, sdk.FailureDeclined},
		{"instrument declined", issue("INSTRUMENT_DECLINED"), nil, "done", sdk.RequiresAction, sdk.FailureDeclined},
		{"payer action", issue("PAYER_ACTION_REQUIRED"), nil, "done", sdk.RequiresAction, sdk.FailureAuthentication},
		{"not approved", issue("ORDER_NOT_APPROVED"), nil, "done", sdk.RequiresAction, ""},
		{"expired", issue("ORDER_EXPIRED"), nil, "done", sdk.Canceled, sdk.FailureExpired},
		{"already captured", issue("ORDER_ALREADY_CAPTURED"), say(200, done), "done", sdk.Succeeded, ""},
		{"already captured, unreadable", issue("ORDER_ALREADY_CAPTURED"), say(500, ""), "unknown", "", ""},
		{"already captured, read refused", issue("ORDER_ALREADY_CAPTURED"), say(429, "{}"), "unknown", "", ""},
		{"compliance", issue("COMPLIANCE_VIOLATION"), nil, "rejected", "", ""},
		{"other order", say(201, `{"id":"OTHER","status":"COMPLETED"}`), nil, "unknown", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			reads := 0
			f := newFake(t, routes(t, map[string]http.HandlerFunc{capturePath: c.answer, readPath: func(w http.ResponseWriter, r *http.Request) {
				if reads++; reads == 1 {
					say(200, doc("APPROVED", nil))(w, r)
					return
				}
				c.read(w, r)
			}}))
			out, err := newTestProvider(t, f).Confirm(t.Context(), sdk.ConfirmRequest{
				PaymentRequest: paymentRequest("server", orderRef()), Key: "op_2", CaptureMode: sdk.CaptureAutomatic,
			})
			if class(err) != c.class {
				t.Fatalf("%+v %v", out, err)
			}
			if seen := f.seen(); seen[0].Method != "GET" || seen[1].Key != "op_2" || seen[1].Body != "{}" {
				t.Errorf("sent %+v", seen)
			}
			if err != nil {
				return
			}
			if out.Status != c.status || (out.Failure != nil) != (c.failure != "") || out.Failure != nil && out.Failure.Code != c.failure {
				t.Errorf("%+v failure %+v", out, out.Failure)
			}
			if out.Status == sdk.RequiresAction && c.failure != "" && out.NextAction == nil {
				t.Error("the payer is not sent back")
			}
		})
	}
}

// TestConfirmOrder_OfAnotherAmount: an order that was patched since is not taken, and
// neither is one that cannot be read.
func TestConfirmOrder_OfAnotherAmount(t *testing.T) {
	for name, c := range map[string]struct {
		read  http.HandlerFunc
		class string
	}{
		"less":           {say(200, doc("APPROVED", func(_, u map[string]any) { u["amount"] = map[string]any{"currency_code": "EUR", "value": "0.01"} })), "rejected"},
		"other currency": {say(200, doc("APPROVED", func(_, u map[string]any) { u["amount"] = map[string]any{"currency_code": "USD", "value": "100.00"} })), "rejected"},
		"unreadable":     {say(500, ""), "not sent"},
	} {
		f := newFake(t, c.read)
		_, err := newTestProvider(t, f).Confirm(t.Context(), sdk.ConfirmRequest{PaymentRequest: paymentRequest("server", orderRef()), Key: "op_2"})
		if class(err) != c.class || len(f.seen()) != 1 || f.seen()[0].Method != "GET" {
			t.Errorf("%s: %v, sent %+v", name, err, f.seen())
		}
	}
}

func TestConfirmOrder_HidesSuspicions(t *testing.T) {
	f := newFake(t, routes(t, map[string]http.HandlerFunc{
		"GET /v2/checkout/orders/" + testOrder:                 say(200, doc("APPROVED", nil)),
		"POST /v2/checkout/orders/" + testOrder + "/capture":   say(422, problemBody("UNPROCESSABLE_ENTITY", "COMPLIANCE_VIOLATION")),
		"POST /v2/checkout/orders/" + testOrder + "/authorize": say(422, problemBody("UNPROCESSABLE_ENTITY", "COMPLIANCE_VIOLATION")),
	}))
	_, err := newTestProvider(t, f).Confirm(t.Context(), sdk.ConfirmRequest{PaymentRequest: paymentRequest("server", orderRef()), Key: "op_2"})
	if r, ok := err.(*sdk.RejectedError); !ok || r.Failure.Code != sdk.FailureDeclined || r.Failure.ProviderCode != "TRANSACTION_REFUSED" {
		t.Errorf("%v", err)
	}
}

func TestAuthorization_CaptureAndVoid(t *testing.T) {
	refs := []sdk.Ref{orderRef(), {Kind: kindAuthorization, Value: testAuth}}
	const authPath = "/v2/payments/authorizations/" + testAuth
	capture := sdk.CaptureRequest{PaymentRequest: paymentRequest("server", refs...), Key: "op_3", Capture: eur(5000)}
	capture.CreatedAt = time.Now() // PayPal still promises the money
	f := newFake(t, say(201, `{"id":"`+testCapture+`","status":"COMPLETED","amount":{"currency_code":"EUR","value":"50.00"},"custom_id":"`+testAttempt+`"}`))
	out, err := newTestProvider(t, f).Capture(t.Context(), capture)
	if err != nil || out.Status != sdk.Succeeded || out.Refs[0] != orderRef() || !out.Captures.Items[0].Amount.Equal(eur(5000)) {
		t.Errorf("%+v %v", out, err)
	}
	if c := f.seen()[0]; c.Path != authPath+"/capture" || c.Key != "op_3" || !sameJSON(c.Body, `{"amount":{"currency_code":"EUR","value":"50.00"},"final_capture":true}`) {
		t.Errorf("sent %+v", c)
	}

	// Too late: the truth is told, and not an error.
	voided := doc("COMPLETED", func(o, u map[string]any) {
		u["payments"] = map[string]any{"authorizations": []any{map[string]any{"id": testAuth, "status": "VOIDED"}}}
	})
	f = newFake(t, routes(t, map[string]http.HandlerFunc{
		"POST " + authPath + "/capture":        say(422, problemBody("UNPROCESSABLE_ENTITY", "AUTHORIZATION_VOIDED")),
		"GET /v2/checkout/orders/" + testOrder: say(200, voided),
	}))
	if out, err = newTestProvider(t, f).Capture(t.Context(), capture); err != nil || out.Status != sdk.Canceled {
		t.Errorf("%+v %v", out, err)
	}

	cancel := sdk.CancelRequest{PaymentRequest: paymentRequest("server", refs...), Key: "op_4"}
	for name, answer := range map[string]http.HandlerFunc{"204": say(204, ""), "200": say(200, `{"id":"`+testAuth+`","status":"VOIDED"}`)} {
		f = newFake(t, routes(t, map[string]http.HandlerFunc{
			"POST " + authPath + "/void":           answer, // 204 proves nothing by itself: it is read
			"GET /v2/checkout/orders/" + testOrder: say(200, voided),
		}))
		if out, err = newTestProvider(t, f).Cancel(t.Context(), cancel); err != nil || out.Status != sdk.Canceled || f.seen()[0].Path != authPath+"/void" {
			t.Errorf("%s: %+v %v", name, out, err)
		}
	}
}

// PayPal has no call to close an order: the truth is told.
func TestCancelOrder_WithoutAuthorization(t *testing.T) {
	r := sdk.CancelRequest{PaymentRequest: paymentRequest("server", orderRef()), Key: "op_4"}
	for status, want := range map[string]sdk.Status{"PAYER_ACTION_REQUIRED": sdk.RequiresAction, "APPROVED": sdk.RequiresConfirmation} {
		f := newFake(t, say(200, doc(status, nil)))
		out, err := newTestProvider(t, f).Cancel(t.Context(), r)
		if err != nil || out.Status != want || len(f.seen()) != 1 || f.seen()[0].Method != "GET" {
			t.Errorf("%s: %+v %v", status, out, err)
		}
	}
	f := newFake(t, say(404, problemBody("RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")))
	if out, err := newTestProvider(t, f).Cancel(t.Context(), r); err != nil || out.Status != sdk.Canceled {
		t.Errorf("forgotten: %+v %v", out, err)
	}
}

// TestServer_TellsWhenPayPalForgetsTheOrder: PayPal keeps an order that nobody
// approves for three hours, whatever the hub asks for (P11).
func TestServer_TellsWhenPayPalForgetsTheOrder(t *testing.T) {
	h := newHouse(t)
	p := h.checkout("op_1")
	for _, got := range []*sdk.Payment{p, h.read("server", p.Refs...)} {
		if left := time.Until(got.ExpiresAt); left < 2*time.Hour+59*time.Minute || left > 3*time.Hour {
			t.Errorf("it expires at %s", got.ExpiresAt)
		}
	}
	h.approve(p, "approve")
	if got := h.read("server", p.Refs...); !got.ExpiresAt.IsZero() {
		t.Errorf("approved, and expires at %s", got.ExpiresAt)
	}
	h.hint("CHECKOUT.ORDER.APPROVED") // it arrives before the house is closed
}
