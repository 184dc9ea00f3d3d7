package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/superpayhub/superpay/sdk"
)

// hub are the requests that apps and providers make of a hub.
type hub struct {
	addr, apiKey, webhookSecret, instanceID string
}

func (h *hub) ask(req *fasthttp.Request, method, path, key, body string) {
	req.Header.SetMethod(method)
	req.SetRequestURI("http://" + h.addr + path)
	req.Header.Set("Authorization", "Bearer "+h.apiKey)
	if body != "" {
		req.Header.Set("Idempotency-Key", key)
		req.Header.SetContentType("application/json")
		req.SetBodyString(body)
	}
}

// send asks the hub once.
func (h *hub) send(method, path, key, body string) ([]byte, error) {
	return once(func(req *fasthttp.Request, _ int) bool {
		h.ask(req, method, path, key, body)
		return true
	})
}

// checkOut makes an order at a provider.
func (h *hub) checkOut(name, provider string) (ordered, error) {
	raw, err := h.send("POST", "/v1/checkouts", name, strings.Replace(checkoutBody(name), `"provider":"stripe"`, `"provider":"`+provider+`"`, 1))
	if err != nil {
		return ordered{}, err
	}
	var o struct {
		ID       string
		Attempts []struct{ ID string }
	}
	if err := json.Unmarshal(raw, &o); err != nil {
		return ordered{}, err
	}
	return ordered{o.ID, o.Attempts[0].ID}, nil
}

// endpoint has the app told at an address.
func (h *hub) endpoint(url string) error {
	_, err := h.send("POST", "/v1/webhook_endpoints", rand.Text(), fmt.Sprintf(`{"url":%q}`, url))
	return err
}

// checkout asks for an order of its own each time.
func (h *hub) checkout(run string) func(*fasthttp.Request, int) bool {
	return func(req *fasthttp.Request, n int) bool {
		name := fmt.Sprintf("%s-%d", run, n)
		h.ask(req, "POST", "/v1/checkouts", name, checkoutBody(name))
		return true
	}
}

func checkoutBody(name string) string {
	return `{"reference":"` + name + `","amount":10000,"currency":"USD","provider":"stripe","flow":"checkout_session",` +
		`"description":"Two tickets","customer":{"email":"payer@example.com"},"return_url":"https://shop.example/thanks","metadata":{"cart":"71","shop":"7"}}`
}

// refund gives a little back on each of the orders.
func (h *hub) refund(run string, orders []string) func(*fasthttp.Request, int) bool {
	return func(req *fasthttp.Request, n int) bool {
		if n > len(orders) {
			return false
		}
		h.ask(req, "POST", "/v1/orders/"+orders[n-1]+"/refunds", fmt.Sprintf("%s-%d", run, n), `{"amount":100}`)
		return true
	}
}

func (h *hub) read(orders []string) func(*fasthttp.Request, int) bool {
	return func(req *fasthttp.Request, n int) bool {
		h.ask(req, "GET", "/v1/orders/"+orders[n%len(orders)], "", "")
		return true
	}
}

func (h *hub) list(req *fasthttp.Request, _ int) bool {
	h.ask(req, "GET", "/v1/orders?limit=20", "", "")
	return true
}

// signed is a callback, ready to be sent.
type signed struct{ signature, body string }

// callbacks are sent as they were made before: making them is not measured.
func callbacks(addr, path string, all []signed) func(*fasthttp.Request, int) bool {
	return func(req *fasthttp.Request, n int) bool {
		if n > len(all) {
			return false
		}
		req.Header.SetMethod("POST")
		req.SetRequestURI("http://" + addr + path)
		req.Header.Set("Stripe-Signature", all[n-1].signature)
		req.Header.SetContentType("application/json")
		req.SetBodyString(all[n-1].body)
		return true
	}
}

// paid is Stripe's event that an attempt's payment succeeded: 1.8 KB.
func (h *hub) paid(attemptID string) signed {
	tail := attemptID[len(attemptID)-26:]
	metadata, _ := json.Marshal(map[string]string{
		sdk.MetadataAttempt: attemptID, sdk.MetadataInstance: h.instanceID, "superpay_flow": "checkout_session",
	})
	body := fmt.Sprintf(`{"id":"evt_%[1]s","object":"event","api_version":"2023-10-16","created":%[2]d,"livemode":false,"type":"payment_intent.succeeded",`+
		`"data":{"object":{"id":"pi_%[1]s","object":"payment_intent","amount":10000,"amount_received":10000,"capture_method":"automatic",`+
		`"client_secret":"pi_%[1]s_secret","currency":"usd","latest_charge":"ch_%[1]s","livemode":false,"metadata":%[3]s,"status":"succeeded","description":%[4]q}}}`,
		tail, time.Now().Unix(), metadata, "")
	if short := bodySize - len(body); short > 0 {
		body = strings.Replace(body, `"description":""`, `"description":"`+strings.Repeat("x", short)+`"`, 1)
	}
	return sign(h.webhookSecret, body)
}

// pay has Stripe say that an order's payment succeeded.
func (h *hub) pay(o ordered) error {
	_, err := once(callbacks(h.addr, "/callback/stripe", []signed{h.paid(o.attemptID)}))
	return err
}

// bodySize is that of a usual callback.
const bodySize = 1800

func sign(secret, body string) signed {
	now := time.Now().Unix()
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.%s", now, body)
	return signed{fmt.Sprintf("t=%d,v1=%s", now, hex.EncodeToString(mac.Sum(nil))), body}
}
