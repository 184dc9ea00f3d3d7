package e2e

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestErase_ForgetsThePayerAndNoMoney: nothing in the database names the payer
// any more, not even after the provider tells of them again; the books are as
// they were, and refunds still work.
func TestErase_ForgetsThePayerAndNoMoney(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	app := h.receiver(ok)
	const marker = "quimby.fields"
	about := map[string]any{
		"customer": map[string]any{"email": marker + "@example.com", "name": marker}, "description": "for " + marker,
		"line_items": []map[string]any{{"name": "ring of " + marker, "quantity": 1, "amount": 1050}}, "metadata": map[string]any{"who": marker},
	}
	open := h.checkout(about)
	out, err := h.hubCommand("order", "erase", open.ID).CombinedOutput()
	require.ErrorAs(t, err, new(*exec.ExitError))
	require.Contains(t, string(out), "cannot be erased", "it is still needed to be paid")

	o := h.paid(about)
	require.Equal(t, 201, h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{"amount": 50, "reason": marker + " was unhappy"}).status)
	require.Eventually(t, app.has("order.partially_refunded "+o.ID), 30*time.Second, 50*time.Millisecond)
	h.quiet()
	books := h.count(`SELECT count(*) FROM postings WHERE order_id = $1`, o.ID)
	cmd := h.hubCommand("order", "erase", o.ID, "--why", "ticket 4711")
	cmd.Env = append(cmd.Env, "USER=mia", "SUDO_USER=")
	out, err = cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Regexp(t, `with [1-9]\d* raw callbacks and [1-9]\d* notifications`, string(out))
	require.Zero(t, h.count(`SELECT count(*) FROM callbacks WHERE order_id = $1 AND raw IS NOT NULL`, o.ID))
	require.Equal(t, books, h.count(`SELECT count(*) FROM postings WHERE order_id = $1`, o.ID))
	require.Contains(t, h.ask("GET", "/v1/orders/"+o.ID+"/events", "", nil).raw, `"who":"mia","why":"ticket 4711"`)

	// What comes later is not taken in either.
	require.Equal(t, 201, h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{}).status)
	h.until(o.ID, "refunded")
	h.quiet()
	require.Eventually(t, app.has("order.refunded "+o.ID), 30*time.Second, 50*time.Millisecond)
	require.Zero(t, h.count(`SELECT count(*) FROM callbacks WHERE order_id = $1 AND raw IS NOT NULL`, o.ID))
	for _, table := range []string{"orders", "attempts", "refunds", "disputes", "events", "notifications"} {
		column := map[bool]string{true: "id", false: "order_id"}[table == "orders"]
		var rows string
		require.NoError(t, h.query(`SELECT coalesce(json_agg(x), '[]') FROM `+table+` x WHERE x.`+column+` = $1`, o.ID).Scan(&rows))
		require.True(t, json.Valid([]byte(rows)))
		require.False(t, strings.Contains(rows, marker), "%s: %s", table, rows)
	}
	out, err = h.hubCommand("order", "erase", o.ID).CombinedOutput()
	require.NoError(t, err, "repeating it is harmless: %s", out)
	require.Equal(t, 1, h.count(`SELECT count(*) FROM events WHERE kind = 'order.erased' AND order_id = $1`, o.ID))
}
