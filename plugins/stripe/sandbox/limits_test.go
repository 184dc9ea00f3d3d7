package sandbox

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLimits_FollowTheCurrency: the least that is worth 0.50 USD, and as many digits as
// Stripe gives the currency.
func TestLimits_FollowTheCurrency(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		currency    string
		least, most int64
	}{
		{"usd", 50, 99_999_999},
		{"krw", 700, 99_999_999},
		{"vnd", 13_000, 99_999_999},
		{"isk", 6_300, 99_999_900},
		{"kwd", 500, 99_999_990},
		{"pab", 50, 99_999_999},
		{"idr", 800_000, 999_999_999_999},
		{"cop", 200_000, 9_999_999_999},
		{"huf", 17_500, 9_999_999_999},
		{"jpy", 50, 9_999_999_999},
		{"inr", 50, 999_999_999},
	} {
		step := int64(1)
		for checkGrain(step, c.currency, "") != nil {
			step *= 10
		}
		require.Nil(t, checkCharge(c.least, c.currency, "amount"), c)
		require.Nil(t, checkCharge(c.most, c.currency, "amount"), c)
		require.Equal(t, "amount_too_small", checkCharge(c.least-step, c.currency, "amount").Code, c)
		require.Equal(t, "amount_too_large", checkCharge(c.most+step, c.currency, "amount").Code, c)
	}
	for currency := range strings.SplitSeq(supported, " ") {
		require.Greater(t, minimum(currency), int64(1), currency)
	}
	for currency := range perDollar {
		require.True(t, isOneOf(supported, currency), currency)
		require.Zero(t, listedMinimums[currency], currency)
	}
}

// TestCards_AreTestCards: each has a name of its own and a number that could be one.
func TestCards_AreTestCards(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, list := range [][]testCard{testCards, moreCards} {
		for _, card := range list {
			require.False(t, seen[card.Name], "%s is there twice", card.Name)
			seen[card.Name] = true
			require.Zero(t, luhn(card.Number), card.Name)
			found, ok := published("tok_", "tok_"+card.Name)
			require.True(t, ok)
			require.Equal(t, card, found)
			require.Equal(t, card, plasticOf(card, customer{}).card())
		}
	}
	old := plastic{Last4: "0002"} // from a state that kept no names
	require.Equal(t, "chargeDeclined", old.card().Name)
}

// luhn is the check sum of a card's number, 0 where it is right.
func luhn(number string) int {
	digits, sum := strings.ReplaceAll(number, " ", ""), 0
	for i := range len(digits) {
		digit := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			digit = digit*2/10 + digit*2%10
		}
		sum += digit
	}
	return sum % 10
}
