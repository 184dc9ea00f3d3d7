package sandbox

import (
	"slices"
	"strings"
)

// fate is what becomes of a payment with a test card.
type fate int

const (
	succeeds       fate = iota
	declines            // 402, nothing is taken
	authenticates       // 3-D Secure first, then succeeds, or declines if it has a code
	disputed            // succeeds, and is disputed at once
	inquired            // succeeds, and the bank asks about it at once
	refundsSlowly       // succeeds; its refunds stay pending, then succeed
	refundsBounces      // succeeds; its refunds succeed, then fail
	blocked             // Radar refuses it before the bank is asked
	risky               // succeeds, at an elevated risk
)

// testCard is one of Stripe's published test numbers (docs.stripe.com/testing).
type testCard struct {
	Number, Note               string // as the pages show them
	Name                       string // after "tok_" and "pm_card_"
	fate                       fate
	code, declineCode, message string
}

const generic = "Your card was declined."

// testCards are those that the pages offer. Their last four digits differ.
var testCards = []testCard{
	{Number: "4242 4242 4242 4242", Note: "succeeds", Name: "visa"},
	{Number: "5555 5555 5555 4444", Note: "succeeds (Mastercard)", Name: "mastercard"},
	{Number: "3782 822463 10005", Note: "succeeds (American Express)", Name: "amex"},
	{"4000 0000 0000 0002", "is declined", "chargeDeclined", declines, "card_declined", "generic_decline", generic},
	{
		"4000 0000 0000 9995", "has insufficient funds", "chargeDeclinedInsufficientFunds", declines,
		"card_declined", "insufficient_funds", "Your card has insufficient funds.",
	},
	{"4000 0000 0000 9987", "was lost", "chargeDeclinedLostCard", declines, "card_declined", "lost_card", generic},
	{"4000 0000 0000 9979", "was stolen", "chargeDeclinedStolenCard", declines, "card_declined", "stolen_card", generic},
	{"4000 0000 0000 0069", "has expired", "chargeDeclinedExpiredCard", declines, "expired_card", "", "Your card has expired."},
	{
		"4000 0000 0000 0127", "has another CVC", "chargeDeclinedIncorrectCvc", declines,
		"incorrect_cvc", "", "Your card's security code is incorrect.",
	},
	{
		"4000 0000 0000 0119", "cannot be processed now", "chargeDeclinedProcessingError", declines,
		"processing_error", "", "An error occurred while processing your card. Try again in a little bit.",
	},
	{Number: "4000 0025 0000 3155", Note: "asks for 3-D Secure", Name: "authenticationRequiredOnSetup", fate: authenticates},
	{Number: "4000 0027 6000 3184", Note: "asks for 3-D Secure every time", Name: "authenticationRequired", fate: authenticates},
	{
		"4000 0082 6000 3178", "asks for 3-D Secure, then has insufficient funds",
		"authenticationRequiredChargeDeclinedInsufficientFunds", authenticates,
		"card_declined", "insufficient_funds", "Your card has insufficient funds.",
	},
	{Number: "4000 0000 0000 0259", Note: "succeeds, then is disputed", Name: "createDispute", fate: disputed},
	{Number: "4000 0000 0000 1976", Note: "succeeds, then is inquired about", Name: "createDisputeInquiry", fate: inquired},
	{Number: "4000 0000 0000 7726", Note: "succeeds; refunds take a while", Name: "pendingRefund", fate: refundsSlowly},
	{Number: "4000 0000 0000 5126", Note: "succeeds; refunds fail afterwards", Name: "refundFail", fate: refundsBounces},
	{
		"4100 0000 0000 0019", "is blocked by Radar", "radarBlock", blocked,
		"card_declined", "fraudulent", generic,
	},
	{Number: "4000 0000 0000 9235", Note: "succeeds, at an elevated risk", Name: "riskLevelElevated", fate: risky},
}

// unknownCard answers for every other number: no stand-in should ever be told
// a real one, and none is kept.
var unknownCard = testCard{
	fate: declines, code: "incorrect_number", message: "Your card number is incorrect. Use one of the test cards.",
}

// refusedAuthentication is what a payer who fails 3-D Secure leaves behind.
var refusedAuthentication = testCard{
	code:    "payment_intent_authentication_failure",
	message: "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
}

// authenticationNeeded is a bank's refusal where the payer cannot be asked.
var authenticationNeeded = testCard{
	code: "authentication_required", declineCode: "authentication_required",
	message: "Your card was declined. This transaction requires authentication.",
}

// authenticationUnhandled answers a merchant who said they cannot ask.
var authenticationUnhandled = testCard{
	code: "authentication_required", declineCode: "authentication_not_handled",
	message: "This payment required an authentication action to complete, but `error_on_requires_action` was set.",
}

// findCard finds the card of a typed number.
func findCard(number string) (testCard, bool) {
	digits := strings.NewReplacer(" ", "", "-", "").Replace(number)
	return whichCard(func(card testCard) bool { return strings.ReplaceAll(card.Number, " ", "") == digits })
}

// whichCard finds a card among all that Stripe publishes.
func whichCard(is func(testCard) bool) (testCard, bool) {
	for _, list := range [][]testCard{testCards, moreCards} {
		if i := slices.IndexFunc(list, is); i >= 0 {
			return list[i], true
		}
	}
	return unknownCard, false
}

// Last4 is all that Stripe shows of a number.
func (c testCard) Last4() string { return c.Number[len(c.Number)-4:] }

// cardEnding finds a card of the pages by its last digits, for state that is from
// before cards were kept by name.
func cardEnding(last4 string) testCard {
	for _, card := range testCards {
		if card.Last4() == last4 {
			return card
		}
	}
	return unknownCard
}

// cardNamed is the card that was kept under a name.
func cardNamed(name, last4 string) testCard {
	if name == "" {
		return cardEnding(last4)
	}
	card, _ := whichCard(func(card testCard) bool { return card.Name == name })
	return card
}

// published finds the card behind one of Stripe's reusable names, tok_visa or
// pm_card_visa. The declined ones are also called tok_visa_chargeDeclined….
func published(prefix, id string) (testCard, bool) {
	name, ok := strings.CutPrefix(id, prefix)
	if !ok || name == "" {
		return testCard{}, false
	}
	if rest, also := strings.CutPrefix(name, "visa_"); also && strings.HasPrefix(rest, "chargeDeclined") {
		name = rest
	}
	return whichCard(func(card testCard) bool { return card.Name == name })
}

// brand is the network as a charge spells it.
func (c testCard) brand() string {
	for _, network := range []struct{ prefix, name string }{
		{"30", "diners"}, {"36", "diners"}, {"35", "jcb"}, {"37", "amex"}, {"5", "mastercard"}, {"60", "discover"}, {"62", "unionpay"},
	} {
		if strings.HasPrefix(c.Number, network.prefix) {
			return network.name
		}
	}
	return "visa"
}

// funding is how the payer's account behind the card is fed.
func (c testCard) funding() string {
	for _, kind := range []string{"debit", "prepaid"} {
		if strings.HasSuffix(c.Name, "_"+kind) {
			return kind
		}
	}
	return "credit"
}

// country is where the card was issued: those named by a country are from there.
func (c testCard) country() string {
	name, _, _ := strings.Cut(c.Name, "_")
	if len(name) == 2 {
		return strings.ToUpper(name)
	}
	return "US"
}

// checks are the bank's answers to what the payer typed beside the number.
func (c testCard) checks() map[string]any {
	answers := map[string]any{"address_line1_check": nil, "address_postal_code_check": nil, "cvc_check": "pass"}
	failing := map[string][]string{
		"cvcCheckFail": {"cvc_check"}, "avsFail": {"address_line1_check", "address_postal_code_check"},
		"avsLine1Fail": {"address_line1_check"}, "avsZipFail": {"address_postal_code_check"},
	}
	for _, check := range failing[c.Name] {
		answers[check] = "fail"
	}
	return answers
}

// refusal is what a charge tells of a card that was refused.
func (c testCard) refusal() map[string]any {
	if c.fate == blocked {
		return map[string]any{
			"network_status": "not_sent_to_network", "reason": "highest_risk_level", "risk_level": "highest", "type": "blocked",
			"seller_message": "Stripe blocked this payment as too risky.",
		}
	}
	return map[string]any{"network_status": "declined_by_network", "reason": c.declineCode, "type": "issuer_declined"}
}

// approval is what a charge tells of a card that was accepted.
func (c testCard) approval() map[string]any {
	level := "normal"
	if c.fate == risky {
		level = "elevated"
	}
	return map[string]any{
		"network_status": "approved_by_network", "reason": nil, "risk_level": level, "type": "authorized", "seller_message": "Payment complete.",
	}
}

// disputeReason is why the payer of a disputed card complains.
func (c testCard) disputeReason() string {
	if c.Name == "createDisputeProductNotReceived" {
		return "product_not_received"
	}
	return "fraudulent"
}
