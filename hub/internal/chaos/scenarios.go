package chaos

import (
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// scenarios are those that were added later: see drawMore.
var scenarios = []story{
	{name: "operator refunds", weight: 2, steps: giving, fits: anyWay, tell: operatorRefunds},
	{name: "operator decides a hold", weight: 2, steps: holding, fits: byHold, tell: operatorDecides},
	{name: "operator resolves", weight: 2, steps: giving, fits: anyWay, tell: operatorResolves},
	{name: "refund fails late", weight: 4, steps: giving, fits: byCard, tell: lateRefund("refundFail")},
	{name: "refund takes a while", weight: 3, steps: giving, fits: byCard, tell: lateRefund("pendingRefund")},
	{name: "capture is pending", weight: 6, steps: paying, fits: byPayPal, tell: pendingCapture},
	{name: "hold, a part is captured at the provider", weight: 4, steps: holding, fits: byPayPalHold, tell: partThere},
	{name: "reversed in part", weight: 3, steps: giving, fits: byPayPal, tell: reversedInPart},
	{name: "lost after a refund", weight: 3, steps: giving, fits: byCard, tell: lostAfterRefund},
}

// unasked are the scenarios in which something is done at the provider to a
// payment that is settled, which the hub does not read again by itself.
var unasked = []string{"refund at the provider", "dispute", "operator resolves", "refund fails late", "refund takes a while", "reversed in part", "lost after a refund"}

func byCard(w *way) bool       { return w.provider == "stripe" && w.name != "apple_pay legacy" }
func byPayPal(w *way) bool     { return w.provider == "paypal" }
func byPayPalHold(w *way) bool { return byPayPal(w) && w.holds }

// operate gives a command about the order, as a person does who does not repeat
// it. Whatever it answers, what it did must be seen by the app.
func (o *order) operate(verb string, args ...string) {
	o.actedBy(verb)
	o.c.faults.add("operator "+verb, 1)
	_, err := o.c.command(append([]string{"order", verb, o.last.ID}, args...)...)
	if err != nil {
		o.c.faults.add("operator's command failed", 1)
		fmt.Fprintln(o.c.Say, "order", o.n, err)
	}
}

var because = []string{"--reason", "chaos"}

// operatorRefunds gives back a part by command, while the app does, too.
func operatorRefunds(o *order) {
	pay(o)
	amount := o.parts[1]
	o.mu.Lock()
	o.back = append(o.back, amount)
	o.operated = append(o.operated, amount)
	o.mu.Unlock()
	o.race(2, func(i int) {
		switch {
		case i == 0:
			o.operate("refund", append(because, "--amount", strconv.FormatInt(amount, 10))...)
		case o.dice[0] < 0.5:
			o.giveBack(o.n, o.parts[0])
		}
	})
	if o.dice[1] < 0.3 {
		o.operate("sync")
	}
}

// operatorDecides captures or cancels a hold by command.
func operatorDecides(o *order) {
	hold(o)
	if o.dice[0] < 0.5 {
		o.operate("capture", append(because, "--all")...)
	} else {
		o.operate("cancel", because...)
	}
}

// operatorResolves marks a disputed order as reviewed.
func operatorResolves(o *order) {
	pay(o)
	if !o.button(o.charge()+"/dispute", nil) {
		return
	}
	o.must(func(v *view) bool { return v.NeedsAttention })
	o.operate("resolve", "--why", "chaos")
}

// lateRefund pays with a card whose refunds change after a while.
func lateRefund(card string) func(*order) {
	return func(o *order) {
		o.card = card
		pay(o)
		o.giveBack(o.n, o.parts[0])
		if o.dice[0] < 0.5 {
			o.giveBack(o.n+1, o.parts[1])
		}
		time.Sleep(refundDelay)
	}
}

// refundDelay is a little more than the sandbox waits before it changes such a
// refund.
const refundDelay = 2200 * time.Millisecond

// partThere has a part of a hold captured at PayPal, and not for good: the app takes
// or releases the rest.
func partThere(o *order) {
	hold(o)
	o.actedBy("capture")
	if !o.button("authorizations/"+o.ref("authorization")+"/capture", url.Values{"amount": {o.major(o.parts[0])}, "rest": {"held"}}) {
		return
	}
	o.agree() // one hold, taken in two pieces
	o.must(func(v *view) bool { return v.Captured == o.parts[0] })
	if o.dice[0] < 0.6 {
		o.capture(0)
	} else {
		o.cancel()
	}
}

// reversedInPart has PayPal take money back against the merchant's will, while the
// app gives some back.
func reversedInPart(o *order) {
	pay(o)
	form := url.Values{"amount": {o.major(o.parts[1])}, "reason": {pick(o.dice[0] < 0.5, "BUYER_COMPLAINT", "none")}}
	o.race(2, func(i int) {
		if i == 0 && o.button(o.charge()+"/reverse", form) {
			o.mu.Lock()
			o.pressed = append(o.pressed, o.parts[1])
			o.mu.Unlock()
		}
		if i == 1 && o.dice[1] < 0.5 {
			o.giveBack(o.n, o.parts[0])
		}
	})
}

// lostAfterRefund loses a dispute about the whole of a payment that was refunded in
// part: the provider takes all of it, and gives back what was refunded.
func lostAfterRefund(o *order) {
	pay(o)
	o.giveBack(o.n, o.parts[0])
	if !o.button(o.charge()+"/dispute", nil) {
		return
	}
	if id := o.c.disputeOf(o); id != "" {
		o.button("disputes/"+id+"/lose", nil)
	}
}

// pendingCapture pays by eCheck. The capture is pending until the provider
// settles or denies it; some stay so.
func pendingCapture(o *order) {
	o.funding = "echeck"
	o.checkout(false, nil)
	o.pay(false, true)
	o.must(func(v *view) bool { return v.is("pending") && o.attempt().ref("capture") != "" })
	switch {
	case o.dice[0] < 0.5:
		o.button("captures/"+o.ref("capture")+"/settle", url.Values{})
		if o.dice[1] < 0.4 && o.until(paid) {
			o.giveBack(o.n, o.parts[0])
		}
	case o.dice[0] < 0.8:
		o.button("captures/"+o.ref("capture")+"/deny", url.Values{})
	}
}
