package sandbox

import (
	"math/big"
	"strings"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

const (
	// supported are the currencies Stripe takes; anything else is refused.
	supported = "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd " +
		"cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl " +
		"htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk " +
		"mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf " +
		"sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf " +
		"xcd xof xpf yer zar zmw"
	zeroDecimal  = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
	wholeHundred = "isk ugx" // zero-decimal in fact, sent times 100
	threeDecimal = "bhd jod kwd omr tnd"
)

func isOneOf(list, word string) bool {
	return word != "" && !strings.Contains(word, " ") && strings.Contains(" "+list+" ", " "+word+" ")
}

func checkCurrency(currency, param string) *apiError {
	if !isOneOf(supported, strings.ToLower(currency)) {
		return invalid("", param, "Invalid currency: %s. Stripe currently supports these currencies: %s", currency,
			strings.ReplaceAll(supported, " ", ", "))
	}
	return nil
}

// checkGrain refuses amounts finer than the currency can be paid in.
func checkGrain(amount int64, currency, param string) *apiError {
	switch {
	case isOneOf(wholeHundred, currency) && amount%100 != 0:
		return invalid("", param, "Invalid amount: amounts in %s must end in 00", strings.ToUpper(currency))
	case isOneOf(threeDecimal, currency) && amount%10 != 0:
		return invalid("", param, "Invalid amount: the last digit of an amount in %s must be 0", strings.ToUpper(currency))
	}
	return nil
}

// places are the decimals of Stripe's unit of a currency.
func places(currency string) int {
	switch {
	case isOneOf(zeroDecimal, currency):
		return 0
	case isOneOf(threeDecimal, currency):
		return 3
	}
	return 2
}

// decimal writes one of Stripe's amounts in major units with as many decimals
// as ISO 4217 gives the currency, which is not what Stripe gives it.
func decimal(amount int64, currency string) string {
	switch {
	case isOneOf(wholeHundred, currency):
		return standin.Decimal(amount/100, 0)
	case currency == "mga":
		return standin.Decimal(amount, 0) + ".00"
	}
	return standin.Decimal(amount, places(currency))
}

func money(amount int64, currency string) string {
	return decimal(amount, currency) + " " + strings.ToUpper(currency)
}

// parseMajor reads what a person typed, "4" or "4.00", as Stripe's amount.
func parseMajor(text, currency string) (int64, bool) {
	value, ok := new(big.Rat).SetString(strings.TrimSpace(text))
	if !ok || len(text) > 20 || strings.ContainsAny(text, "eE/") {
		return 0, false
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places(currency))), nil)
	value.Mul(value, new(big.Rat).SetInt(scale))
	if !value.IsInt() || value.Sign() <= 0 || !value.Num().IsInt64() {
		return 0, false
	}
	return value.Num().Int64(), true
}
