package main

import (
	"testing"

	"github.com/superpayhub/superpay/sdk"
)

func TestToWire_FollowsStripesTableNotISOs(t *testing.T) {
	for _, c := range []struct {
		amount   int64
		currency string
		exponent int
		want     int64
		refused  string
	}{
		{1099, "USD", 2, 1099, ""},
		{1050, "JPY", 0, 1050, ""},
		{1230, "KWD", 3, 1230, ""},
		{1234, "KWD", 3, 0, sdk.FailureAmount},
		{5, "ISK", 0, 500, ""},
		{7000, "UGX", 0, 700000, ""},
		{500, "MGA", 2, 5, ""},
		{550, "MGA", 2, 0, sdk.FailureAmount},
		{1050, "HUF", 2, 1050, ""},
		{1050, "TWD", 2, 1050, ""},
		{99999999, "USD", 2, 99999999, ""},
		{100000000, "USD", 2, 0, sdk.FailureAmount},
		{250_000_000_00, "IDR", 2, 250_000_000_00, ""},
		{1000000, "UGX", 0, 0, sdk.FailureAmount},
		{0, "USD", 2, 0, sdk.FailureAmount},
		{-5, "USD", 2, 0, sdk.FailureAmount},
		{10, "XXX", 2, 0, sdk.FailureCurrency},
		{10, "usd", 2, 0, sdk.FailureCurrency},
		{10, "", 0, 0, sdk.FailureCurrency},
	} {
		m := sdk.Money{Amount: c.amount, Currency: c.currency, Exponent: c.exponent}
		got, currency, err := toWire(m)
		if c.refused != "" {
			if code(err) != c.refused {
				t.Errorf("%s: %v, want %s", m, err, c.refused)
			}
			continue
		}
		if err != nil || got != c.want {
			t.Errorf("%s: got %d %v, want %d", m, got, err, c.want)
		}
		if back := fromWire(got, currency); back != m {
			t.Errorf("%s came back as %s", m, back)
		}
	}
}

func TestFromWire_NeverLosesMoney(t *testing.T) {
	for _, c := range []struct {
		amount   int64
		currency string
		want     sdk.Money
	}{
		{501, "isk", sdk.Money{Amount: 501, Currency: "ISK", Exponent: 2}}, // ISO has no room for it
		{1234, "kwd", sdk.Money{Amount: 1234, Currency: "KWD", Exponent: 3}},
		{77, "xyz", sdk.Money{Amount: 77, Currency: "XYZ", Exponent: 2}},
		{0, "", sdk.Money{}},
	} {
		if got := fromWire(c.amount, c.currency); got != c.want {
			t.Errorf("%d %s: %+v", c.amount, c.currency, got)
		}
	}
}

func TestUnits_KnowEveryCurrencyOnce(t *testing.T) {
	if len(units) < 130 {
		t.Errorf("only %d currencies", len(units))
	}
	for code := range units {
		if len(code) != 3 {
			t.Errorf("%q is no code", code)
		}
	}
}
