package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// inputPrefix starts the form names of a way's inputs: "input:acme/voucher:code".
func inputPrefix(way string) string { return "input:" + way + ":" }

// ways is how a payer can pay, as the hub's providers offer it.
type ways struct {
	List   []way
	Manual bool // one of them can reserve now and take later
	Ready  bool // one of them can be used
	Test   bool // no real money moves
}

type way struct {
	Value, Title, Note, Provider string
	Test, Manual, Checked        bool
	Closed                       string // why it cannot be chosen
	Inputs                       []wayInput

	variant
	currencies []string
}

type wayInput struct {
	input
	Field string // its name in the form
}

// variant is one way through a flow whose client part this shop knows.
type variant struct {
	suffix, also string            // after the way's value and the flow's title
	note         string            // what happens, for whoever tries it
	fixed        map[string]string // the flow's inputs that make it this variant
	script       bool              // in real life it needs the provider's script, which a stand-in plays here
	before       string            // page that the payer visits before the checkout is asked for
	gives        string            // the input that this page comes back with
}

// variants are the flows with a client part, by plugin. Every other flow works
// by its declared inputs alone.
var variants = map[string][]variant{
	"stripe/checkout_session": {
		{note: "on Stripe's page", fixed: map[string]string{"ui_mode": "hosted"}},
		{
			suffix: ".embedded", also: ", on this page", note: "Stripe's form inside the shop's page",
			fixed: map[string]string{"ui_mode": "embedded"}, script: true,
		},
	},
	"stripe/charge": {{
		note: "a card form makes a token, and our server charges it", script: true, before: "/stripe/token-form", gives: "token",
	}},
	"stripe/apple_pay": {
		{
			note: "a sheet on the phone; Stripe ends the payment", fixed: map[string]string{"finalize": "server"},
			script: true, before: "/stripe/apple-pay", gives: "confirmation_token",
		},
		{
			suffix: ".legacy", also: ", the older way", note: "a sheet on the phone; our server ends the payment",
			fixed: map[string]string{"finalize": "legacy"}, script: true, before: "/stripe/apple-pay", gives: "payment_method",
		},
	},
	"paypal/server": {{note: "on PayPal's page"}},
	"paypal/client": {{note: "the browser takes the money, and our server checks it", script: true}},
}

// ways lists every flow of every provider that this shop was granted, so that
// a new plugin appears by itself. With a currency, it says what cannot take it.
func (s *shop) ways(ctx context.Context, currency string) (ways, error) {
	var page struct{ Data []provider }
	if err := s.hub.get(ctx, "/v1/providers", &page); err != nil {
		return ways{}, err
	}
	var all ways
	for _, p := range page.Data {
		for _, f := range p.Flows {
			known, ok := variants[p.Plugin+"/"+f.Name]
			if !ok {
				known = []variant{{}}
			}
			for _, v := range known {
				if !names.MatchString(p.Name) || !names.MatchString(f.Name) || len(all.List) == 50 {
					continue
				}
				one := way{
					Value: p.Name + "/" + f.Name + v.suffix, Title: f.Title, Note: v.note, Provider: p.Name, Test: p.Mode == "test",
					Manual: slices.Contains(f.CaptureModes, "manual"), variant: v, currencies: f.Currencies,
				}
				if one.Title == "" {
					one.Title = sentence(plain(f.Name))
				}
				one.Title += v.also
				if !ok {
					one.Inputs = wayInputs(one.Value, f.Inputs)
				}
				one.Closed = s.closed(p.Status, one, !ok && slices.Contains(f.Capabilities, "browser"), currency)
				if one.Closed == "" {
					all.Ready, all.Manual, all.Test = true, all.Manual || one.Manual, all.Test || one.Test
				}
				if without := one.without(); currency == "" && one.Closed == "" && without != "" {
					one.Note += "; not for " + without
				}
				all.List = append(all.List, one)
			}
		}
	}
	all.tellApart()
	// First, and chosen, is what takes everything on the shelf.
	slices.SortStableFunc(all.List, func(a, b way) int { return len(a.without()) - len(b.without()) })
	if i := slices.IndexFunc(all.List, func(w way) bool { return w.Closed == "" }); i >= 0 {
		all.List[i].Checked = true
	}
	return all, nil
}

// tellApart names the provider where two of them offer a way of one title.
func (all *ways) tellApart() {
	offers := map[string]string{}
	twice := map[string]bool{}
	for _, w := range all.List {
		if other, ok := offers[w.Title]; ok && other != w.Provider {
			twice[w.Title] = true
		}
		offers[w.Title] = w.Provider
	}
	for i := range all.List {
		if w := &all.List[i]; twice[w.Title] {
			w.Title += " · " + w.Provider
		}
	}
}

// closed says why a way cannot be chosen.
func (s *shop) closed(status string, w way, foreign bool, currency string) string {
	switch {
	case status == "down" || status == "disabled":
		return "not available right now"
	case foreign:
		return "not available here: it needs the provider's script, which this shop does not load"
	case w.script && s.sandbox == "":
		return "not available here: it needs the provider's script, and no stand-in plays it (SHOP_SANDBOX_URL)"
	case currency != "" && !w.takes(currency):
		return "not in " + currency
	}
	return ""
}

func (w way) takes(currency string) bool {
	return len(w.currencies) == 0 || slices.Contains(w.currencies, currency)
}

// without names the currencies on the shelf that the way does not take.
func (w way) without() string {
	var all []string
	for _, p := range products {
		if !w.takes(p.Currency) {
			all = append(all, p.Currency)
		}
	}
	return strings.Join(all, ", ")
}

func wayInputs(value string, inputs []input) []wayInput {
	var list []wayInput
	for _, in := range inputs {
		if !names.MatchString(in.Name) || len(list) == 20 {
			continue
		}
		w := wayInput{input: in, Field: inputPrefix(value) + in.Name}
		if w.Title == "" {
			w.Title = sentence(plain(in.Name))
		}
		list = append(list, w)
	}
	return list
}

// mistake is the visitor's, in words for the visitor.
type mistake string

func (m mistake) Error() string { return string(m) }

// choose finds the chosen way among those that are open now.
func (s *shop) choose(ctx context.Context, pay payment, currency string) (way, error) {
	offered, err := s.ways(ctx, currency)
	if err != nil { // nothing was asked for yet
		p := *problemOf(err)
		p.Status, p.Maybe = http.StatusServiceUnavailable, false
		return way{}, errors.Join(&p, err)
	}
	for _, w := range offered.List {
		switch {
		case w.Value != pay.Way:
		case w.Closed != "":
			return w, mistake(fmt.Sprintf("%s is %s. Choose another way to pay.", clip(w.Title), w.Closed))
		case pay.Capture == "manual" && !w.Manual:
			return w, mistake(clip(w.Title) + " takes the money at once: it cannot reserve it first.")
		default:
			return w, nil
		}
	}
	return way{}, mistake("Choose how you would like to pay.")
}
