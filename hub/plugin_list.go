package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/sdk"
)

func pluginListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "Start each configured plugin for a moment and show what it is",
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
	registry, err := h.registry(h.config.PluginsDir, slog.New(slog.DiscardHandler), h.configured())
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
	fmt.Fprintln(out, "NAME\tPLUGIN\tVERSION\tMODE\tHEALTH\tFLOWS")
	for _, p := range registry.All() {
		s, flows := p.State(), []string{}
		for _, f := range p.Description().Flows {
			flows = append(flows, f.Name+" ("+join(f.Capabilities)+")")
		}
		health := s.Status
		if s.Reason != "" {
			health += ": " + h.secrets.Scrub(s.Reason)
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", p.Name(), p.Plugin(), dash(s.Version), dash(string(s.Mode)), health, dash(strings.Join(flows, ", ")))
	}
	return out.Flush()
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
