package e2e

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// delivered sends a signed callback and returns the answer, whatever it is.
func (h *house) delivered(event []byte) (status int, retryAfter string) {
	h.t.Helper()
	req, err := http.NewRequest("POST", h.BaseURL+"/callback/stripe", bytes.NewReader(event))
	require.NoError(h.t, err)
	req.Header.Set("Stripe-Signature", sign(h.WebhookSecret, time.Now(), event))
	res, err := browser.Do(req)
	require.NoError(h.t, err)
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode, res.Header.Get("Retry-After")
}

// TestInbox_WhatCannotBeAppliedIsKeptAndReplayed: the hub cannot record what a
// genuine callback says. It is acknowledged, for it is on disk; it is tried
// again, parked with its order flagged, and repaired by command and by API.
func TestInbox_WhatCannotBeAppliedIsKeptAndReplayed(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.checkout(nil)
	for _, path := range []string{"/v1/checkout/sessions", "/v1/payment_intents", "/v1/charges"} { // nor does it hear otherwise
		h.fault(standin.Fault{Method: "GET", Path: path, Action: standin.Status, StatusCode: 500})
	}
	event := h.withheld(o, "payment_intent.succeeded")
	h.exec(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room for captures'; END $$`)
	h.exec(`CREATE TRIGGER refuse BEFORE INSERT ON captures FOR EACH ROW EXECUTE FUNCTION refuse()`)
	twin := bytes.Replace(event, []byte("evt_"), []byte("evt_twin_"), 1)
	for _, e := range [][]byte{event, twin} {
		status, _ := h.delivered(e)
		require.Equal(t, 200, status, "it is on record, so it is acknowledged")
	}
	var id, other, outcome, note string
	require.NoError(t, h.query(`SELECT id FROM callbacks WHERE event_id LIKE 'evt_twin_%'`).Scan(&other))
	require.NoError(t, h.query(`SELECT id, outcome, note FROM callbacks WHERE due_at IS NOT NULL AND tries >= 1 AND id <> $1`, other).Scan(&id, &outcome, &note))
	require.Equal(t, "failed", outcome)
	require.Contains(t, note, "no room for captures")
	require.Equal(t, "open", h.ask("GET", "/v1/orders/"+o.ID, "", nil).Status)

	// It does not go round for ever.
	h.exec(`UPDATE callbacks SET tries = 8, due_at = now() WHERE id IN ($1, $2)`, id, other)
	flagged := h.when(o.ID, "flagged", func(a answer) bool { return len(a.Attention) == 2 })
	require.True(t, flagged.NeedsAttention)
	require.Equal(t, "callback_stuck", flagged.Attention[0].Reason)
	require.Eventually(t, func() bool {
		return h.count(`SELECT count(*) FROM callbacks WHERE id IN ($1, $2) AND outcome = 'parked' AND due_at IS NULL`, id, other) == 2
	}, 30*time.Second, 50*time.Millisecond)
	out, err := h.hubCommand("callback", "list", "--outcome", "parked").CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), id)

	list := h.ask("GET", "/v1/callbacks?order_id="+o.ID+"&outcome=parked", "", nil)
	require.Len(t, list.Data, 2, list.raw)
	require.NotContains(t, list.raw, "captures", "the reason is for the operator")
	mine := h.key
	h.key = h.newApp("other")
	require.Empty(t, h.ask("GET", "/v1/callbacks?order_id="+o.ID, "", nil).Data)
	require.Equal(t, 404, h.ask("GET", "/v1/callbacks/"+id, "", nil).status)
	require.Equal(t, 404, h.ask("POST", "/v1/callbacks/"+id+"/replay", "", nil).status)
	h.key = mine

	h.exec(`DROP TRIGGER refuse ON captures`)
	out, err = h.hubCommand("callback", "replay", id, "--why", "there is room now").CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "is applied")
	paid := h.until(o.ID, "paid")
	require.Equal(t, int64(1050), paid.Captured)
	require.Len(t, paid.Attention, 1, "the other callback is still stuck")
	require.Equal(t, 200, h.ask("POST", "/v1/callbacks/"+other+"/replay", "", nil).status)
	require.False(t, h.until(o.ID, "paid").NeedsAttention, "what was stuck is done")
	for range 2 {
		again := h.ask("POST", "/v1/callbacks/"+id+"/replay", "", map[string]any{"why": "to be sure"})
		require.Equal(t, 200, again.status, again.raw)
		require.Contains(t, again.raw, `"outcome":"applied"`)
	}
	require.Equal(t, paid.Captured, h.until(o.ID, "paid").Captured, "repeating it is harmless")
	timeline := h.ask("GET", "/v1/orders/"+o.ID+"/events", "", nil).raw
	require.Equal(t, 1, strings.Count(timeline, `"order.paid"`))
	require.Equal(t, 4, strings.Count(timeline, `"callback.replayed"`))
	require.Equal(t, 2, strings.Count(timeline, `"attention.resolved"`))
	require.Contains(t, timeline, "there is room now")
	out, err = h.hubCommand("callback", "show", id, "--body").CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "payment_intent.succeeded")
	require.NotContains(t, strings.ToLower(string(out)), "stripe-signature")

	// What it said is erased in time; that it came stays.
	h.exec(`UPDATE callbacks SET received_at = now() - interval '91 days'`)
	h.KillHub(0)
	require.NoError(t, h.StartHub(t.Context(), 0, "HUB_TIME_SCALE=600"))
	require.Eventually(t, func() bool { return h.count(`SELECT count(*) FROM callbacks WHERE raw IS NOT NULL`) == 0 }, 30*time.Second, 50*time.Millisecond)
	erased := h.ask("POST", "/v1/callbacks/"+id+"/replay", "", nil)
	require.Equal(t, 409, erased.status, erased.raw)
	require.Equal(t, "callback_erased", erased.Code)
}

// TestInbox_ForgottenSecret: a callback that waits and is not taken for genuine
// any more is shown with the reason, and does not go round for ever.
func TestInbox_ForgottenSecret(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	event := []byte(`{"id":"evt_forgotten","object":"event","api_version":"2023-10-16","created":1712700008,"livemode":false,"pending_webhooks":1,"type":"payment_intent.succeeded","request":{"id":null},"data":{"object":{"id":"pi_forgotten","object":"payment_intent","amount":2000,"amount_received":2000,"currency":"usd","status":"succeeded","latest_charge":"ch_forgotten","livemode":false,"metadata":{}}}}`)
	status, _ := h.delivered(event)
	require.Equal(t, 200, status)
	h.KillHub(0)
	require.NoError(t, h.StartHub(t.Context(), 0, "HUB_PROVIDERS__STRIPE__SETTINGS__WEBHOOK_SECRET=whsec_anotheronealtogether"))
	h.exec(`UPDATE callbacks SET due_at = now()`)
	require.Eventually(t, func() bool {
		return h.count(`SELECT count(*) FROM callbacks WHERE outcome = 'failed' AND verdict = 'forged' AND note LIKE '%signature%' AND due_at > now()`) == 1
	}, 30*time.Second, 50*time.Millisecond)
}

// TestInbox_HintsMakeOneRead: a burst of callbacks that prove nothing makes the
// hub ask the provider once, and once more for those that came after it began.
func TestInbox_HintsMakeOneRead(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.checkout(nil)
	event := h.withheld(o, "payment_intent.succeeded")
	event = bytes.Replace(event, []byte("2023-10-16"), []byte("2025-03-31.basil"), 1)
	id := string(event[bytes.Index(event, []byte("evt_")):][:12])
	h.fault(standin.Fault{Method: "GET", Path: "/v1/checkout/sessions/", Action: standin.Delay, DelayMS: 2000})
	reads := func() (n int) {
		all, err := h.stripe.Requests(t.Context())
		require.NoError(t, err)
		for _, r := range all {
			if r.Method == "GET" && r.Path == "/v1/checkout/sessions/"+o.ref("checkout_session") {
				n++
			}
		}
		return n
	}
	before := reads()
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if status, _ := h.delivered(bytes.Replace(event, []byte(id), fmt.Appendf(nil, "%s_%d_", id, i), 1)); status != 200 {
				t.Errorf("status %d", status)
			}
		})
	}
	all.Wait()
	h.until(o.ID, "paid")
	require.Eventually(t, func() bool { return h.count(`SELECT count(*) FROM attempts WHERE read_wanted`) == 0 }, 30*time.Second, 50*time.Millisecond)
	require.Equal(t, 20, h.count(`SELECT count(*) FROM callbacks`))
	// One, one for what came after it began, one for what the provider's list says,
	// and where a callback was decided before a worker took the attempt: its commit
	// ends that lease, and another worker reads beside it.
	require.LessOrEqual(t, reads()-before, 5)
}

// TestInbox_DatabaseAway: what cannot be stored is not acknowledged, and kept
// when it is sent again.
func TestInbox_DatabaseAway(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	h := open(t, func(o *dev.Options) {
		o.DatabaseURL = server.URL()
		o.Env = append(o.Env, "HUB_DATABASE__MAX_CONNS=3")
	})
	o := h.checkout(nil)
	event := h.withheld(o, "payment_intent.succeeded")

	// Every connection of the hub's waits for somebody who holds the table.
	db, err := sql.Open("postgres", server.URL())
	require.NoError(t, err)
	defer db.Close()
	tx, err := db.Begin()
	require.NoError(t, err)
	_, err = tx.Exec(`LOCK TABLE callbacks IN ACCESS EXCLUSIVE MODE`)
	require.NoError(t, err)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			status, retryAfter := h.delivered(event)
			if status != 503 || retryAfter == "" {
				t.Errorf("status %d, Retry-After %q", status, retryAfter)
			}
		})
	}
	all.Wait()
	require.NoError(t, tx.Rollback())

	// Nobody gets in.
	u, err := url.Parse(server.URL())
	require.NoError(t, err)
	name := strings.TrimPrefix(u.Path, "/")
	u.Path = "/template1"
	other, err := sql.Open("postgres", u.String())
	require.NoError(t, err)
	defer other.Close()
	require.NoError(t, db.Close())
	doors := func(open bool) {
		t.Helper()
		_, err := other.Exec(fmt.Sprintf(`ALTER DATABASE %q WITH ALLOW_CONNECTIONS %t`, name, open))
		require.NoError(t, err)
		_, err = other.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, name)
		require.NoError(t, err)
	}
	doors(false)
	status, retryAfter := h.delivered(event)
	require.Equal(t, 503, status)
	require.NotEmpty(t, retryAfter)
	doors(true)
	require.Eventually(t, func() bool { status, _ := h.delivered(event); return status == 200 }, 30*time.Second, 100*time.Millisecond)
	require.Equal(t, int64(1050), h.until(o.ID, "paid").Captured)
	require.Equal(t, 1, h.count(`SELECT count(*) FROM callbacks`))
}

// TestInbox_PluginDown is answered 503, and the callback is taken when it comes
// again.
func TestInbox_PluginDown(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.checkout(nil)
	event := h.withheld(o, "payment_intent.succeeded")
	h.KillHub(0)
	require.NoError(t, h.StartHub(t.Context(), 0, "HUB_PROVIDERS__STRIPE__SETTINGS__WEBHOOK_SECRET="))
	status, retryAfter := h.delivered(event)
	require.Equal(t, 503, status)
	require.NotEmpty(t, retryAfter)
	require.Equal(t, 0, h.count(`SELECT count(*) FROM callbacks`))
	h.KillHub(0)
	require.NoError(t, h.StartHub(t.Context(), 0))
	status, _ = h.delivered(event)
	require.Equal(t, 200, status)
	h.until(o.ID, "paid")

	// What means nothing to a hub is kept all the same, once.
	nothing := []byte(`{"id":"evt_nothing","object":"event","api_version":"2023-10-16","created":1712700008,"livemode":false,"type":"customer.created","data":{"object":{"id":"cus_1","object":"customer"}}}`)
	for range 2 {
		status, _ = h.delivered(nothing)
		require.Equal(t, 200, status)
	}
	require.Equal(t, 1, h.count(`SELECT count(*) FROM callbacks WHERE outcome = 'ignored' AND event_id = 'evt_nothing'`))
}
