package postgres

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
)

func TestClock_IsReadWithinItsRoundTrip(t *testing.T) {
	db, err := connect(pgtest.New(t), 0)
	require.NoError(t, err)
	defer db.Close()
	r, err := (&DB{db: db}).Clock(t.Context())
	require.NoError(t, err)
	// The same machine: the two lie apart by the round trip at most.
	require.LessOrEqual(t, r.At.Sub(r.Asked).Abs(), r.Within+time.Millisecond)
}
