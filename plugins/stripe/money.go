package main

import (
	"fmt"
	"strings"

	"github.com/superpayhub/superpay/sdk"
)

// unit says how Stripe counts a currency, beside how ISO 4217 does.
type unit struct {
	wire     int   // minor digits of Stripe's amount
	iso      int   // minor digits of ISO 4217
	multiple int64 // Stripe's amount must be a multiple of it
	digits   int   // how many digits Stripe's amount may have
}

// units is Stripe's table (docs.stripe.com/currencies), which is not ISO's:
// MGA has no minor unit at Stripe, ISK and UGX are sent with two digits that
// must be 00, three-decimal currencies must end in 0. HUF and TWD are ordinary
// when charged; only payouts treat them otherwise.
var units = func() map[string]unit {
	table := map[string]unit{}
	add := func(u unit, codes string) {
		for _, code := range strings.Fields(codes) {
			table[code] = u
		}
	}
	add(unit{2, 2, 1, 8}, `AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD
		BTN BWP BYN BZD CAD CDF CHF CNY CRC CVE CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ
		GYD HKD HNL HTG ILS JMD KES KGS KHR KYD KZT LAK LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK
		MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD
		SHP SLE SOS SRD STN SZL THB TJS TOP TRY TTD TWD TZS UAH USD UYU UZS WST XCD YER ZAR ZMW`)
	add(unit{0, 0, 1, 8}, "BIF CLP DJF GNF KMF KRW PYG RWF VND VUV XAF XOF XPF")
	// Small units: Stripe takes more digits, how many depends on the account,
	// so it is left to answer amount_too_large itself.
	add(unit{2, 2, 1, 12}, "COP HUF IDR INR LBP")
	add(unit{0, 0, 1, 12}, "JPY")
	add(unit{0, 2, 1, 8}, "MGA")
	add(unit{2, 0, 100, 8}, "ISK UGX")
	add(unit{3, 3, 10, 8}, "BHD JOD KWD OMR TND")
	return table
}()

// toWire converts money to Stripe's amount and its lower-case currency. What
// Stripe cannot take exactly is rejected before anything is sent, never rounded.
func toWire(m sdk.Money) (amount int64, currency string, err error) {
	u, known := units[m.Currency]
	if !known {
		return 0, "", sdk.Rejected(sdk.Failure{
			Code:    sdk.FailureCurrency,
			Message: fmt.Sprintf("Stripe does not take the currency %q.", m.Currency),
		})
	}
	wire, err := m.Rescale(u.wire)
	switch {
	case err != nil || wire.Amount%u.multiple != 0:
		return 0, "", badAmount("Stripe cannot take %s exactly.", m)
	case wire.Amount <= 0:
		return 0, "", badAmount("%s is not a positive amount.", m)
	case len(fmt.Sprint(wire.Amount)) > u.digits:
		return 0, "", badAmount("%s is more than Stripe takes.", m)
	}
	return wire.Amount, strings.ToLower(m.Currency), nil
}

func badAmount(format string, m sdk.Money) error {
	return sdk.Rejected(sdk.Failure{Code: sdk.FailureAmount, Message: fmt.Sprintf(format, m)})
}

// fromWire reads an amount of Stripe's as ISO counts it. What happened must
// always be recordable, so nothing is refused here: a currency that the table
// lacks has two digits, as Stripe's rule for all others says, and digits that
// ISO has no room for are kept under Stripe's exponent.
func fromWire[C ~string](amount int64, currency C) sdk.Money {
	if currency == "" {
		return sdk.Money{}
	}
	code := strings.ToUpper(string(currency))
	u, known := units[code]
	if !known {
		u = unit{wire: 2, iso: 2}
	}
	m := sdk.Money{Amount: amount, Currency: code, Exponent: u.wire}
	if iso, err := m.Rescale(u.iso); err == nil {
		return iso
	}
	return m
}
