package access

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLimit_IsOfEachApp(t *testing.T) {
	l, now := NewLimit(10), time.Now()
	for range 20 {
		require.Zero(t, l.Wait("a", now))
	}
	for range 100 { // refused ones do not push the end of the wait away
		require.Equal(t, 100*time.Millisecond, l.Wait("a", now).Round(time.Millisecond))
	}
	require.Zero(t, l.Wait("b", now))
	require.Zero(t, l.Wait("a", now.Add(101*time.Millisecond)))
	require.NotZero(t, l.Wait("a", now.Add(101*time.Millisecond)))
	require.Zero(t, NewLimit(0).Wait("a", now))
}
