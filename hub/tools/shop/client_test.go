package main

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// chooses is the purchase form with another way to pay.
func chooses(way string) url.Values {
	form := purchaseForm()
	form.Set("way", way)
	return form
}

// sentTo follows a redirect's address to the stand-in, and reads what it carries.
func (v *visitor) sentTo(res *http.Response, page string) url.Values {
	v.t.Helper()
	at, query, _ := strings.Cut(res.Header.Get("Location"), "?")
	if res.StatusCode != http.StatusSeeOther || at != standIns+page {
		v.t.Fatalf("%d to %s", res.StatusCode, res.Header.Get("Location"))
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		v.t.Fatal(err)
	}
	return q
}

// back is an address of the shop as the stand-in returns to it.
func (v *visitor) back(q url.Values, pairs ...string) string {
	v.t.Helper()
	path, ok := strings.CutPrefix(q.Get("return"), v.url)
	if !ok {
		v.t.Fatalf("the way back is %q", q.Get("return"))
	}
	for i := 0; i < len(pairs); i += 2 {
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		path += sep + pairs[i] + "=" + pairs[i+1]
	}
	return path
}

func TestPaidWith_AsksOnceForWhatWasWrittenDown(t *testing.T) {
	for way, c := range map[string]struct{ page, gives, value, input string }{
		"stripe/charge":           {"/stripe/token-form", "token", "tok_1abc", `"input":{"token":"tok_1abc"}`},
		"stripe/apple_pay":        {"/stripe/apple-pay", "confirmation_token", "ctoken_1abc", `"input":{"confirmation_token":"ctoken_1abc","finalize":"server"}`},
		"stripe/apple_pay.legacy": {"/stripe/apple-pay", "payment_method", "pm_1abc", `"input":{"finalize":"legacy","payment_method":"pm_1abc"}`},
	} {
		t.Run(way, func(t *testing.T) {
			v := visitStandIns(t)
			v.hub.action, v.hub.attempt = map[string]any{}, "succeeded"
			var q url.Values
			for range 2 {
				res, _ := v.post("/buy", chooses(way))
				q = v.sentTo(res, c.page)
			}
			if q.Get("amount") != "9600" || q.Get("currency") != "EUR" || len(v.posts()) != 0 {
				t.Fatalf("%v %v", q, v.posts())
			}
			// What comes back is believed of nothing but the token; a reload, a
			// step back and another token change nothing.
			for _, more := range []string{"", "&amount=1&currency=JPY", "&" + c.gives + "=other_1"} {
				res, body := v.get(v.back(q, c.gives, c.value) + more)
				if !strings.HasPrefix(res.Header.Get("Location"), "/tea/order/ord_") {
					t.Fatalf("%d %s %s", res.StatusCode, res.Header.Get("Location"), body)
				}
			}
			res, _ := v.get(v.back(q, c.gives, "other_1"))
			posts := v.posts()
			if len(posts) != 1 || res.StatusCode != http.StatusSeeOther || !strings.Contains(posts[0].Body, c.input) || !strings.Contains(posts[0].Body, `"amount":9600,"currency":"EUR"`) {
				t.Fatalf("%+v", posts)
			}
			if strings.Contains(v.logs.String(), c.value) {
				t.Error("the token is in the log")
			}
		})
	}
}

func TestPaidWith_RepeatsALostAnswerUnderItsKey(t *testing.T) {
	v := visitStandIns(t)
	res, _ := v.post("/buy", chooses("stripe/charge"))
	q := v.sentTo(res, "/stripe/token-form")
	v.hub.instead(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			http.Error(w, "bad gateway", http.StatusBadGateway)
		}
		return r.Method == http.MethodPost
	})
	res, page := v.get(v.back(q, "token", "tok_secret1"))
	if res.StatusCode != http.StatusServiceUnavailable || strings.Contains(page, "tok_secret1") || strings.Contains(v.logs.String(), "tok_secret1") {
		t.Fatalf("%d %s\n%s", res.StatusCode, page, v.logs)
	}
	v.hub.instead(nil)
	v.hub.action = map[string]any{}
	res, _ = v.post("/paid-with", hiddenForm(page, "/tea/paid-with"))
	posts := v.posts()
	if !strings.HasPrefix(res.Header.Get("Location"), "/tea/order/") || len(posts) != 2 || posts[0] != posts[1] || !strings.Contains(posts[0].Body, "tok_secret1") {
		t.Fatalf("%d %+v", res.StatusCode, posts)
	}
}

func TestPaidWith_AnotherTokenAfterARefusalIsAnotherRequest(t *testing.T) {
	v := visitStandIns(t)
	res, _ := v.post("/buy", chooses("stripe/charge"))
	q := v.sentTo(res, "/stripe/token-form")
	v.hub.instead(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			refuse(w, 422, "invalid_request", "no such token")
		}
		return r.Method == http.MethodPost
	})
	if res, page := v.get(v.back(q, "token", "tok_1")); res.StatusCode != 422 || !strings.Contains(page, "No such token.") {
		t.Fatalf("%d %s", res.StatusCode, page)
	}
	v.hub.instead(nil)
	v.get(v.back(q, "token", "tok_2"))
	if p := v.posts(); len(p) != 2 || p[0].Key == p[1].Key || !strings.Contains(p[1].Body, "tok_2") {
		t.Fatalf("%+v", p)
	}
}

func TestPaidWith_OnlyWhoBeganIt(t *testing.T) {
	v := visitStandIns(t)
	res, _ := v.post("/buy", chooses("stripe/charge"))
	q := v.sentTo(res, "/stripe/token-form")
	if res, _ := v.get(v.back(q, "canceled", "1")); res.Header.Get("Location") != "/tea/?canceled=1&product=teapot" {
		t.Errorf("canceled: %s", res.Header.Get("Location"))
	}
	if res, _ := v.get(v.back(q)); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("without a token: %d", res.StatusCode)
	}
	if res, _ := v.get("/paid-with?sale=" + key1 + "&token=tok_1"); res.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown sale: %d", res.StatusCode)
	}
	v.http.Jar, _ = cookiejar.New(nil)
	v.get("/") // another visitor
	if res, _ := v.get(v.back(q, "token", "tok_1")); res.StatusCode != http.StatusNotFound {
		t.Errorf("another visitor: %d", res.StatusCode)
	}
	if len(v.posts()) != 0 {
		t.Errorf("the hub heard of it: %+v", v.posts())
	}
}

func TestEmbedded_FramesTheFormAndNothingElse(t *testing.T) {
	v := visitStandIns(t)
	v.hub.action, v.hub.attempt = map[string]any{"type": "client", "client": map[string]string{"session_id": "cs_test_1", "client_secret": "cs_secret"}}, "requires_action"
	res, _ := v.post("/buy", chooses("stripe/checkout_session.embedded"))
	at := strings.TrimPrefix(res.Header.Get("Location"), "/tea")
	if body := v.posts()[0].Body; !strings.Contains(body, `"input":{"ui_mode":"embedded"}`) {
		t.Error(body)
	}
	res, page := v.get(at)
	policy := res.Header.Get("Content-Security-Policy")
	if !strings.Contains(page, `<iframe src="`+standIns+`/stripe/embed/cs_test_1"`) || strings.Contains(page, "http-equiv") || strings.Contains(page, "cs_secret") {
		t.Error(page)
	}
	if !strings.HasSuffix(policy, "; frame-src http://127.0.0.1:9") || strings.Contains(policy, "frame-src *") {
		t.Errorf("policy %q", policy)
	}
	if res, page := v.get(at + "?from=return"); strings.Contains(page, "<iframe") || strings.Contains(res.Header.Get("Content-Security-Policy"), "frame-src") || !strings.Contains(page, "I have not paid yet") {
		t.Error("it waits and frames at once")
	}
	v.hub.action["client"] = map[string]string{"session_id": `cs_"><script>`}
	if _, page := v.get(at); strings.Contains(page, "<iframe") || strings.Contains(page, "<script") {
		t.Error(page)
	}
}

func TestClient_ConfirmsOnceWithWhatTheBrowserReports(t *testing.T) {
	v := visitStandIns(t)
	v.hub.attempt = "requires_action"
	v.hub.action = map[string]any{"type": "client", "client": map[string]string{
		"client_id": "app", "amount": "96.00", "currency": "EUR", "custom_id": "att_1", "merchant_id": "SHOP",
	}}
	res, _ := v.post("/buy", chooses("paypal/client"))
	q := v.sentTo(res, "/paypal/client")
	if q.Get("amount") != "96.00" || q.Get("client_id") != "app" || q.Get("custom_id") != "att_1" || q.Get("merchant_id") != "SHOP" {
		t.Fatal(q)
	}
	confirmed := func() []sent { return v.posts()[1:] }
	v.hub.instead(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/confirm") {
			http.Error(w, "bad gateway", http.StatusBadGateway)
			return true
		}
		return false
	})
	at := v.back(q, "order_id", "5O190127TN364715T")
	res, page := v.get(at)
	if res.StatusCode != http.StatusServiceUnavailable {
		t.Fatal(res.StatusCode)
	}
	v.hub.instead(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/confirm") {
			return false
		}
		for id, o := range v.hub.orders {
			o["status"], o["attempts"] = "paid", []any{map[string]any{"id": "att_1", "status": "succeeded"}}
			answer(w, 200, v.hub.orders[id])
		}
		return true
	})
	back, _, _ := strings.Cut(at, "?")
	v.post(back, hiddenForm(page, "/tea"+back))
	if c := confirmed(); len(c) != 2 || c[0] != c[1] || c[0].Body != `{"attempt_id":"att_1","input":{"order_id":"5O190127TN364715T"}}` {
		t.Fatalf("%+v", c)
	}
	if res, _ := v.get(at); res.StatusCode != http.StatusSeeOther || len(confirmed()) != 2 { // it is paid: there is nothing to confirm
		t.Errorf("a reload confirmed again: %+v", confirmed())
	}
	if res, _ := v.get(back + "?canceled=1"); !strings.HasSuffix(res.Header.Get("Location"), "?from=cancelled") {
		t.Error(res.Header.Get("Location"))
	}
}

func TestClient_ThreeDSecure(t *testing.T) {
	v := visitStandIns(t)
	v.hub.attempt = "requires_action"
	v.hub.action = map[string]any{"type": "client", "client": map[string]string{"payment_intent": "pi_1", "client_secret": "pi_1_secret_x"}}
	res, _ := v.post("/buy", chooses("stripe/apple_pay.legacy"))
	q := v.sentTo(res, "/stripe/apple-pay")
	res, _ = v.get(v.back(q, "payment_method", "pm_1"))
	q = v.sentTo(res, "/stripe/3ds/pi_1")
	// Came back too early, then again: the hub is asked anew, not answered from its memory.
	for range 2 {
		if res, page := v.get(v.back(q, "redirect_status", "succeeded")); res.StatusCode != http.StatusSeeOther || strings.Contains(page, "secret") {
			t.Fatal(res.StatusCode)
		}
	}
	c := v.posts()[1:]
	if len(c) != 2 || c[0].Body != `{"attempt_id":"att_1"}` || c[0].Key == c[1].Key {
		t.Fatalf("%+v", c)
	}
	var id string
	for id = range v.hub.orders {
	}
	if _, page := v.get("/order/" + id); !strings.Contains(page, standIns+"/stripe/3ds/pi_1?return=") || strings.Contains(page, "pi_1_secret") {
		t.Error(page)
	}
}

func TestPayAgain_WithAToken(t *testing.T) {
	v := visitStandIns(t)
	o := fakeOrder(orderID, "open", 9600, "EUR", 2)
	o["attempts"] = []any{map[string]any{"status": "failed", "failure": map[string]any{"message": "Your card was declined."}}}
	v.hub.orders[orderID] = o
	_, page := v.get("/order/" + orderID)
	for _, want := range []string{"That payment was refused", "Your card was declined.", `data-mood="bad"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	form := hiddenForm(page, "/tea/order/"+orderID+"/pay")
	form.Set("way", "stripe/charge")
	res, _ := v.post("/order/"+orderID+"/pay", form)
	q := v.sentTo(res, "/stripe/token-form")
	v.get(v.back(q, "token", "tok_2"))
	want := `{"provider":"stripe","flow":"charge","capture":"automatic","input":{"token":"tok_2"}}`
	if p := v.posts(); len(p) != 1 || p[0].Path != "/base/v1/orders/"+orderID+"/checkouts" || p[0].Body != want {
		t.Fatalf("%+v", p)
	}
	if res, _ := v.get(v.back(q, "canceled", "1")); res.Header.Get("Location") != "/tea/order/"+orderID+"?from=cancelled" {
		t.Error(res.Header.Get("Location"))
	}
}

func TestOrder_DisputedIsNoThankYou(t *testing.T) {
	v := visitStandIns(t)
	o := paidOrder(9600, "EUR", 2)
	o["needs_attention"], o["attention"] = true, []any{map[string]any{"reason": "in_dispute"}}
	o["disputes"] = []any{map[string]any{"status": "open", "amount": 9600}}
	o["attempts"] = []any{map[string]any{"status": "succeeded", "references": []any{map[string]any{"kind": "charge", "value": "ch_1"}}}}
	v.hub.orders[orderID] = o
	_, page := v.get("/order/" + orderID)
	if strings.Contains(page, "Thank you") || !strings.Contains(page, `data-mood="warn"`) || !strings.Contains(page, "provider&#39;s dashboard") && !strings.Contains(page, "provider's dashboard") ||
		!strings.Contains(page, standIns+"/stripe/dashboard/payments/ch_1?return=") {
		t.Error(page)
	}
}

func TestOrders_OnlyOfThisShop(t *testing.T) {
	v := visit(t)
	v.hub.orders[orderID] = paidOrder(9600, "EUR", 2)
	other := "ord_01jpxabcdefghjkmnpqrstvwx1"
	v.hub.orders[other] = paidOrder(100, "EUR", 2)
	v.hub.orders[other]["reference"] = "invoice-1"
	if _, page := v.get("/orders"); !strings.Contains(page, orderID) || strings.Contains(page, other) {
		t.Error(page)
	}
}

func TestStory_CausesBeforeEffectsAndNothingTwice(t *testing.T) {
	var kinds []string
	for _, e := range story([]event{
		{At: began, Kind: "create.started"},
		{At: began, Kind: "order.created"},
		{At: began.Add(1), Kind: "order.paid"},
		{At: began.Add(1), Kind: "capture.succeeded"},
		{At: began.Add(1), Kind: "operation.succeeded"},
		{At: began.Add(1), Kind: "payment.succeeded"},
		{At: began.Add(2), Kind: "attention.in_dispute"},
		{At: began.Add(2), Kind: "dispute.open", Data: []byte(`{"id":"d"}`)},
		{At: began.Add(2), Kind: "dispute.open", Data: []byte(`{"id":"d"}`)},
	}) {
		kinds = append(kinds, e.Kind)
	}
	if got := strings.Join(kinds, " "); got != "order.created create.started payment.succeeded capture.succeeded order.paid dispute.open attention.in_dispute" {
		t.Error(got)
	}
}
