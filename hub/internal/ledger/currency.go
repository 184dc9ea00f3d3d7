package ledger

import "github.com/Rhymond/go-money"

// Exponent returns the number of minor digits of an ISO 4217 currency, and
// whether the hub knows it. Codes are upper case.
func Exponent(code string) (int, bool) {
	if e, ok := newer[code]; ok {
		return e, true
	}
	if len(code) != 3 {
		return 0, false
	}
	for i := range 3 {
		if code[i] < 'A' || code[i] > 'Z' {
			return 0, false
		}
	}
	c := money.GetCurrency(code)
	if c == nil {
		return 0, false
	}
	return c.Fraction, true
}

// newer are codes of ISO 4217 that the table does not have.
var newer = map[string]int{"ZWG": 2, "VED": 2, "UYW": 4, "UYI": 0}
