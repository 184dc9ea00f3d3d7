package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// way is one of the seven ways to pay, as a story needs it.
type way struct {
	name, provider, flow string
	// input of a checkout whose payer will succeed or be declined.
	input func(h *house, decline bool) map[string]any
	// act is the payer's part after the checkout, up to where the provider is
	// done with them. It does not come back to the hub.
	act func(h *house, o answer, decline bool)
	// back is how the payer's client comes back and tells the hub.
	back func(h *house, o answer)
	// path is where the plugin asks the provider to do it.
	path string
	// holds: it can be authorised first and captured later.
	holds bool
}

func (w way) stand(h *house) standin.Client {
	if w.provider == "paypal" {
		return h.paypal
	}
	return h.stripe
}

func (w way) checkout(h *house, decline bool, changes map[string]any) answer {
	h.t.Helper()
	b := map[string]any{"provider": w.provider, "flow": w.flow}
	if w.input != nil {
		b["input"] = w.input(h, decline)
	}
	for k, v := range changes {
		b[k] = v
	}
	return h.ask("POST", "/v1/checkouts", unique("key"), body(b))
}

// pay goes the whole way.
func (w way) pay(h *house, changes map[string]any) answer {
	h.t.Helper()
	o := w.checkout(h, false, changes)
	require.Equal(h.t, 201, o.status, o.raw)
	w.finish(h, o, false)
	want := "paid"
	if changes["capture"] == "manual" {
		want = "authorized"
	}
	return h.until(o.ID, want)
}

func (w way) finish(h *house, o answer, decline bool) {
	if w.act != nil {
		w.act(h, o, decline)
	}
	if w.back != nil {
		w.back(h, o)
	}
}

func (h *house) visit(o answer) {
	res, err := browser.Get(h.BaseURL + "/return/" + o.Attempts[0].ID)
	require.NoError(h.t, err)
	res.Body.Close()
}

// post submits a payer's form.
func (h *house) post(address string, form url.Values) {
	h.t.Helper()
	res, err := browser.PostForm(address, form)
	require.NoError(h.t, err)
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	require.Less(h.t, res.StatusCode, 400, "%s: %.400s", address, text)
}

func card(decline bool) string {
	if decline {
		return "4000000000000002"
	}
	return visa
}

func pick(decline bool, yes, no string) string {
	if decline {
		return no
	}
	return yes
}

// confirmationToken mints one as Apple's sheet and Stripe's library do.
func (h *house) confirmationToken(method string) string {
	form := url.Values{"payment_method": {method}}
	req, _ := http.NewRequest("POST", h.stripe.BaseURL+"/v1/test_helpers/confirmation_tokens", strings.NewReader(form.Encode()))
	req.Header.Set("Authorization", "Bearer "+h.StripeSecretKey)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := browser.Do(req)
	require.NoError(h.t, err)
	defer res.Body.Close()
	var token struct{ ID string }
	require.NoError(h.t, json.NewDecoder(res.Body).Decode(&token))
	require.NotEmpty(h.t, token.ID)
	return token.ID
}

var paidInBrowser sync.Map // attempt id -> the PayPal order that the payer's browser made

var ways = []way{
	{
		name: "session hosted", provider: "stripe", flow: "checkout_session", path: "/v1/checkout/sessions", holds: true,
		act:  func(h *house, o answer, decline bool) { h.pay(o.NextAction.URL, card(decline)) },
		back: func(h *house, o answer) { h.visit(o) },
	},
	{
		name: "session embedded", provider: "stripe", flow: "checkout_session", path: "/v1/checkout/sessions", holds: true,
		input: func(*house, bool) map[string]any { return map[string]any{"ui_mode": "embedded"} },
		act: func(h *house, o answer, decline bool) {
			h.pay(h.stripe.BaseURL+"/pay/"+o.ref("checkout_session"), card(decline))
		},
		back: func(h *house, o answer) { h.visit(o) },
	},
	{
		name: "charge", provider: "stripe", flow: "charge", path: "/v1/charges", holds: true,
		input: func(_ *house, decline bool) map[string]any {
			return map[string]any{"token": pick(decline, "tok_visa", "tok_chargeDeclined")}
		},
	},
	{
		name: "apple_pay legacy", provider: "stripe", flow: "apple_pay", path: "/v1/payment_intents", holds: true,
		input: func(_ *house, decline bool) map[string]any {
			return map[string]any{"finalize": "legacy", "payment_method": pick(decline, "pm_card_authenticationRequired", "pm_card_chargeDeclined")}
		},
		act: func(h *house, o answer, decline bool) {
			if !decline {
				h.post(h.stripe.BaseURL+"/3ds/"+o.ref("payment_intent"), url.Values{"result": {"complete"}})
			}
		},
		back: func(h *house, o answer) {
			a := h.persist("POST", "/v1/orders/"+o.ID+"/confirm", unique("key"), map[string]any{})
			require.Contains(h.t, []int{200, 409}, a.status, a.raw)
		},
	},
	{
		name: "apple_pay server", provider: "stripe", flow: "apple_pay", path: "/v1/payment_intents", holds: true,
		input: func(h *house, decline bool) map[string]any {
			return map[string]any{"finalize": "server", "confirmation_token": h.confirmationToken(pick(decline, "pm_card_visa", "pm_card_chargeDeclined"))}
		},
	},
	{
		name: "paypal server", provider: "paypal", flow: "server", path: "/v2/checkout/orders", holds: true,
		act: func(h *house, o answer, decline bool) {
			h.post(h.paypal.BaseURL+"/checkoutnow", url.Values{"token": {o.ref("order")}, "choice": {pick(decline, "approve", "instrument_declined")}})
		},
		back: func(h *house, o answer) { h.visit(o) },
	},
	{
		name: "paypal client", provider: "paypal", flow: "client", path: "/v2/checkout/orders",
		act: func(h *house, o answer, decline bool) {
			form := url.Values{"choice": {pick(decline, "approve", "capture_declined")}, "return": {"http://localhost:9/thanks"}}
			for k, v := range o.NextAction.Client {
				form.Set(k, v)
			}
			res, err := browser.PostForm(h.paypal.BaseURL+"/client", form)
			require.NoError(h.t, err)
			defer res.Body.Close()
			if to, err := res.Location(); err == nil {
				paidInBrowser.Store(o.Attempts[0].ID, to.Query().Get("order_id"))
			}
		},
		back: func(h *house, o answer) {
			id, ok := paidInBrowser.Load(o.Attempts[0].ID)
			if !ok {
				return // declined: the browser has nothing to tell
			}
			a := h.ask("POST", "/v1/orders/"+o.ID+"/confirm", unique("key"), map[string]any{"input": map[string]any{"order_id": id}})
			require.Contains(h.t, []int{200, 409, 422}, a.status, a.raw)
		},
	},
}

// cases are what happens in each way; each leaves the books as they must be.
var cases = []struct {
	name string
	run  func(h *house, w way)
}{
	{"pay", func(h *house, w way) {
		o := w.pay(h, nil)
		require.Equal(h.t, int64(1050), o.Captured)
	}},
	{"decline", func(h *house, w way) {
		o := w.checkout(h, true, nil)
		require.Equal(h.t, 201, o.status, o.raw)
		if o.Attempts[0].Status == "requires_action" {
			w.finish(h, o, true)
		}
		if w.flow != "client" {
			o = h.when(o.ID, "declined", func(a answer) bool { return a.Attempts[0].Failure != nil })
		}
		require.Equal(h.t, "open", h.ask("GET", "/v1/orders/"+o.ID, "", nil).Status)
		require.Zero(h.t, o.Captured)
	}},
	{"cancel", func(h *house, w way) {
		var o answer
		switch {
		case w.act == nil: // the money is held at once
			o = w.pay(h, map[string]any{"capture": "manual"})
		default:
			o = w.checkout(h, false, nil)
		}
		a := h.ask("POST", "/v1/orders/"+o.ID+"/cancel", unique("key"), nil)
		require.Equal(h.t, 200, a.status, a.raw)
		require.Equal(h.t, "canceled", a.Status, a.raw)
	}},
	{"hold", func(h *house, w way) {
		if !w.holds {
			return
		}
		o := w.pay(h, map[string]any{"capture": "manual"})
		a := h.ask("POST", "/v1/orders/"+o.ID+"/capture", unique("key"), map[string]any{"amount": 700})
		require.Equal(h.t, 200, a.status, a.raw)
		require.Equal(h.t, int64(700), h.until(o.ID, "paid").Captured)
	}},
	{"partial", func(h *house, w way) {
		o := w.pay(h, nil)
		for _, amount := range []int64{300, 250} {
			a := h.persist("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{"amount": amount})
			require.Equal(h.t, 201, a.status, a.raw)
		}
		require.Equal(h.t, int64(550), h.until(o.ID, "partially_refunded").Refunded)
		require.Equal(h.t, 422, h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{"amount": 501}).status)
	}},
	{"full", func(h *house, w way) {
		o := w.pay(h, nil)
		a := h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{})
		require.Equal(h.t, 201, a.status, a.raw)
		require.Equal(h.t, int64(1050), h.until(o.ID, "refunded").Refunded)
	}},
	{"late", func(h *house, w way) { // callbacks come late, reversed and twice
		stand := w.stand(h)
		require.NoError(h.t, stand.AddFault(h.t.Context(), standin.Fault{Callback: "*", Action: standin.Withhold}))
		o := w.pay(h, nil)
		_, err := stand.Release(h.t.Context(), standin.ReleaseOrder{Reverse: true})
		require.NoError(h.t, err)
		require.NoError(h.t, stand.ClearFaults(h.t.Context()))
		list, err := stand.Callbacks(h.t.Context())
		require.NoError(h.t, err)
		for _, cb := range list {
			_ = stand.Resend(h.t.Context(), cb.ID)
		}
		time.Sleep(500 * time.Millisecond)
		o = h.until(o.ID, "paid")
		require.Equal(h.t, int64(1050), o.Captured)
		require.False(h.t, o.NeedsAttention, o.raw)
	}},
	{"closed", func(h *house, w way) { // the tab is closed after the payer's part
		o := w.checkout(h, false, nil)
		if w.act != nil {
			w.act(h, o, false)
		}
		if w.name == "apple_pay legacy" {
			h.dueAgain(o) // Stripe sends nothing about it: the schedule finds it
		}
		require.Equal(h.t, int64(1050), h.until(o.ID, "paid").Captured)
	}},
	{"killed", func(h *house, w way) { // the plugin dies between effect and answer
		stand := w.stand(h)
		b := map[string]any{"provider": w.provider, "flow": w.flow}
		if w.input != nil {
			b["input"] = w.input(h, false)
		}
		key, b := unique("key"), body(b)
		o := answer{}
		if w.flow == "client" {
			o = h.ask("POST", "/v1/checkouts", key, b) // asks the provider nothing
			w.act(h, o, false)
		}
		require.NoError(h.t, stand.AddFault(h.t.Context(), standin.Fault{
			Method: pick(w.flow == "client", "POST", "GET"), Path: w.path, Action: standin.DropAfter, DelayMS: 400, Times: 1,
		}))
		done := make(chan answer, 1)
		go func() {
			if w.flow == "client" {
				id, _ := paidInBrowser.Load(o.Attempts[0].ID)
				_, _ = h.try("POST", "/v1/orders/"+o.ID+"/confirm", unique("key"), map[string]any{"input": map[string]any{"order_id": id}})
				done <- o
				return
			}
			a, _ := h.try("POST", "/v1/checkouts", key, b)
			done <- a
		}()
		time.Sleep(200 * time.Millisecond)
		_ = syscall.Kill(h.pluginPID(w.provider), syscall.SIGKILL)
		a := <-done
		require.NoError(h.t, stand.ClearFaults(h.t.Context()))
		if w.flow != "client" {
			require.Equal(h.t, 202, a.status, a.raw)
			o = h.when(a.ID, "healed", func(x answer) bool { return x.Attempts[0].Status != "unknown" && x.Attempts[0].Status != "created" })
			if o.Status == "open" {
				w.finish(h, o, false)
			}
		}
		require.Equal(h.t, int64(1050), h.until(o.ID, "paid").Captured)
	}},
}

// TestBooks goes each way through each case and prints the hub's books beside
// the providers': `make books`.
func TestBooks(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	rows := map[string]string{}
	t.Run("ways", func(t *testing.T) {
		for _, w := range ways {
			t.Run(strings.ReplaceAll(w.name, " ", "_"), func(t *testing.T) {
				t.Parallel()
				h := open(t, nil)
				passed := 0
				for _, c := range cases {
					ok := t.Run(c.name, func(t *testing.T) {
						inner := *h
						inner.t = t
						c.run(&inner, w)
					})
					if ok {
						passed++
					}
				}
				h.balanced()
				mu.Lock()
				defer mu.Unlock()
				rows[w.name] = fmt.Sprintf("%s\t%d of %d\t%s", w.name, passed, len(cases), h.bookRow(w))
			})
		}
	})
	out := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "way\tcases\tcaptured: provider\thub\trefunded: provider\thub\t")
	for _, w := range ways {
		fmt.Fprintln(out, rows[w.name]+"\t")
	}
	_ = out.Flush()
}

// bookRow sums both books of a way.
func (h *house) bookRow(w way) string {
	b, err := w.stand(h).Books(h.t.Context())
	require.NoError(h.t, err)
	sum := func(entries []standin.Entry) (total int64) {
		for _, e := range entries {
			if e.Status == "succeeded" {
				exponent, _ := sdk.Exponent(e.Currency)
				m, err := sdk.ParseDecimal(e.Amount, e.Currency, exponent)
				require.NoError(h.t, err)
				total += m.Amount
			}
		}
		return total
	}
	usd := func(n int64) string { return sdk.Money{Amount: n, Currency: "USD", Exponent: 2}.Decimal() }
	return fmt.Sprintf("%s\t%s\t%s\t%s", usd(sum(b.Captures)), usd(int64(h.count(`SELECT coalesce(sum(captured), 0) FROM orders`))),
		usd(sum(b.Refunds)), usd(int64(h.count(`SELECT coalesce(sum(refunded), 0) FROM orders`))))
}
