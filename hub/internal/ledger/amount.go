package ledger

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/superpayhub/superpay/sdk"
)

// MaxAmount bounds every amount that comes from outside: twelve digits of minor units.
const MaxAmount = 999_999_999_999

// Amount is how much of a payment is asked for: all that is left, or a number of
// minor units. The zero value is neither, and every request refuses it: nothing
// moves because something was left out.
type Amount struct {
	minor int64
	all   bool
}

// All is whatever is left when the request is carried out.
func All() Amount { return Amount{all: true} }

// Minor is an amount in minor units: 1050 is 10.50 USD, or 1050 JPY.
func Minor(n int64) Amount { return Amount{minor: n} }

var plainInteger = regexp.MustCompile(`^[1-9][0-9]{0,11}$`)

// ParseMinor reads minor units as a person writes them: digits alone, 1 to
// MaxAmount. A leading zero is refused, for programs read it as octal.
func ParseMinor(text string) (Amount, error) {
	if !plainInteger.MatchString(text) {
		return Amount{}, Invalidf("amount", "%q is no amount: write minor units as digits alone (1050 for 10.50 USD), from 1 to %d", text, int64(MaxAmount))
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return Minor(n), err
}

var plainDecimal = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// AmbiguousAmount is the code of an amount with more digits after the point than
// its currency has: the point may have been meant to separate thousands.
const AmbiguousAmount = "ambiguous_amount"

// ParseMajor reads an amount as people write it, 10.50, in a currency with that
// many digits after the point. What could be read in two ways is refused: a
// comma, separators of thousands, and more digits than the currency has.
func ParseMajor(text, currency string, exponent int) (Amount, error) {
	example := sdk.Money{Amount: 1050, Exponent: exponent}.Decimal()
	if !plainDecimal.MatchString(text) {
		return Amount{}, Invalidf("amount", "%q is no amount: write it as %s, with a point and without separators of thousands", text, example)
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if len(fraction) > exponent {
		e := Invalidf("amount", "%q can be read as %s%s or %s.%s, and %s has %d digits after the point: write it as %s",
			text, whole, fraction, whole, fraction, currency, exponent, example)
		e.Code = AmbiguousAmount
		return Amount{}, e
	}
	m, err := sdk.ParseDecimal(text, currency, exponent)
	if err != nil || m.Amount < 1 || m.Amount > MaxAmount {
		return Amount{}, Invalidf("amount", "%q is not between %s and %s", text, sdk.Money{Amount: 1, Exponent: exponent}.Decimal(), sdk.Money{Amount: MaxAmount, Exponent: exponent}.Decimal())
	}
	return Minor(m.Amount), nil
}

// Check refuses what is neither all nor an amount.
func (a Amount) Check() error {
	if a.all || a.minor >= 1 && a.minor <= MaxAmount {
		return nil
	}
	return Invalidf("amount", "must be a number of minor units from 1 to %d, or all that is left", int64(MaxAmount))
}

// Of is the amount in minor units where that much is left.
func (a Amount) Of(left int64) int64 {
	if a.all {
		return left
	}
	return a.minor
}

// IsAll reports whether it is whatever is left.
func (a Amount) IsAll() bool { return a.all }

// MarshalJSON writes minor units, and 0 for all: so requests were compared before
// there was this type.
func (a Amount) MarshalJSON() ([]byte, error) { return fmt.Append(nil, a.minor), nil }
