package e2e

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestConsole_Overview: its money is that of the orders and of the journal, each
// number leads to the orders that it counts, and a journal that says something
// else is told.
func TestConsole_Overview(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.admin()
	require.Contains(t, o.get("/overview").body, "No orders in this range")

	first := h.charged(map[string]any{"amount": 9900, "currency": "EUR"})
	h.charged(map[string]any{"amount": 1200, "currency": "JPY"})
	h.charged(map[string]any{"amount": 1100, "currency": "EUR"})
	a := h.ask("POST", "/v1/orders/"+first.ID+"/refunds", unique("refund"), map[string]any{"amount": 2000})
	require.Equal(t, 201, a.status, a.raw)
	h.until(first.ID, "partially_refunded")
	open := h.checkout(nil)

	var page seen
	require.Eventually(t, func() bool { // the past is counted first, on a slow machine
		page = o.get("/overview?range=24h&mode=test")
		return strings.Contains(page.body, "110.00")
	}, 30*time.Second, 50*time.Millisecond)
	text := regexp.MustCompile(`(?s)<[^>]*>`).ReplaceAllString(page.body, "")
	for _, said := range []string{"110.00 EUR", "20.00 EUR", "90.00 EUR", "1,200 JPY", "stripe.charge 100 % (3/3)", "stripe.checkout_session 0 % (0/1)"} {
		require.Contains(t, text, said)
	}
	require.Equal(t, 2, strings.Count(text, "equals the journal"))

	// Behind the number of orders of a flow are those orders.
	link := regexp.MustCompile(`href="([^"]*flow=stripe.checkout_session[^"]*)"`).FindStringSubmatch(page.body)
	require.NotNil(t, link)
	list := o.get(html.UnescapeString(link[1]))
	require.Equal(t, 200, list.status)
	require.Contains(t, list.body, open.ID)
	require.NotContains(t, list.body, first.ID)

	require.NotContains(t, o.get("/overview?range=24h&mode=live").body, "110.00", "test money is no live money")
	require.Equal(t, 400, o.get("/overview?range=forever").status)

	h.skipBalance = true // the books are broken on purpose
	h.exec(`UPDATE postings SET amount = amount - 1 WHERE id = (SELECT id FROM postings WHERE currency = 'EUR' AND account LIKE 'provider:%' LIMIT 1)`)
	h.exec(`UPDATE order_hours_known SET as_of = as_of - interval '1 hour'`) // nothing else changed
	require.Contains(t, o.get("/overview?range=24h&mode=test").body, "differs by \u22120.01")
}
