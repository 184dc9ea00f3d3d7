package main

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// money writes minor units for people: 1050, USD, 2 is "10.50 USD". Integers
// only: a float cannot hold every cent.
func money(amount int64, currency string, exponent int) string {
	sign, u := "", uint64(amount)
	if amount < 0 {
		sign, u = "−", -u
	}
	s := fmt.Sprintf("%0*d", exponent+1, u)
	if exponent > 0 {
		s = s[:len(s)-exponent] + "." + s[len(s)-exponent:]
	}
	return sign + s + " " + clip(currency)
}

var (
	errAmount   = errors.New("write the amount as digits, with a point before the decimals")
	errEmpty    = errors.New("write an amount")
	errNothing  = errors.New("write an amount above zero")
	errNegative = errors.New("write an amount above zero, without a minus")
	errComma    = errors.New("write the amount with a point before the decimals and no comma")
)

// parseMoney reads "12", "12.5" or "12.50" into minor units, and refuses what
// it would have to round.
func parseMoney(s string, exponent int) (int64, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return 0, errEmpty
	case strings.HasPrefix(s, "-"), strings.HasPrefix(s, "−"):
		return 0, errNegative
	case strings.Contains(s, ","):
		return 0, errComma
	}
	whole, frac, point := strings.Cut(s, ".")
	if whole == "" || point && frac == "" || len(whole) > 15 {
		return 0, errAmount
	}
	if len(frac) > exponent {
		if exponent == 0 {
			return 0, errors.New("this currency has no decimals")
		}
		return 0, fmt.Errorf("this currency has no more than %d decimals", exponent)
	}
	var amount int64
	for _, c := range whole + frac + strings.Repeat("0", exponent-len(frac)) {
		if c < '0' || c > '9' {
			return 0, errAmount
		}
		if amount > (math.MaxInt64-9)/10 {
			return 0, errors.New("that is too much")
		}
		amount = amount*10 + int64(c-'0')
	}
	return amount, nil
}

// decimal is money without its currency, as an amount field wants it.
func decimal(amount int64, exponent int) string {
	return strings.TrimSuffix(money(amount, "", exponent), " ")
}
