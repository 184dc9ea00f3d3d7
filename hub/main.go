// Command hub is the payment hub: the server, and what an operator and a
// developer do around it. One file per command.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/config"
	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/hub/internal/telemetry"
)

func main() {
	// The first signal asks for an orderly end. From then on signals do what
	// they do by default: a second one ends the process at once, and the
	// system ends the plugins with it.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	if os.Getenv("GOGC") == "" {
		// What lives long is a few MB: collected at twice that, most of the work
		// of a busy hub would be collecting.
		debug.SetGCPercent(500)
	}
	if err := command().ExecuteContext(ctx); err != nil {
		// Some tell several things, as all that is wrong with the settings.
		fmt.Fprintln(os.Stderr, "hub: "+strings.ReplaceAll(err.Error(), "\n", "\nhub: "))
		os.Exit(1)
	}
}

// file is --config, and beside is --dev.
var (
	file   string
	beside bool
)

func command() *cobra.Command {
	c := &cobra.Command{
		Use:           "hub",
		Short:         "One payment API in front of many providers",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	c.CompletionOptions.HiddenDefaultCmd = true
	c.SetVersionTemplate(versionLine())
	// pflag takes the word in backticks as the name of the value.
	c.PersistentFlags().StringVar(&file, "config", "", "settings `file` (or HUB_CONFIG); 'hub config' prints an example")
	c.PersistentFlags().BoolVar(&beside, "dev", false, "take the settings of the running 'hub dev' (DATA_DIR or HUB_DEV_DIR, if not its usual folder)")
	c.AddCommand(serveCommand(), migrateCommand(), appCommand(), keyCommand(), userCommand(), providerCommand(), recoverCommand(), ledgerCommand(), orderCommand(), callbackCommand(), notificationCommand(), encryptionCommand(),
		pluginCommand(), openapiCommand(), configCommand(), devCommand(), versionCommand())
	helpful(c)
	return c
}

// helpful has every command that is called wrongly say how to call it.
func helpful(c *cobra.Command) {
	usage := func(c *cobra.Command, err error) error { return fmt.Errorf("%w\nusage: %s", err, c.UseLine()) }
	c.SetFlagErrorFunc(usage)
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usage(c, err)
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		helpful(sub)
	}
	if c.HasSubCommands() && !c.Runnable() {
		c.Args, c.RunE = cobra.ArbitraryArgs, chosen
	}
}

// chosen refuses a command's name that does not exist; without any, it shows those
// that do.
func chosen(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	e := fmt.Sprintf("there is no command %q", strings.Join(append(strings.Fields(c.CommandPath()), args[0]), " "))
	if c.SuggestionsMinimumDistance <= 0 {
		c.SuggestionsMinimumDistance = 2
	}
	if like := c.SuggestionsFor(args[0]); len(like) > 0 {
		e += "; did you mean " + strings.Join(like, " or ") + "?"
	}
	return fmt.Errorf("%s\nusage: %s COMMAND; %s --help lists them", e, c.CommandPath(), c.CommandPath())
}

// hub is what every command that needs settings begins with.
type hub struct {
	config  *config.Config
	secrets *telemetry.Secrets
	log     *slog.Logger
}

// load reads the settings of a command that works beside a hub.
func load(log io.Writer) (*hub, error) {
	environ, err := environment()
	if err != nil {
		return nil, err
	}
	return loadFrom(environ, log)
}

// environment is ours, or with --dev that of the running `hub dev`.
func environment() ([]string, error) {
	if !beside && os.Getenv("HUB_DEV_DIR") == "" {
		return os.Environ(), nil
	}
	return dev.Environment(besideDir())
}

// besideDir is the data folder of the `hub dev` that commands work beside.
func besideDir() string { return cmp.Or(os.Getenv("HUB_DEV_DIR"), devDir()) }

func loadFrom(environ []string, log io.Writer) (*hub, error) {
	c, err := config.Load(file, environ)
	if err != nil {
		return nil, err
	}
	return newHub(c, log)
}

// loadPlugins reads the settings of a command that needs the plugin folders and
// nothing else.
func loadPlugins(log io.Writer) (*hub, error) {
	environ, err := environment()
	if err != nil {
		return nil, err
	}
	c, err := config.LoadPlugins(file, environ)
	if err != nil {
		return nil, err
	}
	c.Log = config.Log{Level: "info", Format: "text"} // as it was given, it may be wrong
	return newHub(c, log)
}

func newHub(c *config.Config, log io.Writer) (*hub, error) {
	h := &hub{config: c, secrets: &telemetry.Secrets{}}
	h.secrets.Add(c.Secrets()...)
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		return nil, err
	}
	h.log = telemetry.NewLogger(log, telemetry.LogOptions{
		Level: level, JSON: c.Log.Format == "json", Secrets: h.secrets, FromContext: ids,
	})
	return h, nil
}

// ids are the request and the order that a log record belongs to.
func ids(ctx context.Context) (attrs []slog.Attr) {
	request, order := providers.IDs(ctx)
	if request != "" {
		attrs = append(attrs, slog.String("request_id", request))
	}
	if order != "" {
		attrs = append(attrs, slog.String("order", order))
	}
	return attrs
}

// database opens it, and brings its schema up to date unless that must be there.
func (h *hub) database(ctx context.Context, existing bool) (*postgres.DB, error) {
	keys, err := postgres.ParseKeys(h.config.EncryptionKey)
	if err != nil {
		return nil, fmt.Errorf("HUB_ENCRYPTION_KEY: %w", err)
	}
	return postgres.Open(ctx, postgres.Options{
		URL: h.config.Database.URL, Keys: keys, MaxConns: h.config.Database.MaxConns, Logger: h.log,
		Unguarded: h.breaks(config.BreakVersionGuard), Existing: existing,
	})
}

// withDatabase runs what needs the settings and the database, and nothing else. It
// creates and migrates nothing: a look at a database must not change it.
func withDatabase(ctx context.Context, do func(*hub, *postgres.DB) error) error {
	h, err := load(os.Stderr)
	if err != nil {
		return err
	}
	db, err := h.database(ctx, true)
	if err != nil {
		return err
	}
	return errors.Join(do(h, db), db.Close())
}
