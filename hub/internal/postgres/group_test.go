package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
)

// held is a statement that ends when it is told to.
type held struct {
	mu   sync.Mutex
	runs [][]string
	gate chan struct{}
}

func (h *held) run(_ context.Context, asked []string) ([]string, error) {
	h.mu.Lock()
	h.runs = append(h.runs, slices.Clone(asked))
	h.mu.Unlock()
	<-h.gate
	out := make([]string, len(asked))
	for i, a := range asked {
		switch a {
		case "poison":
			return nil, errors.New("poison")
		case "panic":
			panic(a)
		}
		out[i] = "re " + a
	}
	return out, nil
}

// TestGroup_SharesAStatementAndNobodysTrouble: of those that come while one is
// under way, all that do not clash are taken together; each gets its own answer.
func TestGroup_SharesAStatementAndNobodysTrouble(t *testing.T) {
	for name, bad := range map[string]string{"all well": "", "one is poison": "poison", "one panics": "panic"} {
		t.Run(name, func(t *testing.T) {
			h := &held{gate: make(chan struct{})}
			g := &group[string, string]{atOnce: 1, run: h.run, clash: func(s string) []string { return []string{s} }}
			asks := []string{"first", "a", "b", "c", "a"}
			if bad != "" {
				asks = append(asks, bad)
			}
			var all sync.WaitGroup
			for i, ask := range asks {
				all.Go(func() {
					defer func() {
						if r := recover(); r != nil && r != bad {
							t.Errorf("%s: panic %v", ask, r)
						}
					}()
					answer, err := g.do(t.Context(), ask)
					if ask == bad {
						require.Error(t, err)
						return
					}
					require.NoError(t, err)
					require.Equal(t, "re "+ask, answer)
				})
				require.Eventually(t, func() bool {
					g.mu.Lock()
					defer g.mu.Unlock()
					return g.busy == 1 && len(g.waiting) == i
				}, 5*time.Second, time.Millisecond)
			}
			close(h.gate)
			all.Wait()
			require.Eventually(t, func() bool { g.mu.Lock(); defer g.mu.Unlock(); return g.busy == 0 }, 5*time.Second, time.Millisecond)
			require.Equal(t, []string{"first"}, h.runs[0], "who comes alone is not held up")
			together := []string{"a", "b", "c"}
			if bad != "" {
				together = append(together, bad)
			}
			require.Equal(t, together, h.runs[1], "those that wait are taken together, but not the same twice")
			require.Contains(t, h.runs, []string{"a"}, fmt.Sprint(h.runs))
			require.Empty(t, g.waiting)
		})
	}
}

func TestGroup_WhoGoesAwayIsNotWaitedFor(t *testing.T) {
	h := &held{gate: make(chan struct{})}
	g := &group[string, string]{atOnce: 1, run: h.run}
	var first sync.WaitGroup
	first.Go(func() { _, _ = g.do(t.Context(), "first") })
	require.Eventually(t, func() bool { g.mu.Lock(); defer g.mu.Unlock(); return g.busy == 1 }, 5*time.Second, time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := g.do(ctx, "second")
	require.ErrorIs(t, err, context.Canceled)
	close(h.gate)
	first.Wait()
	require.Eventually(t, func() bool { g.mu.Lock(); defer g.mu.Unlock(); return g.busy == 0 }, 5*time.Second, time.Millisecond)
}

// TestGroup_OneThatHangsHoldsUpNobody: nor do few wait for many to come.
func TestGroup_OneThatHangsHoldsUpNobody(t *testing.T) {
	hangs := make(chan struct{})
	g := &group[string, string]{atOnce: 2, run: func(_ context.Context, asked []string) ([]string, error) {
		if asked[0] == "hangs" {
			<-hangs
		}
		return asked, nil
	}}
	var first sync.WaitGroup
	first.Go(func() { _, _ = g.do(t.Context(), "hangs") })
	require.Eventually(t, func() bool { g.mu.Lock(); defer g.mu.Unlock(); return g.busy == 1 }, 5*time.Second, time.Millisecond)
	for range 3 {
		answer, err := g.do(t.Context(), "other")
		require.NoError(t, err)
		require.Equal(t, "other", answer)
	}
	close(hangs)
	first.Wait()
}

// TestGroup_KeepsApartWhatWaitsForALock: somebody holds a lock on one row, which is
// asked for again and again. After the first wait in vain no statement that others
// share waits for it, until the lock is gone.
func TestGroup_KeepsApartWhatWaitsForALock(t *testing.T) {
	var mu sync.Mutex
	shared, held := 0, true
	g := &group[string, string]{atOnce: 1, clash: func(s string) []string { return []string{s} }}
	g.run = func(_ context.Context, asked []string) ([]string, error) {
		time.Sleep(time.Millisecond) // the others come meanwhile
		mu.Lock()
		defer mu.Unlock()
		if held && slices.Contains(asked, "locked") {
			if len(asked) > 1 {
				shared++
			}
			return nil, &pq.Error{Code: lockNotAvailable}
		}
		return asked, nil
	}
	mu.Lock() // the first statement is under way while two more come
	var first sync.WaitGroup
	for i, ask := range []string{"locked", "locked", "other"} {
		first.Go(func() {
			_, err := g.do(t.Context(), ask)
			if locked(err) != (ask == "locked") {
				t.Errorf("%s: %v", ask, err)
			}
		})
		require.Eventually(t, func() bool {
			g.mu.Lock()
			defer g.mu.Unlock()
			return g.busy == 1 && len(g.waiting) == i
		}, 5*time.Second, time.Millisecond/10)
	}
	mu.Unlock()
	first.Wait()

	var all sync.WaitGroup
	for i := range 8 {
		ask := "locked"
		if i >= 4 {
			ask = fmt.Sprint("other ", i)
		}
		all.Go(func() {
			for range 100 {
				_, err := g.do(t.Context(), ask)
				if ask == "locked" && !errors.Is(err, ErrLocked) || ask != "locked" && err != nil {
					t.Errorf("%s: %v", ask, err)
				}
			}
		})
	}
	all.Wait()
	require.Zero(t, shared, "statements that others shared with one that waits")

	mu.Lock()
	held = false
	mu.Unlock()
	_, err := g.do(t.Context(), "locked")
	require.NoError(t, err)
	require.False(t, g.apart.any(), "what went through is kept apart no longer")
}

// BenchmarkGroup is what sharing costs who comes alone.
func BenchmarkGroup(b *testing.B) {
	g := &group[string, string]{atOnce: 2, run: func(_ context.Context, asked []string) ([]string, error) { return asked, nil }}
	for b.Loop() {
		if _, err := g.do(b.Context(), "alone"); err != nil {
			b.Fatal(err)
		}
	}
}
