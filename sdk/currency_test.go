package sdk_test

import (
	"testing"

	"github.com/superpayhub/superpay/sdk"
)

func TestExponent(t *testing.T) {
	for code, want := range map[string]int{"USD": 2, "JPY": 0, "KWD": 3, "CLF": 4, "ISK": 0, "HUF": 2, "ZWG": 2, "UYW": 4} {
		if got, known := sdk.Exponent(code); !known || got != want {
			t.Errorf("%s has %d digits (known: %v), want %d", code, got, known, want)
		}
	}
	for _, code := range []string{"", "usd", "XXX", "USDT", "U$D", "EURO"} {
		if got, known := sdk.Exponent(code); known || got != 0 {
			t.Errorf("%q is no currency, and has %d digits", code, got)
		}
	}
}
