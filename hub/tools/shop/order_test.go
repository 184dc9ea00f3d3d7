package main

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func paidOrder(amount int64, currency string, exponent int) map[string]any {
	o := fakeOrder(orderID, "paid", amount, currency, exponent)
	o["captured"], o["refundable"] = amount, amount
	return o
}

func TestRefund_AsksOnceForWhatWasShown(t *testing.T) {
	v := visit(t)
	v.hub.orders[orderID] = paidOrder(12750, "KWD", 3)
	_, page := v.get("/order/" + orderID)
	if !strings.Contains(page, "12.750 KWD") || !strings.Contains(page, `data-status="paid"`) {
		t.Fatal(page)
	}
	part := hiddenForm(page, "/tea/order/"+orderID+"/refund#counter")
	part.Set("amount", "4.25")
	part.Set("reason", "one tin was dented")
	for range 2 {
		res, body := v.post("/order/"+orderID+"/refund", part)
		if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/tea/order/"+orderID+"?done=refund" {
			t.Fatalf("%d %s", res.StatusCode, body)
		}
	}
	posts := v.posts()
	want := `{"amount":4250,"reason":"one tin was dented","expected_refundable":12750}`
	if posts[0] != posts[1] || posts[0].Body != want || posts[0].Path != "/base/v1/orders/"+orderID+"/refunds" || posts[0].Key != "shop-refund-"+part.Get("key") {
		t.Fatalf("%+v", posts)
	}
	_, after, _ := strings.Cut(page, "Refund this part")
	rest := hiddenForm(after, "/tea/order/"+orderID+"/refund")
	v.post("/order/"+orderID+"/refund", rest)
	if posts = v.posts(); posts[2].Key == posts[0].Key || posts[2].Body != `{"amount":12750,"expected_refundable":12750}` {
		t.Errorf("the rest: %+v", posts[2])
	}
}

func TestRefund_RefusesWhatIsNoAmount(t *testing.T) {
	v := visit(t)
	v.hub.orders[orderID] = paidOrder(1800, "JPY", 0)
	for amount, why := range map[string]string{
		"": "Write an amount.", "0": "above zero", "0.": "digits", "-1": "without a minus", "−5": "without a minus", "1.5": "has no decimals", "1e3": "digits", "0x10": "digits",
		"１": "digits", "1,800": "no comma", "99999999999999999999": "digits", "<b>": "digits",
	} {
		res, page := v.post("/order/"+orderID+"/refund", url.Values{"key": {key1}, "amount": {amount}, "reason": {"dented"}})
		form := page[strings.Index(page, `class="refund"`):]
		form = form[:strings.Index(form, "</form>")]
		if res.StatusCode != http.StatusUnprocessableEntity || strings.Contains(page, "<b>") || strings.Contains(page, "http-equiv") || !strings.Contains(page, `data-status="paid"`) {
			t.Errorf("%q: %d", amount, res.StatusCode)
		}
		for _, want := range []string{why, `value="` + html.EscapeString(amount) + `"`, `value="dented"`, `value="` + key1 + `"`, `aria-invalid`} {
			if !strings.Contains(form, want) {
				t.Errorf("%q: the form lacks %s: %s", amount, want, form)
			}
		}
	}
	if len(v.posts()) != 0 {
		t.Errorf("the hub heard of it: %+v", v.posts())
	}
}

func TestActions_RetryAndRefusal(t *testing.T) {
	v := visit(t)
	o := fakeOrder(orderID, "authorized", 9600, "EUR", 2)
	o["authorized"] = 9600
	v.hub.orders[orderID] = o
	_, page := v.get("/order/" + orderID)
	for _, verb := range []string{"capture", "cancel"} {
		form := hiddenForm(page, "/tea/order/"+orderID+"/"+verb)
		v.hub.instead(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPost {
				refuse(w, 503, "provider_down", "stripe is down")
			}
			return r.Method == http.MethodPost
		})
		res, again := v.post("/order/"+orderID+"/"+verb, form)
		if res.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("%s: %d", verb, res.StatusCode)
		}
		v.hub.instead(nil)
		res, _ = v.post("/order/"+orderID+"/"+verb, hiddenForm(again, "/tea/order/"+orderID+"/"+verb))
		if p := v.posts(); res.StatusCode != http.StatusSeeOther || p[len(p)-1] != p[len(p)-2] {
			t.Errorf("%s: %d %+v", verb, res.StatusCode, p)
		}
	}
	v.hub.instead(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			refuse(w, 422, "refund_too_large", "<img src=x> is too much")
		}
		return r.Method == http.MethodPost
	})
	res, body := v.post("/order/"+orderID+"/refund", url.Values{"key": {key1}, "amount": {"1"}})
	if res.StatusCode != 422 || !strings.Contains(body, "&lt;img") || !strings.Contains(body, "req_7") || strings.Contains(body, "Try again") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if again := hiddenForm(body, "/tea/order/"+orderID+"/refund#counter"); again.Get("key") == key1 {
		t.Error("another amount would be asked under the refused key")
	}
	if strings.Contains(v.logs.String(), "level=WARN msg=hub") || !strings.Contains(v.logs.String(), `level=INFO msg="the hub refused"`) {
		t.Errorf("the log: %s", v.logs)
	}
}

func TestPayAgain_AfterADecline(t *testing.T) {
	v := visit(t)
	o := fakeOrder(orderID, "open", 9600, "EUR", 2)
	o["attempts"] = []any{map[string]any{"status": "failed", "failure": map[string]any{"code": "declined", "message": "Your card was declined."}}}
	v.hub.orders[orderID] = o
	_, page := v.get("/order/" + orderID)
	if !strings.Contains(page, "Your card was declined.") || strings.Contains(page, `http-equiv="refresh"`) {
		t.Fatal(page)
	}
	form := hiddenForm(page, "/tea/order/"+orderID+"/pay")
	form.Set("way", "stripe/checkout_session")
	form.Set("capture", "manual")
	o["next_action"] = map[string]any{"type": "redirect", "method": "POST", "url": v.hub.payAt, "fields": map[string]string{"PaReq": `"><script>`}}
	_, page = v.post("/order/"+orderID+"/pay", form)
	if !strings.Contains(page, `action="`+v.hub.payAt+`"`) || strings.Contains(page, "<script") || hiddenForm(page, v.hub.payAt).Get("PaReq") != `"><script>` {
		t.Error(page)
	}
	p := v.posts()[0]
	if p.Path != "/base/v1/orders/"+orderID+"/checkouts" || p.Body != `{"provider":"stripe","flow":"checkout_session","capture":"manual","input":{"ui_mode":"hosted"}}` {
		t.Errorf("%+v", p)
	}
}

func TestOrder_LooksAgainUntilSettled(t *testing.T) {
	v := visit(t)
	v.hub.orders[orderID] = fakeOrder(orderID, "pending", 9600, "EUR", 2)
	look := func(query, want string) {
		t.Helper()
		if _, page := v.get("/order/" + orderID + query); !strings.Contains(page, want) {
			t.Errorf("%q lacks %q", query, want)
		}
	}
	look("", `content="2; url=/tea/order/`+orderID+`?n=1"`)
	look("?n=29", `?n=30"`)
	look("?n=30", "Not looking by itself any more")
	look("?n=-1", "Not looking by itself any more")
	v.hub.orders[orderID]["status"] = "something_new"
	look("?from=return", "Being settled")
	v.hub.orders[orderID] = paidOrder(9600, "EUR", 2)
	look("", `content="10; url=/tea/order/`+orderID+`?n=1"`) // somebody may refund it at the provider
	look("?n=30", "Not looking by itself any more")
	v.hub.orders[orderID]["status"], v.hub.orders[orderID]["captured"] = "canceled", 0
	if _, page := v.get("/order/" + orderID); strings.Contains(page, "http-equiv") {
		t.Error("a canceled order keeps looking")
	}
}

func TestOrder_TellsItsStoryEscaped(t *testing.T) {
	v := visit(t)
	o := paidOrder(9600, "EUR", 2)
	o["description"], o["reference"] = "<script>alert(1)</script>", `shop-"><script>`
	o["needs_attention"], o["attention"] = true, []any{map[string]any{"reason": "second_payment"}, map[string]any{"reason": "<script>"}}
	o["refunds"] = []any{map[string]any{"status": "failed", "amount": 100, "failure": map[string]any{"message": "<script>"}}}
	v.hub.orders[orderID] = o
	v.hub.events = []map[string]any{
		{"at": began, "kind": "order.created", "source": "app", "data": map[string]any{"amount": 9600, "currency": "EUR"}},
		{"at": began, "kind": "<script>.x", "source": "<script>", "data": []string{"odd"}},
	}
	for _, path := range []string{"/order/" + orderID, "/orders"} {
		if res, page := v.get(path); res.StatusCode != 200 || strings.Contains(page, "<script") {
			t.Errorf("%s: %d %s", path, res.StatusCode, page)
		}
	}
	_, page := v.get("/order/" + orderID)
	for _, want := range []string{"Order placed", "09:26:53", "it was paid twice", "someone takes a look"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestOrder_IDsAreCheckedBeforeTheyMeetAURL(t *testing.T) {
	v := visit(t)
	for _, id := range []string{"ord_1", "ord_..%2F..%2Fproviders", strings.ToUpper(orderID), orderID + "0", "ord_01jpxabcdefghjkmnpqrstvw%0A0"} {
		if res, _ := v.get("/order/" + id); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", id, res.StatusCode)
		}
		if res, _ := v.get("/return?order_id=" + id); res.StatusCode != http.StatusBadRequest {
			t.Errorf("return %s: %d", id, res.StatusCode)
		}
	}
	if len(v.hub.heard) != 0 {
		t.Errorf("the hub heard of it: %+v", v.hub.heard)
	}
	for from, page := range map[string]string{"return": "/return", "cancelled": "/cancelled"} {
		res, _ := v.get(page + "?order_id=" + orderID + "&status=paid")
		if got := res.Header.Get("Location"); got != "/tea/order/"+orderID+"?from="+from {
			t.Errorf("%s led to %s", page, got)
		}
	}
	if res, _ := v.get("/order/" + orderID); res.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown order: %d", res.StatusCode)
	}
}

func TestMoney_ExactBothWays(t *testing.T) {
	for _, c := range []struct {
		amount   int64
		exponent int
		text     string
	}{{1, 0, "1"}, {5, 2, "0.05"}, {1050, 2, "10.50"}, {4250, 3, "4.250"}, {9007199254740993, 2, "90071992547409.93"}} {
		if got := decimal(c.amount, c.exponent); got != c.text {
			t.Errorf("%d with %d: %s", c.amount, c.exponent, got)
		}
		if got, err := parseMoney(c.text, c.exponent); err != nil || got != c.amount {
			t.Errorf("%s with %d: %d %v", c.text, c.exponent, got, err)
		}
	}
	if got := money(-9223372036854775808, "USD", 2); got != "−92233720368547758.08 USD" {
		t.Error(got)
	}
}

func TestBook_IsBounded(t *testing.T) {
	b := newBook()
	for i := range maxSales + 10 {
		b.open(newSale(&http.Request{}, sale{handle: fmt.Sprint(i)}))
		b.stillWaits(fmt.Sprint(i))
	}
	if len(b.sales) != maxSales || len(b.age) != maxSales || len(b.confirms) > maxSales {
		t.Errorf("%d sales, %d ages, %d confirmations", len(b.sales), len(b.age), len(b.confirms))
	}
}

func TestSettings(t *testing.T) {
	good := map[string]string{"SHOP_HUB_URL": "http://127.0.0.1:1/superpay/", "SHOP_API_KEY": "k"}
	s, err := readSettings(func(k string) string { return good[k] })
	if err != nil || s.hub.String() != "http://127.0.0.1:1/superpay" || s.listen != "127.0.0.1:0" {
		t.Fatalf("%+v %v", s, err)
	}
	for _, bad := range []string{"", "ftp://x", "http://", "http://u:secret@x", "http://x?a=b", "%zz"} {
		_, err := baseURL("SHOP_HUB_URL", bad)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if l, err := listen(t.Context(), "0.0.0.0:0", false); err == nil {
		_ = l.Close()
		t.Error("it listens where other machines reach it")
	}
	verbs := []string{"authorized", "canceled", "expired", "open", "paid", "partially_refunded", "pending", "refunded"}
	for status := range looks {
		if !slices.Contains(verbs, status) {
			t.Errorf("%s is no status of an order", status)
		}
	}
}
