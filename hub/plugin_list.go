package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

func pluginListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "Start the plugin of each provider for a moment, and show what it is and which file it is",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			h, err := load(c.ErrOrStderr())
			if err != nil {
				return err
			}
			return h.listPlugins(c)
		},
	}
}

// listPlugins asks each plugin what it is and whether it takes its settings. A
// provider itself is not asked: that works while it is down.
func (h *hub) listPlugins(c *cobra.Command) error {
	configs, _, err := h.configuredAndKept(c.Context())
	if err != nil {
		configs = h.configured()
		fmt.Fprintf(c.ErrOrStderr(), "What was set up in the console is not shown: %v\n", err)
	}
	registry, err := h.registry(h.config.PluginFolders(), slog.New(slog.DiscardHandler), configs)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		registry.Stop(ctx)
	}()
	if err := registry.Start(c.Context()); err != nil {
		return err
	}
	out := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "NAME\tPLUGIN\tVERSION\tMODE\tHEALTH\tFLOWS\tFILE")
	for _, p := range registry.All() {
		s, flows := p.State(), []string{}
		for _, f := range p.Description().Flows {
			flows = append(flows, f.Name+" ("+join(f.Capabilities)+")")
		}
		health := s.Status
		if s.Reason != "" {
			health += ": " + h.secrets.Scrub(s.Reason)
		}
		file := ""
		if all := providers.Find(h.config.PluginFolders(), p.Plugin()); len(all) > 0 {
			file = all[0]
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p.Name(), p.Plugin(), dash(s.Version), dash(string(s.Mode)), health, dash(strings.Join(flows, ", ")), dash(file))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	h.printUnused(c.OutOrStdout(), registry)
	return nil
}

// printUnused shows the plugins of which no provider is made, and the files that
// others of the same name hide.
func (h *hub) printUnused(out io.Writer, registry *providers.Registry) {
	used := map[string]bool{}
	for _, p := range registry.All() {
		used[p.Plugin()] = true
	}
	for _, name := range registry.Plugins() {
		all := providers.Find(h.config.PluginFolders(), name)
		if !used[name] && len(all) > 0 {
			fmt.Fprintf(out, "no provider is made of %s (%s)\n", name, all[0])
		}
		for _, hidden := range all[min(1, len(all)):] {
			fmt.Fprintf(out, "not used: %s (%s comes first)\n", hidden, filepath.Dir(all[0]))
		}
	}
}

func join(all []sdk.Capability) string {
	texts := make([]string, len(all))
	for i, c := range all {
		texts[i] = string(c)
	}
	return strings.Join(texts, " ")
}

// dash stands for nothing in a table.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
