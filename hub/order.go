package main

import (
	"cmp"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/api"
	"github.com/superpayhub/superpay/hub/internal/clock"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

func orderCommand() *cobra.Command {
	c := &cobra.Command{Use: "order", Short: "Orders"}
	show := &cobra.Command{
		Use: "show ID", Short: "Print an order as its app sees it", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error {
				o, err := db.Order(c.Context(), "", args[0])
				if err != nil {
					return payments.NotFound(err, "order")
				}
				return printOrder(c, o)
			})
		},
	}
	var reason, why string
	resolve := &cobra.Command{
		Use: "resolve ID --why TEXT", Short: "Record that what needed attention of an order is settled", Args: cobra.ExactArgs(1),
		Long: `Record that what needed attention of an order is settled.

Money that did not count because it did not fit the order (another amount, say) is
accepted as payment, unless it was refunded: look at it first. The order's timeline
keeps who and why.`,
		Example: `  hub order resolve ord_... --reason amount_mismatch --why "the payer sent the rest by bank"`,
		RunE: func(c *cobra.Command, args []string) error {
			return withClock(c.Context(), func(h *hub, db *postgres.DB, now *clock.Clock) error {
				s := payments.New(payments.Options{DB: db, Render: api.Render, Now: now.Now, Logger: h.log, TimeScale: h.config.TimeScale})
				o, err := s.Resolve(c.Context(), args[0], reason, person(), why)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(c.OutOrStdout(), "order %s is %s\n", o.ID, o.Status)
				return err
			})
		},
	}
	resolve.Flags().StringVar(&reason, "reason", "", "only this reason; without it, all of them")
	resolve.Flags().StringVar(&why, "why", "", "what was found and done")
	_ = resolve.MarkFlagRequired("why")
	c.AddCommand(show, resolve, correctCommand(), eraseCommand(), archiveCommand(), restoreCommand())
	c.AddCommand(actCommands()...)
	return c
}

// person is who gives a command, for the record.
func person() string { return cmp.Or(os.Getenv("SUDO_USER"), os.Getenv("USER"), "operator") }

func eraseCommand() *cobra.Command {
	var why string
	c := &cobra.Command{
		Use: "erase ID", Short: "Forget the payer of an order that is settled; touches no money", Args: cobra.ExactArgs(1),
		Long: `Forget the payer of an order that is settled: customer, description, line items,
metadata, reasons of refunds, what the provider told of the payer, raw callbacks,
and the notifications that were sent of it. Amounts, statuses, the provider's ids,
the books and the timeline stay, which keeps who erased it and why. It cannot be
undone. The provider, the app and backups have records of their own.`,
		Example: `  hub order erase ord_... --why "asked for by the payer, ticket 4711"`,
		RunE: func(c *cobra.Command, args []string) error {
			return withClock(c.Context(), func(h *hub, db *postgres.DB, now *clock.Clock) error {
				s := payments.New(payments.Options{DB: db, Render: api.Render, Now: now.Now, Logger: h.log, TimeScale: h.config.TimeScale})
				o, forgotten, err := s.Erase(c.Context(), args[0], person(), why)
				if err != nil {
					return err
				}
				fmt.Fprintf(c.OutOrStdout(), "the payer of order %s is forgotten, with %d raw callbacks and %d notifications\n", o.ID, forgotten.Callbacks, forgotten.Notifications)
				if n := forgotten.Waiting; n > 0 {
					return fmt.Errorf("%d callbacks are not applied yet and were left; run this again when they are", n)
				}
				return nil
			})
		},
	}
	c.Flags().StringVar(&why, "why", "", "who asked for it, for the timeline")
	return c
}
