package sdk

import "testing"

func TestRange(t *testing.T) {
	usd := func(amount int64) Money { return Money{Amount: amount, Currency: "USD", Exponent: 2} }
	both := Range{Least: usd(50), Most: usd(1000)}
	for name, c := range map[string]struct {
		r    Range
		m    Money
		want bool
	}{
		"in it": {both, usd(50), true}, "the most": {both, usd(1000), true}, "less": {both, usd(49), false}, "more": {both, usd(1001), false},
		"no least": {Range{Most: usd(1000)}, usd(1), true}, "no most": {Range{Least: usd(50)}, usd(1_000_000), true},
		"another currency": {both, Money{Amount: 1, Currency: "EUR", Exponent: 2}, true},
		"other digits":     {Range{Least: Money{Amount: 5, Currency: "USD", Exponent: 1}}, usd(49), false},
	} {
		if got := c.r.Holds(c.m); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	for want, r := range map[string]Range{"from 0.50 USD to 10.00 USD": both, "at least 0.50 USD": {Least: usd(50)}, "at most 10.00 USD": {Most: usd(1000)}} {
		if r.String() != want {
			t.Errorf("%q, want %q", r, want)
		}
	}
}
