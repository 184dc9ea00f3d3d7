package sdk

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// Money is an exact amount in the minor units of an ISO 4217 currency:
// {1050, "USD", 2} is 10.50 US dollars, {1050, "JPY", 0} is 1050 yen.
// The exponent is ISO's. A provider that counts a currency otherwise (Stripe:
// ISK, UGX, MGA; PayPal: HUF, TWD) is converted inside its plugin, with Rescale.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"` // upper case, three letters
	Exponent int    `json:"exponent"` // digits of the minor unit, 0..4
}

// ErrInexact says that a conversion would have to round. Money is never rounded.
var ErrInexact = errors.New("amount cannot be converted exactly")

// IsZero reports whether nothing was said: no currency and no amount.
func (m Money) IsZero() bool { return m.Amount == 0 && m.Currency == "" }

// Equal reports whether both are the same amount of the same currency,
// whatever their exponents: 10 JPY(0) equals 1000 JPY(2).
func (m Money) Equal(o Money) bool {
	if m.Currency != o.Currency {
		return false
	}
	if m.Exponent > o.Exponent {
		m, o = o, m
	}
	scaled, err := m.Rescale(o.Exponent)
	return err == nil && scaled.Amount == o.Amount
}

// Rescale returns the same money with another number of minor digits, or
// ErrInexact when digits other than zero would be cut, or it would overflow.
func (m Money) Rescale(exponent int) (Money, error) {
	a := m.Amount
	for e := m.Exponent; e < exponent; e++ {
		if a > math.MaxInt64/10 || a < math.MinInt64/10 {
			return Money{}, fmt.Errorf("%w: %s with %d decimals is too large", ErrInexact, m, exponent)
		}
		a *= 10
	}
	for e := m.Exponent; e > exponent; e-- {
		if a%10 != 0 {
			return Money{}, fmt.Errorf("%w: %s has more than %d decimals", ErrInexact, m, exponent)
		}
		a /= 10
	}
	return Money{Amount: a, Currency: m.Currency, Exponent: exponent}, nil
}

// Decimal writes the amount in major units: "10.50", "1050", "-0.005".
func (m Money) Decimal() string {
	sign, u := "", uint64(m.Amount)
	if m.Amount < 0 {
		sign, u = "-", -u
	}
	if m.Exponent <= 0 {
		return fmt.Sprintf("%s%d", sign, u)
	}
	s := fmt.Sprintf("%0*d", m.Exponent+1, u)
	return sign + s[:len(s)-m.Exponent] + "." + s[len(s)-m.Exponent:]
}

// String is for people and logs: "10.50 USD".
func (m Money) String() string { return m.Decimal() + " " + m.Currency }

// ParseDecimal reads a plain decimal ("10", "10.5", "10.50") of a currency with
// that exponent. It accepts no sign but a leading minus, no exponent notation,
// no spaces, at most 12 digits before the point, and refuses digits that it
// would have to round ("10.005" with exponent 2) with ErrInexact.
func ParseDecimal(s, currency string, exponent int) (Money, error) {
	bad := fmt.Errorf("%q is not a decimal amount", s)
	digits, negative := strings.CutPrefix(s, "-")
	whole, frac, point := strings.Cut(digits, ".")
	if whole == "" || len(whole) > 12 || len(frac) > 6 || point && frac == "" {
		return Money{}, bad
	}
	var a int64
	for _, c := range whole + frac {
		if c < '0' || c > '9' {
			return Money{}, bad
		}
		a = a*10 + int64(c-'0')
	}
	if negative {
		a = -a
	}
	return Money{Amount: a, Currency: currency, Exponent: len(frac)}.Rescale(exponent)
}
