package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/config"
	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

const (
	// sourceEvery is how often the source folder is looked at.
	sourceEvery = 300 * time.Millisecond
	// pluginDevStop bounds what is left to do in the database after Ctrl-C.
	pluginDevStop = 5 * time.Second
)

func pluginDevCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "dev FOLDER",
		Short: "Build a plugin, pay with it beside a running 'hub dev', and build it again at every change",
		Long: `Build a plugin from its folder, as "hub plugin new" wrote it, and have the running
"hub dev" (make run) use it: its sandbox is started (sandbox/serve.go, as exam.json's
sandbox says), and a provider of the plugin's name is set up with exam.json's settings,
as the console would do it. The shop offers it at once.

At every change in the folder the plugin is built again, and the hub goes over to it. A
sandbox that changed starts anew and has forgotten its payments.

Ctrl-C ends the sandbox and takes the built plugin away. The provider is disabled and
kept, its orders stay on record, and the next "hub plugin dev" enables it again. To be
rid of it, remove it in the console.

Other providers of the same plugin use what was built, too, while this runs. A provider
of that name that "hub dev" itself set up, as stripe, keeps its settings and its
sandbox: only the plugin is built, and replaced.`,
		Example: "  hub plugin dev plugins/acme",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return runPluginDev(c.Context(), args[0], c.OutOrStdout())
		},
	}
}

// pluginDev is one run of the command.
type pluginDev struct {
	h     *hub
	db    *postgres.DB
	out   io.Writer
	dir   string   // the data folder of the environment that runs
	house dev.Info // what that says of itself

	source string // the plugin's folder
	work   string // holds the programs, until the plugin is where the hub finds it
	name   string // of the plugin, and of the provider
	theirs bool   // the environment itself set up the provider, and has its sandbox
	used   bool   // the provider is ours to disable at the end

	plugin  []byte // checksum of the plugin that the hub was given
	sandbox devSandbox
}

func runPluginDev(ctx context.Context, source string, out io.Writer) (err error) {
	d := &pluginDev{out: out, dir: besideDir()}
	if d.source, err = filepath.Abs(source); err != nil {
		return err
	}
	if err := checkSource(d.source); err != nil {
		return err
	}
	if err := d.open(ctx); err != nil {
		return err
	}
	defer d.db.Close()
	if d.work, err = os.MkdirTemp("", "superpay-plugin-"); err != nil {
		return err
	}
	defer os.RemoveAll(d.work)
	seen := sourceState(d.source)
	fmt.Fprintf(out, "Building %s ...\n", d.source)
	if err := d.build(ctx); err != nil {
		return err
	}
	unlock, err := d.claim(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	_, err = d.use(ctx)
	if err == nil {
		err = d.awaitUp(ctx)
	}
	if err == nil {
		d.announce()
		err = d.follow(ctx, seen)
	}
	if ctx.Err() != nil {
		err = nil // told to end
	}
	return errors.Join(err, d.end())
}

// open finds the environment that runs, and its database.
func (d *pluginDev) open(ctx context.Context) (err error) {
	if d.house, err = dev.ReadInfo(d.dir); err != nil {
		return err
	}
	environ, err := dev.Environment(d.dir)
	if err != nil {
		return err
	}
	if d.h, err = loadFrom(environ, os.Stderr); err != nil {
		return err
	}
	if d.h.config.PluginDevDir == "" {
		return fmt.Errorf("what runs on the data folder %s has no folder for plugins in development: start it again with this program's `hub dev`", d.dir)
	}
	d.db, err = d.h.database(ctx, true)
	return err
}

// announce says where to pay.
func (d *pluginDev) announce() {
	row := func(what, value string) { fmt.Fprintf(d.out, "  %-11s %s\n", what, value) }
	fmt.Fprintf(d.out, "\nProvider %s is up.\n\n", d.name)
	if d.house.ShopURL != "" {
		row("Pay at", d.house.ShopURL)
	}
	row("API", d.house.BaseURL+`/v1/checkouts with "provider": "`+d.name+`"`)
	row("Console", d.house.Console.URL+"/providers/"+d.name)
	if d.sandbox.url != "" {
		row("Sandbox", d.sandbox.url)
	}
	fmt.Fprintf(d.out, "\nA change in %s is built and used at once. Ctrl-C stops it.\n\n", d.source)
}

// follow builds and uses every change until the context or the environment ends.
func (d *pluginDev) follow(ctx context.Context, built string) error {
	last := built
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-d.sandbox.ended():
			fmt.Fprintf(d.out, "The sandbox ended by itself (%v). It is started again at the next change.\n", err)
			d.sandbox = devSandbox{}
			continue
		case <-time.After(sourceEvery):
		}
		if now, err := dev.ReadInfo(d.dir); err != nil || now != d.house {
			return errors.New("the environment that ran has ended: start it (make run), and this again")
		}
		now := sourceState(d.source)
		if now != last || now == built { // nothing is new, or it is still being written
			last = now
			continue
		}
		built = now
		began := time.Now()
		err := d.build(ctx)
		changed := false
		if err == nil {
			changed, err = d.use(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			fmt.Fprintf(d.out, "%v\nThe plugin before goes on.\n", err)
		case !changed:
			fmt.Fprintln(d.out, "Built: it is the same plugin and the same sandbox as before.")
		default:
			fmt.Fprintf(d.out, "Built in %.1f s. %s\n", time.Since(began).Seconds(), d.next())
		}
	}
}

// next says when the hub uses what was built.
func (d *pluginDev) next() string {
	if d.h.config.PluginsReplaced == config.AskReplaced {
		return "Restart the provider in the console to use it: plugins.replaced is ask."
	}
	return "The hub goes over to it within seconds."
}

// end takes back what was only for this run. The provider stays on record.
func (d *pluginDev) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), pluginDevStop)
	defer cancel()
	err := d.disable(ctx)
	d.sandbox.stop()
	err = errors.Join(err, d.withdraw())
	switch {
	case err != nil:
	case d.theirs && d.plugin != nil:
		fmt.Fprintf(d.out, "\nProvider %s goes back to the plugin that was there before.\n", d.name)
	case d.used:
		fmt.Fprintf(d.out, "\nThe sandbox is stopped. Provider %s is disabled, and kept with its orders: `hub plugin dev` enables it again.\n", d.name)
	}
	return err
}
