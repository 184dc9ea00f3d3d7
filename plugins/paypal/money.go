package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// amount is how PayPal writes money: a decimal string and an upper-case code.
type amount struct {
	Currency string `json:"currency_code"`
	Value    string `json:"value"`
}

// unit says how many decimals PayPal takes of a currency, beside ISO 4217.
type unit struct{ wire, iso int }

// units are the currencies of PayPal accounts (developer.paypal.com/api/rest/reference/currency-codes).
// HUF, JPY and TWD "do not support decimals. If you pass a decimal amount, an
// error occurs"; ISO gives HUF and TWD two.
var units = func() map[string]unit {
	table := map[string]unit{"HUF": {0, 2}, "JPY": {0, 0}, "TWD": {0, 2}}
	for _, code := range strings.Fields("AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD ILS MXN MYR NOK NZD PHP PLN SEK SGD THB USD") {
		table[code] = unit{2, 2}
	}
	return table
}()

var currencies = func() []string {
	var all []string
	for code := range units {
		all = append(all, code)
	}
	slices.Sort(all)
	return all
}()

// toWire converts money to PayPal's amount. What PayPal cannot take exactly is
// rejected before anything is sent, never rounded.
func toWire(m sdk.Money) (*amount, error) {
	u, known := units[m.Currency]
	if !known {
		return nil, sdk.Rejected(sdk.Failure{
			Code:    sdk.FailureCurrency,
			Message: fmt.Sprintf("PayPal does not take the currency %q.", m.Currency),
		})
	}
	wire, err := m.Rescale(u.wire)
	switch {
	case err != nil:
		return nil, badAmount("PayPal cannot take %s exactly.", m)
	case wire.Amount <= 0:
		return nil, badAmount("%s is not a positive amount.", m)
	}
	return &amount{Currency: m.Currency, Value: wire.Decimal()}, nil
}

func badAmount(format string, m sdk.Money) error {
	return sdk.Rejected(sdk.Failure{Code: sdk.FailureAmount, Message: fmt.Sprintf(format, m)})
}

// money reads an amount of PayPal's as ISO counts it. What happened must always
// be recordable: an unknown currency has two digits, and digits that ISO has no
// room for are kept. An amount that was not told is zero.
func (a *amount) money() (sdk.Money, error) {
	if a == nil || *a == (amount{}) {
		return sdk.Money{}, nil
	}
	u, known := units[a.Currency]
	if !known {
		u = unit{iso: 2}
	}
	value := a.Value // PayPal's pattern allows ".5" and "-.5"
	if digits, negative := strings.CutPrefix(value, "-"); strings.HasPrefix(digits, ".") {
		value = "0" + digits
		if negative {
			value = "-" + value
		}
	}
	const most = 6 // of the digits that ParseDecimal reads
	m, err := sdk.ParseDecimal(value, a.Currency, most)
	if err != nil || len(a.Currency) != 3 || a.Currency != strings.ToUpper(a.Currency) {
		return sdk.Money{}, once.ErrUnreadable
	}
	for exponent := u.iso; exponent < most; exponent++ {
		if exact, err := m.Rescale(exponent); err == nil {
			return exact, nil
		}
	}
	return m, nil
}
