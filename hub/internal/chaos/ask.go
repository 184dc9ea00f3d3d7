package chaos

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// body of the checkout by a way.
func (o *order) body(w *way, decline bool, changes map[string]any) map[string]any {
	b := map[string]any{"provider": w.provider, "flow": w.flow}
	if w.input != nil {
		b["input"] = w.input(o, decline)
	}
	for k, v := range changes {
		b[k] = v
	}
	return b
}

// whole is the body of a new order.
func (o *order) whole(decline bool, changes map[string]any) map[string]any {
	b := o.body(o.way, decline, changes)
	for k, v := range map[string]any{
		"reference": o.reference, "amount": o.amount, "currency": o.currency, "description": o.reference,
		"return_url": "http://localhost:9/thanks", "cancel_url": "http://localhost:9/cart", "metadata": map[string]string{"chaos": o.reference},
	} {
		b[k] = v
	}
	return b
}

const checkouts = "/v1/checkouts"

// checkout makes the order. Without one the story is over.
func (o *order) checkout(decline bool, changes map[string]any) {
	o.begin(&ask{verb: "checkout", path: checkouts, key: o.reference + "-checkout", body: o.whole(decline, changes)}, o.way, decline)
	if a := o.attempt(); a != nil && a.Status == "failed" && !decline && o.last.is("open") && changes == nil {
		o.again(o.way, false) // it was told that it failed: the app tries once more
	}
}

// again starts another attempt on the order.
func (o *order) again(w *way, decline bool) {
	o.way, o.browser = w, ""
	o.begin(&ask{
		verb: "checkout", path: "/v1/orders/" + o.last.ID + "/checkouts", key: o.reference + "-again", body: o.body(w, decline, nil),
	}, w, decline)
}

func (o *order) begin(a *ask, w *way, decline bool) {
	o.spoil(o.reference)
	if w.act == nil && !decline && !o.charged {
		o.charged = true // by what its client gave it; again only if told that it failed
		o.agree()
	}
	got := o.send(atCreate, o.n, a)
	if got.status != 200 && got.status != 201 {
		panic(errOver)
	}
	o.last = got.view
	if at := o.attempt(); at != nil {
		o.spoil(at.ID)
	}
	o.arm(atRead)
	if o.lags {
		o.visit() // so that there is an answer from before what follows
	}
	if o.forged {
		o.c.forge(o)
	}
}

// agree counts that somebody wanted the money taken once.
func (o *order) agree() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.yes++
}

// pay has the payer do their part, and come back if they do.
func (o *order) pay(decline, comesBack bool) {
	if o.way.act != nil && o.way.act(o, decline) {
		o.agree()
	}
	if comesBack && o.way.back != nil {
		o.way.back(o)
	}
}

func (o *order) key(verb string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return fmt.Sprintf("%s-%s-%d", o.reference, verb, len(o.asks))
}

func (o *order) confirm(input map[string]string) answer {
	body := map[string]any{"attempt_id": o.attempt().ID} // another one may have been paid meanwhile
	if input != nil {
		body["input"] = input
	}
	return o.send(atConfirm, o.n, &ask{verb: "confirm", path: "/v1/orders/" + o.last.ID + "/confirm", key: o.key("confirm"), body: body})
}

func (o *order) capture(amount int64) answer {
	body := map[string]any{}
	if amount > 0 {
		body["amount"] = amount
	}
	o.mu.Lock()
	o.taken = append(o.taken, amount)
	o.mu.Unlock()
	return o.send(atCapture, o.n+1, &ask{verb: "capture", path: "/v1/orders/" + o.last.ID + "/capture", key: o.key("capture"), body: body})
}

func (o *order) cancel() answer {
	got := o.send(atCancel, o.n+1, &ask{verb: "cancel", path: "/v1/orders/" + o.last.ID + "/cancel", key: o.key("cancel")})
	o.canceled = got.status == 200 && got.is("canceled")
	return got
}

// giveBack asks for a refund, of all that is left if amount is 0. An app that
// is told that it failed asks once more, under another key; a brisk one does so,
// too, if it is told that something else is under way.
func (o *order) giveBack(from int, amount int64) {
	o.mu.Lock()
	o.back = append(o.back, amount)
	o.mu.Unlock()
	body := map[string]any{}
	if amount > 0 {
		body["amount"] = amount
	}
	again := false
	for end := time.Now().Add(patience); time.Now().Before(end); {
		got := o.send(atRefund, from, &ask{
			verb: "refund", path: "/v1/orders/" + o.last.ID + "/refunds", key: o.key(fmt.Sprint("refund", from)), body: body,
		})
		switch {
		case o.brisk && got.status == 409 && (got.Code == "operation_open" || got.Code == "in_flight"):
			time.Sleep(50 * time.Millisecond)
		case (got.Status == "failed" || got.Code == "provider_rejected") && !again:
			again = true
		default:
			return
		}
	}
}

// race does the same from several hubs at once.
func (o *order) race(n int, do func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i) })
	}
	all.Wait()
}

// sameKey repeats a checkout at once, through all hubs, and then with another
// body. It must come to one order, and the other body be refused.
func (o *order) sameKey() {
	o.spoil(o.reference)
	body := o.whole(false, nil)
	if o.way.act == nil {
		o.charged = true
		o.agree()
	}
	asks := make([]*ask, 6)
	o.arm(atCreate)
	o.race(len(asks), func(i int) {
		asks[i] = &ask{verb: "checkout", path: checkouts, key: o.reference + "-checkout", body: body}
		asks[i].final = o.repeat(o.n+i, asks[i], patience)
	})
	o.mu.Lock()
	o.asks = append(o.asks, asks...)
	o.mu.Unlock()
	for _, a := range asks {
		switch {
		case a.final.status != 200 && a.final.status != 201:
		case o.last.ID == "":
			o.last = a.final.view
		case o.last.ID != a.final.ID && !o.forgot(o.last.ID):
			o.fail("one key made the orders %s and %s", o.last.ID, a.final.ID)
		}
	}
	if o.last.ID == "" {
		panic(errOver)
	}
	other := o.whole(false, nil)
	other["amount"] = o.amount + 1
	got, err := o.c.call(o.c.ctx, o.app, o.hub(), http.MethodPost, checkouts, asks[0].key, other)
	if err == nil && got.Code != "idempotency_key_reused" && got.status != 503 {
		o.fail("the key with another body was answered %d: %.200s", got.status, got.raw)
	}
}

// button presses one of the provider's dashboard, and reports whether it could
// be pressed.
func (o *order) button(path string, form map[string][]string) bool {
	if o.lags { // so that there is an answer from before it
		o.operate("sync")
	}
	status, _ := o.press(o.way.provider, "/dashboard/"+path, form)
	if status != http.StatusSeeOther {
		return false
	}
	o.c.faults.add("dashboard "+path[strings.LastIndex(path, "/")+1:], 1)
	return true
}
