package e2e

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// TestSpeed_StatementsPerRequest counts what a request costs the database, in
// PostgreSQL's own log: two statements for a checkout, a load and a write for
// a callback.
func TestSpeed_StatementsPerRequest(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	h := open(t, func(o *dev.Options) { o.DatabaseURL = server.URL() })
	db, err := sql.Open("postgres", server.URL())
	require.NoError(t, err)
	defer db.Close()
	_, err = db.Exec(`ALTER SYSTEM SET log_statement = 'all'`)
	require.NoError(t, err)
	_, err = db.Exec(`SELECT pg_reload_conf()`)
	require.NoError(t, err)
	time.Sleep(500 * time.Millisecond)
	// What the hub does by the clock comes when it comes: the worker's polls, what
	// is dropped when it is old, changes of providers, counts for the overview, the
	// look at a key, once a second, the clock, the hub's own count, and the ledger's own
	// check, endpoints that missed something, how providers are set up, and refused calls.
	aside := regexp.MustCompile(`SET due_at = \$1|WITH RECURSIVE names|SET answer = NULL|SET raw = NULL|DELETE FROM notifications|UPDATE schedules|coalesce\(p.id, r.provider\)|order_hours|left\(order_id|left\(min\(id|WITH counted AS|WITH used AS|api_keys|ANALYZE|pg_stat_user_tables|clock_timestamp` +
		`|ledger_checks|ledger_doubts|order_id FROM events WHERE id >|transaction_read_only|SELECT id FROM orders WHERE id >|SELECT o.id, record_send|DISTINCT what|SELECT r.provider, r.kind|reltuples|UPDATE witness|INTO witness|AS fences|missed_from, missed_id` +
		`|DELETE FROM webhook_secrets|DELETE FROM returns|provider_checks|forged_callbacks|FROM providers ORDER BY id`)
	var said []string
	read := map[string]int64{} // of each file of the log
	// executed counts the statements so far, without those and ours.
	executed := func() int {
		files, err := filepath.Glob(filepath.Join(server.Dir(), "*.log"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			for _, line := range linesSince(t, file, read) {
				if strings.Contains(line, "LOG:  execute ") && !aside.MatchString(line) {
					said = append(said, line)
				}
			}
		}
		return len(said)
	}
	last := func() []string { return said[max(0, len(said)-5):] }
	h.checkout(nil)
	require.NotZero(t, executed(), "the log does not show statements")

	const many = 10
	orders := make([]answer, many)
	before := executed()
	for i := range orders {
		orders[i] = h.checkout(nil)
	}
	require.Equal(t, many*2, executed()-before, "statements of %d checkouts: %s", many, said[min(before, len(said)):])

	h.fault(standin.Fault{Callback: "*", Action: standin.Withhold})
	for _, o := range orders {
		h.pay(o.NextAction.URL, visa)
	}
	h.exec(`UPDATE attempts SET due_at = now() + interval '1 day'`) // a slow story is not read by the clock meanwhile
	// What settles comes first, so that nothing is left to be read meanwhile.
	events := h.stripeList("/v1/events?limit=100")
	settles := func(e json.RawMessage) bool { return bytes.Contains(e, []byte(`"payment_intent.succeeded"`)) }
	slices.SortStableFunc(events, func(a, b json.RawMessage) int {
		switch {
		case settles(a) && !settles(b):
			return -1
		case settles(b) && !settles(a):
			return 1
		}
		return 0
	})
	for _, e := range events {
		before = executed()
		require.Equal(t, 200, h.callback(sign(h.WebhookSecret, time.Now(), e), e))
		require.LessOrEqual(t, executed()-before, 2, "statements of a callback: %.300s\n%s", e, last())
		before = executed()
		require.Equal(t, 200, h.callback(sign(h.WebhookSecret, time.Now(), e), e))
		require.Equal(t, 1, executed()-before, "statements of a repetition: %.300s\n%s", e, last())
	}
	before = executed()
	for range 50 {
		require.Equal(t, 422, h.callback(sign("whsec_of_somebody_else", time.Now(), events[0]), events[0]))
	}
	require.Zero(t, executed()-before, "a flood of garbage costs the database no statement but that of the count, every few seconds")
	require.Equal(t, many, h.count(`SELECT count(*) FROM orders WHERE status = 'paid'`))
}

// linesSince reads the whole lines that a file gained, and notes how far it is
// read.
func linesSince(t *testing.T, file string, read map[string]int64) []string {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, read[file], math.MaxInt64-read[file]))
	require.NoError(t, err)
	whole := bytes.LastIndexByte(text, '\n') + 1
	read[file] += int64(whole)
	return strings.Split(string(text[:whole]), "\n")
}
