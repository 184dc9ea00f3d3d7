package chaos

import (
	"math/rand/v2"
	"slices"
	"time"
)

// story is what happens to an order.
type story struct {
	name   string
	weight int
	steps  []step // at which something can go wrong
	fits   func(*way) bool
	tell   func(*order)
}

func anyWay(*way) bool    { return true }
func byHold(w *way) bool  { return w.holds }
func byPayer(w *way) bool { return w.act != nil }
func byPage(w *way) bool  { return w.flow == "checkout_session" }

// retriable ways let a declined payer try again by themselves.
func retriable(w *way) bool {
	return w.flow == "checkout_session" || w.flow == "server" || w.flow == "client"
}

// shortLife is a little more than the least that an order may live, for it may
// take the hubs a while to hear of it.
const shortLife = 90 * time.Second

var manual = map[string]any{"capture": "manual"}

// Where faults strike: the more often it is named, the likelier.
var (
	creating = []step{atCreate}
	paying   = []step{atCreate, atConfirm, atRead}
	giving   = []step{atCreate, atConfirm, atRead, atRefund, atRefund, atRefund}
	holding  = []step{atCreate, atConfirm, atRead, atCapture, atCapture}
)

var stories = []story{
	{"pay", 18, paying, anyWay, func(o *order) {
		o.checkout(false, nil)
		o.pay(false, true)
		o.until(paid)
	}},
	{"closes the tab", 8, paying, byPayer, func(o *order) {
		o.checkout(false, nil)
		o.pay(false, false)
	}},
	{"never comes", 5, creating, byPayer, func(o *order) {
		changes := map[string]any{}
		if !byPage(o.way) { // Stripe keeps its page open for half an hour at least
			changes["expires_at"] = time.Now().Add(shortLife).UTC().Format(time.RFC3339)
		}
		o.checkout(false, changes)
	}},
	{"comes back at the same instant", 6, paying, byPayer, func(o *order) {
		o.checkout(false, nil)
		if o.way.act(o, false) {
			o.agree()
		}
		o.race(hubs, func(i int) {
			res, err := o.c.web.Get(o.c.house.BaseURLs[i] + "/return/" + o.attempt().ID)
			if err == nil {
				_ = res.Body.Close()
			}
		})
	}},
	{"declined", 5, paying, anyWay, func(o *order) {
		o.checkout(true, nil)
		o.pay(true, true)
	}},
	{"declined, then tries again", 7, paying, anyWay, tryAgain},
	{"hold, capture", 6, holding, byHold, func(o *order) { hold(o); o.capture(0) }},
	{"hold, capture a part", 6, holding, byHold, func(o *order) {
		hold(o)
		if o.capture(o.parts[0]).status == 200 && o.dice[0] < 0.5 {
			o.must(paid)
			o.giveBack(o.n, o.parts[0])
		}
	}},
	{"hold, cancel", 4, []step{atCreate, atConfirm, atCancel, atCancel}, byHold, func(o *order) { hold(o); o.cancel() }},
	{"hold, dashboard", 3, []step{atCreate, atRead}, byHold, holdDashboard},
	{"cancel", 4, []step{atCreate, atCancel, atCancel}, byPayer, func(o *order) { o.checkout(false, nil); o.cancel() }},
	{"cancel, then pays", 6, []step{atCreate, atCancel, atCancel, atRead}, byPayer, func(o *order) {
		o.checkout(false, nil)
		o.cancel()
		o.pay(false, o.dice[0] < 0.5)
	}},
	{"cancels while it is paid", 4, []step{atCreate, atCancel, atRead}, byPayer, func(o *order) {
		o.checkout(false, nil)
		o.race(2, func(i int) {
			if i == 0 {
				o.cancel()
			} else {
				o.pay(false, false)
			}
		})
	}},
	{"refunds of parts", 8, giving, anyWay, func(o *order) {
		pay(o)
		for i, part := range o.parts {
			if float64(i) < 1+2*o.dice[0] {
				o.giveBack(o.n+i, part)
			}
		}
	}},
	{"refund of all", 6, giving, anyWay, func(o *order) { pay(o); o.giveBack(o.n, 0) }},
	{"two refunds at once", 8, giving, anyWay, func(o *order) {
		pay(o)
		o.race(2, func(i int) { o.giveBack(o.n+i, o.amount/o.grain*3/5*o.grain) })
	}},
	{"one refund, three times at once", 4, giving, anyWay, oneRefund},
	{"second attempt", 6, []step{atCreate, atCreate, atCancel, atConfirm, atRead}, byPayer, secondAttempt},
	{"the same key at once", 5, creating, anyWay, func(o *order) {
		o.sameKey()
		o.pay(false, true)
	}},
	{"refund at the provider", 5, giving, anyWay, dashboardRefund},
	{"dispute", 5, []step{atCreate, atRead, atRead}, anyWay, disputeStory},
	{"closed at the provider", 2, []step{atCreate, atRead}, byPage, func(o *order) {
		o.checkout(false, nil)
		o.button("checkout/sessions/"+o.ref("checkout_session")+"/expire", nil)
	}},
}

// pickStory picks one that the way fits, of all or of some; nil if none does.
func pickStory(r *rand.Rand, w *way, only []string) *story {
	fits := func(s story) bool { return s.fits(w) && (len(only) == 0 || slices.Contains(only, s.name)) }
	if !slices.ContainsFunc(stories, fits) {
		return nil
	}
	total := 0
	for i := range stories {
		total += stories[i].weight
	}
	for {
		n := r.IntN(total)
		for i := range stories {
			if n -= stories[i].weight; n < 0 {
				if fits(stories[i]) {
					return &stories[i]
				}
				break
			}
		}
	}
}

// pay has the order paid, or ends the story.
func pay(o *order) {
	o.checkout(false, nil)
	o.pay(false, true)
	o.must(paid)
}

// hold has the order authorised.
func hold(o *order) {
	o.checkout(false, manual)
	o.pay(false, true)
	o.must(authorized)
}

// tryAgain is a payer whose first card is declined: they try on the same page
// where there is one, else the app starts anew.
func tryAgain(o *order) {
	o.checkout(true, nil)
	o.pay(true, true)
	if retriable(o.way) {
		o.pay(false, true)
		o.until(paid)
		return
	}
	o.must(func(v *view) bool { return declined(v) || paid(v) })
	o.again(o.way, false)
	o.pay(false, true)
	o.until(paid)
}

// secondAttempt changes the way in the middle; some payers pay by the first all
// the same, or by both.
func secondAttempt(o *order) {
	o.checkout(false, nil)
	first, way := o.last, o.way
	o.again(o.other, false)
	second := o.last
	if o.dice[0] < 0.4 { // the old page is still open in a tab
		o.last, o.way = first, way
		o.pay(false, false)
		o.last, o.way, o.browser = second, o.other, ""
	}
	if o.dice[2] < 0.8 {
		o.pay(false, true)
	}
}

// oneRefund asks for the same refund through every hub at once, with one key.
func oneRefund(o *order) {
	pay(o)
	amount := o.parts[0]
	o.mu.Lock()
	o.back = append(o.back, amount)
	o.mu.Unlock()
	o.arm(atRefund)
	asks := make([]*ask, hubs)
	o.race(hubs, func(i int) {
		asks[i] = &ask{verb: "refund", path: "/v1/orders/" + o.last.ID + "/refunds", key: o.reference + "-refund", body: map[string]any{"amount": amount}}
		o.repeat(o.n+i, asks[i], patience)
	})
	for _, a := range asks[1:] {
		if a.id != "" && asks[0].id != "" && a.id != asks[0].id {
			o.fail("one key made the refunds %s and %s", asks[0].id, a.id)
		}
	}
	o.mu.Lock()
	o.asks = append(o.asks, asks...)
	o.mu.Unlock()
}

// Tells reports whether there is a story by each of the names.
func Tells(names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return !named(stories, name) && !named(scenarios, name) })
}

func named(all []story, name string) bool {
	return slices.ContainsFunc(all, func(s story) bool { return s.name == name })
}
