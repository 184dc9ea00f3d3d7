package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// maxDoubts bounds what `hub ledger verify` prints: a few say as much as all.
const maxDoubts = 50

func ledgerCommand() *cobra.Command {
	c := &cobra.Command{Use: "ledger", Short: "The books"}
	c.AddCommand(&cobra.Command{
		Use:   "verify",
		Short: "Prove that the books balance, on live data; exits with 1 if they do not",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error {
				doubts, err := db.Verify(c.Context(), maxDoubts)
				if err != nil {
					return err
				}
				for _, d := range doubts {
					fmt.Fprintf(c.OutOrStdout(), "%s: %s: %s\n", d.Law, d.Name, d.Said)
				}
				if len(doubts) > 0 {
					return fmt.Errorf("the books do not balance: %d doubts (at most %d are shown)", len(doubts), maxDoubts)
				}
				fmt.Fprintln(c.OutOrStdout(), "the books balance")
				return nil
			})
		},
	})
	c.AddCommand(&cobra.Command{
		Use:   "states",
		Short: "Print the state machines as a page of Markdown with diagrams",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(c.OutOrStdout(), ledger.Drawing())
			return err
		},
	})
	return c
}
