package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
)

func appCommand() *cobra.Command {
	c := &cobra.Command{Use: "app", Short: "Apps that call the API"}
	var granted []string
	create := &cobra.Command{
		Use:     "create NAME",
		Short:   "Make an app and print its API key, once",
		Example: "  hub app create shop --provider stripe",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withDatabase(c.Context(), func(h *hub, db *postgres.DB) error {
				return h.createApp(c.Context(), db, args[0], granted, c.OutOrStdout(), c.ErrOrStderr())
			})
		},
	}
	create.Flags().StringSliceVar(&granted, "provider", nil, "`name` of a provider that the app may use; may be repeated; without it, all of them")
	list := &cobra.Command{
		Use:   "list",
		Short: "List the apps and the providers that they may use",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error { return listApps(c, db) })
		},
	}
	c.AddCommand(create, list)
	return c
}

// createApp prints the key alone to out, so that a script can take it.
func (h *hub) createApp(ctx context.Context, db *postgres.DB, name string, granted []string, out, note io.Writer) error {
	if len(granted) == 0 {
		granted = []string{"*"}
	} else if err := h.known(ctx, db, granted); err != nil {
		return err
	}
	app, err := access.AddApp(ctx, db, name, granted, time.Now().UTC())
	var taken *ledger.Error
	if errors.As(err, &taken) && taken.Code == "app_taken" {
		return fmt.Errorf("app %s: %w; `hub key create %s` makes another key for it", name, err, name)
	}
	if err != nil {
		return fmt.Errorf("app %s: %w", name, err)
	}
	fmt.Fprintf(note, "app %s may use: %s\n", name, grants(granted))
	return createKey(ctx, db, postgres.NewKey{AppID: app.ID}, out, note)
}

// known refuses names that no provider has, be it set up in the file, the
// environment or the console.
func (h *hub) known(ctx context.Context, db *postgres.DB, names []string) error {
	all, err := h.providers(ctx, db)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(p providers.Config) bool { return p.Name == name }) {
			return fmt.Errorf("--provider %s: no such provider is configured; `hub provider list` shows them", name)
		}
	}
	return nil
}

// grants says in words what an app may use.
func grants(providers []string) string {
	switch {
	case slices.Contains(providers, "*"):
		return "all providers"
	case len(providers) == 0:
		return "no provider"
	}
	return strings.Join(slices.Sorted(slices.Values(providers)), ", ")
}

// listApps reads a table that no request of the API needs.
func listApps(c *cobra.Command, db *postgres.DB) error {
	apps, err := db.Apps(c.Context())
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "NAME\tMAY USE\tKEYS\tMADE")
	for _, a := range apps {
		fmt.Fprintf(out, "%s\t%s\t%d\t%s\n", a.Name, grants(a.Providers), a.Keys, a.CreatedAt.UTC().Format(time.RFC3339))
	}
	return out.Flush()
}
