package e2e

import (
	"bytes"
	"net/url"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

var shownOnce = regexp.MustCompile(`(?s)<p class="secret">.*?data-copy="([^"]+)"`)

// as is a person of a role, signed in.
func (h *house) as(role string) *operator {
	h.t.Helper()
	email := unique(role) + "@example.com"
	o := h.admin()
	o.get("/people/new")
	a := o.post("/people/new", url.Values{"email": {email}, "role": {role}})
	require.Equal(h.t, 200, a.status, a.body)
	found := shownOnce.FindStringSubmatch(a.body)
	require.NotNil(h.t, found, a.body)
	person := h.visitor()
	in := person.signIn(email, found[1])
	require.Equal(h.t, 303, in.status, in.body)
	require.Equal(h.t, 200, person.get("/profile").status)
	return person
}

// parked makes a callback that the hub could not apply and gave up on. mend
// takes away what was in its way.
func (h *house) parked() (id string, o answer, mend func()) {
	h.t.Helper()
	o = h.checkout(map[string]any{"reference": unique(`INV-<script>alert(1)</script>`)})
	event := h.withheld(o, "payment_intent.succeeded")
	// What its signature covers may hold what a page must not do.
	at := bytes.Index(event, []byte(`"superpay_attempt"`))
	event = slices.Concat(event[:at], []byte(`"note":"<script>alert(2)</script>\u202e","app_password":"hunter2hunter2",`), event[at:])
	h.exec(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room <b>here</b>'; END $$`)
	h.exec(`CREATE TRIGGER refuse BEFORE INSERT ON captures FOR EACH ROW EXECUTE FUNCTION refuse()`)
	status, _ := h.delivered(event)
	require.Equal(h.t, 200, status)
	h.exec(`UPDATE callbacks SET outcome = 'parked', due_at = NULL, tries = 9 WHERE outcome = 'failed'`)
	require.NoError(h.t, h.query(`SELECT id FROM callbacks WHERE outcome = 'parked'`).Scan(&id))
	require.NoError(h.t, h.stripe.ClearFaults(h.t.Context()))
	return id, o, func() { h.exec(`DROP TRIGGER refuse ON captures`) }
}

// inboxScreens show what came, as it goes well and badly.
func (h *house) inboxScreens() []screen {
	h.t.Helper()
	h.skipBalance = true // one callback stays as it could not be applied
	for range 3 {
		h.paid(nil)
	}
	id, _, mend := h.parked()
	mend()
	h.exec(`UPDATE callbacks SET outcome = 'unmatched', tries = 2, note = 'no attempt of ours has this payment', order_id = NULL, due_at = now() + interval '40 minutes', type = repeat('charge.dispute.', 13)
		WHERE id = (SELECT min(id) FROM callbacks)`)
	return []screen{
		{"inbox", "/inbox"}, {"inbox-none", "/inbox?outcome=foreign&type=nothing"}, {"callback", "/inbox/" + id}, {"callback-raw", "/inbox/" + id + "/raw"},
	}
}

// TestConsole_Inbox: what came is found, read with its secrets hidden by those
// who may, and replayed.
func TestConsole_Inbox(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	db := h.database()
	id, o, mend := h.parked()
	viewer, operator := h.as("viewer"), h.as("operator")

	list := viewer.get("/inbox?outcome=parked&provider=stripe&type=payment_intent.succeeded&verdict=genuine")
	require.Equal(t, 200, list.status)
	require.Contains(t, list.body, "/inbox/"+id)
	require.Contains(t, list.body, "no room &lt;b&gt;here&lt;/b&gt;")
	require.NotContains(t, list.body, `name="id"`, "a viewer has nothing to tick")
	require.Contains(t, viewer.get("/inbox?outcome=applied").body, "No callbacks match")
	require.Equal(t, 422, viewer.get("/inbox?from=yesterday").status)
	one := viewer.get("/inbox/" + id)
	require.Equal(t, 200, one.status)
	require.Contains(t, one.body, "Mend the cause, then replay it")
	require.NotContains(t, one.body, "<script>alert")
	require.Equal(t, 404, viewer.get("/inbox/cb_nothing").status)

	// A viewer reads no body and replays nothing, and that it tried is on record.
	for path, act := range map[string]string{"/raw": "get /inbox/:id/raw", "/raw.txt": "get /inbox/:id/raw.txt"} {
		require.Equal(t, 403, viewer.get("/inbox/"+id+path).status)
		outcome, _ := audited(t, db, act)
		require.Equal(t, "refused", outcome)
	}
	require.Equal(t, 403, viewer.post("/inbox/"+id+"/replay", url.Values{"why": {"because"}}).status)
	require.Equal(t, 403, viewer.post("/inbox/replay", url.Values{"all": {"1"}, "confirm": {"1"}, "why": {"because"}}).status)

	raw := operator.get("/inbox/" + id + "/raw")
	require.Equal(t, 200, raw.status)
	require.Regexp(t, `Stripe-Signature: ••••[0-9a-f]{4}\n`, raw.body)
	require.NotContains(t, raw.body, ",v1=")
	require.NotContains(t, raw.body, "hunter2hunter2")
	require.NotContains(t, raw.body, "<script>alert")
	require.NotContains(t, raw.body, "\u202e")
	require.Contains(t, raw.body, o.Attempts[0].ID)
	require.Contains(t, raw.body, "app_password&#34;: &#34;••••ter2")
	require.Contains(t, raw.body, "Proven:", "what the plugin reads in it")
	require.Contains(t, raw.body, "10.50")
	outcome, _ := audited(t, db, "callback.read")
	require.Equal(t, "done", outcome)
	file := operator.get("/inbox/" + id + "/raw.txt")
	require.Equal(t, "text/plain; charset=utf-8", file.header.Get("Content-Type"))
	require.NotContains(t, file.body, "hunter2hunter2")

	// Without a reason, or a token, nothing happens; then it says why it failed.
	operator.get("/inbox/" + id)
	require.Equal(t, 403, operator.post("/inbox/"+id+"/replay", url.Values{"why": {"because"}, "token": {"stolen"}}).status)
	a := operator.post("/inbox/"+id+"/replay", nil)
	require.Equal(t, 422, a.status)
	require.Contains(t, a.body, "Say why")
	require.Equal(t, 303, operator.post("/inbox/"+id+"/replay", url.Values{"why": {"to see"}}).status)
	require.Contains(t, operator.get("/inbox/"+id).body, "it could not be applied: the reason is below")
	mend()
	require.Equal(t, 303, operator.post("/inbox/"+id+"/replay", url.Values{"why": {"there is <b>room</b> now"}}).status)
	after := operator.get("/inbox/" + id)
	require.Contains(t, after.body, "Replayed: it changed the order")
	require.Contains(t, after.body, "there is &lt;b&gt;room&lt;/b&gt; now")
	require.Equal(t, int64(1050), h.until(o.ID, "paid").Captured)
	outcome, _ = audited(t, db, "callback.replay")
	require.Equal(t, "done", outcome)

	// Many: what was reviewed is what is done.
	h.paid(nil)
	h.quiet()
	operator.get("/inbox")
	require.Equal(t, 422, operator.post("/inbox/replay", nil).status, "nothing is ticked")
	review := operator.post("/inbox/replay", url.Values{"all": {"1"}, "filter": {"type=payment_intent.succeeded"}})
	require.Equal(t, 200, review.status)
	require.Contains(t, review.body, "2 callbacks will be replayed")
	require.NotEqual(t, 303, operator.post("/inbox/replay", url.Values{"id": {id}, "confirm": {"1"}}).status, "no reason")
	h.exec(`UPDATE callbacks SET raw = NULL WHERE id = $1`, id)
	ids := []string{}
	require.NoError(t, db.Select(&ids, `SELECT id FROM callbacks WHERE type = 'payment_intent.succeeded'`))
	require.Equal(t, 303, operator.post("/inbox/replay", url.Values{"id": ids, "confirm": {"1"}, "why": {"drill"}}).status)
	require.Contains(t, operator.get("/inbox").body, "1 are being replayed; 1 cannot be")
	require.Contains(t, operator.get("/inbox/"+id).body, "It cannot be replayed")
	require.Equal(t, 409, operator.get("/inbox/"+id+"/raw").status)
	require.Equal(t, 1, h.count(`SELECT count(*) FROM callbacks WHERE jsonb_array_length(replays) = 1`))
}
