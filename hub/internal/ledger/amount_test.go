package ledger

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAmount_Typed: an amount is digits alone, or a decimal with at most the
// currency's digits; what could be read in two ways is none.
func TestAmount_Typed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"1": 1, "1050": 1050, "999999999999": MaxAmount} {
		a, err := ParseMinor(text)
		require.NoError(t, err, text)
		require.Equal(t, want, a.Of(5), text)
	}
	for _, text := range []string{"", "0", "-0", "-1", "+1", "0500", "00001050", "0x10", "0b11", "1_000", "1,000", "1.0", " 1", "1e3", "1000000000000", "١"} {
		_, err := ParseMinor(text)
		require.Error(t, err, text)
	}
	for _, c := range []struct {
		text     string
		exponent int
		want     int64
	}{{"10.50", 2, 1050}, {"10.5", 2, 1050}, {"10", 2, 1000}, {"0.01", 2, 1}, {"1050", 0, 1050}, {"1.234", 3, 1234}, {"9999999999.99", 2, MaxAmount}} {
		a, err := ParseMajor(c.text, "USD", c.exponent)
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, a.Of(5), c.text)
	}
	for _, text := range []string{"", "0", "0.00", "-1", "1.", ".5", "01.00", "10,50", "1,000.00", "1.000,50", "1 000", "1e3", "10000000000.00", "ten"} {
		_, err := ParseMajor(text, "USD", 2)
		require.Error(t, err, text)
	}
	_, err := ParseMajor("1.000", "USD", 2)
	require.ErrorContains(t, err, `"1.000" can be read as 1000 or 1.000, and USD has 2 digits after the point: write it as 10.50`)
}

// TestAmount_NeitherIsRefused: what was left out is not all.
func TestAmount_NeitherIsRefused(t *testing.T) {
	t.Parallel()
	for _, a := range []Amount{{}, Minor(0), Minor(-1), Minor(MaxAmount + 1)} {
		require.Error(t, a.Check(), a)
	}
	require.NoError(t, All().Check())
	require.NoError(t, Minor(1).Check())
	require.Equal(t, int64(700), All().Of(700))
	for want, a := range map[string]Amount{"0": All(), "1050": Minor(1050)} {
		b, err := json.Marshal(a)
		require.NoError(t, err)
		require.Equal(t, want, string(b))
	}
}
