package sandbox

import "strings"

// listedMinimums are the least charges that Stripe names, in its own minor units
// (docs.stripe.com/currencies, minimum and maximum charge amounts).
var listedMinimums = map[string]int64{
	"usd": 50, "aud": 50, "brl": 50, "cad": 50, "chf": 50, "eur": 50, "inr": 50, "nzd": 50, "sgd": 50, "gbp": 30,
	"aed": 200, "czk": 1500, "dkk": 250, "hkd": 400, "huf": 17500, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300,
	"pln": 200, "ron": 200, "sek": 300, "thb": 1000, "bgn": 100,
}

// perDollar is about how much of a currency one US dollar buys, for the currencies
// that Stripe names no minimum for. Stripe converts such an amount to the account's
// own currency, here US dollars, and wants 0.50 of that. The rates are round: they
// say what is far too little, not what a bank pays. A currency that is absent counts
// as worth a dollar.
var perDollar = map[string]int64{
	"afn": 70, "all": 90, "amd": 390, "aoa": 900, "ars": 1400, "bdt": 120, "bif": 2900, "bob": 7, "bwp": 13, "byn": 3,
	"bzd": 2, "cdf": 2800, "clp": 950, "cny": 7, "cop": 4000, "crc": 500, "cve": 100, "djf": 178, "dop": 60, "dzd": 130,
	"egp": 50, "etb": 140, "fjd": 2, "gel": 3, "gmd": 70, "gnf": 8600, "gtq": 8, "gyd": 209, "hnl": 25, "htg": 130,
	"idr": 16000, "ils": 4, "isk": 125, "jmd": 160, "kes": 129, "kgs": 87, "khr": 4000, "kmf": 420, "krw": 1400, "kzt": 520,
	"lak": 21500, "lbp": 89500, "lkr": 300, "lrd": 190, "lsl": 18, "mad": 10, "mdl": 17, "mga": 4500, "mkd": 53, "mmk": 2100,
	"mnt": 3400, "mop": 8, "mur": 45, "mvr": 15, "mwk": 1700, "mzn": 64, "nad": 18, "ngn": 1500, "nio": 37, "npr": 140,
	"pen": 4, "pgk": 4, "php": 58, "pkr": 280, "pyg": 7500, "qar": 4, "rsd": 100, "rub": 85, "rwf": 1400, "sar": 4,
	"sbd": 8, "scr": 14, "sle": 23, "sos": 570, "srd": 38, "std": 21000, "szl": 18, "tjs": 10, "top": 2, "try": 40,
	"ttd": 7, "twd": 32, "tzs": 2600, "uah": 41, "ugx": 3600, "uyu": 40, "uzs": 12500, "vnd": 26000, "vuv": 120, "wst": 3,
	"xaf": 560, "xcd": 3, "xof": 560, "xpf": 105, "yer": 240, "zar": 18, "zmw": 27,
}

// longAmounts are the currencies whose amounts may have more than eight digits, by
// how many: their unit is small (docs.stripe.com/currencies).
var longAmounts = map[string]int{"idr": 12, "lbp": 12, "cop": 10, "huf": 10, "jpy": 10, "inr": 9}

// minimum is the least that can be charged, in Stripe's minor units.
func minimum(currency string) int64 {
	if listed := listedMinimums[currency]; listed > 0 {
		return listed
	}
	half := max(1, max(1, perDollar[currency])*tenTo(places(currency))/2)
	if isOneOf(wholeHundred, currency) {
		return (half + 99) / 100 * 100
	}
	return half
}

// maximum is the most that can be charged at once, in Stripe's minor units.
func maximum(currency string) int64 {
	digits := longAmounts[currency]
	if digits == 0 {
		digits = 8
	}
	return tenTo(digits) - 1
}

func tenTo(n int) int64 {
	power := int64(1)
	for range n {
		power *= 10
	}
	return power
}

// checkCharge is checkGrain with the limits on what can be charged at once.
func checkCharge(amount int64, currency, param string) *apiError {
	if e := checkGrain(amount, currency, param); e != nil {
		return e
	}
	least, most := minimum(currency), maximum(currency)
	switch {
	case amount < least && amount > 0 && listedMinimums[currency] == 0:
		return invalid("amount_too_small", param, "Amount must convert to at least 50 cents. %s %s is less than that; %s is enough.",
			decimal(amount, currency), strings.ToUpper(currency), money(least, currency))
	case amount < least:
		return invalid("amount_too_small", param, "Amount must be at least %s", money(least, currency))
	case amount > most:
		return invalid("amount_too_large", param, "Amount must be no more than %s", money(most, currency))
	}
	return nil
}
