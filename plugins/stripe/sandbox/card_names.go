package sandbox

// moreCards are the cards that the pages do not offer: by network, by country, and
// for cases that few look for. They are known by name (docs.stripe.com/testing), as
// the last four digits of some are also another's.
var moreCards = append([]testCard{
	{Number: "4000056655665556", Name: "visa_debit"},
	{Number: "5200828282828210", Name: "mastercard_debit"},
	{Number: "5105105105105100", Name: "mastercard_prepaid"},
	{Number: "6011111111111117", Name: "discover"},
	{Number: "3056930009020004", Name: "diners"},
	{Number: "3566002020360505", Name: "jcb"},
	{Number: "6200000000000005", Name: "unionpay"},
	{Number: "4000000000000077", Name: "bypassPending"},
	{Number: "4000000000000010", Name: "avsFail"},
	{Number: "4000000000000028", Name: "avsLine1Fail"},
	{Number: "4000000000000036", Name: "avsZipFail"},
	{Number: "4000000000000044", Name: "avsUnchecked"},
	{Number: "4000000000000101", Name: "cvcCheckFail"},
	{Number: "4000000000003055", Name: "threeDSecureOptional"},
	{Number: "4000000000003220", Name: "threeDSecure2Required", fate: authenticates},
	{Number: "4000000000003063", Name: "threeDSecureRequired", fate: authenticates},
	{"4000008400001629", "", "threeDSecureRequiredChargeDeclined", authenticates, "card_declined", "generic_decline", generic},
	{
		"4000008400001280", "", "threeDSecureRequiredProcessingError", authenticates,
		"processing_error", "", "An error occurred while processing your card. Try again in a little bit.",
	},
	{"4000000000004954", "", "riskLevelHighest", blocked, "card_declined", "fraudulent", generic},
	{"4100000000000019", "", "chargeDeclinedFraudulent", blocked, "card_declined", "fraudulent", generic},
	{
		"4000000000006975", "", "chargeDeclinedVelocityLimitExceeded", declines,
		"card_declined", "card_velocity_exceeded", "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
	},
	{"4000000000000341", "", "chargeCustomerFail", declines, "card_declined", "generic_decline", generic},
	{Number: "4000000000002685", Name: "createDisputeProductNotReceived", fate: disputed},
}, ofCountries(map[string]string{
	"ae": "4000007840000001", "ar": "4000000320000021", "at": "4000000400000008", "au": "4000000360000006",
	"be": "4000000560000004", "bg": "4000001000000000", "br": "4000000760000002", "by": "4000001120000005",
	"ca": "4000001240000000", "ch": "4000007560000009", "cl": "4000001520000001", "cn": "4000001560000002",
	"co": "4000001700000003", "cr": "4000001880000005", "cy": "4000001960000008", "cz": "4000002030000002",
	"de": "4000002760000016", "dk": "4000002080000001", "ec": "4000002180000000", "ee": "4000002330000009",
	"es": "4000007240000007", "fi": "4000002460000001", "fr": "4000002500000003", "gb": "4000008260000000",
	"gb_debit": "4000058260000005", "gi": "4000002920000005", "gr": "4000003000000030", "hk": "4000003440000004",
	"hr": "4000001910000009", "hu": "4000003480000005", "ie": "4000003720000005", "in": "4000003560000008",
	"it": "4000003800000008", "jp": "4000003920000003", "li": "4000004380000004", "lt": "4000004400000000",
	"lu": "4000004420000006", "lv": "4000004280000005", "mt": "4000004700000007", "mx": "4000004840008001",
	"my": "4000004580000002", "nl": "4000005280000002", "no": "4000005780000007", "nz": "4000005540000008",
	"pa": "4000005910000000", "pe": "4000006040000068", "pl": "4000006160000005", "pt": "4000006200000007",
	"py": "4000006000000066", "ro": "4000006420000001", "sa": "4000006820000007", "se": "4000007520000008",
	"sg": "4000007020000003", "si": "4000007050000006", "sk": "4000007030000001", "th": "4000007640000003",
	"tw": "4000001580000008", "us": "4242424242424242", "uy": "4000008580000003",
})...)

// ofCountries are cards that succeed, one from each country.
func ofCountries(numbers map[string]string) []testCard {
	var cards []testCard
	for country, number := range numbers {
		cards = append(cards, testCard{Number: number, Name: country})
	}
	return cards
}
