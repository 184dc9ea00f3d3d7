package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func providerCommand() *cobra.Command {
	c := &cobra.Command{Use: "provider", Short: "Configured providers"}
	c.AddCommand(&cobra.Command{
		Use: "list", Short: "Show what is configured; starts nothing and prints no value", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			h, err := load(c.ErrOrStderr())
			if err != nil {
				return err
			}
			return h.listProviders(c)
		},
	})
	c.AddCommand(providerListedCommand(), providerUnmatchedCommand(), providerResolveCommand())
	return c
}

func (h *hub) listProviders(c *cobra.Command) error {
	out := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "NAME\tPLUGIN\tSTATE\tSETTINGS")
	for _, name := range slices.Sorted(maps.Keys(h.config.Providers)) {
		p := h.config.Providers[name]
		state := "configured"
		if _, err := os.Stat(filepath.Join(h.config.PluginsDir, p.Plugin)); err != nil {
			state = "no executable in " + h.config.PluginsDir
		}
		if p.Disabled {
			state = "disabled"
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", name, p.Plugin, state, strings.Join(slices.Sorted(maps.Keys(p.Settings)), ", "))
	}
	return out.Flush()
}
