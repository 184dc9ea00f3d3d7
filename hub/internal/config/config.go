// Package config reads the hub's settings: a YAML file, which may be missing,
// and the environment over it. Every setting is known by name, so a misspelled
// one is an error and not a default; every error says where the value came
// from and what to do. No value is ever printed: it may be a secret that was
// put in the wrong place.
package config

import (
	_ "embed"
	"time"
)

// Example is a commented file with every setting at its default. What has no
// default is commented out, as "#key: value"; prose has a space after the "#".
//
//go:embed example.yaml
var Example string

// What becomes of a plugin's executable that is replaced while the hub runs.
const (
	TakeReplaced = "take" // it is started, and takes the place of the old one when it is up
	AskReplaced  = "ask"  // a person has to restart the provider
)

// Config is the hub's settings, checked.
type Config struct {
	Server        Server
	Database      Database
	EncryptionKey string // one or several, as postgres.ParseKeys reads them
	// PluginDirs are the folders of the plugins' executables: the first one that has a
	// plugin is where it is started from.
	PluginDirs []string
	// PluginDevDir comes before them: `hub plugin dev` builds into it. Needs Dev.
	PluginDevDir string
	// PluginsReplaced says what becomes of a plugin's executable that is replaced
	// while the hub runs: TakeReplaced or AskReplaced.
	PluginsReplaced string
	Providers       map[string]Provider
	CallTimeout     time.Duration
	OrderTTL        time.Duration
	TimeScale       float64
	Retention       Retention
	Notice          time.Duration // before an authorisation lapses, its app is told
	Clock           Clock
	Log             Log
	Console         Console

	// CrashAt ends the process, as kill -9 would, at a point between two lines
	// of a payment ("recorded", "answered"). Tests only: needs Dev.
	CrashAt string

	// BreakLaw has the hub break a law of money, to see that the campaign finds
	// it: one of the constants. Tests only: needs Dev.
	BreakLaw string

	// ClockOffsetFile holds a duration by which this machine's clock seems to be
	// ahead; it is read again while the hub runs. Tests only: needs Dev.
	ClockOffsetFile string

	// Dev is HUB_DEV: the hub stands on a developer's machine or in a test.
	Dev bool

	origins  map[string]string // of the settings that were given: a file or an environment variable
	problems []problem
}

// problem is an error of one setting; key is its name, as server.public_url.
type problem struct {
	key string
	err error
}

// Laws that can be broken.
const (
	BreakKeyReuse     = "key_reuse"     // an operation is repeated under another key than the first time
	BreakUnknown      = "unknown"       // an answer that was lost counts as a refusal
	BreakVersionGuard = "version_guard" // an order is written whatever became of it since it was read
)

// Server is the hub's HTTP side.
type Server struct {
	Listen          string
	PublicURL       string // base path included, no slash at the end
	BasePath        string // "" or "/superpay"
	TrustedProxies  []string
	RequestTimeout  time.Duration
	ShutdownTimeout time.Duration
	DrainDelay      time.Duration
	RateLimit       int    // requests a second of one app, at this hub; 0: no limit
	MaxActive       int    // requests of apps that this hub works on at once; those that wait for a provider do not count; 0: 32 for each core, at least 64
	Metrics         string // who is answered at /metrics: one of the constants
}

// Who is answered at /metrics.
const (
	MetricsLoopback = "loopback" // this machine, if no proxy passed the request on
	MetricsPublic   = "public"
	MetricsOff      = "off"
)

// Database is where the hub keeps its records.
type Database struct {
	URL      string
	MaxConns int
	// WatchHistory closes money-out by itself when the database went back in time.
	WatchHistory bool
}

// Provider is one configured provider.
type Provider struct {
	Plugin   string
	Disabled bool
	Schedule []time.Duration // when what is unsettled with it is read again; the hub's own where empty
	Reads    float64         // of it in a second, by the hub itself
	Settings map[string]string
}

// Clock says how far this machine's clock may be from the database's.
type Clock struct {
	Warn   time.Duration // above this it is logged
	Refuse time.Duration // above this the hub does not start, and answers 503
}

// Retention says how long what only helps to look into callbacks and
// notifications is kept.
type Retention struct {
	Callbacks     time.Duration
	Answers       time.Duration
	Notifications time.Duration
}

// Console is the operators' side.
type Console struct {
	TimeZone string // of readers who chose none
	OIDC     OIDC
}

// OIDC is an OpenID Connect provider through which operators sign in. Without
// an issuer there is none.
type OIDC struct {
	Issuer, ClientID, ClientSecret string
	Name                           string   // as people know it
	RoleClaim                      string   // whose values give roles
	Roles                          []string // "value=role"
}

// Log says how much is logged, and how.
type Log struct{ Level, Format string }

// ReadsPerSecond, where a provider does not say its own, leaves room below what providers allow (Stripe 25 in test mode,
// 100 in live) for what apps, payers and operators ask.
const ReadsPerSecond = 20

func defaults() *Config {
	return &Config{
		Server:     Server{Listen: "127.0.0.1:58081", RequestTimeout: 35 * time.Second, ShutdownTimeout: 25 * time.Second, RateLimit: 1000, Metrics: MetricsLoopback},
		Database:   Database{MaxConns: 16, WatchHistory: true},
		PluginDirs: usualPluginDirs(), PluginsReplaced: TakeReplaced,
		Providers:   map[string]Provider{},
		CallTimeout: 20 * time.Second,
		// Below the 24 hours that a Stripe Checkout Session may live.
		OrderTTL:  23 * time.Hour,
		TimeScale: 1,
		Retention: Retention{Callbacks: 90 * 24 * time.Hour, Answers: 30 * 24 * time.Hour, Notifications: 90 * 24 * time.Hour},
		Notice:    24 * time.Hour,
		// In order, clocks differ by milliseconds: seconds mean that nobody sets them
		// any more. Providers' callbacks may be five minutes old.
		Clock:   Clock{Warn: 5 * time.Second, Refuse: time.Minute},
		Log:     Log{Level: "info", Format: "json"},
		Console: Console{TimeZone: "UTC", OIDC: OIDC{Name: "single sign-on"}},
		origins: map[string]string{},
	}
}

// targets is the table of all settings but the providers'.
func (c *Config) targets() map[string]any {
	return map[string]any{
		"server.listen":              &c.Server.Listen,
		"server.public_url":          &c.Server.PublicURL,
		"server.base_path":           &c.Server.BasePath,
		"server.trusted_proxies":     &c.Server.TrustedProxies,
		"server.request_timeout":     &c.Server.RequestTimeout,
		"server.shutdown_timeout":    &c.Server.ShutdownTimeout,
		"server.drain_delay":         &c.Server.DrainDelay,
		"server.rate_limit":          &c.Server.RateLimit,
		"server.max_active":          &c.Server.MaxActive,
		"server.metrics":             &c.Server.Metrics,
		"database.url":               &c.Database.URL,
		"database.max_conns":         &c.Database.MaxConns,
		"database.watch_history":     &c.Database.WatchHistory,
		"encryption_key":             &c.EncryptionKey,
		"plugins.dir":                &c.PluginDirs,
		"plugins.dev_dir":            &c.PluginDevDir,
		"plugins.replaced":           &c.PluginsReplaced,
		"call_timeout":               &c.CallTimeout,
		"order_ttl":                  &c.OrderTTL,
		"time_scale":                 &c.TimeScale,
		"retention.callbacks":        &c.Retention.Callbacks,
		"retention.answers":          &c.Retention.Answers,
		"retention.notifications":    &c.Retention.Notifications,
		"authorization_notice":       &c.Notice,
		"clock.warn":                 &c.Clock.Warn,
		"clock.refuse":               &c.Clock.Refuse,
		"clock_offset_file":          &c.ClockOffsetFile,
		"crash_at":                   &c.CrashAt,
		"break_law":                  &c.BreakLaw,
		"console.time_zone":          &c.Console.TimeZone,
		"console.oidc.issuer":        &c.Console.OIDC.Issuer,
		"console.oidc.client_id":     &c.Console.OIDC.ClientID,
		"console.oidc.client_secret": &c.Console.OIDC.ClientSecret,
		"console.oidc.name":          &c.Console.OIDC.Name,
		"console.oidc.role_claim":    &c.Console.OIDC.RoleClaim,
		"console.oidc.roles":         &c.Console.OIDC.Roles,
		"log.level":                  &c.Log.Level,
		"log.format":                 &c.Log.Format,
	}
}
