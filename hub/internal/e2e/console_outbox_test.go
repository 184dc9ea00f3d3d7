package e2e

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// parkedNotifications pays an order whose app answers with nonsense, until it is
// given up.
func (h *house) parkedNotifications() (*receiver, answer) {
	h.t.Helper()
	r := h.receiver(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte("<script>alert(1)</script> \u202e whsec_MDEyMzQ1Njc4OWFiY2RlZg== failed\x1b[31m"))
	})
	o := h.paid(nil)
	require.Eventually(h.t, func() bool {
		return h.count(`SELECT count(*) FROM notifications WHERE order_id = $1 AND type = 'order.paid' AND last_status = 500`, o.ID) == 1
	}, 30*time.Second, 50*time.Millisecond)
	h.exec(`UPDATE notifications SET state = 'failed', due_at = NULL`)
	return r, o
}

// outboxScreens show what apps were told, and the apps.
func (h *house) outboxScreens() []screen {
	h.t.Helper()
	_, o := h.parkedNotifications()
	h.receiver(ok)
	gone := h.receiver(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	h.paid(nil)
	h.goneForAnHour(gone.id)
	h.paid(nil)
	var parked, app string
	require.NoError(h.t, h.query(`SELECT id, app_id FROM notifications WHERE order_id = $1 AND type = 'order.paid'`, o.ID).Scan(&parked, &app))
	require.Eventually(h.t, func() bool {
		return h.count(`SELECT count(*) FROM webhook_endpoints WHERE disabled_at IS NOT NULL`) == 1
	}, 30*time.Second, 50*time.Millisecond)
	key := h.key
	h.newApp("another-app-with-quite-a-long-name.and.dots_and_more-of-it", "stripe")
	h.key = key
	var id string
	require.NoError(h.t, h.query(`SELECT id FROM api_keys WHERE app_id = $1`, app).Scan(&id))
	return []screen{
		{"outbox", "/outbox"},
		{"outbox-none", "/outbox?state=delivered&type=nothing"},
		{"notification", "/outbox/" + parked},
		{"apps", "/apps"},
		{"app", "/apps/" + app},
		{"app-new", "/apps/new"},
		{"key-revoke", "/apps/" + app + "/keys/" + id + "/revoke"},
	}
}

// TestConsole_Outbox: what an app was told is found, each try is read, and it
// is told again, once or all that failed.
func TestConsole_Outbox(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	db := h.database()
	r, o := h.parkedNotifications()
	viewer, operator := h.as("viewer"), h.as("operator")
	var id, app string
	require.NoError(t, h.query(`SELECT id, app_id FROM notifications WHERE order_id = $1 AND type = 'order.paid'`, o.ID).Scan(&id, &app))

	list := viewer.get("/outbox?state=failed&type=order.paid&app=" + app + "&endpoint=" + r.id + "&order=" + o.ID)
	require.Equal(t, 200, list.status)
	require.Contains(t, list.body, "/outbox/"+id)
	require.NotContains(t, list.body, `name="id"`)
	require.Contains(t, viewer.get("/outbox?state=delivered").body, "No notifications match")
	require.Equal(t, 422, viewer.get("/outbox?to=soon").status)
	one := viewer.get("/outbox/" + id)
	require.Equal(t, 200, one.status)
	require.Contains(t, one.body, r.URL+"/hook")
	require.Contains(t, one.body, "&lt;script&gt;alert(1)&lt;/script&gt;")
	require.Contains(t, one.body, "␛[31m")
	for _, bad := range []string{"<script>alert", "\u202e", "whsec_MDEy"} {
		require.NotContains(t, one.body, bad)
	}
	for _, path := range []string{"/outbox/" + id + "/resend", "/outbox/resend", "/outbox/resend-failed"} {
		require.Equal(t, 403, viewer.post(path, url.Values{"id": {id}, "confirm": {"1"}, "why": {"because"}, "since": {"2020-01-01"}}).status, path)
	}
	outcome, _ := audited(t, db, "post /outbox/:id/resend")
	require.Equal(t, "refused", outcome)
	operator.get("/outbox/" + id)
	require.Equal(t, 403, operator.post("/outbox/"+id+"/resend", url.Values{"token": {"stolen"}}).status)

	// One that was given up goes out at once; one that arrived asks once more.
	r.from(ok)
	delivered := func() int {
		return h.count(`SELECT count(*) FROM deliveries WHERE notification_id = $1 AND status = 200`, id)
	}
	require.Equal(t, 303, operator.post("/outbox/"+id+"/resend", nil).status)
	require.Eventually(t, func() bool { return delivered() == 1 }, 30*time.Second, 50*time.Millisecond)
	again := operator.post("/outbox/"+id+"/resend", nil)
	require.Equal(t, 200, again.status)
	require.Contains(t, again.body, "has had this one.")
	require.Equal(t, 303, operator.post("/outbox/"+id+"/resend", url.Values{"again": {"1"}}).status)
	require.Eventually(t, func() bool { return delivered() == 2 }, 30*time.Second, 50*time.Millisecond)
	outcome, _ = audited(t, db, "notification.resend")
	require.Equal(t, "done", outcome)

	// All that failed since a day, after a look at how many.
	h.exec(`UPDATE notifications SET state = 'failed', due_at = NULL WHERE id = $1`, id)
	failed := h.count(`SELECT count(*) FROM notifications WHERE state = 'failed'`)
	require.Positive(t, failed)
	require.Equal(t, 422, operator.post("/outbox/resend-failed", url.Values{"since": {"yesterday"}}).status)
	since := url.Values{"since": {time.Now().Add(-48 * time.Hour).Format(time.DateOnly)}, "filter": {"app=" + app}}
	review := operator.post("/outbox/resend-failed", since)
	require.Equal(t, 200, review.status)
	require.Contains(t, review.body, "will be sent again")
	require.Equal(t, failed, h.count(`SELECT count(*) FROM notifications WHERE state = 'failed'`), "looking sends nothing")
	since.Set("confirm", "1")
	require.Equal(t, 422, operator.post("/outbox/resend-failed", since).status, "no reason")
	since.Set("why", "the app is mended")
	require.Equal(t, 303, operator.post("/outbox/resend-failed", since).status)
	require.Eventually(t, func() bool { return h.count(`SELECT count(*) FROM notifications WHERE state <> 'delivered'`) == 0 }, 30*time.Second, 50*time.Millisecond)

	// Ticked ones of a disabled endpoint stay, and it says so.
	h.exec(`UPDATE webhook_endpoints SET disabled_at = now(), disabled_reason = 'test'`)
	require.Contains(t, operator.get("/outbox/"+id).body, "The endpoint is disabled: enable it first")
	require.Equal(t, 409, operator.post("/outbox/"+id+"/resend", url.Values{"again": {"1"}}).status)
	ticked := url.Values{"id": {id}}
	require.Contains(t, operator.post("/outbox/resend", ticked).body, "1 notification will be sent again")
	ticked.Set("confirm", "1")
	ticked.Set("why", "to see")
	require.Equal(t, 303, operator.post("/outbox/resend", ticked).status)
	require.Contains(t, operator.get("/outbox").body, "0 go out again; 1 do not")
}

// TestConsole_Apps: an app is made, its keys open what they should until they
// are rotated and revoked, and its endpoints are told or not.
func TestConsole_Apps(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	db := h.database()
	viewer, operator, admin := h.as("viewer"), h.as("operator"), h.admin()
	house := h.key
	t.Cleanup(func() { h.key = house }) // the books are compared as the house's app

	secretOf := func(a seen) string {
		t.Helper()
		require.Equal(t, 200, a.status, a.body)
		require.Equal(t, "no-store", a.header.Get("Cache-Control"))
		found := shownOnce.FindStringSubmatch(a.body)
		require.NotNil(t, found, a.body)
		return found[1]
	}
	opens := func(key string, want int) {
		t.Helper()
		h.key = key
		h.waitFor("what is known of a key holds for a second", func() bool { return h.ask("GET", "/v1/orders", "", nil).status == want })
	}
	require.Equal(t, 403, operator.get("/apps/new").status)
	require.Equal(t, 403, operator.post("/apps/new", url.Values{"name": {"mine"}}).status)
	require.Equal(t, 403, admin.post("/apps/new", url.Values{"name": {"mine"}, "token": {"stolen"}}).status)
	require.Equal(t, 0, h.count(`SELECT count(*) FROM apps WHERE name = 'mine'`))
	admin.get("/apps/new")
	for _, name := range []string{"", "<script>", "shop"} {
		a := admin.post("/apps/new", url.Values{"name": {name}, "all": {"1"}})
		require.Equal(t, 422, a.status, name)
		require.Contains(t, a.body, "There is a problem")
		require.NotContains(t, a.body, `value="<script>"`)
	}
	require.Equal(t, 422, admin.post("/apps/new", url.Values{"name": {"mine"}, "provider": {"nobody"}}).status)
	first := secretOf(admin.post("/apps/new", url.Values{"name": {"mine"}, "provider": {"paypal"}}))
	opens(first, 200)
	var app string
	require.NoError(t, h.query(`SELECT id FROM apps WHERE name = 'mine'`).Scan(&app))
	page := "/apps/" + app
	keyID := func(key string) (id string) {
		require.NoError(t, h.query(`SELECT id FROM api_keys WHERE hint = $1 AND app_id = $2`, key[:8], app).Scan(&id))
		return id
	}
	require.Equal(t, 422, h.ask("POST", "/v1/checkouts", unique("key"), body(nil)).status, "stripe is not granted")
	require.Equal(t, 303, admin.post(page+"/providers", url.Values{"provider": {"stripe", "paypal"}}).status)
	h.waitFor("stripe is granted", func() bool { return h.ask("POST", "/v1/checkouts", unique("key"), body(nil)).status == 201 })
	seenBy := viewer.get(page)
	require.Equal(t, 200, seenBy.status)
	require.Contains(t, seenBy.body, first[:8])
	require.NotContains(t, seenBy.body, first)
	require.NotContains(t, seenBy.body, "/keys\"", "a viewer has no forms")

	// Rotated with an overlap both work, without one the old does not.
	second := secretOf(admin.post(page+"/keys/"+keyID(first)+"/rotate", url.Values{"overlap": {"24"}}))
	opens(first, 200)
	opens(second, 200)
	third := secretOf(admin.post(page+"/keys/"+keyID(second)+"/rotate", url.Values{"overlap": {"0"}}))
	opens(second, 401)
	opens(third, 200)
	require.Equal(t, 409, admin.post(page+"/keys/"+keyID(second)+"/rotate", url.Values{"overlap": {"0"}}).status, "it has ended")
	readOnly := secretOf(admin.post(page+"/keys", url.Values{"scope": {"read"}, "days": {"90"}}))
	opens(readOnly, 200)
	require.Equal(t, 403, h.ask("POST", "/v1/checkouts", unique("key"), body(nil)).status)
	require.Equal(t, 422, admin.post(page+"/keys", url.Values{"scope": {"root"}, "days": {"-1"}}).status)

	// Revoking asks which one, and why.
	revoke := page + "/keys/" + keyID(third) + "/revoke"
	require.Equal(t, 403, operator.post(revoke, url.Values{"hint": {third[:8]}, "why": {"lost"}}).status)
	require.Equal(t, 422, admin.post(revoke, url.Values{"hint": {"spk_"}, "why": {"lost"}}).status)
	opens(third, 200)
	require.Equal(t, 303, admin.post(revoke, url.Values{"hint": {third[:8]}, "why": {"lost"}}).status)
	opens(third, 401)
	outcome, who := audited(t, db, "key.revoke")
	require.Equal(t, []string{"done", h.Console.Email}, []string{outcome, who})

	// Endpoints.
	for _, bad := range []string{"http://example.com/", "javascript:alert(1)", "https://user:pw@example.com/"} {
		a := admin.post(page+"/endpoints", url.Values{"url": {bad}})
		require.Equal(t, 422, a.status, bad)
	}
	require.Contains(t, secretOf(admin.post(page+"/endpoints", url.Values{"url": {"http://127.0.0.1:9/hook?token=abcdefghijklmnop"}})), "whsec_")
	require.NotContains(t, viewer.get(page).body, "abcdefghijklmnop")
	var endpoint string
	require.NoError(t, h.query(`SELECT id FROM webhook_endpoints WHERE app_id = $1`, app).Scan(&endpoint))
	at := page + "/endpoints/" + endpoint
	require.Contains(t, secretOf(admin.post(at+"/rotate", url.Values{"overlap": {"24"}})), "whsec_")
	require.Equal(t, 303, admin.post(at+"/disable", nil).status)
	require.Contains(t, admin.get(page).body, "disabled by "+h.Console.Email)
	require.Equal(t, 409, admin.post(at+"/disable", nil).status)
	require.Equal(t, 303, admin.post(at+"/enable", nil).status)
	require.Equal(t, 404, admin.post("/apps/app_other/endpoints/"+endpoint+"/enable", nil).status)
	require.Equal(t, 0, h.count(`SELECT count(*) FROM audit WHERE data::text LIKE '%' || $1 || '%'`, "abcdefghijklmnop"))
}
