package dev

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// shutdownTimeout is the hubs': all must be over within ten seconds.
const shutdownTimeout = 5 * time.Second

// plan settles keys and addresses, before anything runs that needs them.
func (h *House) plan(context.Context) (err error) {
	if h.keys, err = loadKeys(h.options.DataDir); err != nil {
		return err
	}
	if o := h.options; o.StripeSecretKey != "" {
		h.keys.StripeSecretKey, h.keys.StripeWebhookSecret, h.keys.StripePublishableKey = o.StripeSecretKey, o.StripeWebhookSecret, o.StripePublishableKey
	}
	if h.options.Key != "" {
		h.keys.EncryptionKey = h.options.Key
	}
	h.APIKey, h.EncryptionKey, h.WebhookSecret, h.StripeSecretKey = h.keys.APIKey, h.keys.EncryptionKey, h.keys.StripeWebhookSecret, h.keys.StripeSecretKey
	h.PayPal = h.keys.PayPal
	port := h.options.Port
	for range h.options.Hubs {
		if port, err = wantedPort(port); err != nil {
			return err
		}
		h.BaseURLs = append(h.BaseURLs, "http://"+local(port)+h.options.BasePath)
		port = 0
	}
	h.Console = Console{h.BaseURL() + "/console", consoleEmail, h.keys.ConsolePassword}
	return nil
}

// consoleEmail is the first admin's.
const consoleEmail = "admin@example.com"

// seed makes the app "shop" with its key and the console's first admin, and the
// schema before that.
func (h *House) seed(ctx context.Context) error {
	if h.options.OtherBuild {
		return h.seedByProgram(ctx)
	}
	k, err := postgres.ParseKeys(h.keys.EncryptionKey)
	if err != nil {
		return err
	}
	db, err := postgres.Open(ctx, postgres.Options{URL: h.DatabaseURL, Keys: k, MaxConns: 2})
	if err != nil {
		return err
	}
	defer db.Close()
	now := time.Now().UTC()
	app, err := db.EnsureApp(ctx, ledger.NewID("app", now), "shop", []string{"*"}, now)
	if err != nil {
		return fmt.Errorf("make the app: %w", err)
	}
	key := h.keys.APIKey
	if err := db.AddKey(ctx, postgres.NewKey{ID: ledger.NewID("key", now), AppID: app.ID, Hint: access.Hint(key), Hash: access.HashKey(key), CreatedAt: now}); err != nil {
		return fmt.Errorf("make the app's key: %w", err)
	}
	return h.seedAdmin(ctx, db, now)
}

// seedByProgram has the hub of BinDir make the schema, by its own migrations,
// and the app with its key. There is no admin of the console.
func (h *House) seedByProgram(ctx context.Context) error {
	var out []byte
	for _, args := range [][]string{{"migrate"}, {"app", "create", "shop"}} {
		cmd := exec.CommandContext(ctx, filepath.Join(h.options.BinDir, "hub"), args...)
		cmd.Env, cmd.Stderr = h.hubEnvironment(h.BaseURL(), h.DatabaseURL), h.logs.named("hub")
		said, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("hub %s: %w; its last lines say why", strings.Join(args, " "), err)
		}
		out = said
	}
	h.keys.APIKey = strings.TrimSpace(string(out))
	h.APIKey = h.keys.APIKey
	return nil
}

// seedAdmin makes the password that is announced the one that opens.
func (h *House) seedAdmin(ctx context.Context, db *postgres.DB, now time.Time) error {
	hash, err := access.HashNewPassword(h.keys.ConsolePassword)
	if err != nil {
		return err
	}
	admin, err := access.NewUser(consoleEmail, "", access.Admin, hash, now)
	if err == nil {
		err = db.EnsureUser(ctx, admin)
	}
	if err != nil {
		return fmt.Errorf("make the console's admin: %w", err)
	}
	return nil
}

func (h *House) startSandbox(ctx context.Context) error {
	if h.options.StripeSecretKey != "" {
		return nil
	}
	state := filepath.Join(h.options.DataDir, "sandbox")
	if h.options.Fleeting {
		state = ""
	} else if err := os.MkdirAll(state, 0o700); err != nil {
		return err
	}
	h.sandbox = &child{
		house: h, name: "sandbox", program: "sandbox", announces: true,
		args: []string{"--addr", h.neighbor(2), "--state-dir", state, "--stripe-webhook-url", h.BaseURL() + "/callback/stripe", "--paypal-webhook-url", h.BaseURL() + "/callback/paypal"},
		env: environment(
			"SANDBOX_STRIPE_KEY="+h.keys.StripeSecretKey, "SANDBOX_STRIPE_WEBHOOK_SECRET="+h.keys.StripeWebhookSecret,
			"SANDBOX_PAYPAL_CLIENT_ID="+h.PayPal.ClientID, "SANDBOX_PAYPAL_SECRET="+h.PayPal.Secret,
			"SANDBOX_PAYPAL_MERCHANT_ID="+h.PayPal.MerchantID, "SANDBOX_PAYPAL_WEBHOOK_ID="+h.PayPal.WebhookID,
		),
	}
	where, err := h.sandbox.start(ctx)
	h.SandboxURL, h.paypalCA = where.URL, where.PayPalCA
	return err
}

func (h *House) startHubs(ctx context.Context) error {
	database := h.DatabaseURL
	if through := h.options.HubDatabase; through != nil {
		var err error
		if database, err = through(database); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	for i, base := range h.BaseURLs {
		hub := &child{house: h, name: "hub", program: "hub", args: []string{"serve"}, env: h.hubEnvironment(base, database), health: base + "/readyz"}
		if len(h.BaseURLs) > 1 {
			hub.name = fmt.Sprintf("hub%d", i)
		}
		if h.options.Clocks {
			hub.env = append(hub.env, "HUB_CLOCK_OFFSET_FILE="+h.clockFile(i))
		}
		h.hubs = append(h.hubs, hub)
		group.Go(func() error {
			_, err := hub.start(ctx)
			return err
		})
	}
	return group.Wait()
}

// Environment configures a command of the hub that runs beside the first hub.
func (h *House) Environment() []string { return h.hubEnvironment(h.BaseURL(), h.DatabaseURL) }

// hubEnvironment configures a hub that listens, and is reached, at base.
func (h *House) hubEnvironment(base, database string) []string {
	listen := strings.TrimPrefix(strings.TrimSuffix(base, h.options.BasePath), "http://")
	env := []string{
		"HUB_DEV=1",
		"HUB_SERVER__LISTEN=" + listen,
		"HUB_SERVER__PUBLIC_URL=" + base,
		"HUB_SERVER__BASE_PATH=" + h.options.BasePath,
		"HUB_SERVER__SHUTDOWN_TIMEOUT=" + shutdownTimeout.String(),
		"HUB_DATABASE_URL=" + database,
		"HUB_ENCRYPTION_KEY=" + h.keys.EncryptionKey,
		"HUB_PROVIDERS__STRIPE__SETTINGS__SECRET_KEY=" + h.keys.StripeSecretKey,
		"HUB_PROVIDERS__STRIPE__SETTINGS__WEBHOOK_SECRET=" + h.keys.StripeWebhookSecret,
		"HUB_PROVIDERS__STRIPE__SETTINGS__PUBLISHABLE_KEY=" + h.keys.StripePublishableKey,
		"HUB_LOG__FORMAT=text",
	}
	env = append(env, h.pluginFolders()...)
	if h.SandboxURL != "" {
		env = append(env, "HUB_PROVIDERS__STRIPE__SETTINGS__API_URL="+h.SandboxURL+"/stripe")
		env = append(env, h.paypalEnvironment()...)
	}
	if h.options.TimeScale != 0 {
		env = append(env, fmt.Sprintf("HUB_TIME_SCALE=%g", h.options.TimeScale))
	}
	if t := h.options.CallTimeout; t != 0 {
		env = append(env, "HUB_CALL_TIMEOUT="+t.String(), "HUB_SERVER__REQUEST_TIMEOUT="+(t+15*time.Second).String())
	}
	return environment(append(env, h.options.Env...)...)
}

// pluginFolders are, first to last: what `hub plugin dev` builds, what was installed,
// what is built with the hub. A build that is not ours may know one folder only.
func (h *House) pluginFolders() []string {
	built := filepath.Join(h.options.BinDir, "plugins")
	if h.options.OtherBuild {
		return []string{"HUB_PLUGINS__DIR=" + built}
	}
	return []string{
		"HUB_PLUGINS__DEV_DIR=" + PluginDevDir(h.options.DataDir),
		"HUB_PLUGINS__DIR=" + filepath.Join(h.options.DataDir, "plugins") + "," + built,
	}
}

// PluginDevDir is the folder that `hub plugin dev` builds into.
func PluginDevDir(dataDir string) string { return filepath.Join(dataDir, "plugin-dev") }

// paypalEnvironment configures the provider paypal against its stand-in.
func (h *House) paypalEnvironment() []string {
	var env []string
	for name, value := range map[string]string{
		"CLIENT_ID": h.PayPal.ClientID, "CLIENT_SECRET": h.PayPal.Secret, "MERCHANT_ID": h.PayPal.MerchantID,
		"WEBHOOK_ID": h.PayPal.WebhookID, "MODE": "test", "API_URL": h.SandboxURL + "/paypal",
		"CALLBACK_CERTS": h.paypalCA, "CALLBACK_CERT_HOST": strings.TrimPrefix(h.SandboxURL, "http://"),
	} {
		env = append(env, "HUB_PROVIDERS__PAYPAL__SETTINGS__"+name+"="+value)
	}
	return env
}

func (h *House) startShop(ctx context.Context) error {
	if !h.options.Shop {
		return nil
	}
	h.shop = &child{
		house: h, name: "shop", program: "shop", announces: true,
		env: environment("SHOP_LISTEN="+h.neighbor(1), "SHOP_HUB_URL="+h.BaseURL(), "SHOP_API_KEY="+h.keys.APIKey, "SHOP_SANDBOX_URL="+h.SandboxURL),
	}
	where, err := h.shop.start(ctx)
	if err != nil {
		return err
	}
	h.ShopURL = where.URL
	status, err := get(ctx, h.ShopURL+"/healthz")
	if err == nil && status != 200 {
		err = fmt.Errorf("the shop's /healthz answers %d", status)
	}
	return err
}

// environment is ours with more over it. What is meant for us alone is left out.
func environment(more ...string) []string {
	var env []string
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		switch name {
		case "PORT", "DATA_DIR", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "HUB_DATABASE__URL":
		default:
			env = append(env, pair)
		}
	}
	return append(env, more...) // of two with one name, the last counts
}

// KillHub ends a hub as a crash would, and its plugins with it.
func (h *House) KillHub(i int) { h.hubs[i].kill() }

// StartHub starts a killed or stopped hub as it was, with more environment for
// this one run, and returns when it is ready.
func (h *House) StartHub(ctx context.Context, i int, env ...string) error {
	hub := h.hubs[i]
	usual := hub.env
	hub.env = append(slices.Clone(usual), env...)
	defer func() { hub.env = usual }()
	_, err := hub.start(ctx)
	return err
}

// StopHub ends a hub in order.
func (h *House) StopHub(ctx context.Context, i int) error { return h.hubs[i].stop(ctx) }

// SetClock has a hub's machine seem to be that much ahead of the true time, or
// behind it, from the next tenth of a second on, and when the hub is started
// again. It needs Options.Clocks.
func (h *House) SetClock(i int, ahead time.Duration) error {
	path := h.clockFile(i)
	if err := os.WriteFile(path+".new", []byte(ahead.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (h *House) clockFile(i int) string {
	return filepath.Join(h.options.DataDir, fmt.Sprintf("clock-hub%d", i))
}
