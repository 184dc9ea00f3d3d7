package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// How often the page of an unsettled order looks again by itself.
const (
	maxLooks   = 30
	lookEvery  = 2  // seconds, while something is under way
	watchEvery = 10 // when it is paid: somebody may refund it at the provider
	maxEvents  = 100
	timeFormat = "2 Jan 2006, 15:04:05 UTC"
)

// orderPage is everything the page of one order shows.
type orderPage struct {
	*order
	Look    look
	Made    string
	Total   string
	Hold    string // what a capture takes
	Amounts []amountLine
	Notes   []note   // what the visitor just did
	Alerts  []string // what is wrong
	Refunds []refundLine
	Events  []eventLine
	Blind   bool // the timeline could not be read
	Test    bool

	Again  string // where the page looks next, if it looks again by itself
	Every  int
	Looks  int
	Max    int
	Paused bool

	Onward     string // where the payer can go on paying
	Begun      string // the same, while another way is offered
	Frame      string // or the provider's form on this page
	Waiting    bool   // back from there, and nothing is known yet
	Script     bool   // only a script that this shop does not load could go on
	Dashboard  string // the payment at the stand-in
	Console    string // the order in the hub's console; "" outside of a demo
	Disputed   bool
	Refund     refundForm
	Show       *action
	Offer      bool // let the payer choose a way again
	Ways       ways
	Rest       string // what can be refunded, as an amount field wants it
	Step       string
	CanCapture bool
	CanCancel  bool
	Keys       struct{ Pay, Rest, Capture, Cancel string }
}

type amountLine struct{ Name, Value string }

type refundLine struct{ Amount, Word, Mood, Reason, At string }

type eventLine struct{ At, ISO, Text, Amount, Source, Kind, Reason string }

// note tells of what the visitor just did, in a mood.
type note struct{ Text, Mood string }

// done says what became of a button: what happened, not that it was pressed.
func (o *order) done(verb string) (note, bool) {
	switch verb {
	case "refund":
		var latest *refund
		for i, r := range o.Refunds {
			if r.Origin != "provider" && (latest == nil || !r.CreatedAt.Before(latest.CreatedAt)) {
				latest = &o.Refunds[i]
			}
		}
		if latest == nil {
			return note{"The refund has not appeared yet.", "wait"}, true
		}
		amount := money(latest.Amount, o.Currency, o.Exponent)
		switch latest.Status {
		case "succeeded":
			return note{amount + " was given back.", "good"}, true
		case "failed":
			return note{"The refund of " + amount + " failed.", "bad"}, true
		}
		return note{"The refund of " + amount + " is under way.", "wait"}, true
	case "capture":
		if o.Captured > 0 {
			return note{money(o.Captured, o.Currency, o.Exponent) + " was taken.", "good"}, true
		}
		return note{"The provider has not taken the money yet.", "wait"}, true
	case "cancel":
		if o.Status == "canceled" {
			return note{}, false // the page says nothing else
		}
		return note{"The order is not canceled yet: the provider was asked.", "wait"}, true
	}
	return note{}, false
}

func (s *shop) showOrder(w http.ResponseWriter, r *http.Request, o *order) {
	s.orderPage(w, r, o, http.StatusOK, nil)
}

// orderPage shows an order, perhaps with a refund form that was filled in wrong.
func (s *shop) orderPage(w http.ResponseWriter, r *http.Request, o *order, status int, typed *refundForm) {
	q := r.URL.Query()
	p := &orderPage{
		order: o, Look: o.look(), Total: money(o.Amount, o.Currency, o.Exponent), Dashboard: s.dashboard(o), Console: s.console(o),
		Made: o.CreatedAt.UTC().Format(timeFormat), Max: maxLooks,
		CanCapture: o.Status == "authorized", CanCancel: o.Status == "open" || o.Status == "authorized",
	}
	p.Keys.Pay, p.Keys.Rest, p.Keys.Capture, p.Keys.Cancel = newKey(), newKey(), newKey(), newKey()
	p.Refund.Key = newKey()
	if typed != nil {
		p.Refund = *typed
	}
	for _, d := range o.Disputes {
		p.Disputed = p.Disputed || d.Status == "open" || d.Status == "inquiry"
	}
	p.Hold = money(max(o.Authorized-o.Captured, 0), o.Currency, o.Exponent)
	p.amounts()
	p.alerts(s.book.differs(o))
	if note, ok := o.done(q.Get("done")); ok {
		p.Notes = append(p.Notes, note)
	}
	s.onward(r, p, q)
	if typed != nil { // looking again would lose what was typed
		p.Again, p.Paused = "", false
	}
	s.timeline(r, p)
	if p.Frame != "" {
		w.Header().Set("Content-Security-Policy", s.policy+"; frame-src "+s.origin)
	}
	s.render(w, r, status, "order", p)
}

func (p *orderPage) amounts() {
	o := p.order
	add := func(name string, amount int64) {
		if amount != 0 {
			p.Amounts = append(p.Amounts, amountLine{name, money(amount, o.Currency, o.Exponent)})
		}
	}
	p.Amounts = []amountLine{{"Total", p.Total}}
	if o.Captured == 0 {
		add("Reserved", o.Authorized)
	}
	add("Paid", o.Captured)
	add("Refunded", o.Refunded)
	add("Disputed", o.Disputed)
	if o.Refundable > 0 {
		add("Can be refunded", o.Refundable)
		p.Rest = decimal(o.Refundable, o.Exponent)
	}
	p.Step = "1"
	if o.Exponent > 0 {
		p.Step = decimal(1, o.Exponent)
	}
	for _, r := range o.Refunds {
		line := refundLine{Amount: money(r.Amount, o.Currency, o.Exponent), Reason: clip(r.Reason), At: r.CreatedAt.UTC().Format(timeFormat)}
		switch r.Status {
		case "succeeded":
			line.Word, line.Mood = "done", "good"
		case "failed":
			line.Word, line.Mood = "failed", "bad"
			if r.Failure != nil && r.Failure.Message != "" {
				line.Reason = clip(r.Failure.Message)
			}
		default:
			line.Word, line.Mood = "on its way", "wait"
		}
		if r.Origin == "provider" && line.Reason == "" {
			line.Reason = "made at the provider"
		}
		p.Refunds = append(p.Refunds, line)
	}
}

func (p *orderPage) alerts(differs bool) {
	o := p.order
	if differs {
		p.Alerts = append(p.Alerts, "The hub's order is not the one this shop sold. Nothing is shipped until someone has looked.")
	}
	flagged := false
	for _, a := range o.Attention {
		if a.ResolvedAt.IsZero() {
			flagged = true
			if a.Reason == "in_dispute" && p.Disputed { // the page says nothing else
				continue
			}
			reason, ok := attentions[a.Reason]
			if a.Reason == "in_dispute" {
				reason = "the payment was disputed"
			}
			if !ok {
				reason = plain(a.Reason)
			}
			p.Alerts = append(p.Alerts, "Someone has to look at this order: "+reason+".")
		}
	}
	if o.NeedsAttention && !flagged {
		p.Alerts = append(p.Alerts, "Someone has to look at this order.")
	}
	if (differs || o.NeedsAttention) && p.Look.Mood == "good" {
		p.Look.Text = "Your money has arrived. Before we ship, someone takes a look."
	}
	for _, a := range o.Attempts {
		p.Test = p.Test || a.Mode == "test"
	}
	if n := len(o.Attempts); n > 0 && o.Status == "open" && o.Attempts[n-1].Failure != nil {
		f := o.Attempts[n-1].Failure
		reason := clip(f.Message)
		if reason == "" {
			reason = sentence(plain(f.Code))
		}
		p.Look.Text = "The answer was: " + reason + " " + p.Look.Text
	}
}

// onward says how it goes on: the page looks again by itself, or the payer
// goes on at the provider, or chooses another way.
func (s *shop) onward(r *http.Request, p *orderPage, q url.Values) {
	o, here := p.order, s.base+"/order/"+p.ID
	from, choosing := q.Get("from"), q.Get("pay") == "1"
	if o.Status == "open" && o.NextAction != nil {
		p.Frame = s.frame(o)
		switch next := o.NextAction; {
		case next.Type == "client":
			p.Onward = s.clientPage(o)
			p.Script = p.Onward == "" && p.Frame == ""
		case next.Type == "redirect" && (next.Method == "" || next.Method == http.MethodGet) && payable(next.URL):
			p.Onward = next.URL
		case next.Type == "show":
			p.Show = next
		}
	}
	if from == "cancelled" && o.Status == "open" {
		p.Notes = append(p.Notes, note{"You came back without paying. Your order is still here.", "wait"})
	}
	looks, err := strconv.Atoi(q.Get("n"))
	// Back from the provider, the answer may be that of an earlier try: give it a moment.
	p.Waiting = from == "return" && o.Status == "open" && o.live() && (!o.refused() || err != nil || looks < 5)
	p.Offer = o.Status == "open" && (choosing || from == "cancelled" || !o.live() || o.refused() && !p.Waiting && q.Get("go") != "1")
	if p.Begun = p.Onward; p.Frame != "" {
		p.Begun = here + "?go=1"
	}
	if p.Waiting || p.Offer {
		p.Frame = "" // the page looks again by itself, which would empty the form; or it shows another
	}
	if p.Offer {
		var err error
		if p.Ways, err = s.ways(r.Context(), o.Currency); err != nil {
			s.logProblem(r, err)
		}
		return
	}
	switch {
	case p.Frame != "": // it would be emptied
		return
	case o.moving():
		p.Every = lookEvery
	case o.watched():
		p.Every = watchEvery
	default:
		return
	}
	if err != nil || looks < 0 || looks >= maxLooks {
		p.Paused = q.Get("n") != ""
		looks = 0
	}
	if p.Looks = looks + 1; !p.Paused {
		p.Again = fmt.Sprintf("%s?n=%d", here, p.Looks)
	}
	if p.Waiting {
		p.Look = look{"Confirming", "Confirming your payment", "The provider tells us any moment now. This page looks again by itself.", "wait"}
		if p.Again != "" {
			p.Again += "&from=return"
		}
	}
}

// console is where who runs the hub looks at the order. A payer of a real shop
// has no business there.
func (s *shop) console(o *order) string {
	if s.sandbox == "" {
		return ""
	}
	return s.hub.base + "/console/orders/" + o.ID
}
