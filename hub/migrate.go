package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database's schema up to date (`hub serve` does it, too)",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			h, err := load(os.Stderr)
			if err != nil {
				return err
			}
			db, err := h.database(c.Context(), false)
			if err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), "the schema is up to date")
			return db.Close()
		},
	}
}
