package e2e

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
)

// screen is a page of the console, by its path, or another of the hub's, by its
// address: what pictures are taken of, and what is searched for faults.
type screen struct{ name, path string }

// screens are all of them, with data to show. A new screen is added here.
func (h *house) screens() []screen {
	h.t.Helper()
	without := map[string]any{"return_url": nil, "cancel_url": nil}
	open, paid := h.checkout(without), h.checkout(without)
	h.pay(paid.NextAction.URL, visa)
	h.until(paid.ID, "paid")
	held := h.paid(map[string]any{"return_url": nil, "capture": "manual", "amount": 1200, "currency": "JPY"})
	long := h.paid(map[string]any{"reference": "INV-" + strings.Repeat("2041-", 30), "description": "<b>名</b> " + strings.Repeat("long ", 60)})
	refused := h.charged(map[string]any{"return_url": nil, "cancel_url": nil, "input": map[string]any{"token": "tok_chargeDeclinedInsufficientFunds"}})
	canceled, expired := h.checkout(without), h.checkout(without)
	require.Equal(h.t, 200, h.ask("POST", "/v1/orders/"+canceled.ID+"/cancel", unique("key"), nil).status)
	h.exec(`UPDATE orders SET expires_at = now() - interval '1 second', version = version + 1 WHERE id = $1`, expired.ID)
	h.dueAgain(expired)
	h.until(expired.ID, "expired")
	payer := func(a answer) string { return h.BaseURL + "/return/" + a.Attempts[0].ID }
	return slices.Concat(h.orderScreens(), h.outboxScreens(), h.inboxScreens(), h.providerScreens(), h.shopScreens(open, held, refused), []screen{
		{"payer-checking", payer(open)},
		{"payer-later", payer(open) + "?n=10"},
		{"payer-left", payer(open) + "?cancel=1"},
		{"payer-paid", payer(paid)},
		{"payer-refused", payer(refused)},
		{"payer-approved", payer(held)},
		{"payer-canceled", payer(canceled)},
		{"payer-expired", payer(expired)},
		{"payer-missing", h.BaseURL + "/return/nothing"},
		{"order-held", "/orders/" + held.ID},
		{"order-long", "/orders/" + long.ID},
		{"order-capture", "/orders/" + held.ID + "/capture"},
		{"profile", "/profile"},
		{"people", "/people"},
		{"person", "/people/" + h.colleague()},
		{"person-new", "/people/new"},
		{"audit", "/audit"},
		{"audit-empty", "/audit?who=nobody@example.com&from=2026-01-01"},
		{"overview", "/overview?range=24h&mode=test"},
		{"overview-empty", "/overview?mode=live"},
		{"missing", "/nothing"},
	})
}

// furnished is a house with all that there is to look at: a shop, a provider
// whose settings its plugin refuses, and one whose plugin is not there.
func furnished(o *dev.Options) {
	o.Shop = true
	o.Env = append(o.Env, "HUB_PROVIDERS__STRIPE_UK__PLUGIN=stripe", "HUB_PROVIDERS__STRIPE_UK__SETTINGS__SECRET_KEY=sk_test_short", "HUB_PROVIDERS__ADYEN__PLUGIN=adyen")
}

// providerScreens are those of a furnished house.
func (h *house) providerScreens() []screen {
	h.t.Helper()
	name := h.secondProvider()
	require.Eventually(h.t, func() bool { return strings.Contains(h.admin().get("/providers/stripe_uk").body, "too short") }, 30*time.Second, 100*time.Millisecond)
	return []screen{
		{"providers", "/providers"},
		{"provider", "/providers/stripe"},
		{"provider-kept", "/providers/" + name},
		{"provider-refused", "/providers/stripe_uk"},
		{"provider-missing", "/providers/adyen"},
		{"provider-new", "/providers/new"},
		{"provider-new-settings", "/providers/new?plugin=paypal&name=paypal_eu"},
	}
}

// shopScreens show what the shop says of orders.
func (h *house) shopScreens(open, held, refused answer) []screen {
	h.t.Helper()
	part := h.charged(map[string]any{"reference": unique("shop"), "amount": 123450, "currency": "EUR", "description": "12 × Teapot"})
	require.Equal(h.t, 201, h.ask("POST", "/v1/orders/"+part.ID+"/refunds", unique("key"), map[string]any{"amount": 2000, "reason": "size too small"}).status)
	order := func(name string, o answer, query string) screen {
		return screen{"shop-order-" + name, h.ShopURL + "/order/" + o.ID + "?n=stop" + query} // does not load itself again
	}
	return []screen{
		{"shop", h.ShopURL},
		{"shop-orders", h.ShopURL + "/orders"},
		order("open", open, ""),
		order("part", part, ""),
		order("held", held, ""),
		order("refused", refused, "&pay=1"),
	}
}

// addressOf is a screen's address.
func (h *house) addressOf(s screen) string {
	if strings.HasPrefix(s.path, "http") {
		return s.path
	}
	return h.Console.URL + s.path
}

// colleague is a user beside the admin.
func (h *house) colleague() string {
	h.t.Helper()
	o := h.admin()
	o.get("/people/new")
	a := o.post("/people/new", map[string][]string{"email": {"li.wei@example.com"}, "name": {"李伟 Li Wei"}, "role": {"operator"}})
	require.Equal(h.t, 200, a.status, a.body)
	var id string
	require.NoError(h.t, h.database().Get(&id, `SELECT id FROM users WHERE email = 'li.wei@example.com'`))
	return id
}

// signIn opens the console as its admin.
func (b *tab) signIn(h *house) {
	b.t.Helper()
	b.do("sign in", chromedp.Navigate(h.Console.URL+"/sign-in"), fill("#email", h.Console.Email), fill("#password", h.Console.Password),
		click(`.signin button[type="submit"]`), appears("header.top"))
}

// scripts turns them off and on.
func (b *tab) scripts(on bool) {
	b.t.Helper()
	b.do("scripts", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	}))
}

// scheme is the system's: light or dark.
func (b *tab) scheme(name string) {
	b.t.Helper()
	b.do("scheme", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
		})
		return err
	}))
}

// accepts is the language that the browser asks for, where nobody is signed in.
func (b *tab) accepts(lang string) {
	b.t.Helper()
	b.do("language", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": lang}})
		return err
	}))
}

// axe is axe-core, which finds what people with a screen reader, or without a
// mouse, or with weak eyes would stumble over.
//
//go:embed testdata/axe/axe.min.js
var axe string

// faults are the serious ones of the page that is open: all, or of one rule.
func (b *tab) faults(rules ...string) []string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 60*time.Second)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](axe)))
	only := ""
	if len(rules) > 0 {
		only = `, runOnly: ["` + strings.Join(rules, `", "`) + `"]`
	}
	// What is asked for anew is dimmed meanwhile: a fault that passes is none.
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`(async () => {
		let found = []
		for (let tries = 0; tries < 4; tries++) {
			while (document.querySelector(".htmx-request")) await new Promise((done) => setTimeout(done, 50))
			const result = await axe.run(document, {resultTypes: ["violations"]`+only+`})
			found = result.violations
				.filter((v) => v.impact === "serious" || v.impact === "critical")
				.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.html.slice(0, 200) + " | " + n.failureSummary.replace(/\s+/g, " ")))
			if (found.length === 0) break
		}
		return found
	})()`, chromedp.EvalAwaitPromise))
	require.NoError(b.t, err)
	return found
}

// TestConsole_EveryScreenCanBeUsedByAll: no serious fault that axe finds, light
// and dark, and nothing that is wider than a phone.
func TestConsole_EveryScreenCanBeUsedByAll(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	h := open(t, furnished)
	screens := h.screens()
	look := func(name, url string) {
		t.Helper()
		b.scheme("light")
		b.do(name, chromedp.EmulateViewport(1280, 800), chromedp.Navigate(url), appears("main"))
		require.Empty(t, b.faults(), name)
		b.scheme("dark") // which changes colours and nothing else
		require.Empty(t, b.faults("color-contrast"), "%s, dark", name)
		b.do(name, chromedp.EmulateViewport(360, 740))
		wide, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth`))
		require.NoError(t, err)
		require.LessOrEqual(t, wide, 360, "%s scrolls sideways on a phone", name)
	}
	look("sign-in", h.Console.URL+"/sign-in")
	b.signIn(h)
	h.weigh(screens)
	for _, s := range screens {
		look(s.name, h.addressOf(s))
	}
}

// weigh checks that pages stay light: what is big is slow, on a phone above all.
func (h *house) weigh(screens []screen) {
	h.t.Helper()
	o, loaded := h.admin(), map[string]int{}
	for _, s := range screens {
		a := o.get(h.addressOf(s))
		require.Less(h.t, len(a.body), 120<<10, s.name)
		for _, m := range regexp.MustCompile(`(?:src|href)="(/static/[^"#]+\.(css|js))"`).FindAllStringSubmatch(a.body, -1) {
			file := o.get(h.BaseURL + m[1])
			require.Equal(h.t, 200, file.status, m[1])
			require.Contains(h.t, file.header.Get("Cache-Control"), "immutable", m[1])
			if !strings.Contains(m[1], "uPlot") {
				loaded[m[1]] = len(file.body)
			}
		}
	}
	require.Eventually(h.t, func() bool { return strings.Contains(o.get("/profile").body, `class="count">`) }, 20*time.Second, time.Second, "what waits for a person is counted")
	sums := map[string]int{}
	for name, size := range loaded {
		sums[filepath.Ext(name)] += size
	}
	require.Less(h.t, sums[".css"], 118<<10)
	require.Less(h.t, sums[".js"], 68<<10)
}

// TestScreenshots takes pictures of every screen for people to look at: `make
// screenshots`.
func TestScreenshots(t *testing.T) {
	to := os.Getenv("SCREENSHOTS")
	if to == "" {
		t.Skip("`make screenshots` takes them")
	}
	require.NoError(t, os.MkdirAll(to, 0o755))
	b := newTab(t)
	h := open(t, furnished)
	screens := append([]screen{{"sign-in", "/sign-in"}}, h.screens()...)
	db := h.database()
	only := os.Getenv("SCREEN")
	for i, s := range screens {
		if i == 1 {
			b.signIn(h)
		}
		if only != "" && !strings.Contains(s.name, only) && i > 0 {
			continue
		}
		for _, lang := range []string{"en", "zh"} {
			b.accepts(lang)
			_, err := db.Exec(`UPDATE users SET lang = $1, zone = 'Asia/Shanghai'`, lang)
			require.NoError(t, err)
			for _, scheme := range []string{"light", "dark"} {
				for _, width := range []int64{1280, 360} {
					if lang == "zh" && (scheme == "dark") != (width == 360) {
						continue // two of the four will do
					}
					b.scheme(scheme)
					height := map[int64]int64{1280: 800, 360: 740}[width]
					b.do(s.name, chromedp.EmulateViewport(width, height), chromedp.Navigate(h.addressOf(s)), appears("main"))
					picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
					require.NoError(t, err)
					name := fmt.Sprintf("%s-%d-%s-%s.png", s.name, width, scheme, lang)
					require.NoError(t, os.WriteFile(filepath.Join(to, name), picture, 0o644))
				}
			}
		}
	}
	t.Logf("the pictures are in %s", to)
}
