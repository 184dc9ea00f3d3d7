package sdk

import "strings"

// Exponent returns the number of minor digits of an ISO 4217 currency (2 for USD, 0 for
// JPY, 3 for KWD), and whether the code is known: upper case, today's codes and those
// of the last decades that orders may still have. A provider's own digits are another
// matter: see Money.
func Exponent(code string) (digits int, known bool) {
	digits, known = exponents[code]
	return digits, known
}

// exponents are by code. What ISO 4217 gives no minor unit (gold, special drawing
// rights) has none here either.
var exponents = func() map[string]int {
	all := map[string]int{}
	for digits, codes := range map[int]string{
		0: `BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XAG XAU XDR XOF XPF`,
		2: `AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP
			BYN BZD CAD CDF CHF CNY COP CRC CUC CUP CVE CZK DKK DOP DZD EEK EGP ERN ETB EUR FJD
			FKP GBP GEL GGP GHC GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS IMP INR IRR JEP
			JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL LTL LVL MAD MDL MGA MKD MMK MNT MOP
			MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON
			RSD RUB RUR SAR SBD SCR SDG SEK SGD SHP SKK SLE SLL SOS SRD SSP STD STN SVC SYP SZL
			THB TJS TMT TOP TRL TRY TTD TWD TZS UAH USD UYU UZS VED VEF VES WST XCD XCG YER ZAR
			ZMW ZWD ZWG ZWL`,
		3: `BHD IQD JOD KWD LYD OMR TND`,
		4: `CLF UYW`,
	} {
		for code := range strings.FieldsSeq(codes) {
			all[code] = digits
		}
	}
	return all
}()
