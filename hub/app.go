package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
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
	create.Flags().StringSliceVar(&granted, "provider", nil, "a provider that the app may use; may be repeated; without it, all of them")
	c.AddCommand(create)
	return c
}

// createApp prints the key alone to out, so that a script can take it.
func (h *hub) createApp(ctx context.Context, db *postgres.DB, name string, granted []string, out, note io.Writer) error {
	for _, provider := range granted {
		if _, ok := h.config.Providers[provider]; !ok {
			return fmt.Errorf("--provider %s: no such provider is configured; `hub provider list` shows them", provider)
		}
	}
	if len(granted) == 0 {
		granted = []string{"*"}
	}
	_, err := db.AppByName(ctx, name)
	if err == nil {
		return fmt.Errorf("app %s exists; `hub key create %s` makes another key", name, name)
	}
	if !errors.Is(err, postgres.ErrNotFound) {
		return err
	}
	now := time.Now().UTC()
	app, err := db.EnsureApp(ctx, ledger.NewID("app", now), name, granted, now)
	if err != nil {
		return err
	}
	fmt.Fprintf(note, "app %s may use: %v\n", name, granted)
	return createKey(ctx, db, app, out, note)
}

func createKey(ctx context.Context, db *postgres.DB, app postgres.App, out, note io.Writer) error {
	key, now := access.NewKey(), time.Now().UTC()
	id := ledger.NewID("key", now)
	if err := db.AddKey(ctx, id, app.ID, access.Hint(key), access.HashKey(key), now); err != nil {
		return err
	}
	fmt.Fprintf(note, "key %s, shown this once; keep it where secrets are kept:\n", id)
	_, err := fmt.Fprintln(out, key)
	return err
}
