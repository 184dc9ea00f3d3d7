package ledger

import (
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
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

func TestID_LinesRiseWhateverIsDecidedAtOnce(t *testing.T) {
	t.Parallel()
	c := counter{entropy: ulid.Monotonic(rand.Reader, 0)} // other tests have other clocks
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			now := time.Now()
			for i, last := 0, (ulid.ULID{}); i < 2000; i++ {
				if i%3 == 0 { // the next change, decided at one moment
					now = time.Now()
				}
				id := c.next(ulid.Timestamp(now))
				if id.Compare(last) <= 0 {
					t.Errorf("%s comes after %s", id, last)
					return
				}
				last = id
			}
		})
	}
	all.Wait()
}
