package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/devpg/pgproxy"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// openedTwice is one database that two hubs have open: one through a proxy that
// loses connections, and one that has nothing to do with it.
func openedTwice(t *testing.T) (db, other *DB, proxy *pgproxy.Proxy, env ledger.Env) {
	t.Helper()
	url := pgtest.New(t)
	proxy, err := pgproxy.Start(url)
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	keys, err := ParseKeys("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	require.NoError(t, err)
	open := func(url string) *DB {
		db, err := Open(t.Context(), Options{URL: url, Keys: keys, MaxConns: 4, LockWait: time.Minute, Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	db, other = open(proxy.URL()), open(url)
	now := time.Now().UTC().Truncate(time.Microsecond)
	_, err = db.EnsureApp(t.Context(), "app_1", "shop", []string{"*"}, now)
	require.NoError(t, err)
	return db, other, proxy, ledger.Env{Now: now, NewID: func(prefix string) string { return ledger.NewID(prefix, now) }}
}

// otherWrite is a write beside those of orders. Done counts its effect, as it
// must be after exactly one run.
type otherWrite struct {
	name, table string
	before      func(ctx context.Context, db *DB, n int) error
	run         func(ctx context.Context, db *DB, n int) error
	done        string // a query of one number, with n as $1
	want        int
}

var someday = time.Date(2030, 1, 2, 3, 4, 5, 6000, time.UTC)

func user(n int) User {
	return User{ID: fmt.Sprint("usr_", n), Email: fmt.Sprintf("%d@example.com", n), Name: "x", Role: "viewer", CreatedAt: someday}
}

func key(n int) NewKey {
	return NewKey{ID: fmt.Sprint("key_", n), AppID: "app_1", Hint: "spk_", Hash: fmt.Append(nil, "hash ", n), CreatedAt: someday}
}

func endpoint(n int) Endpoint {
	address := fmt.Sprint("https://shop.example/", n)
	return Endpoint{ID: fmt.Sprint("we_", n), AppID: "app_1", URL: address, URLKey: address}
}

func secretOf(n int, text string) MadeSecret {
	return MadeSecret{ID: fmt.Sprint("whs_", n, text), Secret: text, At: someday}
}

func addUser(ctx context.Context, db *DB, n int) error { return db.AddUser(ctx, user(n)) }
func addKey(ctx context.Context, db *DB, n int) error  { return db.AddKey(ctx, key(n)) }
func addEndpoint(ctx context.Context, db *DB, n int) error {
	_, err := db.AddEndpoint(ctx, endpoint(n), secretOf(n, "s0"), n+1)
	return err
}

// addNotification makes one that is leased until someday.
func addNotification(ctx context.Context, db *DB, n int) error {
	if err := addEndpoint(ctx, db, n); err != nil {
		return err
	}
	_, err := db.db.ExecContext(ctx, `INSERT INTO notifications (id, app_id, endpoint_id, order_id, type, version, payload, state, due_at, tries, created_at)
		VALUES ($1, 'app_1', $2, '', 'x', 1, '{}', 'pending', $3, 1, $3)`, fmt.Sprint("ntf_", n), fmt.Sprint("we_", n), someday)
	return err
}

func addProvider(ctx context.Context, db *DB, n int) error {
	return db.AddProvider(ctx, KeptProvider{Name: fmt.Sprint("p", n), Plugin: "stripe", UpdatedAt: someday, UpdatedBy: "x"}, []string{"app_1"})
}

func addSession(ctx context.Context, db *DB, n int) error {
	if err := addUser(ctx, db, n); err != nil {
		return err
	}
	return db.AddSession(ctx, Session{ID: fmt.Sprint("ses_", n), UserID: fmt.Sprint("usr_", n), CreatedAt: someday, ExpiresAt: someday.Add(time.Hour)}, fmt.Append(nil, n), nil)
}

// doubts are one of an order, as a check finds it.
func doubts(n int) Checked {
	return Checked{Part: refsPart, Doubts: []ledger.Doubt{{OrderID: fmt.Sprint("ord_doubt_", n), Law: "x", Row: "x", Field: "x"}}}
}

// addDoubt keeps a doubt, which must be a new one for its caller.
func addDoubt(ctx context.Context, db *DB, n int) error {
	fresh, err := db.SaveDoubts(ctx, doubts(n), someday.Add(time.Duration(n)*time.Hour))
	if err == nil && len(fresh) != 1 {
		return fmt.Errorf("%d new doubts", len(fresh))
	}
	return err
}

func nothing(context.Context, *DB, int) error { return nil }

var otherWrites = []otherWrite{
	{"an app", "apps", nothing, func(ctx context.Context, db *DB, n int) error {
		_, err := db.EnsureApp(ctx, fmt.Sprint("app_x", n), fmt.Sprint("shop ", n), []string{"stripe"}, someday)
		return err
	}, `SELECT count(*) FROM app_providers WHERE app_id = 'app_x' || $1::text`, 1},
	{"a key", "api_keys", nothing, addKey, `SELECT count(*) FROM api_keys WHERE id = 'key_' || $1::text`, 1},
	{"a key's rotation", "api_keys", addKey, func(ctx context.Context, db *DB, n int) error {
		fresh := key(n)
		fresh.ID += "b"
		fresh.Hash = append(fresh.Hash, 'b')
		return db.RotateKey(ctx, fmt.Sprint("key_", n), fresh, someday)
	}, `SELECT count(*) FROM api_keys WHERE id IN ('key_' || $1::text, 'key_' || $1::text || 'b') AND (expires_at IS NULL) = (id LIKE '%b')`, 2},
	{"a key's end", "api_keys", addKey, func(ctx context.Context, db *DB, n int) error {
		return db.RevokeKey(ctx, fmt.Sprint("key_", n), someday)
	}, `SELECT count(*) FROM api_keys WHERE id = 'key_' || $1::text AND revoked_at IS NOT NULL`, 1},
	{"an endpoint", "webhook_endpoints", nothing, addEndpoint, `SELECT count(*) FROM webhook_endpoints WHERE id = 'we_' || $1::text`, 1},
	{"an endpoint's rotation", "webhook_endpoints", addEndpoint, func(ctx context.Context, db *DB, n int) error {
		secret, err := db.RotateEndpoint(ctx, "app_1", fmt.Sprint("we_", n), secretOf(n, "s1"), someday.Add(time.Hour))
		if err == nil && secret != "s1" {
			err = fmt.Errorf("the secret is %q", secret)
		}
		return err
	}, `SELECT count(*) FROM webhook_secrets WHERE endpoint_id = 'we_' || $1::text AND (expires_at IS NULL) = (id LIKE '%s1')`, 2},
	{"an endpoint's end", "webhook_endpoints", addEndpoint, func(ctx context.Context, db *DB, n int) error {
		return db.DeleteEndpoint(ctx, "app_1", fmt.Sprint("we_", n))
	}, `SELECT count(*) FROM webhook_endpoints WHERE id = 'we_' || $1::text`, 0},
	{"an endpoint that is disabled", "webhook_endpoints", addEndpoint, func(ctx context.Context, db *DB, n int) error {
		return db.DisableEndpoint(ctx, "app_1", fmt.Sprint("we_", n), "why", someday)
	}, `SELECT count(*) FROM webhook_endpoints WHERE id = 'we_' || $1::text AND disabled_at IS NOT NULL`, 1},
	{"a delivery", "deliveries", addNotification, func(ctx context.Context, db *DB, n int) error {
		_, err := db.RecordDelivery(ctx, Delivery{NotificationID: fmt.Sprint("ntf_", n), EndpointID: fmt.Sprint("we_", n), Leased: &someday, At: someday, Status: 200, State: "delivered"})
		return err
	}, `SELECT count(*) FROM notifications n JOIN deliveries d ON d.notification_id = n.id WHERE n.id = 'ntf_' || $1::text AND n.state = 'delivered'`, 1},
	{"a delivery that failed", "deliveries", addNotification, func(ctx context.Context, db *DB, n int) error {
		_, err := db.RecordDelivery(ctx, Delivery{NotificationID: fmt.Sprint("ntf_", n), EndpointID: fmt.Sprint("we_", n), Leased: &someday, At: someday, State: "failed"})
		return err
	}, `SELECT count(*) FROM notifications n JOIN deliveries d ON d.notification_id = n.id WHERE n.id = 'ntf_' || $1::text AND n.state = 'failed'`, 1},
	{"a user", "users", nothing, addUser, `SELECT count(*) FROM users WHERE id = 'usr_' || $1::text`, 1},
	{"a user who is disabled", "users", addUser, func(ctx context.Context, db *DB, n int) error {
		return db.DisableUser(ctx, fmt.Sprint("usr_", n), someday)
	}, `SELECT count(*) FROM users WHERE id = 'usr_' || $1::text AND disabled_at IS NOT NULL`, 1},
	{"a session", "sessions", addUser, addSession, `SELECT count(*) FROM sessions WHERE id = 'ses_' || $1::text`, 1},
	{"a session's end", "sessions", addSession, func(ctx context.Context, db *DB, n int) error {
		return db.EndSession(ctx, fmt.Sprint("usr_", n), fmt.Sprint("ses_", n), someday)
	}, `SELECT count(*) FROM sessions WHERE id = 'ses_' || $1::text AND ended_at IS NOT NULL`, 1},
	{"an audit line", "audit", nothing, func(ctx context.Context, db *DB, n int) error {
		return db.AddAudit(ctx, AuditEntry{ID: fmt.Sprint("aud_", n), At: someday, Who: "x", Action: "x", Outcome: "begun"})
	}, `SELECT count(*) FROM audit WHERE id = 'aud_' || $1::text`, 1},
	{"an audit line's end", "audit", func(ctx context.Context, db *DB, n int) error {
		return db.AddAudit(ctx, AuditEntry{ID: fmt.Sprint("aud_", n), At: someday, Who: "x", Action: "x", Outcome: "begun"})
	}, func(ctx context.Context, db *DB, n int) error {
		return db.EndAudit(ctx, fmt.Sprint("aud_", n), "done", nil)
	}, `SELECT count(*) FROM audit WHERE id = 'aud_' || $1::text AND outcome = 'done'`, 1},
	{"a provider", "providers", nothing, addProvider, `SELECT count(*) FROM providers WHERE id = 'p' || $1::text AND version = 1`, 1},
	{"a provider's settings", "providers", addProvider, func(ctx context.Context, db *DB, n int) error {
		return db.ChangeProvider(ctx, KeptProvider{Name: fmt.Sprint("p", n), Version: 1, UpdatedAt: someday, UpdatedBy: "x"})
	}, `SELECT version FROM providers WHERE id = 'p' || $1::text`, 2},
	{"a provider's end", "providers", addProvider, func(ctx context.Context, db *DB, n int) error {
		return db.RemoveProvider(ctx, fmt.Sprint("p", n))
	}, `SELECT count(*) FROM providers WHERE id = 'p' || $1::text`, 0},
	{"a view", "views", addUser, func(ctx context.Context, db *DB, n int) error {
		return db.SaveView(ctx, View{ID: fmt.Sprint("viw_", n), UserID: fmt.Sprint("usr_", n), Screen: "orders", Name: "mine", CreatedAt: someday}, 1)
	}, `SELECT count(*) FROM views WHERE user_id = 'usr_' || $1::text`, 1},
	{"a check's slice", "ledger_checks", func(ctx context.Context, db *DB, n int) error {
		_, err := db.exec(ctx, `UPDATE ledger_checks SET due_at = $1, cursor = ''`, someday.Add(time.Duration(n)*time.Hour))
		return err
	}, func(ctx context.Context, db *DB, n int) error {
		return db.SaveCheck(ctx, Check{Kind: CheckKindAll, DueAt: someday, Cursor: fmt.Sprint(n), until: someday.Add(time.Duration(n) * time.Hour)})
	}, `SELECT count(*) FROM ledger_checks WHERE cursor = $1::text`, 1},
	{"a doubt", "ledger_doubts", nothing, addDoubt, `SELECT count(*) FROM ledger_doubts WHERE order_id = 'ord_doubt_' || $1::text`, 1},
	{"a doubt's end", "ledger_doubts", addDoubt, func(ctx context.Context, db *DB, n int) error {
		return db.DropDoubts(ctx, someday.Add(time.Duration(n+1)*time.Hour))
	}, `SELECT count(*) FROM ledger_doubts WHERE order_id = 'ord_doubt_' || $1::text`, 0},
	{"a callback", "callbacks", nothing, func(ctx context.Context, db *DB, n int) error {
		return db.StoreCallback(ctx, &ledger.Callback{ID: fmt.Sprint("cb_", n), Provider: "stripe", EventID: fmt.Sprint(n), Outcome: ledger.CallbackNoNews, Verdict: sdk.Genuine, ReceivedAt: someday, UpdatedAt: someday})
	}, `SELECT count(*) FROM callbacks WHERE id = 'cb_' || $1::text`, 1},
}

// TestLostAnswer_OfAnyWrite: the answer to a write is lost, or the write itself;
// whoever asked for it is told that it was done, and it was done once.
func TestLostAnswer_OfAnyWrite(t *testing.T) {
	t.Parallel()
	db, other, proxy, _ := openedTwice(t)
	n := 0
	for _, w := range otherWrites {
		for _, moment := range pgproxy.Moments {
			n++
			about := w.name + ", " + moment.String()
			require.NoError(t, w.before(t.Context(), other, n), about)
			cut := proxy.Cut(pgproxy.Rule{Moment: moment, Match: pgproxy.Writes(w.table), Reset: n%2 == 0})
			require.NoError(t, w.run(t.Context(), db, n), about)
			require.Equal(t, 1, cut.Hits(), about)
			var got int
			require.NoError(t, other.db.Get(&got, w.done, n), about)
			require.Equal(t, w.want, got, about)
		}
	}
}

// TestLostAnswer_RefusalsStay: what is refused to others is refused after a lost
// answer as well.
func TestLostAnswer_RefusalsStay(t *testing.T) {
	t.Parallel()
	db, other, proxy, _ := openedTwice(t)
	require.NoError(t, addUser(t.Context(), other, 1))
	require.NoError(t, addProvider(t.Context(), other, 1))
	lose := func(table string) {
		proxy.Cut(pgproxy.Rule{Moment: pgproxy.Unanswered, Match: pgproxy.Writes(table)})
	}
	lose("users")
	stranger := user(1)
	stranger.ID = "usr_stranger"
	require.ErrorIs(t, db.AddUser(t.Context(), stranger), ErrDuplicate)
	lose("providers")
	require.ErrorIs(t, addProvider(t.Context(), db, 1), ErrDuplicate)
	require.NoError(t, other.ChangeProvider(t.Context(), KeptProvider{Name: "p1", Version: 1, Enabled: true, UpdatedAt: someday, UpdatedBy: "x"}))
	lose("providers")
	require.ErrorIs(t, db.ChangeProvider(t.Context(), KeptProvider{Name: "p1", Version: 1, UpdatedAt: someday, UpdatedBy: "x"}), ErrNotFound, "somebody else was faster, with the same words")
	lose("providers")
	require.ErrorIs(t, db.RemoveProvider(t.Context(), "p1"), ErrNotFound, "it is enabled")
}
