package sandbox

import "strings"

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
)

// testCard is one of Stripe's published test numbers. Their last four digits
// differ, so that those are enough to know one by.
type testCard struct {
	Number, Note               string // as the pages show them
	Name                       string // after "tok_" and "pm_card_"
	fate                       fate
	code, declineCode, message string
}

const generic = "Your card was declined."

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

func findCard(number string) (testCard, bool) {
	digits := strings.NewReplacer(" ", "", "-", "").Replace(number)
	for _, card := range testCards {
		if strings.ReplaceAll(card.Number, " ", "") == digits {
			return card, true
		}
	}
	return unknownCard, false
}

// Last4 is all that Stripe, and the stand-in, keeps of a number.
func (c testCard) Last4() string { return c.Number[len(c.Number)-4:] }

// cardEnding finds a test card by its last digits.
func cardEnding(last4 string) testCard {
	for _, card := range testCards {
		if card.Last4() == last4 {
			return card
		}
	}
	return unknownCard
}

// published finds the card behind one of Stripe's reusable names, tok_visa or
// pm_card_visa.
func published(prefix, id string) (testCard, bool) {
	for _, card := range testCards {
		if id == prefix+card.Name {
			return card, true
		}
	}
	return testCard{}, false
}

// brand is the network as a charge spells it.
func (c testCard) brand() string {
	switch c.Number[0] {
	case '3':
		return "amex"
	case '5':
		return "mastercard"
	}
	return "visa"
}
