package clock

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// near is far more than the machine may stall between two lines, and far less
// than what the tests move a clock by.
const near = 10 * time.Minute

// database is one whose clock is that much ahead of this machine's.
type database struct {
	ahead, within time.Duration
	err           error
	asked         int
}

func (d *database) read(context.Context) (Reading, error) {
	d.asked++
	now := time.Now()
	return Reading{At: now.Round(0).Add(d.ahead), Asked: now, Within: d.within}, d.err
}

// clock has bounds of an hour and a day, and a machine that can be moved.
func clock(t *testing.T, d *database) (c *Clock, move func(time.Duration), log *strings.Builder) {
	t.Helper()
	log = &strings.Builder{}
	file := filepath.Join(t.TempDir(), "offset")
	c = New(Options{Ask: d.read, Warn: time.Hour, Refuse: 24 * time.Hour, OffsetFile: file, Logger: slog.New(slog.NewTextHandler(log, nil))})
	return c, func(ahead time.Duration) {
		require.NoError(t, os.WriteFile(file, []byte(ahead.String()+"\n"), 0o600))
		c.readOffset()
	}, log
}

func TestClock_GoesByTheDatabases(t *testing.T) {
	d := &database{ahead: 3 * time.Hour}
	c, _, log := clock(t, d)
	require.WithinDuration(t, time.Now(), c.Now(), near, "nobody was asked yet")
	require.NoError(t, c.Check(t.Context()))
	require.NoError(t, c.Trusted())
	require.WithinDuration(t, time.Now().Add(3*time.Hour), c.Now(), near)
	require.InDelta(t, -3*time.Hour, c.Skew(), float64(near))
	require.Contains(t, log.String(), "level=WARN", "3 h are above the bound of 1 h")

	require.NoError(t, c.Check(t.Context()))
	require.Equal(t, 1, strings.Count(log.String(), "level=WARN"), "told once")
	d.ahead = 0
	require.NoError(t, c.Check(t.Context()))
	require.WithinDuration(t, time.Now(), c.Now(), near)
	d.ahead = 3 * time.Hour
	require.NoError(t, c.Check(t.Context()))
	require.Equal(t, 2, strings.Count(log.String(), "level=WARN"), "and again when it comes again")
}

func TestClock_RefusesWhatIsTooFar(t *testing.T) {
	d := &database{ahead: -48 * time.Hour}
	c, _, _ := clock(t, d)
	err := c.Check(t.Context())
	var apart *SkewError
	require.ErrorAs(t, err, &apart)
	require.Equal(t, c.Trusted(), err)
	require.WithinDuration(t, time.Now(), apart.Machine, near)
	require.WithinDuration(t, time.Now().Add(-48*time.Hour), apart.Database, near)
	require.WithinDuration(t, time.Now(), c.Now(), near, "the hub's time is not taken from a clock that may be wrong")

	d.err = errors.New("away")
	require.ErrorIs(t, c.Check(t.Context()), d.err)
	require.Error(t, c.Trusted(), "nothing was found out")
	d.err, d.ahead = nil, 0
	require.NoError(t, c.Check(t.Context()))
	require.NoError(t, c.Trusted())
}

func TestSkewError_SaysBothTimesAndWhatToDo(t *testing.T) {
	at := time.Date(2027, 1, 2, 3, 4, 5, 600e6, time.UTC)
	require.EqualError(t, &SkewError{Machine: at.Add(2 * time.Hour), Database: at, Limit: time.Minute},
		"this machine's clock says 2027-01-02 05:04:05.600 UTC and is 2h0m0s ahead of the database's, which says 2027-01-02 03:04:05.600 UTC; "+
			"more than 1m0s (clock.refuse) is refused, for orders would expire and callbacks be judged by a wrong time: "+
			"set both clocks right (is NTP running on both machines? `timedatectl` tells)")
	require.ErrorContains(t, &SkewError{Machine: at, Database: at.Add(time.Hour)}, "is 1h0m0s behind the database's")
}

func TestClock_StepOfTheMachineMovesNothing(t *testing.T) {
	d := &database{}
	c, move, _ := clock(t, d)
	require.NoError(t, c.Check(t.Context()))
	asked := d.asked
	move(48 * time.Hour)
	require.Error(t, c.Trusted(), "seen without asking the database")
	require.WithinDuration(t, time.Now(), c.Now(), near, "what is under way is recorded at the right time")
	move(2 * time.Hour)
	require.NoError(t, c.Trusted(), "within the bound")
	require.WithinDuration(t, time.Now(), c.Now(), near, "the machine's clock is not asked again")
	move(-48 * time.Hour)
	require.Error(t, c.Trusted())
	require.Equal(t, asked, d.asked)
	require.Error(t, c.Check(t.Context()))
	move(0)
	require.Error(t, c.Trusted(), "until they were compared")
	require.NoError(t, c.Check(t.Context()))
	require.NoError(t, c.Trusted())
}

func TestClock_SlowAnswerIsNoSkew(t *testing.T) {
	d := &database{ahead: 26 * time.Hour, within: 3 * time.Hour}
	c, _, _ := clock(t, d)
	require.NoError(t, c.Check(t.Context()), "the clocks may be 23 h apart")
	d.within = time.Hour
	require.Error(t, c.Check(t.Context()))
	d.ahead, d.within = 20*time.Hour, 20*time.Hour
	c, _, _ = clock(t, d)
	require.NoError(t, c.Check(t.Context()))
	require.WithinDuration(t, time.Now(), c.Now(), near, "what may be the round trip alone is not taken over")
}

func TestRun_ClosesAndOpensByItself(t *testing.T) {
	d := &database{}
	c, move, log := clock(t, d)
	require.NoError(t, c.Check(t.Context()))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { c.Run(ctx); close(done) }()
	move(48 * time.Hour)
	require.Eventually(t, func() bool { return c.apart.Load() != nil }, 30*time.Second, 10*time.Millisecond, "compared when the step is seen")
	move(0)
	require.Eventually(t, func() bool { return c.Trusted() == nil }, 30*time.Second, 10*time.Millisecond)
	stop()
	<-done
	require.Contains(t, log.String(), "level=ERROR")
	require.Contains(t, log.String(), "the clocks agree again")
}
