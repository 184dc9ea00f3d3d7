package chaos

import (
	"net/url"

	"github.com/superpayhub/superpay/sdk"
)

// charge is what the provider's buttons call the money.
func (o *order) charge() string {
	if o.way.provider == "paypal" {
		return "captures/" + o.ref("capture")
	}
	return "charges/" + o.ref("charge")
}

// dashboardRefund gives money back at the provider, while the app does so too.
func dashboardRefund(o *order) {
	pay(o)
	major := o.major(o.parts[1])
	o.race(2, func(i int) {
		if i == 0 && o.button(o.charge()+"/refund", url.Values{"amount": {major}}) {
			o.mu.Lock()
			o.pressed = append(o.pressed, o.parts[1])
			o.mu.Unlock()
		}
		if i == 1 && o.dice[0] < 0.6 {
			o.giveBack(o.n, o.parts[0])
		}
	})
}

// major is an amount as the provider's dashboard takes it.
func (o *order) major(amount int64) string {
	m := sdk.Money{Amount: amount, Currency: o.currency, Exponent: o.last.Exponent}
	if whole, err := m.Rescale(0); err == nil {
		m = whole
	}
	return m.Decimal()
}

// disputeStory challenges a payment, and decides it sometimes.
func disputeStory(o *order) {
	pay(o)
	if !o.button(o.charge()+"/dispute", nil) || o.dice[0] < 0.3 {
		return
	}
	id := o.c.disputeOf(o)
	if id == "" {
		return
	}
	if o.dice[1] < 0.3 {
		o.button("disputes/"+id+"/respond", nil)
	}
	o.button("disputes/"+id+"/"+pick(o.dice[2] < 0.5, "win", "lose"), nil)
	if o.dice[3] < 0.4 {
		o.giveBack(o.n, o.parts[0])
	}
}

// disputeOf finds the dispute of the order's payment in the books.
func (c *campaign) disputeOf(o *order) string {
	books, err := c.stands[o.way.provider].BooksOf(c.ctx, o.ref("payment_intent", "order", "charge"))
	if err != nil || len(books.Disputes) == 0 {
		return ""
	}
	return books.Disputes[0].ID
}

// holdDashboard takes or releases held money at the provider.
func holdDashboard(o *order) {
	hold(o)
	verb := pick(o.dice[0] < 0.5, "capture", "release")
	o.actedBy(verb)
	switch {
	case o.way.provider == "paypal":
		o.button("authorizations/"+o.ref("authorization")+"/"+pick(verb == "capture", "capture", "void"), nil)
	case o.ref("payment_intent") != "":
		o.button("payment_intents/"+o.ref("payment_intent")+"/"+pick(verb == "capture", "capture", "cancel"), nil)
	default:
		o.button("charges/"+o.ref("charge")+"/"+pick(verb == "capture", "capture", "lapse"), nil)
	}
}
