package sdk

import (
	"errors"
	"testing"
)

func TestMoney_DecimalIsExactBothWays(t *testing.T) {
	for _, c := range []struct {
		money   Money
		decimal string
	}{
		{Money{1050, "USD", 2}, "10.50"},
		{Money{5, "USD", 2}, "0.05"},
		{Money{0, "USD", 2}, "0.00"},
		{Money{-5, "USD", 2}, "-0.05"},
		{Money{1050, "JPY", 0}, "1050"},
		{Money{1234, "KWD", 3}, "1.234"},
		{Money{999999999999, "USD", 2}, "9999999999.99"},
		{Money{-9223372036854775808, "USD", 2}, "-92233720368547758.08"},
	} {
		if got := c.money.Decimal(); got != c.decimal {
			t.Errorf("%+v: %s, want %s", c.money, got, c.decimal)
		}
		if c.money.Amount < -1e12 {
			continue
		}
		if back, err := ParseDecimal(c.decimal, c.money.Currency, c.money.Exponent); err != nil || back != c.money {
			t.Errorf("parse %s: %+v, %v", c.decimal, back, err)
		}
	}
}

func TestParseDecimal_RefusesWhatItWouldHaveToGuess(t *testing.T) {
	for _, s := range []string{"", ".", "1.", ".5", "1e3", " 1", "1 ", "+1", "--1", "1,5", "0x10", "1234567890123", "1.2345678", "١", "NaN"} {
		if m, err := ParseDecimal(s, "USD", 2); err == nil {
			t.Errorf("%q was read as %s", s, m)
		}
	}
	if _, err := ParseDecimal("10.005", "USD", 2); !errors.Is(err, ErrInexact) {
		t.Errorf("10.005: %v", err)
	}
	if m, err := ParseDecimal("10.500", "USD", 2); err != nil || m.Amount != 1050 {
		t.Errorf("10.500: %v %v", m, err)
	}
}

func TestMoney_RescaleNeverRounds(t *testing.T) {
	if m, err := (Money{500, "ISK", 2}).Rescale(0); err != nil || m.Amount != 5 {
		t.Errorf("500/2 -> 0: %v %v", m, err)
	}
	if _, err := (Money{501, "ISK", 2}).Rescale(0); !errors.Is(err, ErrInexact) {
		t.Errorf("501/2 -> 0: %v", err)
	}
	if _, err := (Money{1 << 62, "USD", 0}).Rescale(2); !errors.Is(err, ErrInexact) {
		t.Errorf("overflow: %v", err)
	}
	if !(Money{10, "JPY", 0}).Equal(Money{1000, "JPY", 2}) || (Money{10, "JPY", 0}).Equal(Money{1001, "JPY", 2}) || (Money{1, "USD", 2}).Equal(Money{1, "EUR", 2}) {
		t.Error("Equal")
	}
}
