package payments_test

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// lockedBuffer is a log that goroutines share.
type lockedBuffer struct {
	mu  sync.Mutex
	all strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *lockedBuffer) count(s string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.all.String(), s)
}

// checks is a service whose log the test reads.
type checks struct {
	*paytest.Env
	log *lockedBuffer
}

func startChecks(t *testing.T) *checks {
	t.Parallel()
	c := &checks{log: &lockedBuffer{}}
	c.Env = paytest.New(t, paytest.Options{Service: func(o *payments.Options) { o.Logger = slog.New(slog.NewTextHandler(c.log, nil)) }})
	return c
}

func (c *checks) sql(q string, args ...any) {
	c.T.Helper()
	_, err := c.SQL.ExecContext(c.T.Context(), q, args...)
	require.NoError(c.T, err)
}

// order puts an order on record that is paid.
func (c *checks) order() string { return c.Checkout(paytest.FlowCharge).ID }

// later lets time go by, and more of it until no pass is under way; it reports
// how many orders a kind of check checked.
func (c *checks) later(d time.Duration, kind string) (orders int) {
	c.T.Helper()
	c.Clock.Advance(d)
	for range 100 {
		did, n, err := c.Service.VerifyNext(c.T.Context(), time.Minute)
		require.NoError(c.T, err)
		if did == kind {
			orders += n
		}
		all, _, err := c.DB.Checks(c.T.Context())
		require.NoError(c.T, err)
		under := slices.ContainsFunc(all, func(x postgres.Check) bool { return x.BeganAt != nil })
		if did == "" && !under {
			return orders
		}
		if did == "" {
			c.Clock.Advance(time.Second)
		}
	}
	c.T.Fatal("there is no end of what is due")
	return 0
}

func (c *checks) flagged(id string) bool {
	c.T.Helper()
	o, err := c.DB.Order(c.T.Context(), "", id)
	require.NoError(c.T, err)
	return o.NeedsAttention && o.Doubted()
}

func (c *checks) doubts() int {
	c.T.Helper()
	_, n, err := c.DB.Checks(c.T.Context())
	require.NoError(c.T, err)
	return n
}

const logged = "what is on record of an order contradicts itself"

// TestVerify_ChangedOrdersWithinAMinute: an order that changed is checked soon
// and without being asked for. One that contradicts itself waits for a person,
// is logged once, and no longer waits when a later check finds it consistent.
func TestVerify_ChangedOrdersWithinAMinute(t *testing.T) {
	c := startChecks(t)
	c.later(0, "")
	good, bad := c.order(), c.order()
	c.sql(`UPDATE orders SET captured = 7 WHERE id = $1`, bad)
	require.Equal(t, 2, c.later(time.Minute, postgres.CheckKindChanged))
	require.False(t, c.flagged(good))
	require.True(t, c.flagged(bad))
	require.Equal(t, 1, c.doubts())
	require.Equal(t, 1, c.log.count(logged))
	for _, said := range []string{bad, "field=orders.captured", "expected=10000", "found=7"} {
		require.Equal(t, 1, c.log.count(said), said)
	}

	require.Equal(t, 1, c.later(time.Minute, postgres.CheckKindChanged), "to flag it changed it")
	require.Equal(t, 1, c.log.count(logged), "it is logged once")
	require.Zero(t, c.later(time.Minute, postgres.CheckKindChanged))

	c.sql(`UPDATE orders SET captured = 10000 WHERE id = $1`, bad)
	require.Equal(t, 2, c.later(25*time.Hour, postgres.CheckKindAll))
	require.False(t, c.flagged(bad))
	require.Zero(t, c.doubts())

	c.sql(`UPDATE orders SET captured = 8 WHERE id = $1`, bad)
	c.later(25*time.Hour, "")
	require.True(t, c.flagged(bad), "the next time is told anew")
}

// TestVerify_AllOrdersAndWhatIsMissing: a pass goes over all orders, changed or
// not, and names an order that is gone.
func TestVerify_AllOrdersAndWhatIsMissing(t *testing.T) {
	c := startChecks(t)
	gone, bad := c.order(), c.order()
	c.sql(`UPDATE orders SET amount = 1 WHERE id = $1`, bad)
	c.sql(`DELETE FROM orders WHERE id = $1`, gone)
	require.Equal(t, 1, c.later(0, postgres.CheckKindAll))
	require.True(t, c.flagged(bad))
	require.Equal(t, 2, c.doubts())
	require.Equal(t, 2, c.log.count(logged))
	require.Equal(t, 1, c.log.count("order="+gone))
	c.later(25*time.Hour, "")
	require.Equal(t, 2, c.log.count(logged), "each is logged once")
	all, _, err := c.DB.Checks(t.Context())
	require.NoError(t, err)
	for _, check := range all {
		require.WithinDuration(t, c.Clock.Now(), check.CheckedTo, 10*time.Minute, check.Kind)
		require.Nil(t, check.BeganAt, check.Kind)
	}
}

// TestVerify_ManyDoubtsAreOneFault: they are counted and logged, but apps are not
// told of each order.
func TestVerify_ManyDoubtsAreOneFault(t *testing.T) {
	c := startChecks(t)
	id := c.order()
	c.sql(`INSERT INTO events (id, order_id, at, kind, source, request_id, data)
		SELECT 'evt_x' || n, $1, now(), 'capture.succeeded', 'hub', '', jsonb_build_object('id', n) FROM generate_series(1, 101) n`, id)
	c.later(0, "")
	require.Equal(t, 1, c.log.count("in many places"))
	require.Zero(t, c.log.count(logged))
	require.Greater(t, c.doubts(), 100)
	require.False(t, c.flagged(id))
}

// TestVerify_AnOrderThatCannotBeRead: it is named, and holds up no other.
func TestVerify_AnOrderThatCannotBeRead(t *testing.T) {
	c := startChecks(t)
	unreadable, bad := c.order(), c.order()
	c.sql(`UPDATE attempts SET refs = '{}' WHERE order_id = $1`, unreadable)
	c.sql(`UPDATE orders SET captured = 7 WHERE id = $1`, bad)
	require.Equal(t, 2, c.later(0, postgres.CheckKindAll))
	require.True(t, c.flagged(bad))
	require.Equal(t, 3, c.doubts(), "the order, its name, and the other order's total")
	require.Equal(t, 1, c.log.count("order="+unreadable+" law=\"what is encrypted"))
}

// TestVerify_OneHubAtATime: hubs take turns, and a hub that dies at it leaves the
// slice to the others.
func TestVerify_OneHubAtATime(t *testing.T) {
	c := startChecks(t)
	now := c.Clock.Now()
	first, err := c.DB.ClaimCheck(t.Context(), now, time.Minute)
	require.NoError(t, err)
	second, err := c.DB.ClaimCheck(t.Context(), now, time.Minute)
	require.NoError(t, err)
	require.NotEqual(t, first.Kind, second.Kind)
	_, err = c.DB.ClaimCheck(t.Context(), now, time.Minute)
	require.ErrorIs(t, err, postgres.ErrNotFound)

	taken, err := c.DB.ClaimCheck(t.Context(), now.Add(2*time.Minute), time.Minute)
	require.NoError(t, err)
	taken.Cursor = "in time"
	require.NoError(t, c.DB.SaveCheck(t.Context(), taken))
	for _, check := range []*postgres.Check{&first, &second} {
		check.Cursor = "late"
		require.NoError(t, c.DB.SaveCheck(t.Context(), *check))
	}
	all, _, err := c.DB.Checks(t.Context())
	require.NoError(t, err)
	for _, check := range all {
		if check.Kind == taken.Kind {
			require.Equal(t, "in time", check.Cursor, "whose lease is over writes nothing")
		}
	}
}

// TestVerify_NotByAWrongClock: a hub whose clock is wrong takes no turn: its
// lease would end at a wrong time.
func TestVerify_NotByAWrongClock(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{Service: func(o *payments.Options) { o.CheckClock = func() error { return errors.New("two hours off") } }})
	kind, _, err := e.Service.VerifyNext(t.Context(), time.Minute)
	require.NoError(t, err)
	require.Empty(t, kind)
}
