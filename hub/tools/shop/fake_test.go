package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

const apiKey = "sk_app_test_secret"

var began = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

// sent is one request that the fake hub heard.
type sent struct {
	Method, Path, Key, Body string
}

// fakeHub answers as the hub does, with what a test puts in it.
type fakeHub struct {
	mu        sync.Mutex
	heard     []sent
	orders    map[string]map[string]any // by id, as JSON says them
	events    []map[string]any
	providers string
	next      func(w http.ResponseWriter, r *http.Request) bool // answers instead, if it says so
	payAt     string
	action    map[string]any // the next_action of new orders, instead of a redirect to payAt
	attempt   string         // the status of their attempt
}

func newFakeHub() *fakeHub {
	return &fakeHub{orders: map[string]map[string]any{}, payAt: "https://pay.example.com/c/cs_test_1", providers: `{"data":[
		{"name":"stripe","plugin":"stripe","mode":"test","status":"up","flows":[
			{"name":"checkout_session","title":"Stripe Checkout","inputs":[{"name":"ui_mode","title":"Page","options":["hosted","embedded"],"default":"hosted"}],"capture_modes":["automatic","manual"],"capabilities":["refund","refund_part","capture","cancel"]},
			{"name":"charge","title":"Card token","inputs":[{"name":"token","title":"Token","required":true}],"capture_modes":["automatic"],"capabilities":["refund"]},
			{"name":"apple_pay","title":"Apple Pay","inputs":[{"name":"finalize","options":["server","legacy"],"default":"server"},{"name":"payment_method"},{"name":"confirmation_token"}],"capture_modes":["automatic","manual"],"capabilities":["confirm","refund"]}]},
		{"name":"paypal","plugin":"paypal","mode":"test","status":"up","flows":[
			{"name":"server","title":"PayPal","inputs":[],"capture_modes":["automatic","manual"],"currencies":["EUR","USD"],"capabilities":["refund"]},
			{"name":"client","title":"PayPal in the browser","inputs":[],"confirm_inputs":[{"name":"order_id","required":true}],"capture_modes":["automatic"],"currencies":["EUR","USD"],"capabilities":["browser","confirm","refund"]}]},
		{"name":"acme","plugin":"acme","mode":"test","status":"up","flows":[
			{"name":"voucher","title":"Voucher","inputs":[{"name":"code","title":"Code","help":"On the card.","required":true}],"capture_modes":["automatic"]},
			{"name":"widget","title":"Widget","capabilities":["browser"]}]},
		{"name":"asleep","plugin":"acme","mode":"test","status":"down","flows":[{"name":"voucher","title":"Voucher"}]}]}`}
}

// instead sets what answers before the fake hub does; nil for nothing.
func (f *fakeHub) instead(next func(w http.ResponseWriter, r *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next = next
}

func fakeOrder(id, status string, amount int64, currency string, exponent int) map[string]any {
	o := map[string]any{
		"id": id, "reference": "shop-0123456789abcdef", "status": status, "description": "2 × Little Round Pot",
		"amount": amount, "currency": currency, "exponent": exponent,
		"authorized": 0, "captured": 0, "refunded": 0, "refundable": 0, "disputed": 0,
		"needs_attention": false, "attention": []any{}, "refunds": []any{}, "version": 3, "created_at": began,
		"attempts": []any{map[string]any{"id": "att_1", "provider": "stripe", "flow": "checkout_session", "mode": "test", "status": "requires_action"}},
	}
	return o
}

func (f *fakeHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.heard = append(f.heard, sent{r.Method, r.URL.RequestURI(), r.Header.Get("Idempotency-Key"), string(b)})
	if r.Header.Get("Authorization") != "Bearer "+apiKey {
		refuse(w, 401, "unauthorized", "no such key")
		return
	}
	if f.next != nil && f.next(w, r) {
		return
	}
	id, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/base/v1/orders/"), "/")
	switch o := f.orders[id]; {
	case r.URL.Path == "/base/v1/providers":
		_, _ = io.WriteString(w, f.providers)
	case r.URL.Path == "/base/v1/checkouts":
		f.checkout(w, b)
	case r.URL.Path == "/base/v1/orders":
		list := []any{}
		for _, o := range f.orders {
			list = append(list, o)
		}
		answer(w, 200, map[string]any{"data": list, "next": ""})
	case o == nil:
		refuse(w, 404, "not_found", "no such order")
	case rest == "events":
		answer(w, 200, map[string]any{"data": f.events, "next": ""})
	case rest == "refunds":
		var in struct{ Amount int64 }
		_ = json.Unmarshal(b, &in)
		answer(w, 201, map[string]any{"id": "ref_1", "status": "succeeded", "amount": in.Amount})
	default:
		answer(w, 200, o)
	}
}

// checkout keeps one order per reference, so that a repeat answers with it.
func (f *fakeHub) checkout(w http.ResponseWriter, body []byte) {
	var in checkout
	if err := json.Unmarshal(body, &in); err != nil {
		refuse(w, 422, "invalid_request", err.Error())
		return
	}
	exponent := map[string]int{"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}[in.Currency]
	id := ""
	for known, o := range f.orders {
		if o["reference"] == in.Reference {
			id = known
		}
	}
	if id == "" {
		id = fmt.Sprintf("ord_%026d", len(f.orders)+1)
		o := fakeOrder(id, "open", in.Amount, in.Currency, exponent)
		o["reference"], o["description"] = in.Reference, in.Description
		o["next_action"] = map[string]any{"type": "redirect", "url": f.payAt}
		if f.action != nil {
			o["next_action"] = f.action
		}
		if f.attempt != "" {
			o["attempts"] = []any{map[string]any{"id": "att_1", "provider": in.Provider, "flow": in.Flow, "mode": "test", "status": f.attempt}}
		}
		f.orders[id] = o
	}
	answer(w, 201, f.orders[id])
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, status int, code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "code": code, "detail": detail, "request_id": "req_7"})
}
