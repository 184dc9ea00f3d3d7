package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/postgres"
)

func migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database's schema up to date (`hub serve` does it, too)",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withDatabase(c.Context(), func(*hub, *postgres.DB) error {
				fmt.Fprintln(c.OutOrStdout(), "the schema is up to date")
				return nil
			})
		},
	}
}
