package e2e

import (
	"encoding/csv"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
)

// database is the house's, for what cannot be waited for: time that passes.
func (h *house) database() *sqlx.DB {
	h.t.Helper()
	db, err := sqlx.Open("postgres", h.DatabaseURL)
	require.NoError(h.t, err)
	h.t.Cleanup(func() { _ = db.Close() })
	return db
}

// audited is how the newest line of that action ended.
func audited(t *testing.T, db *sqlx.DB, action string) (outcome, who string) {
	t.Helper()
	row := struct{ Outcome, Who string }{}
	require.NoError(t, db.Get(&row, `SELECT outcome, who FROM audit WHERE action = $1 ORDER BY id DESC LIMIT 1`, action))
	return row.Outcome, row.Who
}

// TestConsole_WhoMayComeIn: signing in, and everything that keeps others out.
// One house below a path, so that cookies and addresses are tried there too.
func TestConsole_WhoMayComeIn(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *dev.Options) { o.BasePath = "/pay" })
	db := h.database()

	t.Run("a page that asks to sign in leads back", func(t *testing.T) {
		o := h.visitor()
		a := o.get("/profile?x=1")
		require.Equal(t, 303, a.status)
		require.Equal(t, "/pay/console/sign-in?back=%2Fpay%2Fconsole%2Fprofile%3Fx%3D1", a.where)
		o.get(a.where)
		a = o.post("/sign-in", url.Values{"email": {h.Console.Email}, "password": {h.Console.Password}, "back": {"/pay/console/profile?x=1"}})
		require.Equal(t, 303, a.status, a.body)
		require.Equal(t, "/pay/console/profile?x=1", a.where)
		for _, c := range a.header.Values("Set-Cookie") {
			require.Contains(t, c, "HttpOnly; SameSite=Lax")
			require.Contains(t, c, "path=/pay/console")
		}
		require.Equal(t, 200, o.get(a.where).status)
		outcome, who := audited(t, db, "session.open")
		require.Equal(t, []string{"done", h.Console.Email}, []string{outcome, who})
		o = h.visitor()
		o.get("/sign-in")
		a = o.post("/sign-in", url.Values{"email": {h.Console.Email}, "password": {h.Console.Password}, "back": {"//evil.example/"}})
		require.Equal(t, "/pay/console", a.where)
	})

	t.Run("the cookie is stored as a hash, and new at each sign-in", func(t *testing.T) {
		o := h.admin()
		base, _ := url.Parse(o.base)
		first := cookie(o.client.Jar.Cookies(base), "superpay_session")
		require.Len(t, first, 43)
		require.Equal(t, 303, o.post("/sign-out", nil).status)
		a := o.signIn(h.Console.Email, h.Console.Password)
		require.Equal(t, 303, a.status)
		require.NotEqual(t, first, cookie(o.client.Jar.Cookies(base), "superpay_session"))
		var plain int
		require.NoError(t, db.Get(&plain, `SELECT count(*) FROM sessions WHERE encode(hash, 'escape') LIKE '%' || $1 || '%'`, first))
		require.Zero(t, plain)
	})

	t.Run("headers", func(t *testing.T) {
		a := h.visitor().get("/sign-in")
		policy := a.header.Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'; script-src 'self'; style-src 'self'")
		require.NotContains(t, policy, "unsafe")
		require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
		require.Equal(t, "no-store", a.header.Get("Cache-Control"))
		require.NotContains(t, a.body, "style=")
		require.NotRegexp(t, `<script(?: [^>]*)?>[^<]`, a.body)
		require.NotRegexp(t, `\son[a-z]+=`, a.body)
	})

	t.Run("a form without its token, or from another site, is refused", func(t *testing.T) {
		o := h.admin()
		o.get("/profile")
		good := o.token // of the page that the form stands on
		other := h.admin()
		for name, change := range map[string]func(http.Header, url.Values){
			"no token":        func(_ http.Header, f url.Values) { f.Del("token") },
			"another's token": func(_ http.Header, f url.Values) { f.Set("token", other.token) },
			"another site":    func(r http.Header, _ url.Values) { r.Set("Sec-Fetch-Site", "cross-site") },
			"another origin":  func(r http.Header, _ url.Values) { r.Set("Origin", "https://evil.example") },
			"no origin":       func(r http.Header, _ url.Values) { r.Set("Origin", "null") },
		} {
			header, form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, url.Values{"token": {good}}
			change(header, form)
			req, err := http.NewRequest("POST", o.base+"/sign-out", strings.NewReader(form.Encode()))
			require.NoError(t, err)
			req.Header = header
			require.Equal(t, 403, o.send(req).status, name)
			outcome, who := audited(t, db, "post /sign-out")
			require.Equal(t, []string{"refused", h.Console.Email}, []string{outcome, who}, name)
		}
		require.Equal(t, 200, o.get("/profile").status, "still signed in")
		require.Equal(t, 303, o.post("/sign-out", nil).status)
		require.Equal(t, 303, o.get("/profile").status, "signed out")
	})

	t.Run("a session ends: idle, too old, revoked", func(t *testing.T) {
		for name, statement := range map[string]string{
			"idle":    `UPDATE sessions SET seen_at = seen_at - interval '13 hours'`,
			"old":     `UPDATE sessions SET expires_at = created_at - interval '1 second'`,
			"revoked": `UPDATE sessions SET ended_at = created_at`,
		} {
			o := h.admin()
			require.Equal(t, 200, o.get("/profile").status)
			_, err := db.Exec(statement + ` WHERE id = (SELECT max(id) FROM sessions)`)
			require.NoError(t, err)
			require.Equal(t, 303, o.get("/profile").status, name)
			a := o.post("/profile/sessions/ses_x/end", nil)
			require.Equal(t, 401, a.status, name)
			require.Contains(t, a.body, "Nothing was sent", name)
		}
		one, two := h.admin(), h.admin()
		var id string
		require.NoError(t, db.Get(&id, `SELECT max(id) FROM sessions`))
		one.get("/profile")
		require.Equal(t, 303, one.post("/profile/sessions/"+id+"/end", nil).status)
		require.Equal(t, 303, two.get("/profile").status)
		require.Contains(t, one.get("/profile").body, "The session is ended")
	})

	t.Run("guesses are slowed down, and lock nobody out whose browser is known", func(t *testing.T) {
		known, stranger := h.admin(), h.visitor()
		require.Equal(t, 303, known.post("/sign-out", nil).status)
		unknown := stranger.signIn("nobody@example.com", "wrong password")
		require.Equal(t, 422, unknown.status)
		for i := range 5 {
			a := stranger.signIn(h.Console.Email, "wrong password")
			require.Equal(t, 422, a.status, i)
			require.Equal(t, strip(unknown.body, "nobody@example.com"), strip(a.body, h.Console.Email), "an unknown user is answered as a known one")
		}
		a := stranger.signIn(h.Console.Email, h.Console.Password)
		require.Equal(t, 429, a.status, "the right password is no use now")
		require.Contains(t, a.body, "Too many tries, again at")
		outcome, _ := audited(t, db, "session.open")
		require.Equal(t, "refused", outcome)
		require.Equal(t, 303, known.signIn(h.Console.Email, h.Console.Password).status)
		_, err := db.Exec(`UPDATE sign_in_tries SET locked_until = locked_until - interval '1 minute', last_at = last_at - interval '1 minute'`)
		require.NoError(t, err)
		require.Equal(t, 303, stranger.signIn(h.Console.Email, h.Console.Password).status, "the delay is over")
	})

	t.Run("the command line lets in and keeps out", func(t *testing.T) {
		const email = "chen@example.com"
		command := func(args ...string) string {
			t.Helper()
			out, err := h.hubCommand(append([]string{"user"}, args...)...).Output()
			require.NoError(t, err, args)
			return strings.TrimSpace(string(out))
		}
		first := command("create", "--email", email, "--role", "operator")
		chen := h.visitor()
		require.Equal(t, 303, chen.signIn(email, first).status)
		second := command("password", email)
		require.Equal(t, 303, chen.get("/profile").status, "a new password ends the sessions")
		require.Equal(t, 422, h.visitor().signIn(email, first).status)
		require.Equal(t, 303, chen.signIn(email, second).status)
		require.Contains(t, command("list"), email)
		command("disable", email)
		require.Equal(t, 303, chen.get("/profile").status)
		require.Equal(t, 422, h.visitor().signIn(email, second).status)
		_, who := audited(t, db, "user.disable")
		require.Contains(t, who, "command line")
	})

	t.Run("what is not there, and what cannot be", func(t *testing.T) {
		o := h.admin()
		a := o.get("/nothing")
		require.Equal(t, 404, a.status)
		require.Contains(t, a.body, "Not found")
		require.Contains(t, a.body, a.header.Get("X-Request-Id"))
		require.Equal(t, 400, o.get("/profile?x=%00").status)
		require.Equal(t, 404, h.visitor().get("/nothing").status)
		_, err := db.Exec(`UPDATE audit SET why = 'x'`)
		require.ErrorContains(t, err, "only ever added to")
		_, err = db.Exec(`DELETE FROM audit`)
		require.ErrorContains(t, err, "only ever added to")
	})
}

func cookie(all []*http.Cookie, name string) string {
	for _, c := range all {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// strip takes away what differs between any two pages.
func strip(body, email string) string {
	return strings.ReplaceAll(formToken.ReplaceAllString(body, ""), email, "")
}

// TestConsole_WhoMayDoWhat: roles, refused and audited; people who are added,
// changed and kept out.
func TestConsole_WhoMayDoWhat(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	db, admin := h.database(), h.admin()

	// make adds a user, and signs it in with the password that is shown once.
	make := func(email, role string) (id string, o *operator) {
		t.Helper()
		admin.get("/people/new")
		a := admin.post("/people/new", url.Values{"email": {email}, "role": {role}})
		require.Equal(t, 200, a.status, a.body)
		password := regexp.MustCompile(`data-copy="([a-z0-9-]{27})"`).FindStringSubmatch(a.body)
		require.NotNil(t, password, a.body)
		require.NoError(t, db.Get(&id, `SELECT id FROM users WHERE email = $1`, email))
		o = h.visitor()
		require.Equal(t, 303, o.signIn(email, password[1]).status)
		require.Equal(t, 200, o.get("/profile").status)
		return id, o
	}
	viewerID, viewer := make("viewer@example.com", "viewer")
	_, second := make("second@example.com", "admin")

	t.Run("a viewer is refused what admins do, and the attempt is kept", func(t *testing.T) {
		for _, path := range []string{"/people", "/audit", "/audit.csv", "/people/" + viewerID} {
			a := viewer.get(path)
			require.Equal(t, 403, a.status, path)
			require.Contains(t, a.body, "This needs the role Admin")
		}
		outcome, who := audited(t, db, "get /people/:id")
		require.Equal(t, []string{"refused", "viewer@example.com"}, []string{outcome, who})
		a := viewer.post("/people/"+viewerID+"/role", url.Values{"role": {"admin"}, "why": {"because"}})
		require.Equal(t, 403, a.status)
		var role string
		require.NoError(t, db.Get(&role, `SELECT role FROM users WHERE id = $1`, viewerID))
		require.Equal(t, "viewer", role)
		var object string
		require.NoError(t, db.Get(&object, `SELECT object FROM audit WHERE action = 'post /people/:id/role'`))
		require.Equal(t, viewerID, object)
		require.NotContains(t, viewer.get("/profile").body, "/console/people", "what one may not do is not offered")
	})

	t.Run("a change asks why, and counts from the next request on", func(t *testing.T) {
		admin.get("/people/" + viewerID)
		a := admin.post("/people/"+viewerID+"/role", url.Values{"role": {"admin"}})
		require.Equal(t, 422, a.status)
		require.Contains(t, a.body, "There is a problem")
		require.Equal(t, 403, viewer.get("/people").status)
		require.Equal(t, 303, admin.post("/people/"+viewerID+"/role", url.Values{"role": {"admin"}, "why": {"on duty"}}).status)
		require.Equal(t, 200, viewer.get("/people").status)
		page := admin.get("/audit?what=user.role").body
		require.Contains(t, page, "on duty")
		require.Contains(t, page, h.Console.Email)
		require.Equal(t, 303, admin.post("/people/"+viewerID+"/disable", url.Values{"why": {"left"}}).status)
		require.Equal(t, 303, viewer.get("/profile").status, "its session is over")
		require.Equal(t, 422, admin.post("/people/new", url.Values{"email": {"VIEWER@example.com"}, "role": {"viewer"}}).status)
	})

	t.Run("two admins who disable each other at once do not leave none", func(t *testing.T) {
		ids := map[*operator]string{}
		for o, email := range map[*operator]string{admin: "second@example.com", second: h.Console.Email} {
			var id string
			require.NoError(t, db.Get(&id, `SELECT id FROM users WHERE email = $1`, email))
			ids[o] = id
			require.Equal(t, 200, o.get("/people/"+id).status)
		}
		var all sync.WaitGroup
		for o, id := range ids {
			all.Go(func() { o.post("/people/"+id+"/disable", url.Values{"why": {"coup"}}) })
		}
		all.Wait()
		var left int
		require.NoError(t, db.Get(&left, `SELECT count(*) FROM users WHERE role = 'admin' AND disabled_at IS NULL`))
		require.Equal(t, 1, left)
	})

	t.Run("the audit is exported whole, and does nothing in a spreadsheet", func(t *testing.T) {
		_, err := db.Exec(`UPDATE users SET disabled_at = NULL; UPDATE sessions SET ended_at = NULL`)
		require.NoError(t, err)
		_, err = db.Exec(`INSERT INTO audit (id, at, who, action, object, why, outcome, address, request_id, data)
			SELECT 'aud_0' || lpad(n::text, 25, '0'), now(), 'x@example.com', 'test.line', '', '=HYPERLINK("http://evil")', 'done', '', '', '{}' FROM generate_series(1, 2500) n`)
		require.NoError(t, err)
		a := admin.get("/audit.csv?what=test.line")
		require.Equal(t, 200, a.status, a.body)
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.body, "\ufeff"))).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 2501)
		require.Equal(t, `'=HYPERLINK("http://evil")`, rows[1][5])
		// Pages follow each other without a gap.
		seen, next := 0, "/audit?what=test.line"
		for next != "" {
			body := admin.get(next).body
			seen += strings.Count(body, "<tr role=\"row\" data-row>")
			next = ""
			if m := regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(body); m != nil {
				next = html.UnescapeString(m[1])
			}
		}
		require.Equal(t, 2500, seen)
	})

	t.Run("a password is changed by who knows it", func(t *testing.T) {
		admin.get("/profile")
		change := func(old, password, again string) seen {
			return admin.post("/profile/password", url.Values{"old": {old}, "password": {password}, "again": {again}})
		}
		require.Contains(t, change("wrong", "a new password 1", "a new password 1").body, "This is not your password")
		require.Contains(t, change(h.Console.Password, "short", "short").body, "at least 12 characters")
		require.Contains(t, change(h.Console.Password, "a new password 1", "a new password 2").body, "differ")
		require.Equal(t, 303, change(h.Console.Password, "a new password 1", "a new password 1").status)
		require.Equal(t, 200, admin.get("/profile").status, "this session stays")
		require.Equal(t, 422, h.visitor().signIn(h.Console.Email, h.Console.Password).status)
		require.Equal(t, 303, h.visitor().signIn(h.Console.Email, "a new password 1").status)
		a := admin.post("/profile/look", url.Values{"lang": {"zh"}, "theme": {"dark"}, "zone": {"Asia/Shanghai"}})
		require.Equal(t, 303, a.status)
		body := admin.get("/profile").body
		require.Contains(t, body, `<html lang="zh-Hans" data-theme="dark">`)
		require.Contains(t, body, "时间均为 Asia/Shanghai (UTC+8)")
		require.NotContains(t, body, "data-keys", "the keys are off")
		require.Equal(t, 422, admin.post("/profile/look", url.Values{"zone": {"Nowhere/At_all"}}).status)
	})
}
