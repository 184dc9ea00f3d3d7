package postgres_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

func init() { postgres.BenchPages = benchPages }

// pace is that of one person, below what the console lets one ask for.
const pace = 25 * time.Millisecond

// reader is a person with the console open.
type reader struct {
	b      *testing.B
	client *http.Client
	base   string
}

// benchPages asks a real hub on a big database for the console's pages, as a
// browser does, and sees to it that no big table was read whole meanwhile.
func benchPages(b *testing.B, address string) {
	dir, err := os.MkdirTemp("", "superpay-bench-")
	require.NoError(b, err)
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	bins, err := dev.Build(dir, false)
	require.NoError(b, err)
	var log bytes.Buffer
	h, err := dev.Start(context.Background(), dev.Options{BinDir: bins, DataDir: filepath.Join(dir, "house"), DatabaseURL: address, Key: postgres.FilledKey, LogWriter: &log})
	require.NoError(b, err, &log)
	stop := func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(b, h.Stop(ctx))
	}
	b.Cleanup(stop)
	db, err := sqlx.Open("postgres", address)
	require.NoError(b, err)
	b.Cleanup(func() { _ = db.Close() })
	db.SetMaxIdleConns(-1) // what a connection did is counted when it ends

	r := signIn(b, h)
	pages := r.pages(db)
	require.Eventually(b, func() bool { // counting the past is done once
		r.ask("/overview")
		return one(b, db, `SELECT max((back_to < as_of - interval '91 days' OR back_to <= (SELECT created_at FROM orders ORDER BY id LIMIT 1))::text) FROM order_hours_known`) == "true"
	}, 5*time.Minute, time.Second)
	was := scans(b, db)
	for _, p := range pages {
		b.Run(p.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				time.Sleep(pace)
				begun := time.Now()
				r.ask(p.path)
				took = append(took, time.Since(begun))
			}
			postgres.Report(b, took)
		})
	}
	stop()
	for table, n := range scans(b, db) {
		if n > was[table] {
			b.Errorf("%s was read whole %d times", table, n-was[table])
		}
	}
}

func signIn(b *testing.B, h *dev.House) *reader {
	jar, err := cookiejar.New(nil)
	require.NoError(b, err)
	r := &reader{b, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, h.Console.URL}
	token := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(r.ask("/sign-in"))
	require.NotNil(b, token)
	form := url.Values{"token": token[1:], "email": {h.Console.Email}, "password": {h.Console.Password}}
	req, err := http.NewRequest("POST", r.base+"/sign-in", strings.NewReader(form.Encode()))
	require.NoError(b, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := r.client.Do(req)
	require.NoError(b, err)
	require.NoError(b, res.Body.Close())
	require.Equal(b, http.StatusSeeOther, res.StatusCode)
	return r
}

// ask loads a page whole. An id that is found leads to its order (303).
func (r *reader) ask(path string) string {
	res, err := r.client.Get(r.base + path)
	require.NoError(r.b, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(r.b, err)
	require.Contains(r.b, []int{http.StatusOK, http.StatusSeeOther, http.StatusNoContent}, res.StatusCode, "%s: %s", path, raw)
	return string(raw)
}

func one(b *testing.B, db *sqlx.DB, query string, args ...any) string {
	var text *string
	require.NoError(b, db.Get(&text, query, args...), query)
	if text == nil {
		return ""
	}
	return *text
}

// scans counts how often each big table was read whole. What the hours came to
// is no big one: 92 days of it, of which the overview may read all.
func scans(b *testing.B, db *sqlx.DB) map[string]int {
	var rows []struct {
		Table string `db:"relname"`
		Scans int    `db:"seq_scan"`
	}
	require.NoError(b, db.Select(&rows, `SELECT relname, seq_scan FROM pg_stat_user_tables WHERE n_live_tup > 10000 AND relname <> 'order_hours'`))
	out := map[string]int{}
	for _, r := range rows {
		out[r.Table] = r.Scans
	}
	require.Contains(b, out, "orders")
	return out
}

type consolePage struct{ name, path string }

// pages are the lists, each filter, the search by each kind of name, and one of
// each thing.
func (r *reader) pages(db *sqlx.DB) []consolePage {
	of := func(query string) string { return one(r.b, db, query) }
	order := of(`SELECT id FROM orders WHERE status = 'paid' ORDER BY id DESC LIMIT 1 OFFSET 900`)
	refunded := of(`SELECT id FROM orders WHERE status = 'partially_refunded' ORDER BY id LIMIT 1`)
	live := regexp.MustCompile(`hx-get="[^"]*(/orders/live[^"]*)"`).FindStringSubmatch(r.ask("/orders"))
	require.NotNil(r.b, live)
	pages := []consolePage{
		{"order/new", "/orders/" + order},
		{"order/refunded", "/orders/" + refunded},
		{"order/refund form", "/orders/" + order + "/refund"},
		{"orders/live probe", strings.ReplaceAll(live[1], "&amp;", "&")},
		{"orders/older", "/orders?after=" + order},
		{"orders/count", "/orders/count?status=paid"},
		{"overview/24h", "/overview?range=24h&mode=live"},
		{"overview/90d", "/overview?range=90d&mode=live"},
		{"overview/test", "/overview?range=30d&mode=test"},
		{"inbox/all", "/inbox"},
		{"inbox/parked", "/inbox?outcome=parked"},
		{"inbox/order", "/inbox?order=" + order},
		{"inbox/provider", "/inbox?provider=paypal"},
		{"inbox/one", "/inbox/" + of(`SELECT max(id) FROM callbacks`)},
		{"outbox/all", "/outbox"},
		{"outbox/parked", "/outbox?state=parked"},
		{"outbox/app", "/outbox?app=app_2"},
		{"outbox/one", "/outbox/" + of(`SELECT max(id) FROM notifications`)},
		{"providers", "/providers"},
		{"apps", "/apps"},
		{"audit", "/audit"},
	}
	for _, filter := range []string{
		"", "sort=oldest", "status=paid", "status=authorized", "status=open&status=pending", "attention=1", "disputed=1", "unknown=1", "refund_failed=1",
		"older=1h&status=pending", "provider=paypal", "provider=stripe_eu", "flow=stripe.apple_pay", "app=app_1", "app=app_3", "mode=live", "mode=test",
		"currency=EUR", "currency=KWD", "min=100&max=120.5", "min=500.9", "range=7d", "from=2025-03-01&to=2025-03-02", "reference=INV-99",
		"status=paid&provider=stripe&currency=EUR&mode=live&min=100",
	} {
		pages = append(pages, consolePage{"orders/" + filter, "/orders?" + filter})
	}
	for _, find := range []struct{ by, query string }{
		{"order", `SELECT '` + order + `'`},
		{"attempt", `SELECT max(id) FROM attempts`},
		{"operation", `SELECT max(id) FROM operations`},
		{"refund", `SELECT max(id) FROM refunds`},
		{"callback", `SELECT max(id) FROM callbacks`},
		{"event", `SELECT max(id) FROM events`},
		{"payment of the provider", `SELECT value FROM refs WHERE kind = 'payment' LIMIT 1`},
		{"charge of the provider", `SELECT provider_id FROM captures ORDER BY id DESC LIMIT 1`},
		{"refund of the provider", `SELECT provider_id FROM refunds ORDER BY id DESC LIMIT 1`},
		{"dispute of the provider", `SELECT provider_id FROM disputes ORDER BY id DESC LIMIT 1`},
		{"event of the provider", `SELECT event_id FROM callbacks ORDER BY id DESC LIMIT 1`},
		{"reference", `SELECT 'INV-777777'`},
		{"beginning of a reference", `SELECT 'INV-77'`},
		{"e-mail", `SELECT customer->>'email' FROM orders ORDER BY id DESC LIMIT 1`},
		{"payer's e-mail", `SELECT payer->>'email' FROM attempts WHERE payer IS NOT NULL ORDER BY id DESC LIMIT 1`},
		{"amount", `SELECT '9.99'`},
		{"amount and currency", `SELECT '9.99 EUR'`},
		{"nothing", `SELECT 'pi_nothing'`},
	} {
		pages = append(pages, consolePage{"find/" + find.by, "/find?q=" + url.QueryEscape(of(find.query))})
	}
	return pages
}
