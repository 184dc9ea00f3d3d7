package notifications_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/api"
	"github.com/superpayhub/superpay/hub/internal/notifications"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
)

// receiving is a hub with an app's endpoint at a receiver that answers like this.
func receiving(t *testing.T, answer http.HandlerFunc) (e *paytest.Env, try func(), endpoint string) {
	t.Helper()
	e = paytest.New(t, paytest.Options{})
	e.Service.Render = api.Render
	s := notifications.New(e.DB, slog.New(slog.DiscardHandler), 1, true)
	s.Now = e.Clock.Now
	receiver := httptest.NewServer(answer)
	t.Cleanup(receiver.Close)
	made, err := s.AddEndpoint(t.Context(), e.App.ID, receiver.URL, "")
	require.NoError(t, err)
	e.Checkout(paytest.FlowCharge)
	return e, func() {
		due, err := e.DB.ClaimNotifications(t.Context(), e.Clock.Now(), 30, 8, 8, 8, []string{}, []string{})
		require.NoError(t, err)
		require.NotEmpty(t, due)
		for _, n := range due {
			require.NoError(t, s.Deliver(t.Context(), n))
		}
	}, made.ID
}

// TestDeliver_AsLateAsTheReceiverWishes: Retry-After is heeded where it asks for more
// time than the next try would leave, and for a day at most.
func TestDeliver_AsLateAsTheReceiverWishes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		says string
		wait time.Duration
	}{
		"seconds": {"7200", 2 * time.Hour}, "a date": {"date", 3 * time.Hour}, "sooner than the next try": {"1", 5 * time.Second},
		"a week": {"604800", 24 * time.Hour}, "the past": {"Mon, 02 Jan 2006 15:04:05 GMT", 5 * time.Second}, "no time": {"soon", 5 * time.Second}, "negative": {"-5", 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var e *paytest.Env
			e, try, _ := receiving(t, func(w http.ResponseWriter, _ *http.Request) {
				if c.says == "date" {
					c.says = e.Clock.Now().Add(c.wait).Format(http.TimeFormat)
				}
				w.Header().Set("Retry-After", c.says)
				w.WriteHeader(http.StatusTooManyRequests)
			})
			try()
			var due time.Time
			require.NoError(t, e.SQL.QueryRow(`SELECT due_at FROM notifications WHERE state = 'pending'`).Scan(&due))
			waits := due.Sub(e.Clock.Now())
			require.InDelta(t, c.wait.Seconds(), waits.Seconds(), 1+c.wait.Seconds()/10, "a little later, so that not all come at once")
		})
	}
}

// TestDeliver_GoneForAnHour: one 410, or several beside other answers, disables
// nothing; an hour of nothing else does, and the notification waits.
func TestDeliver_GoneForAnHour(t *testing.T) {
	t.Parallel()
	status := http.StatusGone
	e, try, endpoint := receiving(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	disabled := func() int {
		return e.Count(`SELECT count(*) FROM webhook_endpoints WHERE id = $1 AND disabled_at IS NOT NULL`, endpoint)
	}
	after := func(d time.Duration, says int) {
		e.Clock.Advance(d)
		e.Checkout(paytest.FlowCharge)
		status = says
		try()
	}
	try()
	after(50*time.Minute, http.StatusGone)
	require.Zero(t, disabled())
	after(5*time.Minute, http.StatusServiceUnavailable)
	after(30*time.Minute, http.StatusGone)
	after(59*time.Minute, http.StatusGone)
	require.Zero(t, disabled(), "it said something else in between")
	after(time.Minute, http.StatusGone)
	require.Equal(t, 1, disabled())
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM webhook_endpoints WHERE disabled_reason LIKE '%410 for an hour%'`))
	require.Zero(t, e.Count(`SELECT count(*) FROM notifications WHERE state <> 'pending'`), "what was to be sent waits")
}
