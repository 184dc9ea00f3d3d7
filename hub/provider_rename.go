package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
)

func providerRenameCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rename OLD NEW", Short: "Give what is on record of a provider another name", Args: cobra.ExactArgs(2),
		Long: `Give what is on record of a provider another name: its orders, and what is
scheduled and granted. The name is a label; the account stays the same, and the
provider's webhook goes to /callback/NEW from then on.

A provider of the settings file is renamed there first, and the hubs restarted;
one that was set up in the console is renamed by this command, or removed there
and set up again under its new name before. Requests for its
orders wait meanwhile, about a minute for a million of them.`,
		Example: "  hub provider rename stripe stripe_eu",
		RunE: func(c *cobra.Command, args []string) error {
			from, to := args[0], args[1]
			if !providers.ValidName(to) {
				return fmt.Errorf("%q is no name: it is a-z, 0-9 and _, at most 31 characters, and begins with a letter", to)
			}
			return withDatabase(c.Context(), func(h *hub, db *postgres.DB) error {
				if _, configured := h.config.Providers[from]; configured {
					return fmt.Errorf("provider %s is still set up in %s: rename it there, restart the hubs, and run this again", from, h.config.ProviderOrigin(from))
				}
				n, err := db.RenameProvider(c.Context(), from, to, time.Now().UTC())
				switch {
				case errors.Is(err, postgres.ErrNotFound):
					return fmt.Errorf("nothing is on record of a provider %s", from)
				case errors.Is(err, postgres.ErrHasOrders):
					return fmt.Errorf("orders are on record under %[2]s already, or the console has both %[1]s and %[2]s: two accounts cannot become one", from, to)
				case errors.Is(err, postgres.ErrMoneyOutClosed):
					return errors.New("money-out of one of them is closed until its history was read: `hub recover status` tells when it is open; then run this again")
				case err != nil:
					return err
				}
				fmt.Fprintf(c.OutOrStdout(), "%s is %s now, in %d orders; its webhook goes to /callback/%s: `hub provider connect %s` tells the provider\n", from, to, n, to, to)
				return nil
			})
		},
	}
}

// warnOfGone tells of orders whose provider is not set up any more: they can be
// neither read nor captured nor refunded.
func (h *hub) warnOfGone(ctx context.Context, db *postgres.DB, configs []providers.Config) error {
	var names []string
	for _, c := range configs {
		names = append(names, c.Name)
	}
	gone, err := db.NamesBut(ctx, names)
	for _, name := range gone {
		h.log.WarnContext(ctx, "orders are on record of a provider that is not set up: they can be neither read nor captured nor refunded; set it up again, or give them its new name with `hub provider rename`",
			"provider", name, "set_up", strings.Join(slices.Sorted(slices.Values(names)), ", "))
	}
	return err
}
