package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/providers"
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

// listProviders shows also without the database what needs none.
func (h *hub) listProviders(c *cobra.Command) error {
	configs, err := h.configuredAndKept(c.Context())
	if err != nil {
		configs = h.configured()
		fmt.Fprintf(c.ErrOrStderr(), "What was set up in the console is not shown: %v\n", err)
	}
	slices.SortFunc(configs, func(a, b providers.Config) int { return strings.Compare(a.Name, b.Name) })
	out := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "NAME\tPLUGIN\tSTATE\tSET UP IN\tSETTINGS")
	for _, p := range configs {
		state, where := "configured", p.Origins[""]
		if _, err := os.Stat(filepath.Join(h.config.PluginsDir, p.Plugin)); err != nil {
			state = "no executable in " + h.config.PluginsDir
		}
		if p.Disabled {
			state = "disabled"
		}
		if p.Kept {
			where = "console"
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\n", p.Name, p.Plugin, state, where, strings.Join(slices.Sorted(maps.Keys(p.Settings)), ", "))
	}
	return out.Flush()
}

func (h *hub) configuredAndKept(ctx context.Context) ([]providers.Config, error) {
	db, err := h.database(ctx)
	if err != nil {
		return nil, err
	}
	configs, err := h.providers(ctx, db)
	return configs, errors.Join(err, db.Close())
}
