package postgres

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRename_KnowsEveryTable whose rows name their provider.
func TestRename_KnowsEveryTable(t *testing.T) {
	db := openTest(t)
	var found []string
	require.NoError(t, db.db.Select(&found, `SELECT table_name FROM information_schema.columns WHERE table_schema = current_schema() AND column_name = 'provider' ORDER BY 1`))
	known := append([]string{"orders"}, ofProvider...)
	slices.Sort(known)
	require.Equal(t, known, found)
}
