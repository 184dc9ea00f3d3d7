package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

func keyCommand() *cobra.Command {
	c := &cobra.Command{Use: "key", Short: "API keys of apps"}
	c.AddCommand(
		keyCreateCommand(),
		&cobra.Command{
			Use: "list APP", Short: "List an app's keys: what may be shown of them", Args: cobra.ExactArgs(1),
			RunE: func(c *cobra.Command, args []string) error {
				return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error { return listKeys(c, db, args[0]) })
			},
		},
		&cobra.Command{
			Use: "revoke ID", Short: "End a key: hubs refuse it within a second", Args: cobra.ExactArgs(1),
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

func keyCreateCommand() *cobra.Command {
	var scope, expires string
	c := &cobra.Command{
		Use: "create APP", Short: "Make another key of an app and print it, once", Args: cobra.ExactArgs(1),
		Example: "  hub key create shop --scope read --expires 90d",
		RunE: func(c *cobra.Command, args []string) error {
			if scope != postgres.ScopeFull && scope != postgres.ScopeRead {
				return fmt.Errorf("--scope %s: must be full, or read for a key that may only look", scope)
			}
			until, err := expiry(expires, time.Now().UTC())
			if err != nil {
				return err
			}
			return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error {
				app, err := db.AppByName(c.Context(), args[0])
				if err != nil {
					return noSuch(err, "app", args[0])
				}
				return createKey(c.Context(), db, postgres.NewKey{AppID: app.ID, Scope: scope, ExpiresAt: until}, c.OutOrStdout(), c.ErrOrStderr())
			})
		},
	}
	c.Flags().StringVar(&scope, "scope", postgres.ScopeFull, "`what` the key may do: full, or read")
	c.Flags().StringVar(&expires, "expires", "", "`when` it ends: a date as 2027-01-31, or days from now as 90d; without it, never")
	return c
}

// expiry reads a date, whose first moment it is, or a number of days.
func expiry(text string, now time.Time) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	at, err := time.Parse(time.DateOnly, text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		at = now.AddDate(0, 0, min(n, 36500))
	}
	if err != nil || !at.After(now) {
		return nil, fmt.Errorf("--expires %s: must be a date ahead, as 2027-01-31, or days from now, as 90d", text)
	}
	return &at, nil
}

// createKey prints the key alone to out, so that a script can take it.
func createKey(ctx context.Context, db *postgres.DB, k postgres.NewKey, out, note io.Writer) error {
	id, key, err := access.AddKey(ctx, db, k, time.Now().UTC())
	if err != nil {
		return err
	}
	fmt.Fprintf(note, "key %s, shown this once; keep it where secrets are kept:\n", id)
	_, err = fmt.Fprintln(out, key)
	return err
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
	fmt.Fprintln(out, "ID\tBEGINS\tSCOPE\tMADE\tLAST USED\tEXPIRES\tREVOKED")
	for _, k := range keys {
		fmt.Fprintf(out, "%s\t%s...\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Hint, k.Scope, when(&k.CreatedAt), when(k.LastUsedAt), when(k.ExpiresAt), when(k.RevokedAt))
	}
	return out.Flush()
}

// when is a time in a table.
func when(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

func noSuch(err error, what, name string) error {
	if errors.Is(err, postgres.ErrNotFound) {
		return fmt.Errorf("there is no %s %q", what, name)
	}
	return err
}
