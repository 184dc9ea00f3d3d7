package sandbox

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

const (
	// supported are the currencies PayPal takes; anything else is refused.
	supported  = "AUD BRL CAD CHF CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD"
	noDecimals = "HUF JPY TWD"
	mostMinor  = 99_999_999_999_999_999 // 999999999999999.99
)

var wireValue = regexp.MustCompile(`^(-?[0-9]+|-?[0-9]*[.][0-9]+)$`)

// wireMoney is an amount as it arrives.
type wireMoney struct {
	Currency string `json:"currency_code"`
	Value    string `json:"value"`
}

// money is an amount in PayPal's smallest unit of the currency.
type money struct {
	Currency string
	Minor    int64
}

func isOneOf(list, word string) bool {
	return word != "" && !strings.Contains(word, " ") && strings.Contains(" "+list+" ", " "+word+" ")
}

func places(currency string) int {
	if isOneOf(noDecimals, currency) {
		return 0
	}
	return 2
}

// parse reads an amount that may be zero or negative, at a field of the request.
func (m wireMoney) parse(field string) (money, *apiError) {
	valueField := field + "/value"
	switch {
	case m.Currency == "":
		return money{}, malformed("MISSING_REQUIRED_PARAMETER", field+"/currency_code", "")
	case m.Value == "":
		return money{}, malformed("MISSING_REQUIRED_PARAMETER", valueField, "")
	case len(m.Currency) != 3:
		return money{}, malformed("INVALID_STRING_LENGTH", field+"/currency_code", m.Currency)
	case len(m.Value) > 32:
		return money{}, malformed("INVALID_STRING_LENGTH", valueField, m.Value)
	case !wireValue.MatchString(m.Value):
		return money{}, malformed("INVALID_PARAMETER_SYNTAX", valueField, m.Value)
	case !isOneOf(supported, m.Currency):
		return money{}, unprocessable("INVALID_CURRENCY_CODE", "Currency code is invalid or is not currently supported.").
			at(field+"/currency_code", m.Currency)
	}
	whole, fraction, hasPoint := strings.Cut(m.Value, ".")
	n := places(m.Currency)
	switch {
	case hasPoint && n == 0:
		return money{}, unprocessable("DECIMALS_NOT_SUPPORTED", "Currency does not support decimals.").at(valueField, m.Value)
	case len(fraction) > n:
		return money{}, unprocessable("DECIMAL_PRECISION", "Only two decimal place precision is supported.").at(valueField, m.Value)
	}
	minor, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", n-len(fraction)), 10, 64)
	if err != nil || minor > mostMinor {
		return money{}, unprocessable("MAX_VALUE_EXCEEDED", "Should be less than or equal to 999999999999999.99.").at(valueField, m.Value)
	}
	return money{m.Currency, minor}, nil
}

// positive is parse for what is to be paid.
func (m wireMoney) positive(field string) (money, *apiError) {
	amount, e := m.parse(field)
	if e == nil && amount.Minor <= 0 {
		e = unprocessable("CANNOT_BE_ZERO_OR_NEGATIVE", "Must be greater than zero.").at(field+"/value", m.Value)
	}
	return amount, e
}

// notNegative is parse for a part of a sum.
func (m wireMoney) notNegative(field string) (money, *apiError) {
	amount, e := m.parse(field)
	if e == nil && amount.Minor < 0 {
		e = unprocessable("CANNOT_BE_NEGATIVE", "Must be greater than or equal to 0.").at(field+"/value", m.Value)
	}
	return amount, e
}

func (m money) of(minor int64) money { return money{m.Currency, minor} }

func (m money) value() string { return standin.Decimal(m.Minor, places(m.Currency)) }

func (m money) String() string { return m.value() + " " + m.Currency }

// MarshalJSON writes what PayPal does: always two decimals, or none, whatever
// the request's spelling was.
func (m money) MarshalJSON() ([]byte, error) { return json.Marshal(wireMoney{m.Currency, m.value()}) }

// UnmarshalJSON reads the state file.
func (m *money) UnmarshalJSON(data []byte) error {
	var wire wireMoney
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	amount, e := wire.parse("")
	if e != nil {
		return fmt.Errorf("%s is no amount", data)
	}
	*m = amount
	return nil
}
