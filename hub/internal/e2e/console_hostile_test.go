package e2e

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// TestConsole_HostileContent: what providers sign, strangers send and apps
// answer is shown on every page that there is of it, and does nothing.
func TestConsole_HostileContent(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	evil := `"><script>alert(1)</script>'` + "\u202e\u2066\u0000\u001b[31m\r\n\u2028" + strings.Repeat("名x", 5000)
	o := h.charged(map[string]any{"reference": unique("\uff1d1+1"), "customer": map[string]any{"email": "-2+3@example.com"}})
	h.receiver(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte(evil + "\xff\xfe"))
	})
	failure := map[string]any{"id": o.ref("charge"), "object": "charge", "failure_message": evil, "failure_code": evil, "metadata": map[string]any{"superpay_attempt": o.Attempts[0].ID, evil: evil}}
	event := func(id, kind string, object any) map[string]any {
		return map[string]any{"id": id, "type": kind, "api_version": "2023-10-16", "object": "event", "created": 1, "data": map[string]any{"object": object}}
	}
	for _, body := range []any{event("evt_"+evil, evil, map[string]any{"id": evil}), event("evt_1", "charge.failed", failure), []any{evil}} {
		raw, err := json.Marshal(body)
		require.NoError(t, err)
		require.Equal(t, 200, h.callback(sign(h.WebhookSecret, time.Now(), raw), raw))
		require.Equal(t, 422, h.callback(evil[:28], append(raw, 0, 0xff)))
	}
	strange := "\x00\xff" + evil
	req, err := http.NewRequest("POST", h.BaseURL+"/callback/stripe", strings.NewReader(strange))
	require.NoError(t, err)
	req.URL.RawQuery = "q=\u202e<script>alert(1)</script>"
	req.Header.Set("X-Evil", "<script>alert(1)</script>\u202e\xff")
	req.Header.Set("Stripe-Signature", sign(h.WebhookSecret, time.Now(), []byte(strange)))
	res, err := browser.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 200, res.StatusCode)
	h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{"reason": "\u202e<script>alert(1)</script>"})
	h.waitFor("a try", func() bool { return h.count(`SELECT count(*) FROM notifications WHERE last_status = 418`) > 0 })

	var pages []string
	require.NoError(t, h.database().Select(&pages, `SELECT unnest(ARRAY['/inbox', '/outbox', '/orders', '/audit']) UNION ALL SELECT '/orders/' || id FROM orders UNION ALL SELECT '/outbox/' || id FROM notifications
		UNION ALL SELECT unnest(ARRAY['/inbox/' || id, '/inbox/' || id || '/raw', '/inbox/' || id || '/raw?all=1']) FROM callbacks`))
	require.Greater(t, len(pages), 18)
	admin := h.admin()
	for _, path := range pages {
		a := admin.get(path)
		require.Equal(t, 200, a.status, path)
		require.True(t, utf8.ValidString(a.body), path)
		require.Less(t, len(a.body), 200<<10, path)
		for _, bad := range []string{"<script>alert", "\u202e", "\u2066", "\u2028", "\x00", "\x1b"} {
			if i := strings.Index(a.body, bad); i >= 0 {
				t.Fatalf("%s shows %q: %q", path, bad, a.body[max(0, i-100):i+len(bad)])
			}
		}
	}
	file := admin.get(admin.get("/orders/export").where + "/orders.csv")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file.body, "\ufeff"))).ReadAll()
	require.NoError(t, err, file.body)
	require.Equal(t, []string{"'\uff1d1+1", "'-2+3@example.com"}, []string{rows[1][1][:len("'\uff1d1+1")], rows[1][18]})
}
