package sandbox

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFee_IsPayable: a fee is no finer than what can be paid in its currency.
func TestFee_IsPayable(t *testing.T) {
	t.Parallel()
	for _, currency := range []string{"usd", "jpy", "isk", "ugx", "kwd"} {
		for amount := int64(100_000); amount < 110_000; amount += 100 {
			ch := &charge{Currency: currency, AmountCaptured: amount}
			require.Nil(t, checkGrain(ch.fee(), currency, "fee"), "%d %s of %d", ch.fee(), currency, amount)
		}
	}
}
