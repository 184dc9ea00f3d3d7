package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestID_TellsWhenItWasMade(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{time.Now(), time.Date(2031, 12, 31, 23, 59, 59, 999_000_000, time.UTC)} {
		id := NewID(OrderID, at)
		require.LessOrEqual(t, FirstID(OrderID, at), id)
		require.Less(t, id, FirstID(OrderID, at.Add(time.Millisecond)))
		from, to := BegunBetween(id[:len(OrderID)+1+IDBegin])
		require.False(t, at.Truncate(time.Millisecond).Before(from), from)
		require.False(t, at.Truncate(time.Millisecond).After(to), to)
		require.Less(t, to.Sub(from), 20*time.Minute)
	}
}
