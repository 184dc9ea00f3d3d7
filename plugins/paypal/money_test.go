package main

import (
	"testing"

	"github.com/superpayhub/superpay/sdk"
)

func TestToWire_IsExactOrRefuses(t *testing.T) {
	for _, c := range []struct {
		in   sdk.Money
		want string // "" is refused
	}{
		{sdk.Money{Amount: 1050, Currency: "USD", Exponent: 2}, "10.50"},
		{sdk.Money{Amount: 1, Currency: "EUR", Exponent: 2}, "0.01"},
		{sdk.Money{Amount: 1050, Currency: "JPY"}, "1050"},
		{sdk.Money{Amount: 105000, Currency: "HUF", Exponent: 2}, "1050"},
		{sdk.Money{Amount: 105050, Currency: "HUF", Exponent: 2}, ""}, // fillér
		{sdk.Money{Amount: 100, Currency: "TWD", Exponent: 2}, "1"},
		{sdk.Money{Amount: 101, Currency: "TWD", Exponent: 2}, ""},
		{sdk.Money{Amount: 10505, Currency: "USD", Exponent: 3}, ""},
		{sdk.Money{Amount: 0, Currency: "USD", Exponent: 2}, ""},
		{sdk.Money{Amount: -5, Currency: "USD", Exponent: 2}, ""},
		{sdk.Money{Amount: 100, Currency: "KRW"}, ""},
		{sdk.Money{Amount: 100, Currency: "usd", Exponent: 2}, ""},
	} {
		got, err := toWire(c.in)
		switch {
		case c.want == "" && class(err) != "rejected":
			t.Errorf("%s: %v %v", c.in, got, err)
		case c.want != "" && (err != nil || got.Value != c.want || got.Currency != c.in.Currency):
			t.Errorf("%s: %v %v", c.in, got, err)
		}
	}
}

func TestMoney_ReadsWhatPayPalMayEcho(t *testing.T) {
	for _, c := range []struct {
		currency, value string
		want            sdk.Money
	}{
		{"USD", "10", sdk.Money{Amount: 1000, Currency: "USD", Exponent: 2}},
		{"USD", "10.5", sdk.Money{Amount: 1050, Currency: "USD", Exponent: 2}},
		{"USD", "10.50", sdk.Money{Amount: 1050, Currency: "USD", Exponent: 2}},
		{"USD", ".5", sdk.Money{Amount: 50, Currency: "USD", Exponent: 2}},
		{"USD", "-.5", sdk.Money{Amount: -50, Currency: "USD", Exponent: 2}},
		{"USD", "10.005", sdk.Money{Amount: 10005, Currency: "USD", Exponent: 3}}, // kept, never rounded
		{"HUF", "1050", sdk.Money{Amount: 105000, Currency: "HUF", Exponent: 2}},
		{"JPY", "1050.00", sdk.Money{Amount: 1050, Currency: "JPY"}},
		{"INR", "1.25", sdk.Money{Amount: 125, Currency: "INR", Exponent: 2}},
	} {
		if got, err := (&amount{c.currency, c.value}).money(); err != nil || got != c.want {
			t.Errorf("%s %s: %+v %v", c.value, c.currency, got, err)
		}
	}
	for _, a := range []amount{{"USD", ""}, {"", "1"}, {"USD", "1e3"}, {"USD", "1,5"}, {"usd", "1"}, {"USD", "NaN"}} {
		if got, err := a.money(); err == nil {
			t.Errorf("%v was read as %s", a, got)
		}
	}
	if got, err := (*amount)(nil).money(); err != nil || !got.IsZero() {
		t.Errorf("nothing told: %v %v", got, err)
	}
}
