package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

const sessionHead = `"id":"cs_test_1","object":"checkout.session","mode":"payment","amount_total":2500,"currency":"usd","livemode":false,` + ours

const openSession = `{` + sessionHead + `,"status":"open","payment_status":"unpaid","url":"https://checkout.stripe.com/c/pay/cs_test_1","ui_mode":"hosted","expires_at":1772452800}`

func TestCreate_SameArgumentsSameBytes(t *testing.T) {
	f := newFake(t, say(200, openSession))
	p := newTestProvider(t, f.URL)
	for range 20 {
		if _, err := p.CreateCheckout(t.Context(), checkoutRequest()); err != nil {
			t.Fatal(err)
		}
	}
	calls := f.seen()
	for _, c := range calls {
		if c.Body != calls[0].Body || c.Key != "op_create_1" {
			t.Fatalf("bytes differ:\n%s\n%s", c.Body, calls[0].Body)
		}
	}
	form := calls[0].Form
	for k, want := range map[string]string{
		"mode": "payment", "client_reference_id": "att_1", "customer_email": "ada@example.com",
		"success_url": "https://hub.example/return/att_1", "cancel_url": "https://hub.example/return/att_1?cancel=1",
		"line_items[0][quantity]": "2", "line_items[0][price_data][unit_amount]": "1000",
		"line_items[1][price_data][currency]": "usd", "metadata[superpay_attempt]": "att_1",
		"payment_intent_data[metadata][superpay_attempt]": "att_1", "payment_intent_data[metadata][superpay_hub]": "hub_1",
		"payment_intent_data[metadata][basket]": "7", "payment_intent_data[description]": "Two books",
		"ui_mode": "", "return_url": "", "payment_intent_data[capture_method]": "", "expires_at": "",
	} {
		if form.Get(k) != want {
			t.Errorf("%s = %q, want %q", k, form.Get(k), want)
		}
	}
}

func TestCreate_HostedRedirectsEmbeddedHandsOver(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Form.Get("ui_mode") == "embedded" {
			fmt.Fprint(w, `{`+sessionHead+`,"status":"open","ui_mode":"embedded","client_secret":"cs_test_1_secret_x"}`)
			return
		}
		fmt.Fprint(w, openSession)
	})
	p := newTestProvider(t, f.URL)
	hosted, err := p.CreateCheckout(t.Context(), checkoutRequest())
	if err != nil {
		t.Fatal(err)
	}
	if hosted.Status != sdk.RequiresAction || hosted.NextAction.Type != sdk.ActionRedirect ||
		hosted.NextAction.URL == "" || hosted.Refs[0] != sessionRef || hosted.Amount != usd(2500) ||
		hosted.AttemptID != "att_1" || hosted.InstanceID != "hub_1" || hosted.Mode != sdk.Test || hosted.ExpiresAt.IsZero() {
		t.Errorf("%+v", hosted)
	}
	r := checkoutRequest()
	r.Input["ui_mode"], r.CaptureMode, r.ExpiresAt = "embedded", sdk.CaptureManual, testNow.Add(time.Hour)
	embedded, err := p.CreateCheckout(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if a := embedded.NextAction; a.Type != sdk.ActionClient || a.Client["client_secret"] == "" ||
		a.Client["publishable_key"] != "pk_test_superpay0001" || a.Client["session_id"] != "cs_test_1" {
		t.Errorf("%+v", a)
	}
	form := f.seen()[1].Form
	if form.Get("return_url") == "" || form.Has("success_url") || form.Has("cancel_url") ||
		form.Get("payment_intent_data[capture_method]") != "manual" || form.Get("expires_at") != fmt.Sprint(r.ExpiresAt.Unix()) {
		t.Errorf("%v", form)
	}
}

func TestCreate_ExpiryIsJudgedFromTheArguments(t *testing.T) {
	f := newFake(t, say(400, `{"error":{"type":"invalid_request_error","param":"expires_at","message":"too soon"}}`))
	p := newTestProvider(t, f.URL)
	for open, sent := range map[time.Duration]time.Duration{
		25 * time.Hour: 0, -time.Hour: 0,
		// Sent late; an earlier sending may have arrived.
		time.Minute: 35 * time.Minute, 31*time.Minute - time.Second: 35 * time.Minute, 31 * time.Minute: 31 * time.Minute, time.Hour: time.Hour, 24 * time.Hour: 24 * time.Hour,
	} {
		r := checkoutRequest()
		r.ExpiresAt = r.CreatedAt.Add(open)
		before := len(f.seen())
		_, err := p.CreateCheckout(t.Context(), r)
		seen := f.seen()[before:]
		switch {
		case sent == 0:
			if class(err) != "rejected" || len(seen) != 0 {
				t.Errorf("%s: %v, %d were sent", open, err, len(seen))
			}
		case class(err) != "not sent" || len(seen) != 1 || seen[0].Form.Get("expires_at") != fmt.Sprint(r.CreatedAt.Add(sent).Unix()):
			t.Errorf("%s: %v, %d were sent", open, err, len(seen))
		}
	}
}

func TestCreate_LinesThatDoNotAddUpBecomeOne(t *testing.T) {
	item := func(name string, q, a int64) sdk.LineItem { return sdk.LineItem{Name: name, Quantity: q, Amount: a} }
	for name, c := range map[string]struct {
		items []sdk.LineItem
		lines int
	}{
		"none":      {nil, 1},
		"exact":     {[]sdk.LineItem{item("a", 2, 1000), item("b", 1, 500)}, 2},
		"short":     {[]sdk.LineItem{item("a", 2, 1000), item("b", 1, 499)}, 1},
		"long":      {[]sdk.LineItem{item("a", 3, 1000)}, 1},
		"nameless":  {[]sdk.LineItem{item("", 1, 2500)}, 1},
		"discount":  {[]sdk.LineItem{item("a", 1, 3000), item("b", 1, -500)}, 1},
		"overflow":  {[]sdk.LineItem{item("a", 1<<62, 4), item("b", 1, 2500)}, 1},
		"too many":  {make([]sdk.LineItem, 101), 1},
		"zero of a": {[]sdk.LineItem{item("a", 0, 1), item("b", 1, 2500)}, 1},
	} {
		r := checkoutRequest()
		r.LineItems = c.items
		lines, err := lineItems(r)
		if err != nil || len(lines) != c.lines {
			t.Fatalf("%s: %d lines, %v", name, len(lines), err)
		}
		var sum int64
		for _, l := range lines {
			sum += *l.Quantity * *l.PriceData.UnitAmount
		}
		if sum != 2500 {
			t.Errorf("%s: %d is asked for", name, sum)
		}
	}
}

func TestMetadata_StaysInsideStripesLimitsAndIsOurs(t *testing.T) {
	r := checkoutRequest()
	r.Metadata = map[string]string{
		"superpay_hub": "evil", "superpay_refund": "evil", "a[b]": "x", "": "x", "empty": "",
		strings.Repeat("k", 41): "x", "long": strings.Repeat("v", 501), "ok": strings.Repeat("é", 500),
	}
	m := metadataFor(r)
	if len(m) != 5 || m["ok"] == "" || m[sdk.MetadataInstance] != "hub_1" {
		t.Errorf("%v", m)
	}
	for i := range 100 {
		r.Metadata[fmt.Sprintf("n%03d", i)] = "x"
	}
	if m := metadataFor(r); len(m) != 50 || m[sdk.MetadataAttempt] != "att_1" || m["n000"] == "" {
		t.Errorf("%d keys", len(m))
	}
}

const (
	notOpen   = `{"error":{"type":"invalid_request_error","message":"Only Checkout Sessions with a status in [\"open\"] can be expired."}}`
	badState  = `{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state","message":"wrong state"}}`
	paidState = `"status":"complete","payment_status":"paid","payment_intent":{"id":"pi_1","amount":2500,"amount_received":2500,"currency":"usd","status":"succeeded","latest_charge":{"id":"ch_1","status":"succeeded","captured":true,"amount":2500,"amount_captured":2500,"currency":"usd"}}}`
	heldState = `"status":"complete","payment_status":"unpaid","payment_intent":{"id":"pi_1","amount":2500,"amount_capturable":2500,"currency":"usd","status":"requires_capture","latest_charge":"ch_1"}}`
	none      = `{"object":"list","has_more":false,"data":[]}`
)

func TestCancel_TooLateIsTheTruth(t *testing.T) {
	for name, c := range map[string]struct {
		expire, read, intent http.HandlerFunc
		class                string
		status               sdk.Status
	}{
		"open":     {say(200, `{`+sessionHead+`,"status":"expired"}`), nil, nil, "done", sdk.Canceled},
		"paid":     {say(400, notOpen), say(200, `{`+sessionHead+`,`+paidState), nil, "done", sdk.Succeeded},
		"held":     {say(400, notOpen), say(200, `{`+sessionHead+`,`+heldState), say(200, `{"id":"pi_1","amount":2500,"currency":"usd","status":"canceled"}`), "done", sdk.Canceled},
		"refused":  {say(400, notOpen), say(200, openSession), nil, "rejected", ""},
		"unread":   {say(400, notOpen), say(401, `{"error":{"type":"invalid_request_error"}}`), nil, "unknown", ""},
		"missing":  {say(404, `{"error":{"type":"invalid_request_error","code":"resource_missing"}}`), say(404, `{"error":{"type":"invalid_request_error","code":"resource_missing"}}`), nil, "rejected", ""},
		"timeout":  {say(504, `gateway`), nil, nil, "unknown", ""},
		"held, no": {say(400, notOpen), say(200, `{`+sessionHead+`,`+heldState), say(400, badState), "rejected", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, routes(t, map[string]http.HandlerFunc{
				"POST /v1/checkout/sessions/cs_test_1/expire": c.expire, "GET /v1/checkout/sessions/cs_test_1": c.read,
				"POST /v1/payment_intents/pi_1/cancel": c.intent, "GET /v1/refunds": say(200, none),
			}))
			got, err := newTestProvider(t, f.URL).Cancel(t.Context(), sdk.CancelRequest{PaymentRequest: paymentRequest(sessionRef), Key: "op_x"})
			if class(err) != c.class || err == nil && (got.Status != c.status || got.Refs[0] != sessionRef) {
				t.Fatalf("%+v %v", got, err)
			}
			for _, call := range f.seen() {
				if want := map[string]string{"/v1/checkout/sessions/cs_test_1/expire": "op_x", "/v1/payment_intents/pi_1/cancel": "op_x:pi"}[call.Path]; call.Key != want {
					t.Errorf("%s has key %q", call.Path, call.Key)
				}
			}
		})
	}
}

func TestCapture_AnswerProvesTheMoney(t *testing.T) {
	captured := `{"id":"pi_1","amount":2500,"amount_received":2000,"currency":"usd","status":"succeeded","latest_charge":{"id":"ch_1","status":"succeeded"}}`
	for name, c := range map[string]struct {
		capture, read http.HandlerFunc
		refs          []sdk.Ref
		class         string
	}{
		"known":      {say(200, captured), nil, []sdk.Ref{sessionRef, intentRef}, "done"},
		"looked up":  {say(200, captured), say(200, `{`+sessionHead+`,`+heldState), []sdk.Ref{sessionRef}, "done"},
		"already":    {say(400, badState), say(200, `{`+sessionHead+`,`+paidState), []sdk.Ref{sessionRef, intentRef}, "done"},
		"refused":    {say(400, badState), say(200, `{`+sessionHead+`,`+heldState), []sdk.Ref{sessionRef, intentRef}, "rejected"},
		"not looked": {nil, say(500, `{}`), []sdk.Ref{sessionRef}, "not sent"},
		"cut":        {say(200, `{"id":`), nil, []sdk.Ref{sessionRef, intentRef}, "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, routes(t, map[string]http.HandlerFunc{
				"POST /v1/payment_intents/pi_1/capture": c.capture, "GET /v1/checkout/sessions/cs_test_1": c.read, "GET /v1/refunds": say(200, none),
			}))
			got, err := newTestProvider(t, f.URL).Capture(t.Context(), sdk.CaptureRequest{PaymentRequest: paymentRequest(c.refs...), Key: "op_c", Capture: usd(2000)})
			if class(err) != c.class {
				t.Fatal(err)
			}
			if err == nil && (got.Status != sdk.Succeeded || got.Refs[0] != sessionRef || got.Captures.Items[0].ID != "ch_1") {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestRefund_SaysExactlyWhatIsGivenBack(t *testing.T) {
	f := newFake(t, say(200, `{"id":"re_1","amount":400,"currency":"usd","status":"pending","charge":"ch_1","metadata":{"superpay_refund":"ref_1","superpay_hub":"hub_1"}}`))
	p := newTestProvider(t, f.URL)
	r := sdk.RefundRequest{PaymentRequest: paymentRequest(sessionRef, intentRef), Key: "op_r", RefundID: "ref_1", CaptureID: "ch_1", Refund: usd(400), Reason: "fraudulent customer"}
	got, err := p.Refund(t.Context(), r)
	if err != nil || got.ID != "re_1" || got.RefundID != "ref_1" || got.Status != sdk.MovementPending || got.CaptureID != "ch_1" {
		t.Fatalf("%+v %v", got, err)
	}
	r.CaptureID, r.Reason = "", "duplicate"
	p.Refund(t.Context(), r)
	first, second := f.seen()[0].Form, f.seen()[2].Form // a read of the balance's line follows each
	if first.Get("charge") != "ch_1" || first.Has("payment_intent") || first.Has("reason") || first.Get("amount") != "400" ||
		first.Get("metadata[superpay_reason]") != "fraudulent customer" || first.Get("metadata[superpay_attempt]") != "att_1" {
		t.Errorf("%v", first)
	}
	if second.Get("payment_intent") != "pi_1" || second.Has("charge") || second.Get("reason") != "duplicate" {
		t.Errorf("%v", second)
	}
	tooMuch := newFake(t, say(400, `{"error":{"type":"invalid_request_error","param":"amount","message":"Refund amount ($9.00) is greater than unrefunded amount on charge ($1.00)"}}`))
	if _, err := newTestProvider(t, tooMuch.URL).Refund(t.Context(), r); code(err) != sdk.FailureRefundExceedsBalance {
		t.Errorf("%v", err)
	}
}
