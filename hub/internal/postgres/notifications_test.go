package postgres

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// notify makes an endpoint of an app, with many notifications made and due at a time.
func notify(t *testing.T, db *DB, app string, at time.Time, many int) (endpoint string) {
	t.Helper()
	a, err := db.EnsureApp(t.Context(), ledger.NewID("app", at), app, nil, at)
	require.NoError(t, err)
	e := Endpoint{ID: ledger.NewID("whe", at), AppID: a.ID, URL: "https://shop.example/", URLKey: "https://shop.example/"}
	_, err = db.AddEndpoint(t.Context(), e, MadeSecret{ID: ledger.NewID(SecretID, at), Secret: "whsec_", At: at}, 10)
	require.NoError(t, err)
	_, err = db.db.Exec(`INSERT INTO notifications (id, app_id, endpoint_id, order_id, type, version, payload, state, due_at, tries, created_at)
		SELECT $1 || lpad(n::text, 10, '0') || '_' || $2, $3, $2, '', 'order.paid', 1, '{}', 'pending', $4, 0, $4 FROM generate_series(1, $5::int) n`,
		ledger.FirstID(NotificationID, at)[:14], e.ID, a.ID, at, many)
	require.NoError(t, err)
	return e.ID
}

func openTest(t *testing.T) *DB {
	t.Helper()
	keys, err := ParseKeys("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	require.NoError(t, err)
	db, err := Open(t.Context(), Options{URL: pgtest.Migrated(t), Keys: keys, MaxConns: 2})
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// What is old goes, in batches, and nothing else.
func TestTrimNotifications_DropsWhatIsOld(t *testing.T) {
	db, now := openTest(t), time.Now().UTC().Truncate(time.Millisecond)
	const day = 24 * time.Hour
	for age, many := range map[string]int{"2160h": 0, "2400h": 250, "960h": 30, "24h": 3} {
		back, err := time.ParseDuration(age)
		require.NoError(t, err)
		e := notify(t, db, "app"+age, now.Add(-back), many)
		_, err = db.db.Exec(`INSERT INTO deliveries (id, notification_id, at, status, error, took_ms, answer)
			SELECT $1 || right(id, 20) || n.id, n.id, created_at, 200, '', 1, 'fine' FROM notifications n WHERE endpoint_id = $2`,
			ledger.FirstID(deliveryID, now.Add(-back))[:14], e)
		require.NoError(t, err)
	}
	rounds := 0
	for more := true; more; rounds++ {
		var err error
		more, err = db.TrimNotifications(t.Context(), now.Add(-30*day), now.Add(-90*day), 100)
		require.NoError(t, err)
	}
	require.Greater(t, rounds, 2, "in batches")
	left := func(q string) (n int) {
		require.NoError(t, db.db.Get(&n, q))
		return n
	}
	require.Equal(t, 33, left(`SELECT count(*) FROM notifications`))
	require.Equal(t, 33, left(`SELECT count(*) FROM deliveries`))
	require.Equal(t, 3, left(`SELECT count(*) FROM deliveries WHERE answer = 'fine'`))
}

// One endpoint's queue, however long, takes its share and not the others'; of
// an endpoint whose secret is lost, the others hear nothing.
func TestClaimNotifications_IsFair(t *testing.T) {
	db, now := openTest(t), time.Now().UTC().Add(-time.Hour)
	long, short, lost, off := notify(t, db, "long", now, 5000), notify(t, db, "short", now, 2), notify(t, db, "lost", now, 1), notify(t, db, "off", now, 5000)
	_, err := db.db.Exec(`UPDATE webhook_secrets SET secret = 'nonsense' WHERE endpoint_id = $1`, lost)
	require.NoError(t, err)
	_, err = db.db.Exec(`UPDATE webhook_endpoints SET disabled_at = now() WHERE id = $1`, off)
	require.NoError(t, err)
	held := []string{}
	claim := func(limit int, but ...string) map[string]int {
		out, err := db.ClaimNotifications(t.Context(), time.Now(), 30, limit, 4, 100, append([]string{}, but...), held)
		require.NoError(t, err)
		n := map[string]int{}
		for _, o := range out {
			n[o.EndpointID]++
			require.Equal(t, o.EndpointID == lost, len(o.Secrets) == 0)
		}
		return n
	}
	held = []string{"another"}
	require.Equal(t, map[string]int{long: 4, short: 2, lost: 1}, claim(32))
	require.Empty(t, claim(32, long))
	require.Equal(t, map[string]int{long: 3}, claim(3))
}

// TestRecordDelivery_KeepsWhatIsWantedAgain: a notification that somebody sends
// again while it is under way stays due; one that nobody touched is done.
func TestRecordDelivery_KeepsWhatIsWantedAgain(t *testing.T) {
	t.Parallel()
	db, now := openTest(t), time.Now().UTC().Truncate(time.Microsecond)
	notify(t, db, "shop", now.Add(-time.Minute), 2)
	claim := func() []Outgoing {
		out, err := db.ClaimNotifications(t.Context(), now, 30, 10, 10, 10, []string{}, []string{})
		require.NoError(t, err)
		return out
	}
	under := claim()
	require.Len(t, under, 2)
	again := under[0].ID
	require.NoError(t, db.ResendNotification(t.Context(), "", again, now))
	for range 2 { // the second time after a lost answer
		for _, n := range under {
			_, err := db.RecordDelivery(t.Context(), Delivery{NotificationID: n.ID, EndpointID: n.EndpointID, Leased: n.DueAt, At: now, Status: 200, State: "delivered"})
			require.NoError(t, err)
		}
	}
	due := claim()
	require.Len(t, due, 1)
	require.Equal(t, again, due[0].ID)
	_, err := db.RecordDelivery(t.Context(), Delivery{NotificationID: again, EndpointID: due[0].EndpointID, Leased: due[0].DueAt, At: now, Status: 200, State: "delivered"})
	require.NoError(t, err)
	var done int
	require.NoError(t, db.db.Get(&done, `SELECT count(*) FROM notifications WHERE state = 'delivered' AND due_at IS NULL`))
	require.Equal(t, 2, done)
}

// TestRecordDelivery_ManyAtOnce: those who deliver at the same moment share
// statements. Each notification is told by its own try, and an endpoint that answers
// fails no longer; another one does.
func TestRecordDelivery_ManyAtOnce(t *testing.T) {
	t.Parallel()
	db, now := openTest(t), time.Now().UTC().Truncate(time.Microsecond)
	answers, fails := notify(t, db, "answers", now.Add(-time.Minute), 60), notify(t, db, "fails", now.Add(-time.Minute), 1)
	_, err := db.db.Exec(`UPDATE webhook_endpoints SET failing_since = $1, gone_since = $1`, now)
	require.NoError(t, err)
	due, err := db.ClaimNotifications(t.Context(), now, 30, 100, 100, 100, []string{fails}, []string{})
	require.NoError(t, err)
	require.Len(t, due, 60)
	var work errgroup.Group
	for i, n := range due {
		work.Go(func() error {
			_, err := db.RecordDelivery(t.Context(), Delivery{
				NotificationID: n.ID, EndpointID: answers, Leased: n.DueAt, At: now, URL: n.URL,
				Status: 200 + i, Answer: "\"fine\"\n\u2028\U0001f4b6", Took: time.Duration(i) * time.Millisecond, State: "delivered",
			})
			return err
		})
	}
	require.NoError(t, work.Wait())
	for i, n := range due {
		got, tries, err := db.Notification(t.Context(), "", n.ID)
		require.NoError(t, err)
		require.Equal(t, "delivered", got.State)
		require.Nil(t, got.DueAt)
		require.Equal(t, now, got.DeliveredAt.UTC())
		require.Equal(t, 200+i, got.LastStatus)
		require.Len(t, tries, 1)
		require.Equal(t, i, tries[0].TookMS)
		require.Equal(t, "\"fine\"\n\u2028\U0001f4b6", *tries[0].Answer)
	}
	var failing []string
	require.NoError(t, db.db.Select(&failing, `SELECT id FROM webhook_endpoints WHERE failing_since IS NOT NULL AND gone_since IS NOT NULL`))
	require.Equal(t, []string{fails}, failing)
}
