package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// How often the page of an unsettled order looks again by itself.
const (
	maxLooks   = 30
	lookEvery  = 2 // seconds
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
	Notes   []string // what the visitor just did
	Alerts  []string // what is wrong
	Refunds []refundLine
	Events  []eventLine
	Blind   bool // the timeline could not be read
	Test    bool

	Again  string // where the page looks next, if it looks again by itself
	Looks  int
	Max    int
	Paused bool

	Onward     string // where the payer can go on paying
	Show       *action
	Offer      bool // let the payer choose a way again
	Ways       ways
	Rest       string // what can be refunded, as an amount field wants it
	Step       string
	CanCapture bool
	CanCancel  bool
	Keys       struct{ Pay, Part, Rest, Capture, Cancel string }
}

type amountLine struct{ Name, Value string }

type refundLine struct{ Amount, Word, Mood, Reason, At string }

type eventLine struct{ At, ISO, Text, Amount, Source, Kind string }

var notes = map[string]string{
	"refund":  "The refund was asked for.",
	"capture": "Taking the money was asked for.",
	"cancel":  "Canceling was asked for.",
}

func (s *shop) showOrder(w http.ResponseWriter, r *http.Request, o *order) {
	q := r.URL.Query()
	p := &orderPage{
		order: o, Look: lookOf(o.Status), Total: money(o.Amount, o.Currency, o.Exponent),
		Made: o.CreatedAt.UTC().Format(timeFormat), Max: maxLooks,
		CanCapture: o.Status == "authorized", CanCancel: o.Status == "open" || o.Status == "authorized",
	}
	p.Keys.Pay, p.Keys.Part, p.Keys.Rest, p.Keys.Capture, p.Keys.Cancel = newKey(), newKey(), newKey(), newKey(), newKey()
	p.Hold = money(max(o.Authorized-o.Captured, 0), o.Currency, o.Exponent)
	p.amounts()
	p.alerts(s.book.differs(o))
	if note, ok := notes[q.Get("done")]; ok {
		p.Notes = append(p.Notes, note)
	}
	s.onward(r, p, q)
	s.timeline(r, p)
	s.render(w, r, http.StatusOK, "order", p)
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
			reason, ok := attentions[a.Reason]
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
		p.Alerts = append(p.Alerts, "The last try did not work: "+reason)
	}
}

// onward says how it goes on: the page looks again by itself, or the payer
// goes on at the provider, or chooses another way.
func (s *shop) onward(r *http.Request, p *orderPage, q url.Values) {
	o, here := p.order, s.base+"/order/"+p.ID
	from, choosing := q.Get("from"), q.Get("pay") == "1"
	if o.Status == "open" && o.NextAction != nil {
		switch next := o.NextAction; {
		case next.Type == "redirect" && (next.Method == "" || next.Method == http.MethodGet) && payable(next.URL):
			p.Onward = next.URL
		case next.Type == "show":
			p.Show = next
		}
	}
	if from == "cancelled" && o.Status == "open" {
		p.Notes = append(p.Notes, "You came back without paying. Your order is still here.")
	}
	p.Offer = o.Status == "open" && (choosing || from == "cancelled" || !o.live())
	if p.Offer {
		var err error
		if p.Ways, err = s.ways(r.Context()); err != nil {
			s.log.Warn("hub", "path", r.URL.Path, "error", err)
		}
		return
	}
	if !o.moving() {
		return
	}
	looks, err := strconv.Atoi(q.Get("n"))
	if err != nil || looks < 0 || looks >= maxLooks {
		p.Paused = q.Get("n") != ""
		looks = 0
	}
	if p.Looks = looks + 1; !p.Paused {
		p.Again = fmt.Sprintf("%s?n=%d", here, p.Looks)
	}
	if from == "return" && o.Status == "open" {
		p.Look = look{"Confirming", "Confirming your payment", "The provider tells us any moment now. This page looks again by itself.", "wait"}
		if p.Again != "" {
			p.Again += "&from=return"
		}
	}
}

func (s *shop) timeline(r *http.Request, p *orderPage) {
	var page struct{ Data []event }
	if err := s.hub.get(r.Context(), "/v1/orders/"+p.ID+"/events", &page); err != nil {
		s.log.Warn("hub", "path", r.URL.Path, "error", err)
		p.Blind = true
		return
	}
	for i, e := range page.Data {
		if i == maxEvents {
			return
		}
		source, ok := sources[e.Source]
		if !ok {
			source = plain(e.Source)
		}
		at := e.At.UTC()
		p.Events = append(p.Events, eventLine{
			At: at.Format("15:04:05"), ISO: at.Format(time.RFC3339), Text: e.say(), Kind: clip(e.Kind), Source: source,
			Amount: e.amount(p.Exponent, p.Currency),
		})
	}
}

// orders lists the latest orders that the hub keeps for this shop.
func (s *shop) orders(w http.ResponseWriter, r *http.Request) {
	var page struct{ Data []order }
	if err := s.hub.get(r.Context(), "/v1/orders?limit=20", &page); err != nil {
		s.failed(w, r, err, failedAs{What: "The orders could not be read"})
		return
	}
	type row struct {
		order
		Look        look
		Total, Made string
	}
	var rows []row
	for _, o := range page.Data {
		if o.sane() && len(rows) < 100 {
			rows = append(rows, row{o, lookOf(o.Status), money(o.Amount, o.Currency, o.Exponent), o.CreatedAt.UTC().Format("2 Jan, 15:04")})
		}
	}
	s.render(w, r, http.StatusOK, "orders", rows)
}
