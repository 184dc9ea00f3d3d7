package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	providerName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,30}$`)
	basePath     = regexp.MustCompile(`^(/[A-Za-z0-9_.~-]+)+$`)
)

// check finds what is wrong in itself. A value that a default stands for is right.
func (c *Config) check() {
	if c.checkListen() {
		c.checkPublicURL()
	}
	c.checkDatabase()
	for _, proxy := range c.Server.TrustedProxies {
		_, err := netip.ParsePrefix(proxy)
		if _, errAddr := netip.ParseAddr(proxy); err != nil && errAddr != nil {
			c.note("server.trusted_proxies", errors.New("must be addresses or ranges, as 10.0.0.0/8"))
		}
	}
	for name, p := range c.Providers {
		c.checkSchedule(name, p.Schedule)
		if !providerName.MatchString(name) {
			c.note("providers."+name, errors.New("must be named with a-z, 0-9 and _, at most 31 characters, a letter first"))
		}
		if !(p.Reads >= 0.1 && p.Reads <= 10_000) {
			c.note("providers."+name+".reads_per_second", errors.New("must lie between 0.1 and 10000"))
		}
	}
	if len(c.PluginDirs) == 0 {
		c.note("plugins.dir", errors.New("must name at least one folder; without the setting there are usual ones (`hub config` tells them)"))
	}
	if c.PluginsReplaced != TakeReplaced && c.PluginsReplaced != AskReplaced {
		c.note("plugins.replaced", errors.New("must be take or ask"))
	}
	if c.EncryptionKey == "" {
		c.note("encryption_key", errors.New("is missing: make one with `openssl rand -base64 32` and keep it; without it, what is in the database is lost"))
	}
	c.checkDurations()
	if c.Server.MaxActive < 0 || c.Server.MaxActive > 8192 {
		c.note("server.max_active", errors.New("must lie between 0, which is 32 for each core, and 8192"))
	}
	if c.Server.RateLimit < 0 || c.Server.RateLimit > 1_000_000 {
		c.note("server.rate_limit", errors.New("must lie between 0, which is no limit, and 1000000"))
	}
	if !(c.TimeScale >= 1 && c.TimeScale <= 1e6) {
		c.note("time_scale", errors.New("must lie between 1 and 1000000"))
	}
	for key, value := range map[string]string{"crash_at": c.CrashAt, "break_law": c.BreakLaw, "clock_offset_file": c.ClockOffsetFile, "plugins.dev_dir": c.PluginDevDir} {
		if value != "" && !c.Dev {
			c.note(key, errors.New("is for tests only: remove it"))
		}
	}
	c.checkOIDC()
	if _, err := time.LoadLocation(c.Console.TimeZone); err != nil || c.Console.TimeZone == "Local" {
		c.note("console.time_zone", errors.New("must be the name of a time zone, as Europe/Berlin or Asia/Shanghai"))
	}
	c.oneOf("crash_at", c.CrashAt, "", "recorded", "answered")
	c.oneOf("break_law", c.BreakLaw, "", BreakKeyReuse, BreakUnknown, BreakVersionGuard)
	c.oneOf("server.metrics", c.Server.Metrics, MetricsLoopback, MetricsPublic, MetricsOff)
	c.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	c.oneOf("log.format", c.Log.Format, "json", "text")
}

// checkOIDC wants all that belongs together.
func (c *Config) checkOIDC() {
	o := c.Console.OIDC
	if o.Issuer == "" {
		return
	}
	if u, err := url.Parse(o.Issuer); err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		c.note("console.oidc.issuer", errors.New("must be an https address, as https://accounts.example.com"))
	}
	if o.ClientID == "" {
		c.note("console.oidc.client_id", errors.New("is missing: the identity provider gives it, with the secret"))
	}
	if (o.RoleClaim == "") != (len(o.Roles) == 0) {
		c.note("console.oidc.roles", errors.New("goes with console.oidc.role_claim: set both or none"))
	}
	for _, pair := range o.Roles {
		if value, role, ok := strings.Cut(pair, "="); !ok || value == "" || !slices.Contains([]string{"viewer", "operator", "admin"}, role) {
			c.note("console.oidc.roles", errors.New("must be a list of value=role, as payments-team=operator; roles are viewer, operator and admin"))
		}
	}
}

func (c *Config) checkDurations() {
	sane := true
	for key, limit := range map[string]struct{ value, least, most time.Duration }{
		"server.request_timeout":  {c.Server.RequestTimeout, time.Second, time.Hour},
		"server.shutdown_timeout": {c.Server.ShutdownTimeout, time.Second, time.Hour},
		"server.drain_delay":      {c.Server.DrainDelay, 0, time.Minute},
		"call_timeout":            {c.CallTimeout, 10 * time.Millisecond, 10 * time.Minute},
		"clock.warn":              {c.Clock.Warn, 100 * time.Millisecond, 4 * time.Minute},
		"clock.refuse":            {c.Clock.Refuse, time.Second, 4 * time.Minute},
		"authorization_notice":    {c.Notice, time.Minute, 30 * 24 * time.Hour},
		"order_ttl":               {c.OrderTTL, time.Minute, 90 * 24 * time.Hour},
		"retention.answers":       {c.Retention.Answers, 24 * time.Hour, 10 * 365 * 24 * time.Hour},
		"retention.callbacks":     {c.Retention.Callbacks, 24 * time.Hour, 10 * 365 * 24 * time.Hour},
		"retention.notifications": {c.Retention.Notifications, 7 * 24 * time.Hour, 10 * 365 * 24 * time.Hour},
	} {
		if limit.value < limit.least || limit.value > limit.most {
			c.note(key, fmt.Errorf("must lie between %s and %s", limit.least, limit.most))
			sane = false
		}
	}
	if sane && c.Clock.Warn > c.Clock.Refuse {
		c.note("clock.warn", errors.New("must not be above clock.refuse"))
	}
	if sane && c.Server.RequestTimeout <= c.CallTimeout {
		c.note("server.request_timeout", errors.New("must be longer than call_timeout: a provider's answer has to be recorded too"))
	}
}

// checkSchedule bounds what an operator may put upon a provider.
func (c *Config) checkSchedule(name string, schedule []time.Duration) {
	for _, d := range schedule {
		if d < time.Second || d > 30*24*time.Hour || len(schedule) > 20 {
			c.note("providers."+name+".schedule", errors.New("must be at most 20 durations between 1s and 720h"))
			return
		}
	}
}

func (c *Config) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		c.note(key, fmt.Errorf("must be one of %s", strings.Join(allowed, ", ")))
	}
}

// checkListen reports whether the address is one: the public URL is made of it.
func (c *Config) checkListen() bool {
	_, port, err := net.SplitHostPort(c.Server.Listen)
	n, errPort := strconv.Atoi(port)
	switch {
	case err == nil && errPort == nil && n >= 1 && n <= 65535:
		return true
	case c.origins["server.listen"] == "PORT":
		c.note("server.listen", errors.New("must be a port number, as 58081"))
	default:
		c.note("server.listen", errors.New("must be an address with a port, as 127.0.0.1:58081 or :8080"))
	}
	return false
}

// checkPublicURL also fills it in where the outside can only be this machine.
func (c *Config) checkPublicURL() {
	s := &c.Server
	if s.BasePath = strings.TrimSuffix(s.BasePath, "/"); s.BasePath != "" && (!basePath.MatchString(s.BasePath) || path.Clean(s.BasePath) != s.BasePath) {
		c.note("server.base_path", errors.New("must be a path as /superpay, or empty"))
		return
	}
	if s.PublicURL == "" {
		host, _, _ := net.SplitHostPort(s.Listen)
		if !loopback(host) {
			c.note("server.public_url", errors.New("is missing: say how payers and providers reach the hub, as https://pay.example.com"))
			return
		}
		s.PublicURL = "http://" + s.Listen + s.BasePath
	}
	s.PublicURL = strings.TrimSuffix(s.PublicURL, "/")
	u, err := url.Parse(s.PublicURL)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		c.note("server.public_url", errors.New("must be a plain address, as https://pay.example.com"))
	case u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())):
		c.note("server.public_url", errors.New("must be https: plain http is only for this machine itself"))
	case !strings.HasSuffix(u.Path, s.BasePath):
		c.note("server.public_url", errors.New("must end in server.base_path, as https://pay.example.com/superpay"))
	}
}

// checkDatabase does not pass url.Parse's error on, which quotes the password.
func (c *Config) checkDatabase() {
	if c.Database.URL == "" {
		c.note("database.url", errors.New("is missing: set it to postgres://user:password@host:5432/name (`hub dev` brings its own PostgreSQL)"))
		return
	}
	u, err := url.Parse(c.Database.URL)
	if err != nil || u.Host == "" || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		c.note("database.url", errors.New("must be an address as postgres://user:password@host:5432/name, special characters of the password as %40"))
	}
	if c.Database.MaxConns < 2 || c.Database.MaxConns > 1000 {
		c.note("database.max_conns", errors.New("must lie between 2 and 1000"))
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
