package e2e

import (
	"encoding/csv"
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// fields reads the form that is for a path.
func (a seen) fields(t *testing.T, path string) url.Values {
	t.Helper()
	form := regexp.MustCompile(`(?s)action="[^"]*` + path + `">(.*?)</form>`).FindString(a.body)
	require.NotEmpty(t, form, "no form for %s in %s", path, a.body)
	out := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(form, -1) {
		out.Set(m[1], html.UnescapeString(m[2]))
	}
	return out
}

// act fills in the form of an act, reviews and confirms it, as a person without
// scripts does.
func (o *operator) act(id, verb string, fill url.Values) seen {
	o.h.t.Helper()
	path := "/orders/" + id + "/" + verb
	form := o.get(path).fields(o.h.t, path)
	for k, v := range fill {
		form[k] = v
	}
	a := o.post(path, form)
	if a.status != 200 {
		return a
	}
	a = o.post(path, a.fields(o.h.t, path))
	if a.status != 303 {
		o.h.t.Log(a.body)
	}
	return a
}

// person is somebody of that role, signed in.
func (h *house) person(role access.Role) *operator {
	h.t.Helper()
	email := unique("person") + "@example.com"
	out, err := h.hubCommand("user", "create", "--email", email, "--role", string(role)).Output()
	require.NoError(h.t, err)
	o := h.visitor()
	a := o.signIn(email, strings.TrimSpace(string(out)))
	require.Equal(h.t, 303, a.status, a.body)
	require.Equal(h.t, 200, o.get("/profile").status) // its forms have the session's token
	return o
}

// waitFor waits for what the house does by itself.
func (h *house) waitFor(what string, ok func() bool) {
	h.t.Helper()
	require.Eventually(h.t, ok, 30*time.Second, 50*time.Millisecond, what)
}

// one reads a text of the database.
func one(t *testing.T, db *sqlx.DB, q string, args ...any) (text string) {
	t.Helper()
	require.NoError(t, db.Get(&text, q, args...))
	return text
}

// charged is an order paid by a token, at once.
func (h *house) charged(changes map[string]any) answer {
	h.t.Helper()
	b := map[string]any{"flow": "charge", "input": map[string]any{"token": "tok_visa"}}
	maps.Copy(b, changes)
	a := h.ask("POST", "/v1/checkouts", unique("key"), body(b))
	require.Equal(h.t, 201, a.status, a.raw)
	return a
}

// orderScreens are the pages of orders, with some of every kind to show.
func (h *house) orderScreens() []screen {
	h.t.Helper()
	paid := h.charged(map[string]any{"amount": 123450, "currency": "EUR", "customer": map[string]any{"email": "anna@example.com", "name": "Anna"}})
	h.charged(map[string]any{"amount": 1200, "currency": "JPY"})
	h.charged(map[string]any{"capture": "manual", "reference": "العربية-שלום-1"})
	h.charged(map[string]any{"reference": strings.Repeat("long ", 39) + "end", "input": map[string]any{"token": "tok_chargeDeclinedInsufficientFunds"}})
	h.checkout(map[string]any{"currency": "EUR", "amount": 999})
	part := h.charged(map[string]any{"amount": 9900, "currency": "EUR", "description": "Two books", "metadata": map[string]any{"cart": "17"}})
	require.Equal(h.t, 201, h.ask("POST", "/v1/orders/"+part.ID+"/refunds", unique("key"), map[string]any{"amount": 2000, "reason": "size too small"}).status)
	disputed := h.charged(map[string]any{"input": map[string]any{"token": "tok_createDispute"}})
	h.when(disputed.ID, "disputed", func(a answer) bool { return a.NeedsAttention })
	twice := h.charged(map[string]any{"amount": 4900, "currency": "EUR"})
	h.seemsTwicePaid(twice.ID)
	return []screen{
		{"orders", "/orders"},
		{"orders-filtered", "/orders?status=paid&status=partially_refunded&min=5"},
		{"orders-empty", "/orders?currency=CHF"},
		{"order", "/orders/" + part.ID},
		{"order-disputed", "/orders/" + disputed.ID},
		{"order-twice", "/orders/" + twice.ID},
		{"order-refund", "/orders/" + paid.ID + "/refund"},
		{"order-resolve", "/orders/" + twice.ID + "/resolve"},
		{"order-find", "/find?q=anna@example.com"},
		{"order-found-nothing", "/find?q=pi_nothing"},
		{"orders-export", "/exports/" + ledger.NewID("exp", time.Now()) + "?status=paid"},
	}
}

// seemsTwicePaid makes an order of one attempt look as if two had taken money,
// which takes a provider that breaks its word.
func (h *house) seemsTwicePaid(id string) {
	h.t.Helper()
	db, other := h.database(), ledger.NewID("att", time.Now())
	for _, q := range []string{
		`INSERT INTO attempts SELECT (a).* FROM (SELECT jsonb_populate_record(a, jsonb_build_object('id', $2::text, 'provider', 'paypal', 'flow', 'server', 'refs', '[]'::jsonb)) AS a FROM attempts a WHERE order_id = $1) x`,
		`INSERT INTO captures SELECT (c).* FROM (SELECT jsonb_populate_record(c, jsonb_build_object('id', replace($2, 'att', 'cap'), 'provider_id', $2::text, 'attempt_id', $2::text)) AS c FROM captures c WHERE order_id = $1) x`,
		`UPDATE orders SET captured = 2 * amount, refundable = 2 * amount, needs_attention = true, attention = jsonb_build_array(jsonb_build_object('reason', 'second_payment', 'attempt_id', $2::text, 'at', now())) WHERE id = $1`,
	} {
		_, err := db.Exec(q, id, other)
		require.NoError(h.t, err)
	}
	h.skipBalance = true
}

// TestConsole_OrdersInABrowser: finds an order by what the provider calls it,
// gives a part back, replays a callback, changes how a provider is set up, and
// watches a payment appear: signed in once.
func TestConsole_OrdersInABrowser(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	h := open(t, nil)
	for _, scripts := range []bool{false, true} {
		name := map[bool]string{false: "without scripts", true: "with scripts"}[scripts]
		a := h.charged(map[string]any{"amount": 9900, "currency": "EUR"})
		h.waitFor("a callback", func() bool { return h.count(`SELECT count(*) FROM callbacks WHERE order_id = $1`, a.ID) > 0 })
		b.scripts(scripts)
		if !scripts {
			b.signIn(h)
		}
		b.do(name+": find by the provider's id", chromedp.Navigate(h.Console.URL+"/orders"), fill("#find", a.ref("charge")), chromedp.Submit(chromedp.CSS("#find")), appears(".totals"))
		b.do("ask for a refund", click(`.actions a[href$="/refund"]`), click(`input[name="part"][value="some"]`), fill("#amount", "20.00"), fill("#reason", "too small"), click("form.act button"))
		b.do("confirm it", appears("button.danger"), click("button.danger"), appears(`.badge[title="partially_refunded"]`))
		require.Equal(t, int64(2000), h.until(a.ID, "partially_refunded").Refunded)
		b.do("replay a callback", click(`form[action$="/replay"] button`), appears("li.line:target"))
		require.Contains(t, b.text(".notice"), "The callback was replayed")
	}
	b.changesSettings(h)
	b.do("the list", click(`.side a[href$="/orders"]`), appears("#rows"))
	a := h.charged(map[string]any{"amount": 777, "currency": "EUR", "provider": "stripe_two"})
	b.do("a new payment appears by itself", appears("#o-"+a.ID), appears("tr.new"))
	b.do("while one reads on, it waits", chromedp.Focus(chromedp.CSS("#o-"+a.ID)))
	next := h.charged(map[string]any{"amount": 778, "currency": "EUR"})
	b.do("and is told", appears(".slot a"))
	require.Equal(t, "1 new order: show", b.text(".slot a"))
	b.do("and shown when wanted", click(".slot a"), appears("#o-"+next.ID))
	b.do("an order's page", click("#o-"+next.ID), appears(".totals"))
	require.Equal(t, 201, h.ask("POST", "/v1/orders/"+next.ID+"/refunds", unique("key"), map[string]any{}).status)
	b.do("what happens to it appears by itself", appears(`h1 .badge[title="refunded"]`))
}

// changesSettings of a provider that was set up in the console: what its plugin
// refuses is said beside the field and changes nothing; what it takes is in force.
func (b *tab) changesSettings(h *house) {
	b.t.Helper()
	name, save := h.secondProvider(), `form[action$="/settings"] button`
	b.do("a provider's settings", click(`.side a[href$="/providers"]`), click(`.provider h2 a[href$="/`+name+`"]`), appears("#s_secret_key"))
	b.do("a key that is none", fill("#s_secret_key", "sk_test_bad"), fill("#s_publishable_key", "pk_test_changed_1"), fill("#why", "a new key"), click(save), appears(".problem"))
	require.Contains(b.t, b.text(".problem"), "Secret key: is too short to be a whole key")
	b.do("what else was filled in stays", appears(`#s_publishable_key[value="pk_test_changed_1"]`), appears(`#s_secret_key:not([value])`), click(save), appears(".notice"))
	require.Contains(b.t, b.text(".notice"), "Saved and in force")
	require.Contains(b.t, h.ask("GET", "/v1/providers", "", nil).raw, "pk_test_changed_1")
}

// text is what a part of the page says.
func (b *tab) text(css string) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS(css)))
	require.NoError(b.t, err)
	return strings.TrimSpace(text)
}

// TestConsole_Orders: what a person does with orders, without scripts.
func TestConsole_Orders(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	db := h.database()
	o := h.admin()

	t.Run("finds, lists and shows", func(t *testing.T) {
		a := h.charged(map[string]any{"amount": 9900, "currency": "EUR", "customer": map[string]any{"email": "anna@example.com"}})
		charge := a.ref("charge")
		found := o.get("/find?q=" + charge)
		require.Equal(t, 303, found.status, found.body)
		require.Contains(t, found.where, "/console/orders/"+a.ID)
		page := o.get(strings.Split(found.where, "#")[0])
		require.Contains(t, page.body, "Found by its id at the provider")
		require.Contains(t, page.body, "The money is taken.")
		for _, name := range []string{a.ID, a.Attempts[0].ID, one(t, db, `SELECT reference FROM orders WHERE id = $1`, a.ID), one(t, db, `SELECT id FROM operations WHERE order_id = $1`, a.ID)} {
			require.Contains(t, o.get("/find?q="+url.QueryEscape(name)).where, a.ID, name)
		}
		for _, several := range []string{"anna@example.com", "99.00", "99 EUR"} {
			require.Contains(t, o.get("/find?q="+url.QueryEscape(several)).body, a.ID, several)
		}
		require.Contains(t, o.get("/find?q=pi_nothing").body, "Nothing is called")
		other := h.charged(map[string]any{"amount": 500})
		list := o.get("/orders?currency=EUR&min=98.5&max=99")
		require.Contains(t, list.body, a.ID)
		require.NotContains(t, list.body, other.ID)
		require.Equal(t, "/console/orders?status=paid", o.get("/orders?status=paid&flow=&min=").where, "empty keys are dropped")
		require.Contains(t, o.get("/orders?nonsense=1").body, "nonsense")
		require.Equal(t, 404, o.get("/orders/"+ledger.NewID("ord", time.Now())).status)
	})

	t.Run("refunds a part once, whatever is pressed twice", func(t *testing.T) {
		a := h.charged(map[string]any{"amount": 9900, "currency": "EUR"})
		path := "/orders/" + a.ID + "/refund"
		form := o.get(path).fields(t, path)
		form.Set("part", "some")
		form.Set("amount", "20.001")
		bad := o.post(path, form)
		require.Equal(t, 422, bad.status)
		require.Contains(t, bad.body, "There is a problem")
		require.Contains(t, bad.body, "Give a reason")
		form = bad.fields(t, path)
		form.Set("part", "some")
		form.Set("amount", "20")
		form.Set("preset", "asked")
		form.Set("reason", "too small")
		review := o.post(path, form)
		require.Equal(t, 200, review.status, review.body)
		require.Contains(t, review.body, "Give back 20.00 EUR of 99.00 EUR")
		require.Zero(t, h.count(`SELECT count(*) FROM refunds WHERE order_id = $1`, a.ID), "nothing is done before it was confirmed")
		confirm := review.fields(t, path)
		for range 3 {
			done := o.post(path, confirm)
			require.Equal(t, 303, done.status, done.body)
		}
		require.Equal(t, int64(2000), h.until(a.ID, "partially_refunded").Refunded)
		require.Equal(t, 1, h.count(`SELECT count(*) FROM refunds WHERE order_id = $1`, a.ID))
		outcome, who := audited(t, db, "order.refund")
		require.Equal(t, []string{"done", h.Console.Email}, []string{outcome, who})
		require.Contains(t, o.get("/orders/"+a.ID).body, "asked by the payer: too small")

		stale := o.get(path).fields(t, path) // somebody else refunds meanwhile
		require.Equal(t, 201, h.ask("POST", "/v1/orders/"+a.ID+"/refunds", unique("key"), map[string]any{"amount": 100}).status)
		stale.Set("part", "all")
		stale.Set("preset", "asked")
		require.Contains(t, o.post(path, stale).body, "has changed since")
		require.Equal(t, int64(2100), h.ask("GET", "/v1/orders/"+a.ID, "", nil).Refunded)
	})

	t.Run("captures, cancels, syncs, and says why not", func(t *testing.T) {
		a := h.charged(map[string]any{"capture": "manual"})
		require.Equal(t, 303, o.act(a.ID, "capture", url.Values{"part": {"some"}, "amount": {"7"}, "preset": {"delivered"}}).status)
		require.Equal(t, int64(700), h.until(a.ID, "paid").Captured)
		require.Contains(t, o.get("/orders/"+a.ID).body, "Already paid: refund instead.")
		a = h.charged(map[string]any{"capture": "manual"})
		require.Equal(t, 303, o.act(a.ID, "cancel", url.Values{"reason": {"gone"}}).status)
		h.until(a.ID, "canceled")
		require.Equal(t, 303, o.post("/orders/"+a.ID+"/sync", nil).status)
		require.Contains(t, o.get("/orders/"+a.ID).body, "The provider was read")
	})

	t.Run("an answer that is lost is unknown, and not repeated by hand", func(t *testing.T) {
		a := h.charged(nil)
		h.fault(standin.Fault{Method: "POST", Path: "/v1/refunds", Action: standin.DropAfter, Times: 1})
		require.Equal(t, 303, o.act(a.ID, "refund", url.Values{"part": {"all"}, "preset": {"asked"}}).status)
		h.until(a.ID, "refunded") // it heals by itself
	})

	t.Run("replays a callback and sends a notification again, of this order alone", func(t *testing.T) {
		other := h.charged(nil)
		shop := h.receiver(func(http.ResponseWriter, *http.Request) {})
		a := h.charged(nil)
		h.waitFor("the app is told", shop.has(a.ID))
		told := `SELECT id FROM notifications WHERE order_id = $1 AND state = 'delivered' LIMIT 1`
		h.waitFor("which is on record", func() bool { return h.count(`SELECT count(*) FROM (`+told+`) n`, a.ID) == 1 })
		ntf := one(t, db, told, a.ID)
		require.Equal(t, 404, o.post("/orders/"+other.ID+"/notifications/"+ntf+"/resend", nil).status)
		require.Equal(t, 303, o.post("/orders/"+a.ID+"/notifications/"+ntf+"/resend", nil).status)
		h.waitFor("the app is told again", func() bool { return h.count(`SELECT count(*) FROM deliveries WHERE notification_id = $1`, ntf) == 2 })
		h.waitFor("a callback", func() bool { return h.count(`SELECT count(*) FROM callbacks WHERE order_id = $1`, a.ID) > 0 })
		cb := one(t, db, `SELECT id FROM callbacks WHERE order_id = $1 LIMIT 1`, a.ID)
		require.Contains(t, o.get("/orders/"+a.ID+"?show=callbacks").body, cb)
		require.Equal(t, 404, o.post("/orders/"+other.ID+"/callbacks/"+cb+"/replay", nil).status)
		require.Zero(t, h.count(`SELECT count(*) FROM callbacks WHERE replays IS NOT NULL`))
		require.Equal(t, 303, o.post("/orders/"+a.ID+"/callbacks/"+cb+"/replay", nil).status)
		require.Contains(t, o.get("/orders/"+a.ID).body, "The callback was replayed")
		outcome, _ := audited(t, db, "callback.replay")
		require.Equal(t, "done", outcome)
	})

	t.Run("a viewer looks, and does nothing", func(t *testing.T) {
		a := h.charged(nil)
		v := h.person(access.Viewer)
		page := v.get("/orders/" + a.ID)
		require.Equal(t, 200, page.status)
		require.Contains(t, page.body, "Needs the role Operator")
		require.NotContains(t, page.body, "/refund\"")
		for _, path := range []string{"/refund", "/cancel", "/sync", "/callbacks/cb_1/replay", "/notifications/ntf_1/resend"} {
			require.Equal(t, 403, v.post("/orders/"+a.ID+path, url.Values{"confirm": {"1"}, "preset": {"asked"}}).status, path)
			require.Equal(t, "refused", one(t, db, `SELECT outcome FROM audit WHERE action LIKE 'post /orders/:id/%' ORDER BY id DESC LIMIT 1`))
		}
		require.Equal(t, 403, o.post("/orders/"+a.ID+"/sync", url.Values{"token": {"stolen"}}).status)
		require.Equal(t, "paid", h.ask("GET", "/v1/orders/"+a.ID, "", nil).Status)
	})

	t.Run("an export has every row, and says how many", func(t *testing.T) {
		for range 3 {
			h.charged(map[string]any{"currency": "JPY", "amount": 1200, "reference": unique("=1+1")})
		}
		a := o.get("/orders/export?currency=JPY")
		require.Equal(t, 303, a.status)
		require.Contains(t, o.get(a.where).body, "Download")
		file := o.get(strings.Replace(a.where, "?", "/orders.csv?", 1))
		require.Equal(t, 200, file.status)
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file.body, "\ufeff"))).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 4)
		require.True(t, strings.HasPrefix(rows[1][1], "'=1+1"), rows[1])
		require.Equal(t, []string{"JPY", "0", "1200"}, []string{rows[1][6], rows[1][7], rows[1][8]})
		h.waitFor("the end of the export", func() bool { return strings.Contains(o.get(a.where).body, "Complete: 3 rows") })
	})

	t.Run("views are kept, and others see the shared ones", func(t *testing.T) {
		require.Equal(t, 303, o.post("/orders/views", url.Values{"name": {"<b>Yen"}, "query": {"currency=JPY&limit=10"}, "shared": {"1"}}).status)
		page := h.person(access.Viewer).get("/orders")
		require.Contains(t, page.body, "?currency=JPY\">&lt;b&gt;Yen")
	})

	t.Run("a live list asks what changed", func(t *testing.T) {
		page := o.get("/orders")
		probe := regexp.MustCompile(`hx-get="([^"]+)"`).FindStringSubmatch(page.body)
		require.NotNil(t, probe)
		ask := html.UnescapeString(probe[1])
		h.waitFor("quiet", func() bool {
			page = o.get("/orders")
			ask = html.UnescapeString(regexp.MustCompile(`hx-get="([^"]+)"`).FindStringSubmatch(page.body)[1])
			return o.get(ask).status == 204
		})
		a := h.charged(nil)
		require.Contains(t, o.get(ask).body, a.ID)
		busy := o.get(ask + "&busy=1")
		require.Contains(t, busy.body, "1 new order: show")
		require.NotContains(t, busy.body, a.ID)
	})

	t.Run("what others wrote is shown, and does nothing", func(t *testing.T) {
		evil := `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`
		long := strings.Repeat("名", 66)
		a := h.charged(map[string]any{
			"reference": evil + unique(""), "description": evil + "\u202e" + strings.Repeat("x", 380), "customer": map[string]any{"email": "e@example.com", "name": "\u202e" + long[:150]},
			"metadata": map[string]any{"a<b>": evil, "rtl": "العربية\u2066"}, "line_items": []map[string]any{{"name": evil, "quantity": 1, "amount": 1}},
		})
		// What comes from providers is bounded by nobody: a name as long as they like, with what no text should hold.
		_, err := db.Exec(`UPDATE attempts SET payer = jsonb_build_object('name', repeat($2, 200), 'email', $2), failure = jsonb_build_object('code', $2, 'message', repeat($2, 200)) WHERE order_id = $1`, a.ID, evil)
		require.NoError(t, err)
		_, err = db.Exec(`INSERT INTO events (id, order_id, at, kind, source, request_id, data) VALUES ($1, $2, now(), $3, 'callback', $3, jsonb_build_object('who', $3::text, 'why', repeat($3, 200), 'failure', jsonb_build_object('message', $3::text)))`,
			ledger.NewID("evt", time.Now()), a.ID, evil)
		require.NoError(t, err)
		for _, path := range []string{"/orders", "/orders/" + a.ID, "/orders/" + a.ID + "/refund", "/find?q=" + url.QueryEscape(evil), "/orders?reference=" + url.QueryEscape(evil), "/orders?provider=" + url.QueryEscape(evil)} {
			for _, lang := range []string{"zh", "en"} {
				require.Equal(t, 303, o.post("/look", url.Values{"lang": {lang}}).status)
				page := o.get(path)
				require.Equal(t, 200, page.status, path)
				require.NotContains(t, page.body, "<script>alert", path)
				require.NotContains(t, page.body, "<img", path)
				require.NotContains(t, page.body, "\u202e", path)
				require.NotContains(t, page.body, "%!", path)
				require.Less(t, len(page.body), 200<<10, path)
			}
		}
		require.Equal(t, 400, o.get("/orders?reference=a%00b").status)
	})
}
