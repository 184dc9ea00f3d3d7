package e2e

import (
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/dev"
)

// settings is a form that sets up Stripe's stand-in once more.
func (h *house) settings(changes url.Values) url.Values {
	form := url.Values{
		"plugin": {"stripe"}, "name": {"stripe_two"}, "s_secret_key": {h.StripeSecretKey}, "s_webhook_secret": {h.WebhookSecret},
		"s_publishable_key": {"pk_test_0123456789"}, "s_api_url": {h.SandboxURL + "/stripe"}, "why": {"a second account"},
	}
	for k, v := range changes {
		form[k] = v
	}
	return form
}

// secondProvider is one that is set up in the console.
func (h *house) secondProvider() string {
	h.t.Helper()
	o := h.admin()
	o.get("/providers/new")
	a := o.post("/providers/new", h.settings(nil))
	require.Equal(h.t, 303, a.status, a.body)
	return "stripe_two"
}

// TestConsole_Providers: a provider is set up, changed, switched off and
// removed in the console of one hub, and the other hub takes it over.
func TestConsole_Providers(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *dev.Options) { o.Hubs = 2 })
	db := h.database()
	o := h.admin()
	two := map[string]any{"provider": "stripe_two"}
	offers := func(i int, text string) func() bool {
		return func() bool { return strings.Contains(h.at(i).ask("GET", "/v1/providers", "", nil).raw, text) }
	}
	noSecret := func(a seen) {
		t.Helper()
		for name, secret := range h.secrets() {
			require.NotContains(t, a.body, secret, name)
		}
	}

	t.Run("of the environment: read-only, tested, restarted", func(t *testing.T) {
		a := o.get("/providers/stripe")
		require.Equal(t, 200, a.status, a.body)
		require.Contains(t, a.body, "HUB_PROVIDERS__STRIPE__SETTINGS__SECRET_KEY")
		require.Contains(t, a.body, h.BaseURL+"/callback/stripe")
		require.NotContains(t, a.body, `name="s_secret_key"`)
		noSecret(a)
		a = o.post("/providers/stripe/settings", h.settings(nil))
		require.Equal(t, 409, a.status)
		a = o.post("/providers/stripe/test", nil)
		require.Equal(t, 303, a.status, a.body)
		require.Contains(t, o.get("/providers/stripe").body, "answered in")
		was := h.pluginPIDs("stripe")
		a = o.post("/providers/stripe/restart-all", url.Values{"why": {"a new executable"}})
		require.Equal(t, 303, a.status, a.body)
		h.waitFor("both hubs restart it", func() bool {
			now := h.pluginPIDs("stripe")
			for pid := range now {
				if was[pid] {
					return false
				}
			}
			return len(now) == 2
		})
		h.waitFor("up on both", func() bool { return offers(0, `"up"`)() && offers(1, `"up"`)() })
	})

	t.Run("set up in the console", func(t *testing.T) {
		a := o.get("/providers/new?plugin=stripe&name=stripe_two")
		require.Equal(t, 200, a.status, a.body)
		require.Contains(t, a.body, "Webhook signing secret")

		a = o.post("/providers/new", h.settings(url.Values{"s_secret_key": {"sk_test_bad"}, "s_webhook_secret": {""}}))
		require.Equal(t, 422, a.status)
		require.Contains(t, a.body, "Secret key: is too short to be a whole key")
		require.NotContains(t, a.body, "sk_test_bad")
		a = o.post("/providers/new", h.settings(url.Values{"s_secret_key": {""}}))
		require.Equal(t, 422, a.status)
		require.Contains(t, a.body, "Secret key: is missing")
		require.Equal(t, 404, o.get("/providers/stripe_two").status)
		require.Equal(t, 422, o.post("/providers/new", h.settings(url.Values{"name": {"stripe"}})).status)
		require.Equal(t, 422, o.post("/providers/new", h.settings(url.Values{"name": {"../x"}})).status)

		a = o.post("/providers/new", h.settings(nil))
		require.Equal(t, 303, a.status, a.body)
		a = o.get("/providers/stripe_two")
		require.Contains(t, a.body, "Running")
		noSecret(a)
		require.Equal(t, "paid", h.charged(two).Status)
		h.waitFor("the second hub has it", offers(1, "pk_test_0123456789"))
		require.Equal(t, "paid", h.at(1).charged(two).Status)
		require.Zero(t, h.count(`SELECT count(*) FROM providers WHERE position($1::bytea IN settings) > 0`, []byte(h.StripeSecretKey)), "sealed at rest")
	})

	t.Run("commands know it", func(t *testing.T) {
		out, err := h.hubCommand("provider", "list").Output()
		require.NoError(t, err)
		require.Regexp(t, `(?m)^stripe_two +stripe .* console +open +api_url, publishable_key, secret_key, webhook_secret$`, string(out))
		second := *h
		second.key = h.newApp("two", "stripe_two")
		require.Contains(t, second.ask("GET", "/v1/providers", "", nil).raw, `"stripe_two"`)
	})

	t.Run("settings are tried before they replace good ones", func(t *testing.T) {
		was := h.pluginPIDs("stripe")
		o.get("/providers/stripe_two")
		a := o.post("/providers/stripe_two/settings", h.settings(url.Values{"version": {"1"}, "s_secret_key": {"rk_test_shortened...x"}}))
		require.Equal(t, 422, a.status)
		require.Contains(t, a.body, "was shortened")
		require.NotContains(t, a.body, "rk_test_shortened")
		require.Equal(t, was, h.pluginPIDs("stripe"), "no process was touched")
		require.Equal(t, "paid", h.charged(two).Status)
		outcome, who := audited(t, db, "provider.settings")
		require.Equal(t, []string{"failed", h.Console.Email}, []string{outcome, who})

		// Secrets left empty stay.
		a = o.post("/providers/stripe_two/settings", h.settings(url.Values{
			"version": {"1"}, "s_secret_key": {""}, "s_webhook_secret": {""}, "s_publishable_key": {"pk_test_changed_1"},
		}))
		require.Equal(t, 303, a.status, a.body)
		require.True(t, offers(0, "pk_test_changed_1")())
		require.Equal(t, "paid", h.charged(two).Status)
		h.waitFor("the second hub takes it", offers(1, "pk_test_changed_1"))
		require.Equal(t, "paid", h.at(1).charged(two).Status)
		require.Equal(t, `["publishable_key"]`, one(t, db, `SELECT data->'changed' FROM audit WHERE action = 'provider.settings' AND outcome = 'done'`))

		a = o.post("/providers/stripe_two/settings", h.settings(url.Values{"version": {"1"}}))
		require.Equal(t, 409, a.status, "from a page that is older than the settings")
	})

	t.Run("a key counts when the provider took it", func(t *testing.T) {
		wrong := "sk_test_" + strings.Repeat("w", 40)
		o.get("/providers/stripe_two")
		a := o.post("/providers/stripe_two/settings", h.settings(url.Values{"version": {"2"}, "s_secret_key": {wrong}}))
		require.Equal(t, 422, a.status, a.body)
		require.Contains(t, a.body, "The provider did not take these settings, so those before stay in force: not sent: ")
		require.Contains(t, a.body, `name="unasked"`)
		require.NotContains(t, a.body, wrong)
		require.Equal(t, "paid", h.charged(two).Status)
		a = o.post("/providers/new", h.settings(url.Values{"name": {"stripe_three"}, "s_secret_key": {wrong}}))
		require.Equal(t, 422, a.status, a.body)
		require.Equal(t, 404, o.get("/providers/stripe_three").status)

		// A person may want it all the same: the account is not open yet, say.
		a = o.post("/providers/stripe_two/settings", h.settings(url.Values{"version": {"2"}, "s_secret_key": {wrong}, "unasked": {"1"}}))
		require.Equal(t, 303, a.status, a.body)
		require.Equal(t, 503, h.ask("POST", "/v1/checkouts", unique("key"), body(map[string]any{"provider": "stripe_two", "flow": "charge", "input": map[string]any{"token": "tok_visa"}})).status)
		a = o.post("/providers/stripe_two/settings", h.settings(url.Values{"version": {"3"}}))
		require.Equal(t, 303, a.status, a.body)
		require.Contains(t, o.get("/providers/stripe_two").body, "Saved and in force on this hub (test")
		require.Equal(t, "paid", h.charged(two).Status)
	})

	t.Run("a webhook secret counts on for a while", func(t *testing.T) {
		o.get("/providers/stripe_two")
		fresh := "whsec_" + strings.Repeat("n", 32)
		a := o.post("/providers/stripe_two/settings", h.settings(url.Values{"version": {"4"}, "s_webhook_secret": {fresh}, "keep_webhook_secret": {"24"}}))
		require.Equal(t, 303, a.status, a.body)
		genuine := func(secret string) bool {
			event := []byte(`{"id":"evt_` + unique("x") + `","object":"event","type":"product.created","data":{"object":{}}}`)
			return h.callbackOf("stripe_two", sign(secret, time.Now(), event), event) == 200
		}
		require.True(t, genuine(fresh) && genuine(h.WebhookSecret))
		require.Contains(t, o.get("/providers/stripe_two").body, "a former one counts until")
		h.exec(`UPDATE providers SET former_until = '{"webhook_secret": "2020-01-01T00:00:00Z"}'`)
		h.waitFor("the old one has ended", func() bool { return !genuine(h.WebhookSecret) })
		require.True(t, genuine(fresh))
		require.NotContains(t, o.get("/providers/stripe_two").body, "a former one counts until")
		require.Equal(t, 1, h.count(`SELECT count(*) FROM providers WHERE updated_by = 'the hub' AND former_until = '{}'`))
		a = o.post("/providers/stripe_two/settings", h.settings(url.Values{"version": {"6"}}))
		require.Equal(t, 303, a.status, a.body)
	})

	t.Run("a name in both places is an error", func(t *testing.T) {
		free, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, free.Close())
		cmd := h.hubCommand("serve")
		cmd.Env = append(cmd.Env, "HUB_PROVIDERS__STRIPE_TWO__PLUGIN=stripe", "HUB_SERVER__LISTEN="+free.Addr().String(), "HUB_DEV=1")
		out, err := cmd.CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(out), "provider stripe_two is set up twice, in HUB_PROVIDERS__STRIPE_TWO__PLUGIN and in the console")
	})

	t.Run("only admins change providers", func(t *testing.T) {
		viewer := h.person(access.Viewer)
		a := viewer.get("/providers/stripe_two")
		require.Equal(t, 200, a.status)
		require.NotContains(t, a.body, "pk_test_changed_1")
		require.NotContains(t, a.body, "s_secret_key")
		a = viewer.post("/providers/stripe_two/disable", url.Values{"why": {"for fun"}})
		require.Equal(t, 403, a.status)
		require.Contains(t, a.body, "Admin")
		require.Equal(t, "stripe_two refused", one(t, db, `SELECT object || ' ' || outcome FROM audit ORDER BY id DESC LIMIT 1`))
	})

	t.Run("switched off, and removed", func(t *testing.T) {
		o.get("/providers/stripe_two")
		require.Equal(t, 409, o.post("/providers/stripe_two/remove", url.Values{"why": {"too early"}}).status)
		a := o.post("/providers/stripe_two/disable", url.Values{"why": {"the account closes"}})
		require.Equal(t, 303, a.status, a.body)
		no := h.ask("POST", "/v1/checkouts", unique("key"), body(two))
		require.Equal(t, 503, no.status, no.raw)
		h.waitFor("the second hub ends its process too", func() bool { return len(h.pluginPIDs("stripe")) == 2 })
		a = o.get("/providers/stripe_two")
		require.Contains(t, a.body, "Disabled")
		noSecret(a)
		require.Equal(t, 303, o.post("/providers/stripe_two/enable", url.Values{"why": {"it stays"}}).status)
		require.Equal(t, "paid", h.charged(two).Status)
		require.Equal(t, 303, o.post("/providers/stripe_two/disable", url.Values{"why": {"it closes"}}).status)
		require.Equal(t, 303, o.post("/providers/stripe_two/remove", url.Values{"why": {"it closed"}}).status)
		require.Equal(t, 404, o.get("/providers/stripe_two").status)
		h.waitFor("the second hub forgets it", func() bool { return !offers(1, "stripe_two")() })
	})

	t.Run("its orders go on under another name", func(t *testing.T) {
		require.Contains(t, o.get("/overview?mode=test").body, "Orders are on record of stripe_two, which is not set up")
		orphan := one(t, db, `SELECT id FROM orders WHERE provider = 'stripe_two' AND status = 'paid' LIMIT 1`)
		require.Equal(t, 409, h.ask("POST", "/v1/orders/"+orphan+"/refunds", unique("key"), map[string]any{}).status)
		o.get("/providers/new")
		a := o.post("/providers/new", h.settings(url.Values{"name": {"stripe_three"}}))
		require.Equal(t, 303, a.status, a.body)
		out, err := h.hubCommand("provider", "rename", "stripe_two", "stripe_three").CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "stripe_two is stripe_three now")
		require.Equal(t, 201, h.ask("POST", "/v1/orders/"+orphan+"/refunds", unique("key"), map[string]any{}).status)
		require.NotContains(t, o.get("/overview?mode=test").body, "which is not set up")
	})
	require.NotContains(t, one(t, db, `SELECT string_agg(data::text || why, ' ') FROM audit`), h.StripeSecretKey)
}
