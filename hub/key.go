package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/postgres"
)

func keyCommand() *cobra.Command {
	c := &cobra.Command{Use: "key", Short: "API keys of apps"}
	c.AddCommand(
		&cobra.Command{
			Use: "create APP", Short: "Make another key of an app and print it, once", Args: cobra.ExactArgs(1),
			RunE: func(c *cobra.Command, args []string) error {
				return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error {
					app, err := db.AppByName(c.Context(), args[0])
					if err != nil {
						return noSuch(err, "app", args[0])
					}
					return createKey(c.Context(), db, app, c.OutOrStdout(), c.ErrOrStderr())
				})
			},
		},
		&cobra.Command{
			Use: "list APP", Short: "List an app's keys: what may be shown of them", Args: cobra.ExactArgs(1),
			RunE: func(c *cobra.Command, args []string) error {
				return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error { return listKeys(c, db, args[0]) })
			},
		},
		&cobra.Command{
			Use: "revoke ID", Short: "End a key at once", Args: cobra.ExactArgs(1),
			RunE: func(c *cobra.Command, args []string) error {
				return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error {
					if err := db.RevokeKey(c.Context(), args[0], time.Now().UTC()); err != nil {
						if errors.Is(err, postgres.ErrNotFound) {
							return fmt.Errorf("key %q does not exist, or is revoked already", args[0])
						}
						return err
					}
					fmt.Fprintf(c.OutOrStdout(), "key %s is revoked\n", args[0])
					return nil
				})
			},
		},
	)
	return c
}

func listKeys(c *cobra.Command, db *postgres.DB, app string) error {
	if _, err := db.AppByName(c.Context(), app); err != nil {
		return noSuch(err, "app", app)
	}
	keys, err := db.KeysOf(c.Context(), app)
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "ID\tBEGINS\tMADE\tREVOKED")
	for _, k := range keys {
		revoked := "-"
		if k.RevokedAt != nil {
			revoked = k.RevokedAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(out, "%s\t%s...\t%s\t%s\n", k.ID, k.Hint, k.CreatedAt.UTC().Format(time.RFC3339), revoked)
	}
	return out.Flush()
}

func noSuch(err error, what, name string) error {
	if errors.Is(err, postgres.ErrNotFound) {
		return fmt.Errorf("there is no %s %q", what, name)
	}
	return err
}
