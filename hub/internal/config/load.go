package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"

	"github.com/superpayhub/superpay/hub/internal/devpg"
)

const prefix = "HUB_"

// aliases are the names without "__" that people expect.
var aliases = map[string]string{"HUB_DATABASE_URL": "database.url"}

// others begin as the settings do, but belong to something else.
var others = []string{"HUB_CONFIG", "HUB_DEV", "HUB_DEV_DIR", "HUB_PG_BIN", "HUB_TEST_DATABASE_URL"}

// Load reads the file at path (HUB_CONFIG's if path is empty; none is fine)
// and the environment, and checks everything. The error lists all that is
// wrong, so that it is mended in one go.
func Load(path string, environ []string) (*Config, error) {
	return read(path, environ, "")
}

// LoadPlugins is Load for a command that needs the plugin folders alone: whatever else
// is missing or wrong does not stop it.
func LoadPlugins(path string, environ []string) (*Config, error) {
	return read(path, environ, "plugins.")
}

// read returns the settings, and what is wrong with those whose name begins with
// section.
func read(path string, environ []string, section string) (*Config, error) {
	c, vars := defaults(), variables(environ)
	c.Dev = vars["HUB_DEV"] == "1" || vars["HUB_DEV"] == "true"
	k := koanf.New(".")
	if path == "" {
		path = vars["HUB_CONFIG"]
	}
	if path != "" {
		if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
			return nil, fileError(path, err)
		}
		for key := range k.All() {
			c.origins[key] = path
		}
	}
	err := k.Load(env.Provider(".", env.Opt{
		Prefix: prefix, EnvironFunc: func() []string { return environ }, TransformFunc: c.fromEnvironment,
	}), nil)
	if err != nil {
		return nil, err
	}
	c.fill(k.All())
	c.port(vars["PORT"])
	c.check()
	var wrong []error
	for _, p := range c.problems {
		if strings.HasPrefix(p.key, section) {
			wrong = append(wrong, p.err)
		}
	}
	slices.SortFunc(wrong, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return c, errors.Join(wrong...)
}

func variables(environ []string) map[string]string {
	vars := map[string]string{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		vars[name] = value
	}
	return vars
}

// fromEnvironment names the setting of a variable. An empty one counts as not
// set: that is what an unset variable becomes in many a compose file.
func (c *Config) fromEnvironment(name, value string) (string, any) {
	if value == "" || slices.Contains(others, name) {
		return "", nil
	}
	key, ok := aliases[name]
	if !ok {
		key = strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, prefix)), "__", ".")
	}
	if other := c.origins[key]; strings.HasPrefix(other, prefix) {
		c.problems = append(c.problems, problem{key, fmt.Errorf("%s and %s both set %s: keep one", other, name, key)})
	}
	c.origins[key] = name
	return key, value
}

// fill sets what was given.
func (c *Config) fill(given map[string]any) {
	targets := c.targets()
	for key, raw := range given {
		if target, ok := targets[key]; ok {
			c.note(key, assign(target, raw))
			continue
		}
		if rest, ok := strings.CutPrefix(key, "providers."); ok {
			c.provider(key, rest, raw)
			continue
		}
		if !empty(raw) || !isSection(targets, key) {
			c.note(key, errors.New("is not a setting: correct or remove it (`hub config` prints all)"))
		}
	}
	for name, p := range c.Providers {
		if p.Plugin == "" {
			p.Plugin = name
		}
		if _, given := c.origins["providers."+name+".reads_per_second"]; !given {
			p.Reads = ReadsPerSecond
		}
		c.Providers[name] = p
	}
}

// provider sets "stripe", "stripe.plugin", "stripe.disabled", "stripe.schedule", "stripe.reads_per_second" or "stripe.settings.secret_key".
func (c *Config) provider(key, rest string, raw any) {
	name, field, _ := strings.Cut(rest, ".")
	p := c.Providers[name]
	setting, isSetting := strings.CutPrefix(field, "settings.")
	switch {
	case field == "" && empty(raw), field == "settings" && empty(raw):
	case field == "plugin":
		c.note(key, assign(&p.Plugin, raw))
	case field == "disabled":
		c.note(key, assign(&p.Disabled, raw))
	case field == "schedule":
		c.note(key, assign(&p.Schedule, raw))
	case field == "reads_per_second":
		c.note(key, assign(&p.Reads, raw))
	case isSetting && !strings.Contains(setting, "."):
		if p.Settings == nil {
			p.Settings = map[string]string{}
		}
		var value string
		c.note(key, assign(&value, raw))
		p.Settings[setting] = value
	default:
		c.note(key, errors.New("is not a setting: a provider has plugin, disabled, schedule, reads_per_second and settings.<name>"))
	}
	c.Providers[name] = p
}

// isSection allows a heading whose settings are all commented out.
func isSection(targets map[string]any, key string) bool {
	return key == "providers" || slices.ContainsFunc(slices.Collect(maps.Keys(targets)), func(t string) bool {
		return strings.HasPrefix(t, key+".")
	})
}

func empty(raw any) bool {
	section, ok := raw.(map[string]any)
	return raw == nil || ok && len(section) == 0
}

// port honours PORT, as many platforms set it: over the file, under HUB_SERVER__LISTEN.
func (c *Config) port(port string) {
	if port == "" || strings.HasPrefix(c.origins["server.listen"], prefix) {
		return
	}
	host, _, err := net.SplitHostPort(c.Server.Listen)
	if err == nil {
		c.Server.Listen = net.JoinHostPort(host, port)
		c.origins["server.listen"] = "PORT"
	}
}

// note keeps what is wrong with a setting, and where it was given.
func (c *Config) note(key string, err error) {
	if err == nil {
		return
	}
	switch origin := c.origins[key]; {
	case origin == "":
		err = fmt.Errorf("%s (%s) %w", key, variable(key), err)
	case origin == "PORT" || strings.HasPrefix(origin, prefix):
		err = fmt.Errorf("%s (%s) %w", origin, key, err)
	default:
		err = fmt.Errorf("%s: %s %w", origin, key, err)
	}
	c.problems = append(c.problems, problem{key, err})
}

// variable is the environment's name of a setting.
func variable(key string) string {
	for name, of := range aliases {
		if of == key {
			return name
		}
	}
	return prefix + strings.ToUpper(strings.ReplaceAll(key, ".", "__"))
}

func fileError(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("config file %s cannot be read: correct --config or HUB_CONFIG, or unset it to use the environment alone: %w", path, errors.Unwrap(err))
	}
	// A line of the parser may quote the file, which holds secrets.
	line := "is not valid YAML"
	if found := yamlLine.FindString(err.Error()); found != "" {
		line += ", see " + found
	}
	return fmt.Errorf("config file %s %s (`hub config` prints an example)", path, line)
}

// usualPluginDirs are the folder of what is installed, which no build empties, and
// that of what is built with the hub, beside its own executable.
func usualPluginDirs() []string {
	var dirs []string
	if data := devpg.DefaultDir(); filepath.IsAbs(data) { // it is not where there is no home folder
		dirs = append(dirs, filepath.Join(data, "plugins"))
	}
	if program, err := os.Executable(); err == nil {
		return append(dirs, filepath.Join(filepath.Dir(program), "plugins"))
	}
	return append(dirs, "plugins")
}

// PluginFolders are all folders of plugins, in the order in which they are looked
// through.
func (c *Config) PluginFolders() []string {
	if c.PluginDevDir == "" {
		return c.PluginDirs
	}
	return append([]string{c.PluginDevDir}, c.PluginDirs...)
}

// Origin says where a setting was given: a file's path or a variable's name, ""
// if it was not.
func (c *Config) Origin(key string) string { return c.origins[key] }

// ProviderOrigin says where a provider is configured, for people.
func (c *Config) ProviderOrigin(name string) string {
	var keys []string
	for key := range c.origins {
		if key == "providers."+name || strings.HasPrefix(key, "providers."+name+".") {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return ""
	}
	return c.origins[slices.Min(keys)]
}
