package main

import (
	"maps"
	"slices"

	"github.com/superpayhub/superpay/sdk"
)

// decimals are the currencies that Acmepay takes, and how many decimals its
// amounts have in each. A provider that counts a currency otherwise than ISO
// 4217 needs both numbers: see Money.Rescale.
var decimals = map[string]int{"EUR": 2, "GBP": 2, "JPY": 0, "KWD": 3, "USD": 2}

func currencies() []string { return slices.Sorted(maps.Keys(decimals)) }

// toWire writes an amount as Acmepay reads it. What it cannot take exactly is
// rejected before anything is sent, never rounded.
func toWire(m sdk.Money) (string, error) {
	places, known := decimals[m.Currency]
	if !known {
		return "", sdk.Rejected(sdk.Failure{Code: sdk.FailureCurrency, Message: "Acmepay does not take " + m.Currency + "."})
	}
	exact, err := m.Rescale(places)
	if err != nil || m.Amount <= 0 {
		return "", sdk.Rejected(sdk.Failure{Code: sdk.FailureAmount, Message: "Acmepay cannot take " + m.String() + "."})
	}
	return exact.Decimal(), nil
}

// fromWire reads an amount of Acmepay's.
func fromWire(amount, currency string) (sdk.Money, error) {
	places, known := decimals[currency]
	if !known {
		places = 2
	}
	return sdk.ParseDecimal(amount, currency, places)
}
