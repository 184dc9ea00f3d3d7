package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/postgres"
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
	c.AddCommand(providerListedCommand(), providerUnmatchedCommand(), providerResolveCommand(), providerRenameCommand(), providerConnectCommand())
	return c
}

// listProviders shows also without the database what needs none.
func (h *hub) listProviders(c *cobra.Command) error {
	configs, fences, err := h.configuredAndKept(c.Context())
	known := err == nil
	if !known {
		configs = h.configured()
		fmt.Fprintf(c.ErrOrStderr(), "What was set up in the console is not shown: %v\n", err)
	}
	slices.SortFunc(configs, func(a, b providers.Config) int { return strings.Compare(a.Name, b.Name) })
	out := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "NAME\tPLUGIN\tSTATE\tSET UP IN\tMONEY-OUT\tSETTINGS")
	for _, p := range configs {
		state, where := "configured", p.Origins[""]
		if len(providers.Find(h.config.PluginFolders(), p.Plugin)) == 0 {
			state = "no executable in " + strings.Join(h.config.PluginFolders(), ", ")
		}
		if p.Disabled {
			state = "disabled"
		}
		if p.Kept {
			where = "console"
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", p.Name, p.Plugin, state, where, moneyOut(fences, known, p.Name), strings.Join(slices.Sorted(maps.Keys(p.Settings)), ", "))
	}
	return out.Flush()
}

// moneyOut says whether a provider's money-out is open, and if not, why.
func moneyOut(fences []postgres.Fence, known bool, provider string) string {
	if !known {
		return "-"
	}
	for _, f := range fences {
		if f.Provider == provider && f.Closed() {
			return fmt.Sprintf("closed since %s because %s; %d payments checked", f.At.UTC().Format(time.DateTime), f.Reason, f.Checked)
		}
	}
	return "open"
}

func (h *hub) configuredAndKept(ctx context.Context) ([]providers.Config, []postgres.Fence, error) {
	db, err := h.database(ctx, true)
	if err != nil {
		return nil, nil, err
	}
	configs, err := h.providers(ctx, db)
	fences, fencesErr := db.Fences(ctx)
	return configs, fences, errors.Join(err, fencesErr, db.Close())
}
