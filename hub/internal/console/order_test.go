package console

import (
	"net/url"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// TestTexts_OfOrders: what the ledger can say of an order has words, so that a
// new reason or kind is not shown as its code.
func TestTexts_OfOrders(t *testing.T) {
	all := func(file, pattern string) []string {
		raw, err := os.ReadFile("../ledger/" + file)
		require.NoError(t, err)
		var out []string
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(raw), -1) {
			out = append(out, m[1])
		}
		require.NotEmpty(t, out, file)
		return out
	}
	for _, reason := range all("attention.go", `(?m)^\t[A-Z]\w+ += "(\w+)"`) {
		require.True(t, hasText("attention."+reason) && hasText("attention."+reason+".short"), "no text attention.%s", reason)
	}
	for _, status := range all("order.go", `OrderStatus = "(\w+)"`) {
		require.Contains(t, orderStatuses, status)
		require.True(t, hasText("order.says."+status) && hasText("status.order."+status), status)
	}
	for _, outcome := range all("callback.go", `CallbackOut = "(\w+)"`) {
		require.NotEmpty(t, tones["callback."+outcome], outcome)
	}
	for _, kind := range []string{"create", "confirm", "capture", "cancel", "refund"} {
		require.True(t, hasText("verb."+kind) && hasText("operation."+kind), kind)
	}
	for noun, whats := range map[string][]string{
		"capture": {"pending", "succeeded", "failed", "corrected"}, "refund": {"pending", "succeeded", "failed", "made_at_provider", "corrected"},
		"dispute": {"inquiry", "open", "won", "lost", "closed"}, "payment": {"declined", "gone", "contradiction", "accepted"}, "event": {"expected", "confirmed", "unconfirmed"},
	} {
		for _, what := range whats {
			require.True(t, hasText("event."+noun+"."+what), "%s.%s", noun, what)
		}
	}
	for _, key := range orderKeys {
		switch key {
		case "status", "attention", "disputed", "unknown", "refund_failed", "range", "older", "mode", "tz", "sort", "limit", "after", "before", "live":
		default:
			require.True(t, hasText("orders.filter."+key), key)
		}
	}
}

// TestOrderFilter: an address is read in the reader's zone, and what means
// nothing is told and left out.
func TestOrderFilter(t *testing.T) {
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	p := &page{Lang: "en", Zone: shanghai, Now: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)}
	read := func(query string) orderFilter {
		values, err := url.ParseQuery(query)
		require.NoError(t, err)
		return readOrderFilter(values, p)
	}
	f := read("from=2026-11-20&to=2026-11-20&flow=stripe.charge&status=paid&status=open&min=12.5")
	require.Empty(t, f.wrong)
	require.Equal(t, "2026-11-19T16:00:00Z", f.search.From.UTC().Format(time.RFC3339))
	require.Equal(t, 24*time.Hour, f.search.To.Sub(f.search.From))
	require.Equal(t, []string{"stripe", "charge"}, []string{f.search.Provider, f.search.Flow})
	require.Equal(t, []string{"open", "paid"}, f.search.Status)
	require.Equal(t, p.Now.Add(-7*24*time.Hour), read("range=7d").search.From)
	for _, wrong := range []string{
		"nonsense=1", "status=nothing", "min=1,5", "min=-1", "currency=eur", "attention=yes", "after=ord_1", "from=yesterday", "limit=100000", "range=7y", "flow=charge", "mode=live&mode=test",
	} {
		require.Len(t, read(wrong).wrong, 1, wrong)
		require.Empty(t, read(wrong).narrowed(), wrong)
		require.Equal(t, postgres.OrderSearch{Limit: pageRows}, read(wrong).search, wrong)
	}
	f = read("status=paid&currency=EUR&after=ord_01jd2v9q4x6m3k8n5p7r9s1t2w")
	require.Empty(t, f.wrong)
	require.Equal(t, "currency=EUR", f.without("status", "paid"), "another filter begins at its first page")
	require.Equal(t, "currency=EUR&status=paid", f.view())
}
