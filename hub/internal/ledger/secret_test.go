package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk"
)

// TestSecret_DerivesOneKeyForEachRequest: everything that tells two requests of
// apps apart tells their keys apart, and nothing else does.
func TestSecret_DerivesOneKeyForEachRequest(t *testing.T) {
	s := Secret("a secret of the hub")
	key := s.ProviderKey("app_1", sdk.OpRefund, "key")
	require.Equal(t, key, s.ProviderKey("app_1", sdk.OpRefund, "key"))
	require.Regexp(t, `^[0-9a-f]{32}$`, key)
	others := []string{
		s.ProviderKey("app_2", sdk.OpRefund, "key"), s.ProviderKey("app_1", sdk.OpCapture, "key"),
		s.ProviderKey("app_1", sdk.OpRefund, "key2"), s.ProviderKey("app_", sdk.OpRefund, "1key"),
		s.ProviderKey("app_1r", "efund", "key"), Secret("another").ProviderKey("app_1", sdk.OpRefund, "key"),
		s.KeyHash("app_1", "key"),
	}
	for i, other := range others {
		require.NotEqual(t, key, other, i)
	}
}

// TestOperation_PartKey: each part of an operation has a key of its own, by what
// it acts on, also where the operation is known by its id.
func TestOperation_PartKey(t *testing.T) {
	key := Secret("a secret of the hub").ProviderKey("app_1", sdk.OpRefund, "key")
	op := &Operation{ID: "op_1", DerivedKey: &key}
	own := &Operation{ID: "op_1"}
	require.Regexp(t, `^[0-9a-f]{32}$`, op.PartKey("ch_1"))
	require.Equal(t, op.PartKey("ch_1"), op.PartKey("ch_1"))
	require.NotEqual(t, op.PartKey("ch_1"), op.PartKey("ch_2"))
	require.NotEqual(t, op.PartKey("ch_1"), op.ProviderKey())
	require.NotEqual(t, op.PartKey("ch_1"), own.PartKey("ch_1"))
}
