package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
)

// FilledKey is what databases for tests of this package are encrypted with.
const FilledKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

// BenchPages asks a hub on that database for the console's pages. It is set
// from outside of the package, which a hub imports.
var BenchPages func(b *testing.B, address string)

// filled opens a database with n orders and all that hangs on them.
func filled(t testing.TB, address string, n int) *DB {
	t.Helper()
	keys, err := ParseKeys(FilledKey)
	require.NoError(t, err)
	p, err := Open(context.Background(), Options{URL: address, Keys: keys})
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Close() })
	var there int
	require.NoError(t, p.db.Get(&there, `SELECT count(*) FROM orders`))
	if there == n {
		return p
	}
	fill, err := os.ReadFile("testdata/fill.sql")
	require.NoError(t, err)
	begun := time.Now()
	_, err = p.db.Exec("SET session_replication_role = replica; SET fill.n = " + strconv.Itoa(n) + ";\n" + string(fill))
	require.NoError(t, err)
	_, err = p.db.Exec(`VACUUM ANALYZE orders, attempts, refs, captures, refunds, disputes, operations, callbacks, events, postings, notifications, deliveries, apps`)
	require.NoError(t, err)
	t.Logf("%d orders were made in %s", n, time.Since(begun).Round(time.Second))
	return p
}

// question is one thing that the console asks of a big database.
type question struct {
	name string
	sql  string
	args []any
}

// questions are all that the console's lists, searches and pages ask.
func questions(t testing.TB, p *DB) []question {
	var ids []string
	require.NoError(t, p.db.Select(&ids, `(SELECT id FROM orders ORDER BY id LIMIT 1) UNION ALL (SELECT id FROM orders WHERE status = 'paid' ORDER BY id DESC LIMIT 1 OFFSET 900)`))
	var capture, email, payer, reference, attempt string
	require.NoError(t, p.db.Get(&capture, `SELECT provider_id FROM captures WHERE order_id = $1`, ids[1]))
	require.NoError(t, p.db.QueryRow(`SELECT customer->>'email', reference FROM orders WHERE id = $1`, ids[1]).Scan(&email, &reference))
	require.NoError(t, p.db.QueryRow(`SELECT id, payer->>'email' FROM attempts WHERE payer IS NOT NULL ORDER BY id DESC LIMIT 1`).Scan(&attempt, &payer))
	now := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	out := []question{
		{"find/capture", hitsSQL(findByProviderSQL), []any{capture}},
		{"find/nothing", hitsSQL(findByProviderSQL), []any{"pi_nothing"}},
		{"find/email", hitsSQL(findByEmailSQL), []any{email, 20}},
		{"find/payer", hitsSQL(findByEmailSQL), []any{payer, 20}},
		{"find/reference", hitsSQL(findByReferenceSQL), []any{reference, reference + "%", 20}},
		{"find/prefix", hitsSQL(findByReferenceSQL), []any{reference[:6], reference[:6] + "%", 20}},
		{"find/attempt", hitsSQL(`SELECT h.order_id, h.attempt_id, 'attempt' AS by FROM (` + ours["att"].query + `) h`), []any{attempt}},
		{"order/load", loadOrderSQL, []any{"", ids[1]}},
		{"order/story", storySQL, []any{ids[1], "~", 101}},
		{"names", orderNamesSQL, nil},
	}
	for _, s := range []struct {
		name   string
		search OrderSearch
	}{
		{"all", OrderSearch{}},
		{"oldest", OrderSearch{Oldest: true}},
		{"older", OrderSearch{After: ids[1]}},
		{"newer", OrderSearch{Before: ids[0]}},
		{"status/paid", OrderSearch{Status: []string{"paid"}}},
		{"status/authorized", OrderSearch{Status: []string{"authorized"}}},
		{"status/two", OrderSearch{Status: []string{"pending", "open"}}},
		{"attention", OrderSearch{Attention: true}},
		{"disputed", OrderSearch{Disputed: true}},
		{"unknown", OrderSearch{Unknown: true}},
		{"refund_failed", OrderSearch{RefundFailed: true}},
		{"provider/paypal", OrderSearch{Provider: "paypal"}},
		{"provider/rare", OrderSearch{Provider: "stripe_eu"}},
		{"flow", OrderSearch{Provider: "stripe", Flow: "apple_pay"}},
		{"app/big", OrderSearch{AppID: "app_1"}},
		{"app/old", OrderSearch{AppID: "app_3"}},
		{"mode/live", OrderSearch{Mode: "live"}},
		{"mode/test", OrderSearch{Mode: "test"}},
		{"currency/eur", OrderSearch{Currency: "EUR"}},
		{"currency/old", OrderSearch{Currency: "KWD"}},
		{"amount/range", OrderSearch{Min: "100", Max: "120.50"}},
		{"amount/high", OrderSearch{Min: "500.90"}},
		{"amount/range in yen", OrderSearch{Min: "100", Max: "1000", Currency: "JPY"}},
		{"amount/exactly", OrderSearch{Exactly: "9.99"}},
		{"amount/exactly in euro", OrderSearch{Exactly: "9.99", Currency: "EUR"}},
		{"time/day", OrderSearch{From: now.AddDate(0, 0, -8), To: now.AddDate(0, 0, -7)}},
		{"time/old and authorized", OrderSearch{Status: []string{"authorized"}, To: now.AddDate(-1, 0, 0)}},
		{"reference", OrderSearch{Reference: reference[:8]}},
	} {
		s.search.Limit = 51
		q, args := s.search.query()
		out = append(out, question{"list/" + s.name, q, args})
	}
	return out
}

// TestOrderSearch: what the console asks goes over indexes, with 6,000 orders
// as with a million (see `make bench-console`), and finds what it should.
func TestOrderSearch(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes 6,000 orders")
	}
	p := filled(t, pgtest.New(t), 6_000)
	t.Run("reads no big table whole", func(t *testing.T) {
		for _, q := range questions(t, p) {
			for _, node := range plan(t, p, q) {
				require.NotEqual(t, "Seq Scan", node.Type, "%s reads all of %s", q.name, node.Relation)
			}
		}
	})
	t.Run("finds what fits", func(t *testing.T) { findsWhatFits(t, p) })
}

// findsWhatFits compares pages, forward and back, with all orders looked at one
// by one.
func findsWhatFits(t *testing.T, p *DB) {
	ctx := context.Background()
	all, err := p.SearchOrders(ctx, OrderSearch{Limit: 1 << 20})
	require.NoError(t, err)
	for i, s := range every() {
		if i%17 != 0 {
			continue
		}
		var want []string
		for _, o := range all {
			if fits(o, s) {
				want = append(want, o.ID)
			}
		}
		s.Limit = 7
		var got []string
		for page := s; len(got) < 20; page.After = got[len(got)-1] {
			rows, err := p.SearchOrders(ctx, page)
			require.NoError(t, err)
			for _, o := range rows {
				got = append(got, o.ID)
			}
			if len(rows) < s.Limit {
				break
			}
		}
		require.Equal(t, want[:min(len(want), len(got))], got[:min(len(want), len(got))], "%+v", s)
		require.Equal(t, min(len(want), len(got)), len(got), "%+v", s)
		require.True(t, len(got) >= 20 || len(got) == len(want), "%+v: %d of %d", s, len(got), len(want))
		s.Oldest = true
		last, err := p.SearchOrders(ctx, s)
		require.NoError(t, err)
		if len(want) > 9 {
			s.Before = last[6].ID
			next, err := p.SearchOrders(ctx, s)
			require.NoError(t, err)
			require.Equal(t, want[len(want)-8], next[0].ID, "%+v", s)
			s.Before, s.After = "", next[0].ID
			back, err := p.SearchOrders(ctx, s)
			require.NoError(t, err)
			require.Equal(t, last, back, "%+v", s)
			s.After, s.Oldest = "", false

			s.Before = want[8]
			rows, err := p.SearchOrders(ctx, s)
			require.NoError(t, err)
			require.Equal(t, want[1], rows[0].ID, "%+v", s)
			require.Equal(t, want[7], rows[6].ID, "%+v", s)
		}
	}
}

func fits(o OrderRow, s OrderSearch) bool {
	least := map[int]int64{0: 450, 2: 450_00, 3: 450_000}
	return (len(s.Status) == 0 || slices.Contains(s.Status, o.Status)) &&
		(s.Provider == "" || o.Provider == s.Provider) && (s.Flow == "" || o.Flow == s.Flow) && (s.AppID == "" || o.AppID == s.AppID) &&
		(s.Mode == "" || o.Mode == s.Mode) && (s.Currency == "" || o.Currency == s.Currency) && (s.Min == "" || o.Amount >= least[o.Exponent])
}

type node struct {
	Type     string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Rows     float64 `json:"Plan Rows"`
	Plans    []node
}

// plan lists the nodes that touch big tables; small ones are read whole rightly.
func plan(t testing.TB, p *DB, q question) (out []node) {
	t.Helper()
	var big []string
	require.NoError(t, p.db.Select(&big, `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND reltuples > 500`))
	require.Contains(t, big, "orders")
	var raw []byte
	require.NoError(t, p.db.Get(&raw, "EXPLAIN (FORMAT JSON) "+q.sql, q.args...), q.name)
	var plans []struct{ Plan node }
	require.NoError(t, json.Unmarshal(raw, &plans))
	var walk func(n node)
	walk = func(n node) {
		if slices.Contains(big, n.Relation) {
			out = append(out, n)
		}
		for _, below := range n.Plans {
			walk(below)
		}
	}
	walk(plans[0].Plan)
	return out
}

// BenchmarkConsole asks a database of a million orders all that the console
// asks, then every combination of the filters, and then a hub for the pages
// themselves, over HTTP. BENCH_DATABASE_URL names
// a database that may be kept for the next time; ORDERS says how many.
func BenchmarkConsole(b *testing.B) {
	n := 1_000_000
	if s := os.Getenv("ORDERS"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	address := os.Getenv("BENCH_DATABASE_URL")
	if address == "" {
		address = pgtest.Server(b).URL()
	}
	p := filled(b, address, n)
	for _, q := range questions(b, p) {
		for _, node := range plan(b, p, q) {
			if node.Type == "Seq Scan" {
				b.Errorf("%s reads all of %s", q.name, node.Relation)
			}
		}
		b.Run(q.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				took = append(took, ask(b, p, q))
			}
			Report(b, took)
		})
	}
	b.Run("every combination", func(b *testing.B) {
		combinations := every()
		var took []time.Duration
		for b.Loop() {
			for _, s := range combinations {
				q, args := s.query()
				d := ask(b, p, question{fmt.Sprintf("%+v", s), q, args})
				if took = append(took, d); d > 100*time.Millisecond {
					b.Logf("%s: %+v", d.Round(time.Millisecond), s)
				}
			}
		}
		Report(b, took)
	})
	b.Run("pages", func(b *testing.B) { BenchPages(b, address) })
}

// every combines the filters with each other, what goes together and what does
// not.
func every() (out []OrderSearch) {
	for _, status := range [][]string{nil, {"paid"}, {"authorized"}, {"expired", "canceled"}, {"open"}} {
		for _, provider := range []string{"", "paypal", "stripe_eu"} {
			for _, flow := range []string{"", "server", "apple_pay"} {
				if flow != "" && provider == "" {
					continue // the console offers a flow with its provider
				}
				for _, app := range []string{"", "app_2", "app_3"} {
					for _, mode := range []string{"", "test"} {
						for _, currency := range []string{"", "JPY", "KWD"} {
							for _, least := range []string{"", "450"} {
								out = append(out, OrderSearch{Status: status, Provider: provider, Flow: flow, AppID: app, Mode: mode, Currency: currency, Min: least, Limit: 51})
							}
						}
					}
				}
			}
		}
	}
	return out
}

func ask(b *testing.B, p *DB, q question) time.Duration {
	begun := time.Now()
	rows, err := p.db.Query(q.sql, q.args...)
	require.NoError(b, err, q.name)
	for rows.Next() { // what comes is not looked at
	}
	require.NoError(b, rows.Err(), q.name)
	return time.Since(begun)
}

// Report tells how long things took, and how many of them longer than 100 ms.
func Report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	at := func(share float64) float64 {
		return float64(took[int(share*float64(len(took)-1))].Microseconds()) / 1000
	}
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(at(1), "max-ms")
	slow, _ := slices.BinarySearch(took, 100*time.Millisecond)
	b.ReportMetric(float64(len(took)-slow), "over-100ms")
	b.ReportMetric(0, "ns/op")
}
