package ledger

import (
	"slices"
	"strings"

	"github.com/superpayhub/superpay/sdk"
)

// mismatches are the reasons that keep an attempt's money from counting as
// payment of the order until a person says so.
var mismatches = []string{AmountMismatch, CurrencyMismatch, ReferenceMismatch, ModeMismatch}

const (
	saidNext = "; " // between what did not fit
	maxSaid  = 10   // of one mismatch, so that a provider cannot make it grow for ever
)

// mismatch raises that a provider says of an attempt what was not asked. A person
// who resolves it has seen what was said until then: anything else is raised anew.
// What was resolved before it was kept what was said stands for everything.
func (d *decision) mismatch(a *Attempt, reason, said string) {
	d.found[Attention{Reason: reason, AttemptID: a.ID}] = true
	var open *Attention
	for i := range d.o.Attention {
		x := &d.o.Attention[i]
		if x.Reason != reason || x.AttemptID != a.ID {
			continue
		}
		if x.Said == "" || slices.Contains(strings.Split(x.Said, saidNext), said) {
			return
		}
		if x.ResolvedAt.IsZero() {
			open = x
		}
	}
	switch {
	case open == nil:
		d.attend(Attention{Reason: reason, AttemptID: a.ID, Said: said})
	case strings.Count(open.Said, saidNext) < maxSaid-1:
		open.Said += saidNext + said
		d.record(a, News{Source: FromHub}, "payment.mismatch", map[string]any{"reason": reason})
	}
}

// compare looks at the sums of an attempt's captures: what no single fact shows.
func (d *decision) compare(a *Attempt) {
	if a.Captured > 0 && (a.Captured > d.o.Amount || a.Captured < d.o.Amount && a.CaptureMode != sdk.CaptureManual && !a.holdsMore()) {
		d.mismatch(a, AmountMismatch, d.o.Money(a.Captured).String())
	}
	for _, b := range d.o.Balances(a) {
		if taken := b.Captured + b.coming; taken > 0 && b.Currency != d.o.Currency {
			d.mismatch(a, CurrencyMismatch, b.money(taken).String())
		}
	}
}

// fits ends what is said of an attempt's amount or currency when a fresh read of
// all its captures no longer shows it: the provider, or the hub, had it wrong. The
// next time is told anew.
func (d *decision) fits(a *Attempt) {
	if !d.whole[a.ID] {
		return
	}
	for _, reason := range []string{AmountMismatch, CurrencyMismatch} {
		if d.found[Attention{Reason: reason, AttemptID: a.ID}] {
			continue
		}
		d.o.Attention = slices.DeleteFunc(d.o.Attention, func(x Attention) bool {
			if x.Reason != reason || x.AttemptID != a.ID || !x.ResolvedAt.IsZero() {
				return false
			}
			d.record(a, News{Source: FromHub}, AttentionResolved, map[string]any{
				"reason": reason, "why": "the provider says now what was asked",
			})
			return true
		})
	}
}
