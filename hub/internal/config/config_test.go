package config

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/stretchr/testify/require"
)

// enough is the least that the hub needs.
var enough = []string{"HUB_DATABASE_URL=postgres://hub:pa%40ssword@localhost/superpay", "HUB_ENCRYPTION_KEY=key_of_the_hub"}

func load(t *testing.T, file string, environ ...string) (*Config, error) {
	t.Helper()
	path := ""
	if file != "" {
		path = filepath.Join(t.TempDir(), "hub.yaml")
		require.NoError(t, os.WriteFile(path, []byte(file), 0o600))
	}
	vars := variables(append(slices.Clone(enough), environ...)) // the last one wins
	environ = nil
	for name, value := range vars {
		environ = append(environ, name+"="+value)
	}
	return Load(path, environ)
}

func TestLoad_DefaultsAreEnough(t *testing.T) {
	c, err := load(t, "")
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:58081", c.Server.Listen)
	require.Equal(t, "http://127.0.0.1:58081", c.Server.PublicURL)
	require.Equal(t, []time.Duration{20 * time.Second, 23 * time.Hour}, []time.Duration{c.CallTimeout, c.OrderTTL})
	require.Len(t, c.PluginDirs, 2, "what is installed, and what is built")
	for _, dir := range c.PluginDirs {
		require.True(t, filepath.IsAbs(dir) && filepath.Base(dir) == "plugins", dir)
	}
	require.Equal(t, c.PluginDirs, c.PluginFolders())
	require.False(t, c.Dev)
}

// TestLoad_PluginFolders: one folder is a list of one, and the folder of `hub plugin
// dev` comes first.
func TestLoad_PluginFolders(t *testing.T) {
	for _, one := range []struct {
		file, variable string
		want           []string
	}{
		{"plugins: {dir: /one}", "", []string{"/one"}},
		{"plugins: {dir: [/one, /two]}", "", []string{"/one", "/two"}},
		{"plugins: {dir: /one}", "/two, /three", []string{"/two", "/three"}},
	} {
		c, err := load(t, one.file, "HUB_PLUGINS__DIR="+one.variable)
		require.NoError(t, err)
		require.Equal(t, one.want, c.PluginFolders())
	}
	c, err := load(t, "plugins: {dir: /one, dev_dir: /dev}", "HUB_DEV=1")
	require.NoError(t, err)
	require.Equal(t, []string{"/dev", "/one"}, c.PluginFolders())
	_, err = load(t, "plugins: {dir: /one, dev_dir: /dev}")
	require.ErrorContains(t, err, "plugins.dev_dir is for tests only")
	_, err = load(t, "plugins: {dir: []}")
	require.ErrorContains(t, err, "plugins.dir must name at least one folder")
}

// TestLoadPlugins_NeedsNothingElse: no database and no key is needed for the folders
// alone, but what is wrong with them is told.
func TestLoadPlugins_NeedsNothingElse(t *testing.T) {
	c, err := LoadPlugins("", []string{"HUB_PLUGINS__DIR=/one", "HUB_TIME_SCALE=no number"})
	require.NoError(t, err)
	require.Equal(t, []string{"/one"}, c.PluginFolders())
	_, err = LoadPlugins("", []string{"HUB_PLUGINS__REPLACED=perhaps", "HUB_TIME_SCALE=no number"})
	require.ErrorContains(t, err, "plugins.replaced")
	require.NotContains(t, err.Error(), "time_scale")
	require.NotContains(t, err.Error(), "database")
}

func TestLoad_EnvironmentWinsOverTheFile(t *testing.T) {
	c, err := load(t, `
server: {listen: "127.0.0.1:1111", trusted_proxies: [10.0.0.0/8], base_path: /superpay/}
call_timeout: 5s
database: {max_conns: 7}
providers:
  stripe:
    settings: {secret_key: from_file, region: eu}
  off: {plugin: stripe, disabled: true}
  bare:
log:
`,
		"HUB_SERVER__LISTEN=127.0.0.1:2222", "PORT=3333", "HUB_SERVER__TRUSTED_PROXIES=192.168.0.0/16, 10.1.1.1",
		"HUB_PROVIDERS__STRIPE__SETTINGS__SECRET_KEY=from_env", "HUB_PROVIDERS__STRIPE_EU__PLUGIN=stripe", "HUB_TIME_SCALE=10", "HUB_DEV=1", "HUB_CALL_TIMEOUT=")
	require.NoError(t, err)
	require.Equal(t, Server{
		Listen: "127.0.0.1:2222", PublicURL: "http://127.0.0.1:2222/superpay", BasePath: "/superpay",
		TrustedProxies: []string{"192.168.0.0/16", "10.1.1.1"}, RequestTimeout: 35 * time.Second, ShutdownTimeout: 25 * time.Second, RateLimit: 1000, Metrics: "loopback",
	}, c.Server)
	require.Equal(t, map[string]Provider{
		"stripe":    {Plugin: "stripe", Reads: 20, Settings: map[string]string{"secret_key": "from_env", "region": "eu"}},
		"stripe_eu": {Plugin: "stripe", Reads: 20},
		"off":       {Plugin: "stripe", Reads: 20, Disabled: true},
		"bare":      {Plugin: "bare", Reads: 20},
	}, c.Providers)
	require.Equal(t, 5*time.Second, c.CallTimeout)
	require.Equal(t, 7, c.Database.MaxConns)
	require.Equal(t, []any{10.0, true}, []any{c.TimeScale, c.Dev})
}

func TestLoad_PortReplacesTheFilesPort(t *testing.T) {
	c, err := load(t, "server: {listen: '0.0.0.0:80', public_url: 'https://pay.example.com/x'}", "PORT=3333")
	require.NoError(t, err)
	require.Equal(t, "0.0.0.0:3333", c.Server.Listen)
	require.Equal(t, "https://pay.example.com/x", c.Server.PublicURL, "a proxy may strip the path")
}

func TestLoad_ErrorsNameWhatAndWhere(t *testing.T) {
	for _, c := range []struct{ file, env, want string }{
		{"", "HUB_SERVER__LISTN=secret_value", "HUB_SERVER__LISTN (server.listn) is not a setting"},
		{"servr: {listen: secret_value}", "", "hub.yaml: servr.listen is not a setting"},
		{"providers: {stripe: {secret_key: secret_value}}", "", "hub.yaml: providers.stripe.secret_key is not a setting: a provider has"},
		{"providers: {stripe: {settings: {id: 0123}}}", "", "hub.yaml: providers.stripe.settings.id must be text: put it in quotes"},
		{"", "HUB_DATABASE__URL=secret_value", "both set database.url: keep one"},
		{"", "HUB_CALL_TIMEOUT=secret_value", "HUB_CALL_TIMEOUT (call_timeout) must be a duration"},
		{"call_timeout: 20", "", "call_timeout must be a duration with its unit"},
		{"", "HUB_CALL_TIMEOUT=40s", "must be longer than call_timeout"},
		{"", "HUB_DATABASE__MAX_CONNS=secret_value", "HUB_DATABASE__MAX_CONNS (database.max_conns) must be a whole number"},
		{"", "HUB_DATABASE_URL=postgres://hub:secret_value/x@localhost/db", "HUB_DATABASE_URL (database.url) must be an address"},
		{"", "HUB_DATABASE_URL=host=secret_value", "HUB_DATABASE_URL (database.url) must be an address"},
		{"", "HUB_ENCRYPTION_KEY=", "encryption_key (HUB_ENCRYPTION_KEY) is missing: make one with"},
		{"", "HUB_SERVER__PUBLIC_URL=http://pay.example.com", "HUB_SERVER__PUBLIC_URL (server.public_url) must be https"},
		{"", "HUB_SERVER__LISTEN=:8080", "server.public_url (HUB_SERVER__PUBLIC_URL) is missing"},
		{"server: {public_url: 'https://x.example', base_path: /y}", "", "server.public_url must end in server.base_path"},
		{"", "HUB_SERVER__BASE_PATH=superpay", "server.base_path) must be a path"},
		{"", "PORT=http", "PORT (server.listen) must be a port number"},
		{"", "HUB_SERVER__LISTEN=8080", "HUB_SERVER__LISTEN (server.listen) must be an address with a port"},
		{"", "HUB_SERVER__METRICS=secret_value", "HUB_SERVER__METRICS (server.metrics) must be one of loopback, public, off"},
		{"", "HUB_SERVER__TRUSTED_PROXIES=10.0.0.0/64", "must be addresses or ranges"},
		{"", "HUB_BREAK_LAW=" + BreakUnknown, "HUB_BREAK_LAW (break_law) is for tests only: remove it"},
		{"", "HUB_CRASH_AT=recorded", "HUB_CRASH_AT (crash_at) is for tests only: remove it"},
		{"", "HUB_TIME_SCALE=NaN", "HUB_TIME_SCALE (time_scale) must lie between"},
		{"", "HUB_LOG__LEVEL=loud", "must be one of debug, info, warn, error"},
		{"providers: {Stripe: {}}", "", "providers.Stripe"},
		{"a: [", "", "hub.yaml is not valid YAML, see line 1"},
		{"secret_value", "", "hub.yaml is not valid YAML"},
		{"", "HUB_CONFIG=/nowhere.yaml", "config file /nowhere.yaml cannot be read"},
	} {
		_, err := load(t, c.file, c.env)
		require.ErrorContains(t, err, c.want, "%+v", c)
		require.NotContains(t, err.Error(), "secret_value")
	}
}

func TestLoad_TellsAllThatIsWrong(t *testing.T) {
	_, err := Load("", []string{"HUB_X=1"})
	require.Len(t, strings.Split(err.Error(), "\n"), 3, err)
}

func TestLoad_OneFaultIsOneError(t *testing.T) {
	for _, wrong := range []string{
		"PORT=abc", "HUB_SERVER__LISTEN=8080", "HUB_CALL_TIMEOUT=20", "HUB_CALL_TIMEOUT=20m", "HUB_CALL_TIMEOUT=40s", "HUB_SERVER__REQUEST_TIMEOUT=1",
		"HUB_TIME_SCALE=fast", "HUB_DATABASE__MAX_CONNS=many", "HUB_SERVER__BASE_PATH=superpay", "HUB_DATABASE_URL=localhost",
	} {
		_, err := load(t, "", wrong)
		require.Error(t, err, wrong)
		require.NotContains(t, err.Error(), "\n", wrong)
	}
}

func TestSecrets(t *testing.T) {
	c, err := load(t, "providers: {stripe: {settings: {secret_key: sk, webhook_secret: 'one,two', region: eu, publishable_key: pk}}}")
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"key_of_the_hub", "pa@ssword", "sk", "one,two", "one", "two"}, c.Secrets())
}

var commentedOut = regexp.MustCompile(`(?m)^( *)#([a-z])`)

func TestExample_HasEverySettingAtItsDefault(t *testing.T) {
	whole := commentedOut.ReplaceAllString(Example, "$1$2")
	parsed, err := yaml.Parser().Unmarshal([]byte(whole))
	require.NoError(t, err)
	shown := map[string]bool{}
	var walk func(prefix string, m map[string]any)
	walk = func(prefix string, m map[string]any) {
		for key, value := range m {
			if inner, ok := value.(map[string]any); ok {
				walk(prefix+key+".", inner)
				continue
			}
			shown[prefix+key] = true
		}
	}
	walk("", parsed)
	settings := defaults().targets()
	delete(settings, "crash_at") // for tests only, and so are the next
	delete(settings, "clock_offset_file")
	delete(settings, "break_law")
	delete(settings, "plugins.dev_dir")
	for key := range maps.Keys(settings) {
		require.True(t, shown[key], "%s is missing in example.yaml", key)
	}

	c, err := load(t, Example)
	require.NoError(t, err)
	plain, err := load(t, "")
	require.NoError(t, err)
	plain.origins, c.origins = nil, nil
	require.Equal(t, plain, c, "what is not commented out is the default")
	c, err = load(t, whole)
	require.NoError(t, err)
	require.Equal(t, "stripe", c.Providers["stripe"].Plugin)
}
