package ledger

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEvent_LargeAmountsKeepTheirLastDigit: an amount beyond 2^53 is read from
// the timeline as it was written.
func TestEvent_LargeAmountsKeepTheirLastDigit(t *testing.T) {
	doc, err := json.Marshal(Event{Data: Data{"amount": int64(9007199254740993)}})
	require.NoError(t, err)
	var e Event
	require.NoError(t, json.Unmarshal(doc, &e))
	again, err := json.Marshal(e)
	require.NoError(t, err)
	require.JSONEq(t, string(doc), string(again))
	require.Contains(t, string(again), "9007199254740993")
}
