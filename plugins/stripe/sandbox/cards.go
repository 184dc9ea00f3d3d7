package sandbox

import "strings"

// fate is what becomes of a payment with a test card.
type fate int

const (
	succeeds       fate = iota
	declines            // 402, nothing is taken
	authenticates       // 3-D Secure first, then succeeds
	disputed            // succeeds, and is disputed at once
	refundsSlowly       // succeeds; its refunds stay pending, then succeed
	refundsBounces      // succeeds; its refunds succeed, then fail
)

// testCard is one of Stripe's published test numbers.
type testCard struct {
	Number, Note               string // as the payment page shows them
	fate                       fate
	code, declineCode, message string
}

const generic = "Your card was declined."

var testCards = []testCard{
	{Number: "4242 4242 4242 4242", Note: "succeeds"},
	{"4000 0000 0000 0002", "is declined", declines, "card_declined", "generic_decline", generic},
	{"4000 0000 0000 9995", "has insufficient funds", declines, "card_declined", "insufficient_funds", "Your card has insufficient funds."},
	{"4000 0000 0000 9987", "was lost", declines, "card_declined", "lost_card", generic},
	{"4000 0000 0000 0069", "has expired", declines, "expired_card", "", "Your card has expired."},
	{"4000 0000 0000 0127", "has another CVC", declines, "incorrect_cvc", "", "Your card's security code is incorrect."},
	{Number: "4000 0025 0000 3155", Note: "asks for 3-D Secure", fate: authenticates},
	{Number: "4000 0027 6000 3184", Note: "asks for 3-D Secure every time", fate: authenticates},
	{Number: "4000 0000 0000 0259", Note: "succeeds, then is disputed", fate: disputed},
	{Number: "4000 0000 0000 7726", Note: "succeeds; refunds take a while", fate: refundsSlowly},
	{Number: "4000 0000 0000 5126", Note: "succeeds; refunds fail afterwards", fate: refundsBounces},
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

func findCard(number string) (testCard, bool) {
	digits := strings.NewReplacer(" ", "", "-", "").Replace(number)
	for _, card := range testCards {
		if strings.ReplaceAll(card.Number, " ", "") == digits {
			return card, true
		}
	}
	return unknownCard, false
}

// last4 is all that Stripe, and the stand-in, keeps of a number.
func (c testCard) last4() string { return c.Number[len(c.Number)-4:] }

// cardEnding finds the test card a charge was made with; their last digits
// differ.
func cardEnding(last4 string) testCard {
	for _, card := range testCards {
		if card.last4() == last4 {
			return card
		}
	}
	return unknownCard
}
