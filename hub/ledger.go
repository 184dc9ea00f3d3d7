package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// maxDoubts bounds what `hub ledger verify` prints: a few say as much as all.
const maxDoubts = 50

// progressEvery is how often `hub ledger verify` says where it is.
const progressEvery = 5 * time.Second

func ledgerCommand() *cobra.Command {
	c := &cobra.Command{Use: "ledger", Short: "The books"}
	c.AddCommand(&cobra.Command{
		Use:   "verify",
		Short: "Prove that the books balance, on live data; exits with 1 if they do not",
		Long: `Derive whatever follows from other rows of an order's record, and compare: status, totals, exponents, postings,
operations, the timeline, who owns what. It goes over all orders in slices that take less than a second each, beside
hubs that work; the hubs do the same by themselves in the background. A doubt is printed with its order, the field,
what was expected there and what was found.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error {
				return verifyLedger(c.Context(), db, c.OutOrStdout(), c.ErrOrStderr())
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

// verifyLedger checks everything, and says now and then how far it is.
func verifyLedger(ctx context.Context, db *postgres.DB, out, progress io.Writer) error {
	checked, told := 0, time.Now()
	doubts, err := db.Verify(ctx, maxDoubts, func(orders int) {
		if checked = orders; time.Since(told) > progressEvery {
			fmt.Fprintf(progress, "%d orders checked\n", orders)
			told = time.Now()
		}
	})
	for _, d := range doubts {
		fmt.Fprintln(out, d)
	}
	switch {
	case err != nil:
		return err
	case len(doubts) > 0:
		return fmt.Errorf("the books do not balance: %d doubts (at most %d are shown)", len(doubts), maxDoubts)
	}
	fmt.Fprintf(out, "the books balance: %d orders checked\n", checked)
	return nil
}
